/** Steps that fit runs many at a time, in one call of WebAssembly, have the bits of steps that are taken one by one. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Pool } from '../../../ts/backend/threads/pool.js'
import { supportedVariants } from '../../../ts/debug/index.js'
import {
  Activation,
  Adam,
  type Backend,
  type Callback,
  clipGlobalNorm,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  type FitOptions,
  fit,
  Generator,
  GradientAccumulation,
  type History,
  Lion,
  Lookahead,
  mse,
  NAdam,
  NonFiniteError,
  OutOfMemoryError,
  ReduceOnPlateau,
  RMSProp,
  SAM,
  Sequential,
  SGD,
  schedules,
  type Tensor,
  tensor,
} from '../../../ts/index.js'
import { type OptimizerLike, Prodigy } from '../../../ts/optim/index.js'
import { Recording } from '../../../ts/train/fast/recording.js'
import { StepProgram } from '../../../ts/train/fast/step-program.js'

const rows = 53
const numbers = (n: number, seed: number) => Float32Array.from(new Generator(seed).uniforms(n), (u) => 2 * u - 1)
const data = { inputs: numbers(rows * 6, 1), shape: [rows, 6], targets: Int32Array.from({ length: rows }, (_, i) => (i * 7) % 4) }

const asked = () => Object.assign(new Activation('linear'), { forward: (x: Tensor) => x })
const layers = () => [new Dense(6, 9, { activation: 'tanh' }), new Dense(9, 4)]
/** The same net twice; in the second, a forward method that is a field makes steps run as they are written. */
const quick = (backend: Backend) => new Sequential(layers(), { seed: 3, backend })
const plain = (backend: Backend) => new Sequential([...layers(), asked()], { seed: 3, backend })

const throwsAt = (last: number) => (step: number) => {
  if (step >= last) throw new Error('no such step')
  return 0.01
}

type Make = (model: Sequential) => OptimizerLike
interface Outcome {
  weights: number[][]
  state: unknown
  epochs: unknown[]
  steps: number
  error: string | undefined
  learningRate: number
  /** True for each parameter whose gradient waits for more batches. */
  waiting: boolean[]
  /** Weights after one more step, which is written out. */
  further: number[][] | string
}

async function outcome(model: Sequential, make: Make, options: (o: OptimizerLike) => Partial<FitOptions>): Promise<Outcome> {
  const optimizer = make(model)
  let history: History | undefined
  let error: string | undefined
  try {
    history = await fit(model, { ...data, loss: crossEntropy, optimizer, epochs: 9, batchSize: 8, ...options(optimizer) } as FitOptions)
  } catch (thrown) {
    error = String(thrown)
  }
  const waiting = model.parameters().map((p) => p.gradientState === 'ready')
  return {
    weights: weightsOf(model),
    waiting,
    state: (optimizer as Partial<Adam>).state?.(),
    epochs: history?.epochs.map(({ seconds: _, ...record }) => record) ?? [],
    steps: history?.steps ?? 0,
    error,
    learningRate: optimizer.learningRate,
    further: furtherStep(model, optimizer),
  }
}

const weightsOf = (model: Sequential) => model.parameters().map((p) => [...p.data()])

function furtherStep(model: Sequential, optimizer: OptimizerLike): number[][] | string {
  crossEntropy(model.forward(tensor(data.inputs, data.shape, { backend: model.backend })), data.targets).backward()
  try {
    if (optimizer instanceof SAM) return weightsOf(model)
    optimizer.step()
  } catch (error) {
    return String(error)
  }
  return weightsOf(model)
}

/** Trains in both ways and compares the ends; returns the number of steps that ran many at a time. */
async function compare(
  backend: Backend,
  make: Make,
  options: (o: OptimizerLike) => Partial<FitOptions> = () => ({}),
  [fast, slow]: ((backend: Backend) => Sequential)[] = [quick, plain],
): Promise<number> {
  const run = vi.spyOn(StepProgram.prototype, 'run')
  const many = await outcome(fast(backend), make, options)
  const steps = run.mock.results.reduce((sum, { value }) => sum + (value?.done ?? 0), 0)
  run.mockClear()
  const single = await outcome(slow(backend), make, options)
  expect(run).not.toHaveBeenCalled()
  expect(many).toEqual(single)
  return steps
}

afterEach(() => vi.restoreAllMocks())

/** A learning rate that no float holds, so that parameters do not stay finite whatever the order of an update's factors. */
const TOO_LARGE = 1e45

const adam: Make = (model) => new Adam(model.parameters(), { learningRate: 0.01, weightDecay: 0.01 })

describe.each(supportedVariants())('%s', (variant) => {
  const backend = createBackend({ variant })

  test.each<[string, Make]>([
    ['Adam', adam],
    ['RMSProp', (model) => new RMSProp(model.parameters(), { learningRate: 0.01, momentum: 0.9 })],
    ['NAdam, which carries a product along', (model) => new NAdam(model.parameters(), { learningRate: 0.01 })],
    ['Lion that climbs', (model) => new Lion(model.parameters(), { learningRate: 0.001, maximize: true })],
    [
      'groups with options of their own',
      (model) => {
        const [w0, b0, w1, b1] = model.parameters()
        return new SGD([{ parameters: [w0, w1], momentum: 0.9, weightDecay: 0.1 }, { parameters: [b0, b1] }], { learningRate: 0.1 })
      },
    ],
  ])('%s', async (_name, make) => {
    expect(await compare(backend, make)).toBeGreaterThan(40)
  })

  const adds =
    (every: number): Make =>
    (model) =>
      new GradientAccumulation(new Adam(model.parameters(), { learningRate: 0.01, maximize: every === 3 }), { every })
  const sharp: Make = (model) => new SAM(new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 }), { rho: 0.2 })

  test.each<[string, number, Partial<FitOptions>]>([
    ['updates end with epochs', 7, { batchSize: 4, dropLast: true, epochs: 20 }],
    ['the last update of an epoch is of fewer batches', 4, { batchSize: 4, epochs: 20 }],
    ['callbacks hear of epochs', 4, { batchSize: 4, epochs: 20, onProgress: () => {} }],
    ['a batch an epoch', 3, { batchSize: 'full', epochs: 40 }],
    ['metrics', 4, { batchSize: 6, metrics: ['accuracy'], epochs: 20 }],
    ['a schedule', 2, { batchSize: 4, schedule: (step) => 0.01 / (1 + step), epochs: 20 }],
    ['a schedule that throws between updates', 4, { batchSize: 4, epochs: 20, schedule: throwsAt(106) }],
    ['a schedule that throws at the first batch of an update', 4, { batchSize: 4, epochs: 20, schedule: throwsAt(104) }],
    ['a rate at which training diverges', 3, { batchSize: 4, epochs: 20, schedule: (step) => (step < 90 ? 0.01 : TOO_LARGE) }],
    ['one batch', 1, { batchSize: 4, epochs: 20 }],
  ])('gradients that add up, %s', async (_name, every, options) => {
    const steps = await compare(backend, adds(every), () => options)
    if (options.batchSize !== 'full') expect(steps).toBeGreaterThan(40)
  })

  test.each([103, 104, 105, 106])('gradients that add up, and a schedule that stops training at step %i', async (last) => {
    const stops = () => {
      const controller = new AbortController()
      const schedule = (step: number) => {
        if (step === last) controller.abort()
        return 0.01
      }
      return { batchSize: 4, epochs: 20, signal: controller.signal, schedule }
    }
    expect(await compare(backend, adds(4), stops)).toBeGreaterThan(40)
    expect(await compare(backend, adds(4), () => ({ ...stops(), metrics: ['accuracy'] }))).toBeGreaterThan(40)
  })

  test('gradients that add up, from a state in the midst of an update', async () => {
    const started: Make = (model) => {
      const optimizer = adds(4)(model)
      for (let i = 0; i < 2; i++) {
        crossEntropy(model.forward(tensor(data.inputs, data.shape, { backend: model.backend })), data.targets).backward()
        optimizer.step()
      }
      return optimizer
    }
    expect(await compare(backend, started, () => ({ batchSize: 4, dropLast: false, epochs: 20 }))).toBeGreaterThan(40)
    expect(await compare(backend, started, () => ({ batchSize: 4, dropLast: true, epochs: 20 }))).toBeGreaterThan(40)
  })

  test.each<[string, Partial<FitOptions>]>([
    ['shuffled', {}],
    ['batches of one row', { batchSize: 1, epochs: 3 }],
    ['metrics', { metrics: ['accuracy'], epochs: 20 }],
    ['a schedule', { schedule: schedules.exponential(0.05, { factor: 0.99 }) }],
    ['a rate at which training diverges', { epochs: 20, schedule: (step) => (step < 70 ? 0.01 : TOO_LARGE) }],
  ])('SAM, %s', async (_name, options) => {
    expect(await compare(backend, sharp, () => options)).toBeGreaterThan(20)
  })

  test('SAM where gradients are 0, or too large to look around', async () => {
    // rows of weight 0 give no gradient
    const weights = Float32Array.from({ length: rows }, (_, i) => Number(i >= 40))
    const unshuffled = { weights, shuffle: false, epochs: 20 }
    expect(await compare(backend, sharp, () => unshuffled)).toBeGreaterThan(20)
    const lookFar = (optimizer: OptimizerLike) => {
      const onEpochEnd = ({ epoch }: { epoch: number }) => {
        if (epoch !== 10) return
        const state = optimizer.state()
        optimizer.loadState({ ...state, extra: { wrapper: 'SAM', own: { rho: 1e38 } } })
      }
      return { epochs: 20, callbacks: [{ onEpochEnd }] }
    }
    expect(await compare(backend, sharp, lookFar)).toBeGreaterThan(20)
  })

  test('SAM and gradients that add up, with dropout, draw what they would draw step by step', async () => {
    const dropped = (net: (backend: Backend) => Sequential) => (b: Backend) =>
      new Sequential([new Dense(6, 9), new Dropout(0.3), ...net(b).layers.slice(1)], { seed: 5, backend: b }) as Sequential
    for (const make of [sharp, adds(3), adds(4)])
      expect(await compare(backend, make, () => ({ epochs: 20 }), [dropped(quick), dropped(plain)])).toBeGreaterThan(40)
  })

  test.each<[string, Partial<FitOptions>]>([
    ['one batch an epoch', { batchSize: 'full', epochs: 60 }],
    ['batches that divide the rows, in order', { batchSize: 53, epochs: 60, shuffle: false }],
    ['batches of one row', { batchSize: 1, epochs: 3 }],
    ['short last batches left out', { dropLast: true }],
    ['a schedule', { schedule: schedules.exponential(0.05, { factor: 0.99 }) }],
    ['weights', { weights: numbers(rows, 5).map(Math.abs) }],
    ['values for classes', { loss: mse, targets: Array.from({ length: rows }, (_, r) => [...numbers(4, r)]) }],
    ['validation after each epoch', { validationFraction: 0.2 }],
    ['progress', { onProgress: () => {} }],
    ['accuracy', { metrics: ['accuracy'] }],
    [
      'metrics of numbers, with validation',
      {
        ...{ loss: mse, targets: Array.from({ length: rows }, (_, r) => [...numbers(4, r)]) },
        ...{ metrics: ['meanAbsoluteError', 'rootMeanSquaredError'], validationFraction: 0.2 },
      },
    ],
    [
      'a data set of several runs',
      {
        ...{ inputs: numbers(1500 * 6, 1), shape: [1500, 6], targets: Int32Array.from({ length: 1500 }, (_, i) => i % 4) },
        ...{ batchSize: 1, epochs: 1 },
      },
    ],
  ])('%s', async (_name, options) => {
    expect(await compare(backend, adam, () => options)).toBeGreaterThan(20)
  })

  test('a plateau, a stop and a change of options between epochs', async () => {
    const seen: number[][] = []
    const callbacks = (optimizer: OptimizerLike): Callback[] => {
      const losses: number[] = []
      seen.push(losses)
      const plateau = new ReduceOnPlateau(optimizer as Adam, { patience: 0, threshold: 0.5, factor: 0.5 })
      return [
        {
          onEpochEnd({ epoch, loss }, control) {
            losses.push(loss)
            plateau.step(loss)
            if (epoch === 3) (optimizer as Adam).groups[0].options.beta1 = 0.5
            if (epoch === 7) control.stop('enough')
          },
        },
      ]
    }
    expect(await compare(backend, adam, (optimizer) => ({ callbacks: callbacks(optimizer) }))).toBeGreaterThan(20)
    expect(seen[0]).toHaveLength(7)
    expect(seen[0]).toEqual(seen[1])
  })

  test('a loss that is not finite in the middle: the optimizer and the weights are those of the last good step', async () => {
    for (const make of [adam, (model: Sequential) => new NAdam(model.parameters(), { learningRate: 0.01 })]) {
      const steps = await compare(backend, make, () => ({
        schedule: (step) => (step < 40 ? 0.01 : TOO_LARGE),
        shuffle: false,
        dropLast: true,
      }))
      expect(steps).toBeGreaterThan(10)
    }
    const { error } = await outcome(quick(backend), adam, () => ({ schedule: (step) => (step < 40 ? 0.01 : TOO_LARGE) }))
    expect(error).toMatch(new RegExp(`${NonFiniteError.name}.*at step 4\\d `))
  })

  test('a schedule that throws does so at its step, with the steps before it taken', async () => {
    const schedule = (step: number) => {
      if (step === 33) throw new Error('no such step')
      return 0.01
    }
    expect(await compare(backend, adam, () => ({ schedule }))).toBeGreaterThan(10)
    expect((await outcome(quick(backend), adam, () => ({ schedule }))).error).toMatch(/no such step/)
  })

  test('a schedule that throws once, or answers what is no rate, does so at its step', async () => {
    const once = () => {
      let thrown = false
      return (step: number) => {
        if (step !== 33 || thrown) return 0.01
        thrown = true
        throw new Error('once')
      }
    }
    expect(await compare(backend, adam, () => ({ schedule: once() }))).toBeGreaterThan(10)
    expect((await outcome(quick(backend), adam, () => ({ schedule: once() }))).error).toMatch(/once/)
    for (const at of [0, 1, 14, 33]) {
      await compare(backend, adam, () => ({ schedule: (step) => (step < at ? 0.01 : -1) }))
    }
  })

  test('a schedule is asked once for each step, in order', async () => {
    for (const bad of [Number.POSITIVE_INFINITY, 40]) {
      const asked: number[] = []
      const schedule = (step: number) => {
        asked.push(step)
        return step < bad ? 0.01 : 1e38
      }
      await outcome(quick(backend), adam, () => ({ schedule }))
      expect(asked.length).toBeGreaterThan(40)
      expect(asked).toEqual(asked.map((_, i) => i))
    }
  })

  test.each<[string, (o: OptimizerLike) => (step: number) => number]>([
    ['reads the count of steps', (o) => () => 0.1 * 0.99 ** o.stepCount],
    ['reads the rate before', (o) => () => o.learningRate * 0.99],
    ['reads both, and diverges', (o) => () => (o.stepCount < 40 ? o.learningRate * 0.99 : 1e38)],
    [
      'sets an option that chooses another kernel',
      (o) => (step) => {
        if (step === 42) (o as RMSProp).groups[0].options.centered = true
        return 0.01
      },
    ],
    [
      'sets one that does not',
      (o) => (step) => {
        ;(o as RMSProp).groups[0].options.beta = 0.9 + step / 1000
        return 0.01
      },
    ],
  ])('a schedule that %s', async (_name, make) => {
    const options = (optimizer: OptimizerLike) => ({ schedule: make(optimizer) })
    const rmsprop: Make = (model) => new RMSProp(model.parameters(), { learningRate: 0.01 })
    expect(await compare(backend, rmsprop, options)).toBeGreaterThan(20)
  })

  test('a schedule that aborts: its step is the last, one by one or not', async () => {
    for (const make of [quick, plain]) {
      const controller = new AbortController()
      const schedule = (step: number) => {
        if (step === 43) controller.abort()
        return 0.01
      }
      const { steps } = await outcome(make(backend), adam, () => ({ schedule, signal: controller.signal }))
      expect(steps).toBe(44)
    }
  })

  test.each<[string, (o: Adam, before: ReturnType<Adam['state']>) => void]>([
    ['freezes a layer', ({ groups }) => void (groups[0].parameters[0].requiresGrad = false)],
    ['puts the optimizer back', (o, before) => o.loadState(before)],
    ['sets a gradient', ({ groups }) => void (groups[0].parameters[1].grad = new Float32Array(9).fill(1))],
  ])('a callback that %s where an epoch ends with a whole batch', async (_name, change) => {
    const even = { inputs: data.inputs.subarray(0, 48 * 6), shape: [48, 6], targets: data.targets.subarray(0, 48) }
    const options = (optimizer: OptimizerLike): Partial<FitOptions> => {
      const before = optimizer.state()
      const onEpochEnd = ({ epoch }: { epoch: number }) => {
        if (epoch === 10) change(optimizer as Adam, before as ReturnType<Adam['state']>)
      }
      return { ...even, batchSize: 8, epochs: 20, callbacks: [{ onEpochEnd }] }
    }
    expect(await compare(backend, adam, options)).toBeGreaterThan(20)
  })

  test.each<[string, Make]>([
    [
      'numbers of a step',
      (model) =>
        new (class extends Adam {
          protected override hyper(...args: Parameters<Adam['hyper']>) {
            return super.hyper({ ...args[0], learningRate: 0.1 * Math.abs(this.groups[0].parameters[0].data()[0]) }, args[1])
          }
        })(model.parameters()),
    ],
    [
      'weight decay',
      (model) =>
        new (class extends SGD {
          protected override coupledDecay() {
            return Math.abs(this.groups[0].parameters[0].data()[0])
          }
        })(model.parameters(), { learningRate: 0.1 }),
    ],
    [
      'decay of its own instance',
      (model) =>
        Object.assign(new Lion(model.parameters(), { learningRate: 0.001 }), {
          decoupledDecay(this: Lion) {
            return 0.01 * Math.abs(this.groups[0].parameters[0].data()[0])
          },
        }),
    ],
  ])('%s of one’s own: step by step', async (_name, make) => {
    expect(await compare(backend, make)).toBe(0)
  })

  test.each<[string, Make]>([
    ['a clipped gradient', (model) => new Adam(model.parameters(), { clipNorm: 0.1 })],
    ['a transform', (model) => new Adam(model.parameters(), { gradientTransforms: [clipGlobalNorm(0.1)] })],
    ['a rule that looks at gradients', (model) => new Prodigy(model.parameters())],
    ['a wrapper', (model) => new Lookahead(new Adam(model.parameters()))],
    ['a parameter that nobody updates', (model) => new Adam(model.parameters().slice(1))],
    [
      'a rule of one’s own',
      (model) =>
        new (class extends Adam {
          override step() {
            super.step()
          }
        })(model.parameters()),
    ],
  ])('%s: step by step', async (_name, make) => {
    expect(await compare(backend, make)).toBe(0)
  })

  test('what watches batches sees each', async () => {
    const seen: number[] = []
    const options = { callbacks: [{ onBatchEnd: ({ step }: { step: number }) => void seen.push(step) }] }
    expect(await compare(backend, adam, () => options)).toBe(0)
    expect(seen).toEqual([...Array.from({ length: 63 }, (_, i) => i + 1), ...Array.from({ length: 63 }, (_, i) => i + 1)])
  })

  test('a gradient that waits for the optimizer is used once', async () => {
    const other = (model: Sequential) => {
      const extra = quick(backend).parameters()[0]
      const optimizer = new Adam([...model.parameters(), extra], { learningRate: 0.01 })
      return { optimizer, extra }
    }
    const results = []
    for (const net of [quick, plain]) {
      const model = net(backend)
      const { optimizer, extra } = other(model)
      const onEpochEnd = () => {
        extra.grad = new Float32Array(extra.size).fill(1)
      }
      await fit(model, { ...data, loss: crossEntropy, optimizer, epochs: 6, batchSize: 8, callbacks: [{ onEpochEnd }] } as FitOptions)
      results.push([...[extra, ...model.parameters()].map((p) => [...p.data()]), [optimizer.stepCount]])
    }
    expect(results[0]).toEqual(results[1])
  })

  test('one that waits when a program could first be is no reason against later ones', async () => {
    const model = quick(backend)
    const extra = quick(backend).parameters()[0]
    const optimizer = new Adam([...model.parameters(), extra], { learningRate: 0.01 })
    const run = vi.spyOn(StepProgram.prototype, 'run')
    const options = { ...data, loss: crossEntropy, optimizer, epochs: 20, batchSize: 8, yieldEvery: 0 }
    const schedule = (step: number) => {
      // runs when other tasks have their turn: between the step that is recorded and the next one
      if (step === 0) setImmediate(() => (extra.grad = new Float32Array(extra.size).fill(1)))
      return 0.01
    }
    await fit(model, { ...options, schedule } as FitOptions)
    expect(run).toHaveBeenCalled()
  })

  test('losses are read where the memory is, also if the next step arena makes it grow', async () => {
    const losses = async (grows: boolean) => {
      const backend = createBackend({ variant })
      const model = quick(backend)
      if (grows) {
        const { arena, heap } = backend
        const enter = arena.enter.bind(arena)
        arena.enter = (continues) => {
          enter(continues)
          if (heap.floats.byteLength < 2 ** 28) heap.free(heap.allocate(heap.floats.byteLength))
        }
      }
      const history = await fit(model, { ...data, loss: crossEntropy, optimizer: adam(model), epochs: 9, batchSize: 8 } as FitOptions)
      expect(history.execution.programs).toBeGreaterThan(0)
      return history.epochs.map(({ loss }) => loss)
    }
    expect(await losses(true)).toEqual(await losses(false))
  })

  test('memory stays where it was', async () => {
    const model = quick(backend)
    const optimizer = adam(model)
    const run = () => fit(model, { ...data, loss: crossEntropy, optimizer, epochs: 50, batchSize: 8 } as FitOptions)
    await run()
    const used = backend.heap.usedBytes
    for (let i = 0; i < 5; i++) await run()
    // a finalizer of an earlier test may free memory meanwhile
    expect(backend.heap.usedBytes).toBeLessThanOrEqual(used)
  })

  test('without room for the rows of many steps, single ones are run', async () => {
    // allows memory only for the rows of one step, as in a heap that is nearly full
    const { allocate } = Recording.prototype
    const refused = vi.spyOn(Recording.prototype, 'allocate').mockImplementation(function (this: Recording, bytes: number) {
      if (bytes > 2000) throw new OutOfMemoryError(bytes, 0, 0)
      return allocate.call(this, bytes)
    })
    expect(await compare(backend, adam)).toBe(0)
    expect(refused.mock.results.some(({ type }) => type === 'throw')).toBe(true)
  })
})

test('JavaScript has no programs, and the same results', async () => {
  expect(await compare(createBackend({ backend: 'js' }), adam)).toBe(0)
})

describe('with threads', async () => {
  const backend = createBackend({ threads: 2 })
  await backend.ready

  test('a small net stays on one, many steps at a time', async () => {
    expect(await compare(backend, (model) => new Adam(model.parameters()))).toBeGreaterThan(0)
  })

  test('calls that are large enough to be shared are shared', async () => {
    const run = vi.spyOn(StepProgram.prototype, 'run')
    const pool = vi.spyOn(Pool.prototype, 'run')
    const model = new Sequential([new Dense(6, 400, { activation: 'tanh' }), new Dense(400, 400), new Dense(400, 4)], { seed: 3, backend })
    await fit(model, { ...data, loss: crossEntropy, optimizer: new Adam(model.parameters()), epochs: 3, batchSize: 48 })
    expect(run).not.toHaveBeenCalled()
    expect(pool).toHaveBeenCalled()
  })

  test('so are updates, where they alone are large', async () => {
    const run = vi.spyOn(StepProgram.prototype, 'run')
    const pool = vi.spyOn(Pool.prototype, 'run')
    const model = new Sequential([new Dense(6, 400), new Dense(400, 400), new Dense(400, 4)], { seed: 3, backend })
    await fit(model, { ...data, loss: crossEntropy, optimizer: new Adam(model.parameters()), epochs: 3, batchSize: 1 })
    expect(run).not.toHaveBeenCalled()
    expect(pool).toHaveBeenCalled()
  })
})
