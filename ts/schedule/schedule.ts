/**
 * Schedules: pure functions from the number of steps already taken to a value, usually the learning rate of the next
 * step. schedule(0) is for the first step. They compose ({@link warmup}, {@link sequence}, {@link product}), plot
 * (`Array.from({ length: n }, (_, k) => schedule(k))`) and drive any option of an optimizer ({@link Scheduler}).
 */

import { checkPositive } from '../common/checks.js'
import { rangeError, typeError } from '../common/errors.js'
import { checkValue, finite, positive, readOptions, type Schema } from '../common/options.js'
import { show } from '../common/show.js'

/** Steps taken → value for the next step. */
export type Schedule = (step: number) => number

/** The curve from one level to another: fraction of the way as a function of the fraction of the time. */
export type Shape = 'linear' | 'cosine' | 'sqrt'

/** @internal */
export const SHAPES: readonly Shape[] = ['linear', 'cosine', 'sqrt']

/** @internal share of the way at share x ∈ [0, 1] of the time */
export function progress(shape: Shape, x: number): number {
  if (shape === 'cosine') return (1 - Math.cos(Math.PI * x)) / 2
  return shape === 'sqrt' ? Math.sqrt(x) : x
}

function checkSchedules(owner: string, schedules: readonly Schedule[]): void {
  if (!Array.isArray(schedules)) throw typeError(`${owner}: wants schedules in an array, got ${show(schedules)}`)
  const wrong = schedules.find((schedule) => typeof schedule !== 'function')
  if (wrong !== undefined) throw typeError(`${owner}: a schedule wants a function of the step, such as constant(0.1), got ${show(wrong)}`)
}

/** Always the same value. @example schedules.constant(0.1)(1000) // 0.1 */
export function constant(value: number): Schedule {
  return () => value
}

/**
 * Schedules one after the other: the i-th runs from boundaries[i − 1] on and counts its own steps from 0.
 * @example
 * const { sequence, constant, cosine } = schedules
 * sequence([constant(0.1), cosine(0.1, { steps: 900 })], [100])(550) // 0.05
 * @throws RangeError unless there is one boundary fewer than schedules, ascending
 */
export function sequence(schedules: readonly Schedule[], boundaries: readonly number[]): Schedule {
  checkSchedules('sequence', schedules)
  checkBoundaries('sequence', schedules.length, boundaries)
  return (step) => {
    const i = countUpTo(boundaries, step)
    return schedules[i](i === 0 ? step : step - boundaries[i - 1])
  }
}

/**
 * The product of schedules, such as a decay times a cycle.
 *
 * @example schedules.product(schedules.constant(0.1), schedules.linear(1, 0, 100))(50) // 0.05
 */
export function product(...schedules: readonly Schedule[]): Schedule {
  checkSchedules('product', schedules)
  return (step) => schedules.reduce((value, schedule) => value * schedule(step), 1)
}

/** Options of {@link warmup}. */
export interface WarmupOptions {
  /** Length of the warm-up. */
  steps: number
  /** First value. Default 0 for `linear` (the first step then changes nothing), 1/100 of the schedule's first value for `exponential`. */
  from?: number
  /** Default `linear`. */
  shape?: 'linear' | 'exponential'
}

export const WARMUP = {
  steps: { is: positive, required: true },
  from: { is: finite },
  shape: { is: ['linear', 'exponential'], default: 'linear' },
} satisfies Schema<WarmupOptions>

/**
 * Warms up before any schedule: from `from` to the schedule's first value in `steps` steps, then the schedule, from its start.
 * Large first steps do the most harm to nets with normalization layers, and to Adam while its averages are over few gradients.
 * @example
 * const { warmup, cosine } = schedules
 * warmup(cosine(1e-3, { steps: 9000 }), { steps: 1000 })(500) // 0.0005
 */
export function warmup(schedule: Schedule, options: WarmupOptions): Schedule {
  const { steps, from, shape } = readOptions('warmup', options, WARMUP)
  checkSchedules('warmup', [schedule])
  const to = schedule(0)
  const start = from ?? (shape === 'linear' ? 0 : to / 100)
  if (shape === 'exponential') checkPositive('warmup: from', start)
  return (step) => {
    if (step >= steps) return schedule(step - steps)
    const x = step / steps
    return shape === 'linear' ? start + (to - start) * x : start * (to / start) ** x
  }
}

/**
 * Piecewise constant: values[i] from step boundaries[i − 1] on.
 * @example schedules.piecewise([0.1, 0.01, 0.001], [30, 60])(45) // 0.01
 */
export function piecewise(values: readonly number[], boundaries: readonly number[]): Schedule {
  checkBoundaries('piecewise', values.length, boundaries)
  return (step) => values[countUpTo(boundaries, step)]
}

/**
 * Straight lines or cosine arcs through points [step, value]; constant before the first and after the last.
 * @example schedules.interpolate([[0, 0], [10, 0.1], [100, 0.001]], 'cosine')(5) // 0.05
 * @throws RangeError for no points, or steps that do not ascend
 */
export function interpolate(points: readonly (readonly [step: number, value: number])[], shape: Shape = 'linear'): Schedule {
  checkValue('interpolate: shape', shape, SHAPES)
  const steps = points.map(([step]) => step)
  if (steps.length === 0) throw rangeError('interpolate: there are no points')
  checkAscending('interpolate', steps)
  return (step) => {
    const i = countUpTo(steps, step)
    if (i === 0) return points[0][1]
    if (i === points.length) return points[i - 1][1]
    const [[fromStep, from], [toStep, to]] = [points[i - 1], points[i]]
    return from + (to - from) * progress(shape, (step - fromStep) / (toStep - fromStep))
  }
}

/** Number of boundaries ≤ step. */
function countUpTo(boundaries: readonly number[], step: number): number {
  let i = 0
  while (i < boundaries.length && boundaries[i] <= step) i++
  return i
}

function checkBoundaries(owner: string, pieces: number, boundaries: readonly number[]): void {
  if (!Array.isArray(boundaries)) throw typeError(`${owner}: wants boundaries in an array, got ${show(boundaries)}`)
  if (pieces !== boundaries.length + 1)
    throw rangeError(`${owner}: ${pieces} pieces want ${pieces - 1} boundaries, got ${boundaries.length}`)
  checkAscending(owner, boundaries, 0)
}

function checkAscending(owner: string, boundaries: readonly number[], least = -Infinity): void {
  const wrong = boundaries.findIndex((b, i) => !(i === 0 ? b >= least : b > boundaries[i - 1]))
  if (wrong >= 0)
    throw rangeError(`${owner}: boundaries want ${least === 0 ? 'numbers ≥ 0, ' : 'numbers, '}ascending, got [${boundaries.join(', ')}]`)
}
