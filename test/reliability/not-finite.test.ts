/** NaN and infinity in the data are named by row and column, wherever they are. */
import { expect, test } from 'vitest'
import { Dense, evaluateModel, mse, Sequential, tensor } from '../../ts/index.js'

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('fault 26: %s is found at every place of the data', (value) => {
  const width = 7
  const rows = 1500
  const model = new Sequential([new Dense(width, 1)])
  const targets = tensor(new Float32Array(rows), [rows, 1])
  // around the ends of the blocks that are looked at together, and of the whole
  for (const place of [0, 1, 2, 3, 4, 4093, 4094, 4095, 4096, 4097, 8191, 8192, 10_494, 10_497, 10_498, 10_499]) {
    const inputs = new Float32Array(rows * width).fill(3e38)
    inputs[place] = value
    const run = () => evaluateModel(model, { inputs: tensor(inputs, [rows, width]), targets, loss: mse })
    expect(run).toThrow(`inputs: ${value} at row ${Math.floor(place / width)}, column ${place % width}`)
  }
})
