/** fitAuto: the rate that it chooses, what it leaves as it was, and what it refuses. bench/auto-rate.ts measures it on sixty problems. */
import { expect, test, vi } from 'vitest'
import { moons, standardize, trainTestSplit } from '../../ts/data/index.js'
import {
  Adam,
  type Callback,
  Checkpoint,
  crossEntropy,
  Dense,
  Dropout,
  evaluateModel,
  type FitAutoOptions,
  fit,
  fitAuto,
  mse,
  mul,
  type Optimizer,
  type Parameter,
  SAM,
  Sequential,
  SGD,
  tensor,
} from '../../ts/index.js'
import { OPTIMIZERS } from '../../ts/optim/index.js'
import { LBFGS } from '../../ts/solve/index.js'
import { newEngines } from '../tools/small-nets.js'

const backends = newEngines()
const backend = backends.at(-1) as (typeof backends)[number]
const { train, test: held } = standardize(trainTestSplit(moons({ count: 300, noise: 0.2, seed: 1 }), { seed: 1 }))
const data = { ...train, loss: crossEntropy, validation: held, epochs: 8, batchSize: 16, seed: 3 }

const net = (on = backend, ...more: Dropout[]) =>
  new Sequential([new Dense(2, 16, { activation: 'tanh' }), ...more, new Dense(16, 2)], { seed: 1, backend: on })
const lossOf = (model: Sequential) => evaluateModel(model, { ...held, loss: crossEntropy }).loss
const weightsOf = (model: Sequential) => model.parameters().map((p) => [...p.data()])

test.each(['SGD', 'Adam', 'Lion'] as const)('%s: nearly as good as the best of a grid, or better', async (name) => {
  const make = OPTIMIZERS[name] as unknown as new (p: Parameter[], o?: object) => Optimizer
  const losses: number[] = []
  const split = standardize(trainTestSplit(moons({ count: 1200, noise: 0.2, seed: 1 }), { seed: 1 }))
  const more = { ...data, ...split.train, validation: split.test, epochs: 10 }
  for (const learningRate of [1e-3, 1e-2, 0.1, 1]) {
    const model = net()
    try {
      const { epochs } = await fit(model, { ...more, optimizer: new make(model.parameters(), { learningRate }) })
      losses.push(Math.min(...epochs.map(({ validation }) => validation?.loss ?? Number.NaN)))
    } catch {
      // this rate diverged
    }
  }
  const model = net()
  await fitAuto(model, { ...more, optimizer: new make(model.parameters(), { learningRate: 123 }) })
  expect(evaluateModel(model, { ...split.test, loss: crossEntropy }).loss).toBeLessThan(1.1 * Math.min(...losses))
})

test.each(backends)('the same seed gives the same run on $variant', async (on) => {
  const run = async () => {
    const model = net(on, new Dropout(0.1))
    const found = await fitAuto(model, { ...data, epochs: 2, optimizer: new Adam(model.parameters()) })
    return { weights: weightsOf(model), trials: found.trials, rate: found.learningRate, course: found.epochs.map(({ loss }) => loss) }
  }
  expect(await run()).toEqual(await run())
})

/** The full training whose model is returned: the one of the least loss. */
function chosenOf({ trials, learningRate, batchSize }: Awaited<ReturnType<typeof fitAuto>>) {
  const best = trials.slice(-3).reduce((a, b) => (b.loss <= a.loss ? b : a))
  expect([learningRate, batchSize]).toEqual([best.learningRate, best.batchSize])
  return best
}

test('callbacks see three full trainings; the model has the best epoch of the best, by the rate that is returned', async () => {
  const model = net()
  const optimizer = new Adam(model.parameters())
  const begins: number[] = []
  const callbacks: Callback[] = [{ onTrainBegin: () => void begins.push(optimizer.stepCount) }]
  const found = await fitAuto(model, { ...data, optimizer, callbacks })
  expect(begins).toEqual([0, 0, 0])
  expect(found.trials.length).toBeGreaterThanOrEqual(9)
  expect(found.trials.map(({ steps }) => steps)).toEqual([...found.trials.slice(6).map(() => 10), 15, 15, 15, 120, 120, 120])
  const positions = found.trials.map((trial) => Math.round(4 * Math.log10(trial.learningRate / found.trials[0].learningRate)))
  expect(positions.slice(0, 3)).toEqual([0, -3, -6])
  const [center, lower, higher, start, below, last] = positions.slice(-6)
  expect([lower, higher, below]).toEqual([center - 1, center + 1, start - 2])
  expect([lower, center, higher]).toContain(start)
  const [atStart, atBelow] = found.trials.slice(-3)
  expect(last).toBe(atBelow.loss <= atStart.loss ? start - 4 : start + 1)
  const chosen = chosenOf(found)
  expect(Math.min(...found.epochs.map(({ validation }) => validation?.loss ?? Number.NaN))).toBe(chosen.loss)
  expect(lossOf(model)).toBe(chosen.loss)
  expect(optimizer.stepCount).toBe(120)
})

/** Ruins the weights in each training whose rate reaches `above`. */
const poison = (model: Sequential, above: number): Callback => ({
  onEpochEnd: ({ learningRate }) => {
    if (learningRate >= above) model.parameters()[0].view().fill(Number.NaN)
  },
})

test('a training that diverges counts as the worst; if all do, lower rates follow', async () => {
  const model = net()
  const usual = await fitAuto(model, { ...data, optimizer: new Adam(model.parameters()) })
  const rates = usual.trials.slice(-3).map(({ learningRate }) => learningRate)
  for (const limit of [usual.learningRate / 2, Math.min(...rates) / 20]) {
    const again = net()
    const optimizer = new Adam(again.parameters())
    const { learningRate, epochs, trials } = await fitAuto(again, { ...data, optimizer, callbacks: [poison(again, limit)] })
    expect(trials.some(({ loss }) => loss === Number.POSITIVE_INFINITY)).toBe(true)
    expect(epochs).toHaveLength(8)
    expect(learningRate).toBeLessThan(2 * limit)
    expect(weightsOf(again).flat().every(Number.isFinite)).toBe(true)
  }
})

test('if it diverges at every rate, that is the error, and everything is as before', async () => {
  const model = net()
  const before = weightsOf(model)
  const optimizer = new SGD(model.parameters(), { learningRate: 0.5 })
  await expect(fitAuto(model, { ...data, optimizer, callbacks: [poison(model, 0)] })).rejects.toThrow('loss is NaN')
  expect(weightsOf(model)).toEqual(before)
  expect([optimizer.learningRate, optimizer.stepCount]).toEqual([0.5, 0])
  await expect(fitAuto(model, { ...data, optimizer, loss: (p, t) => crossEntropy(mul(p, Number.NaN), t) })).rejects.toThrow('loss is NaN')
  expect(weightsOf(model)).toEqual(before)
})

test('groups keep the proportions of their rates, and a frozen layer stays', async () => {
  const model = net()
  const [first, second] = model.layers
  second.parameters()[1].requiresGrad = false
  const frozen = [...second.parameters()[1].data()]
  const groups = [
    { parameters: first.parameters(), learningRate: 0.02 },
    { parameters: second.parameters(), learningRate: 0.01 },
  ]
  const seen: number[] = []
  const optimizer = new Adam(groups)
  await fitAuto(model, {
    ...data,
    optimizer,
    callbacks: [{ onEpochEnd: () => void seen.push(optimizer.groups[0].options.learningRate / optimizer.groups[1].options.learningRate) }],
  })
  expect(new Set(seen)).toEqual(new Set([2]))
  expect([...second.parameters()[1].data()]).toEqual(frozen)
})

const x = Array.from({ length: 40 }, (_, i) => [Math.sin(i)])
const line = { inputs: x, targets: x.map(([v]) => [3 * v]), loss: mse }
const straight = () => new Sequential([new Dense(1, 1)], { seed: 1, backend })

test.each<[string, Partial<FitAutoOptions>]>([
  ['without validation data', { epochs: 20 }],
  ['with a fraction of the rows', { epochs: 20, validationFraction: 0.25 }],
  ['in one epoch', { epochs: 1, batchSize: 1 }],
  ['with all rows at once', { epochs: 60, batchSize: 'full' }],
  ['with weights', { epochs: 20, weights: x.map((_, i) => (i % 2 ? 1 : 0.5)) }],
])('learns a line %s', async (_, options) => {
  const model = straight()
  const { learningRate, trials, epochs } = await fitAuto(model, {
    ...line,
    batchSize: 8,
    optimizer: new SGD(model.parameters()),
    ...options,
  })
  expect(epochs).toHaveLength(options.epochs as number)
  expect(evaluateModel(model, line).loss).toBeLessThan(0.05)
  expect(learningRate).toBeGreaterThan(0)
  expect(trials.every(({ steps, loss }) => steps >= 1 && !Number.isNaN(loss))).toBe(true)
})

test.each(Object.keys(OPTIMIZERS))('%s learns at the rate that is found, or is refused', async (name) => {
  const make = OPTIMIZERS[name as 'SGD']
  const inputs = Array.from({ length: 64 }, (_, i) => [((i * 1.236) % 1) - 0.5, ((i * 1.236 + 0.618) % 1) - 0.5])
  const plane = { inputs, targets: inputs.map(([a, b]) => [2 * a - b]), loss: mse }
  const model = new Sequential([new Dense(2, 4, { activation: 'tanh' }), new Dense(4, 1)], { seed: 3, backend })
  const before = evaluateModel(model, plane).loss
  const work = fitAuto(model, { ...plane, epochs: 60, validationFraction: 0.2, optimizer: new make(model.parameters()) })
  if (name === 'Rprop')
    return expect(work).rejects.toThrow(
      /^fitAuto: the loss of short trainings is 0\.\d+ at every learning rate; use fit for an optimizer .* such as Rprop/,
    )
  await work
  expect(evaluateModel(model, plane).loss).toBeLessThan(0.9 * before)
})

test.each<[string, Partial<FitAutoOptions>]>([
  ['one step', { epochs: 1 }],
  ['two steps', { epochs: 2 }],
  ['six steps', { epochs: 6 }],
  ['six steps, with validation data', { epochs: 6, validation: { inputs: line.inputs, targets: line.targets } }],
  ['ten steps', { epochs: 5, batchSize: 20 }],
])('a training of %s gets a rate at which it learns', async (_, options) => {
  const model = straight()
  const before = evaluateModel(model, line).loss
  await fitAuto(model, { ...line, batchSize: 'full', optimizer: new SGD(model.parameters()), ...options })
  expect(evaluateModel(model, line).loss).toBeLessThan(0.2 * before)
})

test('of trainings of few steps without validation data, the one whose net is best at its end stays', async () => {
  const inputs = Array.from({ length: 12 }, (_, i) => [Math.sin(i), Math.cos(2 * i)])
  const few = { inputs, targets: inputs.map(([a, b]) => (a + b > 0 ? 1 : 0)), loss: crossEntropy }
  const model = net()
  const { trials } = await fitAuto(model, { ...few, batchSize: 'full', epochs: 3, optimizer: new Adam(model.parameters()) })
  expect(evaluateModel(model, few).loss).toBe(Math.min(...trials.slice(-3).map(({ loss }) => loss)))
})

test('takes one row, and an optimizer with a closure', async () => {
  const model = straight()
  const one = { inputs: [[1]], targets: [[2]], loss: mse, epochs: 30 }
  await fitAuto(model, { ...one, optimizer: new SGD(model.parameters()) })
  expect(model.predict(tensor([[1]], { backend })).item()).toBeCloseTo(2, 1)
  const other = net()
  await fitAuto(other, { ...data, optimizer: new SAM(new SGD(other.parameters(), { momentum: 0.9 })) })
  expect(lossOf(other)).toBeLessThan(0.4)
})

test('a signal ends the search, and everything is as before', async () => {
  const model = net()
  const before = weightsOf(model)
  const optimizer = new Adam(model.parameters(), { learningRate: 0.5 })
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(fitAuto(model, { ...data, optimizer, signal })).rejects.toThrow('enough')
  expect(weightsOf(model)).toEqual(before)
  expect([optimizer.learningRate, optimizer.stepCount]).toEqual([0.5, 0])
})

test.each<[object, string]>([
  [{ schedule: () => 0.1 }, 'fitAuto: schedule is chosen by fitAuto; leave it out, or use fit'],
  [{ resume: { restore: () => {} } }, 'fitAuto: resume is an option of fit; give it the schedule that fitAuto found'],
  [{ callbacks: [new Checkpoint('x.safetensors')] }, 'fitAuto: callbacks: Checkpoint saves a training, and there are several here'],
  [{ learningRate: 'auto' }, 'fitAuto: learningRate is chosen by fitAuto; leave it out, or use fit'],
  [{ batchSize: 'Auto' }, "fitAuto: batchSize wants a whole number ≥ 1 or 'full', got 'Auto'"],
  [{ batchSize: 0 }, 'fitAuto: batchSize wants'],
  [{ epochs: 0 }, 'fitAuto: epochs wants a whole number ≥ 1, got 0'],
  [{ optimizer: undefined }, 'fitAuto: optimizer wants an Optimizer'],
])('what fitAuto chooses itself, or cannot have: case %#', async (wrong, message) => {
  const model = net()
  await expect(fitAuto(model, { ...data, optimizer: new Adam(model.parameters()), ...wrong })).rejects.toThrow(message)
})

test('an optimizer that searches by itself, no options and no model are refused', async () => {
  const model = net()
  await expect(fitAuto(model, { ...data, optimizer: new LBFGS(model.parameters()) as never })).rejects.toThrow(
    'fitAuto: LBFGS finds its steps itself; use fit',
  )
  await expect(fitAuto(model, undefined as never)).rejects.toThrow('fitAuto: wants options as an object')
  await expect(fitAuto(undefined as never, { ...data, optimizer: new Adam(model.parameters()) })).rejects.toThrow(
    'fitAuto: wants a model, such as a Sequential, got undefined',
  )
})

// a net that separates 17 validation rows has the less loss the larger its logits are, so that a rate of 40 wins among them by chance
test('few validation rows choose no rate that is far too high', async () => {
  const seed = 13
  const { train: all, test: later } = standardize(trainTestSplit(moons({ count: 150, noise: 0.3, seed }), { seed }))
  const model = new Sequential([new Dense(2, 16, { activation: 'relu' }), new Dense(16, 2)], { seed, backend })
  const given = { ...all, loss: crossEntropy, optimizer: new Adam(model.parameters()), epochs: 30, batchSize: 16, validationFraction: 0.15 }
  await fitAuto(model, given)
  expect(evaluateModel(model, { ...later, loss: crossEntropy }).loss).toBeLessThan(3)
})

test('validation rows of weight 0 change nothing but the scale of the loss', async () => {
  const chosen = async (rows: readonly number[], weights: readonly number[]) => {
    const model = net()
    const inputs = rows.map((row) => [0, 1].map((column) => held.inputs[2 * row + column]))
    const targets = Int32Array.from(rows, (row) => held.targets[row])
    const validation = { inputs: tensor(inputs, { backend }), targets, weights }
    const history = await fitAuto(model, { ...data, validation, optimizer: new Adam(model.parameters()) })
    return [history.learningRate, ...history.trials.map(({ loss }) => loss * weights.length)]
  }
  const rows = [0, 1, 2, 3, 4]
  const ones = rows.map(() => 1)
  const plain = await chosen(rows, ones)
  const weighted = await chosen([8, 9, ...rows, 7], [0, 0, ...ones, 0])
  expect(weighted.length).toBe(plain.length)
  weighted.forEach((value, i) => expect(value).toBeCloseTo(plain[i], 4))
})

test('a choice by the training loss is warned of, unless it is wanted', async () => {
  // a warning comes once, and tests before this one had it
  vi.resetModules()
  const own = await import('../../ts/index.js')
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  for (const more of [{ verbose: false }, { validationFraction: 0.2 }, {}]) {
    expect(warn).not.toHaveBeenCalled()
    const model = new own.Sequential([new own.Dense(1, 1)], { seed: 1, backend: own.createBackend({ backend: 'js' }) })
    await own.fitAuto(model, { ...line, loss: own.mse, ...more, epochs: 1, optimizer: new own.Adam(model.parameters()) })
  }
  expect(warn.mock.calls.flat()).toEqual([
    expect.stringMatching(/fitAuto: without validation rows.*validationFraction: 0\.2, or verbose: false/),
  ])
  warn.mockRestore()
})
