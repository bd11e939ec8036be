/** Training rows that look mislabelled, by the predictions of nets that did not see them. */
import { quantileOf } from '../../common/quantile.js'
import type { Table } from '../../data/index.js'
import { takeRows } from '../../rows/take.js'
import { doubtful } from '../../select/confident.js'
import { confusionOf } from '../measure/measure.js'
import type { Prediction, TableModel } from '../model/model.js'
import type { SearchResult } from '../search/ensemble.js'
import { numberOf } from '../target/response.js'
import type { Suspect } from './report.js'

/** Least distance of the probabilities of two classes. */
const SURE = 0.5
/**
 * Distance of a number, in usual errors: 1.4826 times their median, the deviation of normal errors. Largest share of such rows, else errors are heavy-tailed.
 */
const FAR = 8
const MAX_FAR = 0.001
const FEW_FAR = 3
/** Largest number of rows that are named. */
export const MAX_SUSPECTS = 20

/** Least share of the held-out rows of each class that nets must name rightly: below, rows are hard to tell apart, and a surprise is no mistake. */
const MAX_RIGHT = 0.9

/** @param numbers of the training rows among all rows */
export function suspectsIn(
  { heldOut, predictions }: SearchResult,
  model: TableModel<Prediction>,
  { targets, classes }: Table,
  numbers: Int32Array,
): Suspect[] {
  const own = takeRows(targets, heldOut)
  if (own instanceof Int32Array) {
    const { classNames } = model
    if (!knowsEachClass(predictions, own, classes)) return []
    return doubtful(predictions, own, classes)
      .filter(({ probability, suggestedProbability }) => suggestedProbability - probability >= SURE)
      .slice(0, MAX_SUSPECTS)
      .map(({ index, suggestion, probability, suggestedProbability }) => ({
        ...{ row: numbers[heldOut[index]], given: classNames[own[index]], predicted: classNames[suggestion] },
        probabilities: { given: probability, predicted: suggestedProbability },
      }))
  }
  const { scale } = model.saved()
  const center = model.center
  const values = predictions.map((output) => numberOf(scale, output) + (scale.link === undefined ? center : 0))
  const errors = values.map((value, i) => Math.abs(own[i] + center - value))
  const usual = 1.4826 * quantileOf(errors.slice().sort(), 0.5)
  const far = Array.from(errors.keys()).filter((i) => errors[i] > FAR * usual)
  if (usual === 0 || far.length > Math.max(FEW_FAR, MAX_FAR * own.length)) return []
  return far
    .sort((a, b) => errors[b] - errors[a] || a - b)
    .slice(0, MAX_SUSPECTS)
    .map((i) => ({ row: numbers[heldOut[i]], given: own[i] + center, predicted: values[i] }))
}

function knowsEachClass(predictions: Float64Array, labels: Int32Array, classes: number): boolean {
  const matrix = confusionOf(predictions, labels, classes)
  return matrix.every((row, c) => row[c] >= MAX_RIGHT * row.reduce((sum, count) => sum + count, 0))
}
