/** Metrics of the order of scores rather than of one decision. */
import { rangeError } from '../common/errors.js'
import { count, countFrom0, readOptions, type Schema } from '../common/options.js'
import type { TensorLike } from '../tensor.js'
import { asScores, targetClasses } from './classes.js'
import { PROBABILITY, type ProbabilityOptions, probabilitiesOf } from './probabilities.js'
import { weightOf } from './values.js'

/** Options of {@link rocAuc} and {@link averagePrecision}. */
export interface RankingOptions extends ProbabilityOptions {
  /**
   * The way in which the scores of several classes, each against all others, become one: `macro` is their mean, `weighted` is weighted by their rows.
   * Default `macro`.
   */
  average?: 'macro' | 'weighted'
  /** Evaluates only this class, against all others. Default: all classes, or class 1 of two. */
  of?: number
}

export const RANKING = {
  ...PROBABILITY,
  average: { is: ['macro', 'weighted'], default: 'macro' },
  of: { is: countFrom0 },
} satisfies Schema<RankingOptions>

/**
 * The area under the receiver operating characteristic: the chance that a row of class 1 scores higher than a row of class 0, ties counting half. For
 * more than two classes it is the mean over classes, each against all others, of the given probabilities or of the softmax of logits. NaN if a class
 * has no rows.
 *
 * @param prediction one score a row, any that grows with class 1; or logits [n, classes], or probabilities
 * @param target classes [n], or probabilities [n, classes]
 * @example
 * rocAuc([0.1, 0.4, 0.4, 0.8], [0, 0, 1, 1]) // 0.875
 * rocAuc([[0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.1, 0.5, 0.4]], [0, 1, 2], { from: 'probabilities' }) // 0.833333
 * @throws ShapeError unless both have the same rows, RangeError for targets that are not classes, values that are not probabilities, or more than two
 *   columns that look like probabilities if `from` is missing
 */
export function rocAuc(prediction: TensorLike, target: TensorLike, options: RankingOptions = {}): number {
  return overClasses('rocAuc', areaOf, prediction, target, options)
}

/**
 * The area under the curve of precision over recall, Σ (Rₙ − Rₙ₋₁)·Pₙ (average precision): for few rows of class 1 among many it says more than
 * {@link rocAuc}. Random scores give the share of class 1. For more than two classes it is the mean over classes, each against all others, as for
 * {@link rocAuc}. NaN if a class has no rows.
 *
 * @param prediction one score a row, any that grows with class 1; or logits [n, classes], or probabilities
 * @param target classes [n], or probabilities [n, classes]
 * @example averagePrecision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]) // 0.833333
 * @throws as {@link rocAuc} does
 */
export function averagePrecision(prediction: TensorLike, target: TensorLike, options: RankingOptions = {}): number {
  return overClasses('averagePrecision', precisionOf, prediction, target, options)
}

/** Computes a metric from scores, the weights of the rows of the class, and the weights of all other rows. */
type Figure = (order: Int32Array, scores: Float64Array, positive: Float64Array, negative: Float64Array) => number

function overClasses(who: string, figure: Figure, prediction: TensorLike, target: TensorLike, options: RankingOptions): number {
  const { average, weights, of, from } = readOptions(who, options, RANKING)
  const given = asScores(who, prediction)
  const { values, rows, columns } = given
  const classes = Math.max(2, columns)
  if (of !== undefined && of >= classes) throw rangeError(`${who}: of wants a class from 0 to ${classes - 1}, got ${of}`)
  const actual = targetClasses(who, target, rows, classes)
  const weight = weightOf(who, weights, rows)
  const ofClass = (c: number, scores: Float64Array) => {
    if (scores.some(Number.isNaN)) return Number.NaN
    const order = Int32Array.from(scores, (_, i) => i).sort((a, b) => scores[a] - scores[b])
    const share = (isOf: boolean) => Float64Array.from({ length: rows }, (_, r) => ((actual[r] === c) === isOf ? weight(r) : 0))
    return figure(order, scores, share(true), share(false))
  }
  // two columns of logits are ordered by their difference: softmax would round it
  const byRow = columns > 2 || from !== undefined ? probabilitiesOf(who, given, from) : []
  if (columns <= 2) {
    const ofProbabilities = from === 'probabilities'
    const margins = Float64Array.from({ length: rows }, (_, r) =>
      ofProbabilities ? byRow[r][1] : columns === 1 ? values[r] : values[2 * r + 1] - values[2 * r],
    )
    return ofClass(of ?? 1, of === 0 ? margins.map((margin) => -margin) : margins)
  }
  const probabilities = Array.from({ length: columns }, (_, c) => Float64Array.from(byRow, (p) => p[c]))
  if (of !== undefined) return ofClass(of, probabilities[of])
  const sizes = probabilities.map((_, c) =>
    Array.from({ length: rows }, (_, r) => (actual[r] === c ? weight(r) : 0)).reduce((a, b) => a + b),
  )
  const counts = average === 'weighted' ? sizes : sizes.map(() => 1)
  return probabilities.reduce((sum, scores, c) => sum + counts[c] * ofClass(c, scores), 0) / counts.reduce((a, b) => a + b)
}

/** The weight of the negatives below each positive, plus half of the weight of those with an equal score (Mann & Whitney 1947). */
function areaOf(order: Int32Array, scores: Float64Array, positive: Float64Array, negative: Float64Array): number {
  let [below, area, all] = [0, 0, 0]
  for (const [p, n] of ties(order, scores, positive, negative)) {
    area += p * (below + n / 2)
    below += n
    all += p
  }
  return area / (all * below)
}

function precisionOf(order: Int32Array, scores: Float64Array, positive: Float64Array, negative: Float64Array): number {
  let [hits, taken, area] = [0, 0, 0]
  for (const [p, n] of [...ties(order, scores, positive, negative)].reverse()) {
    hits += p
    taken += p + n
    if (taken > 0) area += p * (hits / taken)
  }
  return area / hits
}

/** Groups of rows with equal scores, the lowest first: the weight of the positives and of the negatives in each. */
function* ties(order: Int32Array, scores: Float64Array, positive: Float64Array, negative: Float64Array): Generator<[number, number]> {
  for (let from = 0, to = 0; from < order.length; from = to) {
    let [p, n] = [0, 0]
    for (; to < order.length && scores[order[to]] === scores[order[from]]; to++) {
      p += positive[order[to]]
      n += negative[order[to]]
    }
    yield [p, n]
  }
}

/** Options of {@link topKAccuracy}. */
export interface TopKOptions {
  /** Number of guesses per row. Default 5. */
  k?: number
}

export const TOP_K = { k: { is: count, default: 5 } } satisfies Schema<TopKOptions>

/**
 * The share of rows whose class is among the k largest scores; among equal scores the first counts as larger, as in `accuracy`.
 *
 * @param prediction scores [n, classes]
 * @param target classes [n], or probabilities [n, classes]
 * @example topKAccuracy([[3, 2, 1], [3, 2, 1]], [1, 2], { k: 2 }) // 0.5
 * @throws ShapeError unless both have the same rows, RangeError for targets that are not classes, or a k below 1
 */
export function topKAccuracy(prediction: TensorLike, target: TensorLike, options: TopKOptions = {}): number {
  const { k } = readOptions('topKAccuracy', options, TOP_K)
  const { values, rows, columns } = asScores('topKAccuracy', prediction)
  const actual = targetClasses('topKAccuracy', target, rows, columns)
  let right = 0
  for (let r = 0; r < rows; r++) {
    const own = values[r * columns + actual[r]]
    let before = Number.isNaN(own) ? k : 0
    for (let c = 0; c < columns; c++) {
      const other = values[r * columns + c]
      if (other > own || (other === own && c < actual[r])) before++
    }
    if (before < k) right++
  }
  return right / rows
}
