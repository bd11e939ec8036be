/** Softmax and log-softmax of every row, shifted by the row's largest value so that nothing overflows. */
import type { FloatArray, Heap } from '../heap.js'
import type { Kernels } from '../kernels.js'
import { floatShift } from './shift.js'

export function softmaxKernels(heap: Heap): Pick<Kernels, 'softmax' | 'softmaxBackward'> {
  const shift = floatShift(heap)
  return {
    softmax(x, y, rows, cols) {
      const f = heap.floats
      for (let r = 0; r < rows; r++) softmaxRow(f, (x >>> shift) + r * cols, (y >>> shift) + r * cols, cols)
    },
    softmaxBackward(y, dy, dx, rows, cols) {
      const f = heap.floats
      for (let r = 0, p = y >>> shift, d = dy >>> shift, i = dx >>> shift; r < rows; r++) {
        let sum = 0
        for (let c = 0; c < cols; c++) sum += f[d + c] * f[p + c]
        for (let c = 0; c < cols; c++) f[i++] = f[p++] * (f[d++] - sum)
      }
    },
  }
}

export function logSoftmaxKernels(heap: Heap): Pick<Kernels, 'logSoftmax' | 'logSoftmaxBackward'> {
  const shift = floatShift(heap)
  return {
    logSoftmax(x, y, rows, cols) {
      const f = heap.floats
      for (let r = 0; r < rows; r++) logSoftmaxRow(f, (x >>> shift) + r * cols, (y >>> shift) + r * cols, cols)
    },
    logSoftmaxBackward(y, dy, dx, rows, cols) {
      const f = heap.floats
      for (let r = 0, p = y >>> shift, d = dy >>> shift, i = dx >>> shift; r < rows; r++) {
        let sum = 0
        for (let c = 0; c < cols; c++) sum += f[d + c]
        for (let c = 0; c < cols; c++) f[i++] = f[d++] - Math.exp(f[p++]) * sum
      }
    },
  }
}

/** max_c x[c]; NaN if any is */
export function rowMax(f: FloatArray, x: number, cols: number): number {
  let max = -Infinity
  for (let c = 0; c < cols; c++) max = Math.max(max, f[x + c])
  return max
}

/** Σ_c exp(x[c] − max) */
export function sumExp(f: FloatArray, x: number, cols: number, max: number): number {
  let sum = 0
  for (let c = 0; c < cols; c++) sum += Math.exp(f[x + c] - max)
  return sum
}

function softmaxRow(f: FloatArray, x: number, y: number, cols: number): void {
  const max = rowMax(f, x, cols)
  let sum = 0
  for (let c = 0; c < cols; c++) {
    const e = Math.exp(f[x + c] - max)
    f[y + c] = e
    sum += e
  }
  for (let c = 0; c < cols; c++) f[y + c] /= sum
}

function logSoftmaxRow(f: FloatArray, x: number, y: number, cols: number): void {
  const max = rowMax(f, x, cols)
  const log = Math.log(sumExp(f, x, cols, max))
  for (let c = 0; c < cols; c++) f[y + c] = f[x + c] - max - log
}
