/** Pruners that compare a trial with other trials at the same step. */
import { checkValue, count, countFrom0, readOptions, type Schema } from '../../common/options.js'
import { quantileOf } from '../../common/quantile.js'
import { bestUpTo, type Pruner } from './pruner.js'

/** Options of {@link median} and {@link percentile}. */
export interface PercentileOptions {
  /** Number of trials that must complete before any trial is pruned. Default 5. */
  startupTrials?: number
  /** No trial is pruned before this step. Default 0. */
  warmupSteps?: number
  /** Steps between decisions. Default 1. */
  intervalSteps?: number
  /** Number of trials that must have reported at a step before the pruner decides there. Default 1. */
  minTrials?: number
}

export const PERCENTILE = {
  startupTrials: { is: countFrom0, default: 5 },
  warmupSteps: { is: countFrom0, default: 0 },
  intervalSteps: { is: count, default: 1 },
  minTrials: { is: count, default: 1 },
} satisfies Schema<PercentileOptions>

/**
 * Prunes a trial whose best loss so far is worse than the median of complete trials at the same step (Golovin et al. 2017, "Google Vizier").
 * @example
 * median({ startupTrials: 10, warmupSteps: 3 }).name // 'median'
 * @throws RangeError for counts that are not whole numbers
 */
export function median(options: PercentileOptions = {}): Pruner {
  return prunerBelow('median', 50, options)
}

/**
 * Prunes a trial whose best loss so far is not among the best `percent` of complete trials at the same step. 25 prunes three of four.
 * @example
 * percentile(25).name // 'percentile'
 * @throws RangeError for a percentage beyond 0 to 100, and counts that are not whole numbers
 */
export function percentile(percent: number, options: PercentileOptions = {}): Pruner {
  checkValue('percentile: percent', percent, { min: 0, max: 100 })
  return prunerBelow('percentile', percent, options)
}

function prunerBelow(name: string, percent: number, given: PercentileOptions): Pruner {
  const { startupTrials, warmupSteps, intervalSteps, minTrials } = readOptions(name, given, PERCENTILE)
  return {
    name,
    shouldPrune({ trial, step, trials }) {
      if (step < warmupSteps || (step - warmupSteps) % intervalSteps !== 0) return false
      const complete = trials.filter(({ isComplete, number }) => isComplete && number !== trial.number)
      if (complete.length < startupTrials) return false
      const losses = complete
        .flatMap((other) => other.losses.get(step) ?? [])
        .filter((loss) => !Number.isNaN(loss))
        .sort((a, b) => a - b)
      if (losses.length < minTrials) return false
      const best = bestUpTo(trial.losses, step)
      return best === Number.POSITIVE_INFINITY || best > quantileOf(losses, percent / 100)
    },
  }
}
