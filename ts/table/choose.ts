/** Which of the candidates answer together. */
import { clock } from '../common/clock.js'

/** Loss of predictions of certain rows. */
export type LossOf = (predictions: ArrayLike<number>) => number

/** Choices at most. */
export const MOST_CHOICES = 20
/** So many of the best ones begin, where there are more than twice as many: on few rows a single best one is mostly lucky. */
const SORTED_START = 4
/** Choices without an improvement that end the search. */
const PATIENCE = 5
/** A choice more has to make the loss less by this share, or the ensemble grows for nothing. */
const LEAST_GAIN = 1e-6

/**
 * Chooses candidates one by one, with repetition: each time the one that makes the mean of all chosen ones best (Caruana et al. 2004, with their sorted start).
 * @param candidates out-of-fold predictions of each, row-major [rows, outputs]: probabilities of classes, or numbers
 * @param lossOf the loss of such predictions
 * @param until when it has to be over, as clock.now() counts: the best of the means until then
 * @returns how often each was chosen in the best of these means
 */
export function chooseGreedily(
  candidates: readonly { predictions: Float64Array }[],
  lossOf: LossOf,
  until = Number.POSITIVE_INFINITY,
): number[] {
  const size = candidates[0].predictions.length
  let sum = new Float64Array(size)
  const mean = new Float64Array(size)
  const alone = candidates.map(({ predictions }) => lossOf(predictions))
  const order = [...alone.keys()].sort((a, b) => alone[a] - alone[b])
  const chosen: number[] = candidates.length > 2 * SORTED_START ? order.slice(0, SORTED_START) : []
  for (const i of chosen) sum = sum.map((value, j) => value + candidates[i].predictions[j])
  let [least, length] =
    chosen.length > 0 ? [lossOf(sum.map((value) => value / chosen.length)), chosen.length] : [Number.POSITIVE_INFINITY, 0]
  for (let round = chosen.length + 1; round <= MOST_CHOICES; round++) {
    let [best, bestLoss] = [-1, Number.POSITIVE_INFINITY]
    for (const [i, { predictions }] of candidates.entries()) {
      for (let j = 0; j < size; j++) mean[j] = (sum[j] + predictions[j]) / round
      const loss = lossOf(mean)
      if (loss < bestLoss) [best, bestLoss] = [i, loss]
      if (clock.now() > until) break
    }
    if (best < 0 || clock.now() > until) break
    chosen.push(best)
    sum = sum.map((value, j) => value + candidates[best].predictions[j])
    if (bestLoss < least * (1 - LEAST_GAIN)) [least, length] = [bestLoss, round]
    else if (round > length + PATIENCE) break
  }
  // without time for a single round, the one that is best alone
  if (chosen.length === 0) chosen.push(order[0])
  const kept = chosen.slice(0, Math.max(1, length))
  return candidates.map((_, i) => kept.filter((c) => c === i).length)
}

/** Mean of −log of the probability of the right class. @param weights how much each row counts. Default 1 */
export function logLossOf(targets: Int32Array, classes: number, weights?: ArrayLike<number>): LossOf {
  return (p) => {
    let [sum, total] = [0, 0]
    for (let i = 0; i < targets.length; i++) {
      const weight = weights?.[i] ?? 1
      sum -= weight * Math.log(Math.max(p[i * classes + targets[i]], 1e-9))
      total += weight
    }
    return sum / total
  }
}

/** Mean of squared errors. */
export function squaredErrorOf(targets: Float32Array): LossOf {
  return (p) => {
    let sum = 0
    for (let i = 0; i < targets.length; i++) sum += (p[i] - targets[i]) ** 2
    return sum / targets.length
  }
}
