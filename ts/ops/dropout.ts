/** Dropout. */

import { apply, needsGradient } from '../autograd.js'
import { withDropout } from '../backend/families.js'
import type { Ptr } from '../backend/kernels.js'
import { rangeError } from '../common/errors.js'
import type { Generator } from '../random.js'
import { asFloats, type Operand, type ShapeOf, Tensor } from '../tensor.js'

/**
 * Each element is 0 with probability `rate`, else x / (1 − rate) (Srivastava et al. 2014). The forward pass keeps the mask, one bit
 * per element, for the backward pass.
 *
 * @example dropout(ones([100]), 0.5, new Generator(1)).toArray() // of zeros and twos
 * @throws RangeError unless 0 ≤ rate < 1
 */
export function dropout<X extends Operand>(value: X, rate: number, generator: Generator): Tensor<ShapeOf<X>> {
  if (!(rate >= 0 && rate < 1)) throw rangeError(`dropout: rate wants a number of at least 0 and below 1, got ${rate}`)
  const x = asFloats(value, undefined, 'dropout')
  const y = masked(x, rate, generator, generator.counter)
  x.backend.arena.drew(generator)
  generator.counter++
  return y
}

function masked(x: Tensor, rate: number, generator: Generator, counter: number): Tensor {
  const { seedLow, seedHigh, stream } = generator
  const { heap, arena } = x.backend
  let mask: Ptr = 0
  const run = (from: Tensor, to: Ptr, isKnown: number) =>
    withDropout(x.backend).dropout(from.address, to, x.size, seedLow, seedHigh, stream, counter, mask, isKnown, rate)
  const keepsMask = needsGradient([x])
  return apply(
    [x],
    x.shape,
    (y) => {
      if (keepsMask) mask = arena.allocate(4 * Math.ceil(x.size / 16))
      run(x, y, 0)
    },
    () => ({
      vjp: (g) => [masked(g, rate, generator, counter)],
      fused: (g) => {
        const dx = arena.gradientPlace(g.size * heap.elementSize, g.address)
        run(g, dx, 1)
        return [Tensor.inArena(g.backend, g.shape, dx)]
      },
    }),
  )
}
