/** Makes the model from the result of a search: it keeps everything that is needed to predict later rows. */
import type { Table, TableEncoder } from '../../data/index.js'
import { takeRows } from '../../rows/take.js'
import type { RoundsOptions } from '../../search/rounds.js'
import type { ReportedIntervals } from '../report/report.js'
import { inputsOf, widthOf } from '../rows/features.js'
import { fingerprintOf, hashesOf } from '../rows/fingerprint.js'
import type { TableProfile } from '../rows/profile.js'
import type { SearchResult } from '../search/ensemble.js'
import type { Lesson } from '../search/find-model.js'
import { blocksOf, largestQuantiles } from '../target/conformal.js'
import { type ClassTerms, chosenThreshold } from '../target/decision.js'
import { fitIntervals } from '../target/intervals.js'
import { numberOf, type Scale, smearing } from '../target/response.js'
import { type Prediction, TableModel, type TableModelState } from './model.js'

/** Training rows and test rows as numbers, by the same encoder. */
interface Rows {
  learnt: Table
  tested: Table
  encoder: TableEncoder
  /** Of the training rows. */
  profile: TableProfile
}

/** The model, and the interval score of its intervals if their width should follow the row. */
interface Made<P extends Prediction> {
  model: TableModel<P>
  intervals: ReportedIntervals | undefined
}

/** @param fit options of the nets for intervals whose width follows the row; undefined for intervals of one width */
export async function makeModel<P extends Prediction>(
  found: SearchResult,
  target: string,
  { learnt, tested, encoder, profile }: Rows,
  lesson: Lesson,
  terms: ClassTerms,
  fit: RoundsOptions | undefined,
): Promise<Made<P>> {
  const isClasses = learnt.classes > 0
  const center = encoder.state().target.center ?? 0
  const numbers = isClasses ? { scale: lesson.scale, errors: [] } : numbersOf(found, lesson, learnt, center, terms)
  const fitted = fit && !isClasses ? await intervalsFor(found, lesson, learnt, numbers.scale, center, fit) : undefined
  const { intervals } = fitted ?? {}
  const state: TableModelState = {
    format: 'gradus-table-model/1',
    table: encoder.state(),
    features: found.features,
    target,
    task: isClasses ? 'classification' : 'regression',
    ...numbers,
    fingerprint: fingerprintOf(hashesOfTable(learnt), hashesOfTable(tested)),
    profile,
    ...(intervals && { corrections: intervals.corrections }),
    ...decisionOf(terms, found, learnt),
  }
  return {
    model: new TableModel<P>(found.model, state, {}, intervals?.net),
    intervals: fitted && { width: intervals ? 'row' : 'constant', ...(Number.isFinite(fitted.score) && { score: fitted.score }) },
  }
}

/** Nets for intervals, which learn from the errors of out-of-fold predictions. */
function intervalsFor(
  { heldOut, predictions, features }: SearchResult,
  { folds, samples }: Lesson,
  { inputs, features: encoded, targets }: Table,
  scale: Scale,
  center: number,
  fit: RoundsOptions,
) {
  const isPositive = scale.link === 'log'
  const values = predictions.map((output) => numberOf(scale, output))
  const units = values.map((value) => (isPositive ? value : scale.deviation))
  const errors = values.map((value, i) => (targets[heldOut[i]] + (isPositive ? center : 0) - value) / units[i])
  const rows = { inputs: inputsOf(features, takeRows(inputs, heldOut, encoded)), errors, units, folds }
  return fitIntervals(rows, { width: widthOf(features), embedded: samples.embedded }, fit)
}

/** The scale of predictions, and quantiles of the errors of out-of-fold predictions in units of the target, for intervals. */
function numbersOf(
  { heldOut, predictions }: SearchResult,
  { scale, samples, folds: { folds, from }, distribution }: Lesson,
  { targets }: Table,
  center: number,
  { metric }: ClassTerms,
): Pick<TableModelState, 'scale' | 'errors'> {
  const errors = (of: (prediction: number, row: number) => number) => {
    const all = Float64Array.from(heldOut, (row, i) => Math.abs(of(predictions[i], row)))
    return largestQuantiles(blocksOf(all, from === 0 ? undefined : folds.map(({ validation }) => validation.length)))
  }
  if (scale.link === undefined) return { scale, errors: errors((p, row) => (p - samples.targets[row]) * scale.deviation) }
  const numbers = Float64Array.from(heldOut, (row) => targets[row] + center)
  // the exponential of a mean of logarithms is a median, as the absolute error wants it
  const predicted = predictions.map((p) => numberOf(scale, p))
  const factor = distribution === 'logNormal' && metric !== 'mae' ? smearing(numbers, predicted) : 1
  const whole = { ...scale, mean: scale.mean + Math.log(factor) }
  return { scale: whole, errors: errors((p, row) => numberOf(whole, p) - (targets[row] + center)) }
}

function hashesOfTable({ inputs, features, targets }: Table): Uint32Array {
  return hashesOf(inputs, features, targets)
}

/** The order of classes, or the positive class of two and its threshold, which out-of-fold predictions choose; for rows in time those of the latest rows. */
function decisionOf(
  { decision, chosenBy }: ClassTerms,
  { heldOut, predictions, from }: SearchResult,
  { targets, classNames }: Table,
): Pick<TableModelState, 'decision'> {
  if (decision === undefined || decision.isOrdered) return decision ? { decision } : {}
  const { positive } = decision
  const threshold =
    chosenBy === undefined
      ? decision.threshold
      : chosenThreshold(chosenBy, positive, predictions.subarray(2 * from), takeRows(targets as Int32Array, heldOut.subarray(from)))
  return { decision: { positive: classNames[positive], ...(threshold !== undefined && { threshold }) } }
}
