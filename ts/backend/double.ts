/**
 * Double precision in addition to any backend: the kernels that second-order methods need, and memory for their numbers.
 *
 * Normal equations square the condition number of a problem, so single precision would lose all digits before such a method has converged. Their most
 * expensive computations are here: JᵀJ, Cholesky factors, small dense nets with their Jacobians. The WebAssembly modules export all of it
 * (crate/double/), ts/backend/js/double.ts is the readable twin. Everything else in double precision (differentiation of any function, eigenvalues,
 * line searches, L-BFGS) is either dominated by the user's function or small, and runs in JavaScript.
 */

import type { DoubleKernels } from './double-kernels.js'
import { type Backend, defaultBackend } from './index.js'
import { createJsDoubleKernels } from './js/double.js'
import type { Ptr } from './kernels.js'
import { DOUBLES } from './wasm/parts.js'

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
 * The backend for the arithmetic of a solver: the backend of its model. Tensors in double precision exist in JavaScript only; their solvers use the
 * default backend, so that they, too, use WebAssembly unless the program has chosen JavaScript for everything.
 */
export function doubleHome(backend: Backend = defaultBackend()): Backend {
  return backend.name === 'js' && backend.dtype === 'float64' ? defaultBackend() : backend
}

/** Blocks of doubles in the memory of a backend, given back together. */
export class DoubleWorkspace {
  readonly kernels: DoubleKernels
  private readonly blocks: Ptr[] = []

  constructor(readonly backend: Backend) {
    this.kernels = doubleKernels(backend)
  }

  /** Allocates n zeros. */
  take(n: number): Ptr {
    const ptr = this.backend.heap.allocate(8 * n)
    this.blocks.push(ptr)
    return ptr
  }

  /** Allocates a block with these numbers. */
  put(values: Float64Array): Ptr {
    const ptr = this.take(values.length)
    this.view(ptr, values.length).set(values)
    return ptr
  }

  /** The n doubles at ptr; valid until something is allocated on the backend. */
  view(ptr: Ptr, n: number): Float64Array {
    return this.backend.heap.doubles.subarray(ptr / 8, ptr / 8 + n)
  }

  /** Frees every block. */
  release(): void {
    for (const ptr of this.blocks.splice(0)) this.backend.heap.free(ptr)
  }
}
