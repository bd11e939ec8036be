/** fitMany trains each net with the same bits as fit alone, whatever differs between the nets. */
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { supportedVariants } from '../../../ts/debug/index.js'
import {
  Activation,
  type ActivationName,
  Adam,
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
  Lion,
  type Loss,
  Module,
  Momentum,
  mae,
  mse,
  NAdam,
  type Optimizer,
  RMSProp,
  Scale,
  Sequential,
  SGD,
  schedules,
  type Tensor,
} from '../../../ts/index.js'
import { ADOPT, Adagrad, Adamax, Adan, ASGD, LAMB, RAdam, Rprop, ScheduleFreeAdamW } from '../../../ts/optim/index.js'
import { LBFGS } from '../../../ts/solve/index.js'
import { cases } from '../../tools/nightly.js'

const variants = supportedVariants()
const threaded = variants.slice(0, 1).map((variant) => createBackend({ variant, threads: 2 }))
const usual = [createBackend({ backend: 'js' }), ...variants.map((variant) => createBackend({ variant })), ...threaded]
/** `make fleet-proof WIDEN=1` on Node 24 tests widened kernels. */
const backends = process.env.WIDEN ? variants.map((variant) => createBackend({ variant, widen: true })) : usual
test.runIf(process.env.WIDEN)('V8 widens', () => expect(backends.map(({ widened }) => widened)).not.toContain(false))
for (const { ready } of threaded) await ready

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
  (p: Module, learningRate: number) => new ASGD(p.parameters(), { learningRate }),
  (p: Module, learningRate: number) => new Adan(p.parameters(), { learningRate, weightDecay: 0.01 }),
  (p: Module, learningRate: number) => new ADOPT(p.parameters(), { learningRate, weightDecay: 0.01, decoupledWeightDecay: true }),
  (p: Module, learningRate: number) =>
    new SGD(p.parameters(), { learningRate, momentum: 0.9, weightDecay: learningRate > 0.01 ? 0.01 : 0 }),
  (p: Module, learningRate: number) => new ScheduleFreeAdamW(p.parameters(), { learningRate, warmupSteps: 3 }),
]
const ACTIVATIONS: ActivationName[] = ['linear', 'relu', 'tanh', 'sigmoid', 'gelu', 'elu', 'mish', 'selu']
const LOSSES: [Loss, 'numbers' | 'labels' | 'zeroToOne'][] = [
  [mse, 'numbers'],
  [mae as Loss, 'numbers'],
  [huber as Loss, 'numbers'],
  [binaryCrossEntropy as Loss, 'zeroToOne'],
  [crossEntropy as Loss, 'labels'],
]

const fleets = fc.record({
  nets: fc.integer({ min: 2, max: 19 }),
  inputs: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 40 })),
  // some layers have more than a thousand weights, so that their products use panels
  hidden: fc.oneof(
    fc.array(fc.integer({ min: 1, max: 17 }), { maxLength: 2 }),
    fc.array(fc.integer({ min: 1, max: 17 }), { maxLength: 2 }),
    fc.array(fc.integer({ min: 18, max: 75 }), { minLength: 1, maxLength: 2 }),
  ),
  outputs: fc.integer({ min: 1, max: 5 }),
  activation: fc.constantFrom(...ACTIVATIONS),
  separate: fc.boolean(),
  dropout: fc.constantFrom(0, 0, 0.3),
  scaled: fc.boolean(),
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
  metrics: fc.constantFrom(false, false, true),
  stops: fc.boolean(),
  frozen: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1000 }),
})

describe.each(backends)('on $variant, threads: $threads', (backend) => {
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
          if (c.scaled && width > 1) layers.push(new Scale(width))
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
        const names = kind === 'labels' ? (['accuracy'] as const) : (['meanAbsoluteError', 'rootMeanSquaredError'] as const)
        const metrics = c.metrics ? { metrics: names } : {}
        const common = { loss, epochs: c.epochs, batchSize: Math.min(batchSize, Math.max(1, c.rows - 1)), shuffle: c.shuffle, ...metrics }
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
          if (backend.name === 'wasm') expect(histories[net].execution.fleet, histories[net].execution.reason).toBe(histories[net].steps)
        }
      }),
      { numRuns: Number(process.env.FLEETS ?? cases(150)), seed: Number(process.env.FLEET_SEED ?? 1) },
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
        // from here on the first layer's weights have taken fewer steps than the others, so they are updated separately
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

  test('what looks at whole tensors goes one after the other, and says so', async () => {
    const models = [net(1), net(2)]
    const optimizers = models.map((model) => new LAMB(model.parameters()))
    const histories = await fitMany(models, { inputs: x, targets: y, loss: mse, optimizers, epochs: 3, batchSize: 2 })
    expect(histories.map(({ steps }) => steps)).toEqual([6, 6])
    if (backend.name === 'wasm') expect(histories[0].execution.reason).toBe('LAMB looks at more than one element at a time')
  })

  test('an option that a callback changes, and with it the kernel, is taken from the next step on', async () => {
    const callbacks = (optimizer: Adam, changes: boolean) => [
      {
        onEpochEnd: ({ epoch }: { epoch: number }) => {
          if (changes && epoch === 2)
            Object.assign(optimizer.groups[0].options, { epsilonPlacement: 'inside', beta1: 0.5, weightDecay: 0.1 })
        },
      },
    ]
    const make = (seed: number) => {
      const model = net(seed)
      return { model, optimizer: new Adam(model.parameters(), { learningRate: 0.01 * seed }) }
    }
    const many = [1, 2, 3].map(make)
    const options = { inputs: x, targets: y, loss: mse, epochs: 4, batchSize: 2 }
    const histories = await fitMany(
      many.map(({ model }) => model),
      // the second net continues unchanged
      { ...options, optimizers: many.map(({ optimizer }) => optimizer), callbacks: (i) => callbacks(many[i].optimizer, i !== 1) },
    )
    for (const [i, { model }] of many.entries()) {
      const alone = make(i + 1)
      await fit(alone.model, { ...options, optimizer: alone.optimizer, callbacks: callbacks(alone.optimizer, i !== 1) })
      expect(bitsOf(model), `net ${i}`).toEqual(bitsOf(alone.model))
      if (backend.name === 'wasm') expect(histories[i].execution.fleet).toBe(8)
    }
  })

  test('a schedule that changes another option of one net keeps the others in step with themselves', async () => {
    const make = (seed: number) => {
      const model = net(seed)
      const optimizer = new Adam(model.parameters())
      const schedule = (step: number) => {
        if (seed === 3 && step === 7) optimizer.groups[0].options.beta1 = 0.5
        return 0.01
      }
      return { model, optimizer, schedule }
    }
    const many = Array.from({ length: 20 }, (_, seed) => make(seed))
    // a callback watches epochs; so after one net stops within an epoch, the nets of its group are at other steps
    const callbacks = () => [{ onEpochEnd: () => {} }]
    const options = { inputs: x, targets: y, loss: mse, epochs: 20, batchSize: 2 }
    await fitMany(
      many.map(({ model }) => model),
      { ...options, optimizers: many.map(({ optimizer }) => optimizer), schedule: many.map(({ schedule }) => schedule), callbacks },
    )
    for (const [seed, { model }] of many.entries()) {
      const { model: alone, optimizer, schedule } = make(seed)
      await fit(alone, { ...options, optimizer, schedule, callbacks: callbacks() })
      expect(bitsOf(model), `net ${seed}`).toEqual(bitsOf(alone))
    }
  })

  test('a schedule is asked once for each step, and may end the training', async () => {
    const asked: number[][] = [[], [], []]
    const models = asked.map((_, i) => net(i))
    const controller = new AbortController()
    const histories = await fitMany(models, {
      ...{ inputs: x, targets: y, loss: mse, epochs: 20, batchSize: 2, signal: controller.signal },
      optimizers: models.map((model) => new Adam(model.parameters())),
      schedule: asked.map((steps, i) => (step: number) => {
        steps.push(step)
        if (i === 2 && step === 9) controller.abort()
        return 0.01
      }),
    })
    expect(histories[2].stopReason).toBe('aborted')
    expect(histories[2].steps).toBe(10)
    for (const steps of asked) expect(steps).toEqual(steps.map((_, i) => i))
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

describe.runIf(variants.length > 0)('many', () => {
  const backend = backends[1]
  const small = (seed: number) => new Sequential([new Dense(2, 8, { activation: 'relu' }), new Dense(8, 1)], { seed, backend })
  const data = {
    inputs: [
      [0, 1],
      [1, 0],
      [1, 1],
      [0, 0],
    ],
    targets: [[1], [1], [0], [0]],
  }

  test('binary cross-entropy takes more columns than the softmax of classes does', async () => {
    const make = (seed: number) => new Sequential([new Dense(3, 300)], { seed, backend })
    const wide = { inputs: numbers(12, 1), shape: [4, 3], targets: rowsOf(numbers(1200, 2).map(Math.abs), 300), loss: binaryCrossEntropy }
    const [together, alone] = [1, 2].map(() => Array.from({ length: 9 }, (_, i) => make(i)))
    const optimizers = together.map((model) => new Adam(model.parameters()))
    const histories = await fitMany(together, { ...wide, optimizers, epochs: 3, batchSize: 2 })
    for (const model of alone) await fit(model, { ...wide, optimizer: new Adam(model.parameters()), epochs: 3, batchSize: 2 })
    expect(together.map(bitsOf)).toEqual(alone.map(bitsOf))
    if (backend.name === 'wasm') for (const { execution } of histories) expect(execution.fleet).toBeGreaterThan(0)
  })

  test(`${cases(10_000)} nets are in memory at once, and training them keeps none`, async () => {
    const models = Array.from({ length: cases(10_000) }, (_, i) => small(i))
    const optimizers = models.map((model) => new Adam(model.parameters()))
    const options = { ...data, loss: mse, optimizers, epochs: 2, batchSize: 4 }
    const first = await fitMany(models, options)
    expect(first.every(({ execution, steps }) => execution.fleet === 2 && steps === 2)).toBe(true)
    const used = backend.heap.usedBytes
    await fitMany(models, options)
    // it may be less if memory of an earlier test is freed in between
    expect(backend.heap.usedBytes).toBeLessThanOrEqual(used)
  })

  test.runIf(threaded[0]?.threads === 2)('two threads take eight nets each, and what the nets get are the bits of one thread', async () => {
    const [two] = threaded
    const run = vi.spyOn(two.pool as NonNullable<typeof two.pool>, 'run')
    const train = async (on: typeof two) => {
      const models = Array.from({ length: 40 }, (_, seed) => {
        const layers = [new Dense(2, 8, { activation: 'tanh' }), new Dropout(0.2), new Dense(8, 1)]
        return new Sequential(layers as never, { seed, backend: on }) as unknown as Module
      })
      const optimizers = models.map((model, i) => new Adam(model.parameters(), { learningRate: 0.001 * (i + 1) }))
      const rows = models.map((_, i) => [i % 4, (i + 1) % 4, (i + 2) % 4])
      const seed = models.map((_, i) => i)
      const histories = await fitMany(models, { ...data, loss: mse, optimizers, rows, seed, epochs: 30, batchSize: 2 })
      return { bits: models.map(bitsOf), losses: histories.map(({ epochs }) => epochs.map(({ loss }) => loss)) }
    }
    expect(await train(two)).toEqual(await train(backend))
    expect(run.mock.calls.some(([, shares]) => shares === 2)).toBe(true)
  })

  test('a signal ends all within a turn', async () => {
    const models = Array.from({ length: 500 }, (_, i) => small(i))
    const controller = new AbortController()
    const optimizers = models.map((model) => new Adam(model.parameters()))
    let isOver = false
    const options = { ...data, loss: mse, optimizers, epochs: 100_000_000, batchSize: 4, signal: controller.signal }
    const training = fitMany(models, options).finally(() => {
      isOver = true
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    controller.abort()
    let turns = 0
    for (; !isOver; turns++) await new Promise((resolve) => setImmediate(resolve))
    expect(turns).toBeLessThanOrEqual(4)
    const histories = await training
    expect(histories.every(({ steps }) => steps < 100_000_000)).toBe(true)
    expect(histories.every(({ stopReason }) => stopReason === 'aborted')).toBe(true)
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
    [
      'a model of another shape',
      ({ models, options }) => {
        const other = new Sequential([new Dense(3, 1)], { backend })
        return fitMany([models[0], other, models[2]], {
          ...options,
          optimizers: [models[0], other, models[2]].map((m) => new SGD(m.parameters())),
        })
      },
      /net 1: .*3/,
    ],
    [
      'an optimizer twice',
      ({ models, options }) => fitMany(models, { ...options, optimizers: [0, 1, 0].map((i) => options.optimizers[i]) }),
      /optimizers\[2\] is the same as optimizers\[0\]/,
    ],
    [
      'too many rows lists',
      ({ models, options }) => fitMany(models, { ...options, rows: [[0]] }),
      /rows wants one for each of 3 nets, got 1/,
    ],
    [
      'too few schedules',
      ({ models, options }) => fitMany(models, { ...options, schedule: [() => 0.1] }),
      /schedule wants one for each of 3 nets, got 1/,
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
