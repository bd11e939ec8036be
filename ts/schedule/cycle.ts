/** Schedules that go up and down. */

import { checkChoice } from '../common/checks.js'
import { rangeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { checkPositive, interpolate, optionsOf, type Schedule } from './schedule.js'

/** Options of {@link cosineRestarts}. */
export interface CosineRestartsOptions {
  /** Length of the first cycle. */
  steps: number
  /** Each cycle is this many times as long as the previous one. Default 1. */
  lengthen?: number
  /** Each cycle starts that much lower. Default 1. */
  peakFactor?: number
  /** Lowest value. Default 0. */
  to?: number
}

/**
 * Cosine decay that starts again (SGDR, Loshchilov & Hutter 2017); the ends of cycles are good moments to keep a model.
 *
 * @example schedules.cosineRestarts(0.1, { steps: 100, lengthen: 2 })(100) // 0.1
 */
export function cosineRestarts(from: number, options: CosineRestartsOptions): Schedule {
  const { steps, lengthen = 1, peakFactor = 1, to = 0 } = optionsOf('cosineRestarts', options, 'steps', 'lengthen', 'peakFactor', 'to')
  checkPositive('cosineRestarts', { steps, lengthen })
  return (step) => {
    const cycle = lengthen === 1 ? Math.floor(step / steps) : cycleOf(step / steps, lengthen)
    const start = lengthen === 1 ? cycle * steps : (steps * (lengthen ** cycle - 1)) / (lengthen - 1)
    const x = (step - start) / (steps * lengthen ** cycle)
    return to + ((from - to) * peakFactor ** cycle * (1 + Math.cos(Math.PI * x))) / 2
  }
}

/** The cycle that contains x first lengths; counted, because a logarithm errs at the borders. */
function cycleOf(x: number, lengthen: number): number {
  let cycle = 0
  for (let length = 1, end = 1; x >= end && length > 1e-12; cycle++) end += length *= lengthen
  return cycle
}

/** Options of {@link oneCycle}. */
export interface OneCycleOptions {
  /** Steps of the whole training. */
  steps: number
  /** Share of the steps on the way up. Default 0.3. */
  warmupFraction?: number
  /** First value = peak / startDivisor. Default 25. */
  startDivisor?: number
  /** Last value = first value / endDivisor. Default 1e4. */
  endDivisor?: number
  /** Default `cosine`. */
  shape?: 'cosine' | 'linear'
  /** Down to the first value as long as up, so that neither is more than half of it, then on to the last. Default false. */
  threePhase?: boolean
}

const CYCLE = ['steps', 'warmupFraction', 'startDivisor', 'endDivisor', 'shape', 'threePhase'] as const

/**
 * Up to the peak and down to nearly nothing, once (Smith & Topin 2018). PyTorch's OneCycleLR. Pair it with {@link oneCycleMomentum}.
 *
 * @example schedules.oneCycle(0.1, { steps: 1000 })(0) // 0.004
 */
export function oneCycle(peak: number, options: OneCycleOptions): Schedule {
  const { startDivisor = 25, endDivisor = 1e4 } = optionsOf('oneCycle', options, ...CYCLE)
  checkPositive('oneCycle', { startDivisor, endDivisor })
  const start = peak / startDivisor
  return oneCycleOf('oneCycle', options, start, peak, start / endDivisor)
}

/**
 * The momentum (or β₁) that goes with {@link oneCycle}: down while the learning rate goes up, and back. Default 0.95 and 0.85.
 *
 * @example schedules.oneCycleMomentum({ steps: 1000 })(0) // 0.95
 */
export function oneCycleMomentum(options: OneCycleOptions & { high?: number; low?: number }): Schedule {
  const { high = 0.95, low = 0.85 } = optionsOf('oneCycleMomentum', options, ...CYCLE, 'high', 'low')
  return oneCycleOf('oneCycleMomentum', options, high, low, high)
}

function oneCycleOf(owner: string, options: OneCycleOptions, start: number, peak: number, end: number): Schedule {
  const { steps, warmupFraction = 0.3, shape = 'cosine', threePhase = false } = options
  checkPositive(owner, { steps })
  if (!(warmupFraction > 0 && warmupFraction < 1))
    throw rangeError(`${owner}: warmupFraction wants a number above 0 and below 1, got ${show(warmupFraction)}`)
  if (threePhase && warmupFraction > 0.5)
    throw rangeError(
      `${owner}: warmupFraction wants a number of at most 0.5 with threePhase, down is as long as up; got ${show(warmupFraction)}`,
    )
  checkChoice(`${owner}: shape`, shape, ['cosine', 'linear'])
  const up = warmupFraction * steps - 1
  const down = threePhase ? 2 * warmupFraction * steps - 2 : steps - 1
  const points: [number, number][] = [
    [0, start],
    [up, peak],
    [down, threePhase ? start : end],
  ]
  if (threePhase) points.push([steps - 1, end])
  // of a training of a few steps, phases are over before it begins
  const first = points.reduce((last, [step], i) => (step <= 0 ? i : last), 0)
  return interpolate(points.slice(first), shape)
}

/** Options of {@link cyclic}. */
export interface CyclicOptions {
  /** Steps from low to high. Default 2000. */
  up?: number
  /** Steps back. Default: as `up`. */
  down?: number
  /** `triangular`: as is; `triangular2`: half as high each cycle; `exponential`: × gammaᵏ. Default `triangular`. */
  mode?: 'triangular' | 'triangular2' | 'exponential'
  /** For `exponential`. Default 1. */
  gamma?: number
}

/**
 * Between low and high in triangles (Smith 2017). PyTorch's CyclicLR. `cyclic(0.9, 0.8, …)` is the momentum that goes with it.
 *
 * @example schedules.cyclic(0.001, 0.1, { up: 50 })(50) // 0.1
 */
export function cyclic(low: number, high: number, options: CyclicOptions = {}): Schedule {
  const { up = 2000, down = up, mode = 'triangular', gamma = 1 } = optionsOf('cyclic', options, 'up', 'down', 'mode', 'gamma')
  checkPositive('cyclic', { up, down })
  checkChoice('cyclic: mode', mode, ['triangular', 'triangular2', 'exponential'])
  const length = up + down
  return (step) => {
    const cycle = Math.floor(step / length)
    const k = step - cycle * length
    const height = k <= up ? k / up : (length - k) / down
    const scale = mode === 'triangular2' ? 2 ** -cycle : mode === 'exponential' ? gamma ** step : 1
    return low + (high - low) * height * scale
  }
}
