/** WeightAverage: the exponential mean and the mean. */
import { describe, expect, test } from 'vitest'
import { createBackend } from '../../../ts/backend/index.js'
import { WeightAverage } from '../../../ts/index.js'
import { make } from '../../tools/optim-parameters.js'

const double = createBackend({ backend: 'js', dtype: 'float64' })

describe('WeightAverage', () => {
  test('ema and mean', () => {
    const [p] = make([[1]], double)
    const [ema, mean] = [new WeightAverage([p], { decay: 0.75 }), new WeightAverage([p], { form: 'mean' })]
    for (const value of [4, 8, 0]) {
      p.view().fill(value)
      ema.update()
      mean.update()
    }
    expect(ema.averages()[0][0]).toBe(3.75)
    expect(mean.averages()[0][0]).toBe(4)
    expect(mean.evaluate(() => p.view()[0])).toBe(4)
    expect(p.view()[0]).toBe(0)
    expect(() => ema.evaluate(async () => 1)).toThrow('wants a function that is not asynchronous, got a Promise')
    expect(p.view()[0]).toBe(0)
  })

  test('refuses options that it does not have, and values out of range', () => {
    const of = (options: object) => () => new WeightAverage(make([[1]], double), options)
    expect(of({ beta: 0.9 })).toThrow("WeightAverage: there is no option 'beta'")
    expect(of({ form: 'median' })).toThrow('WeightAverage: form wants')
    expect(of({ decay: 1.5 })).toThrow('WeightAverage: decay wants a number from 0 to 1, got 1.5')
  })
})
