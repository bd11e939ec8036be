/** evaluateModel: metrics without a loss. */
import { expect, test } from 'vitest'
import { crossEntropy, Dense, evaluateModel, Sequential } from '../../ts/index.js'

const inputs = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
const classes = Int32Array.from(inputs, ([a, b]) => (a > b ? 1 : 0))
const net = (outputs = 1) => new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, outputs)], { seed: 3 })

test('evaluateModel gives metrics without a loss', () => {
  const model = net(2)
  const { accuracy, loss } = evaluateModel(model, { inputs, targets: classes, loss: crossEntropy, metrics: ['accuracy'] })
  expect(loss).toBeGreaterThan(0)
  expect(evaluateModel(model, { inputs, targets: classes, metrics: ['accuracy'] })).toEqual({ accuracy })
  const nothing = { inputs, targets: classes } as never
  expect(() => evaluateModel(model, nothing)).toThrow(
    'evaluateModel: wants a loss, such as mse, or metrics, got undefined as loss and no metrics',
  )
  model.parameters()[0].view().fill(Number.NaN)
  const broken = () => evaluateModel(model, { inputs, targets: classes, metrics: ['accuracy'] })
  expect(broken).toThrow("evaluateModel: a prediction is NaN for rows 0 to 39; parameter '0.weight' of Dense(2, 8, tanh) is NaN")
})
