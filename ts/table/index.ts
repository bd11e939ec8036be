/**
 * `gradus/table`: from a table to a model that takes rows of it, in one call, with a report on how good the model is.
 * @module gradus/table
 */
export type { ReportBlock } from '../report/blocks.js'
export { formatMetric } from '../report/format.js'
export type { ReportTextOptions } from '../report/text.js'
export type { PairedDifference } from './measure/compare.js'
export type { CalibrationBin, Importance, MeasuredMetric } from './measure/measure.js'
export type { TableMetric } from './measure/metrics.js'
export {
  type ClassPrediction,
  loadTableModel,
  type NumberPrediction,
  type Prediction,
  TableModel,
  type TablePredictOptions,
} from './model/model.js'
export { loadTargetsModel, TargetsModel } from './model/targets-model.js'
export { type TableFunctionOptions, tableToFunction } from './model/to-function.js'
export { type PreparedRows, type PreparedTable, type PrepareTableOptions, prepareTable } from './prepare-table.js'
export type { TablePhase, TableProgress } from './progress.js'
export { type ColumnDrift, driftOf, type TableDrift } from './report/drift.js'
export { evaluateTable, type TableEvaluation, type TargetsEvaluation } from './report/evaluate.js'
export { type ColumnEffect, type ExplainTableOptions, explainTable, type Interaction, type TableExplanation } from './report/explain.js'
export type { LearningCurve } from './report/learning-curve.js'
export type { ReportedIntervals, Suspect, TableModelReport, TargetsReport } from './report/report.js'
export { reportHtml, reportText } from './report/show-report.js'
export { type InspectTableOptions, inspectTable } from './rows/column-plan.js'
export type { Leak } from './rows/leaks.js'
export type { NetSettings } from './search/nets.js'
export { type TableNet, type TableNetOptions, tableNet } from './table-net.js'
export { type DecisionSettings, describeDecision, type ReportedDecision } from './target/decision.js'
export type { Distribution, ResponseSettings } from './target/response.js'
export type { TrainedTable } from './train-one.js'
export type { TrainTableOptions, TrainTargetsOptions } from './train-options.js'
export { trainTable } from './train-table.js'
export type { TrainedTargets } from './train-targets.js'
