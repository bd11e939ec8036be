/** Metrics of the order of scores rather than of one decision. */
import { checkCount } from '../common/checks.js'
import { checkNames } from '../common/names.js'
import type { TensorLike } from '../tensor.js'
import { asScores, targetClasses } from './classes.js'

/**
 * The area under the receiver operating characteristic: the chance that a row of class 1 scores higher than one of class 0, ties
 * counting half. For more than two classes the mean over them, each against all others, by the probabilities that softmax makes of
 * the scores. NaN where a class has no rows.
 *
 * @param prediction one score a row, any that grows with class 1; or logits [n, classes]
 * @param target classes [n], or probabilities [n, classes]
 * @example rocAuc([0.1, 0.4, 0.4, 0.8], [0, 0, 1, 1]) // 0.875
 * @throws ShapeError unless both have the same rows, RangeError for targets that are no classes
 */
export function rocAuc(prediction: TensorLike, target: TensorLike): number {
  const { values, rows, columns } = asScores('rocAuc', prediction)
  const actual = targetClasses('rocAuc', target, rows, Math.max(2, columns))
  const isOf = (c: number) => Uint8Array.from(actual, (a) => Number(a === c))
  if (columns === 1) return areaOf(Float64Array.from(values), isOf(1))
  if (columns === 2) {
    const margins = Float64Array.from({ length: rows }, (_, r) => values[2 * r + 1] - values[2 * r])
    return areaOf(margins, isOf(1))
  }
  const probabilities = softmaxColumns(values, rows, columns)
  return probabilities.reduce((sum, scores, c) => sum + areaOf(scores, isOf(c)), 0) / columns
}

/** By the sum of the positives' ranks, ties sharing theirs (Mann & Whitney 1947). */
function areaOf(scores: Float64Array, isPositive: Uint8Array): number {
  if (scores.some(Number.isNaN)) return Number.NaN
  const order = Int32Array.from(scores, (_, i) => i).sort((a, b) => scores[a] - scores[b])
  let [positives, ranks] = [0, 0]
  for (let from = 0, to = 0; from < order.length; from = to) {
    let tied = 0
    for (to = from; to < order.length && scores[order[to]] === scores[order[from]]; to++) tied += isPositive[order[to]]
    positives += tied
    ranks += (tied * (from + 1 + to)) / 2
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (order.length - positives))
}

function softmaxColumns(values: ArrayLike<number>, rows: number, columns: number): Float64Array[] {
  const out = Array.from({ length: columns }, () => new Float64Array(rows))
  for (let r = 0; r < rows; r++) {
    const row = Array.from({ length: columns }, (_, c) => values[r * columns + c])
    const most = Math.max(...row)
    const powers = row.map((z) => Math.exp(z - most))
    const total = powers.reduce((a, b) => a + b)
    for (let c = 0; c < columns; c++) out[c][r] = powers[c] / total
  }
  return out
}

/** Options of {@link topKAccuracy}. */
export interface TopKOptions {
  /** How many guesses a row has. Default 5. */
  k?: number
}

/**
 * The share of rows whose class is among those of the k largest scores; of equal scores the first counts as larger, as in `accuracy`.
 *
 * @param prediction scores [n, classes]
 * @param target classes [n], or probabilities [n, classes]
 * @example topKAccuracy([[3, 2, 1], [3, 2, 1]], [1, 2], { k: 2 }) // 0.5
 * @throws ShapeError unless both have the same rows, RangeError for targets that are no classes, or a k below 1
 */
export function topKAccuracy(prediction: TensorLike, target: TensorLike, options: TopKOptions = {}): number {
  checkNames('topKAccuracy', options, ['k'])
  const { k = 5 } = options
  checkCount('topKAccuracy: k', k)
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
