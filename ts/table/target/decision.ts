/**
 * Options for classes of different frequency or cost, or in an order: weights of their rows, the positive class of two, the threshold from which on it is
 * predicted, and the metric that selects among kinds of nets. Training rows decide all of it; test rows take no part.
 */
import { rangeError } from '../../common/errors.js'
import { fraction, isAllowed, type Kind, object, positive, type Schema, text } from '../../common/options.js'
import { shortened, show, showNames } from '../../common/show.js'
import { classWeights } from '../../data/index.js'
import { COLUMN } from '../../data/table/options.js'
import { tensor } from '../../index.js'
import type { LossOf } from '../../select/choose-greedily.js'
import { baselineOf, classCounts } from '../measure/measure.js'
import { type Decision, metricsOf, type TableMetric } from '../measure/metrics.js'
import { targetsFor } from '../rows/samples.js'
import type { Distribution } from './response.js'

/** Options for classes of different frequency or cost, or in an order, and for the metric that selects among kinds of nets. */
export interface DecisionSettings {
  /**
   * Weights of rows in the loss by class: `balanced`, with the same total for each class, or factors above 0 by the names of classes (1 for missing
   * ones); only their ratios matter. Probabilities then fit a table with the weighted class shares; metrics of the report count each row once.
   * Default: each row has weight 1.
   */
  classWeights?: 'balanced' | Readonly<Record<string, number>>
  /**
   * For two classes, the probability from which on the {@link positive} one is predicted, above 0 and below 1; or `f1`, the threshold with the best
   * F1 on held-out rows, or `balanced`, the threshold with the best balanced accuracy. The model keeps it. Default: that of {@link metric}, if it is
   * `f1` or `balancedAccuracy`; else the likelier class is predicted.
   */
  threshold?: number | 'f1' | 'balanced'
  /**
   * The metric that selects among kinds of nets, the members of the ensemble and (but for `rocAuc` and `averagePrecision`) the best epoch of each net:
   * on held-out rows. Of two classes `f1` and `balancedAccuracy` also choose the {@link threshold}; with `mae` nets learn numbers by the absolute error,
   * and of classes with an {@link order} it is that of ranks. Default `logLoss` for classes, `rmse` for numbers.
   */
  metric?: TableMetric
  /** For two classes, the one that F1, precision, recall, average precision and {@link threshold} refer to. Default: the rarer one. */
  positive?: string
  /**
   * For three classes or more that have an order, such as grades: all of them, the least first. The model then predicts the median of its distribution over
   * the classes, which is least far from the true class on average, instead of the likeliest class, and the report begins with that distance in ranks.
   * Default: classes have no order.
   */
  order?: readonly string[]
}

/** The part of a report about these options. */
export interface ReportedDecision {
  /** Present for classes with an order, that of the report's `classNames`: the median of the distribution over them is predicted. */
  isOrdered?: true
  /** For two classes, the one that F1, precision, recall, average precision and the threshold refer to. */
  positive?: string
  /**
   * The threshold from which on it is predicted, the score on held-out rows that chose it, and how many rows of the rarer class were among these. Absent if
   * the likelier class is predicted.
   */
  threshold?: { value: number; chosenBy?: 'f1' | 'balanced'; rows?: number }
  /** Weight of a row of each class in the loss; the mean over rows is 1. Absent if all are equal. */
  classWeights?: Record<string, number>
  /** The metric that selected among kinds of nets. Absent if that was the loss. */
  metric?: TableMetric
}

/** @internal these options, as numbers for the training rows */
export interface ClassTerms {
  /** For two classes, or ordered ones: the decision before nets are trained. */
  decision: Decision | undefined
  /** The score that chooses the threshold. */
  chosenBy: 'f1' | 'balanced' | undefined
  /** Weight of a row of each class, and of each row. */
  factors: readonly number[] | undefined
  weights: Float64Array | undefined
  /** The quantity that selects among kinds of nets instead of the loss: less is better. */
  lossOf: ((targets: Int32Array | Float32Array) => LossOf) | undefined
  /** The same for the best epoch of each net. */
  stopOf: ((targets: Int32Array | Float32Array) => LossOf) | undefined
  metric: TableMetric | undefined
}

const CLASS_METRICS: readonly TableMetric[] = ['logLoss', 'accuracy', 'balancedAccuracy', 'f1', 'rocAuc', 'averagePrecision']
const NUMBER_METRICS: readonly TableMetric[] = ['rmse', 'mae', 'r2']
const TABLE_METRICS: readonly TableMetric[] = [...CLASS_METRICS, ...NUMBER_METRICS]
/**
 * Metrics of the order of rows alone, which follows the loss: average precision on a table of 3 % positive rows was 0.493 (mean of eight splits) with
 * epochs chosen by it, 0.498 by the loss.
 */
const RANKS: readonly (TableMetric | undefined)[] = ['rocAuc', 'averagePrecision']
const CHOSEN_BY = ['f1', 'balanced'] as const
/** The threshold of metrics that are best at another one than that of the likelier class. */
const THRESHOLD_OF: Readonly<Partial<Record<TableMetric, 'f1' | 'balanced'>>> = { f1: 'f1', balancedAccuracy: 'balanced' }

/** The first class whose factor is invalid. */
function wrongFactor(value: unknown): [name: string, factor: unknown] | undefined {
  return Object.entries(Object(value)).find(([, factor]) => !isAllowed(factor, positive))
}

const weights: Kind = {
  wants: "'balanced', or finite factors above 0 by class such as { yes: 5 }",
  fits: (value) => value === 'balanced' || (object.fits(value) && wrongFactor(value) === undefined),
  remedy(value) {
    const [name, factor] = (object.fits(value) && wrongFactor(value)) || []
    return name === undefined ? '' : `; the factor of '${shortened(name)}' is ${show(factor)}`
  },
}
const className: Kind = { wants: 'the name of a class', fits: text.fits }

export const DECISION = {
  classWeights: { is: weights },
  threshold: { is: { ...fraction, or: CHOSEN_BY } },
  metric: { is: TABLE_METRICS },
  positive: { is: className },
  order: { is: COLUMN.order.is },
} satisfies Schema<DecisionSettings>

/**
 * @internal
 * @param learnt the training rows, including rows on which nets are validated
 * @throws RangeError for an option that does not fit the target, or names a missing class
 */
export function classTerms(
  { classWeights: given, threshold, metric, positive, order }: DecisionSettings,
  { targets, classNames }: { targets: Int32Array | Float32Array; classNames: readonly string[] },
  target: string,
): ClassTerms {
  const classes = classNames.length
  const wrong = (option: string, wants: string) => rangeError(`trainTable: ${option} ${wants}; leave it out`)
  const what = classes === 0 ? `column '${target}' has numbers` : `column '${target}' has ${classes} classes`
  if (given !== undefined && classes === 0) throw wrong('classWeights', `is for classes, and ${what}`)
  if (classes !== 2) {
    if (threshold !== undefined) throw wrong('threshold', `is for two classes, and ${what}`)
    if (positive !== undefined) throw wrong('positive', `is for two classes, and ${what}`)
  }
  if (order !== undefined && classes < 3) throw wrong('order', `is for three classes or more, and ${what}`)
  const metrics = classes === 0 ? NUMBER_METRICS : order !== undefined ? [...CLASS_METRICS, 'mae' as const] : CLASS_METRICS
  if (metric !== undefined && !metrics.includes(metric))
    throw rangeError(`trainTable: metric wants one of ${metrics.map(show).join(', ')}, since ${what}, got ${show(metric)}`)
  const unknown = [positive, ...(typeof given === 'object' ? Object.keys(given) : [])].find(
    (name) => name !== undefined && !classNames.includes(name),
  )
  if (unknown !== undefined)
    throw rangeError(
      `trainTable: ${unknown === positive ? 'positive' : 'classWeights'} wants classes of '${target}', ${showNames(classNames)}, got ${show(unknown)}`,
    )
  const counts = classCounts(targets, classes)
  // the rarer class; if both have the same number of rows the second, such as 1 of 0 and 1
  const rarer = counts[0] < counts[1] ? 0 : 1
  const decision =
    classes === 2
      ? {
          positive: positive === undefined ? rarer : classNames.indexOf(positive),
          ...(typeof threshold === 'number' && { threshold }),
        }
      : order && ({ isOrdered: true } as const)
  const chosenBy =
    typeof threshold === 'string' ? threshold : threshold === undefined && classes === 2 ? THRESHOLD_OF[metric ?? 'logLoss'] : undefined
  const weights =
    given &&
    classWeights(
      targets as Int32Array,
      given === 'balanced' ? given : classNames.map((name) => (Object.hasOwn(given, name) ? given[name] : 1)),
    )
  const factors = weights && classNames.map((_, c) => weights[targets.indexOf(c)] ?? 1)
  const isLoss = metric === undefined || metric === 'logLoss' || metric === 'rmse' || metric === 'r2'
  const lossOf = isLoss ? undefined : (own: Int32Array | Float32Array) => lossByMetric(metric, own, classes, decision, chosenBy)
  const stopOf = RANKS.includes(metric) ? undefined : lossOf
  return { decision, chosenBy, factors, weights, lossOf, stopOf, metric }
}

/** A metric as a loss. @throws RangeError if it is not defined on these rows, such as the AUC of one class */
function lossByMetric(
  metric: TableMetric,
  targets: Int32Array | Float32Array,
  classes: number,
  decision: Decision | undefined,
  chosenBy: 'f1' | 'balanced' | undefined,
): LossOf {
  const named = metricsOf(classes, { decision, metric }).find(({ key }) => key === metric)
  if (named === undefined) throw rangeError(`trainTable: metric: there is no ${show(metric)}`)
  const width = classes || 1
  const own = targetsFor(targets)
  const loss: LossOf = (predictions) => {
    const p = tensor(Float32Array.from(predictions), [targets.length, width])
    const value = named.of(p, own, withThreshold(decision, predictions, targets, chosenBy))
    return named.better === 'more' ? 1 - value : value
  }
  const guess = baselineOf(targets, classes)
  if (!Number.isFinite(loss(Float64Array.from({ length: targets.length * width }, (_, i) => guess[i % width]))))
    throw rangeError(
      `trainTable: metric ${show(metric)} wants rows of every class among those that nets are judged by, and one class has none; leave it out, or gather more rows`,
    )
  return loss
}

/**
 * @internal The threshold with the best F1 of the positive class, or the best balanced accuracy: between two neighboring probabilities, in as few
 * digits as possible. Among several the highest.
 * @param predictions row-major [rows, 2] probabilities
 */
export function bestThreshold(predictions: ArrayLike<number>, targets: Int32Array, positive: number, by: 'f1' | 'balanced'): number {
  const scores = Float64Array.from(targets, (_, row) => predictions[2 * row + positive])
  const order = Int32Array.from(scores, (_, row) => row).sort((a, b) => scores[b] - scores[a])
  const positives = targets.reduce((sum, target) => sum + Number(target === positive), 0)
  const negatives = targets.length - positives
  let [hits, best, threshold] = [0, Number.NEGATIVE_INFINITY, 0.5]
  for (const [i, row] of order.entries()) {
    hits += Number(targets[row] === positive)
    const [taken, upper, lower] = [i + 1, scores[row], i + 1 < order.length ? scores[order[i + 1]] : 0]
    if (!(upper > lower)) continue
    const score = by === 'f1' ? (2 * hits) / (taken + positives) : hits / positives - (taken - hits) / negatives
    if (score > best) [best, threshold] = [score, shortBetween(lower, upper)]
  }
  // for a model that is worse than chance, a threshold that never predicts the class may be best
  const most = scores[order[0]]
  return by === 'balanced' && best < 0 && most < 1 ? shortBetween(most, 1) : threshold
}

/** @internal the decision for predictions, with the threshold that these rows choose if a score should choose it */
export function withThreshold(
  decision: Decision | undefined,
  predictions: ArrayLike<number>,
  targets: Int32Array | Float32Array,
  chosenBy: 'f1' | 'balanced' | undefined,
): Decision | undefined {
  if (chosenBy === undefined || decision?.positive === undefined) return decision
  return { ...decision, threshold: bestThreshold(predictions, targets as Int32Array, decision.positive, chosenBy) }
}

/** @internal the decision in a report */
export function reported(decision: Decision | undefined, classNames: readonly string[]): Pick<ReportedDecision, 'isOrdered' | 'positive'> {
  if (decision?.isOrdered) return { isOrdered: true }
  return decision ? { positive: classNames[decision.positive] } : {}
}

/** A number above `lower` and up to `upper`, near their middle, with as few digits as possible. */
function shortBetween(lower: number, upper: number): number {
  const middle = lower + (upper - lower) / 2
  for (let digits = 1; digits < 17; digits++) {
    const short = Number(middle.toPrecision(digits))
    if (short > lower && short <= upper && short < 1) return short
  }
  return middle
}

/**
 * @internal the threshold of a model, from out-of-fold predictions
 * @throws RangeError if these rows are of one class
 */
export function chosenThreshold(by: 'f1' | 'balanced', positive: number, predictions: Float64Array, targets: Int32Array): number {
  const found = targets.reduce((sum, target) => sum + Number(target === positive), 0)
  if (found === 0 || found === targets.length)
    throw rangeError(
      `trainTable: threshold: ${show(by)} wants rows of both classes among those that nets are judged by, and all are of one; give a number, or gather more rows`,
    )
  return bestThreshold(predictions, targets, positive, by)
}

const METRIC_NAMES: Readonly<Record<TableMetric, string>> = {
  logLoss: 'log loss',
  accuracy: 'accuracy',
  balancedAccuracy: 'balanced accuracy',
  f1: 'F1',
  rocAuc: 'ROC AUC',
  averagePrecision: 'average precision',
  rmse: 'squared error',
  mae: 'absolute error',
  r2: 'squared error',
}
const LESS: readonly TableMetric[] = ['logLoss', 'rmse', 'mae', 'r2']

/** @internal the losses of candidates in words: `log loss`, `squared error`, `1 − F1` */
export function nameOfLoss({
  task,
  metric,
  classWeights,
  distribution,
}: ReportedDecision & { task: 'classification' | 'regression'; distribution?: Distribution }): string {
  const name = METRIC_NAMES[metric ?? (task === 'classification' ? 'logLoss' : distribution === 'laplace' ? 'mae' : 'rmse')]
  if (name === 'log loss' && classWeights) return 'weighted log loss'
  return metric === undefined || LESS.includes(metric) ? name : `1 − ${name}`
}

const BEST = { f1: 'F1', balanced: 'balanced accuracy' } as const
const MAX_SHOWN = 6

/**
 * Descriptions of the class options and the metric, for reports and evaluations: each is a part of a sentence, with the word that it explains.
 *
 * @example describeDecision({ positive: 'yes', threshold: { value: 0.2 } })[0].text // "'yes' is named from a probability of 0.2 on"
 */
export function describeDecision({
  isOrdered,
  positive,
  threshold,
  classWeights: weights,
  metric,
}: ReportedDecision): { word: string; text: string }[] {
  const out: { word: string; text: string }[] = []
  if (isOrdered)
    out.push({ word: 'decision', text: 'classes have an order: the median of the probabilities is named, not the likeliest class' })
  if (positive !== undefined && threshold !== undefined) {
    const why = threshold.chosenBy ? `, which gave the best ${BEST[threshold.chosenBy]} on rows that nets did not learn from` : ''
    out.push({ word: 'decision', text: `${show(positive)} is named from a probability of ${threshold.value} on${why}` })
  }
  if (weights !== undefined) {
    const each = Object.entries(weights).map(([name, factor]) => `${show(name)} ${Number(factor.toPrecision(3))}`)
    const all = each.length > MAX_SHOWN ? `${each.slice(0, MAX_SHOWN).join(', ')} and ${each.length - MAX_SHOWN} more` : each.join(', ')
    out.push({ word: 'weights', text: `rows count ${all} times; probabilities are those of a table with such shares` })
  }
  if (metric !== undefined) out.push({ word: 'metric', text: `nets were chosen by ${METRIC_NAMES[metric]}` })
  return out
}
