/**
 * A training that is stopped, saved, loaded and resumed has the same bits as an uninterrupted one, for every optimizer, on both backends, with
 * callbacks and schedules.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clock } from '../../ts/common/clock.js'
import { decodeSafetensors } from '../../ts/export/index.js'
import {
  Adam,
  add,
  type Backend,
  BatchNorm,
  Checkpoint,
  type CheckpointOptions,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  EarlyStopping,
  Embedding,
  encodeModel,
  type FitOptions,
  Flatten,
  fit,
  fitMany,
  GradientAccumulation,
  type History,
  Lambda,
  Lookahead,
  loadModel,
  loadModelFile,
  Module,
  mse,
  ReduceOnPlateau,
  resumeFrom,
  SAM,
  Scheduler,
  Sequential,
  SGD,
  saveModel,
  schedules,
  TargetLoss,
  type Tensor,
  trainSteps,
  WeightAverage,
} from '../../ts/index.js'
import { OPTIMIZERS, ScheduleFreeAdamW, SparseAdam } from '../../ts/optim/index.js'
import {
  BFGS,
  ConjugateGradient,
  KFAC,
  LBFGS,
  LevenbergMarquardt,
  NaturalGradient,
  NewtonCG,
  TrustRegionNewton,
} from '../../ts/solve/index.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-checkpoint-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const fresh = () => path.join(folder, `${++files}.safetensors`)

const COUNT = 23
const numbers = (columns: number, at = 0) =>
  Array.from({ length: COUNT }, (_, i) => Array.from({ length: columns }, (_, j) => Math.sin(1 + i * 1.7 + j * 2.3 + at)))
const inputs = numbers(3)
const targets = numbers(2, 9)
const classes = inputs.map(([a, b]) => Number(a > b))

type Make = () => { model: Module; options: Omit<FitOptions, 'epochs'> }

/** Everything after training: weights, state of the optimizer, the history but for its seconds. */
const outcome = (model: Module, { optimizer }: Pick<FitOptions, 'optimizer'>, { epochs, steps }: History) => ({
  weights: model.state(),
  optimizer: (optimizer as Adam).state(),
  epochs: epochs.map(({ seconds: _, ...record }) => record),
  steps,
})

/** Trains without interruption, and in parts; each part is a program that has only the file of the previous one. */
async function inParts(make: Make, ends: readonly number[], checkpointOptions: () => CheckpointOptions = () => ({})) {
  const whole = make()
  const all = await fit(whole.model, { ...whole.options, epochs: ends[ends.length - 1] })
  const file = fresh()
  let last: ReturnType<typeof outcome> | undefined
  let history: History | undefined
  for (const epochs of ends) {
    const { model, options } = make()
    const checkpoint = new Checkpoint(file, checkpointOptions())
    const callbacks = [...(options.callbacks ?? []), checkpoint]
    history = await fit(model, { ...options, callbacks, epochs, resume: checkpoint })
    last = outcome(model, options, history)
  }
  return { whole: outcome(whole.model, whole.options, all), parts: last, history, file }
}

describe('the same bits as never stopped', () => {
  const backends = { js: createBackend({ backend: 'js' }), WebAssembly: createBackend({ backend: 'wasm' }) }
  const net = (backend: Backend = backends.WebAssembly) =>
    new Sequential([new Dense(3, 4, { activation: 'tanh' }), new Dense(4, 2)], { seed: 3, backend })
  const wrappers: Record<string, (model: Module) => FitOptions['optimizer']> = {
    Lookahead: (m) => new Lookahead(new Adam(m.parameters()), { every: 3 }),
    SAM: (m) => new SAM(new SGD(m.parameters(), { learningRate: 0.1, momentum: 0.9 })),
    GradientAccumulation: (m) => new GradientAccumulation(new Adam(m.parameters()), { every: 3 }),
  }
  const whole: Record<string, (model: Module) => FitOptions['optimizer']> = {
    LBFGS: (m) => new LBFGS(m.parameters()),
    BFGS: (m) => new BFGS(m.parameters()),
    ConjugateGradient: (m) => new ConjugateGradient(m.parameters()),
    NewtonCG: (m) => new NewtonCG(m.parameters()),
    TrustRegionNewton: (m) => new TrustRegionNewton(m.parameters()),
    LevenbergMarquardt: (m) => new LevenbergMarquardt(m as Sequential),
    NaturalGradient: (m) => new NaturalGradient(m as Sequential, { loss: 'mse' }),
    KFAC: (m) => new KFAC(m as Sequential, { loss: 'mse' }),
  }
  const steppers = Object.entries(OPTIMIZERS)
    .filter(([name]) => name !== 'SparseAdam')
    .map(([name, Class]) => [name, (m: Module) => new (Class as unknown as typeof Adam)(m.parameters())] as const)
  const everyOptimizer = [...steppers, ...Object.entries(wrappers), ...Object.entries(whole)]

  describe.each(Object.entries(backends))('on %s', (_, backend) => {
    test.each(everyOptimizer)('fault 14: %s', async (name, make) => {
      const batchSize = name in whole ? 'full' : 5
      const parts = await inParts(() => {
        const model = net(backend)
        return { model, options: { inputs, targets, loss: mse, optimizer: make(model), batchSize } }
      }, [2, 5])
      expect(parts.parts).toEqual(parts.whole)
    })

    test('fault 14: SparseAdam, some of whose rows are looked up in each step', async () => {
      const parts = await inParts(() => {
        const model = new Sequential([new Embedding(30, 4), new Flatten(), new Dense(8, 2)], { seed: 2, backend })
        const [table, ...others] = model.parameters()
        const optimizer = new SparseAdam([table], { learningRate: 0.05 })
        for (const parameter of others) parameter.requiresGrad = false
        const words = Int32Array.from({ length: 2 * COUNT }, (_, i) => (i * 7) % 30)
        return { model, options: { inputs: words, shape: [COUNT, 2], targets: classes, loss: crossEntropy, optimizer, batchSize: 4 } }
      }, [2, 3, 6])
      expect(parts.parts).toEqual(parts.whole)
      expect(parts.whole.optimizer).not.toEqual({})
    })
  })

  test('fault 14: the list has every optimizer', () => {
    expect(Object.keys(OPTIMIZERS).filter((name) => !everyOptimizer.some(([known]) => known === name))).toEqual(['SparseAdam'])
    expect(everyOptimizer.length).toBeGreaterThan(40)
  })

  test.each(['js', 'simd'] as const)('fault 14: everything at once, on %s', async (variant) => {
    class Two extends Module {
      first = new Dense(3, 5, { activation: 'gelu' })
      second = new Dense(3, 5, { activation: 'relu', bias: false })
      forward(x: Tensor): Tensor {
        return add(this.first.forward(x), this.second.forward(x)) as Tensor
      }
    }
    let parts: Record<string, Scheduler> = {}
    const make = () => {
      const backend = createBackend({ backend: variant === 'js' ? 'js' : 'wasm' })
      const layers = [new Two(), new BatchNorm(5), new Dropout(0.2), new Lambda((x) => x), new Dense(5, 2)]
      const model = new Sequential(layers, { seed: 8, backend })
      model.parameters()[1].requiresGrad = false
      const optimizer = new WeightAverage(new ScheduleFreeAdamW(model.parameters(), { learningRate: 0.01 }))
      const scheduler = new Scheduler(optimizer, { beta1: schedules.linear(0.9, 0.8, 12) })
      parts = { scheduler }
      const follow = { onEpochEnd: () => scheduler.step() }
      const schedule = schedules.warmup(schedules.cosine(0.02, { steps: 40 }), { steps: 7 })
      const callbacks = [follow, new EarlyStopping({ patience: 4 }), new ReduceOnPlateau(optimizer, { patience: 1 })]
      const shared = { loss: crossEntropy, optimizer, schedule, batchSize: 4, seed: 5, metrics: ['accuracy'] as const }
      return { model, options: { inputs, targets: classes, ...shared, validationFraction: 0.3, callbacks } }
    }
    const result = await inParts(make, [1, 4, 6, 9], () => ({ parts, monitor: 'validation.loss' }))
    expect(result.parts).toEqual(result.whole)
  })

  test('embeddings, rows in order, batches that are left out', async () => {
    const words = inputs.map((row) => row.map((value) => Math.floor((value + 1) * 2.49)))
    const make = () => {
      const model = new Sequential([new Embedding(5, 2), new Flatten(), new Dense(6, 2)], { seed: 1 })
      const optimizer = new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.5 })
      const data = { inputs: Int32Array.from(words.flat()), shape: [COUNT, 3], targets: classes }
      return { model, options: { ...data, loss: crossEntropy, optimizer, batchSize: 4, shuffle: false, dropLast: true } }
    }
    const result = await inParts(make, [3, 4, 8])
    expect(result.parts).toEqual(result.whole)
  })

  test('fault 14: an early stop, its best weights, and a target that was reached', async () => {
    const make = () => {
      const model = net()
      const optimizer = new Adam(model.parameters(), { learningRate: 0.3 })
      return {
        model,
        options: { inputs, targets, loss: mse, optimizer, validationFraction: 0.4, callbacks: [new EarlyStopping({ patience: 3 })] },
      }
    }
    const result = await inParts(make, [2, 3, 40, 60])
    expect(result.history?.stopReason).toMatch(/^validation.loss has not improved/)
    expect(result.parts?.epochs.length).toBeLessThan(40)
    expect(result.parts).toEqual(result.whole)
    const reached = await inParts(() => {
      const { model, options } = make()
      return { model, options: { ...options, callbacks: [new TargetLoss({ target: 0.4 })] } }
    }, [1, 60, 80])
    expect(reached.history?.stopReason).toMatch(/reached the target/)
    expect(reached.parts).toEqual(reached.whole)
  })
})

describe('within an epoch, the same bits as never stopped', () => {
  /** All files that are saved within epochs, by their number of steps, and the outcome of an uninterrupted training. */
  async function savedWithin(make: Make, epochs: number, checkpointOptions: CheckpointOptions) {
    const whole = make()
    const all = await fit(whole.model, { ...whole.options, epochs })
    const { model, options } = make()
    const file = fresh()
    const saved: { step: number; bytes: Buffer }[] = []
    const look = {
      onBatchSaved({ step }: { step: number }) {
        const bytes = existsSync(file) ? readFileSync(file) : null
        if (bytes !== null && !(saved.length > 0 && bytes.equals(saved[saved.length - 1].bytes))) saved.push({ step, bytes })
      },
    }
    const callbacks = [...(options.callbacks ?? []), new Checkpoint(file, checkpointOptions), look]
    const history = await fit(model, { ...options, epochs, callbacks })
    expect(outcome(model, options, history)).toEqual(outcome(whole.model, whole.options, all))
    return { saved, whole: outcome(whole.model, whole.options, all) }
  }

  async function wentOn(make: Make, epochs: number, bytes: Uint8Array) {
    const { model, options } = make()
    const callbacks = [...(options.callbacks ?? []), new Checkpoint(fresh())]
    return outcome(model, options, await fit(model, { ...options, epochs, callbacks, resume: resumeFrom(bytes) }))
  }

  const optimizers: Record<string, (model: Module) => FitOptions['optimizer']> = {
    Adam: (m) => new Adam(m.parameters()),
    'SGD with momentum': (m) => new SGD(m.parameters(), { learningRate: 0.1, momentum: 0.9 }),
    ScheduleFreeAdamW: (m) => new ScheduleFreeAdamW(m.parameters()),
    Lookahead: (m) => new Lookahead(new Adam(m.parameters()), { every: 3 }),
    SAM: (m) => new SAM(new SGD(m.parameters(), { learningRate: 0.1 })),
    GradientAccumulation: (m) => new GradientAccumulation(new Adam(m.parameters()), { every: 2 }),
    KFAC: (m) => new KFAC(m as Sequential, { loss: 'mse' }),
  }
  // 23 rows in batches of 4: five and a last one of three
  for (const backend of ['js', 'wasm'] as const)
    test.each(Object.entries(optimizers))(
      `%s on ${backend}, shuffled, a last batch of three rows, dropout, a schedule`,
      async (name, make) => {
        const makeAll = () => {
          const own = createBackend({ backend })
          const layers = name === 'KFAC' ? [] : [new Dropout(0.3)]
          const model = new Sequential([new Dense(3, 4, { activation: 'tanh' }), ...layers, new Dense(4, 2)], { seed: 3, backend: own })
          const schedule = schedules.cosine(0.02, { steps: 30 })
          const optimizer = make(model)
          const metrics = ['mae'] as const
          return {
            model,
            options: { inputs, targets, loss: mse, optimizer, batchSize: 4, seed: 6, metrics, ...(name in steppers && { schedule }) },
          }
        }
        const { saved, whole } = await savedWithin(makeAll, 4, { every: { steps: 1 } })
        const inEpochs = saved.map(({ step }) => step % 6)
        expect(new Set(inEpochs)).toEqual(new Set(name === 'GradientAccumulation' ? [2, 4] : [1, 2, 3, 4, 5]))
        for (const { bytes } of saved.filter((_, i) => i % 4 === 1)) expect(await wentOn(makeAll, 4, bytes)).toEqual(whole)
      },
    )
  const steppers = { Adam: 1, 'SGD with momentum': 1, Lookahead: 1 }

  test('rows in order, a metric that wants all rows of an epoch, and one who looks at each batch', async () => {
    const worst = (p: Tensor, t: Tensor) => Math.max(...p.data().map((x, i) => Math.abs(x - t.data()[i])))
    const rates: number[] = []
    const make = () => {
      const model = new Sequential([new Dense(3, 4, { activation: 'tanh' }), new Dense(4, 2)], { seed: 3 })
      const optimizer = new Adam(model.parameters())
      const callbacks = [{ onBatchEnd: ({ learningRate }: { learningRate: number }) => void rates.push(learningRate) }]
      return { model, options: { inputs, targets, loss: mse, optimizer, batchSize: 4, shuffle: false, metrics: { worst }, callbacks } }
    }
    const { saved, whole } = await savedWithin(make, 3, { every: { steps: 2 } })
    expect(saved.map(({ step }) => step)).toEqual([2, 4, 7, 8, 10, 13, 14, 16])
    for (const { bytes } of saved) expect(await wentOn(make, 3, bytes)).toEqual(whole)
  })

  test('many steps between two files, as programs run them, with early stopping', async () => {
    const rows = Array.from({ length: 1003 }, (_, i) => [Math.sin(i), Math.cos(i * 1.3), Math.sin(i * 0.7)])
    const make = () => {
      const model = new Sequential([new Dense(3, 8, { activation: 'tanh' }), new Dense(8, 2)], { seed: 3 })
      const optimizer = new Adam(model.parameters())
      const data = { inputs: rows, targets: Int32Array.from(rows, ([a, b]) => Number(a > b)), validationFraction: 0.1 }
      const callbacks = [new EarlyStopping({ patience: 2 })]
      return { model, options: { ...data, loss: crossEntropy, optimizer, batchSize: 4, metrics: ['accuracy'] as const, callbacks } }
    }
    const { model, options } = make()
    const history = await fit(model, {
      ...options,
      epochs: 3,
      callbacks: [...options.callbacks, new Checkpoint(fresh(), { every: { steps: 100 } })],
    })
    expect(history.execution.programs).toBeGreaterThan(400)
    const { saved, whole } = await savedWithin(make, 3, { every: { steps: 100 } })
    expect(saved.map(({ step }) => step)).toEqual([100, 200, 300, 400, 500, 600])
    for (const { bytes } of [saved[0], saved[5]]) expect(await wentOn(make, 3, bytes)).toEqual(whole)
  })

  test('who stops in the midst of an epoch finds it there', async () => {
    const make = () => {
      const model = new Sequential([new Dense(3, 4, { activation: 'tanh' }), new Dense(4, 2)], { seed: 3 })
      return { model, options: { inputs, targets, loss: mse, optimizer: new Adam(model.parameters()), batchSize: 4 } }
    }
    const whole = make()
    const all = await fit(whole.model, { ...whole.options, epochs: 5 })
    const file = fresh()
    const first = make()
    const stop = { onBatchEnd: ({ step }: { step: number }, control: { stop(): void }) => step === 15 && control.stop() }
    const checkpoint = new Checkpoint(file, { every: { epochs: 2 } })
    await fit(first.model, { ...first.options, epochs: 5, callbacks: [stop as never, checkpoint] })
    expect((await loadModelFile(file)).training.part.batches).toBe(3)
    const second = make()
    const history = await fit(second.model, { ...second.options, epochs: 5, callbacks: [checkpoint], resume: checkpoint })
    expect(outcome(second.model, second.options, history)).toEqual(outcome(whole.model, whole.options, all))
  })

  test('by the clock', async () => {
    const spied = vi.spyOn(clock, 'now')
    let minutes = 0
    spied.mockImplementation(() => minutes * 60_000)
    try {
      const model = new Sequential([new Dense(3, 2)], { seed: 3 })
      const file = fresh()
      const saved: number[] = []
      const look = {
        onBatchEnd: () => void (minutes += 4),
        onBatchSaved: async () => {
          const found = await loadModelFile(file).catch(() => null)
          if (found !== null && saved[saved.length - 1] !== found.training.part?.batches) saved.push(found.training.part?.batches)
        },
      }
      const options = { inputs, targets, loss: mse, optimizer: new Adam(model.parameters()), batchSize: 1, epochs: 1 }
      await fit(model, { ...options, callbacks: [new Checkpoint(file, { every: { minutes: 10 } }), look] })
      expect(saved).toEqual([3, 6, 9, 12, 15, 18, 21])
    } finally {
      spied.mockRestore()
    }
  })

  test('a part of an epoch that cannot be gone on from', async () => {
    const make = (metrics: readonly 'mae'[] = []) => {
      const model = new Sequential([new Dense(3, 2)], { seed: 3 })
      return { model, options: { inputs, targets, loss: mse, optimizer: new Adam(model.parameters()), batchSize: 4, metrics } }
    }
    const { saved } = await savedWithin(make, 2, { every: { steps: 8 } })
    const { bytes } = saved[saved.length - 1]
    await expect(wentOn(() => make(['mae']), 2, bytes)).rejects.toThrow(
      'resume: the file is of the midst of epoch 2, for which the metrics have to be the same as there',
    )
    await expect(wentOn(make, 1, bytes)).rejects.toThrow('resume: the training in the file has had 2 epochs, this one is to have 1')
    expect(() => new Checkpoint(fresh(), { every: { steps: 0 } })).toThrow('Checkpoint: every: steps wants a whole number ≥ 1, got 0')
  })
})

describe('Checkpoint', () => {
  const make = (seed = 1) => {
    const model = new Sequential([new Dense(3, 8, { activation: 'tanh' }), new Dense(8, 2)], { seed })
    return { model, optimizer: new Adam(model.parameters(), { learningRate: 0.02 }) }
  }
  const data = { inputs, targets, loss: mse, validation: { inputs: numbers(3, 4), targets } }

  test('saves every so many epochs and the last, keeps as many as it is asked to, and the best', async () => {
    const file = fresh()
    const { model, optimizer } = make()
    const callbacks = [new Checkpoint(file, { every: { epochs: 3 }, keep: 3, monitor: 'validation.loss' })]
    const history = await fit(model, { ...data, optimizer, epochs: 10, callbacks })
    const names = readdirSync(folder).filter((name) => name.startsWith(`${files}.`))
    expect(names.sort()).toEqual(['', '.1', '.2', '.best'].map((tag) => `${files}${tag}.safetensors`).sort())
    const of = async (tag: string) => loadModelFile(file.replace('.safetensors', `${tag}.safetensors`))
    const epochs = await Promise.all(['', '.1', '.2'].map(async (tag) => (await of(tag)).training.epochs.length))
    expect(epochs).toEqual([10, 9, 6])
    const losses = history.epochs.map(({ validation }) => validation?.loss as number)
    expect((await of('.best')).training.epochs.length).toBe(losses.indexOf(Math.min(...losses)) + 1)
    expect((await loadModel(file)).state()).toEqual(model.state())
  })

  test('saves by the clock, at the end of an epoch', async () => {
    const spied = vi.spyOn(clock, 'now')
    let minutes = 0
    spied.mockImplementation(() => minutes * 60_000)
    try {
      const { model, optimizer } = make()
      const file = fresh()
      const saved: number[] = []
      const look = {
        onEpochEnd: () => {
          minutes += 4
        },
        onEpochSaved: async ({ epoch }: { epoch: number }) => {
          const { training } = await loadModelFile(file).catch(() => ({ training: { epochs: [] } }))
          if (training.epochs.length === epoch) saved.push(epoch)
        },
      }
      await fit(model, { ...data, optimizer, epochs: 7, callbacks: [new Checkpoint(file, { every: { minutes: 10 } }), look] })
      expect(saved).toEqual([3, 6, 7])
    } finally {
      spied.mockRestore()
    }
  })

  test('has averages for who predicts, and what is trained for who goes on', async () => {
    const { model } = make()
    const optimizer = new ScheduleFreeAdamW(model.parameters())
    const file = fresh()
    await fit(model, { ...data, optimizer, epochs: 3, callbacks: [new Checkpoint(file)] })
    const averaged = optimizer.evaluate(() => model.state())
    expect(averaged).not.toEqual(model.state())
    expect((await loadModel(file)).state()).toEqual(averaged)
  })

  test('a file that is damaged is told, and the one before it is gone on from', async () => {
    const file = fresh()
    const start = make()
    await fit(start.model, { ...data, optimizer: start.optimizer, epochs: 4, callbacks: [new Checkpoint(file)] })
    const bytes = readFileSync(file)
    bytes[bytes.length - 3] ^= 4
    writeFileSync(file, bytes)
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const again = make(2)
    const checkpoint = new Checkpoint(file)
    await fit(again.model, { ...data, optimizer: again.optimizer, epochs: 4, callbacks: [checkpoint], resume: checkpoint })
    expect(warn.mock.calls.join()).toMatch(/is damaged: its checksum.*going on from the file before it/)
    expect(again.model.state()).toEqual(start.model.state())
    warn.mockRestore()
    for (const name of readdirSync(folder).filter((name) => name.startsWith(`${files}.`))) writeFileSync(path.join(folder, name), 'x')
    const third = make()
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    await expect(fit(third.model, { ...data, optimizer: third.optimizer, epochs: 4, resume: checkpoint })).rejects.toThrow(/truncated/)
    vi.restoreAllMocks()
  })

  test('what is not the same training is refused, and nothing was changed', async () => {
    const file = fresh()
    const first = make()
    await fit(first.model, { ...data, optimizer: first.optimizer, epochs: 2, callbacks: [new EarlyStopping(), new Checkpoint(file)] })
    const callbacks = [new EarlyStopping()]
    const tries: [Partial<FitOptions>, RegExp][] = [
      [{ batchSize: 5 }, /resume: batchSize was 23 in the training in the file, this one has 5/],
      [{ seed: 3 }, /resume: seed was 0 .* this one has 3/],
      [{ shuffle: false }, /resume: shuffle was true .* this one has false/],
      [{ inputs: numbers(3, 1) }, /resume: these are other rows/],
      [{ inputs: inputs.slice(1), targets: targets.slice(1) }, /resume: rows was 23 .* this one has 22/],
      [{ epochs: 1 }, /resume: the training in the file has had 2 epochs, this one is to have 1/],
      [{ callbacks: [] }, /resume: the callbacks with a state were EarlyStopping, Checkpoint, this training has none/],
    ]
    for (const [options, message] of tries) {
      const { model, optimizer } = make(7)
      const before = model.state()
      const all = { ...data, optimizer, epochs: 5, batchSize: COUNT, callbacks: [...callbacks, new Checkpoint(fresh())], ...options }
      await expect(fit(model, { ...all, resume: resumeFrom(file) })).rejects.toThrow(message)
      expect(model.state()).toEqual(before)
    }
    const other = new Sequential([new Dense(3, 8, { activation: 'relu' }), new Dense(8, 2)])
    const withOther = { ...data, optimizer: new Adam(other.parameters()), batchSize: COUNT, epochs: 5, resume: resumeFrom(file) }
    await expect(fit(other, withOther)).rejects.toThrow(
      "the model is another one: the file has Dense(3, 8, tanh) at '0', this one Dense(3, 8, relu) at '0'",
    )
    const { model } = make()
    await expect(fit(model, { ...withOther, optimizer: new SGD(model.parameters()) })).rejects.toThrow(/optimizer was 'Adam'/)
    const [weight, ...rest] = model.parameters()
    const groups = new Adam([{ parameters: [weight] }, { parameters: rest }])
    const before = model.state()
    const same = { ...data, batchSize: COUNT, epochs: 5, callbacks: [...callbacks, new Checkpoint(fresh())], resume: resumeFrom(file) }
    await expect(fit(model, { ...same, optimizer: groups })).rejects.toThrow('the state has 1 groups, the optimizer 2')
    expect(model.state()).toEqual(before)
    const plain = fresh()
    await saveModel(model, plain)
    await expect(fit(model, { ...withOther, optimizer: new Adam(model.parameters()), resume: resumeFrom(plain) })).rejects.toThrow(
      'resume: the file holds a model, but no training',
    )
  })

  test('arguments that cannot be', async () => {
    const file = fresh()
    expect(() => new Checkpoint('')).toThrow('Checkpoint: wants the path of a file')
    expect(() => new Checkpoint(file, { every: { epoch: 3 } } as never)).toThrow("there is no option 'epoch'; did you mean epochs?")
    expect(() => new Checkpoint(file, { every: { epochs: 0 } })).toThrow('Checkpoint: every: epochs wants a whole number ≥ 1, got 0')
    for (const keep of [0, 1.5, 1e9])
      expect(() => new Checkpoint(file, { keep })).toThrow('Checkpoint: keep wants a whole number from 1 to 1000')
    await expect(saveModel(make().model, file, {}, { keep: 1e9 })).rejects.toThrow('saveModel: keep wants a whole number from 1 to 1000')
    expect(() => new Checkpoint(file, { every: { minutes: -1 } })).toThrow('Checkpoint: every: minutes wants a number above 0, got -1')
    expect(() => new Checkpoint(file, { monitor: 'gain' })).toThrow("Checkpoint: say whether more of 'gain' is better")
    expect(() => new Checkpoint(file, { mode: 'max' })).toThrow('mode says what is better of monitor')
    expect(() => new Checkpoint(file, { parts: { x: {} as never } })).toThrow(
      "parts wants what has state() and loadState(), got an object with nothing for 'x'",
    )
    const { model, optimizer } = make()
    await expect(fit(model, { ...data, optimizer, resume: 'run' as never })).rejects.toThrow(
      "fit: resume wants a Checkpoint, or resumeFrom(file), got 'run'",
    )
    const steps = trainSteps(model, { inputs, targets, loss: mse, optimizer, resume: new Checkpoint(file) } as never)
    await expect(steps.next()).rejects.toThrow('trainSteps: resume is an option of fit')
    const many = fitMany([model], { inputs, targets, loss: mse, optimizers: [optimizer], resume: new Checkpoint(file) } as never)
    await expect(many).rejects.toThrow("fitMany: there is no option 'resume'")
    expect(() => encodeModel(model, { training: {} })).toThrow("no part can be named 'training'")
  })

  test('of a model whose layers no file knows the numbers are there, and why the layers are not', async () => {
    const model = new Sequential([new Lambda((x) => x), new Dense(3, 2)], { seed: 2 })
    const file = fresh()
    await fit(model, { ...data, optimizer: new Adam(model.parameters()), epochs: 1, callbacks: [new Checkpoint(file)] })
    await expect(loadModel(file)).rejects.toThrow(/the file has numbers, but no layers, as encodeModel: layer '0' is a Lambda/)
    expect(decodeSafetensors(readFileSync(file)).tensors['1.weight'].shape).toEqual([3, 2])
  })
})
