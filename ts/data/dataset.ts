/** What a data set looks like here, and how to cut one. */
import { rangeError, typeError } from '../common/errors.js'
import { checkNames } from '../common/names.js'
import { show } from '../common/show.js'
import { cutFolds, type FoldOptions } from './folds.js'
import { RandomStream } from './random.js'

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
  /** Number of classes; 0 where the targets are numbers. */
  readonly classes: number
  /** [count, features]. */
  readonly shape: [count: number, features: number]
  readonly classNames?: readonly string[]
}

/** Samples to learn from and samples to judge by. */
export interface Split<D extends Dataset<Targets> = Dataset> {
  readonly train: D
  readonly test: D
}

/** Options of {@link trainTestSplit}. */
export interface SplitOptions {
  /** Share of the samples that goes to `test`, above 0 and below 1. Default 0.2. */
  testFraction?: number
  /** The same seed gives the same split. Default 0. */
  seed?: number
  /** Cut every class in the same proportion, to one row. Default: true for classes; numbers have none. */
  stratify?: boolean
}

/** Options of {@link kFold}. */
export interface KFoldOptions extends FoldOptions {
  /** Keep every class in the same proportion in all parts. Default: true for classes; numbers have none. */
  stratify?: boolean
}

/** Names of other libraries, and what they are called here. */
const ALIASES = {
  testSize: 'testFraction',
  test_size: 'testFraction',
  n_splits: 'folds',
  splits: 'folds',
  k: 'folds',
  n_repeats: 'repeats',
  random_state: 'seed',
  randomState: 'seed',
}

/** @internal @throws TypeError for what is no data set */
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

/**
 * The rows of a data set at these indices, copied, in this order.
 *
 * @example
 * const someOfEach = selectRows(iris(), [0, 50, 100])
 * someOfEach.targets // Int32Array.of(0, 1, 2)
 * @throws RangeError for an index that is no row, TypeError for what is no data set or no array
 */
export function selectRows<D extends Dataset<Targets>>(data: D, rows: ArrayLike<number>): D {
  checkDataset('selectRows', data)
  if (!Number.isInteger(rows?.length)) throw typeError(`selectRows: wants indices of rows in an array, got ${show(rows)}`)
  const inputs = new Float32Array(rows.length * data.features)
  const targets = data.targets instanceof Int32Array ? new Int32Array(rows.length) : new Float32Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]
    if (!(Number.isInteger(row) && row >= 0 && row < data.count)) {
      throw rangeError(`selectRows: index ${i} is ${row}, wants a whole number from 0 to ${data.count - 1}`)
    }
    inputs.set(data.inputs.subarray(row * data.features, (row + 1) * data.features), i * data.features)
    targets[i] = data.targets[row]
  }
  return { ...data, inputs, targets, count: rows.length, shape: [rows.length, data.features] }
}

/**
 * Cuts a data set in two at random; every row goes to exactly one side.
 *
 * @example
 * const { train, test } = trainTestSplit(iris(), { testFraction: 0.2, seed: 1 })
 * test.count // 30
 * @throws RangeError for a fraction outside (0, 1), one that would leave a side empty, or `stratify` for targets that are numbers;
 *   TypeError for what is no data set
 */
export function trainTestSplit<D extends Dataset<Targets>>(data: D, options: SplitOptions = {}): Split<D> {
  checkDataset('trainTestSplit', data)
  checkNames('trainTestSplit', options, ['testFraction', 'seed', 'stratify'], ALIASES)
  const { testFraction = 0.2, seed = 0, stratify = data.classes > 0 } = options
  if (!(testFraction > 0 && testFraction < 1)) {
    throw rangeError(`trainTestSplit: testFraction wants a number above 0 and below 1, got ${testFraction}`)
  }
  if (stratify && data.classes === 0) throw rangeError('trainTestSplit: stratify wants classes, but the targets are numbers')
  const random = new RandomStream(seed)
  const order = random.permutation(data.count)
  const groups = stratify ? rowsByClass(order, data.targets) : [order]
  const isTest = new Uint8Array(data.count)
  const counts = shared(groups, testFraction)
  for (const [i, group] of groups.entries()) for (const row of group.subarray(0, counts[i])) isTest[row] = 1
  const train = order.filter((row) => isTest[row] === 0)
  const test = order.filter((row) => isTest[row] === 1)
  if (train.length === 0 || test.length === 0) {
    throw rangeError(`trainTestSplit: testFraction ${testFraction} of ${data.count} samples leaves one side empty`)
  }
  return { train: selectRows(data, train), test: selectRows(data, test) }
}

/** The rows of each class, in the order in which classes and rows occur. */
function rowsByClass(rows: Int32Array, classOf: Targets): Int32Array[] {
  const classes = new Set(Array.from(rows, (row) => classOf[row]))
  return [...classes].map((c) => rows.filter((row) => classOf[row] === c))
}

/**
 * How many rows of each group go to the test set: a fraction of all rows, shared out by the largest remainder, so that the whole keeps
 * the fraction however small the groups are. Of equal remainders the groups that come first have the row more.
 */
function shared(groups: readonly Int32Array[], fraction: number): number[] {
  const exact = groups.map(({ length }) => length * fraction)
  const counts = exact.map(Math.floor)
  const total = Math.round(groups.reduce((sum, { length }) => sum + length, 0) * fraction)
  const left = total - counts.reduce((sum, count) => sum + count, 0)
  const order = groups.map((_, i) => i).sort((a, b) => exact[b] - counts[b] - (exact[a] - counts[a]))
  for (const i of order.slice(0, left)) counts[i]++
  return counts
}

/**
 * Cross-validation: as many splits as folds, in which each row is tested once; with `repeats` so many times as many, in which each is
 * tested so often. Parts differ in size by one row at most, and classes too. With `groups` whole groups are dealt out, the largest first, to
 * the parts that have least of their classes: scikit-learn's GroupKFold and StratifiedGroupKFold.
 *
 * @example
 * const splits = kFold(iris(), { folds: 3, seed: 1 })
 * splits.map(({ train, test }) => [train.count, test.count]) // [[100, 50], [100, 50], [100, 50]]
 * const days = Array.from({ length: 150 }, (_, row) => `day ${row % 10}`)
 * kFold(iris(), { folds: 5, groups: days }).map(({ test }) => test.count) // [30, 30, 30, 30, 30]
 * @throws RangeError for a number of folds below 2 or above that of rows (or groups), `repeats` without `shuffle`, groups that are not one
 *   for each row, or `stratify` for targets that are numbers; TypeError for what is no data set
 */
export function kFold<D extends Dataset<Targets>>(data: D, options: KFoldOptions = {}): Split<D>[] {
  checkDataset('kFold', data)
  checkNames('kFold', options, KFOLD, ALIASES)
  const { stratify = data.classes > 0 } = options
  if (stratify && data.classes === 0) throw rangeError('kFold: stratify wants classes, but the targets are numbers')
  return cutFolds('kFold', data.count, options, stratify ? data.targets : null).map(({ train, test }) => ({
    train: selectRows(data, train),
    test: selectRows(data, test),
  }))
}

const KFOLD = ['folds', 'repeats', 'shuffle', 'seed', 'groups', 'stratify']
