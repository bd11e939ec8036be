/** Makes the model from the result of a search: it keeps everything that is needed to predict later rows. */
import type { Table, TableEncoder } from '../data/index.js'
import { takeRows } from '../rows/take.js'
import { errorQuantiles, largestQuantiles } from './conformal.js'
import { type ClassTerms, chosenThreshold } from './decision.js'
import type { Lesson } from './find-model.js'
import { fingerprintOf, hashesOf } from './fingerprint.js'
import { type Prediction, TableModel, type TableModelState } from './model.js'
import type { SearchResult } from './search.js'

/** Training rows and test rows as numbers, by the same encoder. */
interface Rows {
  learnt: Table
  tested: Table
  encoder: TableEncoder
}

export function makeModel<P extends Prediction>(
  found: SearchResult,
  target: string,
  { learnt, tested, encoder }: Rows,
  { scale, folds, samples }: Lesson,
  terms: ClassTerms,
): TableModel<P> {
  const isClasses = learnt.classes > 0
  return new TableModel<P>(found.model, {
    format: 'gradus-table-model/1',
    table: encoder.state(),
    features: found.features,
    target,
    task: isClasses ? 'classification' : 'regression',
    scale,
    errors: isClasses ? [] : errorsOf(found, folds, samples.targets, scale.deviation),
    fingerprint: fingerprintOf(hashesOfTable(learnt), hashesOfTable(tested)),
    ...decisionOf(terms, found, learnt),
  })
}

/** Quantiles of the errors of out-of-fold predictions, in units of the target, for intervals. */
function errorsOf(
  { heldOut, predictions }: SearchResult,
  { folds, from }: Lesson['folds'],
  targets: ArrayLike<number>,
  deviation: number,
): number[] {
  const errors = Float64Array.from(heldOut, (row, i) => Math.abs(predictions[i] - targets[row]) * deviation)
  if (from === 0) return errorQuantiles(errors)
  let end = 0
  return largestQuantiles(folds.map(({ validation: { length } }) => errors.slice(end, (end += length))))
}

function hashesOfTable({ inputs, features, targets }: Table): Uint32Array {
  return hashesOf(inputs, features, targets)
}

/** The positive class of two, and its threshold, which out-of-fold predictions choose; for rows in time those of the latest rows. */
function decisionOf(
  { decision, chosenBy }: ClassTerms,
  { heldOut, predictions, from }: SearchResult,
  { targets, classNames }: Table,
): Pick<TableModelState, 'decision'> {
  if (decision === undefined) return {}
  const { positive } = decision
  const threshold =
    chosenBy === undefined
      ? decision.threshold
      : chosenThreshold(chosenBy, positive, predictions.subarray(2 * from), takeRows(targets as Int32Array, heldOut.subarray(from)))
  return { decision: { positive: classNames[positive], ...(threshold !== undefined && { threshold }) } }
}
