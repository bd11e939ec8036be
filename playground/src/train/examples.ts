/** Rows with their classes, and their split into training and test rows. */
import { Generator } from 'gradus'

export interface Examples {
  features: number
  classes: number
  train: Part
  test: Part
  /** The range of the picture: [from, to] of both coordinates. */
  range: readonly [readonly [number, number], readonly [number, number]]
  featureNames: readonly string[]
  classNames: readonly string[]
  /** The column of a table that is the class. */
  target?: string
  /** A note about the columns of a table that are used. */
  note?: string
}

export interface Part {
  /** Row by row. */
  inputs: Float32Array
  labels: Int32Array
  count: number
}

const TEST_SHARE = 0.3

/** Rows in a random order, from the seed; the last ones are the test rows. */
export function cut(
  inputs: Float32Array,
  labels: Int32Array,
  features: number,
  seed: number,
  range: Examples['range'],
  names: Partial<Examples> = {},
): Examples {
  const count = labels.length
  const order = new Generator(seed + 1).permutation(count)
  const tests = count < 4 ? 0 : Math.round(count * TEST_SHARE)
  const part = (rows: Int32Array): Part => ({
    count: rows.length,
    labels: Int32Array.from(rows, (row) => labels[row]),
    inputs: Float32Array.from(
      { length: rows.length * features },
      (_, i) => inputs[rows[Math.floor(i / features)] * features + (i % features)],
    ),
  })
  const classes = Math.max(2, ...labels.map((label) => label + 1))
  return {
    ...{ features, classes, range, featureNames: ['x', 'y'], classNames: Array.from({ length: classes }, (_, i) => String(i)) },
    ...names,
    train: part(order.subarray(0, count - tests)),
    test: part(order.subarray(count - tests)),
  }
}
