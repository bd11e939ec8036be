/** L-BFGS within bounds: steps projected onto the box, curvature of the parameters that are free. */

import { along, difference, dot, norm } from '../../common/vector.js'
import type { Box } from '../box.js'
import { shortening } from '../line-search/armijo.js'
import type { Objective, Point } from '../objective.js'
import type { Stop } from '../result.js'
import type { Stopping } from '../stop.js'
import { failed } from './descent.js'
import { History } from './history.js'

/** A parameter within this distance of a bound counts as being at the bound; otherwise steps would get shorter and shorter in front of it. */
const NEAR = 1e-6
/** Constants of sufficient decrease and of the remaining slope, as in the Wolfe conditions. */
const C1 = 1e-4
const C2 = 0.9
const MAX_TRIALS = 40

/**
 * The two-metric projection of Bertsekas (1982) with the metric of L-BFGS: parameters held by their bounds follow −g, the others −H·g with H from the
 * steps of the others alone, and each trial is the nearest point of the box. L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995) ends at the same points; it
 * first searches for bounds along −g, which the projection makes unnecessary here. @internal
 */
export function descendWithin(objective: Objective, box: Box, historySize: number, start: Point, stopping: Stopping): Stop {
  const history = new History(historySize)
  let now = start
  // length of the last step; 0 at first, and after a failed step
  let last = 0
  for (;;) {
    const stop = stopping.before(now)
    if (stop !== null) return stop
    const d = direction(history, box, now)
    const unscaled = history.pairs.length === 0
    const { point: next, t } = search(objective, box, now, d, unscaled ? last || Math.min(1, 1 / norm(d)) : 1)
    if (!(next.value < now.value)) {
      if (unscaled && last === 0) return failed(now, { t: 0, value: now.value, slope: 0 }, gain(box, now), start)
      history.clear()
      last = 0
      continue
    }
    const before = now
    now = next
    last = t
    learn(history, difference(now.x, before.x), difference(now.gradient, before.gradient))
    const end = stopping.after(before, now)
    if (end !== null) return end
  }
}

function learn(history: History, s: Float64Array, y: Float64Array): void {
  history.learn(s, y, Number.EPSILON * dot(y, y))
}

/** Half of the decrease that the slope promises for the step P(x − g) − x. */
function gain(box: Box, { x, gradient }: Point): number {
  const nearest = x.map((xi, i) => xi - gradient[i])
  box.clamp(nearest)
  return -0.5 * dot(gradient, difference(nearest, x))
}

/** −H·g over the free parameters, −γ·g over the held ones, γ the scale of H. */
function direction(history: History, box: Box, { x, gradient }: Point): Float64Array {
  const near = Math.min(NEAR, box.steepness(x, gradient))
  const isHeld = gradient.map((g, i) => Number((g > 0 && x[i] - box.lower[i] <= near) || (g < 0 && box.upper[i] - x[i] <= near)))
  const d = new Float64Array(x.length)
  if (!isHeld.includes(1)) {
    history.direction(gradient, d)
    return d
  }
  const free = (v: Float64Array) => v.map((vi, i) => (isHeld[i] ? 0 : vi))
  const ofFree = new History(history.size)
  for (const { s, y } of history.pairs) learn(ofFree, free(s), free(y))
  ofFree.direction(free(gradient), d)
  return d.map((di, i) => (isHeld[i] ? -history.scale * gradient[i] : di))
}

/** The first of ever shorter steps with sufficient decrease; if the first still ends on a steep slope, ever longer steps. */
function search(objective: Objective, box: Box, now: Point, d: Float64Array, first: number): { point: Point; t: number } {
  const at = (t: number) => {
    const x = new Float64Array(d.length)
    along(now.x, t, d, x)
    box.clamp(x)
    const point = objective.at(x)
    const step = difference(x, now.x)
    return { point, promised: dot(now.gradient, step), slope: dot(point.gradient, step) }
  }
  const isLowEnough = ({ point, promised }: ReturnType<typeof at>) => point.value <= now.value + C1 * promised
  let [t, trials] = [first, 1]
  let trial = at(t)
  for (; !isLowEnough(trial) && trials < MAX_TRIALS; trials++) trial = at((t *= shortening(trial.promised, trial.point.value - now.value)))
  for (; t >= first && trial.slope < C2 * trial.promised && trials < MAX_TRIALS; trials++) {
    const longer = at(4 * t)
    if (!(isLowEnough(longer) && longer.point.value < trial.point.value)) break
    trial = longer
    t *= 4
  }
  return { point: isLowEnough(trial) ? trial.point : now, t }
}
