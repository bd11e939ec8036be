/** The learning-rate range test: its suggestions, and that it restores everything. */
import { describe, expect, test } from 'vitest'
import { iris, spirals, standardize, trainTestSplit } from '../../ts/data/index.js'
import {
  Adam,
  AdamW,
  add,
  BatchNorm,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  evaluateModel,
  exp,
  type FindLearningRateOptions,
  findLearningRate,
  fit,
  GradientAccumulation,
  Lookahead,
  mean,
  mse,
  mul,
  type Optimizer,
  type Parameter,
  Sequential,
  SGD,
  square,
  type Tensor,
  type TensorLike,
  tensor,
} from '../../ts/index.js'
import { addNoise, OPTIMIZERS } from '../../ts/optim/index.js'
import { suggest } from '../../ts/train/find-learning-rate.js'

const backends = [createBackend({ backend: 'js' }), createBackend({ backend: 'js', dtype: 'float64' }), createBackend()]
const { train: flowers } = standardize(trainTestSplit(iris(), { seed: 1 }))
const turns = spirals({ count: 240, seed: 1 })

type Make = (parameters: Parameter[]) => Optimizer

function net(inputs: number, classes: number, backend = backends[0], seed = 1): Sequential {
  const layers = [new Dense(inputs, 16, { activation: 'tanh' }), new Dropout(0.1), new Dense(16, classes)]
  return new Sequential(layers, { seed, backend })
}

describe.each(backends)('on $variant $dtype', (backend) => {
  const data = { ...flowers, loss: crossEntropy, batchSize: 16 }

  test('Iris: the loss falls, then explodes; a suggestion trains well', async () => {
    const model = net(4, 3, backend)
    const optimizer = new SGD(model.parameters(), { momentum: 0.9 })
    const found = await findLearningRate(model, { ...data, optimizer, from: 1e-5, to: 1000, divergenceFactor: 3 })
    expect(found.diverged).toBe(true)
    expect(found.learningRates.length).toBeLessThan(100)
    expect(found.learningRates[0]).toBe(1e-5)
    const { steepest, valley, minimum } = found.suggestions
    for (const rate of [steepest!, valley!, minimum!]) {
      expect(rate).toBeGreaterThan(1e-4)
      expect(rate).toBeLessThan(1)
    }
    optimizer.learningRate = valley!
    await fit(model, { ...data, optimizer, epochs: 20 })
    expect(evaluateModel(model, data).loss).toBeLessThan(0.2)
  })

  test('spirals: Adam gets a suggestion in the usual range', async () => {
    const model = new Sequential([new Dense(2, 32, { activation: 'relu' }), new Dense(32, 32, { activation: 'relu' }), new Dense(32, 3)], {
      seed: 1,
      backend,
    })
    const optimizer = new Adam(model.parameters())
    const { suggestions, smoothed, losses } = await findLearningRate(model, { ...turns, loss: crossEntropy, optimizer })
    expect(suggestions.valley).toBeGreaterThan(1e-4)
    expect(suggestions.valley).toBeLessThan(0.3)
    expect(smoothed[0]).toBeCloseTo(losses[0], 12)
    expect(Math.min(...smoothed)).toBeLessThan(0.9 * smoothed[0])
  })
})

/** Bits of weights, optimizer state and dropout after an epoch and a batch, then optionally a range test, then another epoch. */
async function bits(make: Make, tested: boolean, more: Partial<FindLearningRateOptions> = {}, isNew = false): Promise<unknown> {
  const model = net(4, 3)
  const optimizer = make(model.parameters())
  const data = { ...flowers, loss: crossEntropy, optimizer, batchSize: 60 }
  if (!isNew) {
    await fit(model, data)
    crossEntropy(model.forward(tensor(flowers.inputs, flowers.shape, { backend: backends[0] })), flowers.targets).backward()
    optimizer.step()
  }
  if (tested) await findLearningRate(model, { ...data, steps: 12, ...more })
  const after = { weights: model.state(), state: optimizer.state(), rates: optimizer.groups.map(({ options }) => ({ ...options })) }
  await fit(model, { ...data, seed: 2 })
  return { after, weights: model.state(), state: optimizer.state() }
}

describe('leaves everything as it was, to the bit', () => {
  const classes = Object.entries(OPTIMIZERS) as unknown as [string, new (parameters: Parameter[], options?: object) => Optimizer][]

  test.each(classes)('%s', async (_, Class) => {
    const make = (parameters: Parameter[]) => new Class(parameters)
    expect(await bits(make, true)).toEqual(await bits(make, false))
    // also for an optimizer that has taken no step
    expect(await bits(make, true, {}, true)).toEqual(await bits(make, false, {}, true))
  })

  const wrapped: [string, Make][] = [
    ['groups of their own rates', (p) => new AdamW([{ parameters: p.slice(0, 1), learningRate: 0.1 }, { parameters: p.slice(1) }])],
    ['noise on gradients', (p) => new SGD(p, { gradientTransforms: [addNoise()] })],
    ['Lookahead', (p) => new Lookahead(new Adam(p)) as unknown as Optimizer],
    ['half-way through an accumulation', (p) => new GradientAccumulation(new Adam(p), { every: 4 }) as unknown as Optimizer],
  ]
  test.each(wrapped)('%s', async (_, make) => {
    expect(await bits(make, true)).toEqual(await bits(make, false))
  })

  test('after a divergence to NaN', async () => {
    const make: Make = (p) => new SGD(p)
    expect(await bits(make, true, { to: 1e38, steps: 20, loss: overflowing })).toEqual(await bits(make, false))
  })

  test('gradients that wait for a step, and modes', async () => {
    const model = net(4, 3)
    const optimizer = new Adam(model.parameters())
    crossEntropy(model.forward(tensor(flowers.inputs, flowers.shape, { backend: backends[0] })), flowers.targets).backward()
    const before = model.parameters().map((p) => [...p.grad!.data()])
    model.evaluate()
    // as after a lookup, for SparseAdam
    const touched = [Int32Array.of(1)]
    model.parameters()[0].touchedRows = touched
    await findLearningRate(model, { ...flowers, loss: crossEntropy, optimizer, steps: 5 })
    expect(model.parameters()[0].touchedRows).toBe(touched)
    expect(model.parameters().map((p) => [...p.grad!.data()])).toEqual(before)
    expect(model.parameters().map((p) => p.gradientState)).toEqual(['ready', 'ready', 'ready', 'ready'])
    expect(model.modules().some((m) => m.training)).toBe(false)
  })
})

/** Finite at first, NaN as soon as weights are huge. */
function overflowing(prediction: Tensor, target: TensorLike): Tensor {
  return add(crossEntropy(prediction, target), mul(mean(exp(square(prediction))), 1e-9))
}

test('an optimizer without a state leaves the model free', async () => {
  const model = net(4, 3)
  const broken = { name: 'Broken', groups: new Adam(model.parameters()).groups, step() {}, learningRate: 0.1 } as unknown as Optimizer
  await expect(findLearningRate(model, { ...flowers, loss: crossEntropy, optimizer: broken, steps: 5 })).rejects.toThrow()
  await fit(model, { ...flowers, loss: crossEntropy, optimizer: new Adam(model.parameters()) })
})

test('suggestions of a known curve', () => {
  const rates = Array.from({ length: 13 }, (_, i) => 10 ** (i - 8))
  expect(suggest(rates, [5, 5, 5, 5, 4.9, 4.7, 4, 2, 1.5, 1.2, 3, 9, 20])).toEqual({
    steepest: rates[6],
    valley: rates[7],
    minimum: rates[9] / 10,
  })
  // the mean over the first few batches fluctuates, whatever the rate
  const jumps = [9, 3, 4, 4, 4, 4, 4, 4, 3.9, 3.5, 2, 1.5, 1.3, 1.2, 1.1, 1, 1, 2, 5, 9]
  expect(
    suggest(
      jumps.map((_, i) => i),
      jumps,
    ).steepest,
  ).toBe(10)
  expect(suggest(rates, [1, 2, 3])).toEqual({ steepest: null, valley: null, minimum: null })
})

test('errors name what is wrong', async () => {
  const model = net(4, 3)
  const optimizer = new Adam(model.parameters())
  const run = (more: object) => findLearningRate(model, { ...flowers, loss: crossEntropy, optimizer, ...more })
  await expect(run({ from: 1, to: 0.1 })).rejects.toThrow('findLearningRate: wants 0 < from < to, got from 1 and to 0.1')
  await expect(run({ steps: 1 })).rejects.toThrow('steps wants a whole number ≥ 2, got 1')
  await expect(run({ smoothing: 1 })).rejects.toThrow('smoothing wants a number in [0, 1), got 1')
  await expect(run({ divergenceFactor: 1 })).rejects.toThrow('divergenceFactor wants a number above 1, got 1')
})

test('puts back buffers, as the running statistics of batch normalisation', async () => {
  const model = new Sequential([new Dense(2, 4), new BatchNorm(4), new Dense(4, 1)], { seed: 1 })
  const inputs = Array.from({ length: 32 }, (_, i) => [Math.sin(i), Math.cos(2 * i)])
  const targets = inputs.map(([a, b]) => [a - b])
  await fit(model, { inputs, targets, loss: mse, optimizer: new SGD(model.parameters()) })
  const before = model.buffers().map((buffer) => buffer.data())
  expect(before.some((values) => values.some((value) => value !== 0 && value !== 1))).toBe(true)
  await findLearningRate(model, { inputs, targets, loss: mse, optimizer: new SGD(model.parameters()), steps: 20 })
  expect(model.buffers().map((buffer) => buffer.data())).toEqual(before)
})
