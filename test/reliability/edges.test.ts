/** Values and derivatives for extreme numbers, on every backend and in fleets. */
import { describe, expect, test } from 'vitest'
import {
  activate,
  binaryCrossEntropy,
  crossEntropy,
  Dense,
  fit,
  fitMany,
  gradients,
  huber,
  mae,
  mse,
  Parameter,
  Sequential,
  SGD,
  sum,
  tensor,
} from '../../ts/index.js'
import { newEngines } from '../tools/small-nets.js'

const backends = newEngines()

describe.each(backends)('fault 28: $variant', (backend) => {
  test('binaryCrossEntropy of infinite logits: 0 and ∞, never ∞·0', () => {
    const value = (p: number, t: number) => {
      // a number of elements that fills a vector and leaves a remainder
      const prediction = tensor(new Float32Array(7).fill(p), [7, 1], { backend })
      return binaryCrossEntropy(prediction, tensor(new Float32Array(7).fill(t), [7, 1], { backend })).item()
    }
    expect([value(Infinity, 0), value(-Infinity, 0), value(-Infinity, 1)]).toEqual([Infinity, 0, Infinity])
    expect(value(Number.NaN, 0)).toBeNaN()
  })

  test('the slope of elu keeps its digits far out, in activations and dense layers', () => {
    const xs = [-1e-3, -1, -5, -10, -17, -30, -80]
    const x = tensor(Float32Array.from(xs), [xs.length, 1], { requiresGrad: true, backend })
    const layer = new Dense(1, 1, { activation: 'elu', backend, seed: 1 })
    layer.parameters()[0].assign([[1]])
    for (const y of [activate(x, 'elu'), layer.forward(x)]) {
      const [slope] = gradients(sum(y), [x])
      slope.data().forEach((value, i) => expect(value / Math.exp(xs[i])).toBeCloseTo(1, 5))
    }
    const [first] = gradients(sum(activate(x, 'elu')), [x], { createGraph: true })
    gradients(sum(first), [x])[0]
      .data()
      .forEach((value, i) => expect(value / Math.exp(xs[i])).toBeCloseTo(1, 5))
  })

  test('fit and fitMany have the same bits with elu', async () => {
    const make = () => new Sequential([new Dense(1, 4, { activation: 'elu' }), new Dense(4, 1)], { seed: 1, backend })
    const options = (model: Sequential) => ({ optimizer: new SGD(model.parameters(), { learningRate: 0.1 }) })
    const data = { inputs: [[-9], [-1], [0.5], [1]], targets: [[0], [1], [1], [0]], loss: binaryCrossEntropy, epochs: 5 }
    const alone = make()
    await fit(alone, { ...data, ...options(alone) })
    const many = [make(), make()]
    await fitMany(many, { ...data, optimizers: many.map((model) => options(model).optimizer) })
    for (const model of many) expect(model.state()).toEqual(alone.state())
  })

  test('weights of rows that want a gradient are refused: losses have none for them', () => {
    const weights = new Parameter([1, 2], { backend })
    const prediction = tensor([[1], [2]], { backend })
    for (const loss of [mse, mae, huber, binaryCrossEntropy])
      expect(() => loss(prediction, [[0], [1]], { weights })).toThrow(/the weights require a gradient.*detach\(\) them/)
    expect(() => crossEntropy(tensor([[1, 2]], { backend }), [0], { weights: new Parameter([1], { backend }) })).toThrow(
      /crossEntropy: the weights require a gradient/,
    )
    expect(mse(prediction, [[0], [1]], { weights: weights.detach() }).item()).toBe(1.5)
  })
})
