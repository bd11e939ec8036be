/** Training loops. */
export { type Callback, EarlyStopping, type EarlyStoppingOptions, type Progress, TargetLoss, type TrainingControl } from './callbacks.js'
export type { DataSet } from './data.js'
export { evaluateModel, type EvaluateOptions, type EpochRecord, fit, type FitOptions, type History } from './fit.js'
export { accuracy, meanAbsoluteError, type Metric, type MetricName, type MetricsOption, rootMeanSquaredError } from './metrics.js'
export { type Step, type StepOptions, trainSteps } from './steps.js'
