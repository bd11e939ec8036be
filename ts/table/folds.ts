/** The training rows, divided so that each net is evaluated on held-out rows. */
import { RandomStream } from '../common/random-stream.js'
import { cutParts, firstOfTime } from '../rows/cut.js'
import { cutFolds } from '../rows/folds.js'

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

/** Folds, and which of the rows that they validate by decide. */
export interface Folds {
  folds: Fold[]
  /** In the order of the folds, index of the first validated row that decides: for rows in time only the latest do. */
  from: number
}

/**
 * Folds for rows in the order of time: five blocks, each validated by nets that were trained on the others (Bergmeir & Benítez 2012). The latest
 * block decides, because its nets know nothing later; for many rows it is the only one. Rows of the same time are in one block. @returns null if
 * there are too few times
 */
export function foldsInTime(times: ArrayLike<number>): Folds | null {
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
  return { folds, from: edges[edges.length - 2] - edges[0] }
}

/** Five folds of few rows, one split of many; every class in the same proportion in each part, as far as it has rows. */
export function foldsOf(targets: Int32Array | Float32Array, classes: number, seed: number): Folds {
  const count = targets.length
  if (count < ONE_SPLIT) {
    const parts = cutFolds('trainTable', count, { folds: Math.min(FOLDS, count), seed }, classes > 0 ? targets : null)
    return { folds: parts.map(({ train, test }) => ({ train, validation: test })), from: 0 }
  }
  const fraction = Math.min(VALIDATION_FRACTION, MAX_VALIDATION / count)
  const order = new RandomStream(seed).permutation(count)
  const [train, validation] = cutParts(order, [fraction], { classOf: classes > 0 ? targets : null })
  return { folds: [{ train, validation }], from: 0 }
}
