/** trainOnBatch: its step equals the step of a hand-written loop and of fit; and refused arguments. */
import { expect, test } from 'vitest'
import { Adam, Dense, fit, mse, NonFiniteError, SAM, Sequential, trainOnBatch, trainSteps } from '../../ts/index.js'
import { LBFGS } from '../../ts/solve/index.js'

const inputs = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
const targets = inputs.map(([a, b]) => [a - 2 * b])
const net = (outputs = 1) => new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, outputs)], { seed: 3 })

test('trainOnBatch takes the same step as a loop by hand, and as fit', async () => {
  const [a, b, c] = [net(), net(), net()]
  const [forA, forB, forC] = [a, b, c].map((model) => new Adam(model.parameters(), { learningRate: 0.01 }))
  for (let i = 0; i < 5; i++) {
    const loss = trainOnBatch(a, { inputs, targets, loss: mse, optimizer: forA })
    const byHand = mse(b.forward(inputs), targets)
    expect(loss).toBe(byHand.item())
    byHand.backward()
    forB.step()
  }
  await fit(c, { inputs, targets, loss: mse, optimizer: forC, epochs: 5, batchSize: 'full', shuffle: false })
  expect(a.state()).toEqual(b.state())
  expect(a.state()).toEqual(c.state())
  expect(a.training).toBe(true)
  a.evaluate()
  trainOnBatch(a, { inputs, targets, loss: mse, optimizer: forA })
  expect(a.training).toBe(false)
})

test('trainOnBatch takes optimizers that evaluate the loss themselves', () => {
  for (const make of [(m: Sequential) => new LBFGS(m.parameters()), (m: Sequential) => new SAM(new Adam(m.parameters()))]) {
    const model = net()
    const options = { inputs, targets, loss: mse, optimizer: make(model as Sequential) }
    const first = trainOnBatch(model, options)
    for (let i = 0; i < 20; i++) trainOnBatch(model, options)
    expect(trainOnBatch(model, options)).toBeLessThan(first)
  }
})

test('trainOnBatch says what is wrong, changes nothing then, and knows of fit', async () => {
  const model = net()
  const optimizer = new Adam(model.parameters())
  const before = model.state()
  const step = (more: object) => () => trainOnBatch(model, { inputs, targets, loss: mse, optimizer, ...more })
  expect(step({ targets: [1, 2] })).toThrow('trainOnBatch: 40 rows of inputs but 2 of targets')
  expect(step({ inputs: inputs.map(([a]) => [a, Number.NaN]) })).toThrow('trainOnBatch: inputs: NaN at row 0, column 1')
  expect(step({ loss: 'mse' })).toThrow("trainOnBatch: loss wants a function, such as mse or crossEntropy, got 'mse'")
  expect(step({ optimizer: undefined })).toThrow('trainOnBatch: optimizer wants an Optimizer')
  expect(step({ optimizer: new Adam(net().parameters()) })).toThrow("has none of this model's parameters")
  expect(step({ epochs: 3 })).toThrow("trainOnBatch: there is no option 'epochs'")
  expect(step({ targets: targets.map(() => [1e38]) })).toThrow(NonFiniteError)
  expect(model.state()).toEqual(before)
  const running = fit(...trained(model, { epochs: 2 }))
  expect(step({})).toThrow('trainOnBatch: this model is being trained already')
  await running
  const loop = trainSteps(model, { inputs, targets, loss: mse, optimizer })
  await loop.next()
  expect(step({})()).toBeGreaterThan(0)
  await loop.return()
})

function trained(model: Sequential | ReturnType<typeof net>, more: object): Parameters<typeof fit> {
  const optimizer = new Adam(model.parameters())
  return [model, { inputs, targets, loss: mse, optimizer, ...more }]
}
