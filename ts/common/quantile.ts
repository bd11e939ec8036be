/** Quantiles of values that are in order. @internal */

/** @param q from 0 to 1; interpolates between two values, as NumPy does. NaN for an empty list */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1)
  const low = sorted[Math.floor(at)]
  return low + (at % 1) * (sorted[Math.ceil(at)] - low)
}
