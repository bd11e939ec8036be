/** Bounds of parameters: all points of a search stay in this box. */
import { rangeError } from '../common/errors.js'
import { show } from '../common/show.js'

/** Options that make a box. */
export interface BoundOptions {
  /** Least values of the parameters, one for all or one each; −Infinity for none. Equal bounds fix a parameter. */
  lower?: number | ArrayLike<number>
  /** Largest values. */
  upper?: number | ArrayLike<number>
}

/** lower ≤ x ≤ upper. @internal */
export class Box {
  constructor(
    readonly lower: Float64Array,
    readonly upper: Float64Array,
  ) {}

  /** x ← the nearest point of the box; true if x changed. */
  clamp(x: Float64Array): boolean {
    let changed = false
    for (let i = 0; i < x.length; i++) {
      const nearest = Math.min(Math.max(x[i], this.lower[i]), this.upper[i])
      // NaN stays: it marks a point too far out.
      if (nearest === x[i] || Number.isNaN(nearest)) continue
      x[i] = nearest
      changed = true
    }
    return changed
  }

  /** True if the descent direction of parameter i leads out of the box. */
  holds(x: Float64Array, slope: Float64Array, i: number): boolean {
    return (slope[i] > 0 && x[i] <= this.lower[i]) || (slope[i] < 0 && x[i] >= this.upper[i])
  }

  /** The largest component of the projected gradient, P(x − g) − x: the part of −g that the box allows. */
  steepness(x: Float64Array, gradient: Float64Array): number {
    let most = 0
    for (let i = 0; i < x.length; i++) {
      const down = Math.min(Math.max(-gradient[i], this.lower[i] - x[i]), this.upper[i] - x[i])
      most = Math.max(most, Math.abs(down))
    }
    return most
  }

  /** True if parameter i cannot move at all. */
  fixes(i: number): boolean {
    return this.lower[i] === this.upper[i]
  }

  /** h; or −h if x + h is outside of [lower, upper] and the other bound is farther away. */
  inward(i: number, x: number, h: number): number {
    return x + h > this.upper[i] && x - this.lower[i] > this.upper[i] - x ? -h : h
  }

  /** Distances, at most h, by which x may move to either side. */
  reach(i: number, x: number, h: number): number {
    return Math.min(h, x - this.lower[i], this.upper[i] - x)
  }
}

/** The box of some options around a start; null without bounds. @throws RangeError for a start outside of it */
export function boxOf(owner: string, { lower, upper }: BoundOptions, start: ArrayLike<number>): Box | null {
  if (lower === undefined && upper === undefined) return null
  const n = start.length
  const box = new Box(
    bounds(owner, 'lower', lower ?? Number.NEGATIVE_INFINITY, n),
    bounds(owner, 'upper', upper ?? Number.POSITIVE_INFINITY, n),
  )
  for (let i = 0; i < n; i++) {
    const range = `[${box.lower[i]}, ${box.upper[i]}]`
    if (!(box.lower[i] <= box.upper[i])) throw rangeError(`${owner}: the bounds ${range} of parameter ${i} leave nothing`)
    if (!(start[i] >= box.lower[i] && start[i] <= box.upper[i]))
      throw rangeError(`${owner}: parameter ${i} starts at ${start[i]}, outside of its bounds ${range}`)
  }
  return box
}

function bounds(owner: string, name: string, given: number | ArrayLike<number>, n: number): Float64Array {
  if (typeof given === 'number') return new Float64Array(n).fill(given)
  if (given?.length !== n) throw rangeError(`${owner}: ${name} wants a number or ${n} of them, got ${given?.length ?? show(given)}`)
  return Float64Array.from(given)
}
