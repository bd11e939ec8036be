/** Rounds of nets: the value by which the best epoch of each is chosen. */
import { expect, test } from 'vitest'
import { Adam, Dense, mse, type Tensor, tensor } from '../../ts/index.js'
import { Rounds, type Task } from '../../ts/search/rounds.js'

const x = tensor(
  Float32Array.from({ length: 40 }, (_, i) => i / 40),
  [40, 1],
)
const rows = Int32Array.from({ length: 40 }, (_, i) => i)
const fold = { train: rows.subarray(0, 30), validation: rows.subarray(30) }
const held = tensor(x.data().slice(30), [10, 1])

/** A line whose loss falls in each of 60 epochs. @param stopOn the value that chooses among them */
async function trained(stopOn?: Task<object>['stopOn']) {
  const task: Task<object> = {
    ...{ folds: [fold], from: 0, loss: mse },
    views: [{ training: [{ inputs: x, targets: x }], validation: [{ inputs: held, targets: held }] }],
    build: (_, seed) => {
      const model = new Dense(1, 1, { seed })
      return { model, optimizer: new Adam(model.build().parameters(), { learningRate: 0.001 }) }
    },
    predict: (net, inputs) => Float64Array.from((net.predict(inputs) as Tensor).data()),
    lossOn: () => (p) => Array.from(p, (y, i) => (y - (30 + i) / 40) ** 2).reduce((a, b) => a + b) / p.length,
    ...(stopOn && { stopOn }),
  }
  const rounds = new Rounds(task, { end: undefined, reserve: () => 0, seed: 1, signal: undefined, onProgress: undefined })
  await rounds.train({ recipes: [{}], batchSize: 30, epochs: 60, number: 0 })
  return rounds.candidates[0]
}

test('the best epoch is that of the validation loss, or of the value that the task has for its rows', async () => {
  const byLoss = await trained()
  expect(byLoss.histories[0].validation).toHaveLength(60)
  let epoch = 0
  const byValue = await trained((own) => {
    expect(own).toEqual(fold.validation)
    // best in the third epoch
    return () => Math.abs(++epoch - 3)
  })
  expect(byValue.histories[0].validation).toHaveLength(3 + 16)
  expect(byValue.loss).toBeCloseTo(byValue.histories[0].validation[2], 5)
  expect(byValue.loss).toBeGreaterThan(byLoss.loss)
})

test('among epochs of the same value the loss decides, and the loss alone where the value is not defined', async () => {
  const [byLoss, alike, none] = [await trained(), await trained(() => () => 0.5), await trained(() => undefined)]
  for (const one of [alike, none]) expect([one.histories, one.loss]).toEqual([byLoss.histories, byLoss.loss])
})
