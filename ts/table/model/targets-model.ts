/** A model of several targets: a model of each, as one thing. */
import { rangeError, typeError } from '../../common/errors.js'
import { readOptions } from '../../common/options.js'
import { shortened, show, showNames } from '../../common/show.js'
import { visible } from '../../common/visible.js'
import type { EncoderOptions } from '../../data/index.js'
import { ENCODER } from '../../data/table/encoder.js'
import { encodeModel, type ModelFile, type ModelSource, Module, saveModel } from '../../index.js'
import { givePrinted } from '../../report/notebook.js'
import { fileOf, type Prediction, TARGETS, type TableModel, type TablePredictOptions, tableModelFrom } from './model.js'

/**
 * A model of several targets, from {@link trainTable} or {@link loadTargetsModel}. `models` has the model of each target, which `explainTable`,
 * `tableToFunction` and `toOnnx` take.
 *
 * @example
 * const { model } = await trainTable(rows, { target: ['petalLength', 'species'] })
 * model.predict(rows)[0].species.class // 'setosa'
 */
export class TargetsModel<P extends Prediction = Prediction> {
  /** The model of each target. */
  readonly models: Readonly<Record<string, TableModel<P>>>

  /** @internal use {@link trainTable} or {@link loadTargetsModel} */
  constructor(models: readonly TableModel<P>[]) {
    this.models = Object.fromEntries(models.map((model) => [model.target, model]))
  }

  /** The columns that are predicted. */
  get targets(): readonly string[] {
    return Object.keys(this.models)
  }

  /** The columns that rows must have. */
  get columns(): readonly string[] {
    return [...new Set(this.each.flatMap(({ columns }) => columns))]
  }

  private get each(): readonly TableModel<P>[] {
    return Object.values(this.models)
  }

  /**
   * Predictions by target, for one row or for several, as {@link TableModel.predict} gives them.
   * @throws RangeError naming row and column of a value that is of another kind than those of the table, or an unknown option
   */
  predict(rows: readonly object[], options?: TablePredictOptions): Record<string, P>[]
  predict<R extends object>(
    row: R extends PromiseLike<unknown> ? 'rows want an await' : R,
    options?: TablePredictOptions,
  ): Record<string, P>
  predict(rows: object | readonly object[], options: TablePredictOptions = {}): Record<string, P> | Record<string, P>[] {
    if (!Array.isArray(rows)) return this.predict([rows], options)[0]
    return this.byRow(rows.length, (model) => model.predict(rows as readonly object[], options))
  }

  /** @internal some of the rows of a table, as {@link TableModel.predictPart} */
  predictPart(rows: readonly object[], from: number, coverage: number): Record<string, P>[] {
    return this.byRow(rows.length, (model) => model.predictPart(rows, from, coverage))
  }

  private byRow(count: number, predict: (model: TableModel<P>) => readonly P[]): Record<string, P>[] {
    const answers = this.each.map((model) => [model.target, predict(model)] as const)
    return Array.from({ length: count }, (_, row) => Object.fromEntries(answers.map(([target, own]) => [target, own[row]])))
  }

  /** The model as the bytes of one safetensors file, for {@link loadTargetsModel}. */
  bytes(): Uint8Array {
    return encodeModel(this.each[0].net, this.parts())
  }

  /** Saves the model in one file, all or nothing, as `saveModel` does; in a browser under a name in IndexedDB. */
  save(path: string): Promise<void> {
    return saveModel(this.each[0].net, path, this.parts())
  }

  /** The net of the first target is the model of the file, the others are parts. */
  private parts(): Record<string, unknown> {
    return { [TARGETS]: this.each.map((model, i) => ({ ...model.parts(), ...(i > 0 && { net: model.net }) })) }
  }
}

/**
 * A model of several targets from a file that {@link TargetsModel.save} wrote.
 *
 * @param source a path, URL, Blob, the bytes, or the result of `loadModelFile`
 * @param options `warn: false` leaves it to `unknown` of each model to say which categories were unknown
 * @example
 * const { model } = await trainTable(rows, { target: ['petalLength', 'species'] })
 * await model.save('iris.safetensors')
 * const again = await loadTargetsModel('iris.safetensors')
 * again.targets // ['petalLength', 'species']
 * @throws RangeError for a damaged file, TypeError for a file without a model of several targets
 */
// biome-ignore lint/suspicious/noExplicitAny: which kinds a file holds is not known before it is read; `models` says it
export async function loadTargetsModel<P extends Prediction = any>(
  source: ModelSource | ModelFile,
  options: EncoderOptions = {},
): Promise<TargetsModel<P>> {
  const read = readOptions('loadTargetsModel', options, ENCODER)
  const { model: net, [TARGETS]: parts } = await fileOf(source)
  if (!Array.isArray(parts))
    throw typeError('loadTargetsModel: this file has no model of several targets; loadTableModel reads one of a table, loadModel any other')
  const models = parts.map((part, i) => {
    const { net: own = i === 0 ? net : undefined, tableModel, tableIntervals } = Object(part)
    if (!(own instanceof Module)) throw typeError(`loadTargetsModel: the model of target ${i} has no net, but ${show(own)}`)
    return tableModelFrom<P>(own, tableModel, read, tableIntervals)
  })
  const model = new TargetsModel<P>(models)
  if (models.length === 0 || model.targets.length < models.length)
    throw rangeError(`loadTargetsModel: wants different targets, got ${showNames(models.map(({ target }) => target)) || 'none'}`)
  return model
}

givePrinted<TargetsModel>(TargetsModel.prototype, ({ targets, columns }) =>
  visible(`TargetsModel: ${targets.map((name) => `'${shortened(name)}'`).join(', ')}, from ${columns.length} columns`),
)
