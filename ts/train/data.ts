/** Data sets as training takes them: checked once, then cut into batches whose rows are copied straight into the step arena. */

import { openStep } from '../autograd.js'
import type { FloatArray } from '../backend/heap.js'
import type { Backend } from '../backend/index.js'
import type { Ptr } from '../backend/kernels.js'
import { rangeError, ShapeError, typeError } from '../common/errors.js'
import { checkOptions } from '../common/options.js'
import { formatShape, type Shape, sizeOf } from '../common/shape.js'
import { show } from '../common/show.js'
import { warnOnce } from '../common/warn.js'
import type { Loss } from '../loss/loss.js'
import { rowsOf } from '../nn/rows.js'
import { reshape } from '../ops/shape.js'
import { Generator } from '../random.js'
import { CARRIED } from '../rows/carried.js'
import { cutEvenly } from '../rows/cut.js'
import { copyBetween, takeRows } from '../rows/take.js'
import { asFloats, asTensor, Tensor } from '../tensor.js'
import { DATA, type TrainingData } from './training-data.js'

/** A checked data set. @internal */
export interface Rows {
  inputs: Tensor
  targets: Tensor
  weights: Tensor | null
  count: number
  /** The same rows with targets of the other type (classes or numbers), for a loss that needs that type. */
  converted?: Rows
  /** The loss that last accepted these targets, and for which shape of predictions: many trainings on the same data check them only once. */
  taken?: { loss: Loss; shape: Shape }
}

/** Rows of one step. */
export interface Batch {
  inputs: Tensor
  targets: Tensor
  weights: Tensor | undefined
  size: number
}

/**
 * @internal the data set in checked options, as tensors with equal numbers of rows
 * @param checksInputs false if the reader of the inputs checks that they are finite
 * @throws ShapeError if counts differ or there is no row; RangeError naming row and column of a number that is not finite
 */
export function checkData(data: TrainingData, backend: Backend, what: string, { checksInputs = true } = {}): Rows {
  checkNumbers(data, what)
  const given = onHost(asTensor(data.inputs, backend, `${what}: inputs`))
  const inputs = data.shape === undefined ? given : reshape(given, data.shape)
  const targets = asRows(onHost(asTensor(data.targets, backend, `${what}: targets`)), inputs, data.shape)
  const weights = data.weights === undefined ? null : onHost(asFloats(data.weights, backend, `${what}: weights`))
  if (inputs.rank === 0 || targets.rank === 0)
    throw new ShapeError(`${what}: inputs and targets want one row per sample, got a single number`)
  const count = inputs.shape[0]
  if (count === 0) throw new ShapeError(`${what}: there is no data, inputs have shape ${formatShape(inputs.shape)}`)
  for (const [name, tensor] of [
    ['targets', targets],
    ['weights', weights],
  ] as const) {
    if (tensor !== null && tensor.shape[0] !== count)
      throw new ShapeError(
        `${what}: ${count} rows of inputs but ${tensor.shape[0]} of ${name} (shapes ${formatShape(inputs.shape)} and ${formatShape(tensor.shape)})` +
          (inputs.rank === 1 && count > tensor.shape[0] ? '; inputs in a flat array want a `shape`' : hintFor(tensor, count)),
      )
  }
  for (const [name, tensor] of [
    ['inputs', checksInputs ? inputs : null],
    ['targets', targets],
    ['weights', weights],
  ] as const)
    if (tensor !== null) checkAllFinite(tensor, `${what}: ${name}`)
  if (weights !== null) checkWeights(weights.read(), what)
  return { inputs, targets, weights, count }
}

/** @internal {@link checkData} for an option that is a data set itself: its names are checked, too */
export function checkDataSet(data: TrainingData, backend: Backend, what: string): Rows {
  return checkData(checkOptions(what, data, DATA, CARRIED), backend, what)
}

/** Reshapes flat targets with several numbers per row, if inputs are flat too: the targets of an autoencoder have the shape of its inputs. */
function asRows(targets: Tensor, inputs: Tensor, shape: Shape | undefined): Tensor {
  const [count] = inputs.shape
  if (shape === undefined || targets.rank !== 1 || targets.size === count || targets.size % count !== 0) return targets
  return reshape(targets, targets.size === inputs.size ? inputs.shape : [count, targets.size / count])
}

/** @throws TypeError for rows and classes that data tools make numbers of, naming the tool */
function checkNumbers({ inputs, targets }: TrainingData, what: string): void {
  const first = (values: unknown) => (Array.isArray(values) ? values[0] : undefined)
  const [row, target]: unknown[] = [first(inputs), first(targets)]
  if (typeof target === 'string' || typeof target === 'boolean')
    throw typeError(`${what}: targets want numbers, got ${show(target)}; fromArrays(inputs, targets) of gradus/data makes classes of them`)
  const [number] = Array.isArray(row) ? row : [row]
  if (typeof number === 'string') throw typeError(`${what}: inputs want numbers, got ${show(number)}; row.map(Number) makes them of texts`)
  if (typeof row === 'object' && row !== null && !Array.isArray(row) && !('length' in row) && !(row instanceof Tensor))
    throw typeError(`${what}: inputs want numbers, got ${show(row)}; fromTable(rows, { target }) of gradus/data makes them of such rows`)
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
  if (most === 0) throw rangeError(`${what}: all weights are 0`)
}

/** The tensor in an ordinary array: data outlives many steps, so it must not be in the memory of a step. */
function onHost(tensor: Tensor): Tensor {
  return tensor.isOnHost ? tensor : tensor.keep()
}

/** @internal @throws RangeError naming row and column of a number that is not finite */
export function checkAllFinite(tensor: Tensor, what: string): void {
  const values = tensor.read()
  if (values instanceof Int32Array) return
  for (let from = 0; from < values.length; from += FINITE_BLOCK) {
    const block = values.subarray(from, from + FINITE_BLOCK)
    if (isAllFinite(block)) continue
    const i = from + block.findIndex((value) => !Number.isFinite(value))
    const width = tensor.size / tensor.shape[0]
    const column = width > 1 ? `, column ${i % width}` : ''
    const remedy = Number.isNaN(values[i]) ? 'replace missing values first' : 'remove it, or scale it down to below 3.4e38'
    throw rangeError(`${what}: ${values[i]} at row ${Math.floor(i / width)}${column}; ${remedy}`)
  }
}

/** Values are checked in blocks of this size; only a block with a bad value is searched for it. */
const FINITE_BLOCK = 4096

/** True if all values are finite. All data are checked before each fit and evaluation, so four sums run side by side, without a branch. */
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

/** @internal how {@link splitRows} chooses */
export interface SplitWay {
  /** True to draw the rows at random; else the last rows are taken. */
  shuffle?: boolean | undefined
  seed?: number | undefined
  /** True if targets of one number per row are classes, for a stratified split. */
  areClasses: boolean
}

/** @internal splits a `fraction` of the rows off; the others stay in their order */
export function splitRows(rows: Rows, fraction: number, { shuffle = true, seed = 0, areClasses }: SplitWay): [Rows, Rows] {
  const { count, targets } = rows
  const held = Math.max(1, Math.round(count * fraction))
  if (held === count) throw rangeError(`fit: validationFraction ${fraction} of ${count} rows leaves none to train on`)
  const values = targets.read()
  const classOf = areClasses && targets.size === count && values.every(Number.isInteger) ? values : null
  if (!shuffle) {
    const parts: [Rows, Rows] = [rowsBetween(rows, 0, count - held), rowsBetween(rows, count - held, count)]
    if (classOf) tellMissing(classOf.subarray(0, count - held), classOf.subarray(count - held))
    return parts
  }
  const [train, validation] = cutEvenly(new Generator(seed).permutation(count), held, classOf)
  if (classOf) tellMissing(...([train, validation].map((part) => Array.from(part, (row) => classOf[row])) as [number[], number[]]))
  return [pickRows(rows, train.sort()), pickRows(rows, validation.sort())]
}

function tellMissing(...[train, validation]: [ArrayLike<number>, ArrayLike<number>]): void {
  const [known, judged] = [new Set(Array.from(train)), new Set(Array.from(validation))]
  const untrained = [...judged].find((c) => !known.has(c))
  const unjudged = [...known].find((c) => !judged.has(c))
  if (untrained !== undefined) warnOnce(`fit: validationFraction: no row of class ${untrained} is left to train on`)
  else if (unjudged !== undefined) warnOnce(`fit: validationFraction: no row of class ${unjudged} is there to judge by`)
}

/** @internal rows from..to (exclusive) as views, not copies */
export function rowsBetween({ inputs, targets, weights }: Rows, from: number, to: number): Rows {
  const part = (t: Tensor) => rowsOf(t, from, to)
  return { inputs: part(inputs), targets: part(targets), weights: weights && part(weights), count: to - from }
}

/** @internal rows by index, in that order. @throws RangeError for a missing row, or for no rows at all */
export function pickRows({ inputs, targets, weights, count }: Rows, subset: ArrayLike<number>): Rows {
  if (!(subset?.length > 0)) throw rangeError(`rows wants numbers of rows, at least one, got ${show(subset)}`)
  for (let i = 0; i < subset.length; i++) {
    const row = subset[i]
    if (!(Number.isInteger(row) && row >= 0 && row < count))
      throw rangeError(`rows wants whole numbers from 0 to ${count - 1}, got ${show(row)} at position ${i}`)
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

/** @internal copies rows from..to into memory of the current scope */
export function rowsInScope(source: Tensor, from: number, to: number): Tensor {
  return gatherRows(source, null, from, to)
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

/** The rows in that order, as a tensor on the host. */
function rowsInOrder(source: Tensor, order: Int32Array): Tensor {
  const values = takeRows(source.read(), order, source.size / source.shape[0])
  return Tensor.onHost(source.backend, [order.length, ...source.shape.slice(1)], values)
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
    copyBetween(values, from * width, (to - from) * width, out, at)
    return out
  }
  for (let r = from; r < to; r++) {
    copyBetween(values, order[r] * width, width, out, at)
    at += width
  }
  return out
}
