/** WeightAverage: the exponential mean and the mean. */
import { describe, expect, test } from 'vitest'
import { createBackend } from '../../../ts/backend/index.js'
import { Adam, Dense, fit, mse, NonFiniteError, Sequential, SGD, WeightAverage } from '../../../ts/index.js'
import { make } from '../../tools/optim-parameters.js'

const double = createBackend({ backend: 'js', dtype: 'float64' })

/** A parameter whose next value is told: the rate is 1, and the gradient what is left. */
function told(options: ConstructorParameters<typeof WeightAverage>[1]) {
  const [p] = make([[1]], double)
  const average = new WeightAverage(new SGD([p], { learningRate: 1 }), options)
  return {
    p,
    average,
    become(value: number) {
      p.gradientView().fill(p.view()[0] - value)
      average.step()
    },
  }
}

describe('WeightAverage', () => {
  test('ema and mean', () => {
    const [ema, mean] = [told({ decay: 0.75 }), told({ form: 'mean' })]
    for (const value of [4, 8, 0]) for (const { become } of [ema, mean]) become(value)
    expect(ema.average.averages()[0][0]).toBe(3.75)
    expect(mean.average.averages()[0][0]).toBe(4)
    expect(mean.average.evaluate(() => mean.p.view()[0])).toBe(4)
    expect(mean.p.view()[0]).toBe(0)
    expect(() => ema.average.evaluate(async () => 1)).toThrow('wants a function that is not asynchronous, got a Promise')
    mean.average.apply()
    expect(mean.p.view()[0]).toBe(4)
  })

  test('counts steps after `from`, one of `every`', () => {
    const { average, become } = told({ form: 'mean', every: 2, from: 3 })
    for (const value of [10, 10, 10, 10, 1, 10, 3]) become(value)
    expect([average.count, average.averages()[0][0]]).toEqual([2, 2])
  })

  test('before the first update the weights are the average', () => {
    const { average, become } = told({ from: 9 })
    become(7)
    expect(average.averages()[0][0]).toBe(7)
    expect(average.showAverages()).toBeUndefined()
  })

  const inputs = Float32Array.from({ length: 90 }, (_, i) => Math.sin(i))
  const targets = Float32Array.from({ length: 30 }, (_, i) => Math.cos(i))
  const netOf = (backend?: ReturnType<typeof createBackend>) =>
    new Sequential([new Dense(3, 8, { activation: 'tanh' }), new Dense(8, 1)], { seed: 1, backend })
  const data = { inputs, shape: [30, 3], targets, loss: mse, batchSize: 8, seed: 3 } as const

  test('fit replays its steps, with the bits of steps one by one', async () => {
    const train = async (callbacks: object[]) => {
      const model = netOf()
      const optimizer = new WeightAverage(new Adam(model.parameters()), { decay: 0.9 })
      const history = await fit(model, { ...data, optimizer, epochs: 20, callbacks })
      return { optimizer, execution: history.execution }
    }
    const [fast, slow] = [await train([]), await train([{ onBatchEnd: () => {} }])]
    expect(fast.execution.programs).toBeGreaterThan(slow.execution.programs)
    expect(fast.optimizer.count).toBe(80)
    expect(fast.optimizer.state()).toEqual(slow.optimizer.state())
  })

  test('fit validates the average, and EarlyStopping keeps it', async () => {
    const model = netOf()
    const optimizer = new WeightAverage(new Adam(model.parameters()), { decay: 0.9 })
    const seen: number[][] = []
    const onEpochEnd = () => void seen.push([...model.parameters()[0].data()])
    await fit(model, { ...data, optimizer, epochs: 3, validation: { inputs, shape: [30, 3], targets }, callbacks: [{ onEpochEnd }] })
    expect(seen.at(-1)).toEqual([...optimizer.averages()[0]])
    expect(seen.at(-1)).not.toEqual([...model.parameters()[0].data()])
  })

  test('a loss that is not finite leaves the average of the steps before', async () => {
    const model = netOf()
    const optimizer = new WeightAverage(new SGD(model.parameters(), { learningRate: 1e4 }), { decay: 0.9 })
    await expect(fit(model, { ...data, optimizer, epochs: 20 })).rejects.toThrow(NonFiniteError)
    expect(optimizer.count).toBe(optimizer.stepCount)
  })

  test('refuses options that it does not have, and values out of range', () => {
    const of = (options: object) => () => new WeightAverage(new SGD(make([[1]], double)), options)
    expect(of({ beta: 0.9 })).toThrow("WeightAverage: there is no option 'beta'")
    expect(of({ form: 'median' })).toThrow('WeightAverage: form wants')
    expect(of({ decay: 1.5 })).toThrow('WeightAverage: decay wants a number from 0 to 1, got 1.5')
    expect(of({ every: 0 })).toThrow('WeightAverage: every wants')
  })
})
