/** Where races arrive: the lowest value, and the step from which on a track stays near it. */
import type { Verdict } from './inspect'
import type { Track } from './track'

/** The first step from which a track stays within ε of the lowest value; null if there is none. */
export function arrivalOf({ values, steps }: { values: Float64Array; steps: number }, lowest: number, epsilon: number): number | null {
  let step = steps + 1
  while (step > 0 && values[step - 1] - lowest <= epsilon) step--
  return step > steps ? null : step
}

/** For a typed function: the lowest minimum at which a racer came to rest, unless a racer has been below it. */
export function lowestFound(tracks: readonly (Track | null)[], stops: readonly (Verdict | null)[]): number | null {
  const least = Math.min(...stops.flatMap((stop) => (stop?.kind === 'minimum' ? [stop.value] : [])))
  const isLowest = tracks.every((track) => !track?.values.some((value) => value < least - 1e-9))
  return Number.isFinite(least) && isLowest ? least : null
}
