/** Shapes that people give by mistake: messages name the expected shape. */
import { expect, test } from 'vitest'
import { Dense, mse, Sequential } from '../../ts/index.js'

const inputs = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
const classes = Int32Array.from(inputs, ([a, b]) => (a > b ? 1 : 0))
const net = (outputs = 1) => new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, outputs)], { seed: 3 })

test('shapes that people give by mistake come with what they want', () => {
  expect(() => new Dense(1, 2).predict([1, 2, 3] as never)).toThrow('got shape [3]; rows of one number each are [[1], [2], [3]]')
  const model = net(3)
  expect(() => mse(model.forward(inputs), classes as never)).toThrow(
    'prediction has shape [40, 3], target [40]; a class for each row is what crossEntropy takes',
  )
})
