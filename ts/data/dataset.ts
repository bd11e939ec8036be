/** What a data set for classification looks like here, and how to cut and scale one. */
import { RandomStream } from './random.js'

/**
 * Samples with a class each, in plain arrays. It goes straight into `fit(model, { ...dataset, loss, optimizer })`, which reads
 * `inputs`, `shape` and `targets`.
 */
export interface Dataset {
  /** Row-major [count, features]. */
  readonly inputs: Float32Array
  /** The class of each sample, from 0 to classes − 1. */
  readonly targets: Int32Array
  readonly count: number
  readonly features: number
  readonly classes: number
  /** [count, features]. */
  readonly shape: [count: number, features: number]
  readonly classNames?: readonly string[]
}

/** Samples to learn from and samples to judge by. */
export interface Split {
  readonly train: Dataset
  readonly test: Dataset
}

/** Options of {@link trainTestSplit}. */
export interface SplitOptions {
  /** Share of the samples that goes to `test`, above 0 and below 1. Default 0.2. */
  testFraction?: number
  /** The same seed gives the same split. Default 0. */
  seed?: number
  /** Cut every class in the same proportion. Default true. */
  stratify?: boolean
}

/** @internal a data set from rows; checks nothing */
export function dataset(inputs: Float32Array, targets: Int32Array, classes: number, classNames?: readonly string[]): Dataset {
  const count = targets.length
  const features = count === 0 ? 0 : inputs.length / count
  return { inputs, targets, count, features, classes, shape: [count, features], ...(classNames && { classNames }) }
}

/** The rows of a data set at these indices, copied, in this order. @throws RangeError for an index that is no row */
export function selectRows(data: Dataset, rows: ArrayLike<number>): Dataset {
  const inputs = new Float32Array(rows.length * data.features)
  const targets = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]
    if (!(Number.isInteger(row) && row >= 0 && row < data.count)) {
      throw new RangeError(`selectRows: index ${i} is ${row}, wants a whole number from 0 to ${data.count - 1}`)
    }
    inputs.set(data.inputs.subarray(row * data.features, (row + 1) * data.features), i * data.features)
    targets[i] = data.targets[row]
  }
  return { ...data, inputs, targets, count: rows.length, shape: [rows.length, data.features] }
}

/**
 * Cuts a data set in two at random; every row goes to exactly one side.
 *
 * @example const { train, test } = trainTestSplit(iris(), { testFraction: 0.2, seed: 1 })
 * @throws RangeError for a fraction outside (0, 1), or one that would leave a side empty
 */
export function trainTestSplit(data: Dataset, { testFraction = 0.2, seed = 0, stratify = true }: SplitOptions = {}): Split {
  if (!(testFraction > 0 && testFraction < 1)) {
    throw new RangeError(`trainTestSplit: testFraction must be above 0 and below 1, got ${testFraction}`)
  }
  const random = new RandomStream(seed)
  const order = random.permutation(data.count)
  const groups = stratify ? Array.from({ length: data.classes }, (_, c) => order.filter((row) => data.targets[row] === c)) : [order]
  const isTest = new Uint8Array(data.count)
  for (const group of groups) for (const row of group.subarray(0, Math.round(group.length * testFraction))) isTest[row] = 1
  const train = order.filter((row) => isTest[row] === 0)
  const test = order.filter((row) => isTest[row] === 1)
  if (train.length === 0 || test.length === 0) {
    throw new RangeError(`trainTestSplit: testFraction ${testFraction} of ${data.count} samples leaves one side empty`)
  }
  return { train: selectRows(data, train), test: selectRows(data, test) }
}
