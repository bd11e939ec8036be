/** The numbers of a table for training, rows of them as tensors, and predictions of nets for such rows. */
import { type ColumnToEmbed, type Loss, type Module, softmax, type Tensor, tensor } from '../../index.js'
import { takeRows } from '../../rows/take.js'
import type { LossOf } from '../../select/choose-greedily.js'
import { logLossOf, squaredErrorOf } from '../measure/losses.js'

/** Training data as numbers. */
export interface TableSamples {
  /** Row-major [count, width]. */
  inputs: Float32Array
  width: number
  count: number
  /** Classes, or numbers as nets learn them (response.ts): usually with mean 0 and deviation 1. */
  targets: Int32Array | Float32Array
  /** 0 for numbers. */
  classes: number
  /** Loss of the nets. Default: cross-entropy, of numbers the squared error. */
  loss?: Loss | undefined
  /** Inputs that are numbers of categories. */
  embedded: readonly ColumnToEmbed[]
  /** Weight of each row in the loss. Default 1. */
  weights?: Float64Array | undefined
  /** The quantity that evaluates predictions of rows with such targets, instead of the loss. */
  lossOf?: ((targets: Int32Array | Float32Array) => LossOf) | undefined
  /** The same for the choice of a net's best epoch. */
  stopOf?: ((targets: Int32Array | Float32Array) => LossOf) | undefined
}

/** Rows of the inputs as a tensor, or only their first columns if `columns` is less than all. */
export function inputsAt({ inputs, width }: Pick<TableSamples, 'inputs' | 'width'>, rows: Int32Array, columns = width): Tensor {
  return tensor(takeRows(inputs, rows, width, columns), [rows.length, columns])
}

/** Targets of rows as losses and metrics take them: classes, or a tensor [rows, 1]. */
export function targetsFor(targets: Int32Array | Float32Array, rows?: Int32Array): Int32Array | Tensor {
  const own = rows === undefined ? targets : takeRows(targets, rows)
  return own instanceof Int32Array ? own : tensor(own, [own.length, 1])
}

/** The loss of predictions of rows, or the quantity that replaces it. */
export function lossOn(
  { targets, classes, weights, lossOf }: Pick<TableSamples, 'targets' | 'classes' | 'weights' | 'lossOf'>,
  rows: Int32Array,
): LossOf {
  const own = takeRows(targets, rows)
  if (lossOf !== undefined) return lossOf(own)
  const ownWeights = weights && Float32Array.from(takeRows(weights, rows))
  return own instanceof Int32Array ? logLossOf(own, classes, ownWeights) : squaredErrorOf(own, ownWeights)
}

/** The quantity that chooses the best epoch by these rows; undefined if that is the loss, or it is not defined on them. */
export function stopOn({ targets, stopOf }: Pick<TableSamples, 'targets' | 'stopOf'>, rows: Int32Array): LossOf | undefined {
  try {
    return stopOf?.(takeRows(targets, rows))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Probabilities of classes, or numbers, row-major. */
export function predictionsOf(net: Module, inputs: Tensor, classes: number): Float64Array {
  const output = net.predict(inputs) as Tensor
  return Float64Array.from((classes > 0 ? softmax(output) : output).data())
}
