/** A view into a net: its decision boundary, each neuron as a picture, and the distribution of its numbers. */
import { noGrad, type Sequential, tensor } from 'gradus'
import { inspectPoint } from 'gradus/curvature'
import type { Examples } from './examples'
import { lossOf, type Trainer } from './trainer'

export interface Histogram {
  /** Bins from −limit to limit. */
  bins: number[]
  limit: number
}

/** The inputs that a map shows, across and upwards. */
export type MapAxes = readonly [across: number, upwards: number]

export interface NetView {
  axes: MapAxes
  /**
   * Prediction per point of a grid of GRID × GRID, rows from the bottom: for two classes a number from −1 (class 0) to 1 (class 1); for more, the
   * class plus its certainty from 0 to 1.
   */
  boundary: Float32Array
  /** For each hidden layer each unit's values on a grid of SMALL × SMALL. */
  units: Float32Array[][]
  /** Weights of each layer, inputs × units. */
  weights: { values: Float32Array; inputs: number; units: number }[]
  histograms: { weights: Histogram[]; gradients: Histogram[]; updates: Histogram[] }
}

export const GRID = 56
export const SMALL = 22
const BINS = 27

/** Axes that there are: another table may have fewer columns, and a map has two of them. */
export function axesIn([across, upwards]: MapAxes, features: number): MapAxes {
  return across < features && upwards < features && across !== upwards ? [across, upwards] : [0, 1]
}

export function viewOf(trainer: Trainer, examples: Examples, axes: MapAxes): NetView {
  const { model } = trainer
  const isPlane = examples.features === 2 || examples.featureNames.length > 2
  return {
    axes,
    boundary: examples.featureNames.length === 0 ? new Float32Array(0) : boundaryOf(model, examples, axes),
    units: isPlane && examples.features < 100 ? unitsOf(model, examples, axes) : [],
    weights: layersOf(model).map(({ weight, shape: [inputs, units] }) => ({ values: Float32Array.from(weight), inputs, units })),
    histograms: histogramsOf(trainer, examples),
  }
}

function layersOf(model: Sequential): { weight: ArrayLike<number>; shape: readonly number[] }[] {
  return model
    .parameters()
    .filter(({ shape }) => shape.length === 2)
    .map((parameter) => ({ weight: parameter.view(), shape: parameter.shape }))
}

/** Points of the shown plane; further features are at their mean, which is 0. */
function plane({ range, features }: Examples, [across, upwards]: MapAxes, size: number): Float32Array {
  const [[left, right], [bottom, top]] = range
  const points = new Float32Array(size * size * features)
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const at = (row * size + column) * features
      points[at + across] = left + ((right - left) * (column + 0.5)) / size
      points[at + upwards] = bottom + ((top - bottom) * (row + 0.5)) / size
    }
  }
  return points
}

function boundaryOf(model: Sequential, examples: Examples, axes: MapAxes): Float32Array {
  const { features, classes } = examples
  const outputs = Float32Array.from(model.predict(tensor(plane(examples, axes, GRID), [GRID * GRID, features])).data())
  if (classes === 2) return Float32Array.from(outputs, (z) => Math.tanh(z / 2))
  // The class, plus a fraction that says how sure it is.
  return Float32Array.from({ length: GRID * GRID }, (_, i) => {
    const row = outputs.subarray(i * classes, (i + 1) * classes)
    const largest = Math.max(...row)
    const total = row.reduce((a, z) => a + Math.exp(z - largest), 0)
    return row.indexOf(largest) + 0.999 / total
  })
}

function unitsOf(model: Sequential, examples: Examples, axes: MapAxes): Float32Array[][] {
  return noGrad(() => {
    let values = tensor(plane(examples, axes, SMALL), [SMALL * SMALL, examples.features])
    return model.layers.slice(0, -1).map((layer) => {
      values = (layer as unknown as { forward(x: typeof values): typeof values }).forward(values)
      const units = values.shape[1]
      const data = values.data()
      return Array.from({ length: units }, (_, unit) => Float32Array.from({ length: SMALL * SMALL }, (_, i) => data[i * units + unit]))
    })
  })
}

function histogramsOf(trainer: Trainer, examples: Examples): NetView['histograms'] {
  const { train } = examples
  if (train.count === 0) return { weights: [], gradients: [], updates: [] }
  // The gradient over the whole set, and the update that would follow.
  const { before, gradients, after } = trainer.tryStep(train.inputs, train.labels)
  const updates = after.map((list, p) => list.map((v, i) => v - before[p][i]))
  const isMatrix = trainer.model.parameters().map(({ shape }) => shape.length === 2)
  const all = (lists: ArrayLike<number>[]) => lists.filter((_, i) => isMatrix[i]).map(histogram)
  return { weights: all(before), gradients: all(gradients), updates: all(updates) }
}

function histogram(values: ArrayLike<number>): Histogram {
  let limit = 0
  for (let i = 0; i < values.length; i++) limit = Math.max(limit, Math.abs(values[i]))
  const bins = new Array<number>(BINS).fill(0)
  if (limit === 0 || !Number.isFinite(limit)) return { bins, limit: 0 }
  for (let i = 0; i < values.length; i++) bins[Math.min(BINS - 1, Math.floor(((values[i] / limit + 1) / 2) * BINS))]++
  return { bins, limit }
}

/** The kind of the point at which the net is, from the ends of the Hessian's spectrum (Lanczos). */
export function inspectNet({ model }: Trainer, { train, features, classes }: Examples) {
  const inputs = tensor(train.inputs, [train.count, features])
  const { kind, explanation, gradientNorm, eigenvalues } = inspectPoint(() => lossOf(model, inputs, train.labels, classes), model, {
    exactLimit: 60,
  })
  return { kind, explanation, gradientNorm, lowest: eigenvalues[0], highest: eigenvalues[eigenvalues.length - 1] }
}
