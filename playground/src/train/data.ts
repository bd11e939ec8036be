/** Data sets in the plane, drawn points, tables and digits, split into training and test rows. */
import { blobs, circles, moons, spirals, xor } from 'gradus/data'
import type { DataChoice } from './config'
import { cut, type Examples, type Part } from './examples'
import { MIDDLE, toyOptions } from './toys'

export async function examples(choice: DataChoice): Promise<Examples> {
  const found = await shuffled(choice)
  return choice.sorted ? { ...found, train: byClass(found.train, found.features) } : found
}

/** Rows by class; within a class as they are. */
function byClass({ inputs, labels, count }: Part, features: number): Part {
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => labels[a] - labels[b])
  return {
    count,
    labels: Int32Array.from(order, (row) => labels[row]),
    inputs: Float32Array.from(inputs, (_, i) => inputs[order[Math.floor(i / features)] * features + (i % features)]),
  }
}

async function shuffled(choice: DataChoice): Promise<Examples> {
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
