/**
 * The contract of the kernels in double precision: crate/double/ in WebAssembly and ts/backend/js/double.ts keep it.
 *
 * A pointer is a byte offset, a multiple of 8; outputs never overlap inputs. Matrices over rows of data are unit-major: all
 * `count` rows of one unit lie side by side.
 */
import type { Ptr } from './kernels.js'

/** Every kernel in double precision. */
export interface DoubleKernels {
  /** H[n,n] ← H + J·Jᵀ, the lower triangle; J is n rows of m numbers, `stride` apart */
  doubleGram(j: Ptr, n: number, m: number, stride: number, h: Ptr): void
  /** g[n] ← g + J·r, J as above */
  doubleProduct(j: Ptr, n: number, m: number, stride: number, r: Ptr, g: Ptr): void
  /**
   * H + μ·diag(d) = L·Lᵀ, both n × n and only their lower triangles read or written; L holds 1 / Lᵢᵢ on its diagonal. `d` is optional (default ones).
   * Returns 1, or 0 if the matrix is not positive definite (a pivot within 1e-16 of its diagonal element).
   */
  doubleCholesky(h: Ptr, n: number, mu: number, d: Ptr, l: Ptr): number
  /** x[n] ← (L·Lᵀ)⁻¹·x */
  doubleSolve(l: Ptr, n: number, x: Ptr): void
  /** y[u,r] = b[u] + Σₜ w[u·byUnit + t·byTerm]·a[t,r]; `b` optional */
  doubleAffine(w: Ptr, byUnit: number, byTerm: number, b: Ptr, a: Ptr, y: Ptr, units: number, terms: number, count: number): void
  /** out[(i·step + j)·stride + r] = a[i,r]·delta[j,r] for i < inputs, j < units, r < count */
  doubleColumns(a: Ptr, delta: Ptr, out: Ptr, inputs: number, units: number, step: number, count: number, stride: number): void
  /** out[i] = x[i]·y[i] */
  doubleMultiply(x: Ptr, y: Ptr, out: Ptr, n: number): void
  /** r[i] = y[i] − t[i]; Σ r[i]² */
  doubleResidual(y: Ptr, t: Ptr, r: Ptr, n: number): number
  /** a[i] = tanh z[i], or 1 / (1 + exp(−z[i])) for sigmoid = 1 */
  doubleSquash(z: Ptr, a: Ptr, n: number, sigmoid: number): void
  /** d[i] = 1 − a[i]², or a[i]·(1 − a[i]) for sigmoid = 1 */
  doubleSquashSlope(a: Ptr, d: Ptr, n: number, sigmoid: number): void
}
