/** Items of a stream as numbers: flat arrays of one width, without the rows that cannot be read. */
import { EncodedRows } from '../common/encoded-rows.js'
import { rangeError, reword, typeError } from '../common/errors.js'
import { formatShape, type Shape, sameShape, sizeOf } from '../common/shape.js'
import { show } from '../common/show.js'
import { type Loss, type Module, noGrad, ShapeError, Tensor, type TensorLike, type TrainingData, tensor, zeros } from '../index.js'
import { copyBetween } from '../rows/take.js'
import { Columns } from './columns.js'
import type { SourcePart, StreamBatch } from './source.js'

/** Numbers in a flat array. */
export type NumberArray = Float32Array | Float64Array | Int32Array

/** Numbers of some rows. */
export interface Numbers {
  inputs: NumberArray
  targets: NumberArray
  weights: NumberArray | null
  count: number
  /** Shape of the inputs of one row. */
  shape: Shape
  /** Shape of the targets of one row. */
  targetShape: Shape
  /** True if other rows may have another shape. */
  ragged: boolean
}

/** @internal No rows. */
export const NONE: Numbers = {
  ...{ inputs: new Float32Array(), targets: new Float32Array(), weights: null, count: 0 },
  ...{ shape: [], targetShape: [], ragged: false },
}

/** Consecutive rows of a stream. */
export interface Segment {
  numbers: Numbers
  /** Number of the first row in its pass. */
  row: number
}

/** A row that cannot be read. */
export interface BadRow {
  /** Number of the row in its pass, from 0. */
  row: number
  message: string
}

/** Encodes rows of a table: `encoderFromStream` and `fromTable` of gradus/data give one. */
export interface RowEncoder {
  dataset(rows: readonly object[]): StreamBatch
  /** Names of the columns that it reads, so that a stream that changes its columns is an error. Default: it is none. */
  state?(): { columns: readonly { name: string }[]; target: { name: string }; leftOut?: readonly string[] }
}

/** If this many rows in succession cannot be read, the stream has changed, and training ends even if such rows are skipped. */
const MAX_SKIPPED = 1000

/** @internal how a {@link NumberReader} reads */
export interface ReaderOptions {
  /** The function that reads, for messages. */
  who: string
  model: Module
  encoder: RowEncoder | undefined
  /** True if rows that cannot be read are skipped. */
  skips: boolean
  /** True if rows may have different shapes. */
  takesRagged: boolean
  /** Throws for targets that the loss refuses. Default: such targets are found when they are learnt. */
  checkTargets?: ((rows: Numbers) => void) | undefined
}

/** @internal Reads the items of one stream. All rows have the shapes of the first one, unless they are ragged. */
export class NumberReader {
  /** The first rows: others have their shapes and types. */
  first: Numbers | null = null
  private inSuccession = 0
  private readonly columns: Columns | null

  constructor(private readonly options: ReaderOptions) {
    const state = options.encoder?.state?.()
    this.columns =
      state === undefined
        ? null
        : new Columns(
            [...state.columns, state.target].map(({ name }) => name),
            state.leftOut ?? [],
          )
  }

  /** The rows of an item. @throws RangeError, TypeError naming the first row that cannot be read, unless such rows are skipped */
  read({ item, rows, skip, row: start }: SourcePart): { segments: Segment[]; bad: BadRow[] } {
    const segments: Segment[] = []
    const bad: BadRow[] = []
    const read = this.readerOf(item, rows)
    const first = start - skip
    // halves of rows that cannot be read together, until the bad row is alone: a bad row costs a few further readings
    const readBetween = (from: number, to: number): void => {
      let failure: unknown
      try {
        const numbers = this.checked(read(from, to), item instanceof EncodedRows)
        if (numbers.count === to - from) {
          this.inSuccession = 0
          segments.push({ numbers, row: first + from })
          return
        }
      } catch (error) {
        failure = error
      }
      if (to - from === 1) {
        // an encoder that drops rows with gaps is left with none of a single row
        if (failure !== undefined && !/^dataset: a value is missing in each of /.test((failure as Error).message))
          bad.push(this.refused(failure, first + from))
        return
      }
      const middle = (from + to) >> 1
      readBetween(from, middle)
      readBetween(middle, to)
    }
    if (rows > skip) readBetween(skip, rows)
    return { segments, bad }
  }

  private refused(error: unknown, row: number): BadRow {
    // the row was read alone, as row 0
    const message = (error as Error).message.replace(/^(dataset|tensor): /, '').replace(/\brow 0\b/, `row ${row}`)
    const text = message.includes(`row ${row}`) ? message : `row ${row}: ${message}`
    const { who, skips } = this.options
    if (!skips) throw sameKind(error, `${who}: ${text}; badRows: 'skip' leaves such rows out`)
    if (++this.inSuccession === MAX_SKIPPED)
      throw sameKind(error, `${who}: none of ${MAX_SKIPPED} rows in succession can be read, so the stream has changed; the last: ${text}`)
    return { row, message: text }
  }

  /** Reads a range of rows of an item. */
  private readerOf(item: object, rows: number): (from: number, to: number) => Numbers {
    const { encoder, model } = this.options
    if (item instanceof EncodedRows) {
      const whole = encodedNumbers(item)
      return (from, to) => between(whole, from, to)
    }
    const list = Array.isArray(item) ? (item as readonly object[]) : null
    if (encoder !== undefined) {
      const all = list ?? [item]
      const changed = rows > 0 ? this.columns?.check(all) : null
      return (from, to) => {
        if (changed) throw changed
        return numbersOf(model, encoder.dataset(all.slice(from, to)))
      }
    }
    if (list !== null || isSingle(item)) {
      const all = (list ?? [item]) as readonly StreamBatch[]
      return (from, to) => numbersOf(model, joined(all.slice(from, to)))
    }
    let whole: Numbers | undefined
    return (from, to) => {
      whole ??= numbersOf(model, item as StreamBatch)
      if (whole.count !== rows) throw new ShapeError(`${whole.count} rows of inputs but ${rows} of targets`)
      return between(whole, from, to)
    }
  }

  /** @param areFinite true if that is known @throws RangeError, ShapeError for rows that are not like the first ones */
  private checked(numbers: Numbers, areFinite: boolean): Numbers {
    const { count, shape, targetShape, weights, ragged } = numbers
    if (count === 0) return numbers
    if (ragged && !this.options.takesRagged) throw rangeError('ragged rows are for fitStream; fill them up to one length')
    const known = this.first
    if (known !== null) {
      if (ragged !== known.ragged) throw rangeError(`ragged is ${ragged}, unlike in the rows before`)
      for (const [what, now, before] of [
        ['inputs', shape, known.shape],
        ['targets', targetShape, known.targetShape],
      ] as const)
        if (!ragged && !sameShape(now, before))
          throw new ShapeError(`${what} have shape ${formatShape(now)}, those of the rows before ${formatShape(before)}`)
      if ((weights === null) !== (known.weights === null))
        throw rangeError(`there ${weights === null ? 'is no weight' : 'is a weight'}, unlike in the rows before`)
    }
    if (!areFinite) {
      checkArray('inputs', numbers.inputs, known?.inputs)
      checkArray('targets', numbers.targets, known?.targets)
    }
    if (weights !== null) {
      checkArray('weights', weights, undefined)
      if (weights.some((weight) => weight < 0)) throw rangeError('weights want numbers ≥ 0')
    }
    this.options.checkTargets?.(numbers)
    this.first ??= between(numbers, 0, 1)
    return numbers
  }
}

/** @throws RangeError for a number that is not finite, or not whole where the rows before had classes */
function checkArray(what: string, values: NumberArray, before: NumberArray | undefined): void {
  if (values instanceof Int32Array) return
  const mustBeWhole = before instanceof Int32Array
  for (let i = 0; i < values.length; i++) {
    // x·0 is NaN for NaN and infinities
    if (values[i] * 0 !== 0) throw rangeError(`${what} want finite numbers, got ${values[i]}`)
    if (mustBeWhole && !Number.isInteger(values[i])) throw rangeError(`${what} were whole numbers in the rows before, got ${values[i]}`)
  }
}

function encodedNumbers({ inputs, targets, count, width }: EncodedRows): Numbers {
  return { inputs, targets, weights: null, count, shape: [width], targetShape: [], ragged: false }
}

function isSingle(item: object): boolean {
  return typeof (item as Partial<StreamBatch>).targets === 'number'
}

/** Single rows as a batch. */
function joined(rows: readonly StreamBatch[]): StreamBatch {
  for (const row of rows) checkBatch(row)
  const hasWeights = rows[0].weights !== undefined
  return {
    inputs: rows.map(({ inputs }) => (inputs instanceof Tensor ? inputs.toArray() : inputs)) as TensorLike,
    targets: rows.map(({ targets }) => targets) as TensorLike,
    weights: hasWeights ? (rows.map(({ weights }) => weights) as TensorLike) : undefined,
    ragged: rows[0].ragged === true,
  }
}

function checkBatch(batch: Partial<StreamBatch> | null): void {
  if (batch?.inputs !== undefined && batch.targets !== undefined) return
  throw typeError(`a row without an encoder wants { inputs, targets }, got ${show(batch)}; rows of a table want the option encoder`)
}

function numbersOf({ backend }: Module, batch: StreamBatch): Numbers {
  checkBatch(batch)
  const flat = (given: TensorLike, shape?: Shape) => {
    const t = given instanceof Tensor ? given : tensor(given, shape, { backend })
    const values = t.read()
    // the memory of a tensor may be reused before its rows are learnt
    return { values: given instanceof Tensor ? values.slice() : values, shape: t.shape }
  }
  const inputs = flat(batch.inputs, batch.shape)
  const targets = flat(batch.targets)
  const weights = batch.weights === undefined ? null : flat(batch.weights)
  const [count = 1, ...shape] = inputs.shape
  const [entries = 1, ...rest] = targets.shape
  // the targets of an autoencoder in a flat array
  const isFlat = rest.length === 0 && batch.shape !== undefined && entries !== count && entries % count === 0
  if (!isFlat && entries !== count)
    throw new ShapeError(
      `${count} rows of inputs but ${entries} of targets (shapes ${formatShape(inputs.shape)} and ${formatShape(targets.shape)})` +
        (shape.length === 0 && entries === 1
          ? '; the target of a single row is a number, targets: 1, and a batch of one has inputs [[1, 2]]'
          : shape.length === 0 && entries > 0 && count % entries === 0
            ? '; inputs in a flat array want a `shape`'
            : ''),
    )
  if (weights !== null && weights.values.length !== count)
    throw new ShapeError(`${count} rows of inputs but ${weights.values.length} weights`)
  const targetShape = !isFlat ? rest : targets.values.length === inputs.values.length ? shape : [entries / count]
  return {
    inputs: inputs.values,
    targets: targets.values,
    weights: weights?.values ?? null,
    count,
    shape,
    targetShape,
    ragged: batch.ragged === true,
  }
}

/** @internal rows from..to, as views */
export function between(numbers: Numbers, from: number, to: number): Numbers {
  const { inputs, targets, weights, shape, targetShape } = numbers
  const part = (values: NumberArray, width: number) => values.subarray(from * width, to * width)
  return {
    ...numbers,
    inputs: part(inputs, sizeOf(shape)),
    targets: part(targets, sizeOf(targetShape)),
    weights: weights && part(weights, 1),
    count: to - from,
  }
}

/** @internal a function that throws RangeError for targets that the loss refuses, such as a class too many: it computes the loss of zeros */
export function targetCheck(model: Module, loss: Loss): (rows: Numbers) => void {
  let outputs: Shape | undefined
  return (rows) => {
    if (outputs === undefined) {
      try {
        outputs = model.predict(dataOf(model, between(rows, 0, 1)).inputs as Tensor).shape
      } catch {
        // a model that takes no single row, or not this one: it is found when it is learnt
        return
      }
    }
    const [each, ...rest] = outputs
    try {
      noGrad(() => loss(zeros([rows.count * each, ...rest], { backend: model.backend }), dataOf(model, rows).targets as Tensor))
    } catch (error) {
      // errors about shapes are clearer from the step itself
      if (!(error instanceof RangeError) || error instanceof ShapeError) return
      reword(error, () => `targets: ${error.message.replace(' at position 0', '')}`)
      throw error
    }
  }
}

/** @internal rows as `fit` takes them, not copied */
export function dataOf({ backend }: Module, { inputs, targets, weights, count, shape, targetShape }: Numbers): TrainingData {
  return {
    inputs: tensor(inputs, [count, ...shape], { backend }),
    targets: tensor(targets, [count, ...targetShape], { backend }),
    ...(weights && { weights: tensor(weights, [count], { backend }) }),
  }
}

/** @internal the rows in arrays of their own */
export function copyOf(numbers: Numbers): Numbers {
  const { inputs, targets, weights } = numbers
  return { ...numbers, inputs: inputs.slice(), targets: targets.slice(), weights: weights?.slice() ?? null }
}

/** @internal arrays for rows like these */
export function arraysLike({ inputs, targets, weights, shape, targetShape, ragged }: Numbers, count: number): Numbers {
  const array = (values: NumberArray, width: number) => new (values.constructor as new (size: number) => NumberArray)(count * width)
  return {
    inputs: array(inputs, sizeOf(shape)),
    targets: array(targets, sizeOf(targetShape)),
    weights: weights && array(weights, 1),
    ...{ count, shape, targetShape, ragged },
  }
}

/** @internal copies `rows` rows, from row `at` on, to row `place` of others */
export function copyRows(from: Numbers, at: number, rows: number, to: Numbers, place: number): void {
  const copy = (values: NumberArray, out: NumberArray, width: number) => copyBetween(values, at * width, rows * width, out, place * width)
  copy(from.inputs, to.inputs, sizeOf(from.shape))
  copy(from.targets, to.targets, sizeOf(from.targetShape))
  if (from.weights !== null && to.weights !== null) copy(from.weights, to.weights, 1)
}

/** An error of the same class with another message. */
function sameKind(error: unknown, message: string): Error {
  return error instanceof TypeError ? typeError(message, { cause: error }) : rangeError(message, { cause: error })
}
