/**
 * Double precision beside any backend: the kernels that second-order methods need, and room for their numbers in the same
 * memory.
 *
 * Normal equations square the condition number of a problem, so single precision would lose all digits before such a method has converged.
 * What these methods compute most is here: JᵀJ, Cholesky factors, small dense nets with their Jacobians. The WebAssembly modules
 * export all of it (crate/double/), ts/backend/js/double.ts is the readable twin. Everything else in double precision
 * (differentiation of any function, eigenvalues, line searches, L-BFGS) is bound by the user's function or small, and runs
 * in JavaScript.
 *
 * A pointer is a byte offset, a multiple of 8; outputs never overlap inputs. Matrices over rows of data are unit-major: all
 * `count` rows of one unit lie side by side.
 */
import { type Backend, defaultBackend } from './index.js'
import { createJsDoubleKernels } from './js/double.js'
import type { Ptr } from './kernels.js'
import { DOUBLES } from './wasm/parts.js'

/** Every kernel in double precision. */
export interface DoubleKernels {
  /** H[n,n] ← H + J·Jᵀ, the lower triangle; J is n rows of m numbers, `stride` apart */
  doubleGram(j: Ptr, n: number, m: number, stride: number, h: Ptr): void
  /** g[n] ← g + J·r, J as above */
  doubleProduct(j: Ptr, n: number, m: number, stride: number, r: Ptr, g: Ptr): void
  /**
   * H + μ·diag(d) = L·Lᵀ, both n × n and only their lower triangles read or written; L holds 1 / Lᵢᵢ on its diagonal. `d`
   * is optional, ones. 1, or 0 where the matrix is not positive definite (a pivot within 1e-16 of its diagonal element).
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

const tables = new WeakMap<Backend, DoubleKernels>()

/** The kernels in double precision over the memory of a backend, whatever the precision of its tensors. */
export function doubleKernels(backend: Backend): DoubleKernels {
  let table = tables.get(backend)
  if (!table) {
    table = (backend.part(DOUBLES) as DoubleKernels | undefined) ?? createJsDoubleKernels(backend.heap)
    tables.set(backend, table)
  }
  return table
}

/**
 * Where the arithmetic of a solver runs: on the backend of its model. Tensors in double precision exist in JavaScript only, and
 * for them it is the default backend, so that their owner, too, gets WebAssembly unless it was declined for everything.
 */
export function doubleHome(backend: Backend = defaultBackend()): Backend {
  return backend.name === 'js' && backend.dtype === 'float64' ? defaultBackend() : backend
}

/** Blocks of doubles in the memory of a backend, given back together. */
export class DoubleRoom {
  readonly kernels: DoubleKernels
  private readonly blocks: Ptr[] = []

  constructor(readonly backend: Backend) {
    this.kernels = doubleKernels(backend)
  }

  /** n zeros. */
  take(n: number): Ptr {
    const ptr = this.backend.heap.allocate(8 * n)
    this.blocks.push(ptr)
    return ptr
  }

  /** A block with these numbers. */
  put(values: Float64Array): Ptr {
    const ptr = this.take(values.length)
    this.view(ptr, values.length).set(values)
    return ptr
  }

  /** The n doubles at ptr; valid until something is allocated on the backend. */
  view(ptr: Ptr, n: number): Float64Array {
    return this.backend.heap.doubles.subarray(ptr / 8, ptr / 8 + n)
  }

  /** Every block goes back. */
  release(): void {
    for (const ptr of this.blocks.splice(0)) this.backend.heap.free(ptr)
  }
}
