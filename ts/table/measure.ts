/** How good predictions are: metrics with confidence intervals, beside a guess that looks at no column. */
import {
  accuracy,
  f1Score,
  Generator,
  meanAbsoluteError,
  r2Score,
  recall,
  rocAuc,
  rootMeanSquaredError,
  type Tensor,
  tensor,
} from '../index.js'
import { logLossOf } from './choose.js'

/** A metric of the test rows. */
export interface MeasuredMetric {
  name: string
  value: number
  /**
   * With probability 0.95 the value on many new rows is between these: Wilson's interval (1927) of accuracy, which is one where all rows are right, too; of
   * other metrics the percentile bootstrap over test rows.
   */
  low: number
  high: number
  /** Of a guess that looks at no column: the commonest class with the shares of the classes, or the mean. */
  baseline: number
  /** Whether more is better, or less. */
  better: 'more' | 'less'
}

type MetricOf = (predictions: Tensor, targets: Tensor | Int32Array) => number

interface Named {
  name: string
  better: 'more' | 'less'
  of: MetricOf
}

const REGRESSION: readonly Named[] = [
  { name: 'R²', better: 'more', of: (p, t) => r2Score(p, t as Tensor) },
  { name: 'RMSE', better: 'less', of: (p, t) => rootMeanSquaredError(p, t) },
  { name: 'mean absolute error', better: 'less', of: (p, t) => meanAbsoluteError(p, t) },
]

const CLASSIFICATION: readonly Named[] = [
  { name: 'accuracy', better: 'more', of: accuracy },
  { name: 'balanced accuracy', better: 'more', of: (p, t) => recall(p, t, { average: 'macro' }) },
  { name: 'ROC AUC', better: 'more', of: (p, t) => rocAuc(p, t) },
  { name: 'F1', better: 'more', of: (p, t) => f1Score(p, t) },
  { name: 'log loss', better: 'less', of: (p, t) => logLossOf(t as Int32Array, p.shape[1])(p.data()) },
]

/** Resamples; fewer of many rows, whose metrics vary less. */
const RESAMPLES = 200
const FEW = 60
const MANY_ROWS = 5000

/**
 * Metrics of predictions with 95 % intervals.
 * @param predictions row-major [rows, classes] probabilities, or numbers
 * @param baseline what a guess without columns says of each row
 * @param classes 0 for numbers
 * @param seconds that it may take, about: fewer resamples where all of them would take longer
 */
export function measureMetrics(
  predictions: Float64Array,
  targets: Int32Array | Float32Array,
  baseline: readonly number[],
  classes: number,
  seed: number,
  seconds = Number.POSITIVE_INFINITY,
): MeasuredMetric[] {
  const count = targets.length
  const width = classes || 1
  const named = classes > 0 ? CLASSIFICATION : REGRESSION
  const all = Int32Array.from({ length: count }, (_, i) => i)
  const generator = new Generator(seed)
  const secondsOfAll = (RESAMPLES / 1000) * timeOf(() => named.map(({ of }) => valueOn(of, predictions, targets, all, width)))
  const resamples = count > MANY_ROWS || secondsOfAll > seconds ? FEW : RESAMPLES
  const samples = Array.from({ length: resamples }, () =>
    Int32Array.from(generator.uniforms(count), (u) => Math.min(count - 1, Math.floor(u * count))),
  )
  const guess = Float64Array.from({ length: count * width }, (_, i) => baseline[i % width])
  return named.flatMap(({ name, better, of }) => {
    const value = valueOn(of, predictions, targets, all, width)
    if (!Number.isFinite(value)) return []
    const values = samples.map((rows) => valueOn(of, predictions, targets, rows, width)).filter(Number.isFinite)
    values.sort((a, b) => a - b)
    const at = (share: number) => values[Math.round(share * (values.length - 1))] ?? value
    const [low, high] = name === 'accuracy' ? wilson(value, count) : [at(0.025), at(0.975)]
    return [{ name, better, value, low, high, baseline: valueOn(of, guess, targets, all, width) }]
  })
}

/** Milliseconds, of the second time: the first one compiles. */
function timeOf(work: () => unknown): number {
  work()
  const began = performance.now()
  work()
  return performance.now() - began
}

/** The 95 % interval of a share of so many rows. */
function wilson(share: number, count: number): [number, number] {
  const z = 1.959964
  const middle = (share + z ** 2 / (2 * count)) / (1 + z ** 2 / count)
  const half = (z / (1 + z ** 2 / count)) * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2))
  return [middle - half, Math.min(1, middle + half)]
}

/** What a guess that looks at no column says: the shares of the classes, or the mean. */
export function baselineOf(targets: Int32Array | Float32Array, classes: number): number[] {
  if (classes === 0) return [(targets as Float32Array).reduce((sum, y) => sum + y, 0) / targets.length]
  return classCounts(targets, classes).map((count) => count / targets.length)
}

/** Rows of each class; none of numbers. */
export function classCounts(targets: Int32Array | Float32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0)
  for (const target of targets) if (classes > 0) counts[target]++
  return counts
}

/** NaN where a metric is not defined, such as an AUC where a class is missing. */
function valueOn(of: MetricOf, predictions: Float64Array, targets: Int32Array | Float32Array, rows: Int32Array, width: number): number {
  const p = new Float32Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) for (let c = 0; c < width; c++) p[i * width + c] = predictions[rows[i] * width + c]
  const prediction = tensor(p, [rows.length, width])
  try {
    if (targets instanceof Int32Array)
      return of(
        prediction,
        Int32Array.from(rows, (row) => targets[row]),
      )
    return of(
      prediction,
      tensor(
        Float32Array.from(rows, (row) => targets[row]),
        [rows.length, 1],
      ),
    )
  } catch {
    return Number.NaN
  }
}

/** How often what was said with a probability came true. */
export interface CalibrationBin {
  /** Mean probability that was said, or the coverage that was asked for. */
  said: number
  /** The share that it was true of. */
  true: number
  rows: number
}

/** Probabilities of the class that was named, in up to ten groups of as many rows each, at least forty. */
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

/** Of intervals, how many held the true number. */
export function coverageOf(errors: Float64Array, halfWidth: (coverage: number) => number): { bins: CalibrationBin[]; error: number } {
  const bins = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95].map((said) => {
    const half = halfWidth(said)
    return { said, true: errors.filter((e) => e <= half).length / errors.length, rows: errors.length }
  })
  return { bins, error: bins.reduce((sum, bin) => sum + Math.abs(bin.said - bin.true), 0) / bins.length }
}

/** How much worse predictions become where a column is shuffled. */
export interface Importance {
  column: string
  /** Rise of the log loss, or of the mean squared error in variances of the target; below 0 where it became less. */
  rise: number
  /** Standard deviation of the rise over shuffles. */
  deviation: number
}

/** Rows that importance is measured on, at most and at least, and shuffles of each column. */
const IMPORTANCE_ROWS = 2000
const FEWEST_ROWS = 200
/** Where there is no time for so many. */
const LEAST_ROWS = 32
const SHUFFLES = 3

/**
 * Permutation importance (Breiman 2001): how much the loss rises where the values of a column are dealt out among the rows.
 * @param spans of each column, where its features begin in an encoded row, and how many there are
 * @param seconds that it may take, about: of large models it looks at fewer rows
 */
export function importanceOf(
  encoded: Float32Array,
  features: number,
  spans: readonly { column: string; from: number; size: number }[],
  lossOf: (encoded: Float32Array, rows: number) => number,
  seed: number,
  seconds: number,
): Importance[] {
  const all = encoded.length / features
  const few = Math.min(FEWEST_ROWS, all)
  const began = performance.now()
  lossOf(encoded.subarray(0, few * features), few)
  const secondsOfOne = ((performance.now() - began) / 1000) * (1 + spans.length)
  const shuffles = SHUFFLES * secondsOfOne > seconds ? 1 : SHUFFLES
  const secondsOfAll = shuffles * secondsOfOne
  const rows = Math.floor(Math.min(IMPORTANCE_ROWS, all, Math.max(Math.min(LEAST_ROWS, all), (few * seconds) / secondsOfAll)))
  const part = encoded.subarray(0, rows * features)
  const usual = lossOf(part, rows)
  const generator = new Generator(seed)
  const found = spans.map(({ column, from, size }) => {
    const rises = Array.from({ length: shuffles }, () => {
      const order = shuffled(rows, generator)
      const changed = part.slice()
      for (let row = 0; row < rows; row++)
        for (let f = from; f < from + size; f++) changed[row * features + f] = part[order[row] * features + f]
      return lossOf(changed, rows) - usual
    })
    const rise = rises.reduce((sum, r) => sum + r, 0) / shuffles
    return { column, rise, deviation: Math.sqrt(rises.reduce((sum, r) => sum + (r - rise) ** 2, 0) / Math.max(1, shuffles - 1)) }
  })
  return found.sort((a, b) => b.rise - a.rise)
}

function shuffled(count: number, generator: Generator): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i)
  const draws = generator.uniforms(count)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(draws[i] * (i + 1))
    const kept = order[i]
    order[i] = order[j]
    order[j] = kept
  }
  return order
}

/** Rows by true class (rows) and predicted class (columns). */
export function confusionOf(answers: Float64Array, targets: Int32Array, classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (const [row, target] of targets.entries()) {
    const own = answers.subarray(row * classes, (row + 1) * classes)
    matrix[target][own.indexOf(Math.max(...own))]++
  }
  return matrix
}
