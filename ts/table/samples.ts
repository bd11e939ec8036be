/** The numbers of a table that nets learn from, rows of them as tensors, and what nets say of such rows. */
import { type ColumnToEmbed, type Module, softmax, type Tensor, tensor } from '../index.js'
import type { LossOf } from './choose.js'

/** Numbers to learn from. */
export interface TableSamples {
  /** Row-major [count, width]. */
  inputs: Float32Array
  width: number
  count: number
  /** Classes, or numbers with mean 0 and deviation 1. */
  targets: Int32Array | Float32Array
  /** 0 for numbers. */
  classes: number
  /** Inputs that are numbers of categories. */
  embedded: readonly ColumnToEmbed[]
  /** How much each row counts in the loss. Default 1. */
  weights?: Float64Array | undefined
  /** What predictions of rows with such targets are judged by, instead of the loss. */
  lossOf?: ((targets: Int32Array | Float32Array) => LossOf) | undefined
}

/** Rows of the inputs as a tensor; of each row the first columns alone where fewer are wanted. */
export function inputsAt({ inputs, width }: Pick<TableSamples, 'inputs' | 'width'>, rows: Int32Array, columns = width): Tensor {
  const out = new Float32Array(rows.length * columns)
  for (const [i, row] of rows.entries()) out.set(inputs.subarray(row * width, row * width + columns), i * columns)
  return tensor(out, [rows.length, columns])
}

/** Targets of rows: classes, or numbers. */
export function targetsAt(targets: Int32Array | Float32Array, rows: Int32Array): Int32Array | Float32Array {
  const at = (row: number) => targets[row]
  return targets instanceof Int32Array ? Int32Array.from(rows, at) : Float32Array.from(rows, at)
}

/** The same as losses and metrics take them: classes, or a tensor [rows, 1]. */
export function targetsFor(targets: Int32Array | Float32Array, rows: Int32Array): Int32Array | Tensor {
  const own = targetsAt(targets, rows)
  return own instanceof Int32Array ? own : tensor(own, [rows.length, 1])
}

/** Probabilities of classes, or numbers, row-major. */
export function predictionsOf(net: Module, inputs: Tensor, classes: number): Float64Array {
  const output = net.predict(inputs) as Tensor
  return Float64Array.from((classes > 0 ? softmax(output) : output).data())
}
