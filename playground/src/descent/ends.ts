/** The end of a race, and any place of the map, in words. */
import { short } from '../ui/controls'
import type { Surface } from './functions'
import type { Verdict } from './inspect'
import type { DescentState } from './state'
import type { Track } from './track'

/** The reason why a racer ended where it did. */
export function endText(track: Track, verdict: Verdict | null, surface: Surface, { epsilon, noise }: DescentState): string {
  const value = track.values[track.steps]
  if (track.end === 'undefined')
    return track.steps === 0
      ? 'f is not a number at the start: drag it elsewhere'
      : `walked to where f is not a number, at step ${track.steps}`
  if (hasNoFloor(track, surface)) return `fell to ${short(value, 2)} and on: f has no floor here, so no minimum`
  if (track.end === 'diverged') return `left the map at step ${track.steps}: the learning rate is too large`
  if (value > track.values[0])
    return `climbing, ‖g‖\u00a0${short(track.gradientNorms[track.steps], 2)}: the learning rate is too large${noise > 0 ? ' for this noise' : ''}`
  if (!verdict) return ''
  const norm = short(track.gradientNorms[track.steps], 2)
  const low = short(verdict.eigenvalues[0], 2)
  switch (verdict.kind) {
    case 'minimum': {
      const isLowest = surface.lowest === null || verdict.value - surface.lowest <= Math.max(epsilon, 1e-6)
      return isLowest ? `a minimum: ‖g‖\u00a0${norm}` : `stuck in a local minimum: ‖g‖\u00a0${norm}, lower ones exist`
    }
    case 'saddle':
      return `stuck at a saddle: ‖g‖\u00a0${norm}, an eigenvalue of ${low}`
    case 'slope': {
      if (surface.lowest !== null && value - surface.lowest <= epsilon) return `near the minimum: ‖g‖\u00a0${norm}`
      if (isNearMinimum(verdict)) return `near a minimum: ‖g‖\u00a0${norm}`
      if (noise === 0 && isBouncing(track)) return `bouncing, ‖g‖\u00a0${norm}: the learning rate is too large`
      if (track.gradientNorms[track.steps] < 1e-2) return `on a plateau: ‖g‖\u00a0${norm}`
      return `on its way: ‖g‖\u00a0${norm}${verdict.eigenvalues[0] < 0 ? `, curved down (${low})` : ''}`
    }
    default:
      return `${verdict.kind}: ‖g‖\u00a0${norm}`
  }
}

/** True if it fell very far, or fell far off the map to ground as steep as any on its way: towards a minimum the ground becomes flatter. */
function hasNoFloor({ path, values, gradientNorms, steps }: Track, { range, lowest }: Surface): boolean {
  if (lowest !== null || !(values[steps] < values[0])) return false
  const isFar = range.some(([low, high], axis) => Math.abs(path[2 * steps + axis] - (low + high) / 2) > 5 * (high - low))
  return values[steps] < -1e9 || (isFar && gradientNorms[steps] >= Math.max(...gradientNorms))
}

/** True if it turns back at its last step, and is no lower than after three quarters of the steps. */
function isBouncing({ path, values, steps }: Track): boolean {
  if (steps < 8) return false
  const step = (i: number) => [path[2 * i] - path[2 * i - 2], path[2 * i + 1] - path[2 * i - 1]]
  const [[ax, ay], [bx, by]] = [step(steps - 1), step(steps)]
  const before = Math.min(...values.slice(0, Math.ceil(0.75 * steps)))
  const after = Math.min(...values.slice(Math.ceil(0.75 * steps), steps + 1))
  return ax * bx + ay * by < 0 && after > before - 1e-3 * Math.abs(before)
}

/** True if it curves up in every direction, and the minimum estimated from curvature and slope is less than a tenth away. */
const isNearMinimum = ({ gradient, eigenvalues: [lowest] }: Verdict) => lowest > 0 && Math.hypot(...gradient) < 0.1 * lowest

/** The kind of a place, with its slope and curvature. */
export function verdictText({ at: [x, y], verdict }: { at: readonly [number, number]; verdict: Verdict }): string {
  const { kind, value, gradient, eigenvalues } = verdict
  const norm = Math.hypot(...gradient)
  const negative = eigenvalues.filter((v) => v < 0)
  const curvature =
    negative.length === 0
      ? `curved up both ways (${short(eigenvalues[0], 2)} and ${short(eigenvalues[1], 2)})`
      : negative.length === 1
        ? `one negative eigenvalue, ${short(negative[0], 2)}`
        : `curved down both ways (${short(eigenvalues[0], 2)} and ${short(eigenvalues[1], 2)})`
  const word = kind !== 'slope' ? kind : isNearMinimum(verdict) ? 'near a minimum' : norm < 1e-2 ? 'plateau' : 'slope'
  return `(${short(x)}, ${short(y)}): ${word}, f = ${short(value)}, gradient ${short(norm, 2)}, ${curvature}`
}
