/** Metrics over all rows of a data set, as functions; `fit` and `evaluateModel` take them by a name of your own, `{ f1: f1Score }`. */
export type { ClassOptions } from './classes.js'
export { type Average, type AverageOptions, accuracy, confusionMatrix, f1Score, precision, recall } from './classification.js'
export { rocAuc, type TopKOptions, topKAccuracy } from './ranking.js'
export { meanAbsoluteError, r2Score, rootMeanSquaredError } from './regression.js'
