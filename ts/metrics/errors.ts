/** Less common metrics of numbers: relative errors and quantile errors. Only programs that import these metrics contain them. */
import { fraction, readOptions, type Schema } from '../common/options.js'
import type { TensorLike } from '../tensor.js'
import { meanOf } from './regression.js'
import { METRIC, type MetricOptions } from './values.js'

/** Lower limit of |target|: 2⁻⁵², as in scikit-learn. */
const LEAST = Number.EPSILON

/**
 * Mean of |prediction − target| / |target| over all elements: 0.1 is ten percent. Very large if a target is 0.
 *
 * @throws ShapeError unless there are as many targets as predictions
 * @example meanAbsolutePercentageError([90, 220], [100, 200]) // 0.1
 */
export function meanAbsolutePercentageError(prediction: TensorLike, target: TensorLike, options?: MetricOptions): number {
  return meanOf('meanAbsolutePercentageError', prediction, target, options, (p, t) => Math.abs(p - t) / Math.max(Math.abs(t), LEAST))
}

/** Options of {@link quantileError}. */
export interface QuantileErrorOptions extends MetricOptions {
  /** Above 0 and below 1: the share of targets that should be below their prediction. Default 0.5, the median. */
  quantile?: number
}

export const QUANTILE_ERROR = { ...METRIC, quantile: { is: fraction, default: 0.5 } } satisfies Schema<QuantileErrorOptions>

/**
 * The error of predictions of a quantile q (pinball loss), mean of max(q·d, (q − 1)·d) for d = target − prediction. At 0.5 half the mean
 * absolute error.
 *
 * @throws RangeError for a quantile outside (0, 1), ShapeError unless there are as many targets as predictions
 * @example quantileError([10, 10], [12, 9], { quantile: 0.9 }) // 0.95
 */
export function quantileError(prediction: TensorLike, target: TensorLike, options: QuantileErrorOptions = {}): number {
  const { quantile: q, ...others } = readOptions('quantileError', options, QUANTILE_ERROR)
  return meanOf('quantileError', prediction, target, others, (p, t) => Math.max(q * (t - p), (q - 1) * (t - p)))
}
