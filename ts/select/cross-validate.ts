/** Cross-validation: the quality of a kind of net on held-out rows, and how much it varies. */
import { NonFiniteError, rangeError, typeError } from '../common/errors.js'
import { flag, handler, readOptions, type Schema, seed } from '../common/options.js'
import { show } from '../common/show.js'
import { checkDataset, type Dataset, type Split, selectRows, type Targets } from '../data/dataset.js'
import { traitsOf } from '../loss/loss.js'
import type { Module } from '../nn/module.js'
import { CARRIED } from '../rows/carried.js'
import { checkClasses, cutFolds, FOLDS, type FoldOptions, type FoldRows } from '../rows/folds.js'
import { asFloats, Tensor } from '../tensor.js'
import { checkData, checkDataSet, pickRows, type Rows } from '../train/data.js'
import type { NetHistory } from '../train/fleet/many-trainings.js'
import { FIT_MANY, type FitManyOptions } from '../train/fleet/options.js'
import { type MetricsOption, type MetricValues, resolveMetrics } from '../train/metrics.js'
import type { TrainingData } from '../train/training-data.js'
import { type BuiltModel, buildAll, evaluateBuilt, type OfBuilt, trainBuilt, without } from './built.js'

/** Arguments of `build` for a fold. */
export interface FoldToBuild extends FoldRows {
  /** A seed for the weights of this fold's net, derived from the seed of the call. */
  seed: number
}

/** Options of {@link crossValidate}: the folds, and the options of `fit` that are the same for all nets. */
export interface CrossValidateOptions<M extends MetricsOption = MetricsOption>
  extends TrainingData,
    Omit<FoldOptions, 'shuffle'>,
    Omit<FitManyOptions, OfBuilt | keyof TrainingData | 'data' | 'rows' | 'validation' | 'metrics' | 'seed'> {
  /**
   * Stratifies: every class has the same proportion in all folds, to within one row. Default: true if the targets are classes, one integer per row:
   * an Int32Array, or any array with a loss that takes classes, such as crossEntropy. True is also useful for 0 and 1 with binaryCrossEntropy.
   */
  stratify?: boolean
  /** Metrics besides the loss, as in `evaluateModel`. Default: none. */
  metrics?: M
  /**
   * Transforms the rows of each fold using only the training rows, such as `standardize` of gradus/data: a mean over all rows would leak information
   * about the held-out rows. Needs a data set of gradus/data, spread into these options.
   */
  prepare?: (split: Split<Dataset<Targets>>) => { train: TrainingData; test: TrainingData }
  /** Decides how rows are cut, the order of batches, and the seeds that `build` is given. Default 0. */
  seed?: number
}

/** One number of all folds. */
export interface FoldScore {
  /** The number of each fold, in the order of `folds`; NaN for one that diverged, or that the signal ended before its last epoch. */
  values: number[]
  /** NaN if one of the values is NaN. */
  mean: number
  /** The spread between folds: √(Σ(x − mean)²/(n − 1)). */
  standardDeviation: number
  /**
   * The standard error of the mean, corrected for folds that share most of the rows they train on (Nadeau & Bengio 2003, eq. 9):
   * standardDeviation · √(1/n + test rows/training rows). Without the correction it would shrink with every repeat, although no new
   * rows are seen.
   */
  standardError: number
}

/** A fold and its results. */
export interface FoldResult<N extends Module = Module> extends FoldRows {
  /** The net as it was trained on the other rows. */
  model: N
  /** History of its training, with an `error` if it diverged. */
  history: NetHistory
}

/** Result of {@link crossValidate}. */
export interface CrossValidation<M extends MetricsOption = MetricsOption, N extends Module = Module> {
  /** The loss, and each metric by its name, on held-out rows. */
  scores: { [K in 'loss' | keyof MetricValues<M>]: FoldScore }
  /** A result for each fold of each repeat. */
  folds: FoldResult<N>[]
}

/** Options that `build` returns for each net, or that cross-validation sets itself. */
const NOT_HERE = ['optimizer', 'schedule', 'callbacks', 'validation']
const { folds, repeats, groups } = FOLDS
const OF_NETS = /* @__PURE__ */ without(FIT_MANY, ['optimizers', 'schedule', 'callbacks', 'data', 'rows', 'validation'])

export const CROSS_VALIDATE = {
  ...OF_NETS,
  ...{ folds, repeats, groups },
  metrics: { ...FIT_MANY.metrics, aka: ['scoring'] },
  seed: { is: seed, default: 0 },
  stratify: { is: flag },
  prepare: { is: { ...handler, wants: 'a function of { train, test }, such as standardize of gradus/data' } },
} satisfies Schema<CrossValidateOptions>

/**
 * k-fold cross-validation (Stone 1974): the rows are divided into folds, and for each fold a new net is trained on all other rows and evaluated on
 * the fold. All nets are trained by one call of {@link fitMany}, small ones side by side. `repeats` repeats this with new folds.
 *
 * `build` makes the model and the optimizer of a fold; it may add a schedule and callbacks. The held-out rows are used once, after the last epoch:
 * early stopping takes its validation rows from the training rows, by `validationFraction`. If an optimizer averages weights, as ScheduleFreeAdamW
 * does, the averages are evaluated.
 *
 * A signal ends training as in `fit`: folds with finished nets have their scores, the others have NaN and `history.stopReason` 'aborted'. Nets are
 * trained eight side by side, so the nets of five folds end together.
 *
 * @example
 * const build = ({ seed }: { seed: number }) => {
 *   const model = new Sequential([new Dense(4, 16, { activation: 'tanh' }), new Dense(16, 3)], { seed })
 *   return { model, optimizer: new Adam(model.parameters(), { learningRate: 0.01 }) }
 * }
 * const { scores } = await crossValidate(build, { ...iris(), loss: crossEntropy, metrics: ['accuracy'], epochs: 30, prepare: standardize })
 * scores.accuracy.values.length // 5
 * scores.accuracy.mean > 0.9    // true
 * @throws RangeError, TypeError, ShapeError for arguments that do not fit, before the first step; errors of a callback. A net that diverges is no
 *   error: its scores are NaN.
 */
export async function crossValidate<const M extends MetricsOption = readonly [], N extends Module = Module>(
  build: (fold: FoldToBuild) => BuiltModel<N>,
  given: CrossValidateOptions<M>,
): Promise<CrossValidation<M, N>> {
  checkOptions(given)
  const options = readOptions('crossValidate', given, CROSS_VALIDATE, CARRIED)
  const { folds, repeats, groups, stratify, prepare, metrics, seed, ...ofNets } = options
  const { inputs, shape, targets, weights, ...others } = ofNets
  const named = resolveMetrics(metrics)
  if (prepare !== undefined) checkDataset('crossValidate: prepare', given as unknown as Dataset<Targets>)
  const cut = { folds, repeats, shuffle: true, seed, ...(groups && { groups }) }
  const count = rowsIn(targets)
  const classOf = classesFor(options)
  const parts = cutFolds('crossValidate', count, cut, classOf)
  checkClasses('crossValidate', cut, classOf)
  const built = buildAll(
    'crossValidate',
    build,
    parts.map((part) => ({ ...part, seed: seed + part.index })),
    ({ index }) => `fold ${index}`,
  )
  const [{ model }] = built
  const all = { inputs, targets, ...(shape && { shape }), ...(weights !== undefined && { weights }) }
  const sets = prepare && parts.map((part) => preparedBy(prepare, given, part, model))
  const held = heldOut(parts, sets, all, model)
  const histories = await trainBuilt(built, {
    ...others,
    ...(sets ? { data: sets.map(({ train }) => train) } : { ...all, rows: parts.map(({ train }) => train) }),
    seed: parts.map(({ index }) => seed + index),
  })
  const scores = histories.map(({ error, stopReason, epochs }, i) => {
    // the net of a fold that the signal ended early is half-trained
    if (stopReason === 'aborted' && options.signal?.aborted && epochs.length < options.epochs) return null
    if (error === undefined) return evaluateBuilt('crossValidate', built[i], held[i], { loss: options.loss, metrics: named })
    if (error instanceof NonFiniteError) return null
    throw error
  })
  const names = ['loss', ...named.map(([name]) => name)]
  return {
    scores: Object.fromEntries(
      names.map((name) => [
        name,
        scoreOf(
          scores.map((score) => score?.[name] ?? Number.NaN),
          parts,
        ),
      ]),
    ) as CrossValidation<M, N>['scores'],
    folds: parts.map((part, i) => ({ ...part, model: built[i].model, history: histories[i] })),
  }
}

function checkOptions(options: CrossValidateOptions): void {
  for (const name of NOT_HERE)
    if (options !== null && typeof options === 'object' && Object.hasOwn(options, name))
      throw rangeError(
        name === 'validation'
          ? "crossValidate: there is no option 'validation', since the held-out rows are what is judged by; validationFraction takes rows from those to train on"
          : `crossValidate: there is no option '${name}', since each net wants its own; return it from build, { model, optimizer, schedule, callbacks }`,
      )
}

function rowsIn(targets: TrainingData['targets']): number {
  const count = targets instanceof Tensor ? targets.shape[0] : (targets as ArrayLike<unknown> | undefined)?.length
  if (count === undefined) throw typeError(`crossValidate: targets wants one entry or row for each sample, got ${show(targets)}`)
  return count
}

/** The class of each row, for stratified folds. */
function classesFor({ stratify, targets, loss }: CrossValidateOptions): number[] | null {
  const isInt = targets instanceof Int32Array || (targets instanceof Tensor && targets.dtype === 'int32')
  if (!(stratify ?? (isInt || traitsOf(loss)?.labels === true))) return null
  const list: ArrayLike<unknown> = targets instanceof Tensor ? (targets.toArray() as unknown[]) : (targets as ArrayLike<unknown>)
  const classes = Array.from(list, (entry) => Number(Array.isArray(entry) && entry.length === 1 ? entry[0] : entry))
  if (classes.every(Number.isInteger)) return classes
  if (stratify === undefined) return null
  const row = classes.findIndex((c) => !Number.isInteger(c))
  throw rangeError(
    `crossValidate: stratify wants one class for each row, a whole number, got ${show(list[row])} at row ${row}; leave stratify out`,
  )
}

/** The rows of a fold after `prepare`, with their weights. */
function preparedBy(
  prepare: NonNullable<CrossValidateOptions['prepare']>,
  options: CrossValidateOptions,
  { train, test, index }: FoldRows,
  { backend }: Module,
): { train: TrainingData; test: TrainingData } {
  const { inputs, targets, count, features, classes, shape } = options as unknown as Dataset<Targets>
  const data = { inputs, targets, count, features, classes, shape }
  const prepared = prepare({ train: selectRows(data, train), test: selectRows(data, test) })
  if (typeof prepared?.train !== 'object' || typeof prepared.test !== 'object')
    throw typeError(`crossValidate: prepare wants to return { train, test }, got ${show(prepared)} for fold ${index}`)
  if (options.weights === undefined) return prepared
  const weights = asFloats(options.weights, backend, 'crossValidate: weights').data()
  if (weights.length !== count) throw rangeError(`crossValidate: weights wants one for each of ${count} rows, got ${weights.length}`)
  const weighted = (data: TrainingData, rows: Int32Array) => ({ ...data, weights: Float32Array.from(rows, (row) => weights[row]) })
  return { train: weighted(prepared.train, train), test: weighted(prepared.test, test) }
}

/** The held-out rows of each net, checked. */
function heldOut(
  parts: readonly FoldRows[],
  sets: readonly { test: TrainingData }[] | undefined,
  all: TrainingData,
  { backend }: Module,
): Rows[] {
  if (sets) return sets.map(({ test }, fold) => checkDataSet(test, backend, `crossValidate: held-out rows of fold ${fold}`))
  const rows = checkData(all, backend, 'crossValidate')
  return parts.map(({ test }) => pickRows(rows, test))
}

function scoreOf(values: number[], parts: readonly FoldRows[]): FoldScore {
  const n = values.length
  const mean = values.reduce((sum, x) => sum + x, 0) / n
  const standardDeviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1))
  const shares = parts.reduce((sum, { train, test }) => sum + test.length / train.length, 0) / n
  return { values, mean, standardDeviation, standardError: standardDeviation * Math.sqrt(1 / n + shares) }
}
