/** Importance of parameters: their influence on the quality of a trial. */
import { rangeError } from '../common/errors.js'
import { fraction, type Range, readOptions, type Schema } from '../common/options.js'
import { show } from '../common/show.js'
import { varianceShares } from './forest.js'
import { normalCdf } from './math.js'
import { type ParameterRange, rangeOf, type Space } from './space.js'
import type { Study } from './study.js'
import type { TrialRecord } from './trial.js'

/** Options of {@link importance}. */
export interface ImportanceOptions {
  /**
   * 'pedAnova' measures how the best trials differ from the other trials; 'fanova' measures the share of the variance over the whole space that a
   * parameter explains, by a forest of regression trees (Hutter, Hoos & Leyton-Brown 2014). After a sampler has found the right range of a parameter,
   * the first finds it unimportant, the second does not. Default 'pedAnova'.
   */
  evaluator?: 'pedAnova' | 'fanova'
  /** The fraction of the trials that counts as good. Default 0.1. */
  targetQuantile?: number
  /**
   * The fraction of the trials with which the good ones are compared: 1 explains what makes a trial good, 0.5 what makes the better half good.
   * Default 1.
   */
  regionQuantile?: number
}

const aboveZero: Range = { min: 0, max: 1, openMin: true }

export const IMPORTANCE = {
  evaluator: { is: ['pedAnova', 'fanova'], default: 'pedAnova' },
  targetQuantile: { is: fraction, default: 0.1 },
  regionQuantile: { is: aboveZero, default: 1 },
} satisfies Schema<ImportanceOptions>

/** Number of cells of a range. */
const STEPS = 50

/**
 * The importance of each parameter by PED-ANOVA (Watanabe, Bansal & Hutter 2023): the difference between a parameter's distribution among the best
 * tenth of the trials and among all. The numbers add up to 1, sorted from the largest, and equal Optuna 5's `get_param_importances` with its
 * `PedAnovaImportanceEvaluator`.
 *
 * They describe the region that the study explored, and are useful from some fifty trials on.
 * @example
 * const study = await createStudy({ space: { rate: float(1e-4, 1, { log: true }), seed: int(0, 9) }, seed: 1 })
 * await study.optimize(({ rate, seed }) => Math.abs(Math.log10(rate) + 2) + seed / 1000, { trials: 60 })
 * importance(study).rate > 0.7 // true
 * @throws RangeError for shares beyond 0 to 1
 */
export function importance<S extends Space>(study: Study<S>, given: ImportanceOptions = {}): Record<keyof S & string, number> {
  const { evaluator, targetQuantile, regionQuantile } = readOptions('importance', given, IMPORTANCE)
  if (targetQuantile >= regionQuantile)
    throw rangeError(
      `importance: wants 0 < targetQuantile < regionQuantile ≤ 1, got targetQuantile ${show(targetQuantile)} and regionQuantile ${show(regionQuantile)}`,
    )
  const { axes, history } = study.observations
  if (evaluator === 'fanova') {
    const shares = history.ranked.length < 2 ? axes.map(() => 0) : varianceShares(axes, history.ranked)
    return sorted(axes.map(({ name }, i) => [name as keyof S & string, shares[i]]))
  }
  const sign = study.directions[0] === 'minimize' ? 1 : -1
  const trials = study.trials.filter(({ state, values }) => state === 'complete' && values.every(Number.isFinite))
  const names = Object.keys(study.space) as (keyof S & string)[]
  const region = bestOf(trials, regionQuantile, sign)
  const target = bestOf(trials, targetQuantile, sign)
  const divergences = names.map((name): [keyof S & string, number] => [
    name,
    trials.length < 2 ? 0 : divergence(name, study.space, target, region),
  ])
  const sum = divergences.reduce((total, [, value]) => total + value, 0)
  return sorted(divergences.map(([name, value]) => [name, sum > 0 ? value / sum : 0]))
}

function sorted<K extends string>(shares: [name: K, share: number][]): Record<K, number> {
  return Object.fromEntries(shares.sort(([, a], [, b]) => b - a)) as Record<K, number>
}

/** The best share of the trials, with all that are as good as the last of them. */
function bestOf(trials: readonly TrialRecord[], share: number, sign: number): readonly TrialRecord[] {
  if (share === 1 || trials.length === 0) return trials
  const losses = trials.map(({ values }) => sign * values[0])
  const last = [...losses].sort((a, b) => a - b)[Math.ceil(share * trials.length) - 1]
  return trials.filter((_, i) => losses[i] <= last)
}

/** Pearson's divergence of the distribution among the best from that among all, for trials that have the parameter (condPED-ANOVA, 2026). */
function divergence(name: string, space: Space, target: readonly TrialRecord[], region: readonly TrialRecord[]): number {
  const has = ({ params }: TrialRecord) => params[name] !== undefined
  const [own, all] = [target.filter(has), region.filter(has)]
  if (all.length < 2 || own.length === 0) return 0
  const range = rangeOf(space[name])
  if (range.kind === 'categorical' ? range.choices.length === 1 : range.low === range.high) return 0
  const valuesOf = (trials: typeof all) => trials.map(({ params }) => params[name] as number)
  const [p, q] = [own, all].map((trials) => densityOf(valuesOf(trials), range))
  const sum = q.reduce((total, density, i) => total + (density + 1e-12) * ((p[i] + 1e-12) / (density + 1e-12) - 1) ** 2, 0)
  const scale = (own.length / target.length) ** 2 / (all.length / region.length)
  return scale * sum * (target.length / region.length) ** 2
}

/** A density over the cells of a range: normal kernels with the width of Scott's rule, and a prior over all cells. */
function densityOf(values: readonly unknown[], range: ParameterRange): number[] {
  const counts = countsOf(values, range)
  const cells = counts.flatMap((count, i) => (count > 0 ? [i] : []))
  const weights = cells.map((cell) => counts[cell])
  const total = weights.reduce((a, b) => a + b, 0)
  const size = counts.length
  if (range.kind === 'categorical') {
    const kernels = cells.length + 1
    return counts.map((_, i) => {
      const own = cells.reduce((sum, cell, k) => sum + weights[k] * ((1 / kernels + Number(cell === i)) / (1 + size / kernels)), 0)
      return (own + 1 / size) / (total + 1)
    })
  }
  const mean = cells.reduce((sum, cell, k) => sum + cell * weights[k], 0) / total
  const deviation = Math.sqrt(cells.reduce((sum, cell, k) => sum + (cell - mean) ** 2 * weights[k], 0) / Math.max(1, total - 1))
  const cumulative = weights.map((_, k) => weights.slice(0, k + 1).reduce((a, b) => a + b, 0))
  const first = cumulative.findIndex((c) => c >= Math.floor(total / 4))
  const third = cumulative.findIndex((c) => c > Math.floor((total * 3) / 4))
  const spread = cells[third < 0 ? cells.length - 1 : Math.min(third, cells.length - 1)] - cells[first]
  const width = Math.max(1.059 * Math.min(spread / 1.34, deviation) * total ** -0.2, 0.5 / 1.64)
  const kernels = [
    ...cells.map((cell, k) => ({ centre: cell, width, weight: weights[k] })),
    { centre: (size - 1) / 2, width: size, weight: 1 },
  ]
  return counts.map((_, i) =>
    kernels.reduce((sum, { centre, width, weight }) => {
      const area = (from: number, to: number) => normalCdf((to - centre) / width) - normalCdf((from - centre) / width)
      return sum + (weight / (total + 1)) * (area(i - 0.5, i + 0.5) / area(-0.5, size - 0.5))
    }, 0),
  )
}

/** Number of values in each cell: a category, a step, or one of fifty cells of a range. */
function countsOf(values: readonly unknown[], range: ParameterRange): number[] {
  if (range.kind === 'categorical') return range.choices.map((choice) => values.filter((value) => value === choice).length)
  const { low, high, step } = range
  let size = STEPS
  if (range.kind === 'int' && range.log) size = Math.min(Math.ceil(Math.log(high - low + 1) / Math.log(2)) + 1, size)
  else if (step !== null) size = Math.min(Math.round((high - low) / step) + 1, size)
  const place = range.log ? Math.log : (x: number) => x
  const cell = (place(high) - place(low)) / (size - 1)
  const counts = new Array<number>(size).fill(0)
  for (const value of values as number[]) counts[Math.min(size - 1, Math.max(0, Math.ceil((place(value) - place(low)) / cell - 0.5)))]++
  return counts
}
