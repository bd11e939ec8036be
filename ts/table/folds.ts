/** The rows to learn from, cut so that each net is judged by rows that it was not trained on. */
import { cutFolds } from '../data/folds.js'
import { trainTestSplit } from '../data/index.js'

/** Rows to train a net on, and rows to validate it by. */
export interface Fold {
  train: Int32Array
  validation: Int32Array
}

/** Rows from which on one split is enough, and folds below. */
const ONE_SPLIT = 15_000
const FOLDS = 5
/** Share of the rows that nets are validated by where there is one split, and how many at most. */
const VALIDATION_FRACTION = 0.15
const MAX_VALIDATION = 10_000

/** Five folds of few rows, one split of many; every class in the same proportion in each part, as far as it has rows. */
export function foldsOf(targets: Int32Array | Float32Array, classes: number, seed: number): Fold[] {
  const count = targets.length
  if (count < ONE_SPLIT) {
    const parts = cutFolds('trainTable', count, { folds: Math.min(FOLDS, count), seed }, classes > 0 ? targets : null)
    return parts.map(({ train, test }) => ({ train, validation: test }))
  }
  // numbers of rows as the features of a data set, so that the function that cuts data sets cuts them
  const numbers = Float32Array.from(targets, (_, row) => row)
  const data = { inputs: numbers, targets, count, features: 1, classes, shape: [count, 1] as [number, number] }
  const { train, test } = trainTestSplit(data, { testFraction: Math.min(VALIDATION_FRACTION, MAX_VALIDATION / count), seed })
  return [{ train: Int32Array.from(train.inputs), validation: Int32Array.from(test.inputs) }]
}
