// Draws the pictures that the worker sends; the page stays responsive.
import { spirals as makeSpirals } from 'gradus/data'

const SIZE = 80
const COLORS = ['#f4a582', '#92c5de', '#a6dba0']
const canvas = document.querySelector('canvas')
const context = canvas.getContext('2d')
const scale = canvas.width / SIZE
const spirals = makeSpirals({ count: 600, noise: 0.05, seed: 1 })
/** A number between −1.2 and 1.2 for column or row i of the grid. */
const position = (i) => ((i + 0.5) / SIZE) * 2.4 - 1.2
const grid = Array.from({ length: SIZE * SIZE }, (_, i) => [position(i % SIZE), position(Math.floor(i / SIZE))])

const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
worker.onmessage = ({ data }) => {
  if (data.done) return document.body.classList.add('done')
  data.classes.forEach((label, i) => {
    context.fillStyle = COLORS[label]
    context.fillRect((i % SIZE) * scale, Math.floor(i / SIZE) * scale, scale, scale)
  })
  spirals.targets.forEach((label, i) => {
    const [x, y] = [spirals.inputs[2 * i], spirals.inputs[2 * i + 1]].map((v) => ((v + 1.2) / 2.4) * canvas.width)
    context.fillStyle = '#000'
    context.fillRect(x - 2, y - 2, 5, 5)
    context.fillStyle = COLORS[label]
    context.fillRect(x - 1, y - 1, 3, 3)
  })
  document.querySelector('#progress').textContent = `epoch ${data.epoch}: loss ${data.loss.toFixed(4)}`
}
worker.postMessage({ spirals, grid })
