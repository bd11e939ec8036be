/** Batch normalization, column by column. */
import type { BatchNormKernels } from '../batch-norm-kernels.js'
import type { Heap } from '../heap.js'
import { ACCUMULATE_B, ACCUMULATE_W, type Ptr } from '../kernels.js'
import { floatShift } from './shift.js'

export function batchNormKernels(heap: Heap): BatchNormKernels {
  const shift = floatShift(heap)
  const placesOf = (...addresses: Ptr[]) => addresses.map((at) => at >>> shift)

  return {
    batchNormMoments(x, mean, variance, rows, columns) {
      const f = heap.floats
      const [xs, means, variances] = placesOf(x, mean, variance)
      for (let j = 0; j < columns; j++) {
        let [sum, squares] = [0, 0]
        for (let i = 0; i < rows; i++) sum += f[xs + i * columns + j]
        const average = sum / rows
        for (let i = 0; i < rows; i++) squares += (f[xs + i * columns + j] - average) ** 2
        f[means + j] = average
        f[variances + j] = squares / rows
        // too large for a float: normalizing by it would make zeros
        if (f[variances + j] === Number.POSITIVE_INFINITY) f[variances + j] = Number.NaN
      }
    },
    batchNormForward(x, mean, variance, weight, bias, y, rows, columns, relu, epsilon) {
      const f = heap.floats
      const [xs, means, variances, weights, biases, ys, e] = placesOf(x, mean, variance, weight, bias, y, epsilon)
      for (let j = 0; j < columns; j++) {
        const scale = f[weights + j] / Math.sqrt(f[variances + j] + f[e])
        for (let i = j; i < rows * columns; i += columns) {
          const z = (f[xs + i] - f[means + j]) * scale + f[biases + j]
          f[ys + i] = relu !== 0 && z <= 0 ? 0 : z
        }
      }
    },
    batchNormBackward(x, mean, variance, weight, bias, dy, dw, db, dx, rows, columns, relu, accumulate, epsilon) {
      const f = heap.floats
      const [xs, means, variances, weights, biases, dys] = placesOf(x, mean, variance, weight, bias, dy)
      const [dws, dbs, dxs, e] = placesOf(dw, db, dx, epsilon)
      for (let j = 0; j < columns; j++) {
        const inverse = 1 / Math.sqrt(f[variances + j] + f[e])
        const scale = f[weights + j] * inverse
        const distance = (i: number) => f[xs + i] - f[means + j]
        const normal = (i: number) => distance(i) * inverse
        const dz = (i: number) => (relu !== 0 && distance(i) * scale + f[biases + j] <= 0 ? 0 : f[dys + i])
        let [along, total] = [0, 0]
        for (let i = j; i < rows * columns; i += columns) {
          along += dz(i) * normal(i)
          total += dz(i)
        }
        if (dw !== 0) f[dws + j] = along + (accumulate & ACCUMULATE_W ? f[dws + j] : 0)
        if (db !== 0) f[dbs + j] = total + (accumulate & ACCUMULATE_B ? f[dbs + j] : 0)
        if (dx === 0) continue
        for (let i = j; i < rows * columns; i += columns) f[dxs + i] = scale * (dz(i) - total / rows - (normal(i) * along) / rows)
      }
    },
  }
}
