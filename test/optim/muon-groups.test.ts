/** The division of a model between Muon and AdamW. */
import { expect, test } from 'vitest'
import { BatchNorm, createBackend, Dense, Embedding, Flatten, fit, Muon, mse, muonGroups, Sequential } from '../../ts/index.js'

const backend = createBackend({ backend: 'js' })
const namesOf = (model: Sequential) =>
  Object.fromEntries(muonGroups(model).map(({ name, parameters }) => [name, [...parameters].map((p) => (p as { name: string }).name)]))

test('hidden matrices by Muon, the last one by AdamW, everything else by AdamW without decay', () => {
  const model = new Sequential(
    [
      new Embedding(7, 3),
      new Flatten(),
      new Dense(6, 5),
      new BatchNorm(5),
      new Sequential([new Dense(5, 5)], { backend }),
      new Dense(5, 1),
    ],
    { seed: 1, backend },
  )
  expect(namesOf(model)).toEqual({
    hidden: ['2.weight', '4.0.weight'],
    output: ['5.weight'],
    others: ['0.weight', '2.bias', '3.weight', '3.bias', '4.0.bias', '5.bias'],
  })
  const optimizer = new Muon(muonGroups(model), {
    learningRate: 0.02,
    weightDecay: 0.1,
    companionLearningRate: 0.001,
    companionWeightDecay: 0.01,
  })
  const of = optimizer.groups.map(({ name, options: { method, learningRate, weightDecay } }) => [name, method, learningRate, weightDecay])
  expect(of).toEqual([
    ['hidden', 'muon', 0.02, 0.1],
    ['output', 'adamw', 0.001, 0.01],
    ['others', 'adamw', 0.001, 0],
  ])
})

test('one layer alone is the output; anything but a model is refused', () => {
  expect(namesOf(new Sequential([new Dense(2, 1)], { backend }))).toEqual({ output: ['0.weight'], others: ['0.bias'] })
  expect(namesOf(new Sequential([new Flatten()], { backend }))).toEqual({})
  for (const wrong of [undefined, [], new Sequential([new Dense(2, 1)], { backend }).parameters()])
    expect(() => muonGroups(wrong as never)).toThrow('muonGroups: wants a model, such as a Sequential, got')
})

test('trains', async () => {
  const model = new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, 1)], { seed: 1, backend })
  const inputs = Array.from({ length: 32 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
  const optimizer = new Muon(muonGroups(model), { learningRate: 0.05, companionLearningRate: 0.02 })
  const { epochs } = await fit(model, { inputs, targets: inputs.map(([x, y]) => [x * y]), loss: mse, optimizer, epochs: 40, batchSize: 8 })
  expect(epochs[39].loss).toBeLessThan(epochs[0].loss / 5)
})
