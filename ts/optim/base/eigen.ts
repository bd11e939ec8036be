/** Factorisations of small matrices in doubles: eigenvectors by cyclic Jacobi rotations, QR by Householder reflections. */
import type { FloatArray } from '../../backend/heap.js'

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

/**
 * Q of the QR factorisation of a[n, n]: orthonormal columns that span, one after the other, what the columns of `a` span.
 * Orthonormal to rounding whatever `a` is; where a column adds nothing new, some unit vector takes its place.
 */
export function orthonormalize(a: Float64Array, n: number): Float64Array {
  const columns = transposed(a, n)
  const reflectors: Float64Array[] = []
  for (let k = 0; k < n; k++) {
    const reflector = householder(columns.subarray(k * n, (k + 1) * n), k)
    for (let j = k + 1; j < n; j++) reflect(columns, j * n, reflector, k)
    reflectors.push(reflector)
  }
  const q = new Float64Array(n * n)
  for (let j = 0; j < n; j++) {
    q[j * n + j] = 1
    for (let k = j; k >= 0; k--) reflect(q, j * n, reflectors[k], k)
  }
  return transposed(q, n)
}

/** v with I − v·vᵀ taking x[k..] to a multiple of the k-th unit vector; zeros if it is one already. */
function householder(x: Float64Array, k: number): Float64Array {
  const v = new Float64Array(x.length)
  const largest = x.subarray(k).reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  if (largest === 0) return v
  let sum = 0
  for (let i = k; i < x.length; i++) sum += (v[i] = x[i] / largest) ** 2
  const norm = Math.sqrt(sum)
  const head = v[k] + (v[k] < 0 ? -norm : norm)
  const scale = 1 / Math.sqrt(norm * Math.abs(head))
  v[k] = head
  for (let i = k; i < x.length; i++) v[i] *= scale
  return v
}

/** y ← y − v·(v·y) for the column that starts at `at`, from its k-th element on. */
function reflect(y: Float64Array, at: number, v: Float64Array, k: number): void {
  let dot = 0
  for (let i = k; i < v.length; i++) dot += v[i] * y[at + i]
  if (dot !== 0) for (let i = k; i < v.length; i++) y[at + i] -= dot * v[i]
}

function transposed(a: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[j * n + i] = a[i * n + j]
  return out
}

/** The largest element off the diagonal, 0 once it is lost in the rounding of the diagonal. */
function offDiagonal(a: Float64Array, n: number): number {
  let largest = 0
  for (let p = 0; p < n; p++) {
    for (let q = p + 1; q < n; q++) {
      if (matters(a, n, p, q)) largest = Math.max(largest, Math.abs(a[p * n + q]))
    }
  }
  return largest
}

/** Whether a[p, q] is not lost in the rounding of the diagonal. */
function matters(a: Float64Array, n: number, p: number, q: number): boolean {
  const size = Math.abs(a[p * n + q])
  return size > 1e-300 && size > 1e-17 * Math.sqrt(Math.abs(a[p * n + p] * a[q * n + q]))
}

/** Makes a[p, q] zero. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  if (!matters(a, n, p, q)) return
  const apq = a[p * n + q]
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
