/**
 * Matrix products. Two loop orders cover the three layouts, each blocked so that a loaded value is used more than once:
 *
 * - `rowProduct` (NN and TN): rows of c gather multiples of rows of b, two rows by four steps of k at a time;
 * - `dotProduct` (NT): every element of c is a dot product of two rows, two rows of a by four rows of b at a time.
 *
 * Sums run over k in ascending order, and the bits of an element do not depend on its block.
 */
import type { FloatArray, Heap } from '../heap.js'
import type { Kernels } from '../kernels.js'
import { fillNumbers } from './few.js'
import { floatShift } from './shift.js'

export function gemmKernels(heap: Heap): Pick<Kernels, 'matmul' | 'matmulNT' | 'matmulTN'> {
  const shift = floatShift(heap)
  return {
    matmul(a, b, c, m, n, k, accumulate, _scratch) {
      rowProduct(heap.floats, a >>> shift, k, 1, b >>> shift, c >>> shift, m, n, k, accumulate !== 0)
    },
    matmulNT(a, b, c, m, n, k, accumulate, _scratch) {
      dotProduct(heap.floats, a >>> shift, b >>> shift, c >>> shift, m, n, k, accumulate !== 0)
    },
    matmulTN(a, b, c, m, n, k, accumulate, _scratch) {
      rowProduct(heap.floats, a >>> shift, 1, m, b >>> shift, c >>> shift, m, n, k, accumulate !== 0)
    },
  }
}

/** c[m,n] = A · b[k,n] (+ c), A[i,p] = f[a + i·aRow + p·aStep]; all positions are indices into f. */
function rowProduct(
  f: FloatArray,
  a: number,
  aRow: number,
  aStep: number,
  b: number,
  c: number,
  m: number,
  n: number,
  k: number,
  accumulate: boolean,
): void {
  if (!accumulate) fillNumbers(f, c, m * n, 0)
  const pairs = m & ~1
  const fours = k & ~3
  for (let i = 0; i < pairs; i += 2) {
    for (let p = 0; p < fours; p += 4) addFourToTwo(f, a + i * aRow + p * aStep, aRow, aStep, b + p * n, c + i * n, n)
    for (let p = fours; p < k; p++) {
      addOne(f, f[a + i * aRow + p * aStep], b + p * n, c + i * n, n)
      addOne(f, f[a + (i + 1) * aRow + p * aStep], b + p * n, c + (i + 1) * n, n)
    }
  }
  if (pairs === m) return
  for (let p = 0; p < fours; p += 4) addFour(f, a + pairs * aRow + p * aStep, aStep, b + p * n, c + pairs * n, n)
  for (let p = fours; p < k; p++) addOne(f, f[a + pairs * aRow + p * aStep], b + p * n, c + pairs * n, n)
}

/** c[0…1,n] += A[0…1,0…3] · b[0…3,n] */
// biome-ignore format: a tile reads best as a table
function addFourToTwo(f: FloatArray, a: number, aRow: number, aStep: number, b: number, c: number, n: number): void {
  const d = a + aRow
  const a0 = f[a], a1 = f[a + aStep], a2 = f[a + 2 * aStep], a3 = f[a + 3 * aStep]
  const d0 = f[d], d1 = f[d + aStep], d2 = f[d + 2 * aStep], d3 = f[d + 3 * aStep]
  const b1 = b + n, b2 = b1 + n, b3 = b2 + n, e = c + n
  for (let j = 0; j < n; j++) {
    const x0 = f[b + j], x1 = f[b1 + j], x2 = f[b2 + j], x3 = f[b3 + j]
    f[c + j] = f[c + j] + a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
    f[e + j] = f[e + j] + d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3
  }
}

/** c[n] += A[0,0…3] · b[0…3,n] */
// biome-ignore format: a tile reads best as a table
function addFour(f: FloatArray, a: number, aStep: number, b: number, c: number, n: number): void {
  const a0 = f[a], a1 = f[a + aStep], a2 = f[a + 2 * aStep], a3 = f[a + 3 * aStep]
  const b1 = b + n, b2 = b1 + n, b3 = b2 + n
  for (let j = 0; j < n; j++) f[c + j] = f[c + j] + a0 * f[b + j] + a1 * f[b1 + j] + a2 * f[b2 + j] + a3 * f[b3 + j]
}

/** c[n] += a · b[n] */
function addOne(f: FloatArray, a: number, b: number, c: number, n: number): void {
  for (let j = 0; j < n; j++) f[c + j] += a * f[b + j]
}

/** c[m,n] = a[m,k] · b[n,k]ᵀ (+ c) */
function dotProduct(f: FloatArray, a: number, b: number, c: number, m: number, n: number, k: number, accumulate: boolean): void {
  if (!accumulate) fillNumbers(f, c, m * n, 0)
  const pairs = m & ~1
  const fours = n & ~3
  for (let i = 0; i < pairs; i += 2) {
    for (let j = 0; j < fours; j += 4) addDots(f, a + i * k, b + j * k, c + i * n + j, n, k)
    for (let j = fours; j < n; j++) {
      addDot(f, a + i * k, b + j * k, c + i * n + j, k)
      addDot(f, a + (i + 1) * k, b + j * k, c + (i + 1) * n + j, k)
    }
  }
  if (pairs < m) for (let j = 0; j < n; j++) addDot(f, a + pairs * k, b + j * k, c + pairs * n + j, k)
}

/** c[0…1,0…3] += a[0…1,k] · b[0…3,k]ᵀ */
// biome-ignore format: a tile reads best as a table
function addDots(f: FloatArray, a0: number, b0: number, c: number, n: number, k: number): void {
  const a1 = a0 + k, b1 = b0 + k, b2 = b1 + k, b3 = b2 + k
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0
  let t0 = 0, t1 = 0, t2 = 0, t3 = 0
  for (let p = 0; p < k; p++) {
    const x = f[a0 + p], y = f[a1 + p]
    const u = f[b0 + p], v = f[b1 + p], w = f[b2 + p], z = f[b3 + p]
    s0 += x * u; s1 += x * v; s2 += x * w; s3 += x * z
    t0 += y * u; t1 += y * v; t2 += y * w; t3 += y * z
  }
  const d = c + n
  f[c] += s0; f[c + 1] += s1; f[c + 2] += s2; f[c + 3] += s3
  f[d] += t0; f[d + 1] += t1; f[d + 2] += t2; f[d + 3] += t3
}

/** c[0] += a[k] · b[k] */
function addDot(f: FloatArray, a: number, b: number, c: number, k: number): void {
  let sum = 0
  for (let p = 0; p < k; p++) sum += f[a + p] * f[b + p]
  f[c] += sum
}
