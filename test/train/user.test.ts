/** What a new user ran into in training, each with the program that showed it. */
import { describe, expect, test } from 'vitest'
import {
  Adam,
  type Callback,
  concat,
  createBackend,
  Dense,
  Dropout,
  EarlyStopping,
  evaluateModel,
  findLearningRate,
  fit,
  GradientAccumulation,
  Lambda,
  LBFGS,
  Lookahead,
  type Loss,
  Module,
  matmul,
  mean,
  mse,
  mul,
  Optimizer,
  type OptimizerLike,
  Parameter,
  type Progress,
  ReduceOnPlateau,
  relu,
  SAM,
  ScheduleFreeAdamW,
  Sequential,
  SGD,
  schedules,
  square,
  stack,
  sub,
  supportedVariants,
  type Tensor,
  type TensorLike,
  type TrainingControl,
  tensor,
  trainSteps,
  WeightAverage,
  zeros,
} from '../../ts/index.js'

const backends = [createBackend({ backend: 'js' }), ...supportedVariants().map((variant) => createBackend({ variant }))]

describe.each(backends)('$variant', (backend) => {
  const line = () => new Sequential([new Dense(1, 1)], { seed: 1, backend })
  const inputs = Array.from({ length: 40 }, (_, i) => [i / 20 - 1])
  const flat = inputs.map(([x]) => 3 * x - 1)
  /** As anybody writes it; mse under another name. */
  const own: Loss = (p, t) => mean(square(sub(p, t)))

  test('rows may be typed arrays, as embeddings come', async () => {
    const vectors = inputs.map((row) => Float64Array.from(row))
    const run = async (data: { inputs: TensorLike }) => {
      const model = line()
      const optimizer = new Adam(model.parameters())
      await fit(model, { ...data, targets: flat, loss: mse, optimizer, epochs: 2 })
      return [...model.predict(data.inputs).data()]
    }
    expect(await run({ inputs: vectors })).toEqual(await run({ inputs }))
    expect(tensor([[Int32Array.of(1, 2)], [Int32Array.of(3, 4)]], { backend }).toArray()).toEqual([[[1, 2]], [[3, 4]]])
  })

  describe('targets of one output may be flat, also for losses and metrics of your own', () => {
    const data = { inputs, targets: flat, loss: own }
    const shapes: unknown[] = []
    const metrics = {
      shape: (p: Tensor, t: Tensor) => {
        shapes.push(p.shape, t.shape)
        return mean(square(sub(p, t))).item()
      },
    }

    test('fit trains the same bits as on a column, and metrics see a column', async () => {
      const column = flat.map((y) => [y])
      const [a, b, c] = [line(), line(), line()]
      const options = { epochs: 5, batchSize: 16, metrics }
      const learn = (model: Sequential, more: object) =>
        fit(model, { ...data, ...options, ...more, optimizer: new SGD(model.parameters(), { learningRate: 0.1 }) })
      const history = await learn(a, { validation: { inputs, targets: flat } })
      await learn(b, { targets: column })
      expect(a.state()).toEqual(b.state())
      expect(history.epochs[4].valMetrics?.shape).toBeCloseTo(history.epochs[4].valLoss ?? Number.NaN, 6)
      await learn(c, { loss: mse })
      for (let i = 0; i < shapes.length; i += 2) expect(shapes[i + 1]).toEqual(shapes[i])
      expect(a.predict([[0]]).item()).toBeCloseTo(c.predict([[0]]).item(), 4)
    })

    test('so do whole steps, trainSteps, evaluateModel and findLearningRate', async () => {
      const [model, other] = [line(), line()]
      await fit(model, { ...data, optimizer: new LBFGS(model.parameters()), batchSize: 'full', epochs: 3, metrics })
      expect(evaluateModel(model, data).loss).toBeLessThan(1e-6)
      const optimizer = new SGD(other.parameters(), { learningRate: 0.1 })
      for await (const { prediction, targets } of trainSteps(other, { ...data, optimizer })) expect(targets.shape).toEqual(prediction.shape)
      const curve = (loss: Loss) => findLearningRate(other, { ...data, loss, optimizer, steps: 5 })
      expect((await curve(own)).losses[4]).toBeCloseTo((await curve(mse)).losses[4], 5)
    })

    test('a loss of several numbers is refused by name', async () => {
      const everyRow: Loss = (p, t) => square(sub(p, t))
      const model = line()
      const optimizer = new SGD(model.parameters(), { learningRate: 0.1 })
      await expect(fit(model, { inputs, targets: flat, loss: everyRow, optimizer })).rejects.toThrow(
        /loss 'everyRow' must return one number for the batch, got shape \[32, 1\]; take its mean/,
      )
      expect(() => evaluateModel(model, { inputs, targets: flat, loss: (() => 1) as never })).toThrow(/must return a Tensor.*got 1/)
    })
  })

  test('predict of many rows copies each of them once', () => {
    const model = new Sequential([new Dense(4, 3, { activation: 'relu' }), new Dense(3, 2)], { seed: 1, backend })
    const x = tensor(
      Float32Array.from({ length: 4 * 5000 }, (_, i) => Math.sin(i)),
      [5000, 4],
      { backend },
    )
    const whole = model.predict(x, { batchSize: 5000 })
    const { copies } = backend.arena
    expect(model.predict(x, { batchSize: 100 }).data()).toEqual(whole.data())
    // 50 blocks of the input
    expect(backend.arena.copies - copies).toBe(50)
    let elements = 0
    const { allocate } = backend.arena
    backend.arena.allocate = (bytes) => {
      elements += bytes / 4
      return allocate.call(backend.arena, bytes)
    }
    model.predict(x, { batchSize: 100 })
    backend.arena.allocate = allocate
    expect(elements).toBeLessThan(5000 * (4 + 3 + 3 + 2 + 8))
  })

  test('predict in batches takes inputs from a step, and refuses outputs that are no rows of one table', () => {
    const model = new Sequential([new Dense(2, 1)], { seed: 1, backend })
    const x = mul(
      tensor(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        { requiresGrad: true, backend },
      ),
      2,
    )
    expect(model.predict(x, { batchSize: 2 }).data()).toEqual(model.predict(x.keep()).data())
    class Odd extends Module {
      constructor(private of: (x: Tensor) => Tensor) {
        super({ backend })
      }
      forward(x: Tensor) {
        return this.of(x)
      }
    }
    const batches = { batchSize: 2 }
    expect(() => new Odd((t) => matmul(t, t, { transposeB: true })).predict(x, batches)).toThrow(
      /predict: .*shapes \[2, 2\] and \[1, 1\] are not rows/,
    )
    expect(() => new Odd((t) => mean(t)).predict(x, batches)).toThrow(/shapes \[\] and \[\] are not rows/)
  })

  test('layers in plain objects are trained and saved, however they are nested', () => {
    class Heads extends Module {
      heads = { left: new Dense(2, 8), right: [new Dense(2, 8), new Dense(8, 1)] }
      blocks = [{ scale: new Parameter([1], { backend }), inner: new Map([['deep', new Dense(2, 2)]]) }]
      bare = Object.assign(Object.create(null), { bias: new Parameter([0], { backend }) })
      data = [[1, 2], [3]]
      self: object = { backend }
      forward(x: Tensor): Tensor {
        return this.heads.left.forward(x)
      }
    }
    const model = new Heads({ backend })
    ;(model.self as { self: object }).self = model.self
    const names = [...model.namedParameters().keys()]
    expect(names.sort()).toEqual(
      [
        ...['heads.left.weight', 'heads.left.bias', 'heads.right.0.weight', 'heads.right.0.bias', 'heads.right.1.weight'],
        ...['heads.right.1.bias', 'blocks.0.scale', 'blocks.0.inner.deep.weight', 'blocks.0.inner.deep.bias', 'bare.bias'],
      ].sort(),
    )
    expect(model.heads.right[1].path).toBe('heads.right.1')
    expect(model.parameters().every((p) => names.includes(p.name))).toBe(true)
  })

  test('fit leaves every part in the mode in which it was', async () => {
    const model = new Sequential([new Dense(1, 8), new Dropout(0.5), new Dense(8, 1)], { seed: 1, backend })
    const options = { inputs, targets: flat, loss: mse, optimizer: new SGD(model.parameters(), { learningRate: 0.01 }) }
    await fit(model, { ...options, validationSplit: 0.2 })
    expect(model.modules().map((m) => m.training)).toEqual([true, true, true, true])
    model.layers[1].training = false
    await fit(model, options)
    await expect(fit(model, { ...options, epochs: -1 })).rejects.toThrow(/epochs/)
    expect(model.modules().map((m) => m.training)).toEqual([true, true, false, true])
  })

  test('forward methods as plain JavaScript may have them', async () => {
    class Mine extends Lambda {}
    const of = (forward: unknown) => {
      const made = Object.assign(new Mine((x) => x), { forward: forward as Mine['forward'], at: new Parameter([1], { backend }) })
      return made as Module
    }
    const given = zeros([2, 1], { backend })
    expect(() => of(async (x: Tensor) => x).predict(given)).toThrow(
      /Mine\.forward\(\): must return a Tensor, got a Promise: it cannot be async/,
    )
    expect(() => of(undefined).predict(given)).toThrow(/Mine: a Module wants a method forward\(x\)/)
    const model = new Sequential([new Dense(1, 1), of((x: Tensor) => mul(x, 2).toArray())], { backend })
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 })
    await expect(fit(model, { inputs, targets: flat, loss: mse, optimizer })).rejects.toThrow(/Mine\.forward\(\): must return a Tensor/)
  })

  test('SAM in fit takes the steps of the loop written out', async () => {
    const make = () => {
      const model = new Sequential([new Dense(1, 6, { activation: 'tanh' }), new Dropout(0.2), new Dense(6, 1)], { seed: 3, backend })
      return { model, optimizer: new Lookahead(new SAM(new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 })), { every: 3 }) }
    }
    const [a, b] = [make(), make()]
    const losses: number[] = []
    const metrics = { mse: (p: Tensor, t: Tensor) => mse(p, t).item() }
    const onBatchEnd = ({ loss }: { loss: number }) => void losses.push(loss)
    const data = { inputs, targets: flat }
    const options = {
      ...data,
      loss: mse,
      optimizer: a.optimizer,
      batchSize: 10,
      shuffle: false,
      epochs: 3,
      metrics,
      callbacks: [{ onBatchEnd }],
    }
    const history = await fit(a.model, options)
    for (let step = 0; step < 12; step++) {
      const from = (step % 4) * 10
      const [x, y] = [tensor(inputs.slice(from, from + 10), { backend }), flat.slice(from, from + 10)]
      ;(b.optimizer as unknown as SAM).step(() => mse(b.model.forward(x), y).backward())
    }
    expect(a.model.state()).toEqual(b.model.state())
    expect(history.epochs[2].metrics.mse).toBeCloseTo(history.epochs[2].loss, 5)
    expect(a.optimizer.stepCount).toBe(12)
    expect(losses.length).toBe(12)
    const state = a.model.state()
    const curve = await findLearningRate(a.model, { ...data, loss: mse, optimizer: a.optimizer, steps: 10, to: 0.1 })
    expect(curve.losses.length).toBe(10)
    expect(a.model.state()).toEqual(state)
    expect(() => new GradientAccumulation(a.optimizer, { every: 2 })).toThrow(/computes its gradients itself/)
  })

  test('SAM that diverges leaves the weights of the last finite step', async () => {
    const model = line()
    const optimizer = new SAM(new SGD(model.parameters(), { learningRate: 0 }))
    const before = model.state()
    let calls = 0
    const fails: Loss = (p, t) => (++calls % 4 === 0 ? mul(own(p, t), Number.NaN) : own(p, t))
    await expect(fit(model, { inputs, targets: flat, loss: fails, optimizer })).rejects.toThrow(/loss is NaN at step 2/)
    expect(model.state()).toEqual(before)
  })

  test('EarlyStopping puts the best weights back when training diverges', async () => {
    const model = line()
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 })
    const states: object[] = []
    const stopping = new EarlyStopping({ patience: 9 })
    const recorder = { onEpochEnd: () => void states.push(model.state()) }
    const options = {
      inputs,
      targets: flat,
      loss: mse,
      optimizer,
      validationSplit: 0.2,
      epochs: 9,
      batchSize: 8,
      callbacks: [recorder, stopping],
    }
    const schedule = (step: number) => (step < 12 ? 0.1 : 1e25)
    await expect(fit(model, { ...options, schedule })).rejects.toThrow(/loss is (NaN|Infinity) at step/)
    expect(stopping.bestEpoch).toBe(3)
    expect(model.state()).toEqual(states[2])
  })

  describe('optimizers that average are judged by their averages', () => {
    const data = { inputs, targets: flat, loss: mse }
    const learn = async (wrap: (o: ScheduleFreeAdamW) => OptimizerLike, more: object = {}) => {
      const model = line()
      const optimizer = new ScheduleFreeAdamW(model.parameters(), { learningRate: 0.5 })
      const history = await fit(model, {
        ...data,
        validation: { inputs, targets: flat },
        optimizer: wrap(optimizer),
        epochs: 4,
        batchSize: 8,
        ...more,
      })
      return { model, optimizer, history }
    }

    test.each<[string, (o: ScheduleFreeAdamW) => OptimizerLike]>([
      ['by themselves', (o) => o],
      ['wrapped', (o) => new GradientAccumulation(o, { every: 1 })],
    ])('%s', async (_name, wrap) => {
      const seen: number[] = []
      const onEpochEnd = (_: Progress, { model }: TrainingControl) => void seen.push(evaluateModel(model, data).loss)
      const { model, optimizer, history } = await learn(wrap, { callbacks: [{ onEpochEnd }] })
      const { valLoss } = history.epochs[3]
      expect(seen[3]).toBe(valLoss)
      expect(optimizer.evaluate(() => evaluateModel(model, data).loss)).toBe(valLoss)
      expect(evaluateModel(model, data).loss).not.toBe(valLoss)
      // looking on changes nothing
      const silent = await learn(wrap, { validation: undefined })
      expect(model.state()).toEqual(silent.model.state())
    })

    test('EarlyStopping keeps and restores those', async () => {
      const { model, history } = await learn((o) => o, { epochs: 30, callbacks: [new EarlyStopping({ patience: 2 })] })
      const best = Math.min(...history.epochs.map((e) => e.valLoss as number))
      expect(evaluateModel(model, data).loss).toBe(best)
    })
  })

  test('ReduceOnPlateau is a callback too', async () => {
    const rates = async (more: object, epochs = 6) => {
      const model = line()
      const optimizer = new SGD(model.parameters(), { learningRate: 1e-6 })
      const callbacks: Callback[] = [new ReduceOnPlateau(optimizer, { factor: 0.5, patience: 1, threshold: 0.5, epsilon: 0 })]
      const { epochs: records } = await fit(model, { inputs, targets: flat, loss: mse, optimizer, epochs, callbacks, ...more })
      return records.map((e) => e.learningRate)
    }
    const halves = [1e-6, 1e-6, 1e-6, 5e-7, 5e-7, 2.5e-7]
    expect(await rates({})).toEqual(halves)
    expect(await rates({ validationSplit: 0.25 })).toEqual(halves)
    const model = line()
    const optimizer = new SGD(model.parameters(), { learningRate: 1 })
    const callbacks = [new ReduceOnPlateau(optimizer, { mode: 'max' })]
    await expect(fit(model, { inputs, targets: flat, loss: mse, optimizer, callbacks })).rejects.toThrow(/watches the loss.*mode 'min'/)
  })
})

describe('mistakes that plain JavaScript lets through are named', () => {
  const backend = backends[0]
  const make = () => new Sequential([new Dense(1, 1)], { backend })
  const rows = { inputs: [[1], [2]], targets: [1, 2] }
  const start = (more: object) => {
    const model = make()
    return fit(model, { ...rows, loss: mse, optimizer: new SGD(model.parameters(), { learningRate: 0.1 }), ...more })
  }

  test.each<[string, object, RegExp]>([
    ['callbacks that are no list', { callbacks: { onEpochEnd() {} } }, /callbacks must be an array, got an object with onEpochEnd/],
    [
      'a function as a callback',
      { callbacks: [() => {}] },
      /callbacks\[0\] must be an object with onTrainBegin, onBatchEnd, onEpochEnd or onTrainEnd, got a function/,
    ],
    ['a callback without a hook', { callbacks: [new EarlyStopping(), { onEpochStart() {} }] }, /callbacks\[1\] must be an object with/],
    ['no callback', { callbacks: [null] }, /callbacks\[0\].*got null/],
    ['one metric by name', { metrics: 'accuracy' }, /wants names in an array, \['accuracy'\].*got 'accuracy'/],
    ['a metric of its own that is none', { metrics: { right: 'accuracy' } }, /'right' must be a function .*got 'accuracy'/],
    ['accuracy of numbers', { metrics: ['accuracy'] }, /accuracy: targets of one output are from 0 to 1, got 2; .*meanAbsoluteError/],
    ['a schedule that is a number', { schedule: 0.1 }, /schedule must be a function from the step.*got 0\.1/],
    ['onProgress', { onProgress: true }, /onProgress must be a function of the progress, got true/],
    ['the controller for its signal', { signal: new AbortController() }, /signal must be an AbortSignal.*got an AbortController/],
    ['no inputs', { inputs: undefined }, /fit: inputs: wants a tensor, a number or nested arrays of numbers, got undefined/],
    [
      'validation as a pair',
      { validation: [[[1]], [1]] },
      /fit: validation: wants options as an object, \{ inputs: … \}, got an array of 2/,
    ],
    ['validation misspelt', { validation: { ...rows, weigths: [1, 1] } }, /fit: validation: .*'weigths'; did you mean weights/],
    ['the optimizer of another model', { optimizer: new Adam(make().parameters()) }, /optimizer Adam has none of this model's parameters/],
    ['an object with step()', { optimizer: { step() {}, learningRate: 1 } }, /optimizer must be an Optimizer, such as new Adam/],
    ['a negative weight', { weights: [1, -1] }, /fit: weights must be ≥ 0, got -1 at row 1/],
    ['weights of nothing', { weights: [0, 0] }, /fit: all weights are 0/],
  ])('fit: %s', async (_name, more, message) => {
    await expect(start(more)).rejects.toThrow(message)
  })

  test('fit and evaluateModel without options, or with those of the other', async () => {
    await expect(fit(make(), undefined as never)).rejects.toThrow(/fit: wants options as an object.*got undefined/)
    const options = { ...rows, loss: mse }
    expect(() => evaluateModel(make(), { ...options, epochs: 3 } as never)).toThrow(/evaluateModel: there is no option 'epochs'/)
    expect(() => evaluateModel(make(), { ...options, metrics: 'accuracy' } as never)).toThrow(/wants names in an array/)
    expect(() => evaluateModel(make(), { ...rows } as never)).toThrow(/evaluateModel: loss must be a function/)
  })

  const NoRule = class NoRule extends (Optimizer as unknown as typeof WeightAverage) {}
  const s = schedules as unknown as Record<string, (...args: unknown[]) => unknown>
  const any = (...args: unknown[]) => args as never as [never]
  const sgd = (model = make()) => new SGD(model.parameters(), { learningRate: 0.1 })

  test.each<[string, () => unknown, RegExp]>([
    ['Adam of a model', () => new Adam(...any(make())), /Adam: wants parameters \(model\.parameters\(\)\).*got a Sequential/],
    ['Adam of nothing', () => new Adam(...any()), /Adam: wants parameters \(model\.parameters\(\)\).*got undefined/],
    ['Adam with a bare rate', () => new Adam(...any(make().parameters(), 0.1)), /Adam: wants options as an object.*got 0\.1/],
    [
      'an optimizer without a rule',
      () => new NoRule(make().parameters()),
      /NoRule: an Optimizer wants methods hyper\(options, t\) and update/,
    ],
    [
      'a wrapper around parameters',
      () => new Lookahead(...any(make().parameters())),
      /Lookahead: wants an optimizer to wrap, got an array of 2/,
    ],
    [
      'accumulation',
      () => new GradientAccumulation(sgd(), { steps: 2 } as never),
      /GradientAccumulation: there is no option 'steps'.*every/,
    ],
    ['Lookahead', () => new Lookahead(...any(sgd(), { evry: 2 })), /no option 'evry'; did you mean every/],
    ['SAM', () => new SAM(...any(sgd(), { rh: 2 })), /no option 'rh'; did you mean rho/],
    ['WeightAverage', () => new WeightAverage(...any(make().parameters(), { decy: 1 })), /no option 'decy'; did you mean decay/],
    [
      'EarlyStopping',
      () => new EarlyStopping(...any({ patiense: 3 })),
      /EarlyStopping: there is no option 'patiense'; did you mean patience/,
    ],
    [
      'EarlyStopping of a number',
      () => new EarlyStopping(...any(3)),
      /EarlyStopping: wants options as an object, \{ patience: … \}, got 3/,
    ],
    ['the mode of EarlyStopping', () => new EarlyStopping(...any({ mode: 'maximum' })), /mode is 'min' or 'max', got 'maximum'/],
    ['ReduceOnPlateau', () => new ReduceOnPlateau(...any(sgd(), { patince: 3 })), /no option 'patince'; did you mean patience/],
    [
      'ReduceOnPlateau of nothing',
      () => new ReduceOnPlateau(...any({ patience: 3 })),
      /ReduceOnPlateau: wants an optimizer, got an object with patience/,
    ],
    [
      'a closure that is missing',
      () => new LBFGS(make().parameters()).step(...any()),
      /LBFGS\.step\(\): wants a function that computes the loss/,
    ],
    [
      'a closure without a loss',
      () => new LBFGS(make().parameters()).step(...any(() => {})),
      /closure must return the loss.*got undefined/,
    ],
    [
      'a closure that runs backward',
      () => {
        const model = make()
        const closure = () => {
          const loss = mse(model.forward([[1]]), [[1]])
          loss.backward()
          return loss
        }
        new LBFGS(model.parameters()).step(closure)
      },
      /LBFGS\.step\(\): the closure ran backward\(\), which is for step\(\) to do/,
    ],
    ['concat of two', () => concat(...any([1], [2])).data(), /concat: axis|concat: wants its tensors in an array/],
    [
      'concat of two tensors',
      () => concat(...any(zeros([1], { backend }), zeros([1], { backend }))),
      /concat: wants its tensors in an array/,
    ],
    ['stack of two tensors', () => stack(...any(zeros([1], { backend }), zeros([1], { backend }))), /stack: wants its tensors in an array/],
    [
      'an activation as a function',
      () => new Dense(1, 1, { activation: relu as never }),
      /activation is one of linear.*got a function; pass the name/,
    ],
    [
      'nested rows of another shape',
      () =>
        tensor(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          [3, 2],
        ),
      /arrays nested as \[2, 3\] are not of shape \[3, 2\]/,
    ],
    ['cosine', () => s.cosine(0.1), /cosine: wants options as an object, \{ steps: … \}, got undefined/],
    ['stepDecay', () => s.stepDecay(0.1, 30), /stepDecay: wants options as an object, \{ every: … \}, got 30/],
    [
      'the end of cosine',
      () => s.cosine(...any(0.1, { steps: 9, min: 0.01 })),
      /cosine: there is no option 'min'. Options: afterwards, expo/,
    ],
    [
      'the step of stepDecay',
      () => s.stepDecay(...any(0.1, { stepSize: 3 })),
      /stepDecay: there is no option 'stepSize'. Options: every, factor/,
    ],
    ['the end of warmup', () => s.warmup(...any(s.constant(1), { step: 3 })), /warmup: there is no option 'step'; did you mean steps\?/],
    ['oneCycle', () => s.oneCycle(0.1), /oneCycle: wants options as an object/],
    ['warmup', () => s.warmup(() => 1, 10), /warmup: wants options as an object, \{ steps: … \}, got 10/],
    ['createBackend', () => createBackend({ thread: 2 } as never), /load: there is no option 'thread'; did you mean threads/],
  ])('%s', (_name, run, message) => {
    expect(run).toThrow(message)
  })

  test('many single rows before one backward', () => {
    const model = make()
    const x = tensor([[1]], { backend })
    expect(() => {
      for (let i = 0; i < 5000; i++) model.forward(x)
    }).toThrow(/train on many single rows as one batch/)
    expect(tensor([1, 2, 3, 4], [2, 2], { backend }).shape).toEqual([2, 2])
  })
})
