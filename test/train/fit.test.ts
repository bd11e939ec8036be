/** fit and its parts: order of rows, validation, callbacks, stopping, progress, and turns for other tasks. */
import { describe, expect, test, vi } from 'vitest'
import {
  Activation,
  Adam,
  binaryCrossEntropy,
  crossEntropy,
  Dense,
  Dropout,
  EarlyStopping,
  evaluateModel,
  type FitOptions,
  fit,
  Generator,
  type Loss,
  Module,
  mse,
  type Progress,
  reshape,
  Sequential,
  SGD,
  TargetLoss,
  type Tensor,
  tensor,
  trainSteps,
} from '../../ts/index.js'
import { newEngines } from '../tools/small-nets.js'

const backends = newEngines()

/** Three noisy clusters in the plane. */
function clusters(n: number, seed: number) {
  const u = new Generator(seed).uniforms(2 * n)
  const targets = Int32Array.from({ length: n }, (_, i) => i % 3)
  const inputs = Array.from({ length: n }, (_, i) => [
    Math.cos(2 * targets[i]) + 0.6 * u[2 * i],
    Math.sin(2 * targets[i]) + 0.6 * u[2 * i + 1],
  ])
  return { inputs, targets }
}

describe.each(backends)('$variant', (backend) => {
  const net = (seed = 1) =>
    new Sequential([new Dense(2, 16, { activation: 'relu' }), new Dropout(0.1), new Dense(16, 3)], { seed, backend })
  const run = async (more: Partial<FitOptions> = {}, seed = 1) => {
    const model = net(seed)
    const optimizer = new Adam(model.parameters(), { learningRate: 0.02 })
    const history = await fit(model, { ...clusters(120, 3), loss: crossEntropy, optimizer, epochs: 5, batchSize: 16, ...more })
    return { model, history }
  }

  test('learns, and the history tells how', async () => {
    const { model, history } = await run({ epochs: 20, metrics: ['accuracy'], validation: clusters(60, 4) })
    expect(history.epochs.length).toBe(20)
    expect(history.steps).toBe(20 * Math.ceil(120 / 16))
    const last = history.epochs[19]
    expect(last.loss).toBeLessThan(history.epochs[0].loss / 2)
    expect(last.validation?.accuracy).toBeGreaterThan(0.95)
    const { loss, accuracy } = evaluateModel(model, { ...clusters(60, 4), loss: crossEntropy, metrics: ['accuracy'] })
    expect(loss).toBeCloseTo(last.validation?.loss ?? Number.NaN, 6)
    expect(accuracy).toBe(last.validation?.accuracy)
  })

  test('same seed, same bits; another seed, another run', async () => {
    const [a, b, c, d] = [await run({ seed: 7 }), await run({ seed: 7 }), await run({ seed: 8 }), await run({ seed: 7 }, 2)]
    expect(a.model.state()).toEqual(b.model.state())
    expect(a.history.epochs.map((e) => e.loss)).toEqual(b.history.epochs.map((e) => e.loss))
    expect(a.model.state()).not.toEqual(c.model.state())
    expect(a.model.state()).not.toEqual(d.model.state())
  })

  test('every row once per epoch, in a new order each time, inputs beside their targets', async () => {
    const model = new Sequential([new Dense(1, 1)], { backend })
    const inputs = Array.from({ length: 10 }, (_, i) => [i])
    const targets = Array.from({ length: 10 }, (_, i) => [2 * i])
    const orders: number[][] = []
    const optimizer = new SGD(model.parameters(), { learningRate: 0 })
    for await (const { targets: t, epoch } of trainSteps(model, { inputs, targets, loss: mse, optimizer, epochs: 3, batchSize: 4 })) {
      orders[epoch - 1] = [...(orders[epoch - 1] ?? []), ...t.data()]
    }
    for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual(targets.flat())
    expect(orders[0]).not.toEqual(orders[1])
    expect(orders[1]).not.toEqual(orders[2])
  })

  test('batch, stochastic and mini-batch gradient descent are one class with different batches', async () => {
    const sizes = { full: 1, 1: 12, 5: 3 }
    for (const [batchSize, steps] of Object.entries(sizes)) {
      const size = batchSize === 'full' ? 'full' : Number(batchSize)
      const { history } = await run({ ...clusters(12, 1), epochs: 1, batchSize: size as number | 'full' })
      expect(history.steps).toBe(steps)
    }
    expect((await run({ ...clusters(12, 1), epochs: 1, batchSize: 5, dropLast: true })).history.steps).toBe(2)
  })

  test('a full batch is the mean gradient over all rows: one step equals one by hand', async () => {
    const data = clusters(12, 1)
    const model = new Sequential([new Dense(2, 3)], { seed: 4, backend })
    const twin = new Sequential([new Dense(2, 3)], { seed: 4, backend })
    await fit(model, {
      ...data,
      loss: crossEntropy,
      optimizer: new SGD(model.parameters(), { learningRate: 0.5 }),
      batchSize: 'full',
      shuffle: false,
    })
    const optimizer = new SGD(twin.parameters(), { learningRate: 0.5 })
    crossEntropy(twin.forward(data.inputs), tensor(data.targets, { backend })).backward()
    optimizer.step()
    expect(model.state()).toEqual(twin.state())
  })

  test('the schedule sets the learning rate of each step', async () => {
    const { history } = await run({ epochs: 2, schedule: (step) => 0.1 / (1 + step) })
    expect(history.epochs.map((e) => e.learningRate)).toEqual([0.1 / 8, 0.1 / 16])
  })

  test('a schedule keeps the proportions between the rates of groups', async () => {
    const model = net()
    const [first, , last] = model.layers
    const groups = [{ parameters: last.parameters() }, { parameters: first.parameters(), learningRate: 0.002 }]
    const optimizer = new Adam(groups, { learningRate: 0.02 })
    await fit(model, { ...clusters(32, 3), loss: crossEntropy, optimizer, epochs: 3, schedule: (step) => 0.1 / (1 + step) })
    const [fast, slow] = optimizer.groups.map(({ options }) => options.learningRate)
    expect([fast, slow / fast]).toEqual([0.1 / 3, expect.closeTo(0.1, 12)])
    // no rate has a proportion to 0; without a schedule such a group just stays
    const still = new SGD([{ parameters: first.parameters(), learningRate: 0 }, { parameters: last.parameters() }], { learningRate: 0.1 })
    const options = { ...clusters(32, 3), loss: crossEntropy, optimizer: still }
    await expect(fit(model, { ...options, schedule: () => 0.1 })).rejects.toThrow(
      /^fit: schedule sets the rate of the first group, which is 0/,
    )
    const before = [...first.weight.data()]
    await fit(model, options)
    expect([...first.weight.data()]).toEqual(before)
  })

  test('gradients that the optimizer does not ask for are not added up: a second fit begins as the first', async () => {
    const make = () => {
      const model = new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, 3)], { seed: 1, backend })
      return { model, head: new Adam(model.layers[1].parameters(), { learningRate: 0.02 }) }
    }
    const options = { ...clusters(120, 3), loss: crossEntropy, epochs: 3, batchSize: 16 }
    const both = async (freeze: boolean) => {
      const { model, head } = make()
      for (const p of model.layers[0].parameters()) p.requiresGrad = !freeze
      await fit(model, { ...options, optimizer: head })
      for (const p of model.layers[0].parameters()) p.requiresGrad = true
      await fit(model, { ...options, optimizer: new SGD(model.parameters(), { learningRate: 0.1 }) })
      return model.state()
    }
    expect(await both(false)).toEqual(await both(true))
  })

  test('they are there for an optimizer of their own until the next step, in a callback and in a loop', async () => {
    const make = () => {
      const model = new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, 3)], { seed: 1, backend })
      const [body, head] = model.layers.map((layer) => new SGD(layer.parameters(), { learningRate: 0.1 }))
      return { model, body, head }
    }
    const options = { ...clusters(48, 3), loss: crossEntropy, batchSize: 16 }
    const whole = make()
    await fit(whole.model, { ...options, optimizer: new SGD(whole.model.parameters(), { learningRate: 0.1 }) })
    const two = make()
    await fit(two.model, { ...options, optimizer: two.body, callbacks: [{ onBatchEnd: () => two.head.step() }] })
    expect(two.model.state()).toEqual(whole.model.state())
    const loop = make()
    for await (const _ of trainSteps(loop.model, { ...options, optimizer: loop.body })) loop.head.step()
    expect(loop.model.state()).toEqual(whole.model.state())
  })

  test('a schedule that went down to 0 leaves the proportions of groups to the next one', async () => {
    const model = net()
    const [first, , last] = model.layers
    const groups = [{ parameters: last.parameters() }, { parameters: first.parameters(), learningRate: 0.01 }]
    const optimizer = new Adam(groups, { learningRate: 0.1 })
    const options = { ...clusters(32, 3), loss: crossEntropy, optimizer }
    await fit(model, { ...options, schedule: () => 0 })
    await fit(model, { ...options, schedule: () => 0.5 })
    expect(optimizer.groups.map(({ options: { learningRate } }) => learningRate)).toEqual([0.5, expect.closeTo(0.05, 12)])
  })

  test('models with several outputs a row, and such as take no single row, train on classes', async () => {
    class Letters extends Module {
      inner = new Dense(2, 3)
      forward(x: Tensor): Tensor {
        return this.inner.forward(reshape(x, [-1, 2]))
      }
    }
    const letters = new Letters({ seed: 1, backend })
    const inputs = Array.from({ length: 8 }, (_, i) => [i, 1, -i, 0.5])
    const targets = Array.from({ length: 8 }, (_, i) => Int32Array.of(i % 3, 2))
    const optimizer = new SGD(letters.parameters(), { learningRate: 0.01 })
    const { epochs } = await fit(letters, { inputs, targets: tensor(targets, { backend }), loss: crossEntropy, optimizer, batchSize: 4 })
    expect(epochs[0].loss).toBeGreaterThan(0)
    class Pairs extends Letters {
      override forward(x: Tensor): Tensor {
        if (x.shape[0] < 2) throw new Error('wants two rows')
        return super.forward(x)
      }
    }
    const pairs = new Pairs({ seed: 1, backend })
    await fit(pairs, {
      inputs,
      targets: tensor(targets, { backend }),
      loss: crossEntropy,
      optimizer: new SGD(pairs.parameters(), { learningRate: 0.01 }),
      batchSize: 4,
    })
    expect(pairs.state()).toEqual(letters.state())
  })

  test('metrics are computed once a batch for all callbacks, of the rows up to there, and not for callbacks that do not ask', async () => {
    const seen: number[] = []
    const rows = (prediction: Tensor) => {
      seen.push(prediction.shape[0])
      return prediction.shape[0]
    }
    const reports: Progress[] = []
    const deaf = { onBatchEnd: (_: Progress) => {} }
    await run({ epochs: 1, batchSize: 40, metrics: { rows }, callbacks: [deaf, deaf] })
    expect(seen).toEqual([120])
    seen.length = 0
    const twice = { onBatchEnd: (progress: Progress) => void [progress.metrics.rows, progress.metrics.rows, reports.push(progress)] }
    await run({ epochs: 1, batchSize: 40, metrics: { rows }, callbacks: [twice, twice] })
    expect(seen).toEqual([40, 80, 120])
    expect(reports.map(({ metrics }) => metrics.rows)).toEqual([40, 40, 80, 80, 120, 120])
    const late: Progress[] = []
    await run({
      epochs: 1,
      batchSize: 40,
      metrics: { rows },
      callbacks: [{ onBatchEnd: (progress: Progress) => void late.push(progress) }],
    })
    expect(late.map(({ metrics }) => metrics.rows)).toEqual([40, 80, 120])
  })

  test('the root mean squared error of an epoch is that of all its rows', async () => {
    const model = new Sequential([new Dense(1, 1)], { seed: 1, backend })
    const data = { inputs: [[0], [1], [2], [3]], targets: [[3], [-2], [7], [0]] }
    const optimizer = new SGD(model.parameters(), { learningRate: 1e-12 })
    const options = { ...data, loss: mse, optimizer, batchSize: 3, metrics: ['rootMeanSquaredError'] as const, validation: data }
    const { epochs } = await fit(model, options)
    expect(epochs[0].metrics.rootMeanSquaredError).toBeCloseTo(Math.sqrt(evaluateModel(model, { ...data, loss: mse }).loss), 5)
    expect(epochs[0].validation?.rootMeanSquaredError).toBeCloseTo(epochs[0].metrics.rootMeanSquaredError, 5)
  })

  test('early stopping asks for the direction of values that it does not know', () => {
    expect(() => new EarlyStopping({ monitor: 'mine' })).toThrow(
      "EarlyStopping: say whether more of 'mine' is better, mode: 'max', or less",
    )
    for (const monitor of ['loss', 'valLoss', 'validation.loss', 'validation.accuracy', 'balancedAccuracy', 'meanAbsoluteError'])
      new EarlyStopping({ monitor })
    new EarlyStopping({ monitor: 'r2', mode: 'max' })
  })

  test('a bad label in the validation data is found before the first step', async () => {
    const good = clusters(90, 2)
    const bad = clusters(30, 3)
    bad.targets[7] = 3
    const model = net()
    const before = model.state()
    const optimizer = new Adam(model.parameters())
    const options = { ...good, loss: crossEntropy, optimizer, validation: bad }
    await expect(fit(model, options)).rejects.toThrow(/fit: validation.*label/)
    expect(optimizer.stepCount).toBe(0)
    expect(model.state()).toEqual(before)
  })

  test('validationFraction takes rows of each class at random, the same for the same seed, and never trains on them', async () => {
    const { inputs } = clusters(90, 5)
    const targets = Int32Array.from({ length: 90 }, (_, i) => Math.floor(i / 30))
    const judged = async (options: object) => {
      const seen: number[][] = []
      const note = (_: Tensor, t: Tensor) => seen.push([...t.read()])
      await run({ inputs, targets, validationFraction: 0.2, epochs: 1, batchSize: 'full', metrics: { note }, ...options })
      return seen.find(({ length }) => length === 18) ?? []
    }
    const rows = await judged({ seed: 1 })
    expect([0, 1, 2].map((c) => rows.filter((t) => t === c).length)).toEqual([6, 6, 6])
    expect(await judged({ seed: 1 })).toEqual(rows)
  })

  test('validationFraction without shuffle takes the last rows, and never trains on them', async () => {
    const data = clusters(100, 5)
    const poisoned = { inputs: data.inputs, targets: data.targets.map((t, i) => (i < 80 ? t : (t + 1) % 3)) }
    const { history } = await run({ ...poisoned, validationFraction: 0.2, shuffle: false, epochs: 15, metrics: ['accuracy'] })
    expect(history.epochs.at(-1)?.validation?.accuracy).toBeLessThan(0.2)
    expect(history.epochs.at(-1)?.metrics.accuracy).toBeGreaterThan(0.9)
    expect(history.steps).toBe(15 * 5)
  })

  test('sample weights: rows of weight 0 have no influence', async () => {
    const data = clusters(60, 6)
    const wrong = { inputs: data.inputs, targets: data.targets.map((t, i) => (i % 2 ? t : (t + 1) % 3)) }
    const { model } = await run({ ...wrong, weights: wrong.inputs.map((_, i) => i % 2), epochs: 30 })
    expect(evaluateModel(model, { ...clusters(60, 9), loss: crossEntropy, metrics: ['accuracy'] }).accuracy).toBeGreaterThan(0.9)
  })

  test('early stopping ends in time and puts the best weights back', async () => {
    const stopper = new EarlyStopping({ patience: 2 })
    const { model, history } = await run({ epochs: 200, validationFraction: 0.3, shuffle: false, callbacks: [stopper] })
    expect(history.epochs.length).toBeLessThan(200)
    expect(history.epochs.length).toBe(stopper.bestEpoch + 2)
    expect(history.stopReason).toMatch(/validation\.loss has not improved on .* \(epoch \d+\) for 2 epochs/)
    const data = clusters(120, 3)
    const held = { inputs: data.inputs.slice(84), targets: data.targets.slice(84) }
    expect(evaluateModel(model, { ...held, loss: crossEntropy }).loss).toBeCloseTo(stopper.bestValue, 5)
  })

  test('a target loss ends training', async () => {
    const { history } = await run({ epochs: 100, callbacks: [new TargetLoss({ target: 0.5 })] })
    expect(history.epochs.length).toBeLessThan(100)
    expect(history.epochs.at(-1)?.loss).toBeLessThanOrEqual(0.5)
  })

  test('an AbortSignal stops after the running batch and keeps what was learnt', async () => {
    const controller = new AbortController()
    const { history } = await run({
      epochs: 100,
      signal: controller.signal,
      callbacks: [{ onBatchEnd: ({ step }) => step === 11 && controller.abort() }] as FitOptions['callbacks'],
    })
    expect(history).toMatchObject({ steps: 11, stopReason: 'aborted' })
    expect((await run({ signal: AbortSignal.abort() })).history).toMatchObject({ steps: 0, stopReason: 'aborted' })
  })

  test('other tasks get their turn', async () => {
    const enough = new AbortController()
    let turns = 0
    const timer = setInterval(() => ++turns > 3 && enough.abort(), 1)
    const { history } = await run({ epochs: 1e6, yieldEvery: 4, signal: enough.signal })
    clearInterval(timer)
    expect(turns).toBeGreaterThan(3)
    expect(history.stopReason).toBe('aborted')
  })

  test('progress: epochs and batches count from 1, time left falls to 0', async () => {
    const seen: { epoch: number; batch: number; secondsLeft: number; samplesPerSecond: number }[] = []
    await run({ callbacks: [{ onBatchEnd: (p) => void seen.push({ ...p }) }] })
    expect(seen.length).toBe(5 * 8)
    expect(seen[0]).toMatchObject({ epoch: 1, batch: 1 })
    expect(seen.at(-1)).toMatchObject({ epoch: 5, batch: 8, secondsLeft: 0 })
    expect(seen.every((p) => p.samplesPerSecond > 0)).toBe(true)
  })

  test('dropout is on while training and off otherwise', async () => {
    const { model } = await run({ epochs: 1 })
    const x = clusters(5, 1).inputs
    expect(model.predict(x).toArray()).toEqual(model.predict(x).toArray())
    model.train()
    expect(model.forward(x).toArray()).not.toEqual(model.forward(x).toArray())
    expect(model.evaluate().forward(x).toArray()).toEqual(model.predict(x).toArray())
  })

  test('zero epochs do nothing', async () => {
    const { model, history } = await run({ epochs: 0 })
    expect(history).toMatchObject({ steps: 0, epochs: [], stopReason: 'completed' })
    expect(model.state()).toEqual(net().state())
  })
})

test('a class that is on one side only is told', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const model = new Sequential([new Dense(1, 3)])
  const targets = Int32Array.of(0, 0, 0, 1, 1, 1, 2, 2, 2)
  const data = { inputs: Array.from(targets, (t) => [t]), targets, loss: crossEntropy, optimizer: new SGD(model.parameters()) }
  await fit(model, { ...data, validationFraction: 1 / 3, shuffle: false })
  await fit(model, { ...data, validationFraction: 1 / 3 })
  expect(warn.mock.calls).toEqual([['gradus: fit: validationFraction: no row of class 2 is left to train on']])
  warn.mockRestore()
})

test('a sigmoid before a loss of logits is told once', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const models = [
    new Sequential([new Dense(1, 1, { activation: 'sigmoid' })]),
    new Sequential([new Dense(1, 1), new Activation('sigmoid')]),
    new Sequential([new Sequential([new Dense(1, 1, { activation: 'sigmoid' })])]),
    new Sequential([new Dense(1, 4, { activation: 'sigmoid' }), new Dense(4, 1)]),
  ]
  const by = async (loss: Loss) => {
    for (const model of models) await fit(model, { inputs: [[1], [2]], targets: [[0], [1]], loss, optimizer: new SGD(model.parameters()) })
  }
  await by(mse)
  expect(warn).not.toHaveBeenCalled()
  await by(binaryCrossEntropy)
  const text = 'gradus: fit: binaryCrossEntropy takes logits, but the last layer has a sigmoid: leave it out, and apply it to predictions'
  expect(warn.mock.calls).toEqual([[text]])
  warn.mockRestore()
})

describe('what other functions make data of is told', () => {
  const model = new Sequential([new Dense(2, 2)])
  const rest = { loss: crossEntropy, optimizer: new SGD(model.parameters()) }

  test('texts and booleans as targets, objects as inputs', async () => {
    for (const targets of [
      ['a', 'b'],
      [true, false],
    ])
      await expect(
        fit(model, {
          ...rest,
          inputs: [
            [1, 2],
            [3, 4],
          ],
          targets: targets as never,
        }),
      ).rejects.toThrow(
        `fit: targets want numbers, got ${typeof targets[0] === 'string' ? "'a'" : 'true'}; fromArrays(inputs, targets) of gradus/data makes classes of them`,
      )
    await expect(fit(model, { ...rest, inputs: [{ x: 1 }] as never, targets: [0] })).rejects.toThrow(
      'fit: inputs want numbers, got an object with x; fromTable(rows, { target }) of gradus/data makes them of such rows',
    )
  })

  test('flat targets beside flat inputs are rows: those of an autoencoder need no shape of their own', async () => {
    const inputs = Float32Array.of(1, 2, 3, 4, 5, 6)
    const data = {
      inputs,
      shape: [3, 2] as [number, number],
      targets: inputs,
      loss: mse,
      optimizer: new SGD(model.parameters(), { learningRate: 1e-3 }),
    }
    const { epochs } = await fit(model, { ...data, epochs: 2 })
    expect(epochs[1].loss).toBeLessThan(epochs[0].loss)
    const one = fit(model, { ...data, targets: Float32Array.of(1, 2, 3, 4) })
    await expect(one).rejects.toThrow('3 rows of inputs but 4 of targets')
  })
})

test('a batch size above the data is the data', async () => {
  const inputs = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
  const targets = inputs.map(([a, b]) => [a - 2 * b])
  const model = new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, 1)], { seed: 3 })
  const { steps } = await fit(model, { inputs, targets, loss: mse, optimizer: new Adam(model.parameters()), epochs: 2, batchSize: 1000 })
  expect(steps).toBe(2)
})
