/**
 * Measures the figures of README.md's picture and writes them to bench/results/*.json, from which bench/chart.ts draws it.
 * `node_modules/node/bin/node --import tsx bench/results.ts [curves] [speed] [keep]`, about six minutes for both. With `keep`
 * the better figures of the file stay: for a second try, with the same code, on a machine that was busy at the first.
 *
 * Speed is best-of: the tables of step.ts and kernels.ts and the timings of optim.ts are taken `REPEATS` times and the best of
 * each figure is kept, because other work on the machine can only make a figure worse.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadMnist, type Split } from '../ts/data/index.js'
import { supportedVariants } from '../ts/debug/index.js'
import {
  type Backend,
  createBackend,
  crossEntropy,
  Dense,
  evaluateModel,
  NonFiniteError,
  type Optimizer,
  Sequential,
  tensor,
  trainSteps,
} from '../ts/index.js'
import { OPTIMIZERS } from '../ts/optim/index.js'
import { timeOptimizer } from './optim.js'
import { cpuName } from './tools/cpu.js'

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

/** This machine, today. */
export const origin = (): Origin => ({
  cpu: cpuName(),
  node: process.versions.node,
  date: new Date().toISOString().slice(0, 10),
})

const SOLVE = new URL('./results/solve.json', import.meta.url)

/** Adds figures of solve.ts or curvature.ts to the existing ones. */
export function writeSolve(name: string, figures: unknown): void {
  const all = JSON.parse(readFileSync(SOLVE, 'utf8'))
  writeFileSync(SOLVE, `${JSON.stringify({ ...all, [name]: { ...origin(), figures } }, null, 2)}\n`)
}

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

/** Steps at which the error is measured: 1, 2, 3, …, then at growing distances, and the last of the epoch. */
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

/** The better figures of two runs of the same code. */
export function bestSpeed(a: Speed, b: Speed): Speed {
  const least = (x: Speed['optimizers'][number], y: typeof x) =>
    Object.fromEntries(Object.entries(x.nanoseconds).map(([variant, ns]) => [variant, Math.min(ns, y.nanoseconds[variant])]))
  const optimizers = b.optimizers.map((row, i) => ({ ...row, nanoseconds: least(row, a.optimizers[i]) }))
  return { ...b, steps: bestSteps(a.steps, b.steps), gemm: bestGemm(a.gemm, b.gemm), optimizers }
}

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
  return rows.map(([net, batch, ...speeds]) => {
    const stepsPerSecond = Object.fromEntries(variants.map((variant, i) => [variant, Number(speeds[i])]))
    // Slow figures are printed as whole numbers; the ratio beside them has more digits.
    const { js, ...wasm } = stepsPerSecond
    if (js < 100) stepsPerSecond.js = Number((Math.max(...Object.values(wasm)) / Number.parseFloat(speeds[variants.length])).toPrecision(3))
    return { net, batch: Number(batch), stepsPerSecond }
  })
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

/** Measures the backends alternately, each with memory of its own. */
async function measureOptimizer(optimizer: Name, parameters: number): Promise<Speed['optimizers'][number]> {
  const nanoseconds: Record<string, number> = {}
  for (let round = 0; round < REPEATS; round++) {
    for (const variant of [...supportedVariants(), 'js'] as const) {
      const backend = createBackend(variant === 'js' ? { backend: 'js' } : { variant })
      const { nsPerParameter } = timeOptimizer(optimizer, backend, parameters)
      nanoseconds[variant] = Math.min(nanoseconds[variant] ?? Infinity, Number(nsPerParameter.toFixed(3)))
      // lets the garbage collector free the memory of the previous backend
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  console.log(optimizer, parameters, nanoseconds)
  return { optimizer, parameters, nanoseconds }
}

// ---- files ----

type Results = 'curves' | 'native' | 'skinny' | 'speed' | 'tuning' | 'threads' | 'start' | 'valley' | 'tune-digits' | 'peers' | 'inference'

/** A file of bench/results. */
export function readResults<T>(name: Results): T {
  return JSON.parse(readFileSync(resultFile(name), 'utf8'))
}

/** Writes such a file, numbers to four digits. */
export function writeResults(name: Results, results: object): void {
  const round = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value)
  writeFileSync(resultFile(name), `${JSON.stringify(results, round, 2)}\n`)
}

function resultFile(name: Results): URL {
  return new URL(`./results/${name}.json`, import.meta.url)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['curves', 'speed']
  const save = (name: Results, value: unknown) => writeFileSync(resultFile(name), `${JSON.stringify(value, null, 2)}\n`)
  if (wanted.includes('curves')) save('curves', await measureCurves())
  if (wanted.includes('speed')) {
    const measured = await measureSpeed()
    save('speed', wanted.includes('keep') ? bestSpeed(readResults('speed'), measured) : measured)
  }
}
