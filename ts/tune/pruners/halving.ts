/** Successive halving without waiting, and Hyperband. */
import { checkCount } from '../../common/checks.js'
import { checkNames } from '../../common/names.js'
import { lossFrom, type Pruner, type PrunerContext } from './pruner.js'

/** Options of {@link asha}. */
export interface AshaOptions {
  /** The step of the first rung. Default 1. */
  least?: number
  /** One in so many goes on from each rung to the next, which takes as many times as long. Default 4. */
  reduction?: number
  /** Trials that a rung has seen before any of them is cut. Default 0. */
  startup?: number
}

/**
 * Asynchronous successive halving (Li et al. 2020, "A system for massively parallel hyperparameter tuning"): at the steps least, least ·
 * reduction, least · reduction² … a trial goes on if it is among the best 1/reduction of all that have come that far. It never waits for
 * others, so it suits many workers.
 * @example
 * asha({ least: 1, reduction: 3 }).name // 'asha'
 * @throws RangeError for numbers that are not whole
 */
export function asha(options: AshaOptions = {}): Pruner {
  checkNames('asha', options, ['least', 'reduction', 'startup'], { min_resource: 'least', reduction_factor: 'reduction' })
  const { least = 1, reduction = 4, startup = 0 } = options
  checkCount('asha: least', least)
  checkCount('asha: reduction', reduction, 2)
  checkCount('asha: startup', startup, 0)
  return {
    name: 'asha',
    shouldPrune: (context) => isCut(context, { least, reduction, startup }),
  }
}

function isCut({ trial, step, trials }: PrunerContext, { least, reduction, startup }: Required<AshaOptions>): boolean {
  for (let rung = least; rung <= step; rung *= reduction) {
    const own = lossFrom(trial.losses, rung) as number
    if (Number.isNaN(own)) return true
    // a trial that is at the rung for the first time is judged; what it passed before it need not pass again
    const isNew = [...trial.losses.keys()].filter((at) => at >= rung).length === 1
    if (!isNew) continue
    const others = trials.filter(({ number }) => number !== trial.number).flatMap(({ losses }) => lossFrom(losses, rung) ?? [])
    if (others.length < startup) continue
    const places = Math.max(1, Math.floor((others.length + 1) / reduction))
    if (others.filter((loss) => loss < own).length >= places) return true
  }
  return false
}

/** Options of {@link hyperband}. */
export interface HyperbandOptions {
  /** The step of the first rung of the bracket that prunes earliest. Default 1. */
  least?: number
  /** The last step of a trial. */
  most: number
  /** As in {@link asha}. Default 3. */
  reduction?: number
}

/**
 * Hyperband (Li et al. 2018): trials are dealt out to brackets, each of which halves by itself. The first begins to prune at `least`, the
 * next `reduction` times as late, and so on; the last prunes nothing. So it is right also where early losses mislead.
 * @example
 * hyperband({ most: 81 }).name // 'hyperband'
 * @throws RangeError for numbers that are not whole, or `most` below `least`
 */
export function hyperband(options: HyperbandOptions): Pruner {
  checkNames('hyperband', options, ['least', 'most', 'reduction'], { max_resource: 'most', min_resource: 'least' })
  const { least = 1, most, reduction = 3 } = options
  checkCount('hyperband: least', least)
  checkCount('hyperband: most', most, least)
  checkCount('hyperband: reduction', reduction, 2)
  const brackets: number[] = []
  for (let rung = least; rung <= most; rung *= reduction) brackets.push(rung)
  // bracket s gets trials in proportion to ⌈S · ηˢ / (s + 1)⌉, s from the last to the first (Li et al. 2018, algorithm 1)
  const shares = brackets.map((_, i) => Math.ceil((brackets.length * reduction ** (brackets.length - 1 - i)) / (brackets.length - i)))
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
      return isCut({ ...context, trials }, { least: brackets[own], reduction, startup: 0 })
    },
  }
}
