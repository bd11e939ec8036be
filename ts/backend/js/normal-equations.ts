/** Normal equations: JᵀJ and Jᵀr from a Jacobian stored by columns, and their solution by Cholesky. */

/**
 * H ← H + J·Jᵀ (row-major n×n, the lower triangle; some of the upper one too) for J stored as n rows of `stride` floats, one row per parameter, using
 * the first m floats of each row. Tiles of 3×3 dot products: six loads serve nine products.
 */
export function addGram(j: Float64Array, n: number, m: number, stride: number, h: Float64Array): void {
  let a = 0
  for (; a + 3 <= n; a += 3) for (let b = 0; b <= a; b += 3) tile(j, (a * stride) | 0, (b * stride) | 0, m, stride, h, (a * n + b) | 0, n)
  for (; a < n; a++) for (let b = 0; b <= a; b++) h[a * n + b] += dotAt(j, a * stride, b * stride, m)
}

/** Long, because it must be a single loop over local variables: a call that V8 does not inline would put each number on the heap. */
function tile(j: Float64Array, a: number, b: number, m: number, stride: number, h: Float64Array, at: number, n: number): void {
  const a1 = (a + stride) | 0
  const a2 = (a1 + stride) | 0
  const b1 = (b + stride) | 0
  const b2 = (b1 + stride) | 0
  let s00 = 0
  let s01 = 0
  let s02 = 0
  let s10 = 0
  let s11 = 0
  let s12 = 0
  let s20 = 0
  let s21 = 0
  let s22 = 0
  for (let i = 0; i < m; i++) {
    const y0 = j[b + i]
    const y1 = j[b1 + i]
    const y2 = j[b2 + i]
    const x0 = j[a + i]
    s00 += x0 * y0
    s01 += x0 * y1
    s02 += x0 * y2
    const x1 = j[a1 + i]
    s10 += x1 * y0
    s11 += x1 * y1
    s12 += x1 * y2
    const x2 = j[a2 + i]
    s20 += x2 * y0
    s21 += x2 * y1
    s22 += x2 * y2
  }
  h[at] += s00
  h[at + 1] += s01
  h[at + 2] += s02
  h[at + n] += s10
  h[at + n + 1] += s11
  h[at + n + 2] += s12
  h[at + 2 * n] += s20
  h[at + 2 * n + 1] += s21
  h[at + 2 * n + 2] += s22
}

function dotAt(j: Float64Array, a: number, b: number, m: number): number {
  let sum = 0
  for (let i = 0; i < m; i++) sum += j[a + i] * j[b + i]
  return sum
}

/** g ← g + J·r for J as in {@link addGram}. */
export function addProduct(j: Float64Array, n: number, m: number, stride: number, r: Float64Array, g: Float64Array): void {
  for (let a = 0, at = 0; a < n; a++, at += stride) {
    let sum = 0
    for (let i = 0; i < m; i++) sum += j[at + i] * r[i]
    g[a] += sum
  }
}

/**
 * Factors H + μ·diag(d) = L·Lᵀ from the lower triangle of H into the lower triangle of `l`; null for d means ones. Returns false if the matrix is not
 * positive definite (a pivot not above ε times its diagonal element).
 */
export function cholesky(h: Float64Array, n: number, mu: number, d: Float64Array | null, l: Float64Array): boolean {
  let i = 0
  for (; i + 2 <= n; i += 2) {
    eliminateTwo(h, l, i, n)
    if (!pivot(h, l, i, n, d === null ? mu : mu * d[i])) return false
    const next = (i + 1) * n
    l[next + i] = (h[next + i] - dotAt(l, next, i * n, i)) * l[i * n + i]
    if (!pivot(h, l, i + 1, n, d === null ? mu : mu * d[i + 1])) return false
  }
  if (i === n) return true
  for (let j = 0; j < i; j++) l[i * n + j] = (h[i * n + j] - dotAt(l, i * n, j * n, j)) * l[j * n + j]
  return pivot(h, l, i, n, d === null ? mu : mu * d[i])
}

/** Rows i and i + 1 of L up to column i. */
function eliminateTwo(h: Float64Array, l: Float64Array, i: number, n: number): void {
  const r0 = (i * n) | 0
  const r1 = (r0 + n) | 0
  for (let j = 0; j < i; j++) {
    const rj = (j * n) | 0
    let s0 = h[r0 + j]
    let s1 = h[r1 + j]
    for (let k = 0; k < j; k++) {
      const ljk = l[rj + k]
      s0 -= l[r0 + k] * ljk
      s1 -= l[r1 + k] * ljk
    }
    const inverse = l[rj + j]
    l[r0 + j] = s0 * inverse
    l[r1 + j] = s1 * inverse
  }
}

/** 1 / Lᵢᵢ on the diagonal: later steps then multiply instead of dividing. */
function pivot(h: Float64Array, l: Float64Array, i: number, n: number, shift: number): boolean {
  const at = i * n
  const diagonal = h[at + i] + shift
  const square = diagonal - dotAt(l, at, at, i)
  if (!(square > 1e-16 * diagonal && square < Number.POSITIVE_INFINITY)) return false
  l[at + i] = 1 / Math.sqrt(square)
  return true
}

/** x ← (L·Lᵀ)⁻¹·b for a factor of {@link cholesky}. x may be b. */
export function solveCholesky(l: Float64Array, n: number, b: Float64Array, x: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = b[i]
    for (let k = 0; k < i; k++) sum -= l[i * n + k] * x[k]
    x[i] = sum * l[i * n + i]
  }
  for (let i = n - 1; i >= 0; i--) {
    const xi = (x[i] *= l[i * n + i])
    for (let k = 0; k < i; k++) x[k] -= l[i * n + k] * xi
  }
}

/** The inverse (full, symmetric) of a matrix with the factor `l`. */
export function inverseCholesky(l: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    const column = inverse.subarray(i * n, i * n + n)
    column[i] = 1
    solveCholesky(l, n, column, column)
  }
  return inverse
}
