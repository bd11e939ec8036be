/**
 * Learning curve: how good nets are that learn from a part of the rows, on the same held-out rows, and what twice as many rows would bring. The error
 * falls about as a + b·rows^(−c) (Hestness et al. 2017; Viering & Loog 2021); leaving out one size after the other says how sure that is.
 */
import { tensor } from '../../index.js'
import { everyShare, takeRows } from '../../rows/take.js'
import { type Decision, metricsOf } from '../measure/metrics.js'
import { targetsFor } from '../rows/samples.js'
import type { Lesson } from '../search/find-model.js'
import type { NetSettings } from '../search/nets.js'
import { search } from '../search/search.js'
import { type ClassTerms, withThreshold } from '../target/decision.js'
import { numberOf } from '../target/response.js'

/** The quality by number of rows. */
export interface LearningCurve {
  /** The first metric of the report, here on held-out rows. */
  metric: string
  better: 'more' | 'less'
  /** Rows to learn from, the fewest first, and the metric. */
  points: readonly { rows: number; value: number }[]
  /**
   * The expected metric for twice as many rows as the most, and its change; `low` and `high` are the least and the largest change if one of the points is
   * left out. Absent if there are fewer than four points.
   */
  doubled?: { rows: number; value: number; change: number; low: number; high: number }
}

/** Shares of the rows to learn from, and the least number of rows of a share. */
const SHARES = [1 / 8, 1 / 4, 1 / 2, 1]
const FEWEST_ROWS = 20
/** Exponents that are tried. */
const EXPONENTS = [0.25, 0.5, 0.75, 1, 1.5]

/** Undefined if the signal ends it: points of nets that were not trained to the end would mislead. */
export async function learningCurveOf(
  { samples, folds, features, scale }: Lesson,
  { decision, chosenBy, metric }: ClassTerms,
  { learnt, center }: { learnt: { targets: Int32Array | Float32Array; classes: number }; center: number },
  options: { net: NetSettings; seed: number; signal: AbortSignal | undefined },
): Promise<LearningCurve | undefined> {
  const { classes } = learnt
  const named = metricsOf(classes, { decision, metric })[0]
  const all = Math.max(...folds.folds.map(({ train }) => train.length))
  const points: { rows: number; value: number }[] = []
  for (const share of SHARES) {
    const rows = Math.round(share * all)
    if (rows < FEWEST_ROWS) continue
    const part = folds.folds.map(({ train, validation }) => ({ train: everyShare(train, share), validation }))
    const found = await search(
      samples,
      { ...folds, folds: part },
      { features, withLine: features, lines: null },
      { ...options, end: undefined, reserve: () => 0, onProgress: undefined },
    ).catch((error: unknown) => {
      if (!options.signal?.aborted) throw error
    })
    if (found === undefined || options.signal?.aborted) return undefined
    const { heldOut, predictions } = found
    const answers =
      classes > 0 ? predictions : predictions.map((output) => numberOf(scale, output) - (scale.link === undefined ? 0 : center))
    const targets = takeRows(learnt.targets, heldOut)
    points.push({ rows, value: scoreOf(named.of, answers, targets, classes, withThreshold(decision, answers, targets, chosenBy)) })
  }
  const curve = { metric: named.name, better: named.better, points }
  return points.length < SHARES.length ? curve : { ...curve, doubled: doubledFrom(points, named.better) }
}

function scoreOf(
  of: ReturnType<typeof metricsOf>[number]['of'],
  answers: Float64Array,
  targets: Int32Array | Float32Array,
  classes: number,
  decision: Decision | undefined,
): number {
  const prediction = tensor(Float32Array.from(answers), [targets.length, classes || 1])
  return of(prediction, targetsFor(targets), decision)
}

/** @internal the metric at twice the most rows */
export function doubledFrom(points: LearningCurve['points'], better: 'more' | 'less'): NonNullable<LearningCurve['doubled']> {
  const changes = [points, ...points.slice(0, -1).map((_, i) => points.filter((_, j) => j !== i))].map((some) => changeFrom(some, better))
  const { rows, value } = points[points.length - 1]
  const [change] = changes
  return { rows: 2 * rows, value: value + change, change, low: Math.min(...changes), high: Math.max(...changes) }
}

/** The change of the metric from the most rows to twice as many, by the exponent that fits best; 0 if more rows did not help so far. */
function changeFrom(points: LearningCurve['points'], better: 'more' | 'less'): number {
  const sign = better === 'more' ? -1 : 1
  const most = points[points.length - 1].rows
  const fits = EXPONENTS.map((c) => {
    const x = points.map(({ rows }) => (rows / most) ** -c)
    const y = points.map(({ value }) => sign * value)
    const [xMean, yMean] = [x, y].map((list) => list.reduce((sum, v) => sum + v, 0) / list.length)
    const sxy = x.reduce((sum, v, i) => sum + (v - xMean) * (y[i] - yMean), 0)
    const b = Math.max(0, sxy / x.reduce((sum, v) => sum + (v - xMean) ** 2, 0))
    const error = x.reduce((sum, v, i) => sum + (y[i] - yMean - b * (v - xMean)) ** 2, 0)
    return { error, change: sign * b * (2 ** -c - 1) }
  })
  return fits.reduce((best, fit) => (fit.error < best.error ? fit : best)).change
}
