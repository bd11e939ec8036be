/** Where the loss of a learning-rate range test stands still, falls, and explodes. */

/** Indices into the test's points. */
export interface Slope {
  /** A tenth of the fall is behind. */
  from: number
  /** Half of the fall is behind. */
  middle: number
  /** The least loss. */
  to: number
}

/** Points at the beginning, whose running mean is over too few batches. */
const YOUNG = 20

/** @param smoothed running mean of the losses */
export function slopeOf(smoothed: readonly number[]): Slope | null {
  const to = smoothed.indexOf(Math.min(...smoothed))
  if (to <= YOUNG) return null
  const level = Math.max(...smoothed.slice(YOUNG, to))
  /** The last point before the least at which no more than this share of the fall is behind. */
  const at = (share: number) => {
    let i = to
    while (i > YOUNG && smoothed[i] < level - share * (level - smoothed[to])) i--
    return i
  }
  return { from: at(0.1), middle: at(0.5), to }
}
