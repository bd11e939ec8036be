/** The report on a model: its quality on the test rows, the importance of columns, and the search that found it. */
import { show } from '../../common/show.js'
import type { ColumnReport, LeftOut, Table, TableEncoder } from '../../data/index.js'
import { takeRows } from '../../rows/take.js'
import { type Besides, compareLosses } from '../measure/compare.js'
import { logLossOf, squaredErrorOf } from '../measure/losses.js'
import { calibrationOf, classCounts, confusionOf, coverageOf, importanceOf, measureMetrics } from '../measure/measure.js'
import { weightedShares } from '../measure/metrics.js'
import type { Prediction, TableModel } from '../model/model.js'
import { type Spans, scaled } from '../rows/features.js'
import type { SearchResult } from '../search/ensemble.js'
import { describePlan } from '../search/nets.js'
import type { TimeBudget } from '../search/time-budget.js'
import { type ClassTerms, reported } from '../target/decision.js'
import type { Distribution } from '../target/response.js'
import type { TableModelReport } from './report.js'

/** Inputs of a report. */
export interface Judged {
  model: TableModel<Prediction>
  found: SearchResult
  /** Training rows and test rows. */
  learnt: Table
  tested: Table
  /** Other predictions for the test rows, in the model's format. */
  besides: Besides
  /** The guess without columns for each row. */
  baseline: readonly number[]
  spans: Spans
  columns: ColumnReport[]
  /** Rows without a target. */
  dropped: number
  leftOut: readonly LeftOut[]
  seed: number
  budget: TimeBudget
  terms: ClassTerms
  /** Distribution of a numeric target. */
  distribution: Distribution
}

/** Largest number of test rows that are shown as examples. */
const MAX_EXAMPLES = 400

/** The report without `seconds` and `advice`, which are known at the end. */
export function makeReport(judged: Judged): TableModelReport {
  const { model, found, learnt, tested, besides, baseline, spans, seed, budget, terms, distribution } = judged
  const { classes, targets } = tested
  const answers = model.answersTo(tested.inputs)
  const { decision, classNames } = model
  const { factors, chosenBy, metric } = terms
  const about = { decision, classNames, factors, metric, arePositive: model.arePositive }
  const metrics = measureMetrics(answers, targets, baseline, classes, seed, budget.endOfMetrics(), besides, about)
  const compared = compareLosses(answers, targets, weightedShares(baseline, factors), classes, besides, factors)
  const unit = classes > 0 ? 1 : scaled(learnt.targets).scale.deviation ** 2
  const importance = importanceOf(
    tested.inputs,
    learnt.features,
    spans,
    (encoded, count) => lossesOf(model, encoded, tested, count, unit, factors),
    seed,
    budget.limitOfImportance(model.net.parameters().reduce((sum, { size }) => sum + size, 0)),
  )
  return {
    task: model.task,
    target: model.target,
    classNames: [...learnt.classNames],
    rows: { train: learnt.count, test: tested.count, dropped: judged.dropped },
    leftOut: [...judged.leftOut],
    columns: judged.columns,
    metrics,
    ...reported(decision, classNames),
    ...(decision?.threshold !== undefined && {
      threshold: { value: decision.threshold, ...(chosenBy && { chosenBy, rows: rarerRows(found, learnt) }) },
    }),
    ...(factors && { classWeights: Object.fromEntries(classNames.map((name, c) => [name, factors[c]])) }),
    ...(metric && { metric }),
    ...(distribution !== 'normal' && { distribution }),
    ...(compared && { compared }),
    calibration:
      targets instanceof Int32Array
        ? calibrationOf(answers, targets, classes)
        : coverageOf(targets, (coverage) => model.intervalsOf(answers, tested.inputs, coverage)),
    importance,
    candidates: found.candidates.map(({ recipe, loss }, i) => ({ plan: describePlan(recipe), loss, votes: found.votes[i] })),
    nets: { trained: found.nets, used: found.used },
    curve: found.candidates.find(({ histories }) => histories.length > 0)?.histories[0] ?? { loss: [], validation: [] },
    seconds: 0,
    seed,
    advice: [],
    ...(targets instanceof Int32Array
      ? { confusion: confusionOf(answers, targets, classes, decision) }
      : { examples: examplesOf(answers, targets, model.center) }),
  }
}

/** Rows of the rarer class among the held-out rows that chose a threshold. */
function rarerRows({ heldOut, from }: SearchResult, { targets, classes }: Table): number {
  return Math.min(...classCounts(takeRows(targets, heldOut.subarray(from)), classes))
}

/** The loss on the first test rows for each of several tables, whose encoded rows lie one table after the other. */
function lossesOf(
  model: TableModel<Prediction>,
  encoded: Float32Array,
  { targets, classes }: Table,
  count: number,
  unit: number,
  factors: readonly number[] | undefined,
): number[] {
  const answers = model.answersTo(encoded)
  const own = targets.subarray(0, count)
  const loss =
    own instanceof Int32Array ? logLossOf(own, classes, factors && Float64Array.from(own, (c) => factors[c])) : squaredErrorOf(own)
  const size = count * (classes || 1)
  return Array.from({ length: answers.length / size }, (_, i) => loss(answers.subarray(i * size, (i + 1) * size)) / unit)
}

/** Some of the test rows, evenly spread. */
function examplesOf(answers: Float64Array, targets: Float32Array, center: number): { true: number; predicted: number }[] {
  const every = Math.max(1, Math.ceil(targets.length / MAX_EXAMPLES))
  return Array.from({ length: Math.floor(targets.length / every) }, (_, i) => ({
    true: center + targets[i * every],
    predicted: center + answers[i * every],
  }))
}

/** A column's report, with a note on values that occur only in test rows. */
export function withUnknown(column: ColumnReport, unknown: TableEncoder['unknown']): ColumnReport {
  const { count, values } = unknown[column.name] ?? { count: 0, values: [] }
  if (count === 0) return column
  const what = `${count} of the rows to test with ${count === 1 ? 'has a value' : 'have values'} that no other row has (${values.slice(0, 3).map(show).join(', ')})`
  return { ...column, notes: [...column.notes, `${what}, which ${count === 1 ? 'counts' : 'count'} as none`] }
}
