/** Quantiles of values that are in order. @internal */

/** @param q from 0 to 1; interpolates between two values, as NumPy does. NaN for an empty list */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1)
  const low = sorted[Math.floor(at)]
  // of two infinite values the difference would be NaN
  return at % 1 === 0 ? low : low + (at % 1) * (sorted[Math.ceil(at)] - low)
}
