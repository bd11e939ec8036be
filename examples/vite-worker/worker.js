// Trains in a Web Worker, and sends the net's prediction for every point of a grid after each tenth epoch.
import { Adam, argmax, crossEntropy, Dense, fit, Sequential } from 'gradus'

self.onmessage = async ({ data: { spirals, grid } }) => {
  const layers = [new Dense(2, 32, { activation: 'tanh' }), new Dense(32, 32, { activation: 'tanh' }), new Dense(32, 3)]
  const model = new Sequential(layers, { seed: 1 })
  const optimizer = new Adam(model.parameters(), { learningRate: 0.01 })
  const onProgress = ({ epoch, loss }) => {
    if (epoch % 10 === 0) postMessage({ epoch, loss, classes: argmax(model.predict(grid), 1).data() })
  }
  await fit(model, { ...spirals, loss: crossEntropy, optimizer, epochs: 200, onProgress })
  postMessage({ done: true })
}
