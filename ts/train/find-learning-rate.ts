/** The learning-rate range test: a short training with a growing rate, whose loss shows the useful range. */

import { NonFiniteError, rangeError, typeError } from '../common/errors.js'
import { decay, positive, readOptions, type Schema } from '../common/options.js'
import type { Module } from '../nn/module.js'
import type { OptimizerLike } from '../optim/wrappers/wrapper.js'
import { CARRIED } from '../rows/carried.js'
import { claim } from './claim.js'
import { FIT, type ReadSteps, STEPS, type StepOptions } from './options.js'
import { snapshot } from './snapshot.js'
import { stepsOf } from './steps.js'

/** Options of {@link findLearningRate}. */
export interface FindLearningRateOptions extends Omit<StepOptions, 'epochs' | 'schedule' | 'optimizer'> {
  optimizer: OptimizerLike
  /** First rate. Default 1e-7. */
  from?: number
  /** Last rate. Default 10. */
  to?: number
  /** Number of steps, which is the number of points of the plot. Default 100. */
  steps?: number
  /** β of the running mean of the loss. Default 0.95. */
  smoothing?: number
  /** Ends the test once the smoothed loss is this many times its least value. Above 1. Default 4. */
  divergenceFactor?: number
}

/** Result of {@link findLearningRate}: points to plot (rates on a logarithmic axis), and suggestions. */
export interface LearningRateCurve {
  learningRates: number[]
  /** The loss of each step, before its update. */
  losses: number[]
  /** The bias-corrected running mean of `losses`. */
  smoothed: number[]
  /** True if the loss exploded before the last rate was reached. */
  diverged: boolean
  /** Suggested rates, each null if the loss never fell. */
  suggestions: LearningRateSuggestions
}

/** Learning rates by rule of thumb. */
export interface LearningRateSuggestions {
  /** The rate at which the smoothed loss falls fastest over log η, after the first tenth of the steps, whose mean is over too few batches. */
  steepest: number | null
  /** Two thirds along the longest decline of the smoothed loss; the steadiest of the three. */
  valley: number | null
  /** A tenth of the rate at the least smoothed loss. */
  minimum: number | null
}

const { epochs: _epochs, schedule: _schedule, ...OF_STEPS } = STEPS

export const FIND_LEARNING_RATE = {
  ...OF_STEPS,
  from: { is: positive, default: 1e-7 },
  to: { is: positive, default: 10 },
  steps: { is: { min: 2, whole: true }, default: 100 },
  smoothing: { is: decay, default: 0.95 },
  divergenceFactor: { is: { min: 1, openMin: true }, default: 4 },
} satisfies Schema<FindLearningRateOptions>

/** Options of `fit` are accepted too. */
const OTHERS = [...CARRIED, ...Object.keys(FIT)]

/**
 * Learning-rate range test (Smith 2015): the rate grows geometrically from step to step until the loss explodes.
 *
 *     ηᵢ = from · (to/from)^(i/(steps − 1));    s ← β·s + (1 − β)·loss,  smoothed = s/(1 − βⁱ⁺¹)
 *
 * The loss stays flat at rates that are too small, falls at good rates, and rises at rates that are too large: choose a rate on the slope.
 * Afterwards weights, gradients, optimizer (with its options) and random generators are as before, to the bit. All groups
 * get the same rate during the test. The test says little about methods that choose their own step (Prodigy, DoG, Rprop).
 *
 * @example
 * const { suggestions, learningRates, smoothed } = await findLearningRate(model, { inputs, targets, loss: crossEntropy, optimizer })
 * if (suggestions.valley !== null) optimizer.learningRate = suggestions.valley
 * @throws RangeError, ShapeError for data or options that do not fit; NonFiniteError if the very first loss is not finite; Error if the
 *   model is being trained
 */
export async function findLearningRate(model: Module, given: FindLearningRateOptions): Promise<LearningRateCurve> {
  const options = readOptions('findLearningRate', given, FIND_LEARNING_RATE, OTHERS)
  const { from, to, steps, smoothing, divergenceFactor, ...others } = options
  if (to <= from) throw rangeError(`findLearningRate: wants 0 < from < to, got from ${from} and to ${to}`)
  const rate = (i: number) => from * (to / from) ** (i / (steps - 1))
  const curve: LearningRateCurve = { learningRates: [], losses: [], smoothed: [], diverged: false, suggestions: NO_SUGGESTIONS }
  if ('trainOn' in options.optimizer) throw typeError(`findLearningRate: ${options.optimizer.name} finds its steps itself`)
  const release = claim('findLearningRate', model)
  let restore: (() => void) | undefined
  let [sum, least] = [0, Infinity]
  try {
    restore = snapshot(model, options.optimizer)
    model.train()
    const range: ReadSteps = { ...others, epochs: steps, schedule: rate }
    for await (const { step, loss } of stepsOf('findLearningRate', model, range)) {
      sum = smoothing * sum + (1 - smoothing) * loss
      const smooth = sum / (1 - smoothing ** step)
      curve.learningRates.push(rate(step - 1))
      curve.losses.push(loss)
      curve.smoothed.push(smooth)
      least = Math.min(least, smooth)
      if (smooth > divergenceFactor * least) curve.diverged = true
      if (curve.diverged || step === steps) break
    }
  } catch (error) {
    if (!(error instanceof NonFiniteError) || curve.losses.length === 0) throw error
    curve.diverged = true
  } finally {
    restore?.()
    release()
  }
  return { ...curve, suggestions: suggest(curve.learningRates, curve.smoothed) }
}

const NO_SUGGESTIONS: LearningRateSuggestions = { steepest: null, valley: null, minimum: null }

/** @internal */
export function suggest(rates: readonly number[], smoothed: readonly number[]): LearningRateSuggestions {
  const least = smoothed.indexOf(Math.min(...smoothed))
  if (least <= 0) return NO_SUGGESTIONS
  const [start, end] = longestDecline(smoothed)
  return {
    steepest: rates[steepestDescent(smoothed, least)],
    valley: rates[start + Math.round(((end - start) * 2) / 3)],
    minimum: rates[least] / 10,
  }
}

/** The index of the least central difference, from a tenth of the way up to index `last`; rates are evenly spaced in their logarithm. */
function steepestDescent(y: readonly number[], last: number): number {
  const slope = (i: number) => {
    const [a, b] = [Math.max(0, i - 1), Math.min(last, i + 1)]
    return (y[b] - y[a]) / (b - a)
  }
  let best = Math.min(last, Math.floor(y.length / 10))
  for (let i = best + 1; i <= last; i++) if (slope(i) < slope(best)) best = i
  return best
}

/** First and last index of the longest subsequence that only falls; a plateau before it does not count. */
function longestDecline(y: readonly number[]): [start: number, end: number] {
  const length = y.map(() => 1)
  const start = y.map((_, i) => i)
  let end = 0
  for (let i = 1; i < y.length; i++) {
    for (let j = 0; j < i; j++) {
      if (!(y[i] < y[j]) || length[i] > length[j] + 1) continue
      start[i] = length[i] > length[j] ? Math.max(start[i], start[j]) : start[j]
      length[i] = length[j] + 1
    }
    if (length[i] > length[end]) end = i
  }
  return [start[end], end]
}
