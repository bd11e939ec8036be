/** Training that diverges where no later training loss would reveal it: at its end, in validation, in an evaluation. */
import { describe, expect, test } from 'vitest'
import {
  Dense,
  EarlyStopping,
  evaluateModel,
  fit,
  fitMany,
  GradientAccumulation,
  type Loss,
  Module,
  mean,
  mse,
  NonFiniteError,
  Sequential,
  SGD,
  square,
  sub,
  type Tensor,
  trainSteps,
} from '../../ts/index.js'
import { allBackends } from '../tools/small-nets.js'

describe.each(allBackends)('fault 27: $variant', (backend) => {
  const inputs = Array.from({ length: 8 }, (_, i) => [i / 4 - 1, 1e10])
  const targets = inputs.map(([x]) => [300 * x])
  /** With a rate of 1e38 the first step takes weights beyond float32; its loss, before the update, is finite. */
  const net = () => new Sequential([new Dense(2, 4, { activation: 'tanh' }), new Dense(4, 1)], { seed: 1, backend })
  const options = (model: Module, learningRate = 3e38) => ({
    inputs,
    targets,
    loss: mse,
    optimizer: new SGD(model.parameters(), { learningRate }),
    batchSize: 'full' as const,
  })
  const broken =
    /weights are not finite after step 1 \(epoch 1, batch 1\).*parameter '[01]\.(weight|bias)' of Dense.*is (NaN|-?Infinity) at position \d.*all were finite before the first step.*learning rate \(now/s
  const own: Loss = (p, t) => mean(square(sub(p, t)))

  test('a frozen parameter that is not finite is named', async () => {
    const model = net()
    const [frozen] = model.parameters()
    frozen.requiresGrad = false
    frozen.view()[1] = Number.NaN
    const optimizer = new SGD(model.parameters().slice(1))
    await expect(fit(model, { ...options(model), optimizer })).rejects.toThrow(
      /loss is NaN at step 1.*parameter '0\.weight' of Dense\(2, 4.* is NaN at position 1, which is not trained/,
    )
  })

  test.each([
    ['a loss of the library', mse],
    ['a loss of your own', own],
  ])('weights that are not finite after the last step end fit with an error: %s', async (_, loss) => {
    const model = net()
    const failed = fit(model, { ...options(model), loss })
    await expect(failed).rejects.toThrow(NonFiniteError)
    await expect(failed).rejects.toThrow(broken)
  })

  test('and in trainSteps, with metrics, with accumulated batches, and one of many nets', async () => {
    const make = () => {
      const model = net()
      return [model, options(model)] as const
    }
    const [a, ofA] = make()
    const steps = async () => {
      for await (const _ of trainSteps(a, ofA));
    }
    await expect(steps()).rejects.toThrow(broken)
    const [b, ofB] = make()
    await expect(fit(b, { ...ofB, metrics: ['meanAbsoluteError'] })).rejects.toThrow(broken)
    const [c, ofC] = make()
    await expect(fit(c, { ...ofC, optimizer: new GradientAccumulation(ofC.optimizer, { every: 3 }) })).rejects.toThrow(broken)
    const models = [net(), net(), net()]
    const { optimizer: _, ...shared } = ofA
    const optimizers = models.map((model, i) => new SGD(model.parameters(), { learningRate: i === 1 ? 3e38 : 1e-30 }))
    const histories = await fitMany(models, { ...shared, optimizers, epochs: 1 })
    expect(histories.map(({ error }) => error?.message)).toEqual([undefined, expect.stringMatching(broken), undefined])
  })

  test('at the end of an epoch that a callback hears of, with the last step after which all were finite', async () => {
    const model = net()
    const epochs: number[] = []
    const stopping = new EarlyStopping({ monitor: 'loss' })
    const failed = fit(model, {
      ...options(model),
      epochs: 9,
      schedule: (step) => (step < 3 ? 1e-30 : 3e38),
      callbacks: [{ onEpochEnd: ({ epoch }) => void epochs.push(epoch) }, stopping],
    })
    await expect(failed).rejects.toThrow(/not finite after step 4 \(epoch 4, batch 1\).*all were finite after step 3/)
    expect(epochs).toEqual([1, 2, 3])
    // the best weights are restored, as after a loss that is not finite
    expect(model.parameters().every((p) => p.data().every(Number.isFinite))).toBe(true)
  })

  test('a loss that is not finite says whether weights are, and since when', async () => {
    const model = net()
    const schedule = (step: number) => (step < 3 ? 1e-30 : 3e38)
    await expect(fit(model, { ...options(model), epochs: 9, schedule })).rejects.toThrow(
      /^loss is (NaN|Infinity) at step 5 .*parameter '.*' of Dense.*all were finite before the first step/,
    )
    const fine = net()
    const far = targets.map(() => [3e38])
    await expect(fit(fine, { ...options(fine), targets: far })).rejects.toThrow(
      /^loss is Infinity at step 1 .*the weights are finite, those after step 0/,
    )
  })

  test('validation and evaluateModel', async () => {
    const far = { inputs, targets: targets.map(() => [3e38]) }
    const model = net()
    const failed = fit(model, {
      ...options(model, 1e-30),
      validation: far,
      epochs: 3,
    })
    await expect(failed).rejects.toThrow(NonFiniteError)
    await expect(failed).rejects.toThrow(
      /^fit: validation after epoch 1 \(step 1\): loss is Infinity for rows 0 to 7; all parameters are finite/,
    )
    expect(() => evaluateModel(model, { ...far, loss: mse })).toThrow(
      /^evaluateModel: loss is Infinity for rows 0 to 7; all parameters are finite/,
    )
    model.parameters()[2].view()[1] = Number.NaN
    expect(() => evaluateModel(model, { inputs, targets, loss: mse })).toThrow(
      /^evaluateModel: loss is NaN for rows 0 to 7; parameter '1\.weight' of Dense\(4, 1\) is NaN at position 1$/,
    )
    expect(() => evaluateModel(model, { inputs, targets, loss: mse, batchSize: 3 })).toThrow(/for rows 0 to 2;/)
  })

  test('NaN is found at every place of the weights', async () => {
    class Wide extends Module {
      a = new Dense(5, 7)
      b = new Dense(7, 3)
      forward(x: Tensor): Tensor {
        return this.b.forward(this.a.forward(x))
      }
    }
    const x = Array.from({ length: 4 }, () => [1, 2, 3, 4, 5])
    const y = x.map(() => [1, 2, 3])
    const model = new Wide({ seed: 1, backend })
    const optimizer = new SGD(model.parameters(), { learningRate: 1e-3 })
    for (const p of model.parameters()) {
      for (let at = 0; at < p.size; at++) {
        for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
          const before = model.state()
          const spoil = { onBatchEnd: () => void (p.view()[at] = value) }
          await expect(fit(model, { inputs: x, targets: y, loss: mse, optimizer, callbacks: [spoil] })).rejects.toThrow(
            `parameter '${p.name}' of Dense(${p.name.startsWith('a') ? '5, 7' : '7, 3'}) is ${value} at position ${at} `,
          )
          model.loadState(before)
        }
      }
    }
  })
})
