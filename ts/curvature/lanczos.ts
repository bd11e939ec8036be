/** Both ends of a spectrum from products alone (Lanczos 1950), with full reorthogonalization. */

import { NonFiniteError, rangeError } from '../common/errors.js'
import { atLeast0, count, type Read, type Schema, seed } from '../common/options.js'
import { implicitQl } from '../common/symmetric-eigen.js'
import { dot, norm } from '../common/vector.js'
import { Generator } from '../random.js'

/** Options of the Lanczos iteration. */
export interface LanczosOptions {
  /** Number of eigenvalues to find at each end. Default 1. */
  k?: number
  /** Largest number of products. Default 100, and never more than there are dimensions. */
  iterations?: number
  /** Seed of the random start, a whole number. Default 0. */
  seed?: number
  /** Stop once the error bound of every wanted eigenvalue is below tolerance · max|λ|. Default 1e-8 (1e-4 in float32). */
  tolerance?: number
}

export const LANCZOS = {
  k: { is: count, default: 1 },
  iterations: { is: count },
  seed: { is: seed, default: 0 },
  tolerance: { is: atLeast0 },
} satisfies Schema<LanczosOptions>

/** @internal checked options, with defaults */
export type ReadLanczos = Read<LanczosOptions, typeof LANCZOS>

/** Both ends of a spectrum. Every value lies between the true smallest and largest eigenvalue. */
export interface Spectrum {
  /** The k largest eigenvalues, falling. */
  largest: Float64Array
  /** The k smallest (most negative) eigenvalues, rising. */
  smallest: Float64Array
  /** Error bounds of `largest`: the distance to an eigenvalue is at most this. */
  largestErrors: Float64Array
  smallestErrors: Float64Array
  /** Products that were computed. */
  iterations: number
  /** True if all error bounds met the tolerance. */
  converged: boolean
}

interface Krylov {
  basis: Float64Array[]
  alpha: number[]
  /** beta[i] couples basis[i] and basis[i + 1]. */
  beta: number[]
  generator: Generator
  /** The space of the random start was exhausted: only a new start finds further copies of repeated eigenvalues. */
  restarted: boolean
}

/**
 * Lanczos on a symmetric operator over vectors of n numbers. Repeated eigenvalues: when a start vector is exhausted, the search continues with
 * another one, so that within n iterations every copy is found; before that, copies may be missed.
 *
 * @throws RangeError for bad options, NonFiniteError if a product is NaN or infinite
 * @internal
 */
export function lanczos(product: (v: Float64Array) => ArrayLike<number>, n: number, options: Required<LanczosOptions>): Spectrum {
  if (options.iterations < options.k)
    throw rangeError(`largestEigenvalues: iterations wants a whole number of at least k = ${options.k}, got ${options.iterations}`)
  const most = Math.min(n, options.iterations)
  const k = Math.min(options.k, n)
  const state: Krylov = { basis: [], alpha: [], beta: [], generator: new Generator(options.seed), restarted: false }
  state.basis.push(freshDirection(state, n))
  for (let i = 1; ; i++) {
    extend(state, product, n, i < most)
    if (i !== most && (i < 2 * k || i % 4 !== 0 || state.restarted)) continue
    const found = ends(state, k, n, options.tolerance)
    if (i === most || found.converged) return found
  }
}

/** w = A·q − its part in the basis; adds alpha, beta and, if `more`, the next basis vector. */
function extend(state: Krylov, product: (v: Float64Array) => ArrayLike<number>, n: number, more: boolean): void {
  const { basis, alpha, beta } = state
  const q = basis[basis.length - 1]
  const w = Float64Array.from(product(q))
  const size = norm(w)
  if (!Number.isFinite(size)) throw new NonFiniteError('largestEigenvalues: a product with the Hessian is NaN or infinite')
  alpha.push(dot(q, w))
  orthogonalize(w, basis)
  let b = norm(w)
  if (b <= 1e-14 * Math.max(size, spread(state))) b = 0
  beta.push(b)
  if (!more) return
  if (b > 0) basis.push(w.map((x) => x / b))
  else {
    state.restarted = true
    basis.push(freshDirection(state, n))
  }
}

function spread({ alpha, beta }: Krylov): number {
  return Math.max(...alpha.map(Math.abs), ...beta, 0)
}

/** A random unit vector at right angles to the basis. */
function freshDirection({ basis, generator }: Krylov, n: number): Float64Array {
  const v = generator.uniforms(n).map((u) => u - 0.5)
  orthogonalize(v, basis)
  const length = norm(v)
  return v.map((x) => x / length)
}

/** Orthogonalises twice, which is enough (Parlett). */
function orthogonalize(w: Float64Array, basis: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass++) {
    for (const q of basis) {
      const part = dot(q, w)
      for (let i = 0; i < w.length; i++) w[i] -= part * q[i]
    }
  }
}

/** Eigenvalues of the tridiagonal matrix; the last element of each eigenvector times the last beta bounds its error. */
function ends({ alpha, beta }: Krylov, k: number, n: number, tolerance: number): Spectrum {
  const m = alpha.length
  const d = Float64Array.from(alpha)
  const e = Float64Array.from(beta)
  const last = new Float64Array(m)
  last[m - 1] = 1
  const left = m === n ? 0 : beta[m - 1]
  e[m - 1] = 0
  implicitQl(d, e, last, 1)
  const rising = Array.from(d.keys()).sort((i, j) => d[i] - d[j])
  const low = rising.slice(0, k)
  const high = rising.slice(-k).reverse()
  const errors = (indices: number[]) => Float64Array.from(indices, (i) => Math.abs(left * last[i]))
  const [largestErrors, smallestErrors] = [errors(high), errors(low)]
  const allowed = tolerance * Math.max(Math.abs(d[low[0]]), Math.abs(d[high[0]]))
  return {
    largest: Float64Array.from(high, (i) => d[i]),
    smallest: Float64Array.from(low, (i) => d[i]),
    largestErrors,
    smallestErrors,
    iterations: m,
    converged: [...largestErrors, ...smallestErrors].every((error) => error <= allowed),
  }
}
