/** Metrics while training: by name or as functions, and their values over batches. */

import { rangeError, typeError } from '../common/errors.js'
import { nearest } from '../common/nearest.js'
import { show } from '../common/show.js'
import { accuracy } from '../metrics/classification.js'
import type { NAMED } from '../metrics/named.js'
import { meanAbsoluteError, meanSquaredError, rootMeanSquaredError } from '../metrics/regression.js'
import { joinRows } from '../nn/rows.js'
import { Tensor } from '../tensor.js'

/**
 * A metric over many rows: over the whole data set in `evaluateModel` and validation, over the epoch so far in training, for any batch size.
 * Predictions and targets are kept for it until then. It returns a number or a tensor of one element.
 */
export type Metric = (prediction: Tensor, target: Tensor) => number | Tensor

/** The metrics that are available by name. The few that cost little are always there; {@link useAllMetrics} adds the others. */
export const METRICS: Record<string, Metric> = {
  accuracy,
  mae: meanAbsoluteError,
  meanAbsoluteError,
  mse: meanSquaredError,
  rmse: rootMeanSquaredError,
  rootMeanSquaredError,
}

/** Names of the metrics that come with gradus. */
export type MetricName =
  | 'accuracy'
  | 'mae'
  | 'meanAbsoluteError'
  | 'mse'
  | 'rmse'
  | 'rootMeanSquaredError'
  | Extract<keyof typeof NAMED, string>

/** Metrics in options: names and functions, which keep their own name, in an array; or both under names of your own. */
export type MetricsOption = readonly (MetricName | Metric)[] | MetricsByName

/** Metrics by names of your own. */
export interface MetricsByName {
  readonly [name: string]: MetricName | Metric
}

/** A number for each metric that an option names. The names of functions in an array are unknown to the type. */
export type MetricValues<M extends MetricsOption> = M extends readonly (infer N)[]
  ? Record<Extract<N, string> | (Extract<N, Metric> extends never ? never : string), number>
  : Record<Extract<keyof M, string>, number>

/** @internal metrics by name, of the option of a user. @throws RangeError that lists the available metrics */
export function resolveMetrics(option: MetricsOption | undefined): [string, Metric][] {
  if (option === undefined) return []
  if (typeof option !== 'object' || option === null)
    throw typeError(`metrics: wants names in an array, ['accuracy'], or { name: function }, got ${show(option)}`)
  const all: [string, unknown][] = Array.isArray(option)
    ? option.map((metric) => [typeof metric === 'function' ? metric.name : String(metric), metric])
    : Object.entries(option)
  return all.map(([name, metric]) => {
    if (name === 'loss') throw rangeError("metrics: 'loss' is the name of the loss itself; give the metric another")
    if (typeof metric === 'function' && name !== '') return [name, metric as Metric]
    if (typeof metric === 'string' && Object.hasOwn(METRICS, metric)) return [name, METRICS[metric]]
    const known = Object.keys(METRICS)
    const near = typeof metric === 'string' && (known.find((own) => metric.length > 2 && own.startsWith(metric)) ?? nearest(metric, known))
    throw rangeError(
      `metrics: ${show(metric)} is none of ${known.join(', ')}; ${near ? `did you mean ${near}? Or ` : ''}call useAllMetrics() once for f1, auc, r2 and others, or give a function: { name: function }`,
    )
  })
}

/** A metric that is a mean over rows, or that `end` makes from such a mean. It is computed batch by batch, so no predictions have to be kept. */
interface Mean {
  of(prediction: Tensor, target: Tensor): number
  end?(mean: number): number
}

const MEANS = new Map<Metric, Mean>([
  [accuracy, { of: accuracy }],
  [meanAbsoluteError, { of: meanAbsoluteError }],
  [meanSquaredError, { of: meanSquaredError }],
  [rootMeanSquaredError, { of: meanSquaredError, end: Math.sqrt }],
])

/** @internal true if all metrics are means over rows that code of this library computes batch by batch */
export function areMeans(metrics: readonly [string, Metric][]): boolean {
  return metrics.every(([, metric]) => MEANS.has(metric))
}

/** The mean of the loss, weighted by batch size, and metrics of all rows so far. @internal */
export class RunningMeans {
  samples = 0
  /** The sum of the losses so far, each times its rows. */
  lossSum = 0
  readonly sums: number[]
  private readonly metrics: [string, Metric][]
  /** Predictions and targets so far, for metrics that are not means over rows. */
  kept: [predictions: Tensor[], targets: Tensor[]] | null
  private readonly means: (Mean | undefined)[]
  /** The values if there are no metrics: one object for all epochs, which may be many thousands. */
  private readonly none: Record<string, number> = {}

  constructor(metrics: [string, Metric][]) {
    this.metrics = metrics
    this.sums = metrics.map(() => 0)
    this.kept = areMeans(metrics) ? null : [[], []]
    this.means = metrics.map(([, metric]) => MEANS.get(metric))
  }

  /** Resets for the next epoch; epochs may be as short as a microsecond. */
  reset(): void {
    this.samples = 0
    this.lossSum = 0
    this.sums.fill(0)
    if (this.kept !== null) this.kept = [[], []]
  }

  add(loss: number, prediction: Tensor, target: Tensor, size: number): void {
    this.addLoss(loss, size)
    const { means, sums } = this
    for (let i = 0; i < means.length; i++) sums[i] += (means[i]?.of(prediction, target) ?? 0) * size
    this.kept?.[0].push(prediction.keep())
    this.kept?.[1].push(target.keep())
  }

  /** Adds the loss alone. */
  addLoss(loss: number, size: number): void {
    this.samples += size
    this.lossSum += loss * size
  }

  /** Losses of many rows, which were added to {@link lossSum} one after the other. */
  addLosses(sum: number, rows: number): void {
    this.samples += rows
    this.lossSum = sum
  }

  get loss(): number {
    return this.lossSum / this.samples
  }

  /** The value of each metric so far, by name. */
  get values(): Record<string, number> {
    return this.metrics.length > 0 ? this.valuesLater()() : this.none
  }

  /** The present {@link values}, computed only when the returned function is called; rows added in the meantime do not count. */
  valuesLater(): () => Record<string, number> {
    const { metrics, samples, kept } = this
    const sums = [...this.sums]
    const batches = kept?.[0].length
    const result = (name: string, metric: Metric, i: number, [prediction, target]: Tensor[]) => {
      const mean = this.means[i]
      if (mean) return mean.end?.(sums[i] / samples) ?? sums[i] / samples
      const given = metric(prediction, target)
      const value = given instanceof Tensor ? given.item() : given
      if (typeof value !== 'number') throw typeError(`metrics: '${name}' wants to return a number, got ${show(value)}`)
      return value
    }
    return () => {
      const joined = kept?.map((parts) => joinRows('metrics', parts.slice(0, batches))) ?? []
      return Object.fromEntries(metrics.map(([name, metric], i) => [name, result(name, metric, i, joined)]))
    }
  }
}
