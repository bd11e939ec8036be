/** Schedules that go down once. */

import { checkPositive } from '../common/checks.js'
import { array, decay as decayShare, finite, flag, nonNegative, positive, readOptions, type Schema } from '../common/options.js'
import { progress, type Schedule, SHAPES, type Shape, warmup } from './schedule.js'

/** Goes linearly from one value to another in `steps` steps, then stays constant. @example schedules.linear(0.1, 0, 100)(50) // 0.05 */
export function linear(from: number, to: number, steps: number): Schedule {
  checkPositive('linear: steps', steps)
  return (step) => from + (to - from) * Math.min(step / steps, 1)
}

/** Options of {@link polynomial}. */
export interface PolynomialOptions {
  steps: number
  /** Last value. Default 0. */
  to?: number
  /** Default 1. */
  power?: number
  /** Steps before it starts. Default 0. */
  after?: number
  /** Starts again, over a longer stretch, each time the end is reached (Keras). Default false. */
  cycle?: boolean
}

export const POLYNOMIAL = {
  steps: { is: positive, required: true },
  to: { is: finite, default: 0 },
  power: { is: finite, default: 1 },
  after: { is: finite, default: 0 },
  cycle: { is: flag, default: false },
} satisfies Schema<PolynomialOptions>

/** to + (from − to)·(1 − k/steps)^power, then constant. @example schedules.polynomial(0.1, { steps: 100, power: 2 })(50) // 0.025 */
export function polynomial(from: number, options: PolynomialOptions): Schedule {
  const { steps, to, power, after, cycle } = readOptions('polynomial', options, POLYNOMIAL)
  return (step) => {
    const k = Math.max(0, step - after)
    const length = cycle ? steps * Math.max(1, Math.ceil(k / steps)) : steps
    return to + (from - to) * (1 - Math.min(k / length, 1)) ** power
  }
}

export const STEP_DECAY = {
  every: { is: positive, required: true },
  factor: { is: finite, default: 0.1 },
} satisfies Schema<Parameters<typeof stepDecay>[1]>

/**
 * value · factor^⌊k/every⌋: a drop after each `every` steps. Factor 0.1 by default.
 *
 * @example schedules.stepDecay(0.1, { every: 30 })(65) // 0.001
 */
export function stepDecay(value: number, options: { every: number; factor?: number }): Schedule {
  const { every, factor } = readOptions('stepDecay', options, STEP_DECAY)
  return (step) => value * factor ** Math.floor(step / every)
}

export const MULTI_STEP = {
  milestones: { is: { ...array, wants: 'an array of steps' }, required: true },
  factor: { is: finite, default: 0.1 },
} satisfies Schema<Parameters<typeof multiStep>[1]>

/**
 * A drop at each milestone; a milestone that is listed twice counts twice. Factor 0.1 by default.
 *
 * @example schedules.multiStep(0.1, { milestones: [30, 60] })(60) // 0.001
 */
export function multiStep(value: number, options: { milestones: readonly number[]; factor?: number }): Schedule {
  const { milestones, factor } = readOptions('multiStep', options, MULTI_STEP)
  return (step) => value * factor ** milestones.filter((m) => m <= step).length
}

/** Options of {@link exponential}. */
export interface ExponentialOptions {
  /** Factor by which the value shrinks in `every` steps. */
  factor: number
  /** Default 1. */
  every?: number
  /** Steps before it starts. Default 0. */
  after?: number
  /** Lower limit of the value (upper limit if it grows). Default: none. */
  limit?: number
  /** Changes only at multiples of `every`. Default false. */
  staircase?: boolean
}

export const EXPONENTIAL = {
  factor: { is: positive, required: true },
  every: { is: positive, default: 1 },
  after: { is: finite, default: 0 },
  limit: { is: finite },
  staircase: { is: flag, default: false },
} satisfies Schema<ExponentialOptions>

/** value · factor^(k/every). @example schedules.exponential(0.1, { factor: 0.5, every: 10 })(20) // 0.025 */
export function exponential(value: number, options: ExponentialOptions): Schedule {
  const { factor, every, after, limit, staircase } = readOptions('exponential', options, EXPONENTIAL)
  const bound = factor < 1 ? Math.max : Math.min
  return (step) => {
    const k = Math.max(0, step - after) / every
    const now = value * factor ** (staircase ? Math.floor(k) : k)
    return limit === undefined ? now : bound(now, limit)
  }
}

export const INVERSE_TIME = {
  rate: { is: finite, required: true },
  every: { is: positive, default: 1 },
  staircase: { is: flag, default: false },
} satisfies Schema<Parameters<typeof inverseTime>[1]>

/**
 * value / (1 + rate · k/every): falls slower and slower, as the classical proofs of convergence of stochastic gradient descent require.
 *
 * @example schedules.inverseTime(0.1, { rate: 1, every: 100 })(300) // 0.025
 */
export function inverseTime(value: number, options: { rate: number; every?: number; staircase?: boolean }): Schedule {
  const { rate, every, staircase } = readOptions('inverseTime', options, INVERSE_TIME)
  return (step) => value / (1 + rate * (staircase ? Math.floor(step / every) : step / every))
}

export const INVERSE_SQRT = { warmupSteps: { is: positive, required: true } } satisfies Schema<Parameters<typeof inverseSqrt>[1]>

/**
 * peak · min(k/w, √(w/k)), w = warmupSteps: linear up to the peak, then proportional to 1/√k ("Noam", Vaswani et al. 2017).
 *
 * @example schedules.inverseSqrt(0.1, { warmupSteps: 100 })(400) // 0.05
 */
export function inverseSqrt(peak: number, options: { warmupSteps: number }): Schedule {
  const { warmupSteps } = readOptions('inverseSqrt', options, INVERSE_SQRT)
  return (step) => peak * (step < warmupSteps ? step / warmupSteps : Math.sqrt(warmupSteps / step))
}

/** Options of {@link cosine}. */
export interface CosineOptions {
  steps: number
  /** Last value. Default 0. */
  to?: number
  /** Exponent of the cosine term. Default 1. */
  exponent?: number
  /** Course after `steps`: `hold` stays at the last value (optax, Keras), `rise` goes up again (PyTorch's CosineAnnealingLR). Default `hold`. */
  afterwards?: 'hold' | 'rise'
}

export const COSINE = {
  steps: { is: positive, required: true },
  to: { is: finite, default: 0 },
  exponent: { is: finite, default: 1 },
  afterwards: { is: ['hold', 'rise'], default: 'hold' },
} satisfies Schema<CosineOptions>

/**
 * to + (from − to)·((1 + cos(πk/steps))/2)^exponent: slow at both ends. With {@link warmup} the usual choice (Loshchilov & Hutter 2017).
 *
 * @example schedules.cosine(0.1, { steps: 1000 })(500) // 0.05
 */
export function cosine(from: number, options: CosineOptions): Schedule {
  const { steps, to, exponent, afterwards } = readOptions('cosine', options, COSINE)
  return (step) => {
    const k = afterwards === 'hold' ? Math.min(step, steps) : step
    return to + (from - to) * ((1 + Math.cos((Math.PI * k) / steps)) / 2) ** exponent
  }
}

/** Options of {@link warmupStableDecay}. */
export interface WarmupStableDecayOptions {
  warmupSteps: number
  stableSteps: number
  decaySteps: number
  /** Last value. Default 0. */
  to?: number
  /** Shape of the decay. Default `linear`. */
  shape?: Shape
}

export const WARMUP_STABLE_DECAY = {
  warmupSteps: { is: nonNegative, required: true },
  stableSteps: { is: nonNegative, required: true },
  decaySteps: { is: positive, required: true },
  to: { is: finite, default: 0 },
  shape: { is: SHAPES, default: 'linear' },
} satisfies Schema<WarmupStableDecayOptions>

/**
 * Linearly up, constant, then down at the end. A training can be extended from the constant part (Hu et al. 2024).
 *
 * @example schedules.warmupStableDecay(0.1, { warmupSteps: 10, stableSteps: 80, decaySteps: 10 })(95) // 0.05
 */
export function warmupStableDecay(peak: number, options: WarmupStableDecayOptions): Schedule {
  const { warmupSteps, stableSteps, decaySteps, to, shape } = readOptions('warmupStableDecay', options, WARMUP_STABLE_DECAY)
  const rest = (step: number) => peak + (to - peak) * progress(shape, Math.min(Math.max(0, step - stableSteps) / decaySteps, 1))
  return warmupSteps > 0 ? warmup(rest, { steps: warmupSteps }) : rest
}

/** Options of {@link flatCosine}. */
export interface FlatCosineOptions {
  /** Steps of the whole training. */
  steps: number
  /** Share of the steps before the decay. Default 0.5. */
  flatFraction?: number
  /** Last value. Default 0. */
  to?: number
}

export const FLAT_COSINE = {
  steps: { is: positive, required: true },
  flatFraction: { is: decayShare, default: 0.5 },
  to: { is: finite, default: 0 },
} satisfies Schema<FlatCosineOptions>

/**
 * Constant for a share of the steps, then down along half a cosine. RealMLP lowers dropout and weight decay so (Holzmüller, Grinsztajn & Steinwart
 * 2024).
 *
 * @example schedules.flatCosine(0.1, { steps: 100 })(75) // 0.05
 */
export function flatCosine(from: number, options: FlatCosineOptions): Schedule {
  const { steps, flatFraction, to } = readOptions('flatCosine', options, FLAT_COSINE)
  return (step) => {
    const way = Math.min(Math.max(0, (step / steps - flatFraction) / (1 - flatFraction)), 1)
    return from + (to - from) * progress('cosine', way)
  }
}
