/** Training loops. */
export { type Callback, EarlyStopping, type EarlyStoppingOptions, type Progress, TargetLoss, type TrainingControl } from './callbacks.js'
export type { DataSet } from './data.js'
export { type EvaluateOptions, evaluateModel } from './evaluate.js'
export {
  type FindLearningRateOptions,
  findLearningRate,
  type LearningRateCurve,
  type LearningRateSuggestions,
} from './find-learning-rate.js'
export { fit } from './fit.js'
export type { EpochRecord, History } from './history.js'
export type { Metric, MetricName, MetricsOption, MetricValues } from './metrics.js'
export type { FitOptions, StepOptions } from './plan.js'
export { type Step, trainSteps } from './steps.js'
export type { WholeStepOptimizer } from './whole-step.js'
