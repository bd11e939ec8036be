/**
 * Training steps of convolutional nets per second of CPU time, on one thread, beside PyTorch (channels_last, fused Adam). Processes take turns, and the
 * figure of each is the best of its windows.
 *
 *     node --import tsx bench/conv.ts [V1 V2 V3 V4] [--widen] [--python PATH]   # --python: one that has torch
 *     node --import tsx bench/conv.ts [V1 V2 V3 V4] [--widen] --threads 2       # one thread and two, by the clock: an idle machine
 *
 * V1: LeNet of 8 and 16 filters on 28 × 28, rows 64. V2: Keras' example for MNIST, rows 64. V3: two depthwise blocks with batch normalization, rows 32.
 * V4: two convolutions along signals of 50 × 40, rows 32.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Conv1d, Conv2d, GlobalAvgPool, MaxPool } from '../ts/conv/index.js'
import {
  Adam,
  BatchNorm,
  type Callback,
  crossEntropy,
  Dense,
  Dropout,
  Flatten,
  fit,
  Generator,
  load,
  type Module,
  Sequential,
  tensor,
} from '../ts/index.js'

const block = (inputs: number, filters: number, stride: number): Module[] => [
  new Conv2d(inputs, inputs, 3, { stride, padding: 1, groups: inputs, bias: false }),
  new BatchNorm(inputs, { activation: 'relu' }),
  new Conv2d(inputs, filters, 1, { bias: false }),
  new BatchNorm(filters, { activation: 'relu' }),
]

/** The shape of an image, the rows of a batch, and the layers. */
const NETS: Record<string, [shape: number[], rows: number, layers: () => Module[]]> = {
  V1: [
    [28, 28, 1],
    64,
    () => [
      new Conv2d(1, 8, 3, { padding: 'same', activation: 'relu' }),
      new MaxPool(2),
      new Conv2d(8, 16, 3, { padding: 'same', activation: 'relu' }),
      new MaxPool(2),
      new Flatten(),
      new Dense(784, 10),
    ],
  ],
  V2: [
    [28, 28, 1],
    64,
    () => [
      new Conv2d(1, 32, 3, { activation: 'relu' }),
      new Conv2d(32, 64, 3, { activation: 'relu' }),
      new MaxPool(2),
      new Dropout(0.25),
      new Flatten(),
      new Dense(9216, 128, { activation: 'relu' }),
      new Dropout(0.5),
      new Dense(128, 10),
    ],
  ],
  V3: [
    [28, 28, 1],
    32,
    () => [
      new Conv2d(1, 32, 3, { padding: 'same', bias: false }),
      new BatchNorm(32, { activation: 'relu' }),
      ...block(32, 64, 1),
      ...block(64, 64, 2),
      new GlobalAvgPool(),
      new Dense(64, 10),
    ],
  ],
  V4: [
    [50, 40],
    32,
    () => [
      new Conv1d(40, 64, 5, { padding: 'same', activation: 'relu' }),
      new MaxPool(2),
      new Conv1d(64, 64, 5, { padding: 'same', activation: 'relu' }),
      new GlobalAvgPool(),
      new Dense(64, 10),
    ],
  ],
}

const { values, positionals } = parseArgs({
  options: {
    widen: { type: 'boolean' },
    python: { type: 'string' },
    child: { type: 'string' },
    threads: { type: 'string' },
    seconds: { type: 'string', default: '2' },
  },
  allowPositionals: true,
})
const seconds = Number(values.seconds)
if (values.child) console.log(await stepsPerSecond(values.child))
else main()

/** The best of five windows, after one that is not counted. */
async function stepsPerSecond(name: string): Promise<number> {
  await load({ widen: values.widen ?? false, threads: Number(values.threads ?? 1) })
  const [shape, rows, layers] = NETS[name]
  const model = new Sequential(layers(), { seed: 1 })
  const batches = name === 'V2' ? 2 : 12
  const count = rows * batches
  const pixels = new Generator(1).uniforms(count * shape.reduce((a, b) => a * b, 1))
  const inputs = tensor(Float32Array.from(pixels), [count, ...shape])
  const targets = Int32Array.from({ length: count }, (_, i) => i % 10)
  const optimizer = new Adam(model.parameters(), { learningRate: 1e-3 })
  let best = 0
  for (let window = 0; window < 6; window++) {
    const [begun, start] = [process.cpuUsage(), performance.now()]
    const spent = () => {
      if (values.threads !== undefined) return (performance.now() - start) / 1000
      const { user, system } = process.cpuUsage(begun)
      return (user + system) / 1e6
    }
    let steps = 0
    const onEpochEnd: Callback['onEpochEnd'] = (_, control) => {
      steps += batches
      if (spent() >= seconds / 5) control.stop()
    }
    await fit(model, {
      inputs,
      targets,
      batchSize: rows,
      epochs: 1000,
      loss: crossEntropy,
      optimizer,
      shuffle: false,
      callbacks: [{ onEpochEnd }],
    })
    if (window > 0) best = Math.max(best, steps / spent())
  }
  return best
}

function main(): void {
  const names = positionals.length > 0 ? positionals : Object.keys(NETS)
  const run = (command: string, args: string[]) => {
    const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    return Number(stdout)
  }
  const own = fileURLToPath(import.meta.url)
  const options = ['--seconds', String(seconds), ...(values.widen ? ['--widen'] : [])]
  const gradus = (name: string, more: string[]) => run(process.execPath, ['--import', 'tsx', own, '--child', name, ...options, ...more])
  // the command of each contestant
  const contestants: Record<string, (name: string) => number> =
    values.threads === undefined
      ? { gradus: (name) => gradus(name, []) }
      : {
          '1 thread': (name) => gradus(name, ['--threads', '1']),
          [`${values.threads} threads`]: (name) => gradus(name, ['--threads', values.threads ?? '1']),
        }
  const { python } = values
  if (python) contestants.PyTorch = (name) => run(python, [own.replace(/\.ts$/, '.py'), name, String(seconds)])
  for (const name of names) {
    const best: Record<string, number> = {}
    for (let round = 0; round < 3; round++)
      for (const [who, steps] of Object.entries(contestants)) best[who] = Math.max(best[who] ?? 0, steps(name))
    console.log(
      `${name}  ${Object.entries(best)
        .map(([who, figure]) => `${who} ${figure.toFixed(1)}`)
        .join('  ')} steps/s`,
    )
  }
}
