/** Replayed steps have the bits of the written-out steps; steps that could differ are not replayed. */
import { describe, expect, test } from 'vitest'
import {
  Activation,
  Adam,
  binaryCrossEntropy,
  createBackend,
  crossEntropy,
  Dense,
  type FitOptions,
  Flatten,
  fit,
  Generator,
  GradientAccumulation,
  huber,
  type Module,
  mse,
  Sequential,
  SGD,
  StaleTensorError,
  type Tensor,
  trainSteps,
} from '../../../ts/index.js'

const backends = [createBackend({ backend: 'js' }), createBackend({ backend: 'js', dtype: 'float64' }), createBackend()]

/** A layer whose forward method is a field: it is called at each step. */
const asked = () => Object.assign(new Activation('linear'), { forward: (x: Tensor) => x })

const rows = 53
const numbers = (n: number, seed: number) => Float32Array.from(new Generator(seed).uniforms(n), (u) => 2 * u - 1)
const inputs = { inputs: numbers(rows * 6, 1), shape: [rows, 6] as const }
const classes = Int32Array.from({ length: rows }, (_, i) => (i * 7) % 4)
const values = () => Array.from({ length: rows }, (_, r) => [...numbers(4, 100 + r)])
const bits = () => values().map((row) => row.map((v) => (v > 0 ? 1 : 0)))

describe.each(backends)('$variant $dtype', (backend) => {
  const layers = () => [
    new Dense(6, 9, { activation: 'gelu' }),
    new Activation('tanh'),
    new Dense(9, 7, { activation: 'relu' }),
    new Dense(7, 4),
  ]
  /** The same net twice; in the second a replaced forward method prevents replay. */
  const nets = () => [new Sequential(layers(), { seed: 3, backend }), new Sequential([...layers(), asked()], { seed: 3, backend })]
  const values4 = (model: Module) => model.parameters().map((p) => [...p.data()])

  test.each<[string, Pick<FitOptions, 'loss' | 'targets' | 'weights'>]>([
    ['crossEntropy, indices', { loss: crossEntropy, targets: classes }],
    ['crossEntropy, weighted', { loss: crossEntropy, targets: classes, weights: numbers(rows, 5).map(Math.abs) }],
    ['mse', { loss: mse, targets: values() }],
    ['huber', { loss: huber, targets: values() }],
    ['binaryCrossEntropy', { loss: binaryCrossEntropy, targets: bits() }],
  ])('%s: ragged batches, shuffled, with validation in between', async (_name, data) => {
    const [replayed, eager] = nets()
    const run = (model: Sequential) =>
      fit(model, {
        ...inputs,
        ...data,
        optimizer: new Adam(model.parameters(), { learningRate: 0.01 }),
        epochs: 6,
        batchSize: 16,
        seed: 2,
        metrics: { first: (p) => p.read()[0] },
        validationFraction: 0.2,
      })
    const [a, b] = [await run(replayed), await run(eager)]
    expect(a.epochs.map((e) => [e.loss, e.metrics, e.validation])).toEqual(b.epochs.map((e) => [e.loss, e.metrics, e.validation]))
    expect(values4(replayed)).toEqual(values4(eager))
  })

  test.each<[string, () => Module[], number[]]>([
    ['a leading activation', () => [new Activation('tanh'), new Dense(6, 4)], []],
    ['a frozen first layer', () => [new Dense(6, 9, { activation: 'tanh' }), new Dense(9, 4)], [0, 1]],
    ['a frozen last layer', () => [new Dense(6, 9, { activation: 'tanh' }), new Dense(9, 4)], [2, 3]],
    ['a frozen weight', () => [new Dense(6, 9, { activation: 'elu' }), new Activation('silu'), new Dense(9, 4)], [0]],
    ['flattening', () => [new Flatten(), new Dense(6, 4)], []],
    [
      'a layer used twice',
      () => {
        const d = new Dense(6, 6, { activation: 'tanh' })
        return [d, d, new Dense(6, 4)]
      },
      [],
    ],
  ])('%s', async (_name, stack, frozen) => {
    const [replayed, eager] = [new Sequential(stack(), { seed: 1, backend }), new Sequential([...stack(), asked()], { seed: 1, backend })]
    for (const model of [replayed, eager]) {
      for (const i of frozen) model.parameters()[i].requiresGrad = false
      const optimizer = new SGD(model.parameters(), { learningRate: 0.3 })
      await fit(model, { ...inputs, targets: classes, loss: crossEntropy, optimizer, epochs: 4, batchSize: 16 })
    }
    expect(values4(replayed)).toEqual(values4(eager))
  })

  test('a prediction of an earlier step is stale, replayed or not', async () => {
    for (const model of nets()) {
      const kept: Tensor[] = []
      const optimizer = new SGD(model.parameters())
      for await (const { prediction } of trainSteps(model, { ...inputs, targets: classes, loss: crossEntropy, optimizer, batchSize: 16 }))
        kept.push(prediction)
      expect(() => kept[0].data()).toThrow(StaleTensorError)
    }
  })

  test('gradients that are to be added up are', async () => {
    const [replayed, eager] = nets()
    for (const model of [replayed, eager]) {
      const optimizer = new GradientAccumulation(new SGD(model.parameters(), { learningRate: 0.1 }), { every: 3 })
      await fit(model, { ...inputs, targets: classes, loss: crossEntropy, optimizer, epochs: 3, batchSize: 8 })
    }
    expect(values4(replayed)).toEqual(values4(eager))
  })

  test('freezing a layer and a new optimizer in the middle are noticed', async () => {
    const [replayed, eager] = nets()
    for (const model of [replayed, eager]) {
      let optimizer = new SGD(model.parameters(), { learningRate: 0.1 })
      const options = { ...inputs, targets: classes, loss: crossEntropy, epochs: 2, batchSize: 16, shuffle: false }
      for await (const { step } of trainSteps(model, {
        ...options,
        get optimizer() {
          return optimizer
        },
      })) {
        if (step === 2) model.parameters()[0].requiresGrad = false
        if (step === 4)
          optimizer = new SGD(
            [...model.parameters()].reverse().filter((p) => p.requiresGrad),
            { learningRate: 0.05 },
          )
      }
    }
    expect(values4(replayed)).toEqual(values4(eager))
  })

  test('a layer with a forward of its own is asked at each step', async () => {
    const layer = new Dense(6, 4)
    const { forward } = layer
    let calls = 0
    Object.assign(layer, { forward: (x: Tensor) => (layer.training ? ++calls : 1) && forward.call(layer, x as never) })
    const model = new Sequential([layer], { backend })
    await fit(model, {
      ...inputs,
      targets: classes,
      loss: crossEntropy,
      optimizer: new SGD(model.parameters(), { learningRate: 0.1 }),
      epochs: 3,
    })
    expect(calls).toBe(6)
  })

  test('what a step gave is readable until the next, and memory stays where it was', async () => {
    const [model] = nets()
    const optimizer = new SGD(model.parameters(), { learningRate: 0.01 })
    const options = { ...inputs, targets: classes, loss: crossEntropy, optimizer, batchSize: 16, shuffle: false }
    let used = 0
    for await (const { step, prediction, targets } of trainSteps(model, { ...options, epochs: 50 })) {
      expect(prediction.shape[1]).toBe(4)
      expect([...targets.data()]).toEqual([...classes.subarray(((step - 1) % 4) * 16, ((step - 1) % 4) * 16 + 16)])
      if (step === 8) used = backend.heap.usedBytes
      // a finalizer of an earlier test may free memory meanwhile
      if (step > 8) expect(backend.heap.usedBytes).toBeLessThanOrEqual(used)
    }
  })

  test('a label that is no class is found before the first step, wherever it is', async () => {
    const [model] = nets()
    const before = values4(model)
    const optimizer = new SGD(model.parameters())
    const targets = classes.map((c, i) => (i === 50 ? 9 : c))
    await expect(fit(model, { ...inputs, targets, loss: crossEntropy, optimizer, batchSize: 16, shuffle: false })).rejects.toThrow(
      /fit: targets, row 50: crossEntropy: label: wants whole numbers from 0 to 3, got 9$/,
    )
    expect(values4(model)).toEqual(before)
  })
})
