/** Invalid options of fit and similar functions: each is an error that names the option, before anything has changed. */
import { describe, expect, test } from 'vitest'
import {
  Adam,
  concat,
  createBackend,
  Dense,
  EarlyStopping,
  evaluateModel,
  type FloatArray,
  findLearningRate,
  fit,
  full,
  GradientAccumulation,
  gradients,
  Lookahead,
  mse,
  mul,
  Optimizer,
  ones,
  ReduceOnPlateau,
  relu,
  SAM,
  Sequential,
  SGD,
  schedules,
  stack,
  type Tensor,
  tensor,
  trainSteps,
  variance,
  WeightAverage,
  zeros,
} from '../../ts/index.js'
import { accuracy } from '../../ts/metrics/index.js'
import { fitCurve, LBFGS, minimize } from '../../ts/solve/index.js'
import { allBackends, fourInputs, fourRows, netOfOutputs } from '../tools/small-nets.js'

const backend = createBackend({ backend: 'js' })

describe('mistakes that plain JavaScript lets through are named', () => {
  const backend = allBackends[0]
  const make = () => new Sequential([new Dense(1, 1)], { backend })
  const rows = { inputs: [[1], [2]], targets: [1, 2] }
  const start = (more: object) => {
    const model = make()
    return fit(model, { ...rows, loss: mse, optimizer: new SGD(model.parameters(), { learningRate: 0.1 }), ...more })
  }

  test.each<[string, object, RegExp]>([
    ['callbacks that are no list', { callbacks: { onEpochEnd() {} } }, /callbacks wants an array, got an object with onEpochEnd/],
    [
      'a function as a callback',
      { callbacks: [() => {}] },
      /callbacks\[0\] wants an object with onTrainBegin, onBatchEnd, onBatchSaved, onPause, onEpochEnd, onEpochSaved or onTrainEnd, got a function/,
    ],
    ['a callback without a hook', { callbacks: [new EarlyStopping(), { onEpochStart() {} }] }, /callbacks\[1\] wants an object with/],
    ['no callback', { callbacks: [null] }, /callbacks\[0\].*got null/],
    ['one metric by name', { metrics: 'accuracy' }, /wants names in an array, \['accuracy'\].*got 'accuracy'/],
    ['a metric of its own that is none', { metrics: { right: 5 } }, /metrics: 5 is none of accuracy, .*or give a function/],
    ['accuracy of numbers', { metrics: ['accuracy'] }, /accuracy: targets of one output are from 0 to 1, got 2; .*meanAbsoluteError/],
    ['a schedule that is a number', { schedule: 0.1 }, /schedule wants a function of the step.*got 0\.1/],
    ['onProgress', { onProgress: true }, /onProgress wants a function of the progress, got true/],
    ['the controller for its signal', { signal: new AbortController() }, /signal wants an AbortSignal.*got an AbortController/],
    ['no inputs', { inputs: undefined }, /fit: inputs: wants a tensor, a number or nested arrays of numbers, got undefined/],
    [
      'validation as a pair',
      { validation: [[[1]], [1]] },
      /fit: validation: wants options as an object, \{ inputs: … \}, got an array of 2/,
    ],
    ['validation misspelt', { validation: { ...rows, weigths: [1, 1] } }, /fit: validation: .*'weigths'; did you mean weights/],
    ['the optimizer of another model', { optimizer: new Adam(make().parameters()) }, /optimizer Adam has none of this model's parameters/],
    ['an object with step()', { optimizer: { step() {}, learningRate: 1 } }, /optimizer wants an Optimizer, such as new Adam/],
    ['a negative weight', { weights: [1, -1] }, /fit: weights want numbers ≥ 0, got -1 at row 1/],
    ['weights of nothing', { weights: [0, 0] }, /fit: all weights are 0/],
  ])('fit: %s', async (_name, more, message) => {
    await expect(start(more)).rejects.toThrow(message)
  })

  test('fit and evaluateModel without options, or with those of the other', async () => {
    await expect(fit(make(), undefined as never)).rejects.toThrow(/fit: wants options as an object.*got undefined/)
    const options = { ...rows, loss: mse }
    expect(() => evaluateModel(make(), { ...options, epochs: 3 } as never)).toThrow(/evaluateModel: there is no option 'epochs'/)
    // further properties of data sets may be spread into options, but are not options
    const table = { ...options, count: 2, classNames: [], report: {} }
    expect(() => evaluateModel(make(), table as never)).not.toThrow()
    expect(() => evaluateModel(make(), { ...table, zzzzzzzz: 1 } as never)).toThrow(
      /Options: batchSize, inputs, loss, metrics, shape, targets, weights$/,
    )
    expect(() => evaluateModel(make(), { ...options, metrics: 'accuracy' } as never)).toThrow(/wants names in an array/)
    expect(() => evaluateModel(make(), { ...rows } as never)).toThrow(/evaluateModel: wants a loss/)
  })

  const NoRule = class NoRule extends (Optimizer as unknown as typeof Adam) {}
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
    ['WeightAverage', () => new WeightAverage(...any(sgd(), { decy: 1 })), /no option 'decy'; did you mean decay/],
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
    ['the mode of EarlyStopping', () => new EarlyStopping(...any({ mode: 'maximum' })), /mode wants 'min' or 'max', got 'maximum'/],
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
      /closure wants to return the loss.*got undefined/,
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
      /activation wants one of linear.*got a function; pass the name/,
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

  test('many forward passes that no backward() uses are refused once they hold 64 MiB; the model goes on', () => {
    const model = new Sequential([new Dense(1, 4096)], { backend })
    const x = tensor([[1]], { backend })
    const run = (passes: number) => {
      for (let i = 0; i < passes; i++) model.forward(x)
    }
    run(4096) // as many results may wait whatever they hold: here 64 MiB and a little
    expect(() => run(1)).toThrow(/^4097 results were recorded.*with 64 MiB of memory: .*predict.*noGrad.*add them up as they come/)
    expect(mse(model.forward(x), zeros([1, 4096], { backend })).item()).toBeGreaterThan(0)
    // very small results are not an error
    const small = make()
    const row = tensor([[1]], { backend })
    const predictions = Array.from({ length: 5000 }, () => small.forward(row))
    expect(mse(concat(predictions), zeros([5000, 1], { backend })).item()).toBeGreaterThan(0)
  })
})

describe('what fit refuses', () => {
  const inputs = fourInputs
  const make = netOfOutputs
  const options = fourRows

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
        `fit: schedule wants a finite number ≥ 0 for each step, got ${shown} for step 2`,
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
    await expect(bad({ shuffle: 'no' })).rejects.toThrow("fit: shuffle wants true or false, got 'no'")
    await expect(bad({ dropLast: 1 })).rejects.toThrow('fit: dropLast wants true or false, got 1')
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
    expect(judged({ far: async () => 3 })).toThrow("metrics: 'far' wants to return a number, got a Promise")
    expect(judged({ far: () => '3' })).toThrow("metrics: 'far' wants to return a number, got '3'")
    expect(judged({ loss: () => 3 })).toThrow("metrics: 'loss' is the name of the loss itself; give the metric another")
    await expect(fit(model, options(model, { metrics: { far: () => undefined } }))).rejects.toThrow(
      "'far' wants to return a number, got undefined",
    )
    expect(accuracy([1, 2, 0], [1, 2, 1])).toBeCloseTo(2 / 3)
    expect(accuracy(Int32Array.of(1, 2, 0), [1, 2, 1])).toBeCloseTo(2 / 3)
    const logits = [[1, 2], [3, 1]] // biome-ignore format: rows
    for (const label of [2, -1, 0.5])
      expect(() => accuracy(logits, [1, label])).toThrow(`accuracy: wants classes from 0 to 1 as targets, got ${label} at row 1`)
    expect(accuracy(logits, [1, 1])).toBe(0.5)
  })

  test('trainSteps refuses what fit alone does', async () => {
    const model = make()
    for (const more of [{ callbacks: [] }, { validationFraction: 0.5 }, { metrics: ['accuracy'] }, { signal: AbortSignal.abort() }])
      await expect(trainSteps(model, options(model, more)).next()).rejects.toThrow(
        `trainSteps: ${Object.keys(more)[0]} is an option of fit;`,
      )
    const shared = options(model, { validationFraction: 0.5, callbacks: [new EarlyStopping()] })
    expect((await findLearningRate(model, shared)).losses.length).toBeGreaterThan(1)
  })

  test('words of other libraries', async () => {
    const model = make()
    for (const [word, ours] of [
      ['x', 'inputs'],
      ['y', 'targets'],
      ['learningRate', 'optimizer: new Adam(…, { learningRate }), or fitAuto'],
    ])
      await expect(fit(model, options(model, { [word]: 1 }))).rejects.toThrow(`fit: there is no option '${word}'; did you mean ${ours}?`)
    await expect(fit(model, options(model, { verbose: 1 }))).rejects.toThrow('fit: verbose wants true or false, got 1')
    await expect(fit(model, options(model, { optimizer: 'auto' }))).rejects.toThrow("got 'auto'; or use fitAuto")
    expect(() => new Dense(1, 1, { useBias: false } as object)).toThrow('did you mean bias?')
    expect(() => variance([1, 2], 0, { ddof: 1 } as object)).toThrow('did you mean correction?')
    expect(() => fitCurve(() => 0, [1], [1], { p0: [1] } as never)).toThrow('did you mean initial?')
    expect(() => minimize(() => 0, [1], { maxiter: 3 } as object)).toThrow('did you mean maxIterations?')
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
    expect(() => full([2], '1' as never)).toThrow("full: value wants a number, got '1'")
    expect(() => zeros(3 as never)).toThrow('zeros: shape wants an array of whole numbers, got 3')
    expect(() => ones([-1])).toThrow('ones: every dimension')
    expect(() => gradients(mul(x, x), x as never)).toThrow('gradients(): wants inputs in an array, [x], got a Tensor')
    expect(() => tensor([1n] as never)).toThrow('tensor: wants a number at [0], got 1n')
  })
})

describe.each(allBackends)('$variant', (backend) => {
  test('batch sizes that are none do not reach the memory', () => {
    const model = new Sequential([new Dense(2, 1)], { backend })
    const data = { inputs: [[1, 2]], targets: [[1]], loss: mse }
    for (const batchSize of [-3, 0.5, 0, Number.NaN]) expect(() => evaluateModel(model, { ...data, batchSize })).toThrow(/batchSize wants/)
  })
})
