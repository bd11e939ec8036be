/** All metrics by name: see {@link useAllMetrics}. */

import type { TensorLike } from '../tensor.js'
import { type Average, balancedAccuracy, f1Score, precision, recall } from './classification.js'
import { meanAbsolutePercentageError, quantileError } from './errors.js'
import { brierScore, logLoss } from './probabilities.js'
import { averagePrecision, rocAuc } from './ranking.js'
import { r2Score } from './regression.js'

type F1 = (prediction: TensorLike, target: TensorLike) => number
const f1By =
  (average: Average): F1 =>
  (prediction, target) =>
    f1Score(prediction, target, { average })

/** @internal metrics that only programs that ask for them have; train/metrics.ts has the others */
export const NAMED = {
  auc: (prediction: TensorLike, target: TensorLike) => rocAuc(prediction, target),
  averagePrecision: (prediction: TensorLike, target: TensorLike) => averagePrecision(prediction, target),
  balancedAccuracy: (prediction: TensorLike, target: TensorLike) => balancedAccuracy(prediction, target),
  brier: (prediction: TensorLike, target: TensorLike) => brierScore(prediction, target),
  f1: (prediction: TensorLike, target: TensorLike) => f1Score(prediction, target),
  f1Macro: f1By('macro'),
  f1Micro: f1By('micro'),
  f1Weighted: f1By('weighted'),
  logLoss: (prediction: TensorLike, target: TensorLike) => logLoss(prediction, target),
  mape: (prediction: TensorLike, target: TensorLike) => meanAbsolutePercentageError(prediction, target),
  precision: (prediction: TensorLike, target: TensorLike) => precision(prediction, target),
  quantileError: (prediction: TensorLike, target: TensorLike) => quantileError(prediction, target),
  r2: (prediction: TensorLike, target: TensorLike) => r2Score(prediction, target),
  recall: (prediction: TensorLike, target: TensorLike) => recall(prediction, target),
}
