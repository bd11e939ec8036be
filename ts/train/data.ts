/** Data sets as training takes them: checked once, then cut into batches whose rows are copied straight into the step arena. */

import { openStep } from '../autograd.js'
import type { FloatArray } from '../backend/heap.js'
import type { Backend } from '../backend/index.js'
import type { Ptr } from '../backend/kernels.js'
import { rangeError, ShapeError } from '../common/errors.js'
import { checkNames } from '../common/names.js'
import { formatShape, type Shape, sizeOf } from '../common/shape.js'
import { show } from '../common/show.js'
import { rowsOf } from '../nn/rows.js'
import { reshape } from '../ops/shape.js'
import { asFloats, asTensor, Tensor, type TensorLike } from '../tensor.js'

/** Inputs, what they should give, and (optionally) how much each row counts. */
export interface DataSet {
  /** One row per sample: [n, …]. Nested arrays, a tensor, or a typed array of n numbers. */
  inputs: TensorLike
  /** Shape of the inputs, where they are one flat array: [n, …]. Default: the inputs' own. */
  shape?: Shape
  /** One entry or row per sample: class indices [n], probabilities, or numbers [n, …]. */
  targets: TensorLike
  /** One factor per sample on its loss. Default: all ones. */
  weights?: TensorLike | undefined
}

/** @internal what a data set may carry */
export const DATA = [
  'inputs',
  'shape',
  'targets',
  'weights',
  'count',
  'features',
  'classes',
  'classNames',
  'featureNames',
  'embeddings',
  'unknown',
  'report',
  'encode',
  'dataset',
  'state',
]

/** A checked data set. @internal */
export interface Rows {
  inputs: Tensor
  targets: Tensor
  weights: Tensor | null
  count: number
}

/** Rows of one step. */
export interface Batch {
  inputs: Tensor
  targets: Tensor
  weights: Tensor | undefined
  size: number
}

/**
 * @internal the data set as tensors with equally many rows
 * @throws ShapeError if counts differ or there is no row; RangeError naming row and column of a number that is not finite
 */
export function checkData(data: DataSet, backend: Backend, what: string, options: readonly string[] = []): Rows {
  checkNames(what, data, [...DATA, ...options])
  const given = onHost(asTensor(data.inputs, backend, `${what}: inputs`))
  const inputs = data.shape === undefined ? given : reshape(given, data.shape)
  const targets = onHost(asTensor(data.targets, backend, `${what}: targets`))
  const weights = data.weights === undefined ? null : onHost(asFloats(data.weights, backend, `${what}: weights`))
  if (inputs.rank === 0 || targets.rank === 0)
    throw new ShapeError(`${what}: inputs and targets want one row per sample, got a single number`)
  const count = inputs.shape[0]
  if (count === 0) throw new ShapeError(`${what}: there is no data, inputs have shape ${formatShape(inputs.shape)}`)
  for (const [name, tensor] of [
    ['targets', targets],
    ['weights', weights],
  ] as const) {
    if (tensor !== null && tensor.shape[0] !== count) {
      throw new ShapeError(
        `${what}: ${count} rows of inputs but ${tensor.shape[0]} of ${name} (shapes ${formatShape(inputs.shape)} and ${formatShape(tensor.shape)})` +
          (inputs.rank === 1 && count > tensor.shape[0] ? '; inputs in one flat array want a `shape` beside them' : hintFor(tensor, count)),
      )
    }
  }
  for (const [name, tensor] of [
    ['inputs', inputs],
    ['targets', targets],
    ['weights', weights],
  ] as const) {
    if (tensor !== null) checkAllFinite(tensor, `${what}: ${name}`)
  }
  if (weights !== null) checkWeights(weights.read(), what)
  return { inputs, targets, weights, count }
}

/** A hint for a flat array that should be rows: tensor(targets, [count, …]). */
function hintFor({ rank, size }: Tensor, count: number): string {
  return rank === 1 && size % count === 0 ? `; of a flat array tensor(…, [${count}, ${size / count}]) makes rows` : ''
}

function checkWeights(weights: ArrayLike<number>, what: string): void {
  let most = 0
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] < 0) throw rangeError(`${what}: weights want numbers ≥ 0, got ${weights[i]} at row ${i}`)
    most = Math.max(most, weights[i])
  }
  if (most === 0) throw rangeError(`${what}: all weights are 0, so that no row counts`)
}

/** Data outlives many steps, so it must not be in the memory of one. */
function onHost(tensor: Tensor): Tensor {
  return tensor.isOnHost ? tensor : tensor.keep()
}

function checkAllFinite(tensor: Tensor, what: string): void {
  const values = tensor.read()
  if (values instanceof Int32Array) return
  for (let from = 0; from < values.length; from += FINITE_BLOCK) {
    const block = values.subarray(from, from + FINITE_BLOCK)
    if (isAllFinite(block)) continue
    const i = from + block.findIndex((value) => !Number.isFinite(value))
    const width = tensor.size / tensor.shape[0]
    const column = width > 1 ? `, column ${i % width}` : ''
    throw rangeError(`${what}: ${values[i]} at row ${Math.floor(i / width)}${column}; remove or replace missing values first`)
  }
}

/** Values are checked in blocks of this size; the one that is not finite is looked for only in a block that has one. */
const FINITE_BLOCK = 4096

/** Whether all values are finite. All data pass here before each fit and evaluation, so four sums run side by side, without a branch. */
function isAllFinite(values: FloatArray): boolean {
  let [a, b, c, d] = [0, 0, 0, 0]
  let i = 0
  // x·0 is 0 unless x is NaN or infinite, and then so is the sum
  for (; i + 3 < values.length; i += 4) {
    a += values[i] * 0
    b += values[i + 1] * 0
    c += values[i + 2] * 0
    d += values[i + 3] * 0
  }
  for (; i < values.length; i++) a += values[i] * 0
  return a + b + c + d === 0
}

/** @internal the last `fraction` of the rows apart from the others, before any shuffle */
export function splitRows(rows: Rows, fraction: number): [Rows, Rows] {
  if (!(fraction > 0 && fraction < 1)) throw rangeError(`fit: validationSplit wants a number between 0 and 1, got ${show(fraction)}`)
  const kept = rows.count - Math.max(1, Math.round(rows.count * fraction))
  if (kept < 1) throw rangeError(`fit: validationSplit ${fraction} of ${rows.count} rows leaves nothing to train on`)
  return [rowsBetween(rows, 0, kept), rowsBetween(rows, kept, rows.count)]
}

/** @internal rows from..to (exclusive) as views, not copies */
export function rowsBetween({ inputs, targets, weights }: Rows, from: number, to: number): Rows {
  const part = (t: Tensor) => rowsOf(t, from, to)
  return { inputs: part(inputs), targets: part(targets), weights: weights && part(weights), count: to - from }
}

/** @internal rows by number, in that order. @throws RangeError for one that is not there, or none at all */
export function pickRows({ inputs, targets, weights, count }: Rows, subset: ArrayLike<number>): Rows {
  if (!(subset?.length > 0)) throw rangeError(`rows wants numbers of rows, at least one, got ${show(subset)}`)
  for (let i = 0; i < subset.length; i++) {
    const row = subset[i]
    if (!(Number.isInteger(row) && row >= 0 && row < count))
      throw rangeError(`rows wants whole numbers from 0 to ${count - 1}, got ${show(row)} at position ${i}: there is no row ${show(row)}`)
  }
  const order = Int32Array.from(subset)
  const pick = (t: Tensor) => rowsInOrder(t, order)
  return { inputs: pick(inputs), targets: pick(targets), weights: weights && pick(weights), count: order.length }
}

/** @internal opens a training step and copies the rows order[from..to] (or from..to) into it */
export function stepBatch(rows: Rows, order: Int32Array | null, from: number, to: number): Batch {
  openStep(rows.inputs.backend, [])
  return {
    inputs: gatherRows(rows.inputs, order, from, to),
    targets: gatherRows(rows.targets, order, from, to),
    weights: rows.weights === null ? undefined : gatherRows(rows.weights, order, from, to),
    size: to - from,
  }
}

function gatherRows(source: Tensor, order: Int32Array | null, from: number, to: number): Tensor {
  const { backend } = source
  const shape = [to - from, ...source.shape.slice(1)]
  if (source.dtype === 'int32') {
    const width = sizeOf(source.shape.slice(1))
    return Tensor.onHost(backend, shape, pick(source.read(), new Int32Array((to - from) * width), 0, width, order, from, to))
  }
  const ptr = backend.arena.allocate(sizeOf(shape) * backend.heap.elementSize)
  copyRows(source, ptr, order, from, to)
  return Tensor.inArena(backend, shape, ptr)
}

/** @internal the rows in that order, as a tensor on the host */
export function rowsInOrder(source: Tensor, order: Int32Array): Tensor {
  const width = source.size / source.shape[0]
  const values = source.read()
  const out = new (values.constructor as new (n: number) => typeof values)(order.length * width)
  pick(values, out, 0, width, order, 0, order.length)
  return Tensor.onHost(source.backend, [order.length, ...source.shape.slice(1)], out)
}

/** @internal copies the rows order[from..to] (or from..to) to an address */
export function copyRows(source: Tensor, target: Ptr, order: Int32Array | null, from: number, to: number): void {
  const { heap } = source.backend
  const width = source.size / source.shape[0]
  const values = source.read()
  if (values instanceof Int32Array) pick(values, heap.ints, target / 4, width, order, from, to)
  else pick(values, heap.floats, target / heap.elementSize, width, order, from, to)
}

type Numbers = Float32Array | Float64Array | Int32Array

/** Rows of up to this many numbers are copied one by one: a call of set() costs more. */
const SHORT_ROW = 32

function pick<T extends Numbers>(
  values: Numbers,
  out: T,
  at: number,
  width: number,
  order: Int32Array | null,
  from: number,
  to: number,
): T {
  if (order === null) {
    out.set(values.subarray(from * width, to * width), at)
    return out
  }
  for (let r = from; r < to; r++) {
    const start = order[r] * width
    if (width > SHORT_ROW) out.set(values.subarray(start, start + width), at)
    else for (let c = 0; c < width; c++) out[at + c] = values[start + c]
    at += width
  }
  return out
}
