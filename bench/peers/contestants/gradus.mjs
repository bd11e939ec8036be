/** gradus itself, as users install it: the built package, `fit` over batches in their order. Option `widen`. */
import {
  Adam,
  binaryCrossEntropy,
  crossEntropy,
  Dense,
  evaluateModel,
  fit,
  load,
  Momentum,
  mse,
  Parameter,
  Sequential,
  tensor,
} from 'gradus'
import { versionOf } from './tools.mjs'

export const versions = { gradus: versionOf('gradus') }

const LOSSES = { bce: binaryCrossEntropy, ce: crossEntropy, mse }
let backend

export async function create(task) {
  const widen = task.options.includes('widen')
  backend ??= await load({ widen, threads: task.options.includes('threads') ? 2 : 1 })
  if (widen && !backend.widened) throw new Error('this engine does not widen')
  return task.kind === 'update' ? update(task) : net(task)
}

function net({ sizes, activation, weights, x, y, count, batch, learningRate, loss: lossName }) {
  const last = sizes.length - 2
  const layers = sizes.slice(1).map((n, i) => new Dense(sizes[i], n, i < last ? { activation } : {}))
  const model = new Sequential(layers)
  layers.forEach((layer, i) => layer.weight.assign(tensor(weights[i], [sizes[i], sizes[i + 1]])))
  const optimizer = new Adam(model.parameters(), { learningRate })
  const loss = LOSSES[lossName]
  const targets = lossName === 'ce' ? Int32Array.from(y) : tensor(y, [count, sizes.at(-1)])
  const data = { inputs: x, shape: [count, sizes[0]], targets, loss }
  const options = { ...data, optimizer, batchSize: batch, shuffle: false }
  return {
    run: (epochs) => fit(model, { ...options, epochs }),
    loss: () => evaluateModel(model, data).loss,
    async reach(target, most) {
      const accuracy = () => evaluateModel(model, { ...data, metrics: ['accuracy'] }).accuracy
      const onEpochEnd = (_, control) => accuracy() >= target && control.stop('learned')
      const { epochs } = await fit(model, { ...options, epochs: most, callbacks: [{ onEpochEnd }] })
      return epochs.length
    },
  }
}

function update({ sizes: [n], optimizer, learningRate }) {
  const p = new Parameter(new Float32Array(n).fill(0.5))
  const made = optimizer === 'adam' ? new Adam([p], { learningRate }) : new Momentum([p], { learningRate })
  p.grad = tensor(new Float32Array(n).fill(0.01))
  return {
    step() {
      p.gradientState = 'ready'
      made.step()
    },
    drift: () => p.view()[n - 1] - 0.5,
  }
}
