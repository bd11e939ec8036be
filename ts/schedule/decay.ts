/** Schedules that go down once. */

import { checkChoice } from '../common/checks.js'
import { typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { checkPositive, optionsOf, progress, type Schedule, SHAPES, type Shape, warmup } from './schedule.js'

/** From one value to another in `steps` steps, then constant. @example schedules.linear(0.1, 0, 100)(50) // 0.05 */
export function linear(from: number, to: number, steps: number): Schedule {
  checkPositive('linear', { steps })
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

/** to + (from − to)·(1 − k/steps)^power, then constant. @example schedules.polynomial(0.1, { steps: 100, power: 2 })(50) // 0.025 */
export function polynomial(from: number, options: PolynomialOptions): Schedule {
  const { steps, to = 0, power = 1, after = 0, cycle = false } = optionsOf('polynomial', options, 'steps', 'to', 'power', 'after', 'cycle')
  checkPositive('polynomial', { steps })
  return (step) => {
    const k = Math.max(0, step - after)
    const length = cycle ? steps * Math.max(1, Math.ceil(k / steps)) : steps
    return to + (from - to) * (1 - Math.min(k / length, 1)) ** power
  }
}

/**
 * value · factor^⌊k/every⌋: a drop after each `every` steps. Factor 0.1 by default.
 *
 * @example schedules.stepDecay(0.1, { every: 30 })(65) // 0.001
 */
export function stepDecay(value: number, options: { every: number; factor?: number }): Schedule {
  const { every, factor = 0.1 } = optionsOf('stepDecay', options, 'every', 'factor')
  checkPositive('stepDecay', { every })
  return (step) => value * factor ** Math.floor(step / every)
}

/**
 * A drop at each milestone; one that is listed twice counts twice. Factor 0.1 by default.
 *
 * @example schedules.multiStep(0.1, { milestones: [30, 60] })(60) // 0.001
 */
export function multiStep(value: number, options: { milestones: readonly number[]; factor?: number }): Schedule {
  const { milestones, factor = 0.1 } = optionsOf('multiStep', options, 'milestones', 'factor')
  if (!Array.isArray(milestones)) throw typeError(`multiStep: milestones wants an array of steps, got ${show(milestones)}`)
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

/** value · factor^(k/every). @example schedules.exponential(0.1, { factor: 0.5, every: 10 })(20) // 0.025 */
export function exponential(value: number, options: ExponentialOptions): Schedule {
  optionsOf('exponential', options, 'factor', 'every', 'after', 'limit', 'staircase')
  const { factor, every = 1, after = 0, limit, staircase = false } = options
  checkPositive('exponential', { factor, every })
  const bound = factor < 1 ? Math.max : Math.min
  return (step) => {
    const k = Math.max(0, step - after) / every
    const now = value * factor ** (staircase ? Math.floor(k) : k)
    return limit === undefined ? now : bound(now, limit)
  }
}

/**
 * value / (1 + rate · k/every): slower and slower, the classical condition for convergence of stochastic descent.
 *
 * @example schedules.inverseTime(0.1, { rate: 1, every: 100 })(300) // 0.025
 */
export function inverseTime(value: number, options: { rate: number; every?: number; staircase?: boolean }): Schedule {
  const { rate, every = 1, staircase = false } = optionsOf('inverseTime', options, 'rate', 'every', 'staircase')
  checkPositive('inverseTime', { every })
  return (step) => value / (1 + rate * (staircase ? Math.floor(step / every) : step / every))
}

/**
 * peak · min(k/w, √(w/k)), w = warmupSteps: linear up to the peak, then as one over the root ("Noam", Vaswani et al. 2017).
 *
 * @example schedules.inverseSqrt(0.1, { warmupSteps: 100 })(400) // 0.05
 */
export function inverseSqrt(peak: number, options: { warmupSteps: number }): Schedule {
  const { warmupSteps } = optionsOf('inverseSqrt', options, 'warmupSteps')
  checkPositive('inverseSqrt', { warmupSteps })
  return (step) => peak * (step < warmupSteps ? step / warmupSteps : Math.sqrt(warmupSteps / step))
}

/** Options of {@link cosine}. */
export interface CosineOptions {
  steps: number
  /** Last value. Default 0. */
  to?: number
  /** Exponent of the cosine term. Default 1. */
  exponent?: number
  /** After `steps`: stay (optax, Keras) or rise again (PyTorch's CosineAnnealingLR). Default `hold`. */
  afterwards?: 'hold' | 'rise'
}

/**
 * to + (from − to)·((1 + cos(πk/steps))/2)^exponent: slow at both ends. With {@link warmup} the usual choice (Loshchilov & Hutter 2017).
 *
 * @example schedules.cosine(0.1, { steps: 1000 })(500) // 0.05
 */
export function cosine(from: number, options: CosineOptions): Schedule {
  const { steps, to = 0, exponent = 1, afterwards = 'hold' } = optionsOf('cosine', options, 'steps', 'to', 'exponent', 'afterwards')
  checkPositive('cosine', { steps })
  checkChoice('cosine: afterwards', afterwards, ['hold', 'rise'])
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

/**
 * Linearly up, constant, then down at the end. A training can be extended from the constant part (Hu et al. 2024).
 *
 * @example schedules.warmupStableDecay(0.1, { warmupSteps: 10, stableSteps: 80, decaySteps: 10 })(95) // 0.05
 */
export function warmupStableDecay(peak: number, options: WarmupStableDecayOptions): Schedule {
  optionsOf('warmupStableDecay', options, 'warmupSteps', 'stableSteps', 'decaySteps', 'to', 'shape')
  const { warmupSteps, stableSteps, decaySteps, to = 0, shape = 'linear' } = options
  checkPositive('warmupStableDecay', { decaySteps })
  checkChoice('warmupStableDecay: shape', shape, SHAPES)
  const rest = (step: number) => peak + (to - peak) * progress(shape, Math.min(Math.max(0, step - stableSteps) / decaySteps, 1))
  return warmupSteps > 0 ? warmup(rest, { steps: warmupSteps }) : rest
}
