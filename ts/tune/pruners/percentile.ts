/** Pruners that compare a trial with other trials at the same step. */
import { checkCount } from '../../common/checks.js'
import { rangeError } from '../../common/errors.js'
import { checkNames } from '../../common/names.js'
import { withNewNames } from '../../common/renamed.js'
import { show } from '../../common/show.js'
import { bestUpTo, type Pruner } from './pruner.js'

/** Options of {@link median} and {@link percentile}. */
export interface PercentileOptions {
  /** Trials that come to their end before any is pruned. Default 5. */
  startupTrials?: number
  /** No trial is pruned before this step. Default 0. */
  warmupSteps?: number
  /** Steps between decisions. Default 1. */
  intervalSteps?: number
  /** Trials that must have reported at a step before it decides. Default 1. */
  minTrials?: number
}

/**
 * Prunes a trial whose best loss so far is worse than the median of complete trials at the same step (Golovin et al. 2017, "Google Vizier").
 * @example
 * median({ startupTrials: 10, warmupSteps: 3 }).name // 'median'
 * @throws RangeError for counts that are no whole numbers
 */
export function median(options: PercentileOptions = {}): Pruner {
  return prunerBelow('median', 50, options)
}

/**
 * Prunes a trial whose best loss so far is not among the best `percent` of complete trials at the same step. 25 prunes three of four.
 * @example
 * percentile(25).name // 'percentile'
 * @throws RangeError for a percentage beyond 0 to 100, and counts that are no whole numbers
 */
export function percentile(percent: number, options: PercentileOptions = {}): Pruner {
  if (!(percent >= 0 && percent <= 100)) throw rangeError(`percentile: percent wants a number from 0 to 100, got ${show(percent)}`)
  return prunerBelow('percentile', percent, options)
}

const RENAMES = { startup: 'startupTrials', warmup: 'warmupSteps', interval: 'intervalSteps', least: 'minTrials' }

function prunerBelow(name: string, percent: number, given: PercentileOptions): Pruner {
  const options = withNewNames(name, given, RENAMES)
  checkNames(name, options, ['startupTrials', 'warmupSteps', 'intervalSteps', 'minTrials'])
  const { startupTrials = 5, warmupSteps = 0, intervalSteps = 1, minTrials = 1 } = options
  checkCount(`${name}: startupTrials`, startupTrials, 0)
  checkCount(`${name}: warmupSteps`, warmupSteps, 0)
  checkCount(`${name}: intervalSteps`, intervalSteps)
  checkCount(`${name}: minTrials`, minTrials)
  return {
    name,
    shouldPrune({ trial, step, trials }) {
      if (step < warmupSteps || (step - warmupSteps) % intervalSteps !== 0) return false
      const complete = trials.filter(({ isComplete, number }) => isComplete && number !== trial.number)
      if (complete.length < startupTrials) return false
      const losses = complete.flatMap((other) => other.losses.get(step) ?? []).filter((loss) => !Number.isNaN(loss))
      if (losses.length < minTrials) return false
      const best = bestUpTo(trial.losses, step)
      return best === Number.POSITIVE_INFINITY || best > quantile(losses, percent / 100)
    },
  }
}

/** Between neighbours in proportion, as numpy.percentile has it. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const below = Math.floor(place)
  const part = place - below
  return part === 0 ? sorted[below] : sorted[below] + part * (sorted[below + 1] - sorted[below])
}
