/** The metrics of a table by name, and the class that a model predicts from its probabilities. */
import { shortened } from '../../common/show.js'
import type { Tensor } from '../../index.js'
import {
  accuracy,
  averagePrecision,
  balancedAccuracy,
  f1Score,
  meanAbsoluteError,
  precision,
  r2Score,
  recall,
  rocAuc,
  rootMeanSquaredError,
} from '../../metrics/index.js'
import { logLossOf } from './losses.js'

/** A metric that can select among kinds of nets. */
export type TableMetric = 'logLoss' | 'accuracy' | 'balancedAccuracy' | 'f1' | 'rocAuc' | 'averagePrecision' | 'rmse' | 'mae' | 'r2'

/** How a class is predicted from probabilities: of two by the threshold of the positive one, of ordered ones by the median of the distribution. */
export type Decision = TwoClasses | OrderedClasses

/** The positive class of two, and the threshold from which on it is predicted. */
export interface TwoClasses {
  /** Index of the class. */
  positive: number
  /** Undefined if the likelier class is predicted. */
  threshold?: number
  isOrdered?: undefined
}

/** Classes in their order, the least first. */
export interface OrderedClasses {
  isOrdered: true
  positive?: undefined
  threshold?: undefined
}

/** Decision and weights for metrics of classes. */
export interface MetricTerms {
  /** For two classes, or ordered ones. */
  decision?: Decision | undefined
  classNames?: readonly string[] | undefined
  /** Weight of a row of each class in training: adds a weighted log loss. */
  factors?: readonly number[] | undefined
  /** The metric that selected the nets: it is included, and first. */
  metric?: TableMetric | undefined
  /** For predictions above 0: adds the deviances of distributions of such numbers. */
  arePositive?: boolean | undefined
}

/** A metric with its name. */
export interface Named {
  key?: TableMetric
  name: string
  better: 'more' | 'less'
  /** @param decision how a class is predicted from probabilities; undefined: the likeliest one */
  of: (predictions: Tensor, targets: Tensor | Int32Array, decision?: Decision) => number
  /** The 95 % interval of a value on this number of rows, if there is a formula. Default: by bootstrap. */
  interval?: (value: number, rows: number) => [low: number, high: number]
  /** The guess for each row that looks at no column, if it is something else than the shares of the classes. */
  guess?: (shares: readonly number[]) => number[]
}

const REGRESSION: readonly Named[] = [
  { key: 'r2', name: 'R²', better: 'more', of: (p, t) => r2Score(p, t as Tensor) },
  { key: 'rmse', name: 'RMSE', better: 'less', of: (p, t) => rootMeanSquaredError(p, t) },
  { key: 'mae', name: 'mean absolute error', better: 'less', of: (p, t) => meanAbsoluteError(p, t) },
]

/**
 * Mean deviance: twice the mean distance of the log-likelihood from that of exact predictions. NaN for numbers that the distribution does not have
 * (McCullagh & Nelder, *Generalized Linear Models*, 1989, §2.3).
 */
const deviance =
  (least: number, of: (p: number, t: number) => number): Named['of'] =>
  (prediction, target) => {
    const [p, t] = [prediction.read(), (target as Tensor).read()]
    let sum = 0
    for (let i = 0; i < p.length; i++) sum += p[i] > 0 && (t[i] > 0 || t[i] === least) ? of(p[i], t[i]) : Number.NaN
    return (2 * sum) / p.length
  }

const POSITIVE: readonly Named[] = [
  { name: 'mean Poisson deviance', better: 'less', of: deviance(0, (p, t) => (t === 0 ? 0 : t * Math.log(t / p)) + p - t) },
  { name: 'mean gamma deviance', better: 'less', of: deviance(Number.NaN, (p, t) => Math.log(p / t) + t / p - 1) },
]

/** The mean number of classes between the median of the predicted distribution, whose expected distance is the least, and the true class. */
const RANK_ERROR: Named = {
  ...{ key: 'mae', name: 'mean absolute error of ranks', better: 'less' },
  of: (p, t) => meanAbsoluteError(Float32Array.from(classesOf(p, { isOrdered: true })), Float32Array.from(t as Int32Array)),
}

/** @param classes 0 for numbers */
export function metricsOf(classes: number, { decision, classNames, factors, metric, arePositive }: MetricTerms = {}): readonly Named[] {
  const numbers = arePositive ? [...REGRESSION, ...POSITIVE] : REGRESSION
  const ofClasses = () => classMetrics(classes, decision?.positive ?? 1, classNames, factors, metric)
  const all = classes === 0 ? numbers : decision?.isOrdered ? [RANK_ERROR, ...ofClasses()] : ofClasses()
  const first = all.filter(({ key }) => metric !== undefined && key === metric)
  return [...first, ...all.filter((one) => !first.includes(one))]
}

function classMetrics(
  classes: number,
  positive: number,
  classNames: readonly string[] | undefined,
  factors: readonly number[] | undefined,
  metric: TableMetric | undefined,
): Named[] {
  const isTwo = classes === 2
  const about = (name: string) => (isTwo && classNames ? `${name} of '${shortened(classNames[positive])}'` : name)
  const weighted = (t: Int32Array) => Float64Array.from(t, (c) => factors?.[c] ?? 1)
  const ofPositive =
    (score: (p: Int32Array, t: Int32Array) => number): Named['of'] =>
    (p, t, decision) => {
      const isPositive = (c: number) => Number(c === positive)
      return score(classesOf(p, decision).map(isPositive), Int32Array.from(t as Int32Array, isPositive))
    }
  const ranked = isTwo || metric === 'averagePrecision'
  return [
    { key: 'accuracy', name: 'accuracy', better: 'more', of: (p, t, decision) => accuracy(decided(p, decision), t), interval: wilson },
    {
      ...{ key: 'balancedAccuracy', name: 'balanced accuracy', better: 'more' },
      of: (p, t, decision) => balancedAccuracy(decided(p, decision), t),
    },
    { key: 'rocAuc', name: 'ROC AUC', better: 'more', of: (p, t) => rocAuc(p, t, { from: 'probabilities' }) },
    {
      ...{ key: 'f1', name: about('F1'), better: 'more' },
      of: isTwo ? ofPositive((p, t) => f1Score(p, t)) : (p, t, decision) => f1Score(decided(p, decision), t),
    },
    ...(isTwo
      ? ([
          { name: about('precision'), better: 'more', of: ofPositive((p, t) => precision(p, t)) },
          { name: about('recall'), better: 'more', of: ofPositive((p, t) => recall(p, t)) },
        ] as const)
      : []),
    ...(ranked
      ? ([
          {
            ...{ key: 'averagePrecision', name: about('average precision'), better: 'more' },
            of: (p, t) => averagePrecision(p, t, { from: 'probabilities', ...(isTwo && { of: positive }) }),
          },
        ] as const satisfies readonly Named[])
      : []),
    { key: 'logLoss', name: 'log loss', better: 'less', of: (p, t) => logLossOf(t as Int32Array, classes)(p.data()) },
    ...(factors
      ? ([
          {
            ...{ name: 'weighted log loss', better: 'less' },
            of: (p, t) => logLossOf(t as Int32Array, classes, weighted(t as Int32Array))(p.data()),
            guess: (shares) => weightedShares(shares, factors),
          },
        ] as const satisfies readonly Named[])
      : []),
  ]
}

/** Weighted shares of the classes, which add up to 1. */
export function weightedShares(shares: readonly number[], factors: readonly number[] | undefined): number[] {
  if (factors === undefined) return [...shares]
  const each = shares.map((share, c) => share * factors[c])
  const total = each.reduce((sum, share) => sum + share, 0)
  return each.map((share) => share / total)
}

/**
 * The predicted class: the likeliest (the first of equally likely ones), the positive one of two from its threshold on, or of ordered ones the median: the
 * first at which the probabilities so far reach a half.
 */
export function namedClass(probabilities: ArrayLike<number>, from: number, classes: number, decision: Decision | undefined): number {
  if (decision?.threshold !== undefined) {
    const { positive, threshold } = decision
    return probabilities[from + positive] >= threshold ? positive : 1 - positive
  }
  if (decision?.isOrdered) {
    let [c, sum] = [0, probabilities[from]]
    while (sum < 0.5 && c < classes - 1) sum += probabilities[from + ++c]
    return c
  }
  let best = 0
  for (let c = 1; c < classes; c++) if (probabilities[from + c] > probabilities[from + best]) best = c
  return best
}

function classesOf(p: Tensor, decision: Decision | undefined): Int32Array {
  const [rows, classes] = p.shape as [number, number]
  const values = p.read()
  return Int32Array.from({ length: rows }, (_, row) => namedClass(values, row * classes, classes, decision))
}

/** The scores if the largest score decides, else the predicted classes. */
function decided(p: Tensor, decision: Decision | undefined): Tensor | Int32Array {
  return decision?.threshold === undefined && !decision?.isOrdered ? p : classesOf(p, decision)
}

/** The 95 % interval of a share of `count` rows. */
function wilson(share: number, count: number): [number, number] {
  const z = 1.959964
  const middle = (share + z ** 2 / (2 * count)) / (1 + z ** 2 / count)
  const half = (z / (1 + z ** 2 / count)) * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2))
  // for the shares 0 and 1 one end is the share itself, except for rounding
  return [Math.min(share, middle - half), Math.max(share, Math.min(1, middle + half))]
}
