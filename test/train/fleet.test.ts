/** fitMany does to each net what fit does to it alone: the same bits, whatever the nets have of their own. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  Activation,
  type ActivationName,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  binaryCrossEntropy,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  EarlyStopping,
  type FitManyOptions,
  Flatten,
  fit,
  fitMany,
  huber,
  Lambda,
  LBFGS,
  Lion,
  type Loss,
  Module,
  Momentum,
  mae,
  mse,
  NAdam,
  type Optimizer,
  RAdam,
  RMSProp,
  Rprop,
  Sequential,
  SGD,
  schedules,
  supportedVariants,
  type Tensor,
} from '../../ts/index.js'

const backends = [createBackend({ backend: 'js' }), ...supportedVariants().map((variant) => createBackend({ variant }))]

/** Numbers from a small generator. */
function numbers(n: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 12345
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

const rowsOf = (values: Float32Array, width: number) =>
  Array.from({ length: values.length / width }, (_, i) => [...values.subarray(i * width, (i + 1) * width)])

const bitsOf = (model: Module) => model.parameters().map((p) => [...new Int32Array(Float32Array.from(p.view()).buffer)])
const stateOf = (optimizer: Optimizer) => JSON.stringify(optimizer.state())

const OPTIMIZERS = [
  (p: Module, learningRate: number) => new SGD(p.parameters(), { learningRate }),
  (p: Module, learningRate: number) => new Momentum(p.parameters(), { learningRate }),
  (p: Module, learningRate: number) => new Adam(p.parameters(), { learningRate }),
  (p: Module, learningRate: number) => new Adam(p.parameters(), { learningRate, weightDecay: 0.01, amsgrad: true }),
  (p: Module, learningRate: number) => new AdamW(p.parameters(), { learningRate, weightDecay: learningRate }),
  (p: Module, learningRate: number) => new RMSProp(p.parameters(), { learningRate, centered: true }),
  (p: Module, learningRate: number) => new Adagrad(p.parameters(), { learningRate }),
  (p: Module, learningRate: number) => new Adamax(p.parameters(), { learningRate }),
  (p: Module, learningRate: number) => new NAdam(p.parameters(), { learningRate }),
  (p: Module, learningRate: number) => new RAdam(p.parameters(), { learningRate }),
  (p: Module, learningRate: number) => new Lion(p.parameters(), { learningRate }),
  (p: Module) => new Rprop(p.parameters()),
]
const ACTIVATIONS: ActivationName[] = ['linear', 'relu', 'tanh', 'sigmoid', 'gelu', 'elu']
const LOSSES: [Loss, 'numbers' | 'labels' | 'zeroToOne'][] = [
  [mse, 'numbers'],
  [mae as Loss, 'numbers'],
  [huber as Loss, 'numbers'],
  [binaryCrossEntropy as Loss, 'zeroToOne'],
  [crossEntropy as Loss, 'labels'],
]

const fleets = fc.record({
  nets: fc.integer({ min: 2, max: 19 }),
  inputs: fc.integer({ min: 1, max: 9 }),
  hidden: fc.array(fc.integer({ min: 1, max: 17 }), { maxLength: 2 }),
  outputs: fc.integer({ min: 1, max: 5 }),
  activation: fc.constantFrom(...ACTIVATIONS),
  separate: fc.boolean(),
  dropout: fc.constantFrom(0, 0, 0.3),
  rows: fc.integer({ min: 1, max: 70 }),
  batchSize: fc.integer({ min: 1, max: 40 }),
  epochs: fc.integer({ min: 1, max: 4 }),
  loss: fc.constantFrom(...LOSSES),
  optimizer: fc.constantFrom(...OPTIMIZERS),
  shuffle: fc.boolean(),
  ownSeeds: fc.boolean(),
  ownRows: fc.boolean(),
  weighted: fc.boolean(),
  schedule: fc.boolean(),
  validation: fc.boolean(),
  stops: fc.boolean(),
  frozen: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1000 }),
})

describe.each(backends)('on $variant', (backend) => {
  test('random fleets end with the bits of single trainings', async () => {
    await fc.assert(
      fc.asyncProperty(fleets, async (drawn) => {
        // a cross-entropy of one class is refused
        const c = { ...drawn, outputs: drawn.loss[1] === 'labels' ? Math.max(2, drawn.outputs) : drawn.outputs }
        const batchSize = Math.min(c.batchSize, c.rows)
        const [loss, kind] = c.loss
        const inputs = rowsOf(numbers(c.rows * c.inputs, c.seed), c.inputs)
        const raw = numbers(c.rows * c.outputs, c.seed + 1)
        const targets =
          kind === 'labels'
            ? Int32Array.from({ length: c.rows }, (_, i) => i % c.outputs)
            : rowsOf(kind === 'numbers' ? raw : raw.map((x) => (x + 1) / 2), c.outputs)
        const data = { inputs, targets, ...(c.weighted ? { weights: numbers(c.rows, c.seed + 2).map((w) => w + 1.1) } : {}) }
        const make = (net: number) => {
          const layers: Module[] = []
          let width = c.inputs
          for (const units of c.hidden) {
            if (c.separate) layers.push(new Dense(width, units), new Activation(c.activation))
            else layers.push(new Dense(width, units, { activation: c.activation }))
            if (c.dropout > 0) layers.push(new Dropout(c.dropout))
            width = units
          }
          layers.push(new Dense(width, c.outputs))
          const model = new Sequential(layers as never, { seed: net, backend }) as unknown as Module
          if (c.frozen && c.hidden.length > 0) model.parameters()[0].requiresGrad = false
          return { model, optimizer: c.optimizer(model, 0.001 * (net + 1)) as unknown as Optimizer }
        }
        const schedule = (net: number) => schedules.cosine(0.01 * (net + 1), { steps: 30 })
        const validation = { inputs, targets }
        const callbacks = () => (c.stops && c.validation ? [new EarlyStopping({ patience: 1 })] : [])
        const subset = (net: number) => Array.from({ length: Math.max(1, c.rows - 1) }, (_, i) => (i + (c.ownRows ? net : 0)) % c.rows)
        const common = { loss, epochs: c.epochs, batchSize: Math.min(batchSize, Math.max(1, c.rows - 1)), shuffle: c.shuffle }
        const many = Array.from({ length: c.nets }, (_, net) => make(net))
        const histories = await fitMany(
          many.map(({ model }) => model),
          {
            ...data,
            ...common,
            rows: many.map((_, net) => subset(net)),
            optimizers: many.map(({ optimizer }) => optimizer),
            seed: c.ownSeeds ? many.map((_, net) => net) : 7,
            callbacks,
            ...(c.schedule ? { schedule: many.map((_, net) => schedule(net)) } : {}),
            ...(c.validation ? { validation } : {}),
          } as FitManyOptions,
        )
        for (const [net, { model, optimizer }] of many.entries()) {
          const one = make(net)
          const pick = <T>(list: ArrayLike<T>) => subset(net).map((i) => list[i])
          const own = {
            inputs: pick(inputs),
            targets: targets instanceof Int32Array ? Int32Array.from(pick(targets)) : pick(targets),
            ...(data.weights ? { weights: Float32Array.from(pick(data.weights)) } : {}),
          }
          const history = await fit(one.model, {
            ...own,
            ...common,
            optimizer: one.optimizer,
            seed: c.ownSeeds ? net : 7,
            callbacks: callbacks(),
            ...(c.schedule ? { schedule: schedule(net) } : {}),
            ...(c.validation ? { validation } : {}),
          } as never)
          expect(bitsOf(model), `net ${net}`).toEqual(bitsOf(one.model))
          expect(stateOf(optimizer), `net ${net}`).toBe(stateOf(one.optimizer))
          const numbersOf = ({ epochs }: typeof history) => epochs.map(({ seconds: _, ...record }) => record)
          expect(numbersOf(histories[net]), `net ${net}`).toEqual(numbersOf(history))
          expect(histories[net].stopReason).toBe(history.stopReason)
          // Rprop begins with step sizes of its own, which fleets leave to fit
          if (backend.name === 'wasm' && !(optimizer instanceof Rprop))
            expect(histories[net].execution.fleet, histories[net].execution.reason).toBe(histories[net].steps)
        }
      }),
      { numRuns: Number(process.env.FLEETS ?? 25), seed: Number(process.env.FLEET_SEED ?? 1) },
    )
  })

  const x = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]
  const y = [[0], [1], [1], [0]]
  const net = (seed: number) => new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, 1)], { seed, backend })

  test('a net that diverges keeps its last finite weights and harms no other', async () => {
    const rates = [0.01, 1e12, 0.02, 0.03]
    const models = rates.map((_, i) => net(i))
    const optimizers = models.map((model, i) => new SGD(model.parameters(), { learningRate: rates[i] }))
    const histories = await fitMany(models, { inputs: x, targets: y, loss: mse, optimizers, epochs: 50, batchSize: 2 })
    expect(histories.map(({ error }) => error?.name)).toEqual([undefined, 'NonFiniteError', undefined, undefined])
    for (const [i, rate] of rates.entries()) {
      const model = net(i)
      const alone = fit(model, {
        inputs: x,
        targets: y,
        loss: mse,
        optimizer: new SGD(model.parameters(), { learningRate: rate }),
        epochs: 50,
        batchSize: 2,
      })
      const error = await alone.then(
        () => undefined,
        (error: Error) => error,
      )
      expect(histories[i].error?.message).toBe(error?.message)
      expect(bitsOf(models[i])).toEqual(bitsOf(model))
    }
  })

  test('nets whose optimizers count the steps of their layers apart go beside those like them', async () => {
    const make = async (seed: number) => {
      const model = net(seed)
      const optimizer = new Adam(model.parameters())
      const training = { inputs: x, targets: y, loss: mse, optimizer, batchSize: 2 }
      if (seed % 2 === 1) {
        // the first layer's weights are behind the others from here on, so they are updated by themselves
        model.parameters()[0].requiresGrad = false
        await fit(model, training)
        model.parameters()[0].requiresGrad = true
      }
      return { model, training }
    }
    const many = await Promise.all([0, 1, 2, 3].map(make))
    const optimizers = many.map(({ training }) => training.optimizer)
    const models = many.map(({ model }) => model)
    const histories = await fitMany(models, { inputs: x, targets: y, loss: mse, optimizers, epochs: 3, batchSize: 2 })
    for (const [seed, { model }] of many.entries()) {
      const alone = await make(seed)
      await fit(alone.model, { ...alone.training, epochs: 3 })
      expect(histories[seed].error).toBeUndefined()
      expect(bitsOf(model), `net ${seed}`).toEqual(bitsOf(alone.model))
      if (backend.name === 'wasm') expect(histories[seed].execution.fleet, histories[seed].execution.reason).toBe(6)
    }
  })

  test('mixed shapes, own layers and own losses are trained by the same call', async () => {
    class Own extends Module {
      layer = new Dense(2, 1)
      forward(input: Tensor): Tensor {
        return this.layer.forward(input)
      }
    }
    const models = [
      net(1),
      new Own({ seed: 2, backend }),
      net(3),
      new Sequential([new Flatten(), new Dense(2, 1), new Lambda((t) => t)], { backend }),
    ] as Module[]
    const optimizers = models.map((model) => new Adam(model.parameters()))
    const histories = await fitMany(models, { inputs: x, targets: y, loss: mse, optimizers, epochs: 3, batchSize: 4 })
    expect(histories.map(({ steps }) => steps)).toEqual([3, 3, 3, 3])
    if (backend.name !== 'wasm') return
    expect(histories.map(({ execution }) => execution.fleet)).toEqual([3, 0, 3, 0])
    expect(histories[1].execution.reason).toBe('layers of your own')
  })

  test('methods of second order go one after the other', async () => {
    const models = [net(1), net(2)]
    const optimizers = models.map((model) => new LBFGS(model.parameters()))
    const histories = await fitMany(models, {
      inputs: x,
      targets: y,
      loss: mse,
      optimizers: optimizers as never,
      epochs: 3,
      batchSize: 'full',
    })
    expect(histories.map(({ steps }) => steps)).toEqual([3, 3])
    expect(histories.map(({ execution }) => execution.fleet)).toEqual([0, 0])
  })
})

describe('bad input names the net', () => {
  const backend = backends[0]
  const net = (seed: number) => new Sequential([new Dense(2, 1)], { seed, backend })
  const good = (n: number) => {
    const models = Array.from({ length: n }, (_, i) => net(i))
    return {
      models,
      options: { inputs: [[1, 2]], targets: [[1]], loss: mse, optimizers: models.map((model) => new SGD(model.parameters())) },
    }
  }
  test.each<[string, (g: ReturnType<typeof good>) => Promise<unknown>, RegExp]>([
    ['no nets', ({ options }) => fitMany([], options), /fitMany: wants models in an array, at least one, got/],
    ['no model', ({ models, options }) => fitMany([models[0], 3 as never, models[2]], options), /models\[1\] wants a Module, got 3/],
    ['one twice', ({ models, options }) => fitMany([models[0], models[1], models[0]], options), /models\[2\] is the same as models\[0\]/],
    [
      'too few optimizers',
      ({ models, options }) => fitMany(models, { ...options, optimizers: options.optimizers.slice(1) }),
      /optimizers wants one for each of 3 nets, got 2/,
    ],
    [
      'an optimizer of another',
      ({ models, options }) =>
        fitMany(models, { ...options, optimizers: [options.optimizers[1], options.optimizers[0], options.optimizers[2]] }),
      /net 0: .*none of this model's parameters/,
    ],
    ['too few seeds', ({ models, options }) => fitMany(models, { ...options, seed: [1, 2] }), /seed wants one for each of 3 nets, got 2/],
    ['a row that is not there', ({ models, options }) => fitMany(models, { ...options, rows: [[0], [4], [0]] }), /net 1: .*row.*4/],
    [
      'data twice',
      ({ models, options }) => fitMany(models, { ...options, data: models.map(() => ({ inputs: [[1, 2]], targets: [[1]] })) }),
      /data, or inputs and targets, not both/,
    ],
    [
      'callbacks that are none',
      ({ models, options }) => fitMany(models, { ...options, callbacks: [] as never }),
      /callbacks wants a function/,
    ],
    ['options misspelt', ({ models, options }) => fitMany(models, { ...options, epoch: 3 } as never), /epoch/],
  ])('%s', async (_, run, message) => {
    await expect(run(good(3))).rejects.toThrow(message)
  })
})
