/** Evaluation of a model on rows with known answers. */
import { rangeError, reword } from '../../common/errors.js'
import type { LeftOut, Table } from '../../data/index.js'
import { leftOutBy } from '../../data/table/encoder.js'
import { numbered } from '../../data/table/values.js'
import { baselineOf, confusionOf, type MeasuredMetric, measureMetrics } from '../measure/measure.js'
import { checkTableModel, isUnknown, type Prediction, type TableModel } from '../model/model.js'
import { TargetsModel } from '../model/targets-model.js'
import { hashesOf, shareIn } from '../rows/fingerprint.js'
import { type ReportedDecision, reported } from '../target/decision.js'
import { driftOf, type TableDrift } from './drift.js'
import { jointMetrics } from './joint.js'

/** Result of {@link evaluateTable}. */
export interface TableEvaluation extends Pick<ReportedDecision, 'isOrdered' | 'positive' | 'threshold'> {
  /** How these rows differ from those that the model learned from. */
  drift: TableDrift
  /** Rows with a target. */
  rows: number
  /** Rows that were left out, with reasons; together with the rows above they are all given rows. */
  leftOut: LeftOut[]
  metrics: MeasuredMetric[]
  /** Names of the classes; empty if numbers are predicted. */
  classNames: string[]
  /** Rows by true class (rows) and predicted class (columns). */
  confusion?: number[][]
  /**
   * Estimated share of the model's training rows among these rows: above 0, metrics are too optimistic. Absent for tables whose rows
   * are mostly equal.
   */
  learnt?: number
}

/** Result of {@link evaluateTable} for a model of several targets. */
export interface TargetsEvaluation {
  /** Rows that have all targets. */
  rows: number
  /** Metrics over all targets, on these rows. */
  metrics: MeasuredMetric[]
  /** By target, on the rows that have it. */
  evaluations: Record<string, TableEvaluation>
}

/**
 * Metrics of a model on other rows, with 95 % intervals, compared with a guess that looks at no column.
 *
 * @param rows with the columns of the table, including the target; rows without a target are left out
 * @example
 * const { model } = await trainTable(rows, { target: 'species' })
 * const { metrics } = evaluateTable(model, rows)
 * metrics[0].name // 'accuracy'
 * @throws RangeError naming row and column of a value that does not fit, and if no row has a target
 */
export function evaluateTable(model: TableModel<Prediction>, rows: readonly object[]): TableEvaluation
export function evaluateTable(model: TargetsModel, rows: readonly object[]): TargetsEvaluation
export function evaluateTable(model: TableModel<Prediction> | TargetsModel, rows: readonly object[]): TableEvaluation | TargetsEvaluation
export function evaluateTable(model: TableModel<Prediction> | TargetsModel, rows: readonly object[]): TableEvaluation | TargetsEvaluation {
  if (!(model instanceof TargetsModel)) return evaluateOne(model, rows)
  const models = Object.entries(model.models)
  const evaluations = Object.fromEntries(models.map(([target, own]) => [target, evaluateOne(own, rows)]))
  return { ...jointMetrics(Object.values(model.models), rows, 0), evaluations }
}

function evaluateOne(model: TableModel<Prediction>, rows: readonly object[]): TableEvaluation {
  checkTableModel('evaluateTable', model)
  numbered('evaluateTable', rows)
  const known = rows.filter((row) => !isUnknown(row, model.target))
  if (known.length === 0) throw rangeError(`evaluateTable: no row has a value in column '${model.target}'`)
  // the encoder leaves out rows without a target, and its errors name rows by their index among all rows
  const { table } = model.saved()
  const data = encoded(model, table.target.drop ? rows : known)
  const without = { column: model.target, value: '', rows: rows.length - known.length }
  const leftOut = table.target.drop ? leftOutBy(table, rows) : [...(without.rows > 0 ? [without] : []), ...leftOutBy(table, known)]
  const answers = model.answersTo(data.inputs)
  const { classes, targets } = data
  const { decision, classNames, arePositive } = model
  const metrics = measureMetrics(
    answers,
    targets,
    baselineOf(targets, classes),
    classes,
    0,
    undefined,
    {},
    { decision, classNames, arePositive },
  )
  const learnt = shareIn(model.saved().fingerprint, hashesOf(data.inputs, data.features, targets))
  return {
    drift: driftOf(model, known),
    rows: data.count,
    leftOut,
    metrics,
    classNames: [...classNames],
    ...reported(decision, classNames),
    ...(decision?.threshold !== undefined && { threshold: { value: decision.threshold } }),
    ...(targets instanceof Int32Array && { confusion: confusionOf(answers, targets, classes, decision) }),
    ...(learnt !== undefined && { learnt }),
  }
}

function encoded({ encoder }: TableModel<Prediction>, rows: readonly object[]): Table {
  try {
    return encoder.dataset(rows)
  } catch (error) {
    reword(error, (message) => message.replace(/^dataset: /, 'evaluateTable: '))
    throw error
  }
}
