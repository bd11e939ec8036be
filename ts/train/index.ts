/** Training loops. */
export { type Callback, EarlyStopping, type EarlyStoppingOptions, type Progress, TargetLoss, type TrainingControl } from './callbacks.js'
export type { DataSet } from './data.js'
export {
  type FindLearningRateOptions,
  findLearningRate,
  type LearningRateCurve,
  type LearningRateSuggestions,
} from './find-learning-rate.js'
export { type EpochRecord, type EvaluateOptions, evaluateModel, type FitOptions, fit, type History } from './fit.js'
export {
  accuracy,
  type Metric,
  type MetricName,
  type MetricsOption,
  type MetricValues,
  meanAbsoluteError,
  rootMeanSquaredError,
} from './metrics.js'
export { type Step, type StepOptions, trainSteps } from './steps.js'
export type { WholeStepOptimizer } from './whole-step.js'
