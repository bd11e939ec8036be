/**
 * `gradus/metrics`: metrics as functions. `fit`, `evaluateModel` and others take them, or their names.
 * @module gradus/metrics
 */

export type { ClassOptions } from './classes.js'
export {
  type Average,
  type AverageOptions,
  accuracy,
  balancedAccuracy,
  confusionMatrix,
  f1Score,
  precision,
  recall,
} from './classification.js'
export { meanAbsolutePercentageError, type QuantileErrorOptions, quantileError } from './errors.js'
export { brierScore, logLoss, type ProbabilityOptions } from './probabilities.js'
export { averagePrecision, type RankingOptions, rocAuc, type TopKOptions, topKAccuracy } from './ranking.js'
export { meanAbsoluteError, meanSquaredError, r2Score, rootMeanSquaredError } from './regression.js'
export type { MetricOptions } from './values.js'
