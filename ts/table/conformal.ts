/** Sizes of errors that intervals of predictions are made of. */

/** Parts between the quantiles that a model keeps. */
const QUANTILES = 200

/**
 * Quantiles of absolute errors on held-out rows, evenly spaced from 0 to 1, as in split conformal prediction: with one more error that equals the
 * largest (Vovk, Gammerman & Shafer 2005; for folds Barber, Candès, Ramdas & Tibshirani 2021).
 */
export function errorQuantiles(errors: Float64Array): number[] {
  const sorted = errors.sort()
  const count = sorted.length
  return Array.from(
    { length: QUANTILES + 1 },
    (_, i) => sorted[Math.min(count - 1, Math.max(0, Math.ceil((i / QUANTILES) * (count + 1)) - 1))],
  )
}
