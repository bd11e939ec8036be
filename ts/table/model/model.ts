/** A model of a table: encoder, scaler and net as one thing, which takes rows as they are in the file. */
import { rangeError, typeError } from '../../common/errors.js'
import { flag, fraction, readOptions, type Schema } from '../../common/options.js'
import { quantileOf } from '../../common/quantile.js'
import { refuseLater } from '../../common/saved.js'
import { shortened, show, showNames } from '../../common/show.js'
import { visible } from '../../common/visible.js'
import { type EncoderOptions, encoderFromState, type TableEncoder, type TableState } from '../../data/index.js'
import { ENCODER } from '../../data/table/encoder.js'
import {
  decodeModelFile,
  EmbedColumns,
  encodeModel,
  loadModelFile,
  type ModelFile,
  type ModelSource,
  Module,
  Scale as ScaleLayer,
  saveModel,
  softmax,
  type Tensor,
  tensor,
} from '../../index.js'
import { formatCount } from '../../report/format.js'
import { givePrinted } from '../../report/notebook.js'
import { type Decision, namedClass, type OrderedClasses } from '../measure/metrics.js'
import { type Embedded, type FeatureState, inputsOf, widthOf } from '../rows/features.js'
import type { TableProfile } from '../rows/profile.js'
import { ascending, boundsOf, QUANTILES, type RowIntervals } from '../target/intervals.js'
import { numberOf, type Scale } from '../target/response.js'
import { StrictRows } from './strict.js'

/** Prediction for a row by a model that was trained on classes. */
export interface ClassPrediction {
  /**
   * The most likely class; for a model with a threshold, the positive class if its probability is at least the threshold; for classes with an order, the
   * median of the distribution.
   */
  class: string
  /** The probability of this class: below 0.5 if a threshold decided for the less likely class, and not always the largest for classes with an order. */
  probability: number
  /** Probabilities of all classes. */
  probabilities: Record<string, number>
}

/** Prediction for a row by a model that was trained on numbers. */
export interface NumberPrediction {
  value: number
  /** The true number is between these two with the requested probability. */
  low: number
  high: number
}

/** Result of {@link TableModel.predict} for a row. */
export type Prediction = ClassPrediction | NumberPrediction

/** Options of {@link TableModel.predict}. */
export interface TablePredictOptions {
  /** For numbers, the desired coverage of the interval, above 0 and below 1. Default 0.9. */
  coverage?: number
  /**
   * Requires rows to be like the rows of the table: with every column that the model uses, no unknown column, at least one value, numbers and dates
   * in the columns that had them, and no new category. A gap in a column is allowed. Default false: missing or new values count as gaps.
   */
  strict?: boolean
}

export const TABLE_PREDICT = {
  coverage: { is: fraction, default: 0.9 },
  strict: { is: flag, default: false },
} satisfies Schema<TablePredictOptions>

/** State of a model besides its net: plain JSON. */
export interface TableModelState {
  format: 'gradus-table-model/1'
  table: TableState
  features: FeatureState
  target: string
  task: 'classification' | 'regression'
  /** For numeric targets: the way from the net's output to the number, less the center of its column if there is no link. */
  scale: Scale
  /** For numeric targets: sizes of errors on held-out rows, at evenly spaced quantiles from 0 to 1. */
  errors: readonly number[]
  /** Hashes of some of the training rows (fingerprint.ts). */
  fingerprint: readonly number[]
  /** Profiles of the columns in the training rows. */
  profile: TableProfile
  /** For intervals whose width follows the row: the corrections of {@link RowIntervals}, whose net is a part of its own in the file. */
  corrections?: readonly number[]
  /**
   * For two classes: the positive one, and the threshold from which on it is predicted, if that is not the likelier class. For classes with an order:
   * that they have one.
   */
  decision?: { positive: string; threshold?: number; isOrdered?: undefined } | OrderedClasses
}

/** The part of a model file that contains the model of a table. */
const PART = 'tableModel'
/** The part with the net of intervals whose width follows the row. */
const INTERVALS = 'tableIntervals'

/** @internal the part with the models of several targets */
export const TARGETS = 'tableTargets'

/** Names that a printed model shows. */
const PRINTED = 12

/**
 * A model that takes raw rows, from {@link trainTable} or {@link loadTableModel}.
 *
 * @example
 * const { model } = await trainTable(rows, { target: 'species' })
 * model.predict(rows)[0] // such as { class: 'setosa', probability: 0.99, probabilities: { setosa: 0.99, versicolor: 0.01, virginica: 0 } }
 * model.predict(rows)[0].class // 'setosa'
 */
export class TableModel<P extends Prediction = Prediction> {
  /** The nets: an `Ensemble`, whose input is the result of {@link inputs}. */
  readonly net: Module
  readonly task: 'classification' | 'regression'
  /** The column that is predicted. */
  readonly target: string
  /** Empty if numbers are predicted. */
  readonly classNames: readonly string[]
  /** @internal */
  readonly encoder: TableEncoder
  private readonly state: TableModelState
  /** @internal gives quantiles of errors, for intervals whose width follows the row */
  readonly intervals: Module | undefined
  private strictRows: StrictRows | undefined

  /** @internal use {@link trainTable} or {@link loadTableModel} */
  constructor(net: Module, state: TableModelState, options: EncoderOptions = {}, intervals?: Module) {
    this.net = net
    this.state = state
    this.intervals = intervals
    this.encoder = encoderFromState(state.table, options)
    this.task = state.task
    this.target = state.target
    this.classNames = this.encoder.classNames
  }

  /** The columns that rows must have, in the order of the table. */
  get columns(): readonly string[] {
    return this.state.table.columns.map(({ name }) => name)
  }

  /** Values of later rows that the table did not have, by column: they count as no category. */
  get unknown(): TableEncoder['unknown'] {
    return this.encoder.unknown
  }

  /**
   * Predictions for rows, which need not have the target. Gaps are filled in as in training; a new category counts as none of the known ones, and in
   * {@link unknown}.
   *
   * In a server, `{ strict: true }` refuses rows that are not like the table's, with an error that lists everything wrong with them.
   *
   * @param rows one object or many, with the columns of the table; numbers may be text
   * @example
   * const { model } = await trainTable(rows, { target: 'species' })
   * model.predict({ petalLength: 1.4 }).class // such as 'setosa': the width counts as a gap
   * // model.predict({ petalLength: 1.4 }, { strict: true }) throws: predict: row 0: column 'petalWidth' is missing
   * @throws RangeError naming row and column of a value that is of another kind than those of the table, or an unknown option
   */
  predict(rows: readonly object[], options?: TablePredictOptions): P[]
  // for a promise, the name of the type is what the compiler says
  predict<R extends object>(row: R extends PromiseLike<unknown> ? 'rows want an await' : R, options?: TablePredictOptions): P
  predict(rows: object | readonly object[], options: TablePredictOptions = {}): P | P[] {
    const { coverage, strict } = readOptions('predict', options, TABLE_PREDICT)
    const isOne = !Array.isArray(rows)
    const all = (isOne ? [rows] : rows) as readonly object[]
    if (strict) (this.strictRows ??= new StrictRows(this.state.table, this.target)).check(all, 0)
    const each = this.predictPart(all, 0, coverage)
    return isOne ? each[0] : each
  }

  /** @internal some of the rows of a table. @param from the number of the first of them, so that errors name rows as the table has them */
  predictPart(rows: readonly object[], from: number, coverage: number): P[] {
    const inputs = this.inputsFrom(rows, from, 'predict')
    const answers = this.answers(inputs)
    if (this.task === 'classification') return rows.map((_, row) => this.classOf(answers, row) as P)
    const { center } = this
    return this.intervalsAround(answers, inputs, coverage).map(
      ([low, high], row) => ({ value: answers[row] + center, low: low + center, high: high + center }) as P,
    )
  }

  /** The input of the net: rows as numbers, row-major. */
  inputs(rows: readonly object[]): Float32Array {
    return this.inputsFrom(rows, 0, 'inputs')
  }

  /** @internal rows as the encoder gives them */
  encoded(rows: readonly object[]): Float32Array {
    return this.encoder.encode(rows)
  }

  private inputsFrom(rows: readonly object[], from: number, who: string): Float32Array {
    return rows.length === 0 ? new Float32Array() : inputsOf(this.state.features, this.encoder.encode(rows, from, who))
  }

  /** @internal a number that was subtracted from the targets before anything was learned */
  get center(): number {
    return this.state.table.target.center ?? 0
  }

  /** @internal numbers above 0 are predicted, and none is subtracted from them */
  get arePositive(): boolean {
    return this.state.scale.link === 'log' && this.center === 0
  }

  /** @internal for two classes: the positive one, and the threshold from which on it is predicted; for classes with an order: that they have one */
  get decision(): Decision | undefined {
    if (this.state.decision?.isOrdered) return { isOrdered: true }
    if (this.classNames.length !== 2) return undefined
    const { positive, threshold } = this.state.decision ?? { positive: this.classNames[1] }
    return { positive: this.classNames.indexOf(positive), ...(threshold !== undefined && { threshold }) }
  }

  /** @internal of rows as the encoder gives them: probabilities of classes, row-major, or numbers less {@link center} */
  answersTo(encoded: Float32Array): Float64Array {
    return this.answers(inputsOf(this.state.features, encoded))
  }

  private answers(inputs: Float32Array): Float64Array {
    if (inputs.length === 0) return new Float64Array()
    const width = widthOf(this.state.features)
    const output = this.net.predict(tensor(inputs, [inputs.length / width, width], { backend: this.net.backend }))
    if (this.task === 'classification') return Float64Array.from(softmax(output).data())
    const { scale } = this.state
    // behind a link, numbers are whole ones
    const center = scale.link === undefined ? 0 : this.center
    return Float64Array.from(output.data(), (y) => numberOf(scale, y) - center)
  }

  /** @internal half of the width of an interval with this coverage, if it is the same for all rows */
  halfWidth(coverage: number): number {
    return quantileOf(this.state.errors, coverage)
  }

  /** @internal intervals of rows as the encoder gives them, for numbers as {@link answersTo} gives them */
  intervalsOf(answers: Float64Array, encoded: Float32Array, coverage: number): [low: number, high: number][] {
    return this.intervalsAround(answers, inputsOf(this.state.features, encoded), coverage)
  }

  private intervalsAround(answers: Float64Array, inputs: Float32Array, coverage: number): [low: number, high: number][] {
    const { state, center, intervals } = this
    const isPositive = state.scale.link === 'log'
    const least = isPositive ? -center : Number.NEGATIVE_INFINITY
    if (intervals === undefined) {
      const half = this.halfWidth(coverage)
      return Array.from(answers, (value) => [Math.max(least, value - half), value + half])
    }
    if (inputs.length === 0) return []
    const width = widthOf(state.features)
    const quantiles = ascending(
      (intervals.predict(tensor(inputs, [inputs.length / width, width], { backend: intervals.backend })) as Tensor).data(),
    )
    return Array.from(answers, (value, row) => {
      const unit = isPositive ? value + center : state.scale.deviation
      const [low, high] = boundsOf(quantiles, row, state.corrections ?? [], coverage)
      return [Math.max(least, value + unit * Math.min(0, low)), value + unit * Math.max(0, high)]
    })
  }

  private classOf(answers: Float64Array, row: number): ClassPrediction {
    const { classNames } = this
    const own = answers.subarray(row * classNames.length, (row + 1) * classNames.length)
    const best = namedClass(own, 0, own.length, this.decision)
    return {
      class: classNames[best],
      probability: own[best],
      probabilities: Object.fromEntries(classNames.map((name, i) => [name, own[i]])),
    }
  }

  /**
   * The model as the bytes of one safetensors file, for {@link loadTableModel}. Python's safetensors reads its weights.
   * @example
   * const { model } = await trainTable(rows, { target: 'species' })
   * const again = await loadTableModel(model.bytes())
   * again.target // 'species'
   */
  bytes(): Uint8Array {
    return encodeModel(this.net, this.parts())
  }

  /**
   * Saves the model in one file, all or nothing, as `saveModel` does; in a browser under a name in IndexedDB.
   * @example
   * const { model } = await trainTable(rows, { target: 'species' })
   * await model.save('iris.safetensors')
   */
  save(path: string): Promise<void> {
    return saveModel(this.net, path, this.parts())
  }

  /** @internal everything that it knows besides its net */
  saved(): TableModelState {
    return this.state
  }

  /** @internal what a file has besides the net */
  parts(): Record<string, unknown> {
    return { [PART]: JSON.stringify(this.state), ...(this.intervals && { [INTERVALS]: this.intervals }) }
  }
}

/**
 * A model from a file that {@link TableModel.save} wrote: encoder, scaler and net, ready for raw rows.
 *
 * @param source a path, URL, Blob, the bytes, or the result of `loadModelFile`
 * @param options `warn: false` leaves it to `model.unknown` to say which categories were unknown
 * @example
 * const { model } = await trainTable(rows, { target: 'species' })
 * await model.save('iris.safetensors')
 * const again = await loadTableModel('iris.safetensors')
 * again.predict(rows)[0].class // 'setosa'
 * @throws RangeError for a damaged file, TypeError for a file without a model of a table
 */
// biome-ignore lint/suspicious/noExplicitAny: which of the two a file holds is not known before it is read; `model.task` says it
export async function loadTableModel<P extends Prediction = any>(
  source: ModelSource | ModelFile,
  options: EncoderOptions = {},
): Promise<TableModel<P>> {
  const read = readOptions('loadTableModel', options, ENCODER)
  const file = await fileOf(source)
  if (file[TARGETS] !== undefined) throw typeError('loadTableModel: this file has a model of several targets; loadTargetsModel reads it')
  return tableModelFrom<P>(file.model, file[PART], read, file[INTERVALS])
}

/** @internal a model file from a path, URL, Blob, its bytes, or as `loadModelFile` read it */
export function fileOf(source: ModelSource | ModelFile): Promise<ModelFile> {
  if ('model' in Object(source)) return Promise.resolve(source as ModelFile)
  const isBytes = source instanceof Uint8Array || source instanceof ArrayBuffer
  return isBytes ? Promise.resolve(decodeModelFile(source as Uint8Array)) : loadModelFile(source as ModelSource)
}

/** @internal True if a row has no value in the column. */
export function isUnknown(row: object, target: string): boolean {
  return [undefined, null, ''].includes((row as Record<string, undefined>)[target])
}

/**
 * @internal
 * @param text the text that {@link TableModel.bytes} stores besides the net.
 * @param intervals the net of intervals that it stores, if there is one
 * @throws TypeError for anything else, RangeError if it does not fit the net
 */
export function tableModelFrom<P extends Prediction>(
  net: Module,
  text: unknown,
  options?: EncoderOptions,
  intervals?: unknown,
): TableModel<P> {
  if (typeof text !== 'string')
    throw typeError('loadTableModel: this file holds a model, but none of a table; loadModel reads it, and trainTable makes the other kind')
  let state: unknown
  try {
    state = JSON.parse(text)
  } catch (cause) {
    throw typeError(`loadTableModel: what the file has of the table is no JSON: ${shortened((cause as Error).message)}`, { cause })
  }
  const checked = checkedState(state as TableModelState)
  if ((checked.corrections !== undefined) !== intervals instanceof Module)
    throw typeError('loadTableModel: the file has only a part of what intervals that follow the row need')
  const model = new TableModel<P>(net, checked, options, intervals as Module | undefined)
  checkFits(model, state as TableModelState)
  return model
}

/** @internal @throws TypeError for anything but a model of a table */
export function checkTableModel(who: string, model: unknown, remedy = ''): void {
  const several = Object(Object(model).models)
  const [first] = Object.keys(several)
  if (several[first] instanceof TableModel) throw typeError(`${who}: wants a model of one target, such as model.models[${show(first)}]`)
  if (!(model instanceof TableModel))
    throw typeError(
      `${who}: wants a model of trainTable or loadTableModel, got ${show(model)}${Object(model).model instanceof TableModel ? '; give its model' : remedy}`,
    )
}

/** @throws RangeError for a table whose columns or classes are not those that the net was trained on */
function checkFits({ net, intervals, encoder, classNames }: TableModel, { features, task, decision }: TableModelState): void {
  if (decision?.isOrdered && classNames.length < 3)
    throw rangeError(`loadTableModel: an order wants three classes or more, got ${showNames(classNames)}`)
  if (decision?.positive !== undefined && !(classNames.length === 2 && classNames.includes(decision.positive)))
    throw rangeError(`loadTableModel: the positive class wants one of two, ${showNames(classNames)}, got ${show(decision.positive)}`)
  const width = widthOf(features)
  const takes = inputsTaken(net)
  const used = [...features.cuts, ...(features.embedded ?? [])].map(({ feature }) => feature)
  const isInside = [...used, ...(features.plain ?? [])].every(
    (feature) => Number.isInteger(feature) && feature >= 0 && feature < features.features,
  )
  if (encoder.features !== features.features || !isInside || takes !== width)
    throw rangeError(`loadTableModel: the table has ${encoder.features} features, ${width} inputs, the net takes ${takes}`)
  const outputs = task === 'classification' ? classNames.length : 1
  const given = outputsOf(net, width)
  if (given !== outputs) throw rangeError(`loadTableModel: the table has ${outputs} classes, the net gives ${given}`)
  if (intervals === undefined) return
  if (inputsTaken(intervals) !== width || outputsOf(intervals, width) !== QUANTILES)
    throw rangeError(`loadTableModel: the net of intervals wants ${width} inputs and ${QUANTILES} outputs`)
}

function isDecision(decision: TableModelState['decision']): boolean {
  const { positive, threshold = 0.5, isOrdered } = decision ?? {}
  if (isOrdered !== undefined) return isOrdered === true && positive === undefined
  return typeof positive === 'string' && typeof threshold === 'number' && threshold > 0 && threshold <= 1
}

function isProfile(profile: TableProfile): boolean {
  const { rows, columns } = Object(profile) as TableProfile
  const isList = (list: unknown, length: number) => Array.isArray(list) && list.length >= length && list.every((x) => Number.isFinite(x))
  return (
    Number.isFinite(rows) &&
    Array.isArray(columns) &&
    columns.every(
      (column) =>
        typeof column?.name === 'string' &&
        Number.isFinite(column.gaps) &&
        (column.quantiles === undefined || isList(column.quantiles, 2)) &&
        (column.shares === undefined || isList(column.shares, 0)),
    )
  )
}

function isEmbedded({ count, vectors }: Embedded): boolean {
  return Array.isArray(vectors) && vectors.every((vector) => Number.isInteger(vector) && vector >= 0 && vector < count)
}

const outputsOf = (net: Module, width: number) =>
  net.predict(tensor(new Float32Array(width), [1, width], { backend: net.backend })).shape[1]

/** Number of input columns of a net, from its first layer: vectors of categories, factors of members, or a dense layer. */
function inputsTaken(net: Module): number {
  const layers = net.modules()
  const embed = layers.find((layer) => layer instanceof EmbedColumns)
  const scale = layers.find((layer) => layer instanceof ScaleLayer)
  return embed?.features ?? scale?.width ?? net.parameters()[0]?.shape[0] ?? 0
}

/** @throws TypeError for anything but a state of {@link TableModel.bytes} */
function checkedState(state: TableModelState): TableModelState {
  const { format, features, scale, errors, target, task, fingerprint, profile, corrections = [0], decision } = state ?? {}
  refuseLater('loadTableModel', format, 'gradus-table-model/1')
  const isNumber = (x: unknown) => typeof x === 'number' && Number.isFinite(x)
  const isGood =
    format === 'gradus-table-model/1' &&
    typeof target === 'string' &&
    (task === 'classification' || task === 'regression') &&
    isNumber(scale?.mean) &&
    isNumber(scale?.deviation) &&
    [undefined, 'log'].includes(scale.link) &&
    Array.isArray(errors) &&
    errors.every(isNumber) &&
    Array.isArray(fingerprint) &&
    fingerprint.every(isNumber) &&
    isProfile(profile) &&
    Array.isArray(corrections) &&
    corrections.length > 0 &&
    corrections.every(isNumber) &&
    (decision === undefined || isDecision(decision)) &&
    isNumber(features?.features) &&
    Array.isArray(features.cuts) &&
    features.cuts.every((cut) => isNumber(cut?.feature) && Array.isArray(cut.edges) && cut.edges.every(isNumber)) &&
    (features.plain === undefined || (Array.isArray(features.plain) && features.plain.every(isNumber))) &&
    (features.embedded === undefined || (Array.isArray(features.embedded) && features.embedded.every(isEmbedded)))
  if (!isGood)
    throw typeError(
      `loadTableModel: wants a model of a table, 'gradus-table-model/1', got ${format === 'gradus-table-model/1' ? 'a damaged one' : show(format)}`,
    )
  return state
}

givePrinted<TableModel>(TableModel.prototype, ({ net, target, classNames, columns }) => {
  const listed = (names: readonly string[]) => names.slice(0, PRINTED).map(shortened).join(', ') + (names.length > PRINTED ? ', …' : '')
  const answers = classNames.length === 0 ? 'a number' : `${classNames.length} classes (${listed(classNames)})`
  const parameters = net.parameters().reduce((sum, { size }) => sum + size, 0)
  return visible(
    `TableModel: '${shortened(target)}', ${answers}, from ${columns.length} column${columns.length === 1 ? '' : 's'} (${listed(columns)}) by ${formatCount(parameters)} parameters`,
  )
})
