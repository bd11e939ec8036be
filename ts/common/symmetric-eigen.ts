/**
 * Eigenvalues of symmetric matrices in doubles: Householder's reduction to a tridiagonal matrix, then the implicit QL
 * method (Bowdler, Martin, Reinsch & Wilkinson 1968). About 3n³ operations with vectors. Only sums, products, quotients and square
 * roots, so that optimizers that build on it give the same bits on every engine, which Math.hypot does not.
 */

/** Eigenvalues in ascending order; vectors[i·n .. (i+1)·n] belongs to values[i] and has length 1. */
export interface SymmetricEigen {
  values: Float64Array
  vectors: Float64Array
}

/** Eigenvalues and eigenvectors of a symmetric n × n matrix. Only its lower half is read. @internal */
export function symmetricEigen(matrix: ArrayLike<number>, n: number): SymmetricEigen {
  const a = Float64Array.from(matrix)
  const rows = identity(n)
  for (let k = 0; k + 2 < n; k++) reflect(a, rows, n, k)
  const d = Float64Array.from({ length: n }, (_, i) => a[i * n + i])
  const e = Float64Array.from({ length: n }, (_, i) => (i + 1 < n ? a[(i + 1) * n + i] : 0))
  implicitQl(d, e, rows, n)
  return sorted(d, rows, n)
}

/** Clears column k below the subdiagonal: A ← P·A·P and Q ← P·Q (rows of Q) with P = 1 − 2u·uᵀ. */
function reflect(a: Float64Array, q: Float64Array, n: number, k: number): void {
  const u = new Float64Array(n)
  let rest = 0
  for (let i = k + 1; i < n; i++) {
    u[i] = a[i * n + k]
    if (i > k + 1) rest = hypotenuse(rest, u[i])
  }
  if (rest === 0) return
  u[k + 1] += Math.sign(u[k + 1] || 1) * hypotenuse(u[k + 1], rest)
  const length = hypotenuse(u[k + 1], rest)
  for (let i = k + 1; i < n; i++) u[i] /= length
  fromLeft(a, u, n, k)
  fromLeft(q, u, n, k)
  for (let i = 0; i < n; i++) {
    let dot = 0
    for (let j = k + 1; j < n; j++) dot += a[i * n + j] * u[j]
    for (let j = k + 1; j < n; j++) a[i * n + j] -= 2 * dot * u[j]
  }
}

/** M ← (1 − 2u·uᵀ)·M, with u zero up to k */
function fromLeft(m: Float64Array, u: Float64Array, n: number, k: number): void {
  const dots = new Float64Array(n)
  for (let i = k + 1; i < n; i++) for (let j = 0; j < n; j++) dots[j] += u[i] * m[i * n + j]
  for (let i = k + 1; i < n; i++) for (let j = 0; j < n; j++) m[i * n + j] -= 2 * u[i] * dots[j]
}

/**
 * Diagonal d and subdiagonal e (e[i] beside d[i] and d[i + 1]) of a tridiagonal matrix; d becomes the eigenvalues. Row i
 * of `rows` (each `width` long) is rotated along with it, so that rows of the identity become the eigenvectors.
 * @internal
 */
export function implicitQl(d: Float64Array, e: Float64Array, rows: Float64Array, width: number): void {
  const n = d.length
  for (let l = 0; l < n; l++) {
    for (let turn = 0; turn < 60; turn++) {
      let m = l
      while (m + 1 < n && Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))) m++
      if (m === l) break
      sweep(d, e, rows, width, l, m)
    }
  }
}

/** One QL step with Wilkinson's shift on the block l..m. */
function sweep(d: Float64Array, e: Float64Array, rows: Float64Array, width: number, l: number, m: number): void {
  const half = (d[l + 1] - d[l]) / (2 * e[l])
  let g = d[m] - d[l] + e[l] / (half + Math.sign(half || 1) * hypotenuse(half, 1))
  let [s, c, p] = [1, 1, 0]
  for (let i = m - 1; i >= l; i--) {
    const f = s * e[i]
    const b = c * e[i]
    const r = hypotenuse(f, g)
    e[i + 1] = r
    if (r === 0) {
      d[i + 1] -= p
      e[m] = 0
      return
    }
    s = f / r
    c = g / r
    g = d[i + 1] - p
    const t = (d[i] - g) * s + 2 * c * b
    p = s * t
    d[i + 1] = g + p
    g = c * t - b
    turnRows(rows, width, i, c, s)
  }
  d[l] -= p
  e[l] = g
  e[m] = 0
}

function turnRows(rows: Float64Array, width: number, i: number, c: number, s: number): void {
  const [x, y] = [i * width, (i + 1) * width]
  for (let k = 0; k < width; k++) {
    const [a, b] = [rows[x + k], rows[y + k]]
    rows[x + k] = c * a - s * b
    rows[y + k] = s * a + c * b
  }
}

function sorted(d: Float64Array, rows: Float64Array, n: number): SymmetricEigen {
  const order = Array.from(d.keys()).sort((i, j) => d[i] - d[j])
  const vectors = new Float64Array(n * n)
  order.forEach((from, to) => {
    vectors.set(rows.subarray(from * n, (from + 1) * n), to * n)
  })
  return { values: Float64Array.from(order, (i) => d[i]), vectors }
}

/** √(x² + y²) without overflow or underflow on the way. */
function hypotenuse(x: number, y: number): number {
  const [a, b] = [Math.abs(x), Math.abs(y)]
  const largest = a > b ? a : b
  if (largest === 0) return 0
  const ratio = (a > b ? b : a) / largest
  return largest * Math.sqrt(1 + ratio * ratio)
}

/** The n × n identity, row-major. */
export function identity(n: number): Float64Array {
  const out = new Float64Array(n * n)
  for (let i = 0; i < n; i++) out[i * n + i] = 1
  return out
}
