/** Data sets in the plane, drawn points, tables and digits, cut into a part to learn from and one to judge by. */
import { Generator } from 'gradus'
import { blobs, moons, spirals, xor } from 'gradus/data'
import type { DataChoice } from './config'

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
    default: {
      const { points, labels } = plane(choice)
      return cut(points, labels, 2, choice.seed, squareRange(points))
    }
  }
}

function plane({ kind, count, noise, seed, points }: DataChoice): { points: Float32Array; labels: Int32Array } {
  switch (kind) {
    case 'moons': {
      const { inputs, targets } = moons({ count, noise, seed })
      return { points: inputs.map((v, i) => (i % 2 === 0 ? v - 0.5 : v - 0.25)), labels: targets }
    }
    case 'spirals': {
      const { inputs, targets } = spirals({ count, noise: noise / 4, classes: 2, turns: 1, seed })
      return { points: inputs, labels: targets }
    }
    case 'blobs': {
      const { inputs, targets } = blobs({ count, classes: 3, spread: 0.6 + 3 * noise, range: 3.2, seed })
      return { points: inputs.map((v) => v / 4), labels: targets }
    }
    case 'xor': {
      const { inputs, targets } = xor({ count, noise, seed })
      return { points: inputs, labels: targets }
    }
    case 'drawn': {
      const n = Math.floor(points.length / 3)
      const inputs = new Float32Array(2 * n)
      const labels = new Int32Array(n)
      for (let i = 0; i < n; i++) {
        inputs.set([points[3 * i], points[3 * i + 1]], 2 * i)
        labels[i] = points[3 * i + 2]
      }
      return { points: inputs, labels }
    }
    default:
      return circles(count, noise, seed)
  }
}

/** One class inside, one around it. */
function circles(count: number, noise: number, seed: number): { points: Float32Array; labels: Int32Array } {
  const generator = new Generator(seed)
  const u = generator.uniforms(count)
  const z = generator.normals(2 * count)
  const points = new Float32Array(2 * count)
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2)
  for (let i = 0; i < count; i++) {
    const radius = labels[i] === 0 ? 0.4 : 1
    points[2 * i] = radius * Math.cos(2 * Math.PI * u[i]) + noise * z[2 * i]
    points[2 * i + 1] = radius * Math.sin(2 * Math.PI * u[i]) + noise * z[2 * i + 1]
  }
  return { points, labels }
}

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

export function squareRange(points: Float32Array): Examples['range'] {
  const largest = Math.max(1.1, 1.12 * points.reduce((a, v) => Math.max(a, Math.abs(v)), 0))
  return [
    [-largest, largest],
    [-largest, largest],
  ]
}
