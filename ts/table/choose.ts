/** Which of the candidates answer together. */

/** What a candidate said of rows that it was not trained on. */
export interface Voter {
  /** Row-major [rows, outputs]: probabilities of classes, or numbers. */
  predictions: Float64Array
}

/** How bad predictions are, of the rows that are judged. */
export type Judge = (predictions: ArrayLike<number>) => number

/** Choices at most. */
export const MOST = 20
/** So many of the best ones begin, where there are more than twice as many: on few rows a single best one is mostly lucky. */
const FIRST = 4

/**
 * Chooses candidates one by one, with repetition: each time the one that makes the mean of all chosen ones best (Caruana et al. 2004, with their sorted start).
 * @param until when it has to be over, as performance.now() counts: the best of the means until then
 * @returns how often each was chosen in the best of these means
 */
export function chooseGreedily(candidates: readonly Voter[], judge: Judge, until = Number.POSITIVE_INFINITY): number[] {
  const size = candidates[0].predictions.length
  let sum = new Float64Array(size)
  const mean = new Float64Array(size)
  const alone = candidates.map(({ predictions }) => judge(predictions))
  const order = [...alone.keys()].sort((a, b) => alone[a] - alone[b])
  const chosen: number[] = candidates.length > 2 * FIRST ? order.slice(0, FIRST) : []
  for (const i of chosen) sum = sum.map((value, j) => value + candidates[i].predictions[j])
  let [least, length] =
    chosen.length > 0 ? [judge(sum.map((value) => value / chosen.length)), chosen.length] : [Number.POSITIVE_INFINITY, 0]
  for (let round = chosen.length + 1; round <= MOST; round++) {
    let [best, bestLoss] = [-1, Number.POSITIVE_INFINITY]
    for (const [i, { predictions }] of candidates.entries()) {
      for (let j = 0; j < size; j++) mean[j] = (sum[j] + predictions[j]) / round
      const loss = judge(mean)
      if (loss < bestLoss) [best, bestLoss] = [i, loss]
      if (performance.now() > until) break
    }
    if (best < 0 || performance.now() > until) break
    chosen.push(best)
    sum = sum.map((value, j) => value + candidates[best].predictions[j])
    // a choice more has to be worth something, or the ensemble grows for nothing
    if (bestLoss < least * (1 - 1e-6)) [least, length] = [bestLoss, round]
    else if (round > length + 5) break
  }
  // without time for a single round, the one that is best alone
  if (chosen.length === 0) chosen.push(order[0])
  const kept = chosen.slice(0, Math.max(1, length))
  return candidates.map((_, i) => kept.filter((c) => c === i).length)
}

/** Mean of −log of the probability of the right class. */
export function logLossOf(targets: Int32Array, classes: number): Judge {
  return (p) => {
    let sum = 0
    for (let i = 0; i < targets.length; i++) sum -= Math.log(Math.max(p[i * classes + targets[i]], 1e-9))
    return sum / targets.length
  }
}

/** Mean of squared errors. */
export function squaredErrorOf(targets: Float32Array): Judge {
  return (p) => {
    let sum = 0
    for (let i = 0; i < targets.length; i++) sum += (p[i] - targets[i]) ** 2
    return sum / targets.length
  }
}
