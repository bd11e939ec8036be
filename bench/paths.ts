/**
 * The speed of different ways to train, as shares of plain `fit` on the same net (W2 of bench/peers/workloads.ts: 4-16-3, 64 batches
 * of 16 rows, shuffle off). All take turns window by window, so that a busy machine slows all of them alike; medians of shares.
 * `node --import tsx bench/paths.ts [--ms=40] [--windows=15] [--net=W2] [--cpu] [name …]`
 */
import {
  Adam,
  type Backend,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  type FitOptions,
  fit,
  GradientAccumulation,
  type Loss,
  logSoftmax,
  Module,
  mean,
  mul,
  neg,
  SAM,
  Sequential,
  SGD,
  sum,
  type Tensor,
  tensor,
  trainSteps,
} from '../ts/index.js'
import { dataOf, WORKLOADS, type Workload } from './peers/workloads.js'

const flags = process.argv.slice(2).filter((a) => a.startsWith('--'))
const wanted = process.argv.slice(2).filter((a) => !a.startsWith('--'))
const given = (name: string, otherwise: string) => flags.find((a) => a.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise
const [ms, windows] = [Number(given('ms', '40')), Number(given('windows', '15'))]
/** With `--cpu` the processor time of this process, for a busy machine. */
const clock = flags.includes('--cpu') ? () => (process.cpuUsage().user + process.cpuUsage().system) / 1000 : () => performance.now()
const workload = WORKLOADS.find(({ id }) => id === given('net', 'W2')) as Workload
const backend: Backend = createBackend({ backend: given('backend', 'wasm') as 'wasm' })
const { sizes, batch, batches, activation } = workload
const count = batch * batches
const [inputs, y] = dataOf(workload)
const targets = Int32Array.from(y)
const classes = sizes[sizes.length - 1]

const layers = () => sizes.slice(1).map((n, i) => new Dense(sizes[i], n, i < sizes.length - 2 ? { activation } : {}))

class Own extends Module {
  layers = layers()
  forward(x: Tensor): Tensor {
    let h = x
    for (const layer of this.layers) h = layer.forward(h) as Tensor
    return h
  }
}

const sequential = () => new Sequential(layers(), { backend })
const adam = (model: Module) => new Adam(model.parameters(), { learningRate: 1e-3 })
const oneHotTargets = tensor(
  Array.from(targets, (c) => Array.from({ length: classes }, (_, i) => Number(i === c))),
  { backend },
)
const ownLoss: Loss = (p, t) => neg(mean(sum(mul(logSoftmax(p), t), -1)))

interface Way {
  model: Module
  options: Partial<FitOptions>
  optimizer: Adam | GradientAccumulation | SAM
  goal: number
}
const way = (
  goal: number,
  options: Partial<FitOptions> = {},
  model: Module = sequential(),
  of: (m: Module) => Way['optimizer'] = adam,
): Way => ({
  model,
  options,
  optimizer: of(model),
  goal,
})

const WAYS: Record<string, Way> = {
  'plain fit': way(1),
  shuffle: way(0.9, { shuffle: true }),
  metrics: way(0.8, { metrics: ['accuracy'] }),
  'validation (as many rows)': way(0.45, { validation: { inputs, targets, shape: [count, sizes[0]] } }),
  'clipped gradients': way(0.6, {}, sequential(), (m) => new Adam(m.parameters(), { learningRate: 1e-3, clipNorm: 1 })),
  Dropout: way(
    0.7,
    {},
    new Sequential(
      layers().flatMap((layer, i) => (i === 0 ? [layer, new Dropout(0.2)] : [layer])),
      { backend },
    ),
  ),
  'GradientAccumulation, 4': way(
    0.9,
    {},
    sequential(),
    (m) => new GradientAccumulation(new Adam(m.parameters(), { learningRate: 1e-3 }), { every: 4 }),
  ),
  SAM: way(0.45, {}, sequential(), (m) => new SAM(new SGD(m.parameters(), { learningRate: 1e-3 }))),
  'a Module of one’s own': way(0.8, {}, new Own({ backend })),
  'a wrapper of crossEntropy': way(0.8, { loss: (p, t) => crossEntropy(p, t as never) }),
  'a loss of operations': way(0.4, { loss: ownLoss, targets: oneHotTargets }),
  onBatchEnd: way(0.3, { callbacks: [{ onBatchEnd() {} }] }),
  onEpochEnd: way(0.7, { callbacks: [{ onEpochEnd() {} }] }),
  'own Module, onEpochEnd': way(0.5, { callbacks: [{ onEpochEnd() {} }] }, new Own({ backend })),
  'full batch': way(0.9, {
    batchSize: 16,
    inputs: inputs.subarray(0, 16 * sizes[0]),
    shape: [16, sizes[0]],
    targets: targets.subarray(0, 16),
  }),
  'written out': way(0.2, { replay: false }),
}

function optionsOf({ options, optimizer }: Way, epochs: number): FitOptions {
  return { inputs, shape: [count, sizes[0]], targets, loss: crossEntropy, optimizer, batchSize: batch, shuffle: false, epochs, ...options }
}

/** Steps per second of one window; epochs are chosen by `ms`. */
const epochsOf = new Map<string, number>()
async function speed(name: string): Promise<number> {
  const chosen = WAYS[name]
  const epochs = epochsOf.get(name) ?? 1
  const started = clock()
  const { steps, execution } = await fit(chosen.model, optionsOf(chosen, epochs))
  const elapsed = clock() - started
  epochsOf.set(name, Math.max(1, Math.round((epochs * ms) / elapsed)))
  executions.set(name, execution)
  return (1000 * steps) / elapsed
}
const executions = new Map<string, { programs: number; replayed: number; writtenOut: number; reason?: string }>()
const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]

const names = ['plain fit', ...Object.keys(WAYS).filter((name) => name !== 'plain fit' && (wanted.length === 0 || wanted.includes(name)))]
const shares = new Map<string, number[]>(names.map((name) => [name, []]))
const plain: number[] = []
for (let window = -4; window < windows; window++) {
  const speeds = new Map<string, number>()
  for (const name of window % 2 === 0 ? names : [...names].reverse()) speeds.set(name, await speed(name))
  if (window < 0) continue
  plain.push(speeds.get('plain fit') as number)
  for (const name of names) shares.get(name)?.push((speeds.get(name) as number) / (speeds.get('plain fit') as number))
}
// a hand-written loop around trainSteps
const model = sequential()
let steps = 0
const started = clock()
const loop = { ...optionsOf({ ...WAYS['plain fit'], optimizer: adam(model) }, 1e6) }
for await (const _ of trainSteps(model, loop)) if (++steps % 64 === 0 && clock() - started > 4 * ms) break
console.log(
  `Node ${process.versions.node}, ${backend.variant}, ${workload.id} ${workload.title}; plain fit ${median(plain).toFixed(0)} steps/s`,
)
console.log(`${'way'.padEnd(30)}share   goal   steps: programs, replayed, written out`)
for (const name of names) {
  const {
    programs,
    replayed,
    writtenOut,
    reason = '',
  } = executions.get(name) as { programs: number; replayed: number; writtenOut: number } & { reason?: string }
  const goal = WAYS[name].goal
  console.log(
    `${name.padEnd(30)}${median(shares.get(name) as number[])
      .toFixed(2)
      .padStart(5)}  ${goal.toFixed(2).padStart(5)}   ${programs}, ${replayed}, ${writtenOut} ${reason}`,
  )
}
console.log(`${'trainSteps'.padEnd(30)}${((1000 * steps) / (clock() - started) / median(plain)).toFixed(2).padStart(5)}`)
