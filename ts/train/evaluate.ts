/** evaluateModel: loss and metrics of a model over data, without training it. */

import { noGrad, scope } from '../autograd.js'
import { typeError } from '../common/errors.js'
import { anything, count, readOptions, type Schema } from '../common/options.js'
import { show } from '../common/show.js'
import type { Loss } from '../loss/loss.js'
import { type Module, rememberModes } from '../nn/module.js'
import { mul } from '../ops/elementwise.js'
import { sum } from '../ops/sum.js'
import { CARRIED } from '../rows/carried.js'
import type { Tensor } from '../tensor.js'
import { checkModel } from './claim.js'
import { checkAllFinite, checkData, type Rows, rowsBetween, rowsInScope } from './data.js'
import { checkEvaluation } from './diverged.js'
import { forwardLoss } from './forward-loss.js'
import { type Metric, type MetricsOption, type MetricValues, RunningMeans, resolveMetrics } from './metrics.js'
import { DATA, type TrainingData } from './training-data.js'

/** Options of {@link evaluateModel}. */
export interface EvaluateOptions<M extends MetricsOption = MetricsOption> extends TrainingData {
  /** Optional if only metrics are wanted. */
  loss?: Loss
  metrics?: M
  /** Rows per forward pass. Default 1024. */
  batchSize?: number
}

export const EVALUATE = {
  ...DATA,
  loss: { is: anything },
  metrics: { is: anything },
  batchSize: { is: count, default: 1024 },
} satisfies Schema<EvaluateOptions>

/**
 * Loss and metrics over a data set, in evaluation mode, without recording.
 * @example const { loss, accuracy } = evaluateModel(model, { inputs, targets, loss: crossEntropy, metrics: ['accuracy'] })
 * @throws RangeError, ShapeError for data or options that do not fit; NonFiniteError if the loss of a batch is NaN or infinite, or,
 *   without a loss, a prediction
 */
export function evaluateModel<const M extends MetricsOption = readonly []>(
  model: Module,
  options: EvaluateOptions<M> & { loss: Loss },
): { loss: number } & MetricValues<M>
export function evaluateModel<const M extends MetricsOption>(model: Module, options: EvaluateOptions<M>): MetricValues<M>
export function evaluateModel(model: Module, given: EvaluateOptions): Record<string, number> {
  checkModel('evaluateModel', model)
  const options = readOptions('evaluateModel', given, EVALUATE, CARRIED)
  const rows = checkData(options, model.backend, 'evaluateModel', { checksInputs: false })
  const { loss, metrics, batchSize } = options
  if (typeof loss !== 'function' && (loss !== undefined || metrics === undefined))
    throw typeError(`evaluateModel: wants a loss, such as mse, or metrics, got ${show(loss)} as loss${metrics ? '' : ' and no metrics'}`)
  const rest = { metrics: resolveMetrics(metrics), batchSize, checksInputs: true }
  if (loss !== undefined) return evaluateRows('evaluateModel', model, rows, { ...rest, loss })
  const { loss: _, ...values } = evaluateRows('evaluateModel', model, rows, { ...rest, loss: finite, what: 'a prediction' })
  return values
}

/** Takes the place of a loss: gives 0, unless a prediction is NaN or infinite. */
function finite(prediction: Tensor): Tensor {
  return sum(mul(prediction, 0))
}

/** Further options of {@link evaluateRows}. */
interface Evaluating {
  loss: Loss
  /** Metrics, as `resolveMetrics` returns them. Default: none. */
  metrics?: [string, Metric][]
  /** Rows per forward pass. */
  batchSize?: number
  /** Name of the value that is not finite, in messages. Default: the loss. */
  what?: string
  /** Checks that inputs are finite. Default false. */
  checksInputs?: boolean
}

/** @internal loss and metrics batch by batch, each in a scope of its own. @throws NonFiniteError */
export function evaluateRows(
  who: string,
  model: Module,
  rows: Rows,
  { loss, metrics = [], batchSize = EVALUATE.batchSize.default, what = 'loss', checksInputs = false }: Evaluating,
): { loss: number } & Record<string, number> {
  const means = new RunningMeans(metrics)
  const { backend } = rows.inputs
  const restore = rememberModes(model, false)
  try {
    noGrad(() => {
      for (let from = 0; from < rows.count; from += batchSize) {
        const to = Math.min(from + batchSize, rows.count)
        const { targets, weights, count } = rowsBetween(rows, from, to)
        scope(backend, () => {
          const inputs = rowsInScope(rows.inputs, from, to)
          if (checksInputs) checkBatch(rows.inputs, inputs, who)
          const result = forwardLoss(model, loss, { inputs, targets, weights })
          const value = result.loss.item()
          // if inputs anywhere are not finite, the error names them rather than the loss
          if (checksInputs && !Number.isFinite(value)) checkAllFinite(rows.inputs, `${who}: inputs`)
          checkEvaluation(who, model, value, `rows ${from} to ${to - 1}`, what)
          means.add(value, result.prediction, result.targets, count)
          return result.loss
        })
      }
    })
  } finally {
    restore()
  }
  return { loss: means.loss, ...means.values }
}

/**
 * Checks a batch by a kernel, right after it was copied in: a tenth of the time that a loop in JavaScript takes.
 * @throws RangeError naming the first number of all inputs that is not finite, if the batch has one
 */
function checkBatch(all: Tensor, { backend, address, size, dtype }: Tensor, who: string): void {
  // in double precision the squares of large finite numbers overflow, so then the array itself is checked
  if (dtype === 'float' && !Number.isFinite(backend.kernels.sumSquares(address, size))) checkAllFinite(all, `${who}: inputs`)
}
