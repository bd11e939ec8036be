/**
 * L-BFGS for smooth convex functions whose gradients are in single precision. The line search looks at slopes alone, which is enough for a convex
 * function: near the minimum, values in single precision no longer tell two points apart, but slopes do. `minimize` of gradus/solve compares values.
 */

import { along, difference, dot, maxAbs } from '../common/vector.js'
import { History } from '../solve/minimize/history.js'

type Gradient = (x: Float64Array) => Float64Array

/** Largest number of iterations of a search. */
const MAX_ITERATIONS = 1000

/** Pairs that are remembered. */
const HISTORY = 10
/** Iterations that lower the function by less than this, {@link PATIENCE} in a row, end the search: single precision is exhausted. */
const LEAST_DECREASE = 1e-14
const PATIENCE = 10
/** The slope has fallen enough if it is at most this fraction of the slope at the start. */
const CURVATURE = 0.9
const TRIALS = 12

/**
 * @param gradientAt of a function whose values are about 1, such as a mean loss
 * @param isDone whether a point with a gradient whose largest component has this size ends the search
 */
export function descend(gradientAt: Gradient, start: Float64Array, isDone: (x: Float64Array, size: number) => boolean): Float64Array {
  const history = new History(HISTORY)
  const d = new Float64Array(start.length)
  let [x, g] = [start, gradientAt(start)]
  let [best, least, waited] = [x, maxAbs(g), 0]
  for (let i = 0; i < MAX_ITERATIONS && waited < PATIENCE && !isDone(x, maxAbs(g)); i++) {
    history.direction(g, d)
    if (!(dot(g, d) < 0)) {
      history.clear()
      history.direction(g, d)
    }
    const next = alongSlope(gradientAt, x, d, dot(g, d))
    history.learn(difference(next.x, x), difference(next.g, g))
    ;[x, g] = [next.x, next.g]
    waited = next.decrease < LEAST_DECREASE ? waited + 1 : 0
    // where it goes down, the last point is the lowest one; where it no longer does, the one with the least gradient is
    const size = maxAbs(g)
    if (waited === 0 || size < least) [best, least] = [x, size]
  }
  return best
}

interface Next {
  x: Float64Array
  g: Float64Array
  /** How much lower the function is there, by the trapezoid under the slopes. */
  decrease: number
}

/** A point along d where the slope has fallen enough, by secants. */
function alongSlope(gradientAt: Gradient, x: Float64Array, d: Float64Array, startSlope: number): Next {
  let [low, lowSlope, high, highSlope] = [0, startSlope, Infinity, 0]
  for (let t = 1, trial = 1; ; trial++) {
    const at = new Float64Array(x.length)
    along(x, t, d, at)
    const g = gradientAt(at)
    const slope = dot(g, d)
    if (Math.abs(slope) <= -CURVATURE * startSlope || trial === TRIALS) return { x: at, g, decrease: (-t * (startSlope + slope)) / 2 }
    if (slope < 0) [low, lowSlope] = [t, slope]
    else [high, highSlope] = [t, slope]
    if (high < Infinity) t = low + Math.min(0.9, Math.max(0.1, lowSlope / (lowSlope - highSlope))) * (high - low)
    else t *= slope > startSlope ? Math.min(10, startSlope / (startSlope - slope)) : 10
  }
}
