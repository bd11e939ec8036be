/**
 * Measures what README.md shows and writes it to bench/results/*.json, from which bench/chart.ts draws the picture.
 * `node_modules/node/bin/node --import tsx bench/results.ts [curves] [speed]`, about six minutes for both.
 *
 * Speed is best-of: the tables of step.ts and kernels.ts are run `REPEATS` times and the best of each figure is kept, because
 * other work on the machine can only make a figure worse.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { loadMnist, type Split } from '../ts/data/index.js'
import {
  type Backend,
  createBackend,
  crossEntropy,
  Dense,
  evaluateModel,
  NonFiniteError,
  OPTIMIZERS,
  type Optimizer,
  Parameter,
  Sequential,
  supportedVariants,
  tensor,
  trainSteps,
} from '../ts/index.js'

const REPEATS = 2
const RATES = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3]
/** Optimizers whose speed is measured. */
const MEASURED = ['SGD', 'Momentum', 'Nesterov', 'RMSProp', 'Adam', 'AdamW', 'Lion', 'AdaBelief'] as const
const CURVES = ['SGD', 'Momentum', 'RMSProp', 'Adam', 'Lion'] as const
/** Floats of an optimizer's parameters: the net 784-128-10, which caches hold, and 50 MB and more, which they do not. */
const SIZES = [101_770, 10_000_000] as const

type Name = keyof typeof OPTIMIZERS

/** Where and when. */
export interface Origin {
  cpu: string
  node: string
  date: string
}

/** Test errors of one optimizer over an epoch of MNIST. */
export interface Curve {
  optimizer: Name
  learningRate: number
  points: { step: number; testError: number }[]
}

export interface StepSpeed {
  net: string
  batch: number
  /** Steps per second by variant. */
  stepsPerSecond: Record<string, number>
}

export interface Curves extends Origin {
  net: string
  batchSize: number
  seed: number
  curves: Curve[]
}

export interface Speed extends Origin {
  steps: StepSpeed[]
  /** GFLOP/s by variant: 512³ and the limit of one core's 128-bit multiply-adds in the same run. */
  gemm: Record<string, { product: number; limit: number }>
  /** Nanoseconds a parameter by optimizer, variant and number of parameters. */
  optimizers: { optimizer: Name; parameters: number; nanoseconds: Record<string, number> }[]
}

const origin = (): Origin => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  node: process.versions.node,
  date: new Date().toISOString().slice(0, 10),
})

// ---- learning curves ----

const NET = [784, 128, 10] as const
const BATCH = 64
const SEED = 1
const LATE = 200

/** One epoch with each optimizer, at the rate of RATES with the lowest mean training loss over the last {@link LATE} steps. */
async function measureCurves(): Promise<Curves> {
  const data = await loadMnist()
  const backend = createBackend()
  const curves: Curve[] = []
  for (const optimizer of CURVES) {
    let best = { loss: Infinity, rate: RATES[0] }
    for (const rate of RATES) {
      const loss = (await epoch(optimizer, rate, data, backend)).loss
      if (loss < best.loss) best = { loss, rate }
    }
    const { points } = await epoch(optimizer, best.rate, data, backend, measuringSteps())
    console.log(`${optimizer} ${best.rate}: training loss ${best.loss.toFixed(4)}, test error ${points.at(-1)?.testError}`)
    curves.push({ optimizer, learningRate: best.rate, points })
  }
  return { ...origin(), net: NET.join('-'), batchSize: BATCH, seed: SEED, curves }
}

/** 1, 2, 3, … then further and further apart, and the last of the epoch. */
function measuringSteps(): Set<number> {
  const last = Math.ceil(60_000 / BATCH)
  return new Set([...Array.from({ length: 40 }, (_, i) => Math.round(last ** (i / 39))), last])
}

async function epoch(
  name: Name,
  learningRate: number,
  { train, test }: Split,
  backend: Backend,
  measureAt = new Set<number>(),
): Promise<{ loss: number; points: Curve['points'] }> {
  const [inputs, hidden, classes] = NET
  const layers = [new Dense(inputs, hidden, { activation: 'relu' }), new Dense(hidden, classes)]
  const model = new Sequential(layers, { seed: SEED, backend })
  const optimizer = new OPTIMIZERS[name](model.parameters(), { learningRate }) as Optimizer
  const all = { inputs: tensor(train.inputs, train.shape, { backend }), targets: train.targets }
  const held = { inputs: tensor(test.inputs, test.shape, { backend }), targets: test.targets }
  const points: Curve['points'] = []
  const losses: number[] = []
  try {
    for await (const { step, loss } of trainSteps(model, { ...all, loss: crossEntropy, optimizer, batchSize: BATCH, seed: SEED })) {
      losses.push(loss)
      if (!measureAt.has(step)) continue
      const { accuracy } = evaluateModel(model, { ...held, loss: crossEntropy, metrics: ['accuracy'] })
      points.push({ step, testError: Number((1 - accuracy).toFixed(4)) })
    }
  } catch (error) {
    if (error instanceof NonFiniteError) return { loss: Infinity, points }
    throw error
  }
  return { loss: losses.slice(-LATE).reduce((sum, loss) => sum + loss, 0) / LATE, points }
}

// ---- speed ----

async function measureSpeed(): Promise<Speed> {
  const steps = repeat(() => readSteps(table('step'))).reduce(bestSteps)
  const gemm = repeat(() => readGemm(table('kernels'))).reduce(bestGemm)
  const optimizers: Speed['optimizers'] = []
  for (const size of SIZES) for (const name of MEASURED) optimizers.push(await measureOptimizer(name, size))
  return { ...origin(), steps, gemm, optimizers }
}

const repeat = <T>(measure: () => T): T[] => Array.from({ length: REPEATS }, measure)

/** The lines that a table of `make bench` prints, in a process of its own. */
function table(name: string): string[] {
  const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url))
  const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`bench/${name}.ts failed`)
  console.log(stdout)
  return stdout.split('\n')
}

function readSteps(lines: string[]): StepSpeed[] {
  const header = lines.find((line) => line.startsWith('net'))?.split(/\s+/) ?? []
  const variants = header.filter((word) => word === 'relaxed' || word === 'simd' || word === 'js')
  const rows = lines.filter((line) => /^\d+(-\d+)+ /.test(line)).map((line) => line.trim().split(/\s+/))
  if (rows.length === 0) throw new Error('bench/step.ts printed no rows')
  return rows.map(([net, batch, ...speeds]) => ({
    net,
    batch: Number(batch),
    stepsPerSecond: Object.fromEntries(variants.map((variant, i) => [variant, Number(speeds[i])])),
  }))
}

function bestSteps(a: StepSpeed[], b: StepSpeed[]): StepSpeed[] {
  const best = (x: StepSpeed, y: StepSpeed) =>
    Object.fromEntries(Object.entries(x.stepsPerSecond).map(([variant, speed]) => [variant, Math.max(speed, y.stepsPerSecond[variant])]))
  return a.map((row, i) => ({ ...row, stepsPerSecond: best(row, b[i]) }))
}

function readGemm(lines: string[]): Speed['gemm'] {
  const limits = lines.find((line) => line.startsWith('limit:'))?.matchAll(/(relaxed|simd) ([\d.]+)/g) ?? []
  const row = lines.find((line) => line.startsWith('matmul 512·512·512'))
  if (row === undefined) throw new Error('bench/kernels.ts printed no product 512·512·512')
  const pairs = [...row.slice(24).matchAll(/([\d.]+)\s+(\d+) %/g)]
  return Object.fromEntries([...limits].map(([, variant, limit], i) => [variant, { product: Number(pairs[i][1]), limit: Number(limit) }]))
}

function bestGemm(a: Speed['gemm'], b: Speed['gemm']): Speed['gemm'] {
  const best = (variant: string) => ({
    product: Math.max(a[variant].product, b[variant].product),
    limit: Math.max(a[variant].limit, b[variant].limit),
  })
  return Object.fromEntries(Object.keys(a).map((variant) => [variant, best(variant)]))
}

/** Nanoseconds a parameter: the backends by turns, the best of eight rounds. */
async function measureOptimizer(optimizer: Name, parameters: number): Promise<Speed['optimizers'][number]> {
  const variants = [...supportedVariants(), 'js'] as const
  const steps = variants.map((variant) => optimizerStep(optimizer, parameters, variant))
  const best = steps.map(() => Infinity)
  for (let round = 0; round < 8; round++) {
    steps.forEach((step, i) => {
      best[i] = Math.min(best[i], nanosecondsOf(step) / parameters)
    })
    // The memory of the optimizer before goes when the garbage collector has had a turn.
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const nanoseconds = Object.fromEntries(variants.map((variant, i) => [variant, Number(best[i].toFixed(3))]))
  console.log(optimizer, parameters, nanoseconds)
  return { optimizer, parameters, nanoseconds }
}

function optimizerStep(name: Name, size: number, variant: 'relaxed' | 'simd' | 'js'): () => void {
  const backend = createBackend(variant === 'js' ? { backend: 'js' } : { variant })
  const p = Parameter.ofShape([size], { backend })
  p.gradientView().forEach((_, i, g) => (g[i] = ((i * 7919) % 1000) / 1000 - 0.5))
  const optimizer = new OPTIMIZERS[name]([p], { learningRate: 1e-4 }) as Optimizer
  return () => {
    p.gradientView()
    optimizer.step()
  }
}

/** Of one call, in a window of 60 ms or one call. */
function nanosecondsOf(call: () => void): number {
  const start = performance.now()
  let calls = 0
  let elapsed = 0
  do {
    call()
    calls++
    elapsed = performance.now() - start
  } while (elapsed < 60)
  return (elapsed * 1e6) / calls
}

// ---- files ----

/** A file of bench/results. */
export function readResults<T>(name: 'curves' | 'speed'): T {
  return JSON.parse(readFileSync(resultFile(name), 'utf8'))
}

function resultFile(name: string): URL {
  return new URL(`./results/${name}.json`, import.meta.url)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['curves', 'speed']
  const save = (name: string, value: unknown) => writeFileSync(resultFile(name), `${JSON.stringify(value, null, 2)}\n`)
  if (wanted.includes('curves')) save('curves', await measureCurves())
  if (wanted.includes('speed')) save('speed', await measureSpeed())
}
