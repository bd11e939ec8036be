/**
 * Whole training steps through `fit`, at the speed that users get: the nets of bench/peers/workloads.ts on the best WebAssembly, compared with their
 * goals and with the multiply-add limit of this core in the same run. Best of many windows; a net that does not learn is an error.
 * `node --import tsx bench/fit.ts [W1 W2 …] [--widen] [--simd] [--ms=300] [--windows=7] [--cpu]` On a busy machine, `--cpu` counts the processor time
 * of this process, and many short windows find undisturbed moments.
 */

import { supportedVariants } from '../ts/debug/index.js'
import {
  Adam,
  type Backend,
  binaryCrossEntropy,
  createBackend,
  crossEntropy,
  Dense,
  evaluateModel,
  fit,
  mse,
  Sequential,
  type TrainingData,
  tensor,
} from '../ts/index.js'
import { dataOf, WORKLOADS, type Workload, weightsOf } from './peers/workloads.js'
import { limitOf } from './tools/limit.js'

/** Goals in steps per second, by default and widened; for C1 milliseconds. */
const GOALS: Record<string, readonly [number, number]> = {
  W1: [1.3e6, 1.3e6],
  W2: [300e3, 300e3],
  W3: [11e3, 16e3],
  W4: [1000, 1700],
  W5: [82, 155],
  W6: [3.5, 6.7],
  W7: [2600, 3500],
  C1: [15, 15],
}
/** Accuracy that C1 has to reach, and the largest number of epochs for it. */
const RIGHT = 0.97
const MAX_EPOCHS = 400
const LOSSES = { bce: binaryCrossEntropy, ce: crossEntropy, mse }

const flags = process.argv.slice(2).filter((a) => a.startsWith('--'))
const wanted = process.argv.slice(2).filter((a) => !a.startsWith('--'))
const widen = flags.includes('--widen')
const clock = flags.includes('--cpu') ? () => (process.cpuUsage().user + process.cpuUsage().system) / 1000 : () => performance.now()
const given = (name: string, otherwise: number) => Number(flags.find((a) => a.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise)
const [ms, windows] = [given('ms', 300), given('windows', 7)]
const variant = flags.includes('--simd') ? 'simd' : supportedVariants()[0]
const backend = createBackend({ variant, widen })
if (widen && !backend.widened) throw new Error('this engine does not widen')
const limit = limitOf(variant === 'relaxed')

interface Task {
  model: Sequential
  data: TrainingData
  options: Parameters<typeof fit>[1]
}

function taskOf(workload: Workload, start = 0): Task {
  const { sizes, batch, batches, loss: name, activation, learningRate } = workload
  const last = sizes.length - 2
  const layers = sizes.slice(1).map((n, i) => new Dense(sizes[i], n, i < last ? { activation } : {}))
  const model = new Sequential(layers, { backend: backend as Backend })
  const weights = weightsOf(workload).slice(start * layers.length)
  layers.forEach((layer, i) => layer.weight.assign(tensor(weights[i], [sizes[i], sizes[i + 1]], { backend })))
  const [inputs, y] = dataOf(workload)
  const count = batch * batches
  const targets = name === 'ce' ? Int32Array.from(y) : tensor(y, [count, sizes[sizes.length - 1]], { backend })
  const data = { inputs, shape: [count, sizes[0]], targets }
  const optimizer = new Adam(model.parameters(), { learningRate })
  return { model, data, options: { ...data, loss: LOSSES[name], optimizer, batchSize: batch, shuffle: false } }
}

const lossOf = ({ model, data, options }: Task) => evaluateModel(model, { ...data, loss: options.loss }).loss

const accuracyOf = ({ model, data, options }: Task) => evaluateModel(model, { ...data, loss: options.loss, metrics: ['accuracy'] }).accuracy

/** Floating-point operations of a step, two per multiply-add: forward, the gradient of the weights, and of the inputs except the first layer's. */
const flopsOf = ({ sizes, batch }: Workload) => sizes.slice(1).reduce((sum, n, i) => sum + 2 * batch * sizes[i] * n * (i === 0 ? 2 : 3), 0)

/** Steps per second in the best window. */
async function speedOf(workload: Workload): Promise<number> {
  const task = taskOf(workload)
  const { model, options } = task
  const first = lossOf(task)
  const begun = performance.now()
  let epochs = 1
  let best = 0
  for (let window = -3; window < windows; window++) {
    const started = clock()
    await fit(model, { ...options, epochs })
    const elapsed = clock() - started
    best = Math.max(best, (1000 * epochs * workload.batches) / elapsed)
    if (window < 0) epochs = Math.max(1, Math.round((epochs * ms) / elapsed))
    else if (performance.now() - begun > 4000 && window > 1) break
  }
  if (!(lossOf(task) < first)) throw new Error(`${workload.id} does not learn`)
  return best
}

/** Milliseconds from the first weights until enough rows are correct, the median over all starts. */
async function reach(workload: Workload): Promise<number> {
  const times: number[] = []
  for (let start = -1; start < workload.starts; start++) {
    const task = taskOf(workload, Math.max(start, 0))
    let accuracy = 0
    const onEpochEnd = (_: unknown, control: { stop(reason: string): void }) => {
      accuracy = accuracyOf(task)
      if (accuracy >= RIGHT) control.stop('learned')
    }
    const started = clock()
    await fit(task.model, { ...task.options, epochs: MAX_EPOCHS, callbacks: [{ onEpochEnd }] })
    const elapsed = clock() - started
    if (accuracy < RIGHT) throw new Error(`${workload.id} reaches ${accuracy} only`)
    if (start >= 0) times.push(elapsed)
  }
  return times.sort((a, b) => a - b)[times.length >> 1]
}

const most = limit()
console.log(
  `Node ${process.versions.node}, ${variant}${widen ? ` widened, tile ${backend.tile}` : ''}; 128-bit multiply-add limit ${most.toFixed(1)} GFLOP/s`,
)
console.log(`${'net'.padEnd(50)}${'steps/s'.padStart(10)}${'goal'.padStart(10)}${'GFLOP/s'.padStart(10)}  of the limit`)
for (const workload of WORKLOADS.filter(({ kind, id }) => kind !== 'update' && (wanted.length === 0 || wanted.includes(id)))) {
  const goal = GOALS[workload.id][widen ? 1 : 0]
  const title = `${workload.id} ${workload.title}`.padEnd(50)
  if (workload.kind === 'reach') {
    console.log(`${title}${(await reach(workload)).toFixed(1).padStart(7)} ms${String(goal).padStart(7)} ms`)
    continue
  }
  const speed = await speedOf(workload)
  const gflops = (speed * flopsOf(workload)) / 1e9
  const digits = speed < 100 ? 1 : 0
  console.log(
    `${title}${speed.toFixed(digits).padStart(10)}${String(goal).padStart(10)}${gflops.toFixed(1).padStart(10)}${((100 * gflops) / most).toFixed(0).padStart(8)} %`,
  )
}
