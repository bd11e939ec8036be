/** A callback that changes a net in a fleet has the same effect as on the net alone: the net leaves its fleet and continues. */
import { describe, expect, test } from 'vitest'
import {
  Adam,
  BatchNorm,
  type Callback,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  fit,
  fitMany,
  type Module,
  mse,
  mul,
  type Optimizer,
  Parameter,
  Sequential,
} from '../../../ts/index.js'

const backend = createBackend({ variant: 'simd' })
const inputs = Array.from({ length: 13 }, (_, i) => [i / 6 - 1, Math.sin(i)])
const targets = inputs.map(([a, b]) => [a * b])
const common = { inputs, targets, loss: mse, epochs: 5, batchSize: 4 }

type Layers = { modules(): Module[]; parameters(): Parameter[] }
const firstDense = (model: Layers) => model.modules().find((layer): layer is Dense => layer instanceof Dense) as Dense
const patch = (module: Module) => {
  const forward = module.forward as (x: never) => never
  module.forward = (x) => mul(forward.call(module, x as never), 0.5)
}

const CHANGES: Record<string, (model: Module, optimizer: Optimizer) => void> = {
  'another activation': (model) => void ((firstDense(model) as { activation: string }).activation = 'relu'),
  'the forward method of a layer': (model) => patch(firstDense(model)),
  'the forward method of the model': (model) => patch(model),
  'no bias any more': (model) => void ((firstDense(model) as { bias: unknown }).bias = null),
  'another weight': (model) => {
    const layer = firstDense(model)
    const values = layer.weight.data().map((value) => 2 * value)
    ;(layer as { weight: Parameter }).weight = new Parameter(values, { shape: layer.weight.shape, backend } as never)
  },
  'a frozen parameter': (model) => void (model.parameters()[0].requiresGrad = false),
  'numbers of a parameter': (model) => void (model.parameters()[0].view()[0] = 0.25),
  'a learning rate': (_, optimizer) => void (optimizer.learningRate /= 2),
  'a gradient': (model) => void (model.parameters()[0].grad = new Float32Array(model.parameters()[0].size).fill(0.5)),
  'an error': () => {
    throw new Error('such a callback')
  },
}

describe.each(Object.keys(CHANGES))('fault 34: in a fleet, as alone: %s', (name) => {
  test.each([
    ['one net', [1], 0],
    ['the first net', [0], 0.4],
    ['all nets', [0, 1, 2], 0],
  ])('%s', async (_, which, rate) => {
    const make = (net: number) => {
      const layers = [new Dense(2, 6, { activation: 'tanh' }), new Dropout(rate), new Dense(6, 1)] as const
      const model = new Sequential(layers, { seed: net + 1, backend }) as unknown as Module
      const optimizer = new Adam(model.parameters(), { learningRate: 0.02 })
      const change: Callback = {
        onEpochEnd: ({ epoch }) => {
          if (epoch === 2 && which.includes(net)) CHANGES[name](model, optimizer)
        },
      }
      return { model, optimizer, callbacks: [change] }
    }
    const nets = [0, 1, 2].map(make)
    const histories = await fitMany(
      nets.map(({ model }) => model),
      { ...common, optimizers: nets.map(({ optimizer }) => optimizer), callbacks: (net) => nets[net].callbacks },
    )
    const bits = (model: Module) => model.parameters().map((p) => [...p.data()])
    for (const [net, { model, optimizer }] of nets.entries()) {
      const alone = make(net)
      const outcome = await fit(alone.model, { ...common, optimizer: alone.optimizer, callbacks: alone.callbacks }).then(
        (history) => ({ losses: history.epochs.map(({ loss }) => loss) }),
        (error: Error) => ({ error: error.message }),
      )
      const { error, epochs, execution } = histories[net]
      expect(error ? { error: error.message } : { losses: epochs.map(({ loss }) => loss) }, `net ${net}`).toEqual(outcome)
      expect(bits(model), `net ${net}`).toEqual(bits(alone.model))
      expect(JSON.stringify(optimizer.state())).toBe(JSON.stringify(alone.optimizer.state()))
      expect(execution.fleet).toBeGreaterThan(0)
    }
  })
})

test('running statistics of BatchNorm, also of the net whose step was tried for a fleet', async () => {
  const make = (net: number) => new Sequential([new Dense(2, 6), new BatchNorm(6), new Dense(6, 1)], { seed: net + 1, backend })
  const together = [0, 1, 2].map(make)
  await fitMany(together, { ...common, batchSize: 5, optimizers: together.map((model) => new Adam(model.parameters())) })
  for (const net of [0, 1, 2]) {
    const model = make(net)
    await fit(model, { ...common, batchSize: 5, optimizer: new Adam(model.parameters()) })
    expect(together[net].state(), `net ${net}`).toEqual(model.state())
  }
})

describe('fault 26: labels that a callback puts out of range, in a fleet', () => {
  const labels = () => Int32Array.from(inputs, (_, i) => i % 3)
  const make = (net: number) => {
    const model = new Sequential([new Dense(2, 4, { activation: 'tanh' }), new Dense(4, 3)], { seed: net + 1, backend })
    return { model, optimizer: new Adam(model.parameters()), data: { inputs, targets: labels() } }
  }
  const options = { loss: crossEntropy, epochs: 5, batchSize: 4 }
  const message = 'fit: targets, row 3: crossEntropy: label: wants whole numbers from 0 to 2, got 99'
  const bitsAfter = async (epochs: number, net: number) => {
    const { model, optimizer, data } = make(net)
    await fit(model, { ...options, ...data, optimizer, epochs })
    return model.parameters().map((p) => [...p.data()])
  }

  test('of one net: it ends with the row, as it was, and the others go on', async () => {
    const nets = [0, 1, 2].map(make)
    const histories = await fitMany(
      nets.map(({ model }) => model),
      {
        ...options,
        data: nets.map(({ data }) => data),
        optimizers: nets.map(({ optimizer }) => optimizer),
        callbacks: (net) => [{ onEpochEnd: ({ epoch }) => void (net === 1 && epoch === 2 && nets[1].data.targets.fill(99, 3, 4)) }],
      },
    )
    expect(histories.map(({ error }) => error?.message)).toEqual([undefined, message, undefined])
    expect(histories[1].execution.fleet).toBeGreaterThan(0)
    for (const net of [0, 1, 2])
      expect(
        nets[net].model.parameters().map((p) => [...p.data()]),
        `net ${net}`,
      ).toEqual(await bitsAfter(net === 1 ? 2 : 5, net))
  })

  test('of data that all nets share: each ends with the row', async () => {
    const nets = [0, 1, 2].map(make)
    const [{ data }] = nets
    const histories = await fitMany(
      nets.map(({ model }) => model),
      {
        ...options,
        ...data,
        optimizers: nets.map(({ optimizer }) => optimizer),
        callbacks: () => [{ onEpochEnd: ({ epoch }) => void (epoch === 2 && data.targets.fill(99, 3, 4)) }],
      },
    )
    expect(histories.map(({ error }) => error?.message)).toEqual([message, message, message])
    for (const net of [0, 1, 2]) expect(nets[net].model.parameters().map((p) => [...p.data()])).toEqual(await bitsAfter(2, net))
  })
})
