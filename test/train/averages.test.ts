/** fit validates the averages of optimizers that average weights. */
import { describe, expect, test } from 'vitest'
import {
  type Callback,
  EarlyStopping,
  evaluateModel,
  fit,
  GradientAccumulation,
  mse,
  type Progress,
  ReduceOnPlateau,
  SGD,
  type TrainingControl,
} from '../../ts/index.js'
import { type OptimizerLike, ScheduleFreeAdamW } from '../../ts/optim/index.js'
import { allBackends, lineNet, linePoints, lineTargets } from '../tools/small-nets.js'

describe.each(allBackends)('$variant', (backend) => {
  const line = () => lineNet(backend)
  const inputs = linePoints
  const flat = lineTargets

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
      const valLoss = history.epochs[3].validation?.loss
      expect(seen[3]).toBe(valLoss)
      expect(optimizer.evaluate(() => evaluateModel(model, data).loss)).toBe(valLoss)
      expect(evaluateModel(model, data).loss).not.toBe(valLoss)
      // validation does not change the training
      const silent = await learn(wrap, { validation: undefined })
      expect(model.state()).toEqual(silent.model.state())
    })

    test('EarlyStopping keeps and restores those', async () => {
      const { model, history } = await learn((o) => o, { epochs: 30, callbacks: [new EarlyStopping({ patience: 2 })] })
      const best = Math.min(...history.epochs.map((e) => e.validation?.loss as number))
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
    expect(await rates({ validationFraction: 0.25 })).toEqual(halves)
    const model = line()
    const optimizer = new SGD(model.parameters(), { learningRate: 1 })
    const callbacks = [new ReduceOnPlateau(optimizer, { mode: 'max' })]
    await expect(fit(model, { inputs, targets: flat, loss: mse, optimizer, callbacks })).rejects.toThrow(/watches the loss.*mode 'min'/)
  })
})
