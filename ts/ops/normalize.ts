/** Normalization: code that layer and batch normalization share. */

import { apply } from '../autograd.js'
import { withOperations, withOthers } from '../backend/families.js'
import type { Backend } from '../backend/index.js'
import type { Ptr } from '../backend/kernels.js'
import type { Tensor } from '../tensor.js'
import { add, mul, reciprocal, sqrt, sub } from './elementwise.js'
import { mean, variance } from './reduce.js'

/** Elements that are normalized together: of each `row` (along the last axis), or of each `column` (along all others). */
export type Together = 'row' | 'column'

/** Addresses of the statistics of the groups, a float for each row or column; the variance is the mean squared distance from the mean. */
export interface Statistics {
  mean: Ptr
  variance: Ptr
  /** Number of rows or columns. */
  groups: number
  /** Number of elements in each of them. */
  length: number
}

/**
 * (x − mean) / √(variance + epsilon), with the mean and the variance of each row or each column. The gradient is (g − mean(g) − y · mean(g · y)) /
 * √(variance + epsilon), where y is the result (Ioffe & Szegedy 2015; Ba et al. 2016).
 *
 * It only calls kernels, so a step with it can be recorded and replayed.
 *
 * @internal
 * @param x [..., columns], with at least one axis
 * @param observe is called with the statistics while they are in memory; it may call kernels, and must not read numbers
 */
export function normalize(
  x: Tensor,
  together: Together,
  epsilon: number,
  observe?: (statistics: Statistics, backend: Backend) => void,
): Tensor {
  const grid = gridOf(x, together)
  let deviation: Ptr = 0
  return apply(
    [x],
    x.shape,
    (y, backend) => {
      const { arena, heap } = backend
      const kernels = kernelsOf(backend)
      const { rows, columns, groups, length, rowStride, columnStride } = grid
      const allocate = (count: number) => arena.allocate(count * heap.elementSize)
      const from = x.address
      const [mean, variance, squares, constant] = [allocate(groups), allocate(groups), allocate(x.size), allocate(1)]
      deviation = allocate(groups)
      kernels.fill(constant, 1, 1 / length)
      averageOf(backend, grid, from, mean, constant)
      kernels.sub(from, mean, y, rows, columns, columns, 1, rowStride, columnStride)
      kernels.square(y, squares, x.size)
      averageOf(backend, grid, squares, variance, constant)
      observe?.({ mean, variance, groups, length }, backend)
      kernels.fill(constant, 1, epsilon)
      kernels.add(variance, constant, deviation, 1, groups, 0, 1, 0, 0)
      kernels.sqrt(deviation, deviation, groups)
      kernels.div(y, deviation, y, rows, columns, columns, 1, rowStride, columnStride)
    },
    (y) => ({
      vjp: (g) => [writtenGradient(x, y, g, together, epsilon)],
      fused: (g) => [fusedGradient(x, y, g, grid, deviation)],
    }),
  )
}

/** The kernels, with the two families that are loaded on demand. */
function kernelsOf(backend: Backend): ReturnType<typeof withOperations> & ReturnType<typeof withOthers> {
  withOthers(backend)
  return withOperations(backend) as ReturnType<typeof kernelsOf>
}

/** A tensor as a matrix of rows and columns, and how statistics lie beside it. */
interface Grid {
  rows: number
  columns: number
  groups: number
  length: number
  /** Strides of the statistics: each row has its own, or each column. */
  rowStride: number
  columnStride: number
}

function gridOf(x: Tensor, together: Together): Grid {
  const columns = x.shape[x.rank - 1]
  const rows = columns === 0 ? 0 : x.size / columns
  return together === 'row'
    ? { rows, columns, groups: rows, length: columns, rowStride: 1, columnStride: 0 }
    : { rows, columns, groups: columns, length: rows, rowStride: 0, columnStride: 1 }
}

/** The average of each row or column; `constant` is the address of 1 / length. */
function averageOf(backend: Backend, { rows, columns, groups, rowStride }: Grid, from: Ptr, to: Ptr, constant: Ptr): void {
  const kernels = kernelsOf(backend)
  if (rowStride === 1) kernels.reduceSum(from, to, rows, columns, 1)
  else kernels.reduceSum(from, to, 1, rows, columns)
  kernels.mul(to, constant, to, 1, groups, 0, 1, 0, 0)
}

function fusedGradient(x: Tensor, y: Tensor, g: Tensor, grid: Grid, deviation: Ptr): Tensor {
  return apply([g, y], x.shape, (dx, backend) => {
    const { arena, heap } = backend
    const kernels = kernelsOf(backend)
    const { rows, columns, groups, length, rowStride, columnStride } = grid
    const allocate = (count: number) => arena.allocate(count * heap.elementSize)
    const [arriving, normal] = [g.address, y.address]
    const [average, along, products, constant] = [allocate(groups), allocate(groups), allocate(x.size), allocate(1)]
    kernels.fill(constant, 1, 1 / length)
    averageOf(backend, grid, arriving, average, constant)
    kernels.mul(arriving, normal, products, 1, x.size, 0, 1, 0, 1)
    averageOf(backend, grid, products, along, constant)
    kernels.mul(normal, along, products, rows, columns, columns, 1, rowStride, columnStride)
    kernels.sub(arriving, average, dx, rows, columns, columns, 1, rowStride, columnStride)
    kernels.sub(dx, products, dx, 1, x.size, 0, 1, 0, 1)
    kernels.div(dx, deviation, dx, rows, columns, columns, 1, rowStride, columnStride)
  })
}

/** The same gradient in operations, so that it can be differentiated again. */
function writtenGradient(x: Tensor, y: Tensor, g: Tensor, together: Together, epsilon: number): Tensor {
  const axes = together === 'row' ? x.rank - 1 : Array.from({ length: x.rank - 1 }, (_, axis) => axis)
  const average = (t: Tensor): Tensor => mean(t, axes, true)
  const scale: Tensor = reciprocal(sqrt(add(variance(x, axes, { keepDims: true }), epsilon)))
  return mul(scale, sub(sub(g, average(g)), mul(y, average(mul(g, y)))))
}
