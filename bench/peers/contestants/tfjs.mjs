/** TensorFlow.js as its guide recommends: variables, `optimizer.minimize`, one tidy per step. Option: the backend, `cpu` or `wasm`. */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
// this package registers the gradients of operations
import '@tensorflow/tfjs-layers'
import { accuracyOf, batchesOf, mean, oneHot, versionOf } from './tools.mjs'

export const versions = { '@tensorflow/tfjs-core': versionOf('@tensorflow/tfjs-core') }

export async function create(task) {
  const files = fileURLToPath(new URL('../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url))
  setWasmPaths(files + path.sep)
  await tf.setBackend(task.options[0])
  await tf.ready()
  return task.kind === 'update' ? update(task) : net(task)
}

const optimizerOf = ({ optimizer, learningRate }) =>
  optimizer === 'adam' ? tf.train.adam(learningRate) : tf.train.momentum(learningRate, 0.9)

function net(task) {
  const { sizes, activation, weights, batch } = task
  const outputs = sizes.at(-1)
  const variables = weights.map((w, i) => ({
    w: tf.variable(tf.tensor2d(w, [sizes[i], sizes[i + 1]])),
    b: tf.variable(tf.zeros([sizes[i + 1]])),
  }))
  const batches = batchesOf(task).map(({ x, y }) => ({
    x: tf.tensor2d(x, [batch, sizes[0]]),
    y: task.loss === 'ce' ? tf.tensor2d(oneHot(y, outputs), [batch, outputs]) : tf.tensor2d(y, [batch, 1]),
    labels: y,
  }))
  const forward = (x) =>
    variables.reduce((h, { w, b }, i) => {
      const z = tf.add(tf.matMul(h, w), b)
      return i === variables.length - 1 ? z : activation === 'relu' ? tf.relu(z) : tf.tanh(z)
    }, x)
  const { softmaxCrossEntropy, sigmoidCrossEntropy, meanSquaredError } = tf.losses
  const lossOf = { ce: softmaxCrossEntropy, bce: sigmoidCrossEntropy, mse: meanSquaredError }[task.loss]
  const optimizer = optimizerOf(task)
  return {
    run(epochs) {
      for (let e = 0; e < epochs; e++) {
        for (const { x, y } of batches) tf.tidy(() => optimizer.minimize(() => lossOf(y, forward(x))))
      }
    },
    loss: () => mean(batches.map(({ x, y }) => tf.tidy(() => lossOf(y, forward(x)).dataSync()[0]))),
    accuracy: () =>
      mean(
        batches.map(({ x, labels }) =>
          accuracyOf(
            tf.tidy(() => forward(x).dataSync()),
            labels,
          ),
        ),
      ),
  }
}

function update(task) {
  const [n] = task.sizes
  const p = tf.variable(tf.fill([n], 0.5), true, 'p')
  const g = tf.fill([n], 0.01)
  const optimizer = optimizerOf(task)
  return {
    step: () => tf.tidy(() => optimizer.applyGradients({ p: g })),
    drift: () => p.dataSync()[n - 1] - 0.5,
  }
}
