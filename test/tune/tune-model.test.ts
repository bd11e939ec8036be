/** Tuning nets in the order in which hyper-parameters matter. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { spirals } from '../../ts/data/index.js'
import { Adam, crossEntropy, Dense, Sequential } from '../../ts/index.js'
import { categorical, createStudy, float, importance, int, openStudy, type TuneModelOptions, tuneModel } from '../../ts/tune/index.js'

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

const folder = mkdtempSync(path.join(tmpdir(), 'gradus-tune-model-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('tuneModel', () => {
  test('goes from the rate over β, batch and width to depth and decay, each stage narrowing the one before', async () => {
    const { stages, value, atDefaults, params, study, model } = await tuneModel(options())
    expect(stages.map(({ tuned }) => tuned)).toEqual([['learningRate'], ['beta1', 'batchSize', 'width'], ['layers', 'weightDecay']])
    expect(stages.map((stage) => stage.value)).toEqual([...stages.map((stage) => stage.value)].sort((a, b) => b - a))
    expect(value).toBe(stages[2].value)
    expect(value).toBeLessThan(0.7 * atDefaults)
    expect(model.predict([[0, 0]]).shape).toEqual([1, 3])
    expect(params.width).toBeGreaterThanOrEqual(4)
    // the default, and nine nets per stage; one in three continues
    expect(study.trials).toHaveLength(28)
    expect(study.trials.filter(({ attributes, state }) => attributes.stage === 1 && state === 'pruned')).toHaveLength(8)
    const rates = study.trials
      .filter(({ attributes }) => attributes.stage === 2)
      .map(({ params: { learningRate } }) => Math.log10(learningRate))
    expect(Math.max(...rates) - Math.min(...rates)).toBeLessThan(4 / 3 + 0.01)
    expect(Object.keys(importance(study, { evaluator: 'fanova' }))[0]).toBe('learningRate')
  })

  test('the same seed gives the same nets', async () => {
    const once = await tuneModel({ ...options(), trials: 4, epochs: 9 })
    const again = await tuneModel({ ...options(), trials: 4, epochs: 9 })
    expect(again.study.trials.map(({ params, value }) => [params, value])).toEqual(
      once.study.trials.map(({ params, value }) => [params, value]),
    )
    expect(again.value).toBe(once.value)
  })

  test('a net that is stopped in its last rung is neither complete nor the best', async () => {
    const controller = new AbortController()
    let isLast = false
    const { build, ...others } = options()
    const stopping: typeof build = (params) => ({
      ...build(params),
      callbacks: [
        {
          onEpochEnd() {
            if (isLast) controller.abort(new Error('enough'))
          },
        },
      ],
    })
    const { study, value, atDefaults, stages } = await tuneModel({
      ...others,
      build: stopping,
      signal: controller.signal,
      onProgress: ({ stage, epochs }) => {
        isLast = stage === 1 && epochs === 6
      },
    })
    const states = (stage: number) => study.trials.filter(({ attributes }) => attributes.stage === stage).map(({ state }) => state)
    expect([states(0), states(1)]).toEqual([['complete'], Array(9).fill('pruned')])
    expect(value).toBe(atDefaults)
    expect(stages).toHaveLength(1)
  })

  test('says NaN for the defaults where the net at them diverged', async () => {
    const { atDefaults, value } = await tuneModel({
      ...options(),
      space: { ...SPACE, learningRate: float(1e-3, 1e38, { log: true }) },
      defaults: { learningRate: 1e38, beta1: 0.9, width: 16 },
    })
    expect(atDefaults).toBeNaN()
    expect(value).toBeGreaterThan(0)
  })

  test('a stop before the first net is whole throws the reason, and stores no result', async () => {
    const storage = path.join(folder, 'stopped.log')
    const controller = new AbortController()
    const { build, ...others } = options()
    const stopping: typeof build = (params) => ({
      ...build(params),
      callbacks: [{ onEpochEnd: () => controller.abort(new Error('enough')) }],
    })
    await expect(tuneModel({ ...others, build: stopping, storage, signal: controller.signal })).rejects.toThrow('enough')
    const { trials } = await openStudy({ storage })
    expect(trials.map(({ state, error }) => [state, error])).toEqual([['failed', 'stopped before its first rung']])
  })

  test('trials of a run that was killed are not taken for those of this one', async () => {
    const storage = path.join(folder, 'killed.log')
    const killed = await createStudy({ space: SPACE, storage, seed: 5 })
    for (let i = 0; i < 3; i++) await killed.ask()
    await killed.enqueue({ width: 5 })
    await killed.close() // without a result, as a process that is killed
    const small = { ...options(), trials: 3, epochs: 3, stages: [['learningRate' as const]] }
    const { study, atDefaults } = await tuneModel({ ...small, storage })
    const clean = await tuneModel(small)
    expect(atDefaults).toBe(clean.atDefaults)
    expect(study.trials.slice(4).map(({ params, state, value }) => [params, state, value])).toEqual(
      clean.study.trials.map(({ params, state, value }) => [params, state, value]),
    )
    const ended = ['failed', 'its process ended before it had a result']
    expect(study.trials.slice(0, 4).map(({ state, error }) => [state, error])).toEqual([ended, ended, ended, ['waiting', undefined]])
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
