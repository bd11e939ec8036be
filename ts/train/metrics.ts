/** Metrics: what people read, computed from predictions and targets in plain JS. */

import { ShapeError } from '../errors.js'
import { largest } from '../metrics/classes.js'
import { joinRows } from '../nn/module.js'
import { formatShape } from '../shape.js'
import { show } from '../show.js'
import { asTensor, Tensor, type TensorLike } from '../tensor.js'

/**
 * Something worth watching, of many rows: of the whole data set in `evaluateModel` and validation, of the epoch so far in training,
 * whatever the size of the batches. Predictions and targets are kept for it until then. A tensor of one element is as good as a number.
 */
export type Metric = (prediction: Tensor, target: Tensor) => number | Tensor

/** Metrics by name, as `fit` and `evaluateModel` take them. */
export const METRICS = { accuracy, meanAbsoluteError, rootMeanSquaredError } as const
/** Names of the metrics that come with gradus. */
export type MetricName = keyof typeof METRICS

/**
 * The share of rows whose class is right: the largest of several logits, or for one logit whether it is above 0.
 * Predictions may be classes themselves, as whole numbers (an Int32Array, `argmax`). Targets are class indices, probabilities of the prediction's shape, or 0 and 1.
 *
 * @throws RangeError for one output whose targets are not from 0 to 1, and for what is no class of several, ShapeError for targets of other rows
 * @example accuracy(tensor([[0.1, 2], [3, 1]]), [1, 1]) // 0.5
 */
export function accuracy(prediction: TensorLike, target: TensorLike): number {
  const scores = asTensor(prediction)
  const rows = scores.shape[0]
  const cols = scores.size / rows
  const [p, t] = [scores.read(), valuesOf(target, 'accuracy', scores, rows)]
  const oneClassEach = t.length === rows
  let right = 0
  for (let r = 0; r < rows; r++) {
    if (cols === 1 && scores.dtype === 'int32') right += p[r] === t[r] ? 1 : 0
    else if (cols === 1) {
      if (!(t[r] >= 0 && t[r] <= 1))
        throw new RangeError(
          `accuracy: targets of one output are from 0 to 1, got ${t[r]}; for numbers there is meanAbsoluteError, and classes as predictions are an Int32Array`,
        )
      right += p[r] > 0 === t[r] > 0.5 ? 1 : 0
    } else if (!oneClassEach) right += largest(p, r * cols, cols) === largest(t, r * cols, cols) ? 1 : 0
    else if (Number.isInteger(t[r]) && t[r] >= 0 && t[r] < cols) right += largest(p, r * cols, cols) === t[r] ? 1 : 0
    else throw new RangeError(`accuracy: wants classes from 0 to ${cols - 1} as targets, got ${t[r]} at row ${r}`)
  }
  return right / rows
}

/**
 * Mean of |prediction − target| over all elements.
 *
 * @throws ShapeError unless there are as many targets as predictions
 * @example meanAbsoluteError(tensor([1, 2]), [1, 4]) // 1
 */
export function meanAbsoluteError(prediction: TensorLike, target: TensorLike): number {
  return meanOf('meanAbsoluteError', prediction, target, Math.abs)
}

/**
 * Root of the mean of (prediction − target)² over all elements.
 *
 * @throws ShapeError unless there are as many targets as predictions
 * @example rootMeanSquaredError(tensor([1, 2]), [1, 4]) // 1.414214
 */
export function rootMeanSquaredError(prediction: TensorLike, target: TensorLike): number {
  return Math.sqrt(meanSquaredError(prediction, target))
}

function meanSquaredError(prediction: TensorLike, target: TensorLike): number {
  return meanOf('rootMeanSquaredError', prediction, target, (d) => d * d)
}

/** Targets as numbers: as many as predictions, or `rows`. */
function valuesOf(target: TensorLike, who: string, { size, shape }: Tensor, rows = size) {
  const targets = asTensor(target)
  if (targets.size === size || targets.size === rows) return targets.read()
  throw new ShapeError(`${who}: prediction has shape ${formatShape(shape)}, target ${formatShape(targets.shape)}`)
}

function meanOf(who: string, prediction: TensorLike, target: TensorLike, f: (difference: number) => number): number {
  const predicted = asTensor(prediction)
  const [p, t] = [predicted.read(), valuesOf(target, who, predicted)]
  let sum = 0
  for (let i = 0; i < p.length; i++) sum += f(p[i] - t[i])
  return sum / p.length
}

/** What options accept: names of metrics, or functions by a name of your own. */
export type MetricsOption = readonly MetricName[] | Record<string, Metric>

/** A number for each metric that an option names, and for no other. */
export type MetricValues<M extends MetricsOption> = Record<
  M extends readonly (infer N extends string)[] ? N : Extract<keyof M, string>,
  number
>

/** @internal @throws RangeError naming the metrics there are */
export function resolveMetrics(option: MetricsOption | undefined): [string, Metric][] {
  if (option === undefined) return []
  if (typeof option !== 'object' || option === null)
    throw new TypeError(`metrics: wants names in an array, ['accuracy'], or { name: function }, got ${show(option)}`)
  if (!Array.isArray(option)) {
    const own = Object.entries(option as Record<string, Metric>)
    if (Object.hasOwn(option, 'loss')) throw new RangeError("metrics: 'loss' is the name of the loss itself; give the metric another")
    for (const [name, metric] of own)
      if (typeof metric !== 'function')
        throw new TypeError(`metrics: '${name}' must be a function (prediction, target) => number, got ${show(metric)}`)
    return own
  }
  return (option as readonly MetricName[]).map((name) => {
    if (!Object.hasOwn(METRICS, name))
      throw new RangeError(
        `metrics: ${show(name)} is none of ${Object.keys(METRICS).join(', ')}; pass other functions as { name: function }, such as { r2: r2Score }`,
      )
    return [name, METRICS[name]]
  })
}

/** What is a mean over rows, or made of one by `end`: batches may be judged one by one, and nothing has to be kept. */
interface Mean {
  of(prediction: Tensor, target: Tensor): number
  end?(mean: number): number
}

const MEANS = new Map<Metric, Mean>([
  [accuracy, { of: accuracy }],
  [meanAbsoluteError, { of: meanAbsoluteError }],
  [rootMeanSquaredError, { of: meanSquaredError, end: Math.sqrt }],
])

/** The mean of the loss, weighted by batch size, and metrics of all rows so far. @internal */
export class RunningMeans {
  private samples = 0
  private lossSum = 0
  private readonly sums: number[]
  private readonly metrics: [string, Metric][]
  /** What metrics need that are no means. */
  private readonly kept: [predictions: Tensor[], targets: Tensor[]] | null

  constructor(metrics: [string, Metric][]) {
    this.metrics = metrics
    this.sums = metrics.map(() => 0)
    this.kept = metrics.every(([, metric]) => MEANS.has(metric)) ? null : [[], []]
  }

  add(loss: number, prediction: Tensor, target: Tensor, size: number): void {
    this.addLoss(loss, size)
    for (const [i, [, metric]] of this.metrics.entries()) this.sums[i] += (MEANS.get(metric)?.of(prediction, target) ?? 0) * size
    this.kept?.[0].push(prediction.keep())
    this.kept?.[1].push(target.keep())
  }

  /** Where there are no metrics. */
  addLoss(loss: number, size: number): void {
    this.samples += size
    this.lossSum += loss * size
  }

  get loss(): number {
    return this.lossSum / this.samples
  }

  /** Name → value so far, computed when it is asked for: by then there may be more rows, which do not count. */
  get values(): () => Record<string, number> {
    const { metrics, samples, kept } = this
    const sums = [...this.sums]
    const batches = kept?.[0].length
    const result = (name: string, metric: Metric, i: number, [prediction, target]: Tensor[]) => {
      const mean = MEANS.get(metric)
      if (mean) return mean.end?.(sums[i] / samples) ?? sums[i] / samples
      const given = metric(prediction, target)
      const value = given instanceof Tensor ? given.item() : given
      if (typeof value !== 'number') throw new TypeError(`metrics: '${name}' must return a number, got ${show(value)}`)
      return value
    }
    return () => {
      const joined = kept?.map((parts) => joinRows('metrics', parts.slice(0, batches))) ?? []
      return Object.fromEntries(metrics.map(([name, metric], i) => [name, result(name, metric, i, joined)]))
    }
  }
}
