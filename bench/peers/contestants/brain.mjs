/**
 * brain.js with praxis `adam`. It trains sample by sample on squared errors and has one activation for all layers, so a step
 * here is as many samples as others have in a batch.
 */
import { createRequire } from 'node:module'
import { mean, versionOf } from './tools.mjs'

const { NeuralNetwork } = createRequire(import.meta.url)('brain.js')
export const versions = { 'brain.js': versionOf('brain.js') }

export function create({ kind, sizes, activation, loss, x, y, count, learningRate }) {
  if (kind === 'update') throw new Error('its optimizers do not work alone')
  const net = new NeuralNetwork({
    inputSize: sizes[0],
    outputSize: sizes.at(-1),
    hiddenLayers: sizes.slice(1, -1),
    activation: activation === 'tanh' ? 'tanh' : 'leaky-relu',
    praxis: 'adam',
    learningRate,
  })
  const outputs = sizes.at(-1)
  const target = (r) => {
    if (loss === 'mse') return Float32Array.of(y[r])
    if (outputs === 1) return Float32Array.of(2 * y[r] - 1)
    return Float32Array.from({ length: outputs }, (_, j) => Number(j === y[r]))
  }
  const data = Array.from({ length: count }, (_, r) => ({ input: x.slice(r * sizes[0], (r + 1) * sizes[0]), output: target(r) }))
  net.initialize()
  const error = ({ input, output }) => mean(Array.from(net.runInput(input), (z, j) => (z - output[j]) ** 2))
  return {
    run: (epochs) => void net.train(data, { iterations: epochs, errorThresh: 1e-9, learningRate }),
    loss: () => mean(data.map(error)),
    accuracy: () => mean(data.map(({ input }, r) => Number(indexOfLargest(net.runInput(input)) === y[r]))),
  }
}

const indexOfLargest = (values) => values.indexOf(Math.max(...values))
