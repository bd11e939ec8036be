/** Optimizers that average weights: the weights that they show for validation, and the weights that `fit` keeps. */
import { describe, expect, test } from 'vitest'
import { createBackend, Dense, EarlyStopping, fit, mse, type Optimizer, type Parameter, Sequential } from '../../../ts/index.js'
import { AveragingOptimizer, OPTIMIZERS } from '../../../ts/optim/index.js'

type Class = new (parameters: readonly Parameter[], options?: object) => Optimizer & AveragingOptimizer<object>
const classes = Object.entries(OPTIMIZERS).filter(([, { prototype }]) => prototype instanceof AveragingOptimizer) as unknown as [
  string,
  Class,
][]

function frozenNet() {
  const model = new Sequential([new Dense(2, 3, { activation: 'tanh' }), new Dense(3, 1)], { seed: 3, backend: createBackend() })
  const [weight, bias, ...others] = model.parameters()
  for (const p of [weight, bias]) p.requiresGrad = false
  bias.view().fill(0.5)
  return { model, frozen: [weight, bias], others }
}
const values = (parameters: readonly Parameter[]) => parameters.map((p) => p.data())

test('there are three of them', () => {
  expect(classes.map(([name]) => name).sort()).toEqual(['ASGD', 'ScheduleFreeAdamW', 'ScheduleFreeSGD'])
})

describe.each(classes)('%s', (_, Class) => {
  test('before the first step, averages are the parameters', () => {
    const { model } = frozenNet()
    expect(new Class(model.parameters()).averages()).toEqual(values(model.parameters()))
  })

  test('the average of what is frozen is what it is, and others have their own', () => {
    const { model, frozen, others } = frozenNet()
    const optimizer = new Class(model.parameters(), { learningRate: 0.05 })
    for (let k = 1; k <= 3; k++) {
      for (const p of others) p.gradientView().fill(k)
      optimizer.step()
    }
    const averages = optimizer.averages()
    expect(averages.slice(0, 2)).toEqual(values(frozen))
    expect(optimizer.evaluate(() => values(frozen))).toEqual(values(frozen))
    for (const average of averages.slice(2)) expect(average.every((x) => x !== 0)).toBe(true)
  })

  test('fit with EarlyStopping leaves frozen layers as they are', async () => {
    const { model, frozen } = frozenNet()
    const before = values(frozen)
    const optimizer = new Class(model.parameters(), { learningRate: 0.05 })
    const inputs = [[0, 1], [1, 0], [1, 1], [0, 0]] // biome-ignore format: a table
    const callbacks = [new EarlyStopping({ monitor: 'loss', patience: 50 })]
    await fit(model, { inputs, targets: [1, 1, 0, 0], loss: mse, optimizer, epochs: 3, batchSize: 2, callbacks })
    expect(values(frozen)).toEqual(before)
  })
})
