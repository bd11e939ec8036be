/** The training rows, divided so that each net is evaluated on held-out rows. */
import { RandomStream } from '../../common/random-stream.js'
import { cutParts, firstOfTime } from '../../rows/cut.js'
import { cutFolds } from '../../rows/folds.js'

/** Rows to train a net on, and rows to validate it by. */
export interface Fold {
  train: Int32Array
  validation: Int32Array
}

/** Number of rows from which on one split is enough instead of folds. */
const ONE_SPLIT = 15_000
const FOLDS = 5
/** Fraction of validation rows in a single split, and their largest number. */
const VALIDATION_FRACTION = 0.15
const MAX_VALIDATION = 10_000

/** Folds, and the validation rows that decide between nets. */
export interface Folds {
  folds: Fold[]
  /** Index of the first validation row that decides, in the order of the folds: for rows in time with a trend only the latest rows decide. */
  from: number
}

/**
 * A target has a trend if its order explains this share of its variance. Three of six series have a trend (0.13 to 0.82 explained): there, nets
 * trained on the target itself had R² −0.9 to 0.7 on the latest fifth, and nets on the residuals of lines 0.90 to 0.99. In the other three the order
 * explains up to 0.05.
 */
const TREND = 0.1

/** True if numbers with mean 0 grow, or fall, with their order. */
export function hasTrend(targets: ArrayLike<number>): boolean {
  const middle = (targets.length - 1) / 2
  const [xy, xx, yy] = Array.from(targets).reduce(
    ([xy, xx, yy], y, i) => [xy + (i - middle) * y, xx + (i - middle) ** 2, yy + y ** 2],
    [0, 0, 0],
  )
  return xy ** 2 > TREND * xx * yy
}

/**
 * Folds for rows in the order of time: five blocks, each validated by nets that were trained on the others (Bergmeir & Benítez 2012); for many rows the
 * latest block alone. The latest block decides, because its nets know nothing later. Numbers without a trend have similar blocks, and all of them
 * decide. Rows of the same time are in one block.
 * @param targets classes, or numbers with mean 0
 * @returns null if there are too few times
 */
export function foldsInTime(times: ArrayLike<number>, targets: Int32Array | Float32Array): Folds | null {
  const count = times.length
  const isMany = count >= ONE_SPLIT
  const shares = isMany
    ? [1 - Math.min(VALIDATION_FRACTION, MAX_VALIDATION / count)]
    : Array.from({ length: Math.min(FOLDS, count) - 1 }, (_, i) => (i + 1) / Math.min(FOLDS, count))
  const cuts = shares.map((share) => firstOfTime(times, Math.round(share * count)))
  const edges = [...new Set([...(isMany ? [] : [0]), ...cuts, count])]
  if (edges.length < (isMany ? 2 : 3) || (isMany && edges[0] === 0)) return null
  const all = Int32Array.from({ length: count }, (_, row) => row)
  const folds = edges.slice(1).map((end, i) => ({
    train: all.filter((row) => row < edges[i] || row >= end),
    validation: all.slice(edges[i], end),
  }))
  const isStationary = targets instanceof Float32Array && !hasTrend(targets)
  return { folds, from: isStationary ? 0 : edges[edges.length - 2] - edges[0] }
}

/**
 * Five folds of few rows, one split of many; every class in the same proportion in each part, as far as it has rows.
 * @param groups the group of each row: its rows stay together
 */
export function foldsOf(targets: Int32Array | Float32Array, classes: number, seed: number, groups?: readonly string[]): Folds {
  const count = targets.length
  if (count < ONE_SPLIT) {
    const parts = cutFolds(
      'trainTable',
      count,
      { folds: Math.min(FOLDS, groups ? new Set(groups).size : count), repeats: 1, shuffle: true, seed, ...(groups && { groups }) },
      classes > 0 ? targets : null,
    )
    return { folds: parts.map(({ train, test }) => ({ train, validation: test })), from: 0 }
  }
  const fraction = Math.min(VALIDATION_FRACTION, MAX_VALIDATION / count)
  const order = new RandomStream(seed).permutation(count)
  const [train, validation] = cutParts(order, [fraction], { classOf: classes > 0 ? targets : null, groups: groups ?? null })
  return { folds: [{ train, validation }], from: 0 }
}
