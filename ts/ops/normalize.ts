/** Normalization of rows, for layer normalization. */

import { apply } from '../autograd.js'
import { withOperations, withOthers } from '../backend/families.js'
import type { Backend } from '../backend/index.js'
import type { Ptr } from '../backend/kernels.js'
import type { Tensor } from '../tensor.js'
import { add, mul, reciprocal, sqrt, sub } from './elementwise.js'
import { mean, variance } from './reduce.js'

/**
 * (x − mean) / √(variance + epsilon), with the mean and the variance of each row, along the last axis. The gradient is (g − mean(g) − y · mean(g · y)) /
 * √(variance + epsilon), where y is the result (Ba et al. 2016).
 *
 * It only calls kernels, so a step with it can be recorded and replayed.
 *
 * @internal
 * @param x [..., columns], with at least one axis
 */
export function normalize(x: Tensor, epsilon: number): Tensor {
  const columns = x.shape[x.rank - 1]
  const rows = columns === 0 ? 0 : x.size / columns
  let deviation: Ptr = 0
  return apply(
    [x],
    x.shape,
    (y, backend) => {
      const { arena, heap } = backend
      const kernels = kernelsOf(backend)
      const allocate = (count: number) => arena.allocate(count * heap.elementSize)
      const from = x.address
      const [mean, variance, squares, constant] = [allocate(rows), allocate(rows), allocate(x.size), allocate(1)]
      deviation = allocate(rows)
      kernels.fill(constant, 1, 1 / columns)
      // distances from the first column: equal values have their mean without a rounding error, which would be normalized
      kernels.sub(from, from, y, rows, columns, columns, 1, columns, 0)
      averageOf(backend, rows, columns, y, mean, constant)
      kernels.sub(y, mean, y, rows, columns, columns, 1, 1, 0)
      kernels.square(y, squares, x.size)
      averageOf(backend, rows, columns, squares, variance, constant)
      // a variance beyond single precision would make zeros: 0 · Infinity is NaN
      kernels.fill(constant, 1, 0)
      kernels.mul(variance, constant, deviation, 1, rows, 0, 1, 0, 0)
      kernels.add(variance, deviation, variance, 1, rows, 0, 1, 0, 1)
      kernels.fill(constant, 1, epsilon)
      kernels.add(variance, constant, deviation, 1, rows, 0, 1, 0, 0)
      kernels.sqrt(deviation, deviation, rows)
      kernels.div(y, deviation, y, rows, columns, columns, 1, 1, 0)
    },
    (y) => ({
      vjp: (g) => [writtenGradient(x, y, g, epsilon)],
      fused: (g) => [fusedGradient(x, y, g, rows, columns, deviation)],
    }),
  )
}

/** The kernels, with the two families that are loaded on demand. */
function kernelsOf(backend: Backend): ReturnType<typeof withOperations> & ReturnType<typeof withOthers> {
  withOthers(backend)
  return withOperations(backend) as ReturnType<typeof kernelsOf>
}

/** The average of each row; `constant` is the address of 1 / columns. */
function averageOf(backend: Backend, rows: number, columns: number, from: Ptr, to: Ptr, constant: Ptr): void {
  const kernels = kernelsOf(backend)
  kernels.reduceSum(from, to, rows, columns, 1)
  kernels.mul(to, constant, to, 1, rows, 0, 1, 0, 0)
}

function fusedGradient(x: Tensor, y: Tensor, g: Tensor, rows: number, columns: number, deviation: Ptr): Tensor {
  return apply([g, y], x.shape, (dx, backend) => {
    const { arena, heap } = backend
    const kernels = kernelsOf(backend)
    const allocate = (count: number) => arena.allocate(count * heap.elementSize)
    const [arriving, normal] = [g.address, y.address]
    const [average, along, products, constant] = [allocate(rows), allocate(rows), allocate(x.size), allocate(1)]
    kernels.fill(constant, 1, 1 / columns)
    averageOf(backend, rows, columns, arriving, average, constant)
    kernels.mul(arriving, normal, products, 1, x.size, 0, 1, 0, 1)
    averageOf(backend, rows, columns, products, along, constant)
    kernels.mul(normal, along, products, rows, columns, columns, 1, 1, 0)
    kernels.sub(arriving, average, dx, rows, columns, columns, 1, 1, 0)
    kernels.sub(dx, products, dx, 1, x.size, 0, 1, 0, 1)
    kernels.div(dx, deviation, dx, rows, columns, columns, 1, 1, 0)
  })
}

/** The same gradient in operations, so that it can be differentiated again. */
function writtenGradient(x: Tensor, y: Tensor, g: Tensor, epsilon: number): Tensor {
  const average = (t: Tensor): Tensor => mean(t, x.rank - 1, true)
  const scale: Tensor = reciprocal(sqrt(add(variance(x, x.rank - 1, { keepDims: true }), epsilon)))
  return mul(scale, sub(sub(g, average(g)), mul(y, average(mul(g, y)))))
}
