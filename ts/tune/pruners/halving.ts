/** Successive halving without waiting, and Hyperband. */
import { rangeError } from '../../common/errors.js'
import { count, countFrom0, readOptions, type Schema } from '../../common/options.js'
import { lossFrom, type Pruner, type PrunerContext } from './pruner.js'

/** Options of {@link asha}. */
export interface AshaOptions {
  /** The step of the first rung. Default 1. */
  minResource?: number
  /** η: the best 1/η of the trials continue from each rung to the next, which is η times as late. Default 4. */
  reductionFactor?: number
  /** Number of trials that must reach a rung before any trial is pruned there. Default 0. */
  startupTrials?: number
}

export const ASHA = {
  minResource: { is: count, default: 1 },
  reductionFactor: { is: { min: 2, whole: true }, default: 4 },
  startupTrials: { is: countFrom0, default: 0 },
} satisfies Schema<AshaOptions>

/**
 * Asynchronous successive halving (Li et al. 2020, "A system for massively parallel hyperparameter tuning"): at the steps `minResource`,
 * `minResource` · `reductionFactor`, `minResource` · `reductionFactor`² … a trial continues if it is among the best 1/`reductionFactor` of all trials
 * that have reached the step. It never waits for others, so it suits many workers.
 * @example
 * asha({ minResource: 1, reductionFactor: 3 }).name // 'asha'
 * @throws RangeError for numbers that are not whole
 */
export function asha(given: AshaOptions = {}): Pruner {
  const options = readOptions('asha', given, ASHA)
  return {
    name: 'asha',
    shouldPrune: (context) => isCut(context, options),
  }
}

function isCut({ trial, step, trials }: PrunerContext, { minResource, reductionFactor, startupTrials }: Required<AshaOptions>): boolean {
  for (let rung = minResource; rung <= step; rung *= reductionFactor) {
    const own = lossFrom(trial.losses, rung) as number
    if (Number.isNaN(own)) return true
    // a trial that reaches the rung for the first time is compared; it need not pass an earlier rung again
    const isNew = [...trial.losses.keys()].filter((at) => at >= rung).length === 1
    if (!isNew) continue
    const others = trials.filter(({ number }) => number !== trial.number).flatMap(({ losses }) => lossFrom(losses, rung) ?? [])
    if (others.length < startupTrials) continue
    const places = Math.max(1, Math.floor((others.length + 1) / reductionFactor))
    if (others.filter((loss) => loss < own).length >= places) return true
  }
  return false
}

/** Options of {@link hyperband}. */
export interface HyperbandOptions {
  /** The step of the first rung of the bracket that prunes earliest. Default 1. */
  minResource?: number
  /** The last step of a trial. */
  maxResource: number
  /** See {@link asha}. Default 3. */
  reductionFactor?: number
}

export const HYPERBAND = {
  minResource: ASHA.minResource,
  maxResource: { is: count, required: true },
  reductionFactor: { ...ASHA.reductionFactor, default: 3 },
} satisfies Schema<HyperbandOptions>

/**
 * Hyperband (Li et al. 2018): trials are distributed over brackets, and each bracket does its own successive halving. The first begins to prune at
 * `minResource`, the next `reductionFactor` times as late, and so on; the last prunes nothing. So it also works if early losses are misleading.
 * @example
 * hyperband({ maxResource: 81 }).name // 'hyperband'
 * @throws RangeError for numbers that are not whole, or `maxResource` below `minResource`
 */
export function hyperband(given: HyperbandOptions): Pruner {
  const { minResource, maxResource, reductionFactor } = readOptions('hyperband', given, HYPERBAND)
  if (maxResource < minResource) throw rangeError(`hyperband: maxResource wants a whole number ≥ ${minResource}, got ${maxResource}`)
  const brackets: number[] = []
  for (let rung = minResource; rung <= maxResource; rung *= reductionFactor) brackets.push(rung)
  // bracket s gets trials in proportion to ⌈S · ηˢ / (s + 1)⌉, s from the last to the first (Li et al. 2018, algorithm 1)
  const shares = brackets.map((_, i) => Math.ceil((brackets.length * reductionFactor ** (brackets.length - 1 - i)) / (brackets.length - i)))
  const cycle = shares.reduce((a, b) => a + b, 0)
  const bracketOf = (number: number): number => {
    // dealt out evenly: each number goes to the bracket that is furthest behind its share
    const given = shares.map(() => 0)
    let last = 0
    for (let i = 0; i <= number % cycle; i++) {
      last = shares.reduce((best, share, s) => ((given[s] + 1) / share < (given[best] + 1) / shares[best] ? s : best), 0)
      given[last]++
    }
    return last
  }
  const known: number[] = []
  const bracket = (number: number): number => (known[number % cycle] ??= bracketOf(number))
  return {
    name: 'hyperband',
    shouldPrune(context) {
      const own = bracket(context.trial.number)
      const trials = context.trials.filter(({ number }) => bracket(number) === own)
      return isCut({ ...context, trials }, { minResource: brackets[own], reductionFactor, startupTrials: 0 })
    },
  }
}
