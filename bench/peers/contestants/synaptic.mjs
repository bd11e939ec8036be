/** Synaptic: a perceptron trained sample by sample with plain gradient descent, its only optimizer. Small nets only. */
import { createRequire } from 'node:module'
import { mean, versionOf } from './tools.mjs'

const { Architect } = createRequire(import.meta.url)('synaptic')
export const versions = { synaptic: versionOf('synaptic') }

export function create({ kind, sizes, loss, x, y, count }) {
  if (kind === 'update') throw new Error('its rule does not work alone')
  if (sizes[0] > 100 || sizes.length > 5) throw new Error('one object to a connection: too slow to measure')
  const net = new Architect.Perceptron(...sizes)
  const outputs = sizes.at(-1)
  const squash = (v) => 1 / (1 + Math.exp(-v))
  const target = (r) => {
    if (loss === 'mse') return [squash(y[r])]
    return outputs === 1 ? [y[r]] : Array.from({ length: outputs }, (_, j) => Number(j === y[r]))
  }
  const rows = Array.from({ length: count }, (_, r) => ({
    input: Array.from(x.subarray(r * sizes[0], (r + 1) * sizes[0])),
    output: target(r),
  }))
  const error = ({ input, output }) => mean(net.activate(input).map((z, j) => (z - output[j]) ** 2))
  return {
    run(epochs) {
      for (let e = 0; e < epochs; e++) {
        for (const { input, output } of rows) {
          net.activate(input)
          net.propagate(0.1, output)
        }
      }
    },
    loss: () => mean(rows.map(error)),
    accuracy() {
      const said = rows.map(({ input }) => net.activate(input))
      return mean(said.map((o, r) => Number(o.indexOf(Math.max(...o)) === y[r])))
    },
  }
}
