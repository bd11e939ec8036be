/** Schedules that go up and down. */

import { rangeError } from '../common/errors.js'
import { count, finite, flag, fraction, positive, type Read, readOptions, type Schema } from '../common/options.js'
import { show } from '../common/show.js'
import { interpolate, type Schedule } from './schedule.js'

/** Options of {@link cosineRestarts}. */
export interface CosineRestartsOptions {
  /** Length of the first cycle. */
  steps: number
  /** Each cycle is this many times as long as the previous one. Default 1. */
  lengthen?: number
  /** Each cycle starts at this many times the start of the previous one. Default 1. */
  peakFactor?: number
  /** Lowest value. Default 0. */
  to?: number
}

export const COSINE_RESTARTS = {
  steps: { is: positive, required: true },
  lengthen: { is: positive, default: 1 },
  peakFactor: { is: finite, default: 1 },
  to: { is: finite, default: 0 },
} satisfies Schema<CosineRestartsOptions>

/**
 * Cosine decay that starts again (SGDR, Loshchilov & Hutter 2017); the ends of cycles are good moments to keep a model.
 *
 * @example schedules.cosineRestarts(0.1, { steps: 100, lengthen: 2 })(100) // 0.1
 */
export function cosineRestarts(from: number, options: CosineRestartsOptions): Schedule {
  const { steps, lengthen, peakFactor, to } = readOptions('cosineRestarts', options, COSINE_RESTARTS)
  return (step) => {
    const cycle = lengthen === 1 ? Math.floor(step / steps) : cycleOf(step / steps, lengthen)
    const start = lengthen === 1 ? cycle * steps : (steps * (lengthen ** cycle - 1)) / (lengthen - 1)
    const x = (step - start) / (steps * lengthen ** cycle)
    return to + ((from - to) * peakFactor ** cycle * (1 + Math.cos(Math.PI * x))) / 2
  }
}

/** The cycle at time x, in units of the first cycle's length. Counted cycle by cycle, because a logarithm errs at the borders. */
function cycleOf(x: number, lengthen: number): number {
  let cycle = 0
  for (let length = 1, end = 1; x >= end && length > 1e-12; cycle++) end += length *= lengthen
  return cycle
}

/** Options of {@link coslog}. */
export interface CoslogOptions {
  /** Steps of the whole training. */
  steps: number
  /** Number of cycles, each twice as long as the one before. Default 4, the "coslog4" of RealMLP. */
  cycles?: number
}

export const COSLOG = { steps: { is: positive, required: true }, cycles: { is: count, default: 4 } } satisfies Schema<CoslogOptions>

/**
 * Several times from 0 up to the peak and back to 0, each time twice as slowly: peak·½(1 − cos 2π·log₂(1 + (2^cycles − 1)·k/steps)); 0 from `steps` on.
 * Each end is a good moment to keep a model. RealMLP (Holzmüller, Grinsztajn & Steinwart 2024).
 *
 * @example schedules.coslog(0.04, { steps: 1500 })(100) // 0
 */
export function coslog(peak: number, options: CoslogOptions): Schedule {
  const { steps, cycles } = readOptions('coslog', options, COSLOG)
  return (step) => {
    const cycle = Math.log2(1 + (2 ** cycles - 1) * Math.min(step / steps, 1))
    // the cosine of a whole cycle is 1 only to sixteen digits
    return Number.isInteger(cycle) ? 0 : (peak * (1 - Math.cos(2 * Math.PI * cycle))) / 2
  }
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
  /**
   * True for three phases: up to the peak, down to the first value in the same time (at most half of the steps each), then on to the last value.
   * Default false.
   */
  threePhase?: boolean
}

export const ONE_CYCLE = {
  steps: { is: positive, required: true },
  warmupFraction: { is: fraction, default: 0.3 },
  startDivisor: { is: positive, default: 25 },
  endDivisor: { is: positive, default: 1e4 },
  shape: { is: ['cosine', 'linear'], default: 'cosine' },
  threePhase: { is: flag, default: false },
} satisfies Schema<OneCycleOptions>

export const ONE_CYCLE_MOMENTUM = {
  ...ONE_CYCLE,
  high: { is: finite, default: 0.95 },
  low: { is: finite, default: 0.85 },
} satisfies Schema<Parameters<typeof oneCycleMomentum>[0]>

/**
 * Up to the peak and down to nearly nothing, once (Smith & Topin 2018). PyTorch's OneCycleLR. Pair it with {@link oneCycleMomentum}.
 *
 * @example schedules.oneCycle(0.1, { steps: 1000 })(0) // 0.004
 */
export function oneCycle(peak: number, options: OneCycleOptions): Schedule {
  const cycle = readOptions('oneCycle', options, ONE_CYCLE)
  const start = peak / cycle.startDivisor
  return oneCycleOf('oneCycle', cycle, start, peak, start / cycle.endDivisor)
}

/**
 * The momentum (or β₁) that goes with {@link oneCycle}: down while the learning rate goes up, and back. Default 0.95 and 0.85.
 *
 * @example schedules.oneCycleMomentum({ steps: 1000 })(0) // 0.95
 */
export function oneCycleMomentum(options: OneCycleOptions & { high?: number; low?: number }): Schedule {
  const { high, low, ...cycle } = readOptions('oneCycleMomentum', options, ONE_CYCLE_MOMENTUM)
  return oneCycleOf('oneCycleMomentum', cycle, high, low, high)
}

function oneCycleOf(owner: string, options: Read<OneCycleOptions, typeof ONE_CYCLE>, start: number, peak: number, end: number): Schedule {
  const { steps, warmupFraction, shape, threePhase } = options
  if (threePhase && warmupFraction > 0.5)
    throw rangeError(
      `${owner}: warmupFraction wants a number of at most 0.5 with threePhase, down is as long as up; got ${show(warmupFraction)}`,
    )
  const up = warmupFraction * steps - 1
  const down = threePhase ? 2 * warmupFraction * steps - 2 : steps - 1
  const points: [number, number][] = [
    [0, start],
    [up, peak],
    [down, threePhase ? start : end],
  ]
  if (threePhase) points.push([steps - 1, end])
  // in a training of a few steps, some phases may be over before it begins
  const first = points.reduce((last, [step], i) => (step <= 0 ? i : last), 0)
  return interpolate(points.slice(first), shape)
}

/** Options of {@link cyclic}. */
export interface CyclicOptions {
  /** Steps from low to high. Default 2000. */
  up?: number
  /** Steps from high back to low. Default: as `up`. */
  down?: number
  /** `triangular`: as is; `triangular2`: half as high each cycle; `exponential`: × gammaᵏ. Default `triangular`. */
  mode?: 'triangular' | 'triangular2' | 'exponential'
  /** For `exponential`. Default 1. */
  gamma?: number
}

export const CYCLIC = {
  up: { is: positive, default: 2000 },
  down: { is: positive },
  mode: { is: ['triangular', 'triangular2', 'exponential'], default: 'triangular' },
  gamma: { is: finite, default: 1 },
} satisfies Schema<CyclicOptions>

/**
 * Between low and high in triangles (Smith 2017). PyTorch's CyclicLR. `cyclic(0.9, 0.8, …)` is the momentum that goes with it.
 *
 * @example schedules.cyclic(0.001, 0.1, { up: 50 })(50) // 0.1
 */
export function cyclic(low: number, high: number, options: CyclicOptions = {}): Schedule {
  const { up, mode, gamma, ...given } = readOptions('cyclic', options, CYCLIC)
  const { down = up } = given
  const length = up + down
  return (step) => {
    const cycle = Math.floor(step / length)
    const k = step - cycle * length
    const height = k <= up ? k / up : (length - k) / down
    const scale = mode === 'triangular2' ? 2 ** -cycle : mode === 'exponential' ? gamma ** step : 1
    return low + (high - low) * height * scale
  }
}
