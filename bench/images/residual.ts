/**
 * A residual net of fewer than 100,000 weights on MNIST: accuracy on the 10,000 test pictures after each epoch, and CPU time of the process. It learns from all
 * 60,000 pictures, shifted by up to two pixels and turned by up to ten degrees. Test pictures choose nothing: the result is the one of the last epoch.
 *
 *     node --import tsx bench/images/residual.ts [--epochs N] [--seed N] [--widen]
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Conv2d, GlobalAvgPool, Residual } from '../../ts/conv/index.js'
import { changeRows, plainRows } from '../../ts/images/augment.js'
import type { ImageSet } from '../../ts/images/image-set.js'
import { probabilitiesOf } from '../../ts/images/probabilities.js'
import { Adam, BatchNorm, crossEntropy, Dense, fit, Generator, load, type Module, Sequential, schedules } from '../../ts/index.js'
import { digitsOf } from './sets.js'

const { values } = parseArgs({
  options: {
    epochs: { type: 'string', default: '15' },
    seed: { type: 'string', default: '0' },
    widen: { type: 'boolean' },
    out: { type: 'string' },
  },
})
const [epochs, seed] = [Number(values.epochs), Number(values.seed)]
const [BATCH, RATE] = [96, 0.006]

const convolution = (inputs: number, filters: number, kernel: number, stride: number, activation: 'relu' | 'linear' = 'relu'): Module[] => [
  new Conv2d(inputs, filters, kernel, { stride, padding: (kernel - 1) / 2, bias: false }),
  new BatchNorm(filters, { activation }),
]
const block = (inputs: number, filters: number, stride: number): Module =>
  new Residual([...convolution(inputs, filters, 3, stride), ...convolution(filters, filters, 3, 1, 'linear')], {
    shortcut: stride === 1 ? [] : convolution(inputs, filters, 1, stride, 'linear'),
    activation: 'relu',
  })
await load({ widen: values.widen ?? false })
const model = new Sequential(
  [...convolution(1, 24, 5, 2), block(24, 24, 1), block(24, 48, 2), block(48, 48, 1), new GlobalAvgPool(), new Dense(48, 10)],
  { seed },
) as Sequential

const set = (part: 'train' | 'test'): ImageSet => {
  const { pixels, labels } = digitsOf(part)
  return {
    pixels,
    labels,
    size: 28,
    channels: 1,
    count: labels.length,
    classes: Array.from({ length: 10 }, (_, i) => String(i)),
    skipped: [],
  } as unknown as ImageSet
}
const [train, test] = [set('train'), set('test')]
const all = Int32Array.from({ length: train.count }, (_, i) => i)
const inputs = plainRows(train, all)
const optimizer = new Adam(model.parameters(), { learningRate: RATE })
const steps = Math.ceil(train.count / BATCH)
const cycle = schedules.oneCycle(RATE, { steps: epochs * steps })
const generator = new Generator(seed)
const how = { flip: false, shift: 2 / 28, rotate: 10, light: 0, mixup: 0, cutmix: 0 }
const testRows = Int32Array.from({ length: test.count }, (_, i) => i)
console.log(`${model.parameters().reduce((sum, { size }) => sum + size, 0)} weights`)
for (let epoch = 1; epoch <= epochs; epoch++) {
  changeRows(train, all, how, generator, inputs)
  const before = (epoch - 1) * steps
  const history = await fit(model, {
    inputs,
    shape: [train.count, 28, 28, 1],
    targets: Int32Array.from(train.labels),
    loss: (scores, targets) => crossEntropy(scores, targets, { labelSmoothing: 0.1 }),
    optimizer,
    schedule: (step: number) => cycle(before + step),
    batchSize: BATCH,
    epochs: 1,
    seed: seed + epoch,
    verbose: false,
  })
  const scores = probabilitiesOf(model, test, testRows)
  let right = 0
  for (const [i, row] of scores.entries()) if (row.indexOf(Math.max(...row)) === test.labels[i]) right++
  const { user, system } = process.cpuUsage()
  console.log(
    `epoch ${epoch}/${epochs}: loss ${history.epochs[0].loss.toFixed(4)}, test ${(right / test.count).toFixed(4)}, ${Math.round((user + system) / 1e6)} s`,
  )
  if (values.out) writeFileSync(values.out, JSON.stringify(model.state()))
}
