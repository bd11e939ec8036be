/** The loop of all methods with a line search: compute a direction, search along it, learn from the step. */
import { along, difference, dot, maxAbs, scaled } from '../../common/vector.js'
import { armijo } from '../line-search/armijo.js'
import { type LineSearchResult, searchLine, type Trial } from '../line-search/wolfe.js'
import type { Point, PointSource } from '../objective.js'
import type { Stop } from '../result.js'
import { type Stopping, withinRounding } from '../stop.js'
import type { DirectionRule, LastStep } from './direction.js'

/** A trial that remembers its point. */
interface TrialPoint extends Trial {
  point: Point
}

/** Runs a rule from a point until something stops it. @internal */
export function descend(objective: PointSource, rule: DirectionRule, start: Point, stopping: Stopping, resumed: LastStep = null): Stop {
  const d = new Float64Array(objective.size)
  let now = start
  let last = resumed
  let restarted = false
  let expected = 0
  for (;;) {
    const stop = stopping.before(now)
    if (stop !== null) return stop
    const slope = downhill(rule, now, d)
    const first = rule.firstTrial(now, slope, last)
    const { point: trial } = search(objective, rule, now, d, slope, first)
    if (!(trial.value < now.value) || trial.t === 0) {
      if (restarted) return failed(now, trial, expected, start)
      restarted = true
      expected = -0.5 * slope * first
      last = null
      rule.reset()
      continue
    }
    restarted = false
    const before = now
    now = trial.point
    rule.learn({ from: before, to: now, s: difference(now.x, before.x), y: difference(now.gradient, before.gradient) })
    last = stopping.last = { t: trial.t, startSlope: slope }
    const end = stopping.after(before, now)
    if (end !== null) return end
  }
}

/** d ← the rule's direction, or −g if that does not descend; returns its slope. */
function downhill(rule: DirectionRule, now: Point, d: Float64Array): number {
  rule.direction(now, d)
  const slope = dot(now.gradient, d)
  if (slope < 0 && Number.isFinite(slope)) return slope
  rule.reset()
  scaled(now.gradient, -1, d)
  return -dot(now.gradient, now.gradient)
}

function search(
  objective: PointSource,
  rule: DirectionRule,
  now: Point,
  d: Float64Array,
  slope: number,
  first: number,
): LineSearchResult<TrialPoint> {
  const x = new Float64Array(d.length)
  const phi = (t: number): TrialPoint => {
    along(now.x, t, d, x)
    const point = objective.at(x)
    return { t, value: point.value, slope: dot(point.gradient, d), point }
  }
  const start = { t: 0, value: now.value, slope, point: now }
  const trial = Number.isFinite(first) && first > 0 ? first : 1
  if (rule.search === 'armijo') return armijo(phi, start, trial)
  return searchLine(phi, start, trial, { c2: rule.search, stepTolerance: 1e-15, directionSize: maxAbs(d) })
}

/** From this ratio of a negative value to the value at the start on, the slope at the start would be lost in rounding. */
const FAR_DOWN = 1e15

/** True if the function is as steep as at the start, and as far down as double precision reaches: no minimum is near. */
function isBottomless(now: Point, start: Point): boolean {
  return now.value < -FAR_DOWN * Math.max(1, Math.abs(start.value)) && maxAbs(now.gradient) > 0.1 * maxAbs(start.gradient)
}

/**
 * @internal the stop if a search found no lower point. Double precision is exhausted if the method expected next to nothing of its last direction.
 */
export function failed(now: Point, trial: Trial, expected: number, start: Point): Stop {
  if (trial.value === Number.NEGATIVE_INFINITY || isBottomless(now, start))
    return { reason: 'not-finite', message: 'the function falls without bound' }
  const rounded = withinRounding(expected, now.value, start.value)
  if (rounded !== null) return rounded
  const exhausted = 'double precision is exhausted, the function is not smooth there, or the gradient is wrong'
  return { reason: 'line-search', message: `no lower point along −g from the value ${now.value}: ${exhausted}` }
}
