/** What a user types nearly right: words, models in the place of parameters, states of nets that differ by a dropout. */
import { describe, expect, test } from 'vitest'
import {
  Adam,
  accuracy,
  argmax,
  BFGS,
  binaryCrossEntropy,
  ConjugateGradient,
  centralize,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  EarlyStopping,
  evaluateModel,
  type FloatArray,
  findLearningRate,
  fit,
  fitCurve,
  full,
  gather,
  gradients,
  initializers,
  KFAC,
  LBFGS,
  LevenbergMarquardt,
  Lookahead,
  Module,
  Muon,
  minimize,
  mse,
  mul,
  NaturalGradient,
  NewtonCG,
  Optimizer,
  ones,
  Parameter,
  ReduceOnPlateau,
  Scheduler,
  Sequential,
  SGD,
  ShapeError,
  schedules,
  sum,
  summary,
  type Tensor,
  type TrainingControl,
  TrustRegionNewton,
  tensor,
  trainSteps,
  variance,
  WeightAverage,
  zeros,
} from '../../ts/index.js'

const backend = createBackend({ backend: 'js' })
const net = () => new Sequential([new Dense(2, 3), new Dense(3, 1)], { seed: 1, backend })
// biome-ignore lint/suspicious/noExplicitAny: what JavaScript lets through
type Any = any

test('an error inside fit shows the line that called it, however deep it was', async () => {
  const model = new Sequential([new Dense(2, 4), new Dense(4, 1)])
  const asked = { inputs: [[1, 2, 3]], targets: [[1]], loss: mse, optimizer: new Adam(model.parameters()) }
  const error = await fit(model, asked).catch((error: Error) => error)
  expect(error).toBeInstanceOf(ShapeError)
  expect((error as Error).stack?.match(/user\.edges\.test\.ts/g)).toHaveLength(1)
  expect((error as Error).stack).toMatch(/^ShapeError: Dense\(2, 4\) '0': wants inputs with 2 features[^\n]*\n +at /)
})

describe('words that schedules take', () => {
  const { constant, cosine, cyclic, interpolate, multiStep, oneCycle, oneCycleMomentum, piecewise, polynomial, product, sequence, warmup } =
    schedules as Any

  test.each<[string, () => unknown, string]>([
    ['cosine', () => cosine(1, { steps: 9, afterwards: 'stay' }), "cosine: afterwards is 'hold' or 'rise', got 'stay'"],
    ['cyclic', () => cyclic(0, 1, { mode: 'triangle' }), "cyclic: mode is 'triangular', 'triangular2' or 'exponential', got 'triangle'"],
    ['oneCycle', () => oneCycle(1, { steps: 9, shape: 'cos' }), "oneCycle: shape is 'cosine' or 'linear', got 'cos'"],
    ['oneCycleMomentum', () => oneCycleMomentum({ steps: 9, shape: 'x' }), "oneCycleMomentum: shape is 'cosine' or 'linear', got 'x'"],
    [
      'warmupStableDecay',
      () => schedules.warmupStableDecay(1, { warmupSteps: 1, stableSteps: 1, decaySteps: 1, shape: 'root' as Any }),
      "warmupStableDecay: shape is 'linear', 'cosine' or 'sqrt', got 'root'",
    ],
    ['warmup', () => warmup(constant(1), { steps: 3, shape: 'cosine' }), "warmup: shape is 'linear' or 'exponential', got 'cosine'"],
    ['interpolate', () => interpolate([[0, 1]], 'arc'), "interpolate: shape is 'linear', 'cosine' or 'sqrt', got 'arc'"],
  ])('%s names the option, what it got and what it wants', (_, make, message) => {
    expect(make).toThrow(new RangeError(message))
  })

  test.each<[string, () => unknown, RegExp]>([
    ['a number in text', () => polynomial(1, { steps: '10' }), /^polynomial: steps must be > 0, got '10'$/],
    ['a number in the place of a schedule', () => warmup(0.1, { steps: 3 }), /^warmup: a schedule is a function of the step.*got 0\.1$/],
    ['factors that are no schedules', () => product(constant(1), 2), /^product: a schedule is a function of the step.*got 2$/],
    ['one schedule in the place of a list', () => sequence(constant(1), [3]), /^sequence: wants schedules in an array, got a function$/],
    ['one boundary in the place of a list', () => piecewise([1, 2], 3), /^piecewise: wants boundaries in an array, got 3$/],
    ['one milestone in the place of a list', () => multiStep(1, { milestones: 30 }), /^multiStep: milestones must be an array.*got 30$/],
    [
      'a share of the steps above all of them',
      () => oneCycle(1, { steps: 9, warmupFraction: 2 }),
      /^oneCycle: warmupFraction must be above 0 and below 1, got 2$/,
    ],
  ])('%s', (_, make, message) => expect(make).toThrow(message))
})

describe('parameters', () => {
  const model = net()

  test.each([WeightAverage, LBFGS, BFGS, ConjugateGradient, NewtonCG, TrustRegionNewton].map((Class) => [Class.name, Class as Any]))(
    '%s names model.parameters() where it gets something else',
    (name, Class) => {
      const note = Class === WeightAverage ? '' : ' (one group: the method sees them as one vector)'
      const wants = `${name}: wants parameters, model.parameters()${note}, got `
      expect(() => new Class(model)).toThrow(new TypeError(`${wants}a Sequential`))
      expect(() => new Class(model.parameters)).toThrow(new TypeError(`${wants}a function`))
      expect(() => new Class(undefined)).toThrow(new TypeError(`${wants}undefined`))
      expect(() => new Class(model.layers)).toThrow(new TypeError(`${wants}a list with a Dense`))
      expect(() => new Class([])).toThrow(`${name}: there are no parameters; did you pass model.parameters()?`)
    },
  )

  test.each([Adam, Muon].map((Class) => [Class.name, Class as Any]))('%s says what in a list is no parameter', (name, Class) => {
    const got = (value: string) => new RegExp(`^${name}: wants parameters \\(model\\.parameters\\(\\)\\).*got a list with ${value}$`)
    expect(() => new Class(model.layers)).toThrow(got('a Dense'))
    expect(() => new Class(model.layers.map((layer) => layer.parameters()))).toThrow(got('an array of 2'))
    expect(() => new Class([null])).toThrow(got('null'))
    expect(() => new Class([{ learningRate: 1 }])).toThrow(got('an object with learningRate'))
    expect(() => new Class([{ parameters: model.layers }])).toThrow(got('a Dense'))
  })

  test.each([NaturalGradient, KFAC].map((Class) => [Class.name, Class as Any]))('%s wants the model itself', (name, Class) => {
    expect(() => new Class(model.parameters())).toThrow(`${name}: wants the model, whose layers it looks into, got an array of 4`)
    expect(() => new Class()).toThrow(`${name}: wants the model, whose layers it looks into, got undefined`)
  })

  test('LevenbergMarquardt of nothing', () => {
    expect(() => new (LevenbergMarquardt as Any)()).toThrow(
      /^LevenbergMarquardt: wants parameters, model\.parameters\(\) .*, got undefined$/,
    )
  })

  const data = { inputs: [[1, 2]], targets: [[1]], loss: mse }

  test('all frozen: fit says so, and not what backward() would', async () => {
    const frozen = net()
    for (const p of frozen.parameters()) p.requiresGrad = false
    const optimizer = new SGD(frozen.parameters())
    await expect(fit(frozen, { ...data, optimizer })).rejects.toThrow('fit: optimizer SGD has no parameter that requiresGrad')
    const [bias] = frozen.parameters().slice(-1)
    bias.requiresGrad = true
    expect((await fit(frozen, { ...data, optimizer })).steps).toBe(1)
  })

  test('all frozen but one of a loss of your own: that one is trained', async () => {
    const frozen = net()
    for (const p of frozen.parameters()) p.requiresGrad = false
    const scale = new Parameter([1], { name: 'scale', backend })
    const optimizer = new SGD([...frozen.parameters(), scale])
    const { steps } = await fit(frozen, { ...data, loss: (p, t) => mse(mul(p, scale), t), optimizer })
    expect(steps).toBe(1)
    expect(scale.item()).not.toBe(1)
  })
})

describe('losses and metrics', () => {
  test('one output for classes: the message names the loss for it, in fit and alone', async () => {
    const inputs = [
      [0, 0],
      [0, 1],
    ]
    const model = net()
    const optimizer = new Adam(model.parameters())
    await expect(fit(model, { inputs, targets: [0, 1], loss: crossEntropy, optimizer })).rejects.toThrow(
      'crossEntropy: wants logits of shape [rows, classes], got [2, 1]; binaryCrossEntropy is for one output',
    )
    expect(() => crossEntropy(model.predict(inputs), [0, 1] as Any)).toThrow('got [2, 1]; binaryCrossEntropy is for one output')
  })

  test.each<[string, Any]>([
    ['mse', mse],
    ['binaryCrossEntropy', binaryCrossEntropy],
    ['crossEntropy', crossEntropy],
  ])('%s of plain arrays says what it wants', (name, loss) => {
    expect(() => loss([0.5, 1], [0, 1])).toThrow(new TypeError(`${name}: wants a Tensor, got an array of 2`))
    expect(() => loss(undefined, [0, 1])).toThrow(`${name}: wants a Tensor, got undefined`)
  })

  test('accuracy of classes, as argmax gives them, as other metrics take them', () => {
    const classes = argmax(
      tensor(
        [
          [0, 2, 1],
          [3, 1, 0],
          [0, 0, 1],
          [1, 0, 0],
        ],
        { backend },
      ),
    )
    expect(accuracy(classes, [1, 0, 2, 2])).toBe(0.75)
    expect(accuracy(Int32Array.of(0, 1, 1), [0, 1, 0])).toBeCloseTo(2 / 3, 12)
    expect(accuracy([Int32Array.of(1, 5), Int32Array.of(7, 0)], [1, 0])).toBe(1) // scores that are whole numbers
    expect(accuracy(tensor(Int32Array.of(1, 5, 7, 0), [2, 2]), [1, 0])).toBe(1)
  })
})

describe('what answers later', () => {
  const data = {
    inputs: [
      [1, 2],
      [3, 4],
    ],
    targets: [[1], [2]],
    loss: mse,
  }
  const optimizer = () => new SGD(net().parameters())

  test('a metric of your own may answer with a tensor of one element', async () => {
    const metrics = { half: (p: Tensor, t: Tensor) => mul(mse(p, t), 0.5) }
    const model = net()
    const { epochs } = await fit(model, {
      ...data,
      optimizer: new SGD(model.parameters()),
      metrics,
      validation: { inputs: data.inputs, targets: data.targets },
    })
    const [{ loss, metrics: values, valMetrics, valLoss }] = epochs
    expect(values.half).toBeCloseTo(loss / 2, 6)
    expect(valMetrics?.half).toBeCloseTo((valLoss as number) / 2, 6)
    expect(evaluateModel(model, { ...data, metrics }).half).toBe(valMetrics?.half)
  })

  test.each<[string, () => unknown, string]>([
    [
      'Scheduler',
      () => new Scheduler(optimizer(), { learningRate: 0.1 } as Any),
      "Scheduler: 'learningRate' wants a schedule, a function of the step, got 0.1",
    ],
    [
      'Scheduler.loadState',
      () => new Scheduler(optimizer(), () => 0.1).loadState({} as Any),
      'Scheduler.loadState(): wants { stepCount }, got an object with nothing',
    ],
    [
      'ReduceOnPlateau.loadState',
      () => new ReduceOnPlateau(optimizer()).loadState({} as Any),
      'wants { best, badSteps, cooldownLeft }, got an object with nothing',
    ],
    ['summary', () => summary(optimizer() as Any), 'summary: wants a model, got a SGD'],
    ['fitCurve', () => fitCurve((x, [a]) => a * x, [1, 2], [2, 4], [1] as Any), 'fitCurve: options must be an object, got an array of 1'],
  ])('%s', (_, call, message) => expect(call).toThrow(message))

  test('findLearningRate without an optimizer', async () => {
    await expect(findLearningRate(net(), data as Any)).rejects.toThrow('findLearningRate: optimizer must be an Optimizer, such as new Adam')
  })
})

describe('what is called too early, or not at all', () => {
  test.each<[string, () => unknown, string]>([
    ['an axis as an option', () => (sum as Any)([[1, 2]], { axis: 1 }), 'sum: axis an object with axis is out of range for rank 2'],
    ['a table of rows', () => gather([[1, 2]] as Any, [0]), 'gather: wants a table as a Tensor, got an array of 1'],
    [
      'a word of centralize',
      () => centralize({ outputAxis: 'middle' as Any }),
      "centralize: outputAxis is 'first' or 'last', got 'middle'",
    ],
    ['an option of centralize', () => centralize({ axis: 'last' } as Any), "centralize: there is no option 'axis'"],
    [
      'an initializer that was not called, which left all weights 0',
      () => new Dense(1, 1, { weightInitializer: initializers.uniform as Any, backend }).parameters(),
      'Dense: call the initializer first',
    ],
  ])('%s', (_, call, message) => expect(call).toThrow(message))

  test('an initializer of your own may answer with what it filled', () => {
    const layer = new Dense(1, 1, { weightInitializer: (p) => p.view().fill(0.5), backend })
    expect(layer.predict([[2]]).item()).toBe(1)
    expect(sum([[1, 2]], [-1, 0]).item()).toBe(3)
  })
})

test('Sequential refuses options that do not exist', () => {
  expect(() => new Sequential([new Dense(1, 1)], { sed: 1 } as Any)).toThrow("Sequential: there is no option 'sed'; did you mean seed?")
})

describe('states', () => {
  class Plain extends Module {
    a = new Dense(2, 3)
    b = new Dense(3, 1)
    forward(x: Tensor): Tensor {
      return this.b.forward(this.a.forward(x))
    }
  }
  class WithDropout extends Plain {
    drop = new Dropout(0.5)
    override forward(x: Tensor): Tensor {
      return this.b.forward(this.drop.forward(this.a.forward(x)))
    }
  }

  test('of a model with dropout load into one without, and the other way round', () => {
    const [plain, other] = [new Plain({ seed: 1, backend }), new WithDropout({ seed: 2, backend })]
    expect(other.state()).toHaveProperty(['drop.generator'])
    plain.loadState(other.state())
    expect(plain.predict([[1, 2]]).item()).toBe(other.predict([[1, 2]]).item())
    const third = new WithDropout({ seed: 3, backend }).loadState(JSON.parse(JSON.stringify(plain.state())))
    expect(third.predict([[1, 2]]).item()).toBe(other.predict([[1, 2]]).item())
  })

  test('of layers by number: the message says that dropout counts, and Dropout(0) keeps the place', () => {
    const make = (rate: number) => new Sequential([new Dense(2, 3), new Dropout(rate), new Dense(3, 1)], { seed: 1, backend })
    const { ...state } = make(0.5).state()
    expect(() => net().loadState(state)).toThrow(/no values for '1\.weight' in an object with .*1\.generator; Dropout counts as a layer$/)
    for (const optimizer of [new Lookahead(new Adam(net().parameters())), new LBFGS(net().parameters())])
      expect(() => net().loadState(optimizer.state() as never)).toThrow(
        new RegExp(`no values for '0\\.weight' in an object with .*; this is the state of an optimizer, ${optimizer.state().optimizer}$`),
      )
    expect(() => make(0.5).loadState(net().state())).toThrow(/no values for '2\.weight' in .*; Dropout counts as a layer$/)
    expect(
      make(0)
        .loadState(state)
        .predict([[1, 2]])
        .item(),
    ).toBe(
      make(0.5)
        .predict([[1, 2]])
        .item(),
    )
  })

  test('what is left over beside counters is refused', () => {
    expect(() => net().loadState({ ...net().state(), 'x.generator': [1], other: [1] })).toThrow("no parameter is named 'other'")
  })

  test('of an average survive JSON, and others are refused', () => {
    const one = net()
    const average = new WeightAverage(one.parameters())
    average.update()
    const saved = JSON.parse(JSON.stringify(average.state()))
    const again = new WeightAverage(new Sequential([new Dense(2, 3), new Dense(3, 1)], { seed: 9, backend }).parameters())
    again.loadState(saved)
    expect(again.averages()).toEqual(average.averages())
    expect(again.count).toBe(1)
    const small = new WeightAverage(new Dense(1, 1, { backend }).parameters())
    expect(() => small.loadState(saved)).toThrow('the state is of parameters with 6, 3, 3, 1 values, these have 1, 1')
    expect(() => small.loadState(undefined as Any)).toThrow(
      new TypeError('WeightAverage.loadState(): wants a state of an average, got undefined'),
    )
    expect(small.count).toBe(0)
  })
})

test('names that every object has are no options and no metrics', () => {
  const model = new Sequential([new Dense(2, 1)])
  expect(() => new Adam(model.parameters(), { constructor: 1 } as object)).toThrow("there is no option 'constructor'")
  expect(() => evaluateModel(model, { inputs: [[1, 2]], targets: [1], loss: mse, metrics: ['toString' as 'accuracy'] })).toThrow(
    "metrics: 'toString' is none of",
  )
})

test('layers that are not in an array', () => {
  const several = Sequential as unknown as new (...layers: Dense[]) => Sequential
  expect(() => new several(new Dense(2, 3), new Dense(3, 1))).toThrow('wants layers in an array, [new Dense(…), …], got')
})

describe('a training that cannot be', () => {
  const inputs = [[0, 1], [1, 0], [1, 1], [0, 0]] // biome-ignore format: rows
  const make = (outputs = 1) => new Sequential([new Dense(2, 3), new Dense(3, outputs)], { seed: 1, backend })
  const options = (model: Sequential, more: object = {}) => ({
    ...{ inputs, targets: [0, 1, 1, 0], loss: mse, optimizer: new Adam(model.parameters()), batchSize: 1 },
    ...more,
  })

  test('labels in any kind of array are looked at before the first step, and named by their row', async () => {
    for (const targets of [[0, 1, 1, 3], Int32Array.of(0, 1, 1, 3), Float32Array.of(0, 1, 1, 3)]) {
      const model = make(3)
      const before = model.state()
      await expect(fit(model, options(model, { targets, loss: crossEntropy }))).rejects.toThrow(
        'fit: targets, row 3: crossEntropy: label: wants whole numbers from 0 to 2, got 3',
      )
      expect(model.state()).toEqual(before)
    }
    const model = make()
    const validation = { inputs, targets: [0, 1, -1, 2] }
    await expect(fit(model, options(model, { validation, loss: binaryCrossEntropy }))).rejects.toThrow('fit: validation, row 2: binary')
  })

  test('one model, one training: the search for a rate waits for fit, and fit for the search', async () => {
    const model = make()
    const stop = new AbortController()
    const running = fit(model, options(model, { epochs: 1e7, signal: stop.signal, onProgress: () => {} }))
    await new Promise((resolve) => setTimeout(resolve, 5))
    await expect(findLearningRate(model, options(model))).rejects.toThrow('findLearningRate: this model is being trained already')
    stop.abort()
    await running
    const search = findLearningRate(model, options(model, { yieldEvery: 0 }))
    await expect(fit(model, options(model))).rejects.toThrow('fit: this model is being trained already')
    await search
    await fit(model, options(model))
  })

  test('a schedule that gives no rate is named, with its step', async () => {
    for (const [rate, shown] of [
      [NaN, 'NaN'],
      [-1, '-1'],
      [undefined, 'undefined'],
      ['0.1', "'0.1'"],
    ] as const) {
      const model = make()
      const schedule = (step: number) => (step < 2 ? 0.1 : (rate as number))
      await expect(fit(model, options(model, { schedule })), shown).rejects.toThrow(
        `fit: schedule must give a finite number ≥ 0 for each step, got ${shown} for step 2`,
      )
    }
  })

  test('an optimizer without a learning rate has none to set', () => {
    class Halving extends Optimizer<{ share?: number }> {
      static override readonly defaults = { share: 0.5 }
      protected hyper({ share }: { share: number }) {
        return [share]
      }
      protected update(p: FloatArray, _g: FloatArray, _s: FloatArray[], [share]: readonly number[]) {
        for (let i = 0; i < p.length; i++) p[i] *= share
      }
    }
    const optimizer = new Halving(make().parameters())
    expect(() => {
      optimizer.learningRate = 0.1
    }).toThrow("Halving: there is no option 'learningRate'. Options: share")
  })

  test('what is no model, no yes or no, no rows', async () => {
    const model = make()
    const bad = (more: object) => fit(model, options(model, more))
    for (const call of [fit, findLearningRate, evaluateModel] as ((m: unknown, o: object) => unknown)[])
      await expect(async () => call(model.forward, options(model))).rejects.toThrow(/: wants a model, such as a Sequential, got a function/)
    await expect(trainSteps(null as never, options(model)).next()).rejects.toThrow(
      'trainSteps: wants a model, such as a Sequential, got null',
    )
    await expect(bad({ shuffle: 'no' })).rejects.toThrow("fit: shuffle must be true or false, got 'no'")
    await expect(bad({ dropLast: 1 })).rejects.toThrow('fit: dropLast must be true or false, got 1')
    await expect(bad({ targets: new Float32Array(8) })).rejects.toThrow('of a flat array tensor(…, [4, 2]) makes rows')
  })

  test('weights that a loss of one’s own takes no notice of', async () => {
    const model = make()
    const deaf = (p: Tensor, t: unknown) => mse(p, t as Tensor)
    const hears = (p: Tensor, t: unknown, o?: object) => mse(p, t as Tensor, { ...o })
    const weights = [1, 2, 3, 4]
    const message = "the loss 'deaf' takes no notice of the weights of rows: they are in its third argument, { weights }"
    await expect(fit(model, options(model, { weights, loss: deaf }))).rejects.toThrow(message)
    expect(() => evaluateModel(model, { inputs, targets: [0, 1, 1, 0], weights, loss: deaf as never })).toThrow(message)
    await fit(model, options(model, { loss: deaf }))
    await fit(model, options(model, { weights, loss: hears }))
    const judged = (loss: unknown) => evaluateModel(model, { inputs, targets: [0, 1, 1, 0], weights, loss: loss as never }).loss
    expect(judged(hears)).toBe(judged(mse))
  })

  test('metrics that are no numbers, or called as the loss is', async () => {
    const model = make()
    const judged = (metrics: object) => () => evaluateModel(model, { inputs, targets: [0, 1, 1, 0], loss: mse, metrics: metrics as never })
    expect(judged({ far: async () => 3 })).toThrow("metrics: 'far' must return a number, got a Promise")
    expect(judged({ far: () => '3' })).toThrow("metrics: 'far' must return a number, got '3'")
    expect(judged({ loss: () => 3 })).toThrow("metrics: 'loss' is the name of the loss itself; give the metric another")
    await expect(fit(model, options(model, { metrics: { far: () => undefined } }))).rejects.toThrow(
      "'far' must return a number, got undefined",
    )
    expect(() => accuracy([1, 2, 0], [1, 2, 1])).toThrow('classes as predictions are an Int32Array')
    expect(accuracy(Int32Array.of(1, 2, 0), [1, 2, 1])).toBeCloseTo(2 / 3)
    const logits = [[1, 2], [3, 1]] // biome-ignore format: rows
    for (const label of [2, -1, 0.5])
      expect(() => accuracy(logits, [1, label])).toThrow(`accuracy: wants classes from 0 to 1 as targets, got ${label} at row 1`)
    expect(accuracy(logits, [1, 1])).toBe(0.5)
  })

  test('trainSteps refuses what fit alone does', async () => {
    const model = make()
    for (const more of [{ callbacks: [] }, { validationSplit: 0.5 }, { metrics: ['accuracy'] }, { signal: AbortSignal.abort() }])
      await expect(trainSteps(model, options(model, more)).next()).rejects.toThrow(
        `trainSteps: ${Object.keys(more)[0]} is an option of fit;`,
      )
    const shared = options(model, { validationSplit: 0.5, callbacks: [new EarlyStopping()] })
    expect((await findLearningRate(model, shared)).losses.length).toBeGreaterThan(1)
  })

  test('words of other libraries', async () => {
    const model = make()
    for (const [word, ours] of [
      ['x', 'inputs'],
      ['y', 'targets'],
      ['verbose', 'onProgress'],
    ])
      await expect(fit(model, options(model, { [word]: 1 }))).rejects.toThrow(`fit: there is no option '${word}'; did you mean ${ours}?`)
    expect(() => new Dense(1, 1, { useBias: false } as object)).toThrow('did you mean bias?')
    expect(() => variance([1, 2], 0, { ddof: 1 } as object)).toThrow('did you mean correction?')
    expect(() => fitCurve(() => 0, [1], [1], { p0: [1] } as never)).toThrow('did you mean initial?')
    expect(() => minimize(() => 0, [1], { maxiter: 3 } as object)).toThrow('did you mean maxIterations?')
  })

  test('an error in onProgress ends training, also where it is asynchronous', async () => {
    const boo = () => {
      throw new Error('boo')
    }
    for (const onProgress of [boo, async () => boo()]) {
      for (const epochs of [1, 1e7]) {
        const model = make()
        await expect(fit(model, options(model, { epochs, onProgress }))).rejects.toThrow('boo')
      }
    }
  })

  test('the reason why training ended is a text, and counts rightly', async () => {
    const model = make()
    const stopped = await fit(model, options(model, { callbacks: [{ onEpochEnd: (_: unknown, c: TrainingControl) => c.stop() }] }))
    expect(stopped.stopReason).toBe('stopped')
    const callbacks = [new EarlyStopping({ monitor: 'loss', patience: 1, minDelta: 9 })]
    expect((await fit(model, options(model, { epochs: 9, callbacks }))).stopReason).toMatch(/ for 1 epoch$/)
  })

  test('the state of more than the model: where its values are', () => {
    const model = make()
    const kept = { optimizer: {}, net: model.state() }
    expect(() => model.loadState(kept as never)).toThrow(
      "no values for '0.weight' in an object with optimizer, net; did you mean what is under 'net'?",
    )
  })

  test('tensors of what is no number, and gradients of what is no list', () => {
    const x = tensor(2, { requiresGrad: true, backend })
    expect(() => full([2], '1' as never)).toThrow("full: value must be a number, got '1'")
    expect(() => zeros(3 as never)).toThrow('zeros: shape must be an array of whole numbers, got 3')
    expect(() => ones([-1])).toThrow('ones: every dimension')
    expect(() => gradients(mul(x, x), x as never)).toThrow('gradients(): wants inputs in an array, [x], got a Tensor')
    expect(() => tensor([1n] as never)).toThrow('tensor: wants a number at [0], got 1n')
  })
})
