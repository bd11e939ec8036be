/** Data sets in the plane, drawn points, tables and digits, cut into a part to learn from and one to judge by. */
import { Generator } from 'gradus'
import { blobs, circles, moons, spirals, xor } from 'gradus/data'
import type { DataChoice } from './config'
import { MIDDLE, toyOptions } from './toys'

export interface Examples {
  features: number
  classes: number
  train: Part
  test: Part
  /** What the picture shows: [from, to] of both coordinates. */
  range: readonly [readonly [number, number], readonly [number, number]]
  featureNames: readonly string[]
  classNames: readonly string[]
  /** What of a table is used, for people. */
  note?: string
}

export interface Part {
  /** Row by row. */
  inputs: Float32Array
  labels: Int32Array
  count: number
}

const TEST_SHARE = 0.3

export async function examples(choice: DataChoice): Promise<Examples> {
  switch (choice.kind) {
    case 'digits':
      return (await import('./digits')).digits()
    case 'csv':
      return (await import('./table')).tableExamples(choice)
    case 'drawn': {
      const points = choice.points.filter((_, i) => i % 3 < 2)
      const labels = choice.points.filter((_, i) => i % 3 === 2)
      return cut(Float32Array.from(points), Int32Array.from(labels), 2, choice.seed, DRAWING_BOARD)
    }
    default: {
      const { inputs, targets } = TOYS[choice.kind](toyOptions(choice))
      const points = choice.kind === 'moons' ? inputs.map((x, i) => x - MIDDLE[i % 2]) : inputs
      return cut(points, targets, 2, choice.seed, squareRange(points))
    }
  }
}

const TOYS = { moons, circles, spirals, blobs, xor }
/** Where one draws: the same place however many points there are. */
const DRAWING_BOARD: Examples['range'] = [
  [-1.1, 1.1],
  [-1.1, 1.1],
]

/** Rows in an order that the seed says; the last ones are for judging. */
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

/** A square around all points. */
function squareRange(points: Float32Array): Examples['range'] {
  const sides = [0, 1].map((axis) => {
    const values = points.filter((_, i) => i % 2 === axis)
    return [Math.min(...values), Math.max(...values)]
  })
  const half = 0.56 * Math.max(...sides.map(([low, high]) => high - low))
  const [x, y] = sides.map(([low, high]) => (low + high) / 2)
  return [
    [x - half, x + half],
    [y - half, y + half],
  ]
}
