/** The quality of predictions: metrics with confidence intervals, compared with a guess that looks at no column. */
import { clock } from '../../common/clock.js'
import { Generator, tensor } from '../../index.js'
import { takeRows } from '../../rows/take.js'
import type { Spans } from '../rows/features.js'
import { targetsFor } from '../rows/samples.js'
import type { Besides } from './compare.js'
import { type Decision, type MetricTerms, metricsOf, type Named, namedClass } from './metrics.js'

/** A metric of the test rows. */
export interface MeasuredMetric {
  name: string
  value: number
  /**
   * With probability 0.95 the value on many new rows is between these: for accuracy by Wilson's interval (1927), which has a width even if all rows
   * are correct; for other metrics by the percentile bootstrap over test rows.
   */
  low: number
  high: number
  /** The metric of a guess that looks at no column: the commonest class with the shares of the classes, or the mean. */
  baseline: number
  /** The metric of a straight line that was fitted to the same rows: logistic regression, or ridge regression. Absent if there is none. */
  line?: number
  /**
   * The metric of the target of the row before in time: the last known value, for someone who predicts row by row. Present if `splitBy` is given, numbers
   * are predicted, and no two rows have the same time.
   */
  before?: number
  /** Direction of improvement. */
  better: 'more' | 'less'
}

/** Number of resamples; fewer for many rows, whose metrics vary less; and a lower limit for short times. */
const RESAMPLES = 200
const FEW = 60
const LEAST = 20
const MANY_ROWS = 5000
/**
 * Largest number of rows of a resample. The variation over RESAMPLED of n rows is scaled by √(RESAMPLED/n) to all rows (the m out of n bootstrap:
 * Bickel, Götze & van Zwet 1997).
 */
const RESAMPLED = 20_000

/**
 * Metrics of predictions with 95 % intervals.
 * @param predictions row-major [rows, classes] probabilities, or numbers
 * @param baseline the guess without columns for each row
 * @param classes 0 for numbers
 * @param until latest end, in the time of clock.now(): there are fewer resamples if all of them would take longer
 * @param besides other predictions for comparison; their classes are predicted as the model's, and the guess predicts the commonest class
 * @param terms decision and weights for metrics of classes
 */
export function measureMetrics(
  predictions: Float64Array,
  targets: Int32Array | Float32Array,
  baseline: readonly number[],
  classes: number,
  seed: number,
  until = Number.POSITIVE_INFINITY,
  { line, before }: Besides = {},
  terms: MetricTerms = {},
): MeasuredMetric[] {
  const count = targets.length
  const width = classes || 1
  const { decision } = terms
  const all = Int32Array.from({ length: count }, (_, i) => i)
  const guessed = (said: readonly number[]) => Float64Array.from({ length: count * width }, (_, i) => said[i % width])
  const found = metricsOf(classes, terms).map(({ of, guess, ...metric }) => ({
    ...{ ...metric, of, value: valueOn(of, predictions, targets, all, width, decision) },
    baseline: valueOn(of, guessed(guess?.(baseline) ?? baseline), targets, all, width),
    line: line ? valueOn(of, line, targets, all, width, decision) : Number.NaN,
    before: before ? valueOn(of, before, targets, all, width, decision) : Number.NaN,
  }))
  const intervalOf = bootstrap(count, seed, until, (rows) =>
    found.map(({ of, interval }) => (interval ? Number.NaN : valueOn(of, predictions, targets, rows, width, decision))),
  )
  return found.flatMap(({ name, better, value, baseline, line, before, interval }, i) => {
    if (!Number.isFinite(value)) return []
    const [low, high] = interval ? interval(value, count) : intervalOf(i, value)
    const others = { ...(Number.isFinite(line) && { line }), ...(Number.isFinite(before) && { before }) }
    return [{ name, better, value, low, high, baseline, ...others }]
  })
}

/**
 * Intervals of metrics by the percentile bootstrap.
 * @param until latest end, in the time of clock.now()
 * @param valuesOn the metrics on some rows, by their numbers
 * @returns the interval of a metric by its index, and its value on all rows
 */
export function bootstrap(
  count: number,
  seed: number,
  until: number,
  valuesOn: (rows: Int32Array) => readonly number[],
): (metric: number, value: number) => [low: number, high: number] {
  const generator = new Generator(seed)
  const most = resamplesOf(count)
  const drawn = Math.min(count, RESAMPLED)
  const samples: (readonly number[])[] = []
  while (samples.length < most && (samples.length < LEAST || clock.now() < until))
    samples.push(valuesOn(Int32Array.from(generator.uniforms(drawn), (u) => Math.min(count - 1, Math.floor(u * count)))))
  const narrower = Math.sqrt(drawn / count)
  return (metric, value) => {
    const sorted = samples.map((values) => values[metric]).filter(Number.isFinite)
    sorted.sort((a, b) => a - b)
    const at = (share: number) => {
      const one = sorted[Math.round(share * (sorted.length - 1))] ?? value
      return drawn === count ? one : value + narrower * (one - value)
    }
    return [at(0.025), at(0.975)]
  }
}

const resamplesOf = (count: number) => (count > MANY_ROWS ? FEW : RESAMPLES)

/**
 * Estimated seconds of {@link measureMetrics}, from the time for a guess without columns on the same number of rows.
 * @param resamples number that the time allows: at least {@link LEAST}
 */
export function secondsOfMetrics(
  targets: Int32Array | Float32Array,
  baseline: readonly number[],
  classes: number,
  resamples: 'least' | 'all',
): number {
  const width = classes || 1
  const count = targets.length
  const all = Int32Array.from({ length: count }, (_, i) => i)
  // all different, as predictions usually are
  const guess = Float64Array.from({ length: count * width }, (_, i) => baseline[i % width] * (1 + 0.1 * Math.sin(i)))
  for (let row = 0; row < guess.length && classes > 0; row += width) {
    const total = guess.subarray(row, row + width).reduce((sum, p) => sum + p, 0)
    for (let c = row; c < row + width; c++) guess[c] /= total
  }
  const timed = () => {
    const began = clock.now()
    for (const { of } of metricsOf(classes)) valueOn(of, guess, targets, all, width)
    return (clock.now() - began) / 1000
  }
  // the first run compiles, and a busy machine interrupts one more than another
  const each = resamples === 'least' ? timed() : Math.min(timed(), timed())
  // of the model, of a straight line, and of a guess
  return each * (3 + ((resamples === 'least' ? LEAST : resamplesOf(count)) * Math.min(count, RESAMPLED)) / count)
}

/** The guess that looks at no column: the shares of the classes, or the mean. */
export function baselineOf(targets: Int32Array | Float32Array, classes: number): number[] {
  if (classes === 0) return [(targets as Float32Array).reduce((sum, y) => sum + y, 0) / targets.length]
  return classCounts(targets, classes).map((count) => count / targets.length)
}

/** Rows of each class; empty for numbers. */
export function classCounts(targets: Int32Array | Float32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0)
  for (const target of targets) if (classes > 0) counts[target]++
  return counts
}

/** NaN if a metric is not defined, such as an AUC with a missing class. */
function valueOn(
  of: Named['of'],
  predictions: Float64Array,
  targets: Int32Array | Float32Array,
  rows: Int32Array,
  width: number,
  decision?: Decision,
): number {
  const prediction = tensor(Float32Array.from(takeRows(predictions, rows, width)), [rows.length, width])
  try {
    return of(prediction, targetsFor(targets, rows), decision)
  } catch {
    return Number.NaN
  }
}

/** How often predictions with a given probability came true. */
export interface CalibrationBin {
  /** Mean predicted probability, or the requested coverage. */
  said: number
  /** The share of rows for which the prediction was true. */
  true: number
  rows: number
}

/** Probabilities of the likeliest class, in up to ten groups of as many rows each, at least forty. */
export function calibrationOf(predictions: Float64Array, targets: Int32Array, classes: number): { bins: CalibrationBin[]; error: number } {
  const rows = Array.from(targets, (target, row) => {
    const own = predictions.subarray(row * classes, (row + 1) * classes)
    const said = Math.max(...own)
    return { said, isRight: own.indexOf(said) === target }
  }).sort((a, b) => a.said - b.said)
  const groups = Math.max(1, Math.min(10, Math.floor(rows.length / 40)))
  const bins: CalibrationBin[] = []
  for (let g = 0; g < groups; g++) {
    const own = rows.slice(Math.floor((g * rows.length) / groups), Math.floor(((g + 1) * rows.length) / groups))
    const said = own.reduce((sum, row) => sum + row.said, 0) / own.length
    bins.push({ said, true: own.filter(({ isRight }) => isRight).length / own.length, rows: own.length })
  }
  const error = bins.reduce((sum, bin) => sum + (bin.rows / rows.length) * Math.abs(bin.said - bin.true), 0)
  return { bins, error }
}

/** The share of intervals that contained the true number. @param intervalsOf for a coverage, low and high of each row */
export function coverageOf(
  numbers: Float32Array,
  intervalsOf: (coverage: number) => readonly (readonly [low: number, high: number])[],
): { bins: CalibrationBin[]; error: number } {
  const bins = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95].map((said) => {
    const inside = intervalsOf(said).filter(([low, high], row) => numbers[row] >= low && numbers[row] <= high).length
    return { said, true: inside / numbers.length, rows: numbers.length }
  })
  return { bins, error: bins.reduce((sum, bin) => sum + Math.abs(bin.said - bin.true), 0) / bins.length }
}

/** Rise of the loss when a column is shuffled. */
export interface Importance {
  column: string
  /** Rise of the log loss, or of the mean squared error in variances of the target; negative if it fell. */
  rise: number
  /** Standard deviation of the rise over shuffles. */
  deviation: number
}

/** Largest number of rows on which importance is measured. */
export const IMPORTANCE_ROWS = 2000
/** Least number of rows, however short the time. */
export const MIN_ROWS = 32
/** Number of shuffles of each column. */
export const SHUFFLES = 3
/** Largest number of products of weights for importance without a time limit: about five seconds. */
const MAX_PRODUCTS = 1e10
/** Passes over the columns if the time should be filled: time is planned for about this number of shuffles of each column, and it is the limit. */
const PASSES = 10
const MAX_SHUFFLES = 50
/** Number of encoded rows that are predicted in one call. */
const PART = 8192

/**
 * Limit of the time for importance: a time of clock.now(), or, so that the same seed gives the same numbers, a limit that follows from the model's
 * weights per row.
 */
export type ImportanceLimit = { until: number } | { weights: number }

/**
 * Permutation importance (Breiman 2001): the rise of the loss when the values of a column are permuted among the rows. For large models it uses fewer
 * rows. With a time limit it shuffles as often as the time allows.
 * @param lossesOf loss on the first `rows` rows, for each of the tables of `rows` rows that lie one after the other in `encoded`
 */
export function importanceOf(
  encoded: Float32Array,
  features: number,
  spans: Spans,
  lossesOf: (encoded: Float32Array, rows: number) => number[],
  seed: number,
  limit: ImportanceLimit,
): Importance[] {
  const all = encoded.length / features
  const few = Math.min(MIN_ROWS, all)
  const until = 'until' in limit ? limit.until : Number.POSITIVE_INFINITY
  const affordable =
    'until' in limit
      ? affordableRows(() => lossesOf(encoded.subarray(0, few * features), few), few, until, spans.length)
      : MAX_PRODUCTS / (limit.weights * (1 + SHUFFLES * spans.length))
  const rows = Math.floor(Math.min(IMPORTANCE_ROWS, all, Math.max(few, affordable)))
  const part = encoded.subarray(0, rows * features)
  const [usual] = lossesOf(part, rows)
  const generator = new Generator(seed)
  const rises = spans.map((): number[] => [])
  const together = Math.max(1, Math.floor(PART / rows))
  const shuffleAll = () => {
    for (let first = 0; first < spans.length; first += together) {
      const some = spans.slice(first, first + together)
      const changed = new Float32Array(some.length * part.length)
      for (const [i, { from, size }] of some.entries()) {
        const order = generator.permutation(rows)
        const own = changed.subarray(i * part.length, (i + 1) * part.length)
        own.set(part)
        for (let row = 0; row < rows; row++)
          for (let f = from; f < from + size; f++) own[row * features + f] = part[order[row] * features + f]
      }
      for (const [i, loss] of lossesOf(changed, rows).entries()) rises[first + i].push(loss - usual)
    }
  }
  const most = 'until' in limit ? MAX_SHUFFLES : SHUFFLES
  for (let [done, took] = [0, 0]; done < most && (done === 0 || clock.now() + took < until); done++) {
    const started = clock.now()
    shuffleAll()
    took = clock.now() - started
  }
  const found = spans.map(({ column }, i) => {
    const own = rises[i]
    const rise = own.reduce((sum, r) => sum + r, 0) / own.length
    return { column, rise, deviation: Math.sqrt(own.reduce((sum, r) => sum + (r - rise) ** 2, 0) / Math.max(1, own.length - 1)) }
  })
  return found.sort((a, b) => b.rise - a.rise)
}

/** Number of rows that the time allows, from the time for `few` rows. */
function affordableRows(measure: () => unknown, few: number, until: number, columns: number): number {
  // the first call compiles
  measure()
  const began = clock.now()
  measure()
  const ofRow = (clock.now() - began) / few
  return (0.8 * (until - clock.now())) / (ofRow * (1 + PASSES * columns))
}

/** Rows by true class (rows) and predicted class (columns). @param decision how a class is named; undefined: the likeliest one */
export function confusionOf(answers: Float64Array, targets: Int32Array, classes: number, decision?: Decision): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (const [row, target] of targets.entries()) matrix[target][namedClass(answers, row * classes, classes, decision)]++
  return matrix
}
