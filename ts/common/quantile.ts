/** Quantiles of values that are in order, and places among them. @internal */

/** @param q from 0 to 1; interpolates between two values, as NumPy does. NaN for an empty list */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1)
  const low = sorted[Math.floor(at)]
  // of two infinite values the difference would be NaN
  return at % 1 === 0 ? low : low + (at % 1) * (sorted[Math.ceil(at)] - low)
}

/** Number of ascending values below a limit, or up to it. */
export function countBelow(sorted: ArrayLike<number>, limit: number, inclusive = false): number {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (sorted[middle] < limit || (inclusive && sorted[middle] === limit)) from = middle + 1
    else to = middle
  }
  return from
}
