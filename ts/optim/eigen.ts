/** Eigendecomposition of small symmetric matrices, in doubles, by cyclic Jacobi rotations. */
import type { FloatArray } from '../backend/heap.js'

/** S[n, n] = V·diag(values)·Vᵀ; the columns of V are orthonormal. */
export interface Eigen {
  values: Float64Array
  vectors: Float64Array
}

export function eigenSymmetric(matrix: FloatArray, n: number): Eigen {
  const a = Float64Array.from(matrix)
  const vectors = new Float64Array(n * n)
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1
  for (let sweep = 0; sweep < 60 && offDiagonal(a, n) > 0; sweep++) {
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, vectors, n, p, q)
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i]), vectors }
}

/** V·diag(f(values))·Vᵀ into `out`. */
export function spectral({ values, vectors }: Eigen, f: (value: number) => number, out: FloatArray): void {
  const n = values.length
  const scaled = values.map(f)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0
      for (let k = 0; k < n; k++) sum += vectors[i * n + k] * scaled[k] * vectors[j * n + k]
      out[i * n + j] = out[j * n + i] = sum
    }
  }
}

/** The largest element off the diagonal, 0 once it is lost in the rounding of the diagonal. */
function offDiagonal(a: Float64Array, n: number): number {
  let largest = 0
  for (let p = 0; p < n; p++) {
    for (let q = p + 1; q < n; q++) {
      const size = Math.abs(a[p * n + q])
      if (size > 1e-17 * Math.sqrt(Math.abs(a[p * n + p] * a[q * n + q])) && size > 1e-300) largest = Math.max(largest, size)
    }
  }
  return largest
}

/** Makes a[p, q] zero. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]
  if (apq === 0) return
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  turn(a, p, q, n, c, s, n)
  turn(a, p * n, q * n, 1, c, s, n)
  turn(v, p, q, n, c, s, n)
  a[p * n + q] = a[q * n + p] = 0
}

/** Rotates two rows or columns that start at x and y and step by `step`. */
function turn(a: Float64Array, x: number, y: number, step: number, c: number, s: number, n: number): void {
  for (let k = 0; k < n; k++) {
    const [i, j] = [x + k * step, y + k * step]
    const [ai, aj] = [a[i], a[j]]
    a[i] = c * ai - s * aj
    a[j] = s * ai + c * aj
  }
}
