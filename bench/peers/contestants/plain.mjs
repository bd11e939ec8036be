/** Hand-written loops over typed arrays: no library, nothing allocated in a step. */
import { accuracyOf, batchesOf, mean } from './tools.mjs'

export const versions = {}

const [B1, B2, EPS] = [0.9, 0.999, 1e-8]

export function create(task) {
  if (task.kind === 'update') return update(task)
  const { sizes, batch } = task
  const layers = sizes.slice(1).map((out, i) => layerOf(task, i, sizes[i], out, i === sizes.length - 2))
  const batches = batchesOf(task)
  let step = 0
  const train = ({ x, y }) => {
    forward(layers, x, batch)
    lossAndGradient(task.loss, layers.at(-1), y, batch)
    backward(layers, x, batch)
    step++
    const rate = (task.learningRate * Math.sqrt(1 - B2 ** step)) / (1 - B1 ** step)
    for (const l of layers) {
      adam(l.w, l.dw, l.mw, l.vw, rate)
      adam(l.b, l.db, l.mb, l.vb, rate)
    }
  }
  return {
    run(epochs) {
      for (let e = 0; e < epochs; e++) for (const each of batches) train(each)
    },
    loss: () => mean(batches.map(({ x, y }) => lossAndGradient(task.loss, forward(layers, x, batch), y, batch))),
    accuracy: () => mean(batches.map(({ x, y }) => accuracyOf(forward(layers, x, batch).z, y))),
  }
}

function layerOf({ batch, activation, weights }, index, inputs, outputs, last) {
  const zeros = (n) => new Float32Array(n)
  return {
    inputs,
    outputs,
    activation: last ? 'linear' : activation,
    ...{ w: weights[index].slice(), b: zeros(outputs), dw: zeros(inputs * outputs), db: zeros(outputs) },
    ...{ mw: zeros(inputs * outputs), vw: zeros(inputs * outputs), mb: zeros(outputs), vb: zeros(outputs) },
    ...{ z: zeros(batch * outputs), dz: zeros(batch * outputs) },
  }
}

/** z = act(x·w + b), row by row; the innermost loop runs along a row of w. */
function forward(layers, x, rows) {
  let input = x
  for (const { inputs, outputs, w, b, z, activation } of layers) {
    for (let r = 0; r < rows; r++) {
      const at = r * outputs
      for (let j = 0; j < outputs; j++) z[at + j] = b[j]
      for (let i = 0; i < inputs; i++) {
        const a = input[r * inputs + i]
        if (a === 0) continue
        for (let j = 0, k = i * outputs; j < outputs; j++) z[at + j] += a * w[k + j]
      }
    }
    if (activation === 'relu') for (let i = 0; i < z.length; i++) z[i] = z[i] > 0 ? z[i] : 0
    else if (activation === 'tanh') for (let i = 0; i < z.length; i++) z[i] = Math.tanh(z[i])
    input = z
  }
  return layers[layers.length - 1]
}

function lossAndGradient(loss, { z, dz, outputs }, y, rows) {
  let sum = 0
  for (let r = 0; r < rows; r++) {
    const at = r * outputs
    if (loss === 'mse') {
      const d = z[at] - y[r]
      sum += d * d
      dz[at] = (2 * d) / rows
    } else if (loss === 'bce') {
      const p = 1 / (1 + Math.exp(-z[at]))
      sum += Math.max(z[at], 0) - z[at] * y[r] + Math.log1p(Math.exp(-Math.abs(z[at])))
      dz[at] = (p - y[r]) / rows
    } else {
      let max = z[at]
      for (let j = 1; j < outputs; j++) if (z[at + j] > max) max = z[at + j]
      let total = 0
      for (let j = 0; j < outputs; j++) total += dz[at + j] = Math.exp(z[at + j] - max)
      sum += Math.log(total) + max - z[at + y[r]]
      for (let j = 0; j < outputs; j++) dz[at + j] /= total * rows
      dz[at + y[r]] -= 1 / rows
    }
  }
  return sum / rows
}

function backward(layers, x, rows) {
  for (let l = layers.length - 1; l >= 0; l--) {
    const { inputs, outputs, w, dw, db, dz } = layers[l]
    const below = l > 0 ? layers[l - 1] : null
    const input = below ? below.z : x
    dw.fill(0)
    db.fill(0)
    for (let r = 0; r < rows; r++) {
      const at = r * outputs
      for (let j = 0; j < outputs; j++) db[j] += dz[at + j]
      for (let i = 0; i < inputs; i++) {
        const a = input[r * inputs + i]
        const k = i * outputs
        if (a !== 0) for (let j = 0; j < outputs; j++) dw[k + j] += a * dz[at + j]
        if (!below) continue
        let sum = 0
        for (let j = 0; j < outputs; j++) sum += dz[at + j] * w[k + j]
        below.dz[r * inputs + i] = below.activation === 'relu' ? (a > 0 ? sum : 0) : sum * (1 - a * a)
      }
    }
  }
}

function adam(p, g, m, v, rate) {
  for (let i = 0; i < p.length; i++) {
    m[i] = B1 * m[i] + (1 - B1) * g[i]
    v[i] = B2 * v[i] + (1 - B2) * g[i] * g[i]
    p[i] -= (rate * m[i]) / (Math.sqrt(v[i]) + EPS)
  }
}

function momentum(p, g, v, rate) {
  for (let i = 0; i < p.length; i++) {
    v[i] = 0.9 * v[i] + g[i]
    p[i] -= rate * v[i]
  }
}

function update({ sizes: [n], optimizer, learningRate }) {
  const [p, g, m, v] = [0.5, 0.01, 0, 0].map((value) => new Float32Array(n).fill(value))
  let step = 0
  return {
    step() {
      step++
      if (optimizer === 'adam') adam(p, g, m, v, (learningRate * Math.sqrt(1 - B2 ** step)) / (1 - B1 ** step))
      else momentum(p, g, m, learningRate)
    },
    drift: () => p[n - 1] - 0.5,
  }
}
