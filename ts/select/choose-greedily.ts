/** Greedy choice of the members of an ensemble. */
import { clock } from '../common/clock.js'

/** Loss of predictions of certain rows. */
export type LossOf = (predictions: ArrayLike<number>) => number

/** Options of {@link chooseGreedily}. */
export interface GreedyOptions {
  /** Choices at most. */
  maxChoices: number
  /**
   * With more than twice as many candidates, the search begins with this number of the best ones: on few rows a single best one is mostly lucky.
   * Default 0.
   */
  sortedStart?: number
  /** Choices without an improvement that end the search. Default: none do. */
  patience?: number
  /** Share by which one more choice has to lower the loss. Default 0. */
  leastGain?: number
  /** Time at which the search ends, in the time of clock.now(), with the best of the means so far. Default: no limit. */
  until?: number | undefined
}

/**
 * Chooses candidates one by one, with repetition: each time the candidate that improves the mean of all chosen ones most (Caruana, Niculescu-Mizil,
 * Crew & Ksikes 2004, with their sorted start).
 * @param candidates out-of-fold predictions of each
 * @param lossOf the loss of such predictions
 * @returns the number of times that each was chosen in the best of these means; if there was no time for a mean, the best single candidate
 */
export function chooseGreedily(
  candidates: readonly { predictions: Float64Array }[],
  lossOf: LossOf,
  { maxChoices, sortedStart = 0, patience = Number.POSITIVE_INFINITY, leastGain = 0, until = Number.POSITIVE_INFINITY }: GreedyOptions,
): number[] {
  const size = candidates[0].predictions.length
  let sum = new Float64Array(size)
  const mean = new Float64Array(size)
  const alone = candidates.map(({ predictions }) => lossOf(predictions))
  const order = [...alone.keys()].sort((a, b) => alone[a] - alone[b])
  const chosen: number[] = candidates.length > 2 * sortedStart ? order.slice(0, sortedStart) : []
  for (const i of chosen) sum = sum.map((value, j) => value + candidates[i].predictions[j])
  let [least, length] =
    chosen.length > 0 ? [lossOf(sum.map((value) => value / chosen.length)), chosen.length] : [Number.POSITIVE_INFINITY, 0]
  for (let round = chosen.length + 1; round <= maxChoices; round++) {
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
    if (bestLoss < least * (1 - leastGain)) [least, length] = [bestLoss, round]
    else if (round > length + patience) break
  }
  if (chosen.length === 0) chosen.push(order[0])
  const kept = chosen.slice(0, Math.max(1, length))
  return candidates.map((_, i) => kept.filter((c) => c === i).length)
}
