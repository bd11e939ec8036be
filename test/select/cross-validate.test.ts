/** crossValidate: its scores equal those of written-out fits, it uses held-out rows once, and refuses invalid options. */
import { describe, expect, test } from 'vitest'
import { iris, kFold, moons, selectRows, standardize, trainTestSplit } from '../../ts/data/index.js'
import {
  Adam,
  binaryCrossEntropy,
  type CrossValidateOptions,
  crossEntropy,
  crossValidate,
  Dense,
  EarlyStopping,
  evaluateModel,
  type FoldToBuild,
  fit,
  mse,
  Sequential,
  SGD,
  schedules,
} from '../../ts/index.js'
import { ScheduleFreeAdamW } from '../../ts/optim/index.js'
import { newEngines } from '../tools/small-nets.js'

const backends = newEngines()
const [js] = backends
const fast = backends[1] ?? js

const netFor =
  (backend = fast) =>
  ({ seed }: { seed: number }) => {
    const model = new Sequential([new Dense(4, 8, { activation: 'tanh' }), new Dense(8, 3)], { seed, backend })
    return { model, optimizer: new Adam(model.parameters(), { learningRate: 0.02 }) }
  }
const flowers = { ...iris(), loss: crossEntropy, epochs: 4, batchSize: 16 }

/** A user-defined loss, with which nets are trained one after the other. */
const ownLoss: typeof crossEntropy = (prediction, labels, options) => crossEntropy(prediction, labels, options)

describe.each(backends)('on $variant', (backend) => {
  test('scores are those of fit and evaluateModel for each fold', async () => {
    const build = netFor(backend)
    const { scores, folds } = await crossValidate(build, { ...flowers, metrics: ['accuracy'], folds: 4, repeats: 2, seed: 5 })
    const splits = kFold(iris(), { folds: 4, repeats: 2, seed: 5 })
    const wanted: { loss: number; accuracy: number }[] = []
    for (const [i, { train, test }] of splits.entries()) {
      const { model, optimizer } = build({ seed: 5 + i })
      await fit(model, { ...train, loss: crossEntropy, optimizer, epochs: 4, batchSize: 16, seed: 5 + i })
      wanted.push(evaluateModel(model, { ...test, loss: crossEntropy, metrics: ['accuracy'] }))
      expect(folds[i].model.state()).toEqual(model.state())
      expect(selectRows(iris(), folds[i].test)).toEqual(test)
    }
    expect(scores.loss.values).toEqual(wanted.map(({ loss }) => loss))
    expect(scores.accuracy.values).toEqual(wanted.map(({ accuracy }) => accuracy))
    if (backend.name === 'wasm')
      expect(folds.map(({ history }) => history.execution.fleet)).toEqual(folds.map(({ history }) => history.steps))
  })
})

test('mean, standard deviation and standard error', async () => {
  const { scores } = await crossValidate(netFor(), { ...flowers, folds: 3 })
  const { values, mean, standardDeviation, standardError } = scores.loss
  const [a, b, c] = values
  expect(mean).toBeCloseTo((a + b + c) / 3, 14)
  expect(standardDeviation).toBeCloseTo(Math.sqrt(((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2) / 2), 14)
  expect(standardError).toBeCloseTo(standardDeviation * Math.sqrt(1 / 3 + 50 / 100), 14)
})

test('prepare learns from the rows to train on alone', async () => {
  const seen: number[] = []
  const { folds, scores } = await crossValidate(netFor(), {
    ...flowers,
    weights: Float32Array.from({ length: 150 }, (_, i) => 1 + (i % 2)),
    prepare: (split) => {
      seen.push(split.train.count, split.test.count)
      return standardize(split)
    },
  })
  expect(seen).toEqual(new Array(5).fill([120, 30]).flat())
  const [{ model, train, test }] = folds
  const prepared = standardize({ train: selectRows(iris(), train), test: selectRows(iris(), test) })
  const weights = Float32Array.from(test, (i) => 1 + (i % 2))
  expect(evaluateModel(model, { ...prepared.test, weights, loss: crossEntropy }).loss).toBe(scores.loss.values[0])
})

test('folds are stratified by default where targets are classes, and groups stay together', async () => {
  const rows = [...Array(30).keys()]
  const data = { inputs: rows.map((i) => [i / 30, 1, 0, 1]), loss: crossEntropy, batchSize: 8, folds: 5 }
  const targets = rows.map((i) => Number(i < 5))
  const inFolds = async (options: Partial<CrossValidateOptions>) => {
    const { folds } = await crossValidate(netFor(), { ...data, targets, ...options })
    return folds.map(({ test }) => [...test].filter((row) => targets[row] === 1).length)
  }
  expect(await inFolds({})).toEqual([1, 1, 1, 1, 1])
  expect(await inFolds({ targets: Int32Array.from(targets) })).toEqual([1, 1, 1, 1, 1])
  expect(await inFolds({ stratify: false })).not.toEqual([1, 1, 1, 1, 1])
  const groups = rows.map((i) => i % 10)
  const { folds } = await crossValidate(netFor(), { ...data, targets, groups })
  for (const { train, test } of folds)
    expect(new Set([...test].map((i) => i % 10)).size + new Set([...train].map((i) => i % 10)).size).toBe(10)
})

test('early stopping by rows of the training set; schedules and callbacks of each net', async () => {
  const data = moons({ count: 90, seed: 1 })
  const { folds } = await crossValidate(
    ({ seed, fold }: FoldToBuild) => {
      const model = new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, 1)], { seed, backend: fast })
      const optimizer = new Adam(model.parameters())
      const callbacks = [new EarlyStopping({ patience: 1 })]
      return { model, optimizer, callbacks, ...(fold === 0 ? {} : { schedule: schedules.cosine(0.5, { steps: 400 }) }) }
    },
    {
      inputs: data.inputs,
      shape: data.shape,
      targets: Float32Array.from(data.targets),
      loss: binaryCrossEntropy,
      stratify: true,
      folds: 3,
      epochs: 40,
      validationFraction: 0.2,
    },
  )
  expect(folds.every(({ history }) => history.epochs.every(({ validation }) => validation !== undefined))).toBe(true)
  expect(folds.some(({ history }) => history.steps < 80)).toBe(true)
  expect(folds[0].history.epochs[0].learningRate).toBe(0.001)
  expect(folds[1].history.epochs[0].learningRate).toBeGreaterThan(0.4)
})

test('averages of weights are judged where an optimizer keeps them', async () => {
  const { folds, scores } = await crossValidate(
    ({ seed }) => {
      const { model } = netFor()({ seed })
      return { model, optimizer: new ScheduleFreeAdamW(model.parameters(), { learningRate: 0.01 }) }
    },
    { ...flowers, folds: 2 },
  )
  const [{ model, test }] = folds
  const trained = evaluateModel(model, { ...selectRows(iris(), test), loss: crossEntropy }).loss
  expect(folds.map(({ history }) => history.error)).toEqual([undefined, undefined])
  expect(scores.loss.mean).toBeLessThan(1.2)
  expect(trained).not.toBe(scores.loss.values[0])
})

test('a fold that diverges scores NaN, and the others their own', async () => {
  const rates = [0.01, 1e12, 0.01]
  const { scores, folds } = await crossValidate(
    ({ seed, fold }) => {
      const model = new Sequential([new Dense(4, 8, { activation: 'tanh' }), new Dense(8, 1)], { seed, backend: fast })
      return { model, optimizer: new SGD(model.parameters(), { learningRate: rates[fold] }) }
    },
    { ...iris(), targets: Float32Array.from(iris().targets), loss: mse, epochs: 10, folds: 3 },
  )
  expect(scores.loss.values.map(Number.isFinite)).toEqual([true, false, true])
  expect(scores.loss.mean).toBeNaN()
  expect(folds[1].history.error?.name).toBe('NonFiniteError')
})

test('a signal ends it, and folds that were trained to the end keep their scores', async () => {
  const controller = new AbortController()
  const build = ({ seed, fold }: FoldToBuild) => ({
    ...netFor()({ seed }),
    callbacks: [
      { onEpochEnd: ({ epoch }: { epoch: number }) => void (fold === 2 && epoch === 2 && controller.abort(new Error('enough'))) },
    ],
  })
  const { scores, folds } = await crossValidate(build, { ...flowers, loss: ownLoss, folds: 4, signal: controller.signal })
  expect(folds.map(({ history }) => history.stopReason)).toEqual(['completed', 'completed', 'aborted', 'aborted'])
  expect(scores.loss.values.map(Number.isFinite)).toEqual([true, true, false, false])
  expect(scores.loss.mean).toBeNaN()
  const whole = await crossValidate(netFor(), { ...flowers, loss: ownLoss, folds: 4 })
  expect(scores.loss.values[1]).toBe(whole.scores.loss.values[1])
  const early = await crossValidate(netFor(), { ...flowers, folds: 2, signal: AbortSignal.abort() })
  expect(early.scores.loss.values).toEqual([Number.NaN, Number.NaN])
})

test('an error of a callback ends it', async () => {
  const failing = () => ({
    ...netFor()({ seed: 1 }),
    callbacks: [
      {
        onEpochEnd: () => {
          throw new Error('mine')
        },
      },
    ],
  })
  await expect(crossValidate(failing, flowers)).rejects.toThrow('mine')
})

describe('bad input', () => {
  const shared = netFor()({ seed: 1 })
  test.each<[string, object, unknown, string]>([
    ['no function', {}, shared, 'crossValidate: build wants a function that makes { model, optimizer }, got'],
    ['nothing built', {}, () => ({}), 'crossValidate: build wants to return { model, optimizer }, got an object with nothing for fold 0'],
    [
      'one model for all',
      {},
      () => shared,
      'crossValidate: build wants to make a new model each time, got that of fold 0 again for fold 1',
    ],
    [
      'an optimizer',
      { optimizer: 3 },
      null,
      "crossValidate: there is no option 'optimizer', since each net wants its own; return it from build",
    ],
    ['validation', { validation: iris() }, null, "there is no option 'validation', since the held-out rows are what is judged by"],
    ['cv', { cv: 3 }, null, "crossValidate: there is no option 'cv'; did you mean folds?"],
    ['too many folds', { folds: 200 }, null, 'crossValidate: folds wants a whole number from 2 to the 150 rows, got 200'],
    ['groups', { groups: [1, 2] }, null, 'crossValidate: groups wants one text or number for each of 150 rows, got an array of 2'],
    [
      'stratify',
      { targets: new Float32Array(150).fill(0.5), stratify: true },
      null,
      'stratify wants one class for each row, a whole number, got 0.5 at row 0',
    ],
    ['a metric', { metrics: ['f11'] }, null, "metrics: 'f11' is none of accuracy"],
    [
      'prepare',
      { prepare: 1 },
      null,
      'crossValidate: prepare wants a function of { train, test }, such as standardize of gradus/data, got 1',
    ],
    [
      'prepare of bare arrays',
      { prepare: standardize, count: undefined },
      null,
      'crossValidate: prepare: wants a data set, as fromTable and fromArrays',
    ],
    [
      'a prepare that forgets',
      { prepare: () => undefined },
      null,
      'crossValidate: prepare wants to return { train, test }, got undefined for fold 0',
    ],
    ['epochs', { epochs: -1 }, null, 'crossValidate: epochs wants a whole number ≥ 0, got -1'],
    ['no targets', { targets: undefined }, null, 'crossValidate: targets wants one entry or row for each sample, got undefined'],
  ])('%s', async (_, options, build, message) => {
    await expect(crossValidate((build ?? netFor()) as never, { ...flowers, ...options } as never)).rejects.toThrow(message)
  })
})

test('trainTestSplit still holds rows out for the very end', async () => {
  const { train } = trainTestSplit(iris(), { seed: 1 })
  const { scores } = await crossValidate(netFor(), {
    ...train,
    loss: crossEntropy,
    epochs: 30,
    prepare: standardize,
    metrics: ['accuracy'],
  })
  expect(scores.accuracy.mean).toBeGreaterThan(0.85)
})
