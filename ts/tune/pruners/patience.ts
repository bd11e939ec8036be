/** Prunes trials that do not get better any more. */
import { checkCount } from '../../common/checks.js'
import { atLeast0, readOptions, type Schema } from '../../common/options.js'
import { type Pruner, pruner } from './pruner.js'

/** Options of {@link patience}. */
export interface PatienceOptions {
  /** Least change that counts as an improvement. Default 0. */
  minDelta?: number
  /** Decides once patience is at an end, instead of pruning at once. */
  wrappedPruner?: Pruner
}

export const PATIENCE = {
  minDelta: { is: atLeast0, default: 0 },
  wrappedPruner: { is: pruner },
} satisfies Schema<PatienceOptions>

/**
 * Prunes a trial that has not become better during its last `reports` reports, compared with the best before them.
 * @example
 * patience(5, { minDelta: 0.001, wrappedPruner: median() }).name // 'patience'
 * @throws RangeError for a number that is not whole, or a minDelta below 0
 */
export function patience(reports: number, given: PatienceOptions = {}): Pruner {
  checkCount('patience: reports', reports)
  const { minDelta, wrappedPruner } = readOptions('patience', given, PATIENCE)
  return {
    name: 'patience',
    shouldPrune(context) {
      const steps = [...context.trial.losses.keys()].sort((a, b) => a - b)
      if (steps.length <= reports) return false
      const least = (part: readonly number[]) =>
        part
          .map((step) => context.trial.losses.get(step) as number)
          .reduce((best, loss) => (loss < best ? loss : best), Number.POSITIVE_INFINITY)
      if (least(steps.slice(-reports)) < least(steps.slice(0, -reports)) - minDelta) return false
      return wrappedPruner?.shouldPrune(context) ?? true
    },
  }
}
