/** Replay depends on observation: replayed steps have the same bits as written-out steps, and steps that may not be replayed are written out. */
import { describe, expect, test } from 'vitest'
import { apply } from '../../../ts/autograd.js'
import { withNormals, withRandom } from '../../../ts/backend/families.js'
import {
  Activation,
  Adam,
  add,
  BatchNorm,
  type Callback,
  type createBackend,
  crossEntropy,
  Dense,
  Dropout,
  div,
  dropout,
  Embedding,
  EnsembleDense,
  EnsembleMean,
  type Execution,
  ensembleLoss,
  type FitOptions,
  fit,
  Generator,
  GradientAccumulation,
  Lambda,
  LayerNorm,
  type Loss,
  logSoftmax,
  Module,
  mean,
  mse,
  mul,
  neg,
  Parameter,
  PeriodicEmbedding,
  PiecewiseLinearEmbedding,
  relu,
  SAM,
  Scale,
  Sequential,
  SGD,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  trainSteps,
} from '../../../ts/index.js'
import { Layer } from '../../../ts/nn/layer.js'
import type { BuildContext } from '../../../ts/nn/module.js'
import { type OptimizerLike, SparseAdam } from '../../../ts/optim/index.js'
import { newEngines } from '../../tools/small-nets.js'

const rows = 48
const numbers = (n: number, seed: number) => Float32Array.from(new Generator(seed).uniforms(n), (u) => 2 * u - 1)
const classes = Int32Array.from({ length: rows }, (_, i) => (i * 7) % 4)
const data = { inputs: numbers(rows * 6, 1), shape: [rows, 6], targets: classes }
const oneHot = Array.from(classes, (c) => [0, 1, 2, 3].map((i) => Number(i === c)))

/** A user-defined model; `middle` is code that a forward method may run on `h`. */
class Own extends Module {
  first = new Dense(6, 9, { activation: 'tanh' })
  second = new Dense(9, 4)
  epoch = 0
  calls = 0
  cache: Tensor | null = null
  generator = new Generator(7)
  constructor(
    backend: ReturnType<typeof createBackend>,
    private readonly middle: (this: Own, h: Tensor) => Tensor = (h) => h,
  ) {
    super({ seed: 3, backend })
  }
  forward(x: Tensor): Tensor {
    return this.second.forward(this.middle(this.first.forward(x) as Tensor)) as Tensor
  }
}

/** A layer as the library might have: it adds noise, drawn by a kernel from the counter of its generator. */
class Noise extends Layer {
  declare private generator: Generator
  constructor(readonly kind: 'randomNormal' | 'randomUniform') {
    super()
  }
  protected override createParameters(context: BuildContext): void {
    this.generator = context.nextGenerator()
  }
  override describe(): string {
    return 'Noise()'
  }
  forward(x: Tensor): Tensor {
    const { generator, kind } = this.build()
    const { seedLow, seedHigh, stream, counter } = generator
    const noise = apply(
      [x],
      x.shape,
      (y, backend) => {
        const draw = kind === 'randomNormal' ? withNormals(backend).randomNormal : withRandom(backend).randomUniform
        draw(y, x.size, seedLow, seedHigh, stream, counter, 0, 0.3)
      },
      () => ({ vjp: (g) => [mul(g, 0)] }),
    )
    x.backend.arena.drew(generator)
    generator.counter++
    return add(x, noise)
  }
}

const membersOf = (...layers: Module[]) => [
  ...layers,
  new EnsembleDense(9, 4, 3, { shared: false }),
  new EnsembleMean({ average: 'softmax' }),
]
const ofMembers = { loss: ensembleLoss(crossEntropy as Loss) }
const piecewise = () =>
  new PiecewiseLinearEmbedding(
    6,
    [
      { feature: 4, edges: [-1, 0, 0.5] },
      { feature: 1, edges: [-1, 1] },
    ],
    { size: 3 },
  )

const normalised = (h: Tensor) => {
  const centred = sub(h, mean(h, -1, true))
  return div(centred, sqrt(add(mean(square(centred), -1, true), 1e-5)))
}
const ownLoss: Loss = (p, t) => neg(mean(sum(mul(logSoftmax(p), t), -1)))

type Given = Partial<FitOptions> & { on?: (model: Module, epoch: number, optimizer: OptimizerLike) => void }

async function outcome(model: Module, given: Given, make: (m: Module) => OptimizerLike, replay: boolean) {
  const optimizer = make(model)
  const { on, ...options } = given
  const callbacks: Callback[] = on === undefined ? [] : [{ onEpochEnd: ({ epoch }) => on(model, epoch, optimizer) }]
  let execution: Execution | undefined
  let losses: unknown
  try {
    const history = await fit(model, {
      ...data,
      loss: crossEntropy,
      optimizer,
      epochs: 12,
      batchSize: 8,
      callbacks,
      replay,
      ...options,
    } as FitOptions)
    execution = history.execution
    losses = history.epochs.map(({ loss, metrics, validation }) => [loss, metrics, validation])
  } catch (error) {
    losses = String(error)
  }
  return { execution, seen: { losses, state: model.state(), optimizer: (optimizer as Adam).state() } }
}

const adam = (model: Module) => new Adam(model.parameters(), { learningRate: 0.01 })

/** Runs a training with replay and without, and compares them; returns the counts of steps of the first. */
async function compare(make: () => Module, given: Given = {}, optimizer: (m: Module) => OptimizerLike = adam): Promise<Execution> {
  const [fast, slow] = [await outcome(make(), given, optimizer, true), await outcome(make(), given, optimizer, false)]
  expect(fast.seen).toEqual(slow.seen)
  return fast.execution as Execution
}

const backends = newEngines()

describe.each(backends)('$variant', (backend) => {
  const isWasm = backend.name === 'wasm'
  const sequential = (layers: Module[]) => new Sequential(layers, { seed: 3, backend })

  test.each<[string, () => Module, Given]>([
    ['a module of one’s own', () => new Own(backend), {}],
    ['operations between layers', () => new Own(backend, (h) => relu(normalised(h))), {}],
    ['a Lambda', () => sequential([new Dense(6, 4), new Lambda((x) => mul(x, 2))]), {}],
    ['Dropout', () => sequential([new Dropout(0.1), new Dense(6, 9), new Dropout(0.4), new Dense(9, 4)]), {}],
    ['dropout() by a generator that no field holds', droppedBy(backend), {}],
    ['normal noise', () => sequential([new Noise('randomNormal'), new Dense(6, 4)]), {}],
    ['uniform noise', () => sequential([new Noise('randomUniform'), new Dense(6, 4)]), {}],
    ['BatchNorm', () => sequential([new Dense(6, 9), new BatchNorm(9), new Dense(9, 4)]), {}],
    ['LayerNorm', () => sequential([new Dense(6, 9), new LayerNorm(9), new Dense(9, 4)]), {}],
    [
      'members that share layers',
      () => sequential(membersOf(new Scale(6, { members: 3 }), new Dense(6, 9, { activation: 'silu' }))),
      ofMembers,
    ],
    ['members that share weights', () => sequential(membersOf(new EnsembleDense(6, 9, 3, { activation: 'relu' }))), ofMembers],
    ['numbers as piecewise linear vectors', () => sequential([piecewise(), new Dense(10, 4)]), {}],
    ['numbers as waves', () => sequential([new PeriodicEmbedding(6, { columns: [1, 4], size: 3, frequencies: 4 }), new Dense(10, 4)]), {}],
    ['numbers and waves', () => sequential([new PeriodicEmbedding(6, { form: 'pbld', size: 2 }), new Dense(18, 4)]), {}],
    ['a wrapper of crossEntropy', () => new Own(backend), { loss: (p, t) => crossEntropy(p, t as never) }],
    ['a loss of operations', () => sequential([new Dense(6, 4)]), { loss: ownLoss, targets: oneHot }],
    ['a module of one’s own with callbacks', () => new Own(backend), { on: () => {} }],
    ['a module of one’s own with validation and metrics', () => new Own(backend), { validationFraction: 0.25, metrics: ['accuracy'] }],
  ])('%s is replayed', async (_name, make, given) => {
    const { programs, replayed, writtenOut, reason } = await compare(make, given)
    expect(reason).toBeUndefined()
    expect(programs + replayed).toBeGreaterThan(2 * writtenOut)
    if (isWasm && given.metrics === undefined) expect(programs).toBeGreaterThan(0)
  })

  test('an embedding is, where the optimizer updates all rows', async () => {
    const inputs = Int32Array.from({ length: rows * 2 }, (_, i) => (i * 5) % 11)
    const make = () => {
      const table = new Embedding(11, 3)
      return sequential([table, new Lambda((h) => mean(h, 1)), new Dense(3, 4)])
    }
    const given = { inputs, shape: [rows, 2] } as Partial<FitOptions>
    const { programs, replayed, reason: why } = await compare(make, given)
    // in JavaScript an update is not a single kernel call
    if (isWasm) expect(programs + replayed).toBeGreaterThan(0)
    else expect(why).toMatch(/Adam may update the rows/)
    const sparse = (m: Module) => new SparseAdam(m.parameters(), { learningRate: 0.01 })
    expect((await compare(make, given, sparse)).reason).toMatch(/SparseAdam may update the rows/)
  })

  test.each<[string, (m: Module) => OptimizerLike]>([
    ['GradientAccumulation', (m) => new GradientAccumulation(new SGD(m.parameters(), { learningRate: 0.1 }), { every: 4 })],
    ['SAM', (m) => new SAM(new SGD(m.parameters(), { learningRate: 0.1 }))],
    ['clipping', (m) => new Adam(m.parameters(), { clipNorm: 0.1 })],
  ])('%s steps from recordings', async (_name, optimizer) => {
    const make = () => sequential([new Dense(6, 9), new Dropout(0.2), new Dense(9, 4)])
    const { programs, replayed, writtenOut } = await compare(make, {}, optimizer)
    // The number of steps in programs depends on the clock.
    expect(programs + replayed).toBeGreaterThan(writtenOut)
  })

  test.each<[string, (this: Own, h: Tensor) => Tensor, RegExp]>([
    ['reads a number', (h) => (mean(h).item() > 0 ? h : mul(h, 2)), /reads numbers/],
    ['asks Math.random', (h) => (Math.random() < 2 ? h : mul(h, 2)), /random numbers/],
    [
      'draws from a generator',
      function (h) {
        return mul(h, this.generator.next())
      },
      /random numbers|'counter'/,
    ],
    [
      'counts its calls in a field',
      function (h) {
        this.calls++
        return this.calls > 20 ? mul(h, 2) : h
      },
      /'calls' of Own/,
    ],
    [
      'keeps a tensor in a field',
      function (h) {
        this.cache = h
        return h
      },
      /'cache' of Own/,
    ],
    ['computes by a number that is another at each call', byCall(), /two steps in a row/],
    ['trains a parameter that the model has not', trainsAnother(backend), /not in the model/],
  ])('one that %s runs as it is written', async (_name, middle, reason) => {
    const makes = [true, false].map((replay) => outcome(new Own(backend, middle), {}, adam, replay))
    const [{ execution }] = await Promise.all(makes)
    expect(execution?.programs).toBe(0)
    expect(execution?.reason).toMatch(reason)
  })

  test.each<[string, Given['on']]>([
    ['a field that forward reads', (m, epoch) => void ((m as Own).epoch = epoch)],
    ['an activation', (m, epoch) => void (epoch === 3 && Object.assign((m as Own).first, { activation: 'relu' }))],
    ['a bias that goes', (m, epoch) => void (epoch === 3 && Object.assign((m as Own).second, { bias: null }))],
    ['a layer that is another', (m, epoch) => void (epoch === 4 && (m as Own).second.weight.view().fill(0.5))],
  ])('fault 16.3: %s, changed in a callback, is noticed', async (_name, on) => {
    const middle = function (this: Own, h: Tensor) {
      return this.epoch > 3 ? mul(h, 0.5) : h
    }
    const { writtenOut, replayed, programs } = await compare(() => new Own(backend, middle), { on })
    expect(programs + replayed).toBeGreaterThan(writtenOut)
  })

  test.each<[string, Given['on']]>([
    ['layer.activation', (m, epoch) => void (epoch === 3 && Object.assign((m as Sequential).layers[0], { activation: 'relu' }))],
    ['layer.bias = null', (m, epoch) => void (epoch === 3 && Object.assign((m as Sequential).layers[0], { bias: null }))],
    [
      'layer.weight',
      (m, epoch) =>
        void (
          epoch === 3 && Object.assign((m as Sequential).layers[0], { weight: new Parameter(numbers(54, 9), { shape: [6, 9], backend }) })
        ),
    ],
    [
      'layer.forward',
      (m, epoch) => void (epoch === 3 && Object.assign((m as Sequential).layers[1], { forward: (x: Tensor) => mul(x, 2) })),
    ],
    ['model.forward', (m, epoch) => void (epoch === 3 && patchModel(m))],
  ])('fault 16.3: %s set in a callback takes effect at the next step', async (_name, on) => {
    const make = () => sequential([new Dense(6, 9, { activation: 'tanh' }), new Activation('tanh'), new Dense(9, 4)])
    const { programs, replayed } = await compare(make, { on })
    expect(programs + replayed).toBeGreaterThan(0)
  })

  test('fault 16.3: a forward method that is put into a class in a callback is called from the next step on', async () => {
    const { forward } = Activation.prototype
    let calls = 0
    const on = (_: Module, epoch: number) => {
      if (epoch !== 3) return
      Activation.prototype.forward = function (x: Tensor) {
        calls++
        return mul(forward.call(this, x), 2)
      }
    }
    try {
      const make = () => sequential([new Dense(6, 9), new Activation('tanh'), new Dense(9, 4)])
      const fast = await outcome(make(), { on }, adam, true)
      Activation.prototype.forward = forward
      const slow = await outcome(make(), { on }, adam, false)
      expect(fast.seen).toEqual(slow.seen)
      expect(fast.execution?.reason).toMatch(/forward method of Activation '1' was replaced/)
      expect(calls).toBeGreaterThan(50)
    } finally {
      Activation.prototype.forward = forward
    }
  })

  test.each([99, -1])('fault 16.4: label %i, written in a callback, is found at its step, and nothing is changed by it', async (label) => {
    const targets = classes.slice()
    const model = sequential([new Dense(6, 4)])
    let before: unknown
    const onEpochEnd = ({ epoch }: { epoch: number }) => {
      if (epoch !== 6) return
      targets[7] = label
      before = model.state()
    }
    const options = {
      ...data,
      targets,
      loss: crossEntropy,
      optimizer: adam(model),
      epochs: 12,
      batchSize: 'full',
      callbacks: [{ onEpochEnd }],
    }
    await expect(fit(model, options as FitOptions)).rejects.toThrow(new RegExp(`row 7: .*whole numbers from 0 to 3, got ${label}`))
    expect(model.state()).toEqual(before)
  })

  test('trainSteps asks a model of one’s own at each step, and one of this library not', async () => {
    const steps = async (model: Module) => {
      const losses = []
      const options = { ...data, loss: crossEntropy, optimizer: adam(model), epochs: 4, batchSize: 8 }
      for await (const { loss } of trainSteps(model, options)) losses.push(loss)
      return losses
    }
    let calls = 0
    const counting = new Own(backend, (h) => {
      calls++
      return h
    })
    const losses = await steps(counting)
    expect(calls).toBeGreaterThanOrEqual(24)
    expect(losses).toEqual(await steps(new Own(backend)))
  })
})

function patchModel(m: Module): void {
  const { forward } = Sequential.prototype
  Object.assign(m, { forward: (x: Tensor) => mul(forward.call(m, x as never), 2) })
}

function droppedBy(backend: ReturnType<typeof createBackend>): () => Module {
  return () => {
    const generator = new Generator(5)
    return new Own(backend, (h) => add(dropout(h, 0.2, generator), dropout(h, 0.5, generator)))
  }
}

function byCall(): (h: Tensor) => Tensor {
  let calls = 0
  return (h) => mul(h, 1 / ++calls)
}

function trainsAnother(backend: ReturnType<typeof createBackend>): (h: Tensor) => Tensor {
  const scale = new Parameter([1], { backend })
  return (h) => mul(h, scale)
}

test('the reason is there where a loss of one’s own takes whole numbers for floats', async () => {
  const model = new Sequential([new Dense(6, 1)], { seed: 1 })
  const loss: FitOptions['loss'] = (prediction, target) => mse(prediction, target)
  const { execution } = await fit(model, { ...data, loss, optimizer: adam(model), epochs: 2 } as FitOptions)
  expect(execution.reason).toMatch(/whole numbers taken for floats/)
  expect(execution.writtenOut).toBe(4)
  expect(tensor([1]).size).toBe(1)
})
