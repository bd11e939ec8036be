/** fitMany from the user's side: progress, signals, callbacks and data of each net, memory that stays flat, ten thousand nets. */
import { describe, expect, test } from 'vitest'
import { supportedVariants } from '../../../ts/debug/index.js'
import {
  Adam,
  createBackend,
  Dense,
  EarlyStopping,
  type FitManyProgress,
  fit,
  fitMany,
  mse,
  type Optimizer,
  type Parameter,
  ReduceOnPlateau,
  Sequential,
  schedules,
  type Tensor,
} from '../../../ts/index.js'
import { OPTIMIZERS } from '../../../ts/optim/index.js'
import { byClock } from '../../tools/clocks.js'
import { cases } from '../../tools/nightly.js'

const [variant] = supportedVariants()
const backend = createBackend(variant ? { variant } : { backend: 'js' })
const inputs = Array.from({ length: 40 }, (_, i) => [i / 40, 1 - (i % 7) / 7])
const targets = inputs.map(([a, b]) => [a * b])
const data = { inputs, targets, loss: mse, batchSize: 8 }
const nets = (n: number) =>
  Array.from({ length: n }, (_, seed) => new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, 1)], { seed, backend }))
const adams = (models: Sequential[]) => models.map((model) => new Adam(model.parameters(), { learningRate: 0.01 }))

test('progress is told, and ends with all nets over', async () => {
  const seen: FitManyProgress[] = []
  const models = nets(9)
  await fitMany(models, { ...data, optimizers: adams(models), epochs: 3, onProgress: (progress) => void seen.push(progress) })
  const { finished, nets: all, steps, totalSteps, netStepsPerSecond, secondsLeft } = seen.at(-1) as FitManyProgress
  expect([finished, all, steps, totalSteps, secondsLeft]).toEqual([9, 9, 135, 135, 0])
  expect(netStepsPerSecond).toBeGreaterThan(0)
})

test('progress is told while a net is trained that goes alone, and an error in it ends all', async () => {
  const seen: number[] = []
  const train = (onProgress: (progress: FitManyProgress) => void) => {
    const models = nets(2)
    // nets with a user-defined loss do not run in a fleet
    const options = { ...data, loss: (p: Tensor, t: Tensor) => mse(p, t), optimizers: adams(models), epochs: 5, onProgress }
    return byClock('runs ahead', 0, () => fitMany(models, options))
  }
  await train(({ steps }) => void seen.push(steps))
  expect(seen.length).toBeGreaterThan(8)
  expect(seen.filter((steps) => steps > 0 && steps < 25).length).toBeGreaterThan(3)
  expect(seen.at(-1)).toBe(50)
  const thrown = train(({ steps }) => {
    if (steps > 3) throw new Error('enough')
  })
  await expect(thrown).rejects.toThrow('enough')
})

test('a signal ends all, with what there is', async () => {
  const models = nets(9)
  const controller = new AbortController()
  const training = fitMany(models, { ...data, optimizers: adams(models), epochs: 10_000_000, signal: controller.signal })
  setTimeout(() => controller.abort(), 50)
  const histories = await training
  for (const { stopReason } of histories) expect(stopReason).toBe('aborted')
  // the ninth may not have had its turn yet
  expect(histories[0].steps).toBeGreaterThan(0)
  await fit(models[0], { ...data, optimizer: adams(models)[0] }) // the models are free again
})

test('validationFraction, schedules and validation of each net are those of fit', async () => {
  const schedule = (net: number) => schedules.cosine(0.01 * (net + 1), { steps: 20 })
  const own = (net: number) => ({ inputs: inputs.slice(net, net + 10), targets: targets.slice(net, net + 10) })
  const models = nets(3)
  const histories = await fitMany(models, {
    ...data,
    optimizers: adams(models),
    epochs: 4,
    schedule: models.map((_, net) => (net === 1 ? undefined : schedule(net))),
    validation: models.map((_, net) => own(net)),
  })
  const split = nets(3)
  const halves = await fitMany(split, { ...data, optimizers: adams(split), epochs: 4, validationFraction: 0.5 })
  for (const [net, model] of nets(3).entries()) {
    const [optimizer] = adams([model])
    const wanted = await fit(model, {
      ...data,
      optimizer,
      epochs: 4,
      validation: own(net),
      ...(net === 1 ? {} : { schedule: schedule(net) }),
    })
    expect(histories[net].epochs.map(({ validation }) => validation)).toEqual(wanted.epochs.map(({ validation }) => validation))
    expect(models[net].state()).toEqual(model.state())
    const half = nets(3)[net]
    const { epochs } = await fit(half, { ...data, optimizer: adams([half])[0], epochs: 4, validationFraction: 0.5 })
    expect(halves[net].epochs.map(({ validation }) => validation)).toEqual(epochs.map(({ validation }) => validation))
  }
})

describe('callbacks', () => {
  const shared = (make: (optimizers: Adam[]) => object) => {
    const models = nets(2)
    const optimizers = adams(models)
    const callback = make(optimizers)
    return fitMany(models, { ...data, optimizers, callbacks: () => [callback as never], validation: { inputs, targets } })
  }

  test('that remember may not be those of two nets', async () => {
    await expect(shared(() => new EarlyStopping())).rejects.toThrow(
      'fitMany: callbacks wants an EarlyStopping for each net, got that of net 0 again for net 1; make it inside the function',
    )
    await expect(shared(([optimizer]) => new ReduceOnPlateau(optimizer))).rejects.toThrow('wants a ReduceOnPlateau for each net')
  })

  test('that do not remember may be', async () => {
    let epochs = 0
    await shared(() => ({ onEpochEnd: () => void epochs++ }))
    expect(epochs).toBe(2)
  })
})

test('memory is flat over 50 calls', async () => {
  const models = nets(20)
  const used: number[] = []
  for (let i = 0; i < 50; i++) {
    await fitMany(models, { ...data, optimizers: adams(models), epochs: 2 })
    used.push(backend.heap.floats.byteLength)
  }
  expect(used[49]).toBe(used[10])
})

test(`${cases(10_000)} nets at once`, async () => {
  const models = nets(cases(10_000))
  const histories = await fitMany(models, { ...data, optimizers: adams(models), epochs: 1 })
  expect(histories.every(({ steps, error }) => steps === 5 && error === undefined)).toBe(true)
  if (backend.name === 'wasm') expect(histories.every(({ execution }) => execution.fleet === 5)).toBe(true)
  const [alone] = nets(1)
  await fit(alone, { ...data, optimizer: adams([alone])[0], epochs: 1 })
  expect(models[0].state()).toEqual(alone.state())
})

test.each(Object.entries(OPTIMIZERS))('%s does to each net what it does to one alone', async (_, Class) => {
  const Any = Class as unknown as new (parameters: Parameter[]) => Optimizer
  const models = nets(3)
  const optimizers = models.map((model) => new Any(model.parameters()))
  await fitMany(models, { ...data, optimizers, epochs: 4 })
  await fitMany(models, { ...data, optimizers, epochs: 4 }) // goes on with their states
  for (const [net, alone] of nets(3).entries()) {
    const optimizer = new Any(alone.parameters())
    for (let i = 0; i < 2; i++) await fit(alone, { ...data, optimizer, epochs: 4 })
    expect(models[net].state()).toEqual(alone.state())
    expect(JSON.stringify(optimizers[net].state())).toBe(JSON.stringify(optimizer.state()))
  }
})

test('names of options that users of fit type', async () => {
  const models = nets(2)
  await expect(fitMany(models, { ...data, optimizer: adams(models)[0] } as never)).rejects.toThrow(
    "there is no option 'optimizer'; did you mean optimizers?",
  )
})
