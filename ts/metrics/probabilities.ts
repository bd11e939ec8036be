/** Metrics of probabilities: they depend on the numbers, not only on their order. */
import { rangeError } from '../common/errors.js'
import { checkOptions, type Schema } from '../common/options.js'
import { softmaxOf } from '../common/softmax.js'
import type { TensorLike } from '../tensor.js'
import { asScores, type Scores, targetClasses } from './classes.js'
import { METRIC, type MetricOptions, weightOf } from './values.js'

/** Options of {@link logLoss} and {@link brierScore}. */
export interface ProbabilityOptions extends MetricOptions {
  /**
   * The kind of the predictions: `logits`, as nets return them, or `probabilities`. Default `logits`. If every row adds up to 1, as probabilities of
   * several classes do, the option is required.
   */
  from?: 'logits' | 'probabilities'
}

export const PROBABILITY = { ...METRIC, from: { is: ['logits', 'probabilities'] } } satisfies Schema<ProbabilityOptions>

/**
 * Mean of −log of the predicted probability of the true class. For logits it equals `crossEntropy` or `binaryCrossEntropy`.
 *
 * @param prediction logits [n, classes], or one a row for class 1; or probabilities
 * @param target classes [n], or probabilities [n, classes], of which the largest counts
 * @example
 * logLoss([0], [1]) // 0.693147
 * logLoss([[0.2, 0.8], [0.6, 0.4]], [1, 0], { from: 'probabilities' }) // 0.366985
 * @throws ShapeError unless both have the same rows, RangeError for targets that are not classes, probabilities outside 0..1, or rows that look like
 *   probabilities if `from` is missing
 */
export function logLoss(prediction: TensorLike, target: TensorLike, options: ProbabilityOptions = {}): number {
  return meanOverRows('logLoss', prediction, target, options, (p, actual) => -Math.log(Math.max(p[actual], LEAST)))
}

/** Lower limit of probabilities, so that one row does not make the mean infinite: 2⁻⁵², as in scikit-learn. */
const LEAST = Number.EPSILON

/**
 * Mean squared error of probabilities: for one output or two classes (p − y)² of class 1, from 0 to 1; for more classes the sum over all classes,
 * from 0 to 2 (Brier 1950).
 *
 * @param prediction logits [n, classes], or one a row for class 1; or probabilities
 * @param target classes [n], or probabilities [n, classes], of which the largest counts
 * @example brierScore([0.9, 0.4], [1, 0], { from: 'probabilities' }) // 0.085
 * @throws as {@link logLoss} does
 */
export function brierScore(prediction: TensorLike, target: TensorLike, options: ProbabilityOptions = {}): number {
  return meanOverRows('brierScore', prediction, target, options, (p, actual) =>
    p.length === 2 ? (p[1] - actual) ** 2 : p.reduce((sum, q, c) => sum + (q - Number(c === actual)) ** 2, 0),
  )
}

function meanOverRows(
  who: string,
  prediction: TensorLike,
  target: TensorLike,
  options: ProbabilityOptions,
  f: (probabilities: number[], actual: number) => number,
): number {
  const { from, weights } = checkOptions(who, options, PROBABILITY)
  const scores = asScores(who, prediction)
  const { rows, columns } = scores
  const actual = targetClasses(who, target, rows, Math.max(2, columns))
  const weight = weightOf(who, weights, rows)
  let [sum, total] = [0, 0]
  probabilitiesOf(who, scores, from).forEach((p, r) => {
    sum += weight(r) * f(p, actual[r])
    total += weight(r)
  })
  return sum / total
}

/**
 * @internal the probabilities of all classes, row by row; for one column the probabilities of class 0 and class 1
 * @throws RangeError for values that are not probabilities, or that look like probabilities if `from` is missing
 */
export function probabilitiesOf(who: string, { values, rows, columns }: Scores, from: ProbabilityOptions['from']): number[][] {
  const given = Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => values[r * columns + c]))
  if (from === 'probabilities') return given.map((p, r) => checked(who, p, r))
  if (from === undefined && columns > 1 && given.every(areProbabilities))
    throw rangeError(
      `${who}: wants logits, got rows that add up to 1, such as ${given[0].slice(0, 4).join(', ')}; of probabilities say from: 'probabilities', of logits from: 'logits'`,
    )
  return given.map((scores) => softmaxOf(columns === 1 ? [0, scores[0]] : scores))
}

function checked(who: string, p: number[], row: number): number[] {
  const all = p.length === 1 ? [1 - p[0], p[0]] : p
  if (areProbabilities(all)) return all
  throw rangeError(
    `${who}: wants probabilities from 0 to 1 that add up to 1, got ${p.slice(0, 4).join(', ')} at row ${row}; of logits leave \`from\` out`,
  )
}

function areProbabilities(p: readonly number[]): boolean {
  const total = p.reduce((a, b) => a + b)
  return p.every((q) => q >= 0 && q <= 1) && Math.abs(total - 1) < 1e-3
}
