/** Stopping conditions of iterations, the same for every method. */

import { maxAbs } from '../common/vector.js'
import type { Box } from './box.js'
import type { LastStep } from './minimize/direction.js'
import type { Point, PointSource } from './objective.js'
import type { Stop } from './result.js'

/** State after an iteration, for `onIteration`. */
export interface SolveProgress {
  iteration: number
  x: Float64Array
  value: number
  gradient: Float64Array
  evaluations: number
}

/** Limits and tolerances of {@link minimize}. */
export interface StopOptions {
  /** `gradient`: every |gᵢ| ≤ this, with bounds for the projected gradient. Default 1e-5 (SciPy's gtol). */
  gradientTolerance?: number
  /** `value`: |Δf| ≤ this·max(|f|, |f₋₁|). Default 1e-15: at the end of double precision. */
  valueTolerance?: number
  /** `step`: every |Δxᵢ| ≤ this·max(1, |x|∞). Default 1e-16. */
  stepTolerance?: number
  /** Largest number of iterations. Default 200·n, at least 1000 (SciPy: 200·n). */
  maxIterations?: number
  /** Largest number of evaluations of the function. Default: no limit. */
  maxEvaluations?: number
  /** Called after every iteration; false stops. */
  onIteration?: (progress: SolveProgress) => unknown
}

/** A value below this is taken for minus infinity. */
const BOTTOMLESS = -1e100

/** @internal Checks a state after each iteration. */
export class Stopping {
  iterations = 0
  /** The last step of a line search, from which to continue. */
  last: LastStep = null
  readonly maxIterations: number
  private readonly options: StopOptions

  constructor(
    options: StopOptions,
    private readonly objective: PointSource,
    private readonly box: Box | null = null,
  ) {
    this.options = options
    this.maxIterations = options.maxIterations ?? Math.max(1000, 200 * objective.size)
  }

  private steepness({ x, gradient }: Point): number {
    return this.box === null ? maxAbs(gradient) : this.box.steepness(x, gradient)
  }

  /** Checks the state before an iteration. */
  before(point: Point): Stop | null {
    const { gradientTolerance = 1e-5, maxEvaluations = Number.POSITIVE_INFINITY } = this.options
    if (!Number.isFinite(point.value))
      return { reason: 'not-finite', message: `the value or gradient is not finite at ${this.iterations === 0 ? 'the start' : 'a step'}` }
    if (point.value < BOTTOMLESS)
      return { reason: 'not-finite', message: `the function seems to fall without bound: its value is ${point.value.toExponential(1)}` }
    const size = this.steepness(point)
    if (size <= gradientTolerance) {
      const which = this.box === null ? 'gradient' : 'projected gradient'
      return {
        reason: 'gradient',
        message: `the largest component of the ${which}, ${size.toExponential(1)}, is within ${gradientTolerance}`,
      }
    }
    if (this.iterations >= this.maxIterations) return { reason: 'iterations', message: `${this.iterations} iterations were made` }
    if (this.objective.evaluations < maxEvaluations) return null
    return { reason: 'iterations', message: `${this.objective.evaluations} evaluations were made` }
  }

  /** Checks the state after an accepted step from `before` to `now`. */
  after(before: Point, now: Point): Stop | null {
    const { valueTolerance = 1e-15, stepTolerance = 1e-16, onIteration, gradientTolerance = 1e-5 } = this.options
    this.iterations++
    const { x, value, gradient } = now
    const { iterations: iteration, objective } = this
    if (onIteration?.({ iteration, x: x.slice(), value, gradient: gradient.slice(), evaluations: objective.evaluations }) === false)
      return { reason: 'callback', message: `onIteration stopped after iteration ${iteration}` }
    if (this.steepness(now) <= gradientTolerance || value < BOTTOMLESS) return null
    let step = 0
    for (let i = 0; i < x.length; i++) step = Math.max(step, Math.abs(x[i] - before.x[i]))
    if (step <= stepTolerance * Math.max(1, maxAbs(x)))
      return { reason: 'step', message: `the last step, ${step.toExponential(1)}, is within the tolerance` }
    const change = Math.abs(value - before.value)
    if (change > valueTolerance * Math.max(Math.abs(value), Math.abs(before.value))) return null
    return { reason: 'value', message: `the last change of the value, ${change.toExponential(1)}, is within the tolerance` }
  }
}

/** A gradient counts as small for the scale of the function if a change of x by |x| would change the value by less than this share. */
const SMALL_FOR_SCALE = 1e-3

/**
 * Decides whether an end without a small gradient counts as convergence: the value or the point no longer changes, and the gradient is small for the
 * scale of the function, max |gᵢ|·max(|xᵢ|, 1) ≤ 1e-3·max(|f|, 1) (Dennis & Schnabel 1983, §7.2). Otherwise the search is stuck and not at a minimum:
 * reason `line-search`. If the caller has set the tolerance that was met, it always counts. @internal
 */
export function confirmed(stop: Stop, { x, value, gradient }: Point, options: StopOptions, box: Box | null): Stop {
  const { valueTolerance, stepTolerance } = options
  const asked = stop.reason === 'value' ? valueTolerance : stop.reason === 'step' ? stepTolerance : 0
  if (asked !== undefined) return stop
  const scale = Math.max(1, Math.abs(value))
  let steepest = 0
  for (let i = 0; i < x.length; i++) {
    if (box === null || !box.holds(x, gradient, i)) steepest = Math.max(steepest, Math.abs(gradient[i]) * Math.max(1, Math.abs(x[i])))
  }
  if (steepest <= SMALL_FOR_SCALE * scale) return stop
  const message = `stuck where the gradient is still ${maxAbs(gradient).toExponential(1)}: ${stop.message}`
  return { reason: 'line-search', message }
}

/** Relative decrease that rounding in a sum of a few dozen terms can hide. */
const ROUNDING = 1e-14

/**
 * True if an expected decrease would be lost in the rounding of values as large as these two: double precision is exhausted.
 * @internal
 */
export function withinRounding(expected: number, value: number, startValue: number): Stop | null {
  if (!(expected <= ROUNDING * Math.max(Math.abs(value), Math.abs(startValue)))) return null
  return { reason: 'value', message: `the decrease to be expected, ${expected.toExponential(1)}, is within rounding` }
}
