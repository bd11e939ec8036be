/** Options of an optimizer after loadState come from the state; later changes of options also count. */
import { expect, test } from 'vitest'
import { Adam, Dense, Sequential } from '../../../ts/index.js'

test('the learning rate of a state takes the place of that of the constructor, and can be set afterwards', () => {
  const model = new Sequential([new Dense(2, 1)], { seed: 1 })
  const state = new Adam(model.parameters(), { learningRate: 0.1 }).state()
  const optimizer = new Adam(model.parameters(), { learningRate: 0.001 })
  optimizer.loadState(state)
  expect(optimizer.learningRate).toBe(0.1)
  optimizer.learningRate = 0.01
  expect(optimizer.learningRate).toBe(0.01)
  expect(optimizer.state().groups[0].options).toMatchObject({ learningRate: 0.01 })
})
