/**
 * What a layer does with its inputs before the scan. These operations are recorded even for data, which has no gradient, since a recorded step may be
 * replayed, and results of operations that are not recorded leave the engine's memory: `weight` is an input for that reason alone.
 */

import { apply } from '../autograd.js'
import { withChoices, withDropout, withOperations } from '../backend/families.js'
import type { Generator } from '../random.js'
import type { Tensor } from '../tensor.js'

/** x [rows, steps, inputs] with each input of a row zeroed at all steps with probability `rate`, and the others divided by 1 − rate. */
export function dropInputs(x: Tensor, weight: Tensor, rate: number, generator: Generator): Tensor {
  const y = dropped(x, weight, rate, generator, generator.counter)
  x.backend.arena.drew(generator)
  generator.counter++
  return y
}

function dropped(x: Tensor, weight: Tensor, rate: number, generator: Generator, counter: number): Tensor {
  const [rows, steps, inputs] = x.shape
  const { seedLow, seedHigh, stream } = generator
  return apply(
    [x, weight],
    x.shape,
    (y, backend) => {
      const { heap, arena, kernels } = backend
      const scales = arena.allocate(rows * inputs * heap.elementSize)
      kernels.fill(scales, rows * inputs, 1)
      withDropout(backend).dropout(scales, scales, rows * inputs, seedLow, seedHigh, stream, counter, 0, 0, rate)
      for (let row = 0; row < rows; row++) {
        const at = row * steps * inputs * heap.elementSize
        kernels.mul(x.address + at, scales + row * inputs * heap.elementSize, y + at, steps, inputs, inputs, 1, 0, 1)
      }
    },
    () => ({ vjp: (g) => [x.requiresGrad ? dropped(g, weight, rate, generator, counter) : null, null] }),
  )
}

/** 1 for each step of x [rows, steps, inputs], and 0 for each whose inputs all equal `value`: [rows, steps]. */
export function maskOfSteps(x: Tensor, weight: Tensor, value: number): Tensor {
  const [rows, steps, inputs] = x.shape
  const all = rows * steps
  return apply(
    [x, weight],
    [rows, steps],
    (y, backend) => {
      const { heap, arena } = backend
      const kernels = withOperations(backend)
      const [constant, equal] = [arena.allocate(heap.elementSize), arena.allocate(all * inputs * heap.elementSize)]
      kernels.fill(constant, 1, value)
      withChoices(backend).equal(x.address, constant, equal, 1, all * inputs, 0, 1, 0, 0)
      kernels.reduceSum(equal, y, all, inputs, 1)
      kernels.fill(constant, 1, inputs)
      kernels.greater(constant, y, y, 1, all, 0, 0, 0, 1)
    },
    () => ({ vjp: () => [null, null] }),
  )
}
