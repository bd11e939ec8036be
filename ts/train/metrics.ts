/** Metrics: what people read, computed from predictions and targets in plain JS. */
import { show } from '../show.js'
import type { Tensor } from '../tensor.js'

/** The mean over a batch of something worth watching; averaged over batches by their size. */
export type Metric = (prediction: Tensor, target: Tensor) => number

/** Metrics by name, as `fit` and `evaluateModel` take them. */
export const METRICS = { accuracy, meanAbsoluteError, rootMeanSquaredError } as const
/** Names of the metrics that come with gradus. */
export type MetricName = keyof typeof METRICS

/**
 * The share of rows whose class is right: the largest of several logits, or for one logit whether it is above 0.
 * Targets are class indices, probabilities of the prediction's shape, or 0 and 1.
 *
 * @throws RangeError for one output whose targets are not from 0 to 1
 * @example accuracy(tensor([[0.1, 2], [3, 1]]), tensor(Int32Array.of(1, 1))) // 0.5
 */
export function accuracy(prediction: Tensor, target: Tensor): number {
  const rows = prediction.shape[0]
  const cols = prediction.size / rows
  const [p, t] = [prediction.read(), target.read()]
  const oneClassEach = target.size === rows
  let right = 0
  for (let r = 0; r < rows; r++) {
    if (cols === 1) {
      if (!(t[r] >= 0 && t[r] <= 1))
        throw new RangeError(`accuracy: targets of one output are from 0 to 1, got ${t[r]}; for numbers there is meanAbsoluteError`)
      right += p[r] > 0 === t[r] > 0.5 ? 1 : 0
    } else right += largest(p, r * cols, cols) === (oneClassEach ? t[r] : largest(t, r * cols, cols)) ? 1 : 0
  }
  return right / rows
}

/** The index of the largest of n values; −1 where none is a number. */
function largest(values: ArrayLike<number>, from: number, n: number): number {
  if (Number.isNaN(values[from])) return -1
  let best = 0
  for (let i = 1; i < n; i++) if (values[from + i] > values[from + best]) best = i
  return best
}

/** Mean of |prediction − target| over all elements. @example meanAbsoluteError(tensor([1, 2]), tensor([1, 4])) // 1 */
export function meanAbsoluteError(prediction: Tensor, target: Tensor): number {
  return meanOf(prediction, target, Math.abs)
}

/**
 * Root of the mean of (prediction − target)² over all elements of a batch.
 *
 * @example rootMeanSquaredError(tensor([1, 2]), tensor([1, 4])) // 1.414214
 */
export function rootMeanSquaredError(prediction: Tensor, target: Tensor): number {
  return Math.sqrt(meanOf(prediction, target, (d) => d * d))
}

function meanOf(prediction: Tensor, target: Tensor, f: (difference: number) => number): number {
  const [p, t] = [prediction.read(), target.read()]
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
    for (const [name, metric] of own)
      if (typeof metric !== 'function')
        throw new TypeError(`metrics: '${name}' must be a function (prediction, target) => number, got ${show(metric)}`)
    return own
  }
  return (option as readonly MetricName[]).map((name) => {
    const metric = METRICS[name]
    if (metric === undefined)
      throw new RangeError(`metrics: ${show(name)} is none of ${Object.keys(METRICS).join(', ')}; pass your own as { name: function }`)
    return [name, metric]
  })
}

/** Means of loss and metrics, weighted by batch size. @internal */
export class RunningMeans {
  private samples = 0
  private lossSum = 0
  private readonly sums: number[]
  private readonly metrics: [string, Metric][]

  constructor(metrics: [string, Metric][]) {
    this.metrics = metrics
    this.sums = metrics.map(() => 0)
  }

  add(loss: number, prediction: Tensor, target: Tensor, size: number): void {
    this.addLoss(loss, size)
    for (let i = 0; i < this.metrics.length; i++) this.sums[i] += this.metrics[i][1](prediction, target) * size
  }

  /** Where there are no metrics. */
  addLoss(loss: number, size: number): void {
    this.samples += size
    this.lossSum += loss * size
  }

  get loss(): number {
    return this.lossSum / this.samples
  }

  /** Name → mean so far. */
  get values(): Record<string, number> {
    return Object.fromEntries(this.metrics.map(([name], i) => [name, this.sums[i] / this.samples]))
  }
}
