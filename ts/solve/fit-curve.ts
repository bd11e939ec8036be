/** Curve fitting: parameters of a model with their standard errors. */

import { cholesky, inverseCholesky } from '../backend/js/normal.js'
import { type LeastSquaresOptions, type LeastSquaresResult, levenbergMarquardt } from './least-squares.js'

/** A model of y at one x; x is a number, or a row of numbers where there are several variables. */
export type CurveModel<X> = (x: X, parameters: Float64Array) => number

/** Options of {@link fitCurve}. */
export interface FitCurveOptions<X = number> extends Omit<LeastSquaresOptions, 'jacobian'> {
  /** Where the parameters start; their number says how many there are. */
  initial: ArrayLike<number>
  /** ∂model/∂parameters at one x. Default: central differences. */
  jacobian?: (x: X, parameters: Float64Array) => ArrayLike<number>
  /** Standard deviation of each y, or of all: residuals are divided by it. Default 1. */
  sigma?: number | ArrayLike<number>
  /** true: `sigma` is exact. false: only its proportions count, the scatter of the residuals sets the size. Default false. */
  absoluteSigma?: boolean
}

/** Result of {@link fitCurve}. */
export interface CurveFit extends LeastSquaresResult {
  parameters: Float64Array
  /** Standard errors of the parameters, the roots of the covariance's diagonal; Infinity where it is singular. */
  errors: Float64Array
  /** Covariance of the parameters, n rows. */
  covariance: Float64Array[]
  /** Root mean square of model − y, unweighted. */
  rms: number
  /** 1 − Σ(model − y)² / Σ(y − ȳ)² */
  rSquared: number
}

/**
 * Fits y ≈ model(x, p) by weighted least squares with {@link levenbergMarquardt}:
 *
 *     min ½·Σ ((model(xᵢ, p) − yᵢ) / σᵢ)²,   covariance = s²·(JᵀJ)⁻¹,  s² = Σ rᵢ² / (m − n), or 1 with absoluteSigma
 *
 * @throws RangeError where x, y and sigma differ in length, for fewer points than parameters, or a bad option;
 *   what the model throws at the start
 * @example
 * const { parameters, errors } = fitCurve((x, [a, b]) => a * Math.exp(-b * x), [0, 1, 2, 3], [2, 1.2, 0.75, 0.44], { initial: [1, 1] })
 */
export function fitCurve<X = number>(model: CurveModel<X>, x: ArrayLike<X>, y: ArrayLike<number>, options: FitCurveOptions<X>): CurveFit {
  const { initial, jacobian, sigma = 1, absoluteSigma = false, ...rest } = options
  const weights = weightsOf(x.length, y.length, initial?.length, sigma)
  const residuals = (p: Float64Array) => {
    const r = new Float64Array(weights.length)
    for (let i = 0; i < r.length; i++) r[i] = weights[i] * (model(x[i], p) - y[i])
    return r
  }
  const rows = (p: Float64Array) => Array.from(weights, (w, i) => Array.from(jacobian!(x[i], p), (slope) => w * slope))
  const result = levenbergMarquardt(residuals, initial, { ...rest, jacobian: jacobian && rows })
  const freedom = y.length - initial.length
  const scale = absoluteSigma ? 1 : freedom > 0 ? (2 * result.value) / freedom : Number.POSITIVE_INFINITY
  const covariance = covarianceOf(result.normalMatrix, initial.length, scale)
  return {
    ...result,
    parameters: result.x,
    covariance,
    errors: Float64Array.from(covariance, (row, i) => Math.sqrt(row[i])),
    ...quality(result.residuals, weights, y),
  }
}

function weightsOf(nx: number, ny: number, parameters: number | undefined, sigma: number | ArrayLike<number>): Float64Array {
  if (!(Number(parameters) > 0)) throw new RangeError('fitCurve: initial must have a number for each parameter')
  if (nx !== ny) throw new RangeError(`fitCurve: ${nx} values of x and ${ny} of y`)
  if (ny < Number(parameters)) throw new RangeError(`fitCurve: ${ny} points cannot tell ${parameters} parameters`)
  if (typeof sigma !== 'number' && sigma.length !== ny) throw new RangeError(`fitCurve: ${sigma.length} values of sigma for ${ny} points`)
  const weights = Float64Array.from({ length: ny }, (_, i) => 1 / (typeof sigma === 'number' ? sigma : sigma[i]))
  if (weights.every((w) => w > 0 && Number.isFinite(w))) return weights
  throw new RangeError('fitCurve: every sigma must be a finite number above 0')
}

/** scale·H⁻¹; infinite where H is singular. Scaled to unit diagonal first, so that units of parameters do not matter. */
function covarianceOf(h: Float64Array, n: number, scale: number): Float64Array[] {
  const d = Float64Array.from({ length: n }, (_, i) => 1 / Math.sqrt(h[i * n + i]))
  const unit = h.map((value, at) => value * d[Math.floor(at / n)] * d[at % n])
  const l = new Float64Array(n * n)
  const regular = cholesky(unit, n, 0, null, l)
  const inverse = regular ? inverseCholesky(l, n) : new Float64Array(n * n).fill(Number.POSITIVE_INFINITY)
  return Array.from(d, (di, i) =>
    Float64Array.from(d, (dj, j) => (regular ? scale * inverse[i * n + j] * di * dj : Number.POSITIVE_INFINITY)),
  )
}

function quality(residuals: Float64Array, weights: Float64Array, y: ArrayLike<number>): { rms: number; rSquared: number } {
  let mean = 0
  for (let i = 0; i < y.length; i++) mean += y[i] / y.length
  let left = 0
  let total = 0
  for (let i = 0; i < y.length; i++) {
    left += (residuals[i] / weights[i]) ** 2
    total += (y[i] - mean) ** 2
  }
  return { rms: Math.sqrt(left / y.length), rSquared: 1 - left / total }
}
