/**
 * L-BFGS for smooth convex functions whose gradients are in single precision. The line search looks at slopes alone, which is enough for a convex
 * function: near the minimum, values in single precision no longer tell two points apart, but slopes do. `minimize` of gradus/solve compares values.
 */

import { along, difference, dot, maxAbs } from '../common/vector.js'
import { History } from '../solve/minimize/history.js'

/** Writes the gradient at a point. */
type Gradient = (x: Float64Array, out: Float64Array) => void

interface Point {
  x: Float64Array
  gradient: Float64Array
}

/** Largest number of iterations of a search. */
const MAX_ITERATIONS = 1000
/** Pairs that are remembered. */
export const HISTORY = 10
/** {@link PATIENCE} iterations in a row that lower the function by less than this end the search: single precision is exhausted. */
const LEAST_DECREASE = 1e-14
const PATIENCE = 10
/** The slope has fallen enough at this share of the slope at the start. */
const CURVATURE = 0.9
const TRIALS = 12

/**
 * @param gradientAt of a function whose values are about 1, such as a mean loss
 * @param isDone whether a point ends the search; it gets the largest component of its gradient, too
 * @param history of a search for a similar function, with which this one begins; it learns on
 */
export function descend(
  gradientAt: Gradient,
  start: Float64Array,
  isDone: (x: Float64Array, size: number) => boolean,
  history = new History(HISTORY),
): Float64Array {
  const size = start.length
  const d = new Float64Array(size)
  // two points in turns: with new arrays for each, a third of the time went into collecting them
  let now: Point = { x: start.slice(), gradient: new Float64Array(size) }
  let next: Point = { x: new Float64Array(size), gradient: new Float64Array(size) }
  gradientAt(now.x, now.gradient)
  for (let i = 0, waited = 0; i < MAX_ITERATIONS && waited < PATIENCE && !isDone(now.x, maxAbs(now.gradient)); i++) {
    history.direction(now.gradient, d)
    if (!(dot(now.gradient, d) < 0)) {
      history.clear()
      history.direction(now.gradient, d)
    }
    const decrease = searchSlope(gradientAt, now, d, next)
    history.learn(difference(next.x, now.x), difference(next.gradient, now.gradient))
    ;[now, next] = [next, now]
    waited = decrease < LEAST_DECREASE ? waited + 1 : 0
  }
  return now.x
}

/**
 * Finds a point along d where the slope has fallen enough, by secants.
 * @param to receives the point
 * @returns how much lower the function is there, by the trapezoid under the slopes
 */
function searchSlope(gradientAt: Gradient, from: Point, d: Float64Array, to: Point): number {
  const startSlope = dot(from.gradient, d)
  let [low, lowSlope, high, highSlope] = [0, startSlope, Infinity, 0]
  for (let t = 1, trial = 1; ; trial++) {
    along(from.x, t, d, to.x)
    gradientAt(to.x, to.gradient)
    const slope = dot(to.gradient, d)
    if (Math.abs(slope) <= -CURVATURE * startSlope || trial === TRIALS) return (-t * (startSlope + slope)) / 2
    if (slope < 0) [low, lowSlope] = [t, slope]
    else [high, highSlope] = [t, slope]
    if (high < Infinity) t = low + Math.min(0.9, Math.max(0.1, lowSlope / (lowSlope - highSlope))) * (high - low)
    else t *= slope > startSlope ? Math.min(10, startSlope / (startSlope - slope)) : 10
  }
}
