/**
 * L-BFGS for smooth convex functions whose gradients are in single precision. The line search looks at slopes alone, which is enough for a convex
 * function: near the minimum, values in single precision no longer tell two points apart, but slopes do. `minimize` of gradus/solve compares values.
 */
import { History } from '../solve/minimize/history.js'
import { along, difference, dot, maxAbs } from '../solve/vector.js'

/** End of a search. */
export interface SearchLimits {
  /** The search ends where no component of the gradient is larger. */
  tolerance: number
  maxIterations: number
}

type Gradient = (x: Float64Array) => Float64Array

/** Pairs that are remembered. */
const HISTORY = 10
/** Iterations without a gradient smaller by a tenth that end the search: single precision is exhausted. */
const PATIENCE = 25
/** The slope has fallen enough at this share of the slope at the start. */
const CURVATURE = 0.9
const TRIALS = 12

/** @returns the point with the smallest gradient of those that were seen */
export function descend(gradientAt: Gradient, start: Float64Array, { tolerance, maxIterations }: SearchLimits): Float64Array {
  const history = new History(HISTORY)
  const d = new Float64Array(start.length)
  let [x, g] = [start, gradientAt(start)]
  let [best, least, waited] = [x, maxAbs(g), 0]
  for (let i = 0; i < maxIterations && least > tolerance && waited < PATIENCE; i++, waited++) {
    history.direction(g, d)
    if (!(dot(g, d) < 0)) {
      history.clear()
      history.direction(g, d)
    }
    const next = alongSlope(gradientAt, x, d, dot(g, d))
    history.learn(difference(next.x, x), difference(next.g, g))
    ;[x, g] = [next.x, next.g]
    const size = maxAbs(g)
    if (size < 0.9 * least) waited = 0
    if (size < least) [best, least] = [x, size]
  }
  return best
}

/** A point along d where the slope has fallen enough, by secants. */
function alongSlope(gradientAt: Gradient, x: Float64Array, d: Float64Array, startSlope: number): { x: Float64Array; g: Float64Array } {
  let [low, lowSlope, high, highSlope] = [0, startSlope, Infinity, 0]
  for (let t = 1, trial = 1; ; trial++) {
    const at = new Float64Array(x.length)
    along(x, t, d, at)
    const g = gradientAt(at)
    const slope = dot(g, d)
    if (Math.abs(slope) <= -CURVATURE * startSlope || trial === TRIALS) return { x: at, g }
    if (slope < 0) [low, lowSlope] = [t, slope]
    else [high, highSlope] = [t, slope]
    if (high < Infinity) t = low + Math.min(0.9, Math.max(0.1, lowSlope / (lowSlope - highSlope))) * (high - low)
    else t *= slope > startSlope ? Math.min(10, startSlope / (startSlope - slope)) : 10
  }
}
