/**
 * `gradus/table`: from a table to a model that takes rows of it, in one call, with a report on how good the model is.
 * @module gradus/table
 */
export type { ReportBlock } from '../report/blocks.js'
export { formatMetric } from '../report/format.js'
export type { ReportTextOptions } from '../report/text.js'
export { type InspectTableOptions, inspectTable } from './column-plan.js'
export type { PairedDifference } from './compare.js'
export { type DecisionSettings, describeDecision, type ReportedDecision } from './decision.js'
export { type ColumnDrift, driftOf, type TableDrift } from './drift.js'
export { evaluateTable, type TableEvaluation, type TargetsEvaluation } from './evaluate.js'
export { type ColumnEffect, type ExplainTableOptions, explainTable, type Interaction, type TableExplanation } from './explain.js'
export type { Leak } from './leaks.js'
export type { LearningCurve } from './learning-curve.js'
export type { CalibrationBin, Importance, MeasuredMetric } from './measure.js'
export type { TableMetric } from './metrics.js'
export {
  type ClassPrediction,
  loadTableModel,
  type NumberPrediction,
  type Prediction,
  TableModel,
  type TablePredictOptions,
} from './model.js'
export type { NetSettings } from './nets.js'
export { type PreparedRows, type PreparedTable, type PrepareTableOptions, prepareTable } from './prepare-table.js'
export type { TablePhase, TableProgress } from './progress.js'
export type { ReportedIntervals, Suspect, TableModelReport, TargetsReport } from './report.js'
export type { Distribution, ResponseSettings } from './response.js'
export { reportHtml, reportText } from './show-report.js'
export { type TableNet, type TableNetOptions, tableNet } from './table-net.js'
export { loadTargetsModel, TargetsModel } from './targets-model.js'
export { type TableFunctionOptions, tableToFunction } from './to-function.js'
export type { TrainedTable } from './train-one.js'
export type { TrainTableOptions, TrainTargetsOptions } from './train-options.js'
export { trainTable } from './train-table.js'
export type { TrainedTargets } from './train-targets.js'
