/** Curve fitting: parameters of a model with their standard errors. */

import { cholesky, inverseCholesky } from '../../backend/js/normal-equations.js'
import { rangeError, typeError } from '../../common/errors.js'
import { anything, flag, readOptions, type Schema } from '../../common/options.js'
import { show } from '../../common/show.js'
import type { BoundOptions } from '../box.js'
import { checkNumbers } from '../start.js'
import { fittedLeastSquares, type LeastSquaresResult } from './least-squares.js'
import { LEAST_SQUARES, type LeastSquaresOptions } from './options.js'

/** A model of y at one x; x is a number, or a row of numbers for several variables. */
export type CurveModel<X> = (x: X, parameters: Float64Array) => number

/**
 * Options of {@link fitCurve}. If `initialDamping` (default then 1e-8) or `scaling` (default then `marquardt`) is given, the fit uses a damping, as
 * `levenbergMarquardt`, instead of a trust region.
 */
export interface FitCurveOptions<X = number> extends Omit<LeastSquaresOptions, 'jacobian'> {
  /** Initial parameters; their number is the number of parameters. */
  initial: ArrayLike<number>
  /** ∂model/∂parameters at one x. Default: central differences. */
  jacobian?: (x: X, parameters: Float64Array) => ArrayLike<number>
  /** Standard deviation of each y, or of all: residuals are divided by it. Default 1. */
  sigma?: number | ArrayLike<number>
  /** True if `sigma` holds absolute values. If false, only its proportions count, and the scatter of the residuals determines the size. Default false. */
  absoluteSigma?: boolean
  /** Set false if you need only the parameters: `covariance`, `errors`, `gradient` and `normalMatrix` then stay empty. Default true. */
  covariance?: boolean
}

export const FIT_CURVE = {
  ...LEAST_SQUARES,
  initial: { is: anything, aka: ['p0'] },
  sigma: { is: anything, default: 1 },
  absoluteSigma: { is: flag, default: false },
  covariance: { is: flag, default: true },
} satisfies Schema<FitCurveOptions>

/** Result of {@link fitCurve}. */
export interface CurveFit extends LeastSquaresResult {
  parameters: Float64Array
  /** Standard errors of the parameters, the roots of the covariance's diagonal; Infinity if it is singular. */
  errors: Float64Array
  /** Covariance of the parameters, n rows. */
  covariance: Float64Array[]
  /** Root mean square of model − y, unweighted. */
  rms: number
  /** 1 − Σ(model − y)² / Σ(y − ȳ)²; if all y are equal, 1 if the model is exact and else 0, as in `r2Score` */
  rSquared: number
}

/**
 * Fits y ≈ model(x, p) by weighted least squares, by Levenberg-Marquardt with a trust region in scaled variables (Moré 1978, the method of MINPACK),
 * so that parameters may have any units:
 *
 *     min ½·Σ ((model(xᵢ, p) − yᵢ) / σᵢ)²,   covariance = s²·(JᵀJ)⁻¹,  s² = Σ rᵢ² / (m − n), or 1 with absoluteSigma
 *
 * Bounds (`lower`, `upper`) keep the parameters where the model is defined; equal bounds fix a parameter, and its covariance is 0. For parameters
 * that end at a bound, standard errors are computed as without the bound.
 *
 * From both starts of all 27 problems of NIST's Statistical Reference Datasets it ends in the certified solution, to four digits or more. If the
 * model no longer depends on a parameter, the reason is `singular`, and it has not converged: start nearer, or give bounds.
 *
 * @throws RangeError if x, y and sigma differ in length, for fewer points than parameters, or a bad option; errors of the model at the start
 * @example
 * const { parameters, errors } = fitCurve((x, [a, b]) => a * Math.exp(-b * x), [0, 1, 2, 3], [2, 1.2, 0.75, 0.44], { initial: [1, 1] })
 */
export function fitCurve<X = number>(model: CurveModel<X>, x: ArrayLike<X>, y: ArrayLike<number>, given: FitCurveOptions<X>): CurveFit {
  const options = readOptions('fitCurve', given, FIT_CURVE)
  const { initial, jacobian, sigma, absoluteSigma, covariance } = options
  checkData(model, x, y)
  const weights = weightsOf(x.length, y.length, initial?.length, sigma)
  // The solver copies its input, so one array serves all calls.
  const r = new Float64Array(weights.length)
  const residuals = (p: Float64Array) => {
    for (let i = 0; i < r.length; i++) r[i] = weights[i] * (model(x[i], p) - y[i])
    return r
  }
  const n = initial.length
  const own = { jacobian: jacobian && weightedRows(x, jacobian, weights, n), ...USUAL, valueOnly: !covariance }
  const result = fittedLeastSquares('fitCurve', residuals, initial, options, own) as CurveFit
  if (result.iterations === 0 && result.reason === 'not-finite') checkAnswer(model(x[0], Float64Array.from(initial)))
  const free = covariance ? freeOf(n, options) : []
  const freedom = y.length - free.length
  const scale = absoluteSigma ? 1 : freedom > 0 ? (2 * result.value) / freedom : Number.POSITIVE_INFINITY
  result.parameters = result.x
  result.covariance = covariance ? covarianceOf(result.normalMatrix, n, free, scale) : []
  result.errors = new Float64Array(result.covariance.length)
  for (let i = 0; i < result.errors.length; i++) result.errors[i] = Math.sqrt(result.covariance[i][i])
  addGoodnessOfFit(result, weights, y)
  return result
}

/** Parameters of a model have different units, so the damping is relative to each parameter's influence. */
const USUAL = { initialDamping: 1e-8, scaling: 'marquardt' } as const

/** The Jacobian of the residuals, row-major. */
function weightedRows<X>(
  x: ArrayLike<X>,
  jacobian: (x: X, parameters: Float64Array) => ArrayLike<number>,
  weights: Float64Array,
  n: number,
): (p: Float64Array) => ArrayLike<number> {
  return (p) => {
    const out: number[] = []
    for (let i = 0; i < weights.length; i++) {
      const slopes = jacobian(x[i], p)
      if (slopes.length !== n) throw rangeError(`fitCurve: jacobian wants to return ${n} numbers, got ${slopes.length}`)
      for (let j = 0; j < n; j++) out.push(weights[i] * slopes[j])
    }
    return out
  }
}

function weightsOf(nx: number, ny: number, parameters: number | undefined, sigma: number | ArrayLike<number>): Float64Array {
  if (!(Number(parameters) > 0)) throw rangeError('fitCurve: initial wants a number for each parameter')
  if (nx !== ny) throw rangeError(`fitCurve: ${nx} values of x and ${ny} of y`)
  if (ny < Number(parameters)) throw rangeError(`fitCurve: ${ny} points cannot tell ${parameters} parameters`)
  if (typeof sigma !== 'number' && sigma.length !== ny) throw rangeError(`fitCurve: ${sigma.length} values of sigma for ${ny} points`)
  const weights = new Float64Array(ny)
  for (let i = 0; i < ny; i++) {
    const w = 1 / (typeof sigma === 'number' ? sigma : sigma[i])
    if (!(w > 0 && w < Number.POSITIVE_INFINITY)) throw rangeError('fitCurve: every sigma wants a finite number above 0')
    weights[i] = w
  }
  return weights
}

/** @throws TypeError, RangeError */
function checkData<X>(model: CurveModel<X>, x: ArrayLike<X>, y: ArrayLike<number>): void {
  if (typeof model !== 'function') throw typeError(`fitCurve: the model wants a function, got ${show(model)}`)
  if (typeof x?.length !== 'number' || typeof y?.length !== 'number') throw typeError('fitCurve: x and y want arrays')
  for (let i = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i])) wrongPoint('y', y, i)
    if (typeof x[i] === 'number' && !Number.isFinite(x[i])) wrongPoint('x', x as ArrayLike<number>, i)
  }
}

function wrongPoint(name: string, values: ArrayLike<number>, i: number): never {
  checkNumbers(`fitCurve: ${name}`, values)
  throw rangeError(`fitCurve: ${name}[${i}] is ${values[i]}: leave such points out`)
}

function checkAnswer(answer: unknown): void {
  if (typeof answer !== 'number') throw typeError(`fitCurve: the model wants to return a number, got ${show(answer)}`)
}

/** Parameters whose bounds are not equal. */
function freeOf(n: number, { lower, upper }: BoundOptions): number[] {
  const at = (bound: number | ArrayLike<number> | undefined, i: number) => (typeof bound === 'object' ? bound[i] : bound)
  const all = Array.from({ length: n }, (_, i) => i)
  return lower === undefined || upper === undefined ? all : all.filter((i) => at(lower, i) !== at(upper, i))
}

/**
 * scale·H⁻¹ over the free parameters, zeros for the others; infinite if H is singular, NaN if it is not known. H is first scaled to unit diagonal, so
 * that units of parameters do not matter.
 */
function covarianceOf(h: Float64Array, n: number, free: readonly number[], scale: number): Float64Array[] {
  const m = free.length
  const d = free.map((i) => 1 / Math.sqrt(h[i * n + i]))
  const unit = new Float64Array(m * m)
  for (let i = 0; i < m; i++) for (let j = 0; j < m; j++) unit[i * m + j] = h[free[i] * n + free[j]] * d[i] * d[j]
  const l = new Float64Array(m * m)
  const inverse = cholesky(unit, m, 0, null, l) && !isSingular(l, m) ? inverseCholesky(l, m) : null
  const none = h.some(Number.isNaN) ? Number.NaN : Number.POSITIVE_INFINITY
  const rows = Array.from({ length: n }, () => new Float64Array(n))
  for (let i = 0; i < m; i++)
    for (let j = 0; j < m; j++) rows[free[i]][free[j]] = inverse === null ? none : scale * inverse[i * m + j] * d[i] * d[j]
  return rows
}

/** True if a pivot is zero to rounding, relative to the unit diagonal; the factor's diagonal holds 1 / Lᵢᵢ. */
function isSingular(l: Float64Array, n: number): boolean {
  const largest = 1 / (16 * n * Number.EPSILON)
  for (let i = 0; i < n; i++) if (l[i * n + i] ** 2 > largest) return true
  return false
}

/** Adds rms and rSquared. */
function addGoodnessOfFit(fit: CurveFit, weights: Float64Array, y: ArrayLike<number>): void {
  const { residuals } = fit
  // starts at the first number, so that the mean of equal numbers is that number
  let mean = y[0]
  for (let i = 0; i < y.length; i++) mean += (y[i] - y[0]) / y.length
  let left = 0
  let total = 0
  for (let i = 0; i < y.length; i++) {
    left += (residuals[i] / weights[i]) ** 2
    total += (y[i] - mean) ** 2
  }
  fit.rms = Math.sqrt(left / y.length)
  fit.rSquared = total > 0 ? 1 - left / total : Number(left === 0)
}
