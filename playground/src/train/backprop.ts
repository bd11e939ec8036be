/** One row through the net and back: values forward, gradients back, and the step that would follow. */
import { noGrad, tensor } from 'gradus'
import type { Examples } from './examples'
import type { Trainer } from './trainer'

/** A layer of the net. Lists of weights are inputs × units. */
export interface Backpropagated {
  weights: number[]
  biases: number[]
  /** Sums before the activation, and outputs after it. */
  sums: number[]
  values: number[]
  /** ∂L/∂w. */
  gradients: number[]
  /** ∂L/∂z of each unit's sum, which is also ∂L/∂b. */
  deltas: number[]
  /** Weights after the step. */
  next: number[]
}

export interface Backprop {
  row: number
  label: number
  /** The name of its class, as in the legend. */
  className: string
  inputs: number[]
  loss: number
  layers: Backpropagated[]
}

export function backprop(trainer: Trainer, { train, features, classNames }: Examples, index: number): Backprop {
  const row = Math.min(index, train.count - 1)
  const inputs = train.inputs.slice(row * features, (row + 1) * features)
  const labels = train.labels.slice(row, row + 1)
  const tried = trainer.tryStep(inputs, labels)
  const [before, gradients, next] = [tried.before, tried.gradients, tried.after].map((lists) => lists.map((list) => Array.from(list)))
  let values = Array.from(inputs)
  const layers = noGrad(() =>
    trainer.model.layers.map((layer, l): Backpropagated => {
      const [weights, biases] = [before[2 * l], before[2 * l + 1]]
      const sums = biases.map((bias, k) => values.reduce((sum, value, i) => sum + value * weights[i * biases.length + k], bias))
      const inputsOf = tensor(Float32Array.from(values), [1, values.length])
      values = Array.from((layer as unknown as { forward(x: typeof inputsOf): typeof inputsOf }).forward(inputsOf).data())
      return { weights, biases, sums, values, gradients: gradients[2 * l], deltas: gradients[2 * l + 1], next: next[2 * l] }
    }),
  )
  return { row, label: labels[0], className: classNames[labels[0]], inputs: Array.from(inputs), loss: tried.loss, layers }
}
