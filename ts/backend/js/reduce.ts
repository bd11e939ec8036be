/** Reductions over the middle axis of x[outer,length,inner], and sums over a whole vector. */
import type { FloatArray, Heap } from '../heap.js'
import type { Kernels } from '../kernels.js'
import { fillNumbers } from './few.js'
import { floatShift } from './shift.js'

/** Kernels that any program may need. */
export function norms(heap: Heap): Pick<Kernels, 'sumSquares' | 'sumAbs' | 'maxAbs'> {
  const shift = floatShift(heap)
  return {
    sumSquares(x, n) {
      const f = heap.floats
      let sum = 0
      for (let p = x >>> shift, end = p + n; p < end; p++) sum += f[p] * f[p]
      return sum
    },
    sumAbs(x, n) {
      const f = heap.floats
      let sum = 0
      for (let p = x >>> shift, end = p + n; p < end; p++) sum += Math.abs(f[p])
      return sum
    },
    maxAbs(x, n) {
      const f = heap.floats
      let max = 0
      for (let p = x >>> shift, end = p + n; p < end; p++) max = Math.max(max, Math.abs(f[p]))
      return max
    },
  }
}

export function sumKernel(heap: Heap): Pick<Kernels, 'reduceSum'> {
  const shift = floatShift(heap)
  return {
    reduceSum(x, y, outer, length, inner) {
      const f = heap.floats
      const step = length * inner
      for (let o = 0; o < outer; o++) columnSums(f, (x >>> shift) + o * step, (y >>> shift) + o * inner, length, inner, false)
    },
  }
}

/** Kernels that few programs need. */
export function rareReductions(heap: Heap): Pick<Kernels, 'reduceMax' | 'reduceMin' | 'argmax' | 'cumsum'> {
  const shift = floatShift(heap)
  return {
    argmax(x, y, outer, length, inner) {
      const f = heap.floats
      for (let o = 0; o < outer; o++) {
        const start = (x >>> shift) + o * length * inner
        for (let i = 0; i < inner; i++) heap.ints[(y >>> 2) + o * inner + i] = firstLargest(f, start + i, length, inner)
      }
    },
    cumsum(x, y, outer, length, inner, backwards) {
      const f = heap.floats
      const [from, to] = [x >>> shift, y >>> shift]
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          let sum = 0
          for (let step = 0; step < length; step++) {
            const l = backwards !== 0 ? length - 1 - step : step
            const at = (o * length + l) * inner + i
            sum += f[from + at]
            f[to + at] = sum
          }
        }
      }
    },
    reduceMax(x, y, outer, length, inner) {
      const f = heap.floats
      f.fill(-Infinity, y >>> shift, (y >>> shift) + outer * inner)
      for (let o = 0, p = x >>> shift; o < outer; o++)
        for (let l = 0; l < length; l++)
          for (let i = (y >>> shift) + o * inner, end = i + inner; i < end; i++) f[i] = Math.max(f[i], f[p++])
    },
    reduceMin(x, y, outer, length, inner) {
      const f = heap.floats
      f.fill(Infinity, y >>> shift, (y >>> shift) + outer * inner)
      for (let o = 0, p = x >>> shift; o < outer; o++)
        for (let l = 0; l < length; l++)
          for (let i = (y >>> shift) + o * inner, end = i + inner; i < end; i++) f[i] = Math.min(f[i], f[p++])
    },
  }
}

/**
 * The largest number of rows that are added one by one in the precision of the heap. With more rows, each column is added up in a double, so that
 * errors do not grow with their number.
 */
const RUN = 512

/** sums[j] = Σ_i rows[i,j] (+ sums), for m rows of n; a single column (n = 1) keeps its sum in a double. */
export function columnSums(f: FloatArray, rows: number, sums: number, m: number, n: number, accumulate: boolean): void {
  if (!accumulate) fillNumbers(f, sums, n, 0)
  if (n === 1) {
    let sum = f[sums]
    for (let i = 0; i < m; i++) sum += f[rows + i]
    f[sums] = sum
    return
  }
  if (m > RUN) {
    const totals = Float64Array.from(f.subarray(sums, sums + n))
    for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) totals[j] += f[rows++]
    f.set(totals, sums)
    return
  }
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) f[sums + j] += f[rows++]
}

/** The first l with the largest f[x + l·stride]; the first NaN if there is one. */
function firstLargest(f: FloatArray, x: number, length: number, stride: number): number {
  let best = 0
  for (let l = 0; l < length; l++) {
    const v = f[x + l * stride]
    if (Number.isNaN(v)) return l
    if (v > f[x + best * stride]) best = l
  }
  return best
}
