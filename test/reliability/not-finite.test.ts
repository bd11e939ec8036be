/** NaN and infinity in the data are named by row and column, wherever they are. */
import { expect, test } from 'vitest'
import { Dense, evaluateModel, mse, Sequential, tensor } from '../../ts/index.js'

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('fault 26: %s is found at every place of the data', (value) => {
  const width = 7
  const rows = 1500
  const model = new Sequential([new Dense(width, 1)])
  const targets = tensor(new Float32Array(rows), [rows, 1])
  // places around the ends of the blocks that are checked together, and around the end of the array
  for (const place of [0, 1, 2, 3, 4, 4093, 4094, 4095, 4096, 4097, 8191, 8192, 10_494, 10_497, 10_498, 10_499]) {
    const inputs = new Float32Array(rows * width).fill(3e38)
    inputs[place] = value
    const run = () => evaluateModel(model, { inputs: tensor(inputs, [rows, width]), targets, loss: mse })
    expect(run).toThrow(`inputs: ${value} at row ${Math.floor(place / width)}, column ${place % width}`)
  }
})

test('a NaN in a later batch of an evaluation is named before the loss that an earlier one gives', () => {
  const model = new Sequential([new Dense(2, 1)])
  const inputs = new Float32Array(20).fill(3e38)
  inputs[17] = Number.NaN
  const run = (batchSize: number) => evaluateModel(model, { inputs, shape: [10, 2], targets: new Float32Array(10), loss: mse, batchSize })
  for (const batchSize of [1, 3, 10]) expect(() => run(batchSize)).toThrow('evaluateModel: inputs: NaN at row 8, column 1')
})
