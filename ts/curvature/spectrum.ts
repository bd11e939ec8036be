/** Eigenvalues of a Hessian, and its condition number. */
import { NonFiniteError, rangeError } from '../common/errors.js'
import { countFrom0, type Read, readOptions, type Schema } from '../common/options.js'
import { symmetricEigen } from '../common/symmetric-eigen.js'
import type { TensorLike } from '../tensor.js'
import { LANCZOS, type LanczosOptions, lanczos, type ReadLanczos, type Spectrum } from './lanczos.js'
import { type CurvatureFunction, type CurvaturePoint, withHessianAt } from './point.js'
import type { ParameterSource } from './transformation.js'

/**
 * The k largest and the k smallest eigenvalues of the Hessian, by Lanczos with full reorthogonalization: one
 * Hessian-vector product per iteration on a function that was recorded once, n·iterations numbers of memory. The largest
 * of a loss says how large a learning rate may be (gradient descent needs one below 2/λ).
 *
 * @param f of x; or a loss computed from parameters, with `at` a model or its parameters
 * @param at the point, in double precision if given as plain numbers (tensors inside f must then be of its backend)
 * @throws RangeError for bad options, ShapeError unless f returns a single number, NonFiniteError for NaN
 * @example
 * const { largest, smallest } = largestEigenvalues((x) => sum(mul([1, 5, -3], square(x))), [0, 0, 0])
 * // largest [10], smallest [-6]
 */
export function largestEigenvalues(f: CurvatureFunction, at: TensorLike | ParameterSource, options: LanczosOptions = {}): Spectrum {
  const read = readOptions('largestEigenvalues', options, LANCZOS)
  return withHessianAt(f, at, 'largestEigenvalues', (point) => spectrumOf(point, read))
}

/** @internal */
export function spectrumOf(point: CurvaturePoint, { k, iterations = Math.max(100, k), seed, tolerance }: ReadLanczos): Spectrum {
  const rough = point.gradient instanceof Float32Array
  return lanczos(point.product, point.size, { k, iterations, seed, tolerance: tolerance ?? (rough ? 1e-4 : 1e-8) })
}

/** Options of {@link conditionNumber} besides Lanczos' options. */
export interface ConditionOptions extends LanczosOptions {
  /** Up to this many numbers in x the Hessian is formed and all of its eigenvalues are found. Default 300. */
  exactLimit?: number
}

export const CONDITION_NUMBER = { ...LANCZOS, exactLimit: { is: countFrom0, default: 300 } } satisfies Schema<ConditionOptions>

/**
 * max|λ| / min|λ| over the eigenvalues of the Hessian: the ratio of length to width of the valley, and so the slowness of plain gradient descent.
 * Infinity if the Hessian is singular to rounding. Exact up to `exactLimit` numbers; beyond that by Lanczos, which finds a lower bound, exact once
 * converged.
 *
 * @throws RangeError beyond exactLimit for a Hessian that curves both ways: Lanczos does not find its smallest |λ|
 * @example
 * conditionNumber((x) => sum(mul([1, 100], square(x))), [0, 0]) // 100
 */
export function conditionNumber(f: CurvatureFunction, at: TensorLike | ParameterSource, options: ConditionOptions = {}): number {
  const read = readOptions('conditionNumber', options, CONDITION_NUMBER)
  return withHessianAt(f, at, 'conditionNumber', (point) => {
    const rounding = point.gradient instanceof Float32Array ? 1e-6 : 1e-14
    const sizes = Array.from(extremes(point, read), Math.abs)
    const [low, high] = [Math.min(...sizes), Math.max(...sizes)]
    return low <= rounding * high ? Number.POSITIVE_INFINITY : high / low
  })
}

function extremes(point: CurvaturePoint, options: Read<ConditionOptions, typeof CONDITION_NUMBER>): ArrayLike<number> {
  if (point.size <= options.exactLimit) return symmetricEigen(fullHessian(point), point.size).values
  const { largest, smallest } = spectrumOf(point, options)
  if (largest[0] > 0 && smallest[0] < 0)
    throw rangeError(
      `conditionNumber: the Hessian of ${point.size} numbers curves both ways (λ from ${smallest[0]} to ${largest[0]}); raise exactLimit to see its smallest |λ|`,
    )
  return [largest[0], smallest[0]]
}

/** The Hessian in doubles, made symmetric. @throws NonFiniteError @internal */
export function fullHessian({ size, product }: CurvaturePoint): Float64Array {
  const h = new Float64Array(size * size)
  const unit = new Float64Array(size)
  for (let i = 0; i < size; i++) {
    unit[i] = 1
    h.set(product(unit), i * size)
    unit[i] = 0
  }
  if (!h.every(Number.isFinite)) throw new NonFiniteError('the Hessian has entries that are NaN or infinite')
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) h[i * size + j] = h[j * size + i] = (h[i * size + j] + h[j * size + i]) / 2
  return h
}
