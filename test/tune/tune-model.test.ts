/** Tuning nets in the order in which hyper-parameters matter. */
import { describe, expect, test } from 'vitest'
import { spirals } from '../../ts/data/index.js'
import { Adam, crossEntropy, Dense, Sequential } from '../../ts/index.js'
import { categorical, float, importance, int, type TuneModelOptions, tuneModel } from '../../ts/tune/index.js'

const SPACE = {
  layers: int(1, 2),
  learningRate: float(1e-4, 1, { log: true }),
  beta1: float(0.5, 0.99),
  batchSize: categorical([16, 32]),
  width: int(4, 32, { log: true }),
  weightDecay: float(1e-6, 0.1, { log: true }),
}

const options = (): TuneModelOptions<typeof SPACE> => ({
  space: SPACE,
  build: ({ learningRate, beta1, width, layers, weightDecay, seed }) => {
    const hidden = Array.from({ length: layers }, (_, i) => new Dense(i === 0 ? 2 : width, width, { activation: 'tanh' }))
    const model = new Sequential([...hidden, new Dense(width, 3)], { seed })
    return { model, optimizer: new Adam(model.parameters(), { learningRate, beta1, weightDecay }) }
  },
  data: spirals({ count: 240, seed: 1 }),
  loss: crossEntropy,
  defaults: { learningRate: 1e-3, beta1: 0.9, width: 16 },
  trials: 9,
  epochs: 18,
})

describe('tuneModel', () => {
  test('goes from the rate over β, batch and width to depth and decay, each stage narrowing the one before', async () => {
    const { stages, value, atDefaults, params, study, model } = await tuneModel(options())
    expect(stages.map(({ tuned }) => tuned)).toEqual([['learningRate'], ['beta1', 'batchSize', 'width'], ['layers', 'weightDecay']])
    expect(stages.map((stage) => stage.value)).toEqual([...stages.map((stage) => stage.value)].sort((a, b) => b - a))
    expect(value).toBe(stages[2].value)
    expect(value).toBeLessThan(0.7 * atDefaults)
    expect(model.predict([[0, 0]]).shape).toEqual([1, 3])
    expect(params.width).toBeGreaterThanOrEqual(4)
    // the default, and nine nets a stage of which one in three goes on
    expect(study.trials).toHaveLength(28)
    expect(study.trials.filter(({ attributes, state }) => attributes.stage === 1 && state === 'pruned')).toHaveLength(8)
    const rates = study.trials
      .filter(({ attributes }) => attributes.stage === 2)
      .map(({ params: { learningRate } }) => Math.log10(learningRate))
    expect(Math.max(...rates) - Math.min(...rates)).toBeLessThan(4 / 3 + 0.01)
    expect(Object.keys(importance(study, { by: 'fanova' }))[0]).toBe('learningRate')
  })

  test('the same seed gives the same nets', async () => {
    const once = await tuneModel({ ...options(), trials: 4, epochs: 9 })
    const again = await tuneModel({ ...options(), trials: 4, epochs: 9 })
    expect(again.study.trials.map(({ params, value }) => [params, value])).toEqual(
      once.study.trials.map(({ params, value }) => [params, value]),
    )
    expect(again.value).toBe(once.value)
  })

  test.each([
    [{ build: 5 }, 'tuneModel: build wants a function that makes { model, optimizer } from parameters, got 5'],
    [{ trials: 1 }, 'tuneModel: trials wants a whole number ≥ 2, got 1'],
    [{ stages: [['depth']] }, "tuneModel: stages has 'depth', which is not tuned"],
    [{ defaults: { width: 1000 } }, 'tuneModel: defaults.width wants a value of int('],
    [{ metric: 'f1' }, "tuneModel: metric wants 'loss' or 'error', got 'f1'"],
    [{ inputs: [] }, "tuneModel: there is no option 'inputs'; did you mean data?"],
  ])('refuses %j', async (wrong, message) => {
    await expect(tuneModel({ ...options(), ...wrong } as never)).rejects.toThrow(message)
  })
})
