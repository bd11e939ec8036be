/** Quantiles of values that are in order. @internal */

/** @param q from 0 to 1; between two values in proportion, as in NumPy. NaN of none */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1)
  const low = sorted[Math.floor(at)]
  return low + (at % 1) * (sorted[Math.ceil(at)] - low)
}
