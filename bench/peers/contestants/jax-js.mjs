/**
 * jax-js on its WebAssembly device, the whole step in one `jit`. It is lazy, so the loss is read within the measured time. Adam's bias correction is
 * passed as a number computed outside; otherwise every step would be compiled anew.
 */
import { defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from '@jax-js/jax'
import { accuracyOf, batchesOf, mean, oneHot, versionOf } from './tools.mjs'

export const versions = { '@jax-js/jax': versionOf('@jax-js/jax') }

const [B1, B2, EPS] = [0.9, 0.999, 1e-8]

export async function create(task) {
  await init('wasm')
  defaultDevice('wasm')
  return task.kind === 'update' ? update(task) : net(task)
}

const forwardOf =
  ({ activation }) =>
  (layers, x) =>
    layers.reduce((h, { w, b }, i) => {
      const z = np.matmul(h, w).add(b)
      return i === layers.length - 1 ? z : activation === 'relu' ? nn.relu(z) : np.tanh(z)
    }, x)

/** Mean loss of logits z; consumes its arguments. */
function lossOf(kind, z, y) {
  if (kind === 'mse') return np.mean(np.square(z.sub(y)))
  if (kind === 'bce') return np.mean(nn.softplus(z.ref).sub(z.mul(y)))
  return np.mean(np.sum(nn.logSoftmax(z, -1).mul(y), -1)).mul(-1)
}

function net(task) {
  const { sizes, weights, batch, learningRate } = task
  const outputs = sizes.at(-1)
  const forward = forwardOf(task)
  let layers = weights.map((w, i) => ({ w: np.array(w).reshape([sizes[i], sizes[i + 1]]), b: np.zeros([sizes[i + 1]]) }))
  const zeros = () => weights.map((_, i) => ({ w: np.zeros([sizes[i], sizes[i + 1]]), b: np.zeros([sizes[i + 1]]) }))
  let [m, v] = [zeros(), zeros()]
  const batches = batchesOf(task).map(({ x, y }) => ({
    x: np.array(x.slice()).reshape([batch, sizes[0]]),
    y: np.array(task.loss === 'ce' ? oneHot(y, outputs) : y.slice()).reshape([batch, outputs]),
    labels: y,
  }))
  const loss = (layers, x, y) => lossOf(task.loss, forward(layers, x), y)
  const train = jit((layers, m, v, rate, x, y) => {
    const [value, g] = valueAndGrad(loss)(kept(layers), x, y)
    const next = layers.map((l, i) => ({ w: adam(l.w, g[i].w, m[i].w, v[i].w, rate.ref), b: adam(l.b, g[i].b, m[i].b, v[i].b, rate.ref) }))
    rate.dispose()
    const pick = (k) => next.map(({ w, b }) => ({ w: w[k], b: b[k] }))
    return [value, pick(0), pick(1), pick(2)]
  })
  const lossOnly = jit(loss)
  const predict = jit(forward)
  let step = 0
  return {
    async run(epochs) {
      for (let e = 0; e < epochs; e++) {
        for (const { x, y } of batches) {
          step++
          const rate = np.array((learningRate * Math.sqrt(1 - B2 ** step)) / (1 - B1 ** step))
          const [value, ...next] = train(layers, m, v, rate, x.ref, y.ref)
          ;[layers, m, v] = next
          await value.data()
        }
      }
    },
    async loss() {
      let sum = 0
      for (const { x, y } of batches) sum += (await lossOnly(kept(layers), x.ref, y.ref).data())[0]
      return sum / batches.length
    },
    async accuracy() {
      const shares = []
      for (const { x, labels } of batches) shares.push(accuracyOf(await predict(kept(layers), x.ref).data(), labels))
      return mean(shares)
    },
  }
}

const kept = (layers) => layers.map(({ w, b }) => ({ w: w.ref, b: b.ref }))

/** [p, m, v] after a step; consumes its arguments. */
function adam(p, g, m, v, rate) {
  const m1 = m.mul(B1).add(g.ref.mul(1 - B1))
  const v1 = v.mul(B2).add(np.square(g).mul(1 - B2))
  return [p.sub(rate.mul(m1.ref).div(np.sqrt(v1.ref).add(EPS))), m1, v1]
}

function update({ sizes: [n], optimizer, learningRate }) {
  const g = np.full([n], 0.01)
  let [p, m, v] = [np.full([n], 0.5), np.zeros([n]), np.zeros([n])]
  const adamStep = jit(adam)
  const momentumStep = jit((p, g, m, rate) => {
    const m1 = m.mul(0.9).add(g)
    return [p.sub(rate.mul(m1.ref)), m1]
  })
  let step = 0
  return {
    async step() {
      step++
      if (optimizer === 'adam') {
        const rate = np.array((learningRate * Math.sqrt(1 - B2 ** step)) / (1 - B1 ** step))
        ;[p, m, v] = adamStep(p, g.ref, m, v, rate)
      } else [p, m] = momentumStep(p, g.ref, m, np.array(learningRate))
      // reading one number of each array runs the pending computations, without a copy of ten million numbers
      await p.ref.slice(0).data()
      await m.ref.slice(0).data()
    },
    drift: async () => (await p.ref.slice(0).data())[0] - 0.5,
  }
}
