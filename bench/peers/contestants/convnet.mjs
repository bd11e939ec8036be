/** ConvNetJS: sample by sample, an update after each batch. It has no Adam; Adadelta is its most similar optimizer. */
import { createRequire } from 'node:module'
import { mean, versionOf } from './tools.mjs'

const convnetjs = createRequire(import.meta.url)('convnetjs')
export const versions = { convnetjs: versionOf('convnetjs') }

export function create({ kind, sizes, activation, loss, x, y, count, batch }) {
  if (kind === 'update') throw new Error('its optimizers do not work alone')
  const outputs = sizes.at(-1)
  const last = loss === 'mse' ? { type: 'regression', num_neurons: outputs } : { type: 'softmax', num_classes: Math.max(2, outputs) }
  const net = new convnetjs.Net()
  net.makeLayers([
    { type: 'input', out_sx: 1, out_sy: 1, out_depth: sizes[0] },
    ...sizes.slice(1, -1).map((n) => ({ type: 'fc', num_neurons: n, activation })),
    last,
  ])
  const trainer = new convnetjs.Trainer(net, { method: 'adadelta', batch_size: batch, l2_decay: 0 })
  const rows = Array.from({ length: count }, (_, r) => {
    const input = new convnetjs.Vol(1, 1, sizes[0])
    for (let i = 0; i < sizes[0]; i++) input.w[i] = x[r * sizes[0] + i]
    return { input, target: loss === 'mse' ? [y[r]] : y[r] }
  })
  const lossOf = ({ input, target }) => {
    net.forward(input)
    return net.backward(target)
  }
  const clear = () => {
    for (const { grads } of net.getParamsAndGrads()) grads.fill(0)
  }
  return {
    run(epochs) {
      for (let e = 0; e < epochs; e++) for (const { input, target } of rows) trainer.train(input, target)
    },
    // its loss comes with the backward pass, whose gradients must not be added to the next batch's
    loss() {
      const value = mean(rows.map(lossOf))
      clear()
      return value
    },
    accuracy: () =>
      mean(
        rows.map(({ input }, r) => {
          net.forward(input)
          return Number(net.getPrediction() === y[r])
        }),
      ),
  }
}
