/** Data sets: their type, selection of rows, and folds. */
import { rangeError, typeError } from '../common/errors.js'
import { flag, readOptions, type Schema } from '../common/options.js'
import { show } from '../common/show.js'
import { checkClasses, cutFolds, FOLDS, type FoldOptions } from '../rows/folds.js'
import { takeRows } from '../rows/take.js'

/** One target for each sample: its class, or a number. */
export type Targets = Int32Array | Float32Array

/**
 * Samples with a target each, in plain arrays. It goes straight into `fit(model, { ...dataset, loss, optimizer })`, which reads
 * `inputs`, `shape` and `targets`.
 */
export interface Dataset<T extends Targets = Int32Array> {
  /** Row-major [count, features]. */
  readonly inputs: Float32Array
  /** The class of each sample, from 0 to classes − 1 (Int32Array), or the number to predict (Float32Array). */
  readonly targets: T
  readonly count: number
  readonly features: number
  /** Number of classes; 0 if the targets are numbers. */
  readonly classes: number
  /** [count, features]. */
  readonly shape: [count: number, features: number]
  readonly classNames?: readonly string[]
}

/** Training samples and test samples. */
export interface Split<D extends Dataset<Targets> = Dataset> {
  readonly train: D
  readonly test: D
}

/** Three sets: the test set is left alone until the end. */
export interface ThreeWaySplit<D = Dataset> {
  readonly train: D
  readonly validation: D
  readonly test: D
}

/** Options of {@link kFold}. */
export interface KFoldOptions extends FoldOptions {
  /** Keeps every class in the same proportion in all parts. Default: true for classes; numbers have none. */
  stratify?: boolean
}

export const K_FOLD = { ...FOLDS, stratify: { is: flag } } satisfies Schema<KFoldOptions>

/** One split of {@link kFold}. */
export interface FoldSplit<D extends Dataset<Targets> = Dataset> extends Split<D> {
  /** Indices of the rows in the whole data set: the option `rows` of fitMany takes `rows.train`. */
  readonly rows: { readonly train: Int32Array; readonly test: Int32Array }
}

/** @internal @throws TypeError for anything but a data set */
export function checkDataset(who: string, data: Dataset<Targets>): void {
  const { inputs, targets, count, features } = (data ?? {}) as Partial<Dataset<Targets>>
  const isGood = inputs instanceof Float32Array && ArrayBuffer.isView(targets) && Number.isInteger(count) && Number.isInteger(features)
  if (!isGood) throw typeError(`${who}: wants a data set, as fromTable and fromArrays make them, got ${show(data)}`)
}

/** @internal a data set from rows; checks nothing */
export function dataset(inputs: Float32Array, targets: Int32Array, classes: number, classNames?: readonly string[]): Dataset {
  const count = targets.length
  const features = count === 0 ? 0 : inputs.length / count
  return { inputs, targets, count, features, classes, shape: [count, features], ...(classNames && { classNames }) }
}

/** Returns true for rows to select, from their inputs (a view), target, and index. */
export type RowTest = (inputs: Float32Array, target: number, row: number) => boolean

/**
 * The rows of a data set at these indices, copied, in this order; or the rows for which a function returns true.
 *
 * @example
 * const someOfEach = selectRows(iris(), [0, 50, 100])
 * someOfEach.targets // Int32Array.of(0, 1, 2)
 * selectRows(iris(), ([sepalLength], target) => target < 2 && sepalLength > 6.5).count // 8
 * @throws RangeError for an index without a row; TypeError for anything but a data set, or if rows are neither an array nor a function
 */
export function selectRows<D extends Dataset<Targets>>(data: D, which: ArrayLike<number> | RowTest): D {
  checkDataset('selectRows', data)
  const rows = typeof which === 'function' ? rowsThat(data, which) : which
  if (!Number.isInteger(rows?.length)) throw typeError(`selectRows: wants indices of rows in an array, got ${show(rows)}`)
  const wrong = Array.from(rows).findIndex((row) => !(Number.isInteger(row) && row >= 0 && row < data.count))
  if (wrong >= 0) throw rangeError(`selectRows: index ${wrong} is ${rows[wrong]}, wants a whole number from 0 to ${data.count - 1}`)
  const { features } = data
  const own = { inputs: takeRows(data.inputs, rows, features), targets: takeRows(data.targets, rows) }
  return { ...data, ...own, count: rows.length, shape: [rows.length, features] }
}

/**
 * The first rows of a data set, or a range of rows: `take(data, 100)`, `take(data, 100, 200)`. Indices beyond the end mean the end.
 *
 * @example
 * take(iris(), 10).count // 10
 * take(iris(), 140, 160).count // 10
 * @throws RangeError for a number that is not whole or is below 0, TypeError for anything but a data set
 */
export function take<D extends Dataset<Targets>>(data: D, from: number, to?: number): D {
  checkDataset('take', data)
  const [start, end] = to === undefined ? [0, from] : [from, to]
  for (const [name, value] of Object.entries({ from: start, to: end }))
    if (!(Number.isInteger(value) && value >= 0)) throw rangeError(`take: ${name} wants a whole number from 0, got ${show(value)}`)
  const first = Math.min(start, data.count)
  const rows = Int32Array.from({ length: Math.max(0, Math.min(end, data.count) - first) }, (_, i) => first + i)
  return selectRows(data, rows)
}

/**
 * Cross-validation: one split per fold, with each row in one test set. `repeats` repeats this with different folds, so that each row is tested
 * `repeats` times. Folds differ in size by one row at most, and in each class, too. With `groups`, whole groups are assigned in a random order, or
 * the largest first without `shuffle`, each to the fold with the least of its classes.
 *
 * @example
 * const splits = kFold(iris(), { folds: 3, seed: 1 })
 * splits.map(({ train, test }) => [train.count, test.count]) // [[100, 50], [100, 50], [100, 50]]
 * const days = Array.from({ length: 150 }, (_, row) => `day ${row % 10}`)
 * kFold(iris(), { folds: 5, groups: days }).map(({ test }) => test.count) // [30, 30, 30, 30, 30]
 * @throws RangeError for a number of folds below 2 or above that of rows (or groups), more folds than the largest class has rows (a class with fewer
 *   is a warning), `repeats` without `shuffle`, more `repeats` than there are different divisions, groups that are not one for each row, or
 *   `stratify` for targets that are numbers; TypeError for anything but a data set
 */
export function kFold<D extends Dataset<Targets>>(data: D, given: KFoldOptions = {}): FoldSplit<D>[] {
  checkDataset('kFold', data)
  const options = readOptions('kFold', given, K_FOLD)
  const { stratify = data.classes > 0 } = options
  if (stratify && data.classes === 0) throw rangeError('kFold: stratify wants classes, but the targets are numbers')
  const classOf = stratify ? data.targets : null
  const parts = cutFolds('kFold', data.count, options, classOf)
  checkClasses('kFold', options, classOf)
  return parts.map(({ train, test }) => ({ train: selectRows(data, train), test: selectRows(data, test), rows: { train, test } }))
}

function rowsThat({ inputs, targets, features }: Dataset<Targets>, test: RowTest): number[] {
  return [...targets.keys()].filter((row) => test(inputs.subarray(row * features, (row + 1) * features), targets[row], row))
}
