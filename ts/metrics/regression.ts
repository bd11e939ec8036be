/** Metrics of numbers. */
import { ShapeError } from '../common/errors.js'
import { checkOptions } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { asTensor, type TensorLike } from '../tensor.js'
import { METRIC, type MetricOptions, valuesOf, weightOf } from './values.js'

/**
 * Mean of |prediction − target| over all elements.
 *
 * @throws ShapeError unless there are as many targets as predictions
 * @example
 * meanAbsoluteError(tensor([1, 2]), [1, 4]) // 1
 * meanAbsoluteError([1, 2], [1, 4], { weights: [3, 1] }) // 0.5
 */
export function meanAbsoluteError(prediction: TensorLike, target: TensorLike, options?: MetricOptions): number {
  return meanOf('meanAbsoluteError', prediction, target, options, (p, t) => Math.abs(p - t))
}

/**
 * Root of the mean of (prediction − target)² over all elements.
 *
 * @throws ShapeError unless there are as many targets as predictions
 * @example rootMeanSquaredError(tensor([1, 2]), [1, 4]) // 1.414214
 */
export function rootMeanSquaredError(prediction: TensorLike, target: TensorLike, options?: MetricOptions): number {
  return Math.sqrt(meanOf('rootMeanSquaredError', prediction, target, options, square))
}

/**
 * Mean of (prediction − target)² over all elements.
 *
 * @throws ShapeError unless there are as many targets as predictions
 * @example meanSquaredError(tensor([1, 2]), [1, 4]) // 2
 */
export function meanSquaredError(prediction: TensorLike, target: TensorLike, options?: MetricOptions): number {
  return meanOf('meanSquaredError', prediction, target, options, square)
}

function square(p: number, t: number): number {
  return (p - t) * (p - t)
}

/** @internal the mean over all elements of a function of prediction and target, rows by their weights */
export function meanOf(
  who: string,
  prediction: TensorLike,
  target: TensorLike,
  options: MetricOptions = {},
  f: (prediction: number, target: number) => number,
): number {
  const predicted = asTensor(prediction, undefined, `${who}: prediction`)
  const [p, t] = [predicted.read(), valuesOf(target, who, predicted)]
  const rows = predicted.shape[0] ?? 1
  const weight = weightOf(who, checkOptions(who, options, METRIC).weights, rows)
  let [sum, total] = [0, 0]
  for (let i = 0; i < p.length; i++) {
    const w = weight(Math.floor((i * rows) / p.length))
    sum += w * f(p[i], t[i])
    total += w
  }
  return sum / total
}

/**
 * R², the share of the targets' variance that predictions explain: 1 − Σ(t − p)² / Σ(t − t̄)². 1 is perfect, 0 is the score of predicting the mean,
 * negative values are worse. For several columns it is their mean. A column of equal targets gives 1 if all predictions are exact, else 0.
 *
 * @param prediction numbers [n] or [n, columns]
 * @param target numbers of the same shape
 * @example r2Score([2.5, 0, 2, 8], [3, -0.5, 2, 7]) // 0.948608
 * @throws ShapeError unless both have the same rows and columns
 */
export function r2Score(prediction: TensorLike, target: TensorLike, { weights }: MetricOptions = {}): number {
  const p = asTensor(prediction, undefined, 'r2Score: prediction')
  const t = asTensor(target, undefined, 'r2Score: target')
  const [rows = 0] = t.shape
  if (rows === 0 || p.size !== t.size || p.shape[0] !== rows)
    throw new ShapeError(`r2Score: wants predictions and targets of one shape, got ${formatShape(p.shape)} and ${formatShape(t.shape)}`)
  const columns = t.size / rows
  const weight = weightOf('r2Score', weights, rows)
  const [guesses, truths] = [p.read(), t.read()]
  let total = 0
  for (let c = 0; c < columns; c++) {
    let [mean, all, residual, spread] = [0, 0, 0, 0]
    // relative to the first target, so that rounding does not change the mean of equal targets
    for (let r = 0; r < rows; r++) {
      mean += weight(r) * (truths[r * columns + c] - truths[c])
      all += weight(r)
    }
    mean = mean / all + truths[c]
    for (let r = 0; r < rows; r++) {
      const i = r * columns + c
      residual += weight(r) * (truths[i] - guesses[i]) ** 2
      spread += weight(r) * (truths[i] - mean) ** 2
    }
    total += spread > 0 ? 1 - residual / spread : Number(residual === 0)
  }
  return total / columns
}
