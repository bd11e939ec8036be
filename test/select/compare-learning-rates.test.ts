/** compareLearningRates: its losses equal those of fit at each rate, and it refuses invalid options. */
import { describe, expect, test } from 'vitest'
import { iris, standardize, trainTestSplit } from '../../ts/data/index.js'
import {
  Adam,
  compareLearningRates,
  crossEntropy,
  Dense,
  EarlyStopping,
  evaluateModel,
  fit,
  mse,
  type RateToBuild,
  Sequential,
  SGD,
  schedules,
} from '../../ts/index.js'
import { newEngines } from '../tools/small-nets.js'

const backends = newEngines()
const { train, test: held } = standardize(trainTestSplit(iris(), { seed: 1 }))
const data = { ...train, loss: crossEntropy, epochs: 5, batchSize: 16 }
const buildOn =
  (backend = backends[1] ?? backends[0]) =>
  ({ learningRate, seed }: RateToBuild) => {
    const model = new Sequential([new Dense(4, 8, { activation: 'tanh' }), new Dense(8, 3)], { seed, backend })
    return { model, optimizer: new Adam(model.parameters(), { learningRate }) }
  }

describe.each(backends)('on $variant', (backend) => {
  const build = buildOn(backend)

  test.each([false, true])('losses are those of fit at each rate; validation %s', async (isJudged) => {
    const rates = [0.001, 0.03]
    const seeds = [3, 4, 5]
    const found = await compareLearningRates(build, { ...data, rates, seeds, ...(isJudged ? { validation: held } : {}) })
    for (const [i, learningRate] of rates.entries()) {
      const losses: number[] = []
      for (const seed of seeds) {
        const { model, optimizer } = build({ learningRate, seed })
        const { epochs } = await fit(model, { ...data, optimizer, seed })
        losses.push(isJudged ? evaluateModel(model, { ...held, loss: crossEntropy }).loss : epochs[4].loss)
      }
      expect(found.runs[i]).toEqual(losses)
      expect(found.losses[i]).toBeCloseTo((losses[0] + losses[1] + losses[2]) / 3, 12)
    }
    expect(found.learningRates).toEqual(rates)
    expect(found.best).toBe(0.03)
    if (backend.name === 'wasm') for (const { steps, execution } of found.histories.flat()) expect(execution.fleet).toBe(steps)
  })
})

test('the rates by default are 16 from 1e-5 to 1; rates that are far too large score Infinity', async () => {
  const { learningRates, losses, best } = await compareLearningRates(buildOn(), data)
  expect(learningRates).toHaveLength(16)
  expect(learningRates[0]).toBe(1e-5)
  expect(learningRates[15]).toBeCloseTo(1, 12)
  expect(learningRates[3] / learningRates[0]).toBeCloseTo(10, 10)
  expect(losses[0]).toBeGreaterThan(0.9)
  expect(best).toBeGreaterThan(3e-3)
  const wild = ({ learningRate, seed }: RateToBuild) => {
    const { model } = buildOn()({ learningRate, seed })
    return { model, optimizer: new SGD(model.parameters(), { learningRate }) }
  }
  const targets = [...train.targets].map((t) => [t, t, t])
  const exploding = { ...data, inputs: train.inputs, targets, loss: mse, epochs: 20 }
  expect((await compareLearningRates(wild, { ...exploding, rates: [0.01, 1e15] })).losses[1]).toBe(Number.POSITIVE_INFINITY)
  expect((await compareLearningRates(wild, { ...exploding, rates: [1e15] })).best).toBeNull()
})

test('each net may have the schedule that its rate gives, and callbacks', async () => {
  const build = ({ learningRate, seed }: RateToBuild) => ({
    ...buildOn()({ learningRate: 1, seed }),
    schedule: schedules.cosine(learningRate, { steps: 40 }),
    callbacks: [new EarlyStopping({ monitor: 'loss', patience: 1 })],
  })
  const { histories } = await compareLearningRates(build, { ...data, from: 0.001, to: 0.1, points: 3 })
  expect(histories.map(([{ epochs }]) => epochs[0].learningRate).map((rate) => rate > 0.0008 && rate < 0.1)).toEqual([true, true, true])
})

test.each<[string, object, unknown, string]>([
  ['rates and a range', { rates: [1], from: 1e-3 }, null, 'compareLearningRates: wants rates, or from, to and points, not both'],
  ['no rates', { rates: [] }, null, 'compareLearningRates: rates wants learning rates in an array, at least one, got'],
  ['a rate', { rates: [1, -1] }, null, 'compareLearningRates: rates[1] wants a number above 0, got -1'],
  ['a range', { from: 1, to: 0.1 }, null, 'compareLearningRates: wants 0 < from < to, got from 1 and to 0.1'],
  ['points', { points: 1 }, null, 'compareLearningRates: points wants a whole number ≥ 2, got 1'],
  ['seeds', { seeds: 3 }, null, 'compareLearningRates: seeds wants whole numbers in an array, at least one, got 3'],
  ['seed', { seed: 3 }, null, "compareLearningRates: there is no option 'seed'; did you mean seeds?"],
  [
    'another rate',
    { rates: [0.1] },
    () => buildOn()({ learningRate: 0.5, seed: 1 }),
    'build wants to give the optimizer the learning rate 0.1, got one of 0.5',
  ],
  [
    'one model for all',
    {},
    (
      (shared) => () =>
        shared
    )(buildOn()({ learningRate: 1, seed: 1 })),
    'build wants to make a new model each time, got that of rate',
  ],
])('%s', async (_, options, build, message) => {
  await expect(compareLearningRates((build ?? buildOn()) as never, { ...data, ...options } as never)).rejects.toThrow(message)
})
