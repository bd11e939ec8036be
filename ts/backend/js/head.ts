/** Heads: logits of rows, and gradients of logistic regressions, row after row. */
import { type HeadKernels, placeOf } from '../head-kernels.js'
import type { FloatArray, Heap } from '../heap.js'
import { floatShift } from './shift.js'

export function headKernels(heap: Heap): HeadKernels {
  const shift = floatShift(heap)
  return {
    headLogits(x, weights, z, rows, columns, classes) {
      for (let i = 0; i < rows; i++)
        for (let c = 0; c < classes; c++)
          heap.floats[(z >>> shift) + placeOf(i, c, classes)] = product(
            heap.floats,
            (x >>> shift) + i * columns,
            (weights >>> shift) + c * columns,
            columns,
          )
    },
    headGradient(x, weights, answers, z, gradient, rows, columns, classes, sets) {
      const { floats: f, ints } = heap
      const [own, to] = [z >>> shift, gradient >>> shift]
      for (let i = 0; i < rows; i++) {
        const row = (x >>> shift) + i * columns
        for (let c = 0; c < classes; c++) f[own + c] = product(f, row, (weights >>> shift) + c * columns, columns)
        if (sets === 0) softmaxResiduals(f, own, classes, ints[(answers >>> 2) + i])
        else
          for (let c = 0; c < classes; c++) f[own + c] = 1 / (1 + Math.exp(-f[own + c])) - f[(answers >>> shift) + placeOf(i, c, classes)]
        for (let c = 0; c < classes; c++) addScaled(f, f[own + c], row, to + c * columns, columns)
      }
    },
  }
}

function softmaxResiduals(f: FloatArray, z: number, classes: number, own: number): void {
  let most = -Infinity
  for (let c = 0; c < classes; c++) most = Math.max(most, f[z + c])
  let sum = 0
  for (let c = 0; c < classes; c++) sum += f[z + c] = Math.exp(f[z + c] - most)
  for (let c = 0; c < classes; c++) f[z + c] = f[z + c] / sum - Number(c === own)
}

/** Σ over j < n of f[a + j] · f[b + j], by four sums that do not wait for one another; n is a multiple of 4. */
function product(f: FloatArray, a: number, b: number, n: number): number {
  let [p, q, r, s] = [0, 0, 0, 0]
  for (const end = a + n; a < end; a += 4, b += 4) {
    p += f[a] * f[b]
    q += f[a + 1] * f[b + 1]
    r += f[a + 2] * f[b + 2]
    s += f[a + 3] * f[b + 3]
  }
  return p + q + (r + s)
}

/** f[to + j] += factor · f[x + j] */
function addScaled(f: FloatArray, factor: number, x: number, to: number, n: number): void {
  for (let j = 0; j < n; j++) f[to + j] += factor * f[x + j]
}
