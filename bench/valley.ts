/**
 * Every optimizer on eight small problems at thirteen learning rates and ten seeds, trained side by side by fitMany: the winner on each problem, the
 * tuning that each optimizer needs, and the quality of its default rate. In the manner of Schmidt, Schneider & Hennig 2021, "Descending through a
 * crowded valley".
 *
 *   node_modules/node/bin/node --import tsx bench/valley.ts [--only Adam,SGD] [--problems iris,sine] [--out file.json]
 *
 * Writes bench/results/valley.json after each optimizer, and continues where it was stopped. Seeds 0 to 3 choose the rate, and the reported loss is
 * the mean of seeds 4 to 9, so that no rate wins by luck. The loss is measured on held-out rows at the end of training.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type Dataset, iris, loadMnist, moons, selectRows, spirals, standardize, trainTestSplit, xor } from '../ts/data/index.js'
import { crossEntropy, Dense, evaluateModel, fitMany, Generator, type Loss, load, mse, Sequential, type TrainingData } from '../ts/index.js'
import { AveragingOptimizer, OPTIMIZERS } from '../ts/optim/index.js'

/** Seeds that choose the rate, and seeds that evaluate it. */
const CHOOSE = [0, 1, 2, 3]
const JUDGE = [4, 5, 6, 7, 8, 9]
const RATES = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3, 10]

interface Problem {
  train: TrainingData
  test: TrainingData
  loss: Loss
  sizes: number[]
  epochs: number
  batchSize: number
}

/** Result of one optimizer on one problem. */
export interface ValleyRow {
  problem: string
  optimizer: string
  defaultRate: number
  /** Mean test loss at the default rate and at the best rate, over the seeds that evaluate; null if one of them diverged. */
  atDefault: number | null
  bestRate: number
  atBest: number | null
  /** Mean test loss at each rate, over the seeds that choose the rate; null if one of them diverged. */
  curve: [rate: number, loss: number | null][]
}

export interface Valley {
  date: string
  seconds: number
  trainings: number
  rows: ValleyRow[]
}

function classes({ train, test }: { train: Dataset; test: Dataset }, hidden: number[], epochs: number, batchSize = 32): Problem {
  const scaled = standardize({ train, test })
  return { ...scaled, loss: crossEntropy, sizes: [train.features, ...hidden, train.classes], epochs, batchSize }
}

function curve(count: number, features: number, f: (x: number[]) => number, hidden: number[], epochs: number, seed: number): Problem {
  const random = new Generator(seed)
  const make = (n: number) => {
    const inputs = Array.from({ length: n }, () => Array.from(random.uniforms(features), (u) => 2 * u - 1))
    const noise = random.normals(n)
    return { inputs, targets: inputs.map((x, i) => [f(x) + 0.1 * noise[i]]) }
  }
  return { train: make(count), test: make(1000), loss: mse, sizes: [features, ...hidden, 1], epochs, batchSize: 32 }
}

/** Digits of 7 × 7: means of 4 × 4 pixels. */
async function digits(): Promise<{ train: Dataset; test: Dataset }> {
  const shrink = (data: Dataset): Dataset => {
    const inputs = new Float32Array(data.count * 49)
    for (let row = 0; row < data.count; row++)
      for (let pixel = 0; pixel < 784; pixel++) {
        const [y, x] = [Math.floor(pixel / 28), pixel % 28]
        inputs[row * 49 + Math.floor(y / 4) * 7 + Math.floor(x / 4)] += (data.inputs[row * 784 + pixel] as number) / 16
      }
    return { ...data, inputs, features: 49, shape: [data.count, 49] } as Dataset
  }
  const { train, test } = await loadMnist()
  const first = (data: Dataset, n: number) =>
    selectRows(
      data,
      Array.from({ length: n }, (_, i) => i),
    )
  return { train: shrink(first(train, 1000)), test: shrink(first(test, 1000)) }
}

async function problems(): Promise<Record<string, () => Problem>> {
  const small = await digits()
  const split = (data: Dataset) => trainTestSplit(data, { seed: 1 })
  const asTargets = ({ inputs, count }: Dataset) => ({
    inputs: Array.from({ length: count }, (_, i) => [...inputs.slice(49 * i, 49 * (i + 1))]),
  })
  return {
    iris: () => classes(split(iris()), [16], 40),
    moons: () => classes(split(moons({ count: 400, noise: 0.25, seed: 1 })), [16], 40),
    xor: () => classes(split(xor({ count: 400, noise: 0.3, seed: 1 })), [8, 8], 40),
    spirals: () => classes(split(spirals({ count: 450, seed: 1 })), [32, 16], 60),
    sine: () => curve(256, 1, ([x]) => Math.sin(6 * x), [16, 16], 60, 1),
    friedman: () => curve(500, 5, (x) => Math.sin(3 * x[0] * x[1]) + 2 * x[2] ** 2 + x[3] + x[4] / 2, [24], 40, 2),
    digits: () => classes(small, [16], 20),
    autoencoder: () => {
      const [train, test] = [small.train, small.test].map((data) => {
        const { inputs } = asTargets(data)
        return { inputs, targets: inputs }
      })
      return { train, test, loss: mse, sizes: [49, 12, 49], epochs: 20, batchSize: 32 }
    },
  }
}

/** Shampoo takes roots of matrices at each step by default, which would take most of the hour; other implementations also use every 20 steps. */
const OPTIONS: Record<string, object> = { Shampoo: { rootEvery: 20 } }
/** Optimizers that are not for dense nets. */
const OTHERS = ['SparseAdam']

async function run(name: string, problem: Problem, optimizer: keyof typeof OPTIMIZERS): Promise<ValleyRow> {
  const Optimizer = OPTIMIZERS[optimizer] as unknown as (typeof OPTIMIZERS)['Adam']
  const defaultRate = (Optimizer.defaults as { learningRate: number }).learningRate
  const rates = [...new Set([...RATES, defaultRate])].sort((a, b) => a - b)
  const settings = rates.flatMap((rate) => [...CHOOSE, ...JUDGE].map((seed) => ({ rate, seed })))
  const { sizes, train, test, loss, epochs, batchSize } = problem
  const models = settings.map(({ seed }) => {
    const layers = sizes.slice(1).map((size, i) => new Dense(sizes[i], size, i < sizes.length - 2 ? { activation: 'tanh' } : {}))
    return new Sequential(layers, { seed })
  })
  const optimizers = models.map((model, i) => new Optimizer(model.parameters(), { learningRate: settings[i].rate, ...OPTIONS[optimizer] }))
  const seeds = settings.map(({ seed }) => seed)
  const histories = await fitMany(models, { ...train, loss, optimizers, epochs, batchSize, seed: seeds })
  const losses = models.map((model, i) => {
    if (histories[i].error) return Number.POSITIVE_INFINITY
    const own = optimizers[i] as unknown
    try {
      const judge = () => evaluateModel(model, { ...test, loss }).loss
      return own instanceof AveragingOptimizer ? own.evaluate(judge) : judge()
    } catch {
      return Number.POSITIVE_INFINITY
    }
  })
  const meanOf = (rate: number, wanted: readonly number[]): number => {
    const own = losses.filter((_, i) => settings[i].rate === rate && wanted.includes(settings[i].seed))
    return own.reduce((a, b) => a + b, 0) / own.length
  }
  const orNull = (x: number) => (Number.isFinite(x) ? Number(x.toPrecision(5)) : null)
  const bestRate = rates.reduce((a, b) => (meanOf(b, CHOOSE) < meanOf(a, CHOOSE) ? b : a))
  return {
    problem: name,
    optimizer,
    defaultRate,
    atDefault: orNull(meanOf(defaultRate, JUDGE)),
    bestRate,
    atBest: orNull(meanOf(bestRate, JUDGE)),
    curve: rates.map((rate) => [rate, orNull(meanOf(rate, CHOOSE))]),
  }
}

const option = (flag: string) => (process.argv.includes(flag) ? process.argv[process.argv.indexOf(flag) + 1] : undefined)
const list = (flag: string) => option(flag)?.split(',')
const RESULTS = option('--out') ?? 'bench/results/valley.json'

await load()
const all = await problems()
const names = list('--problems') ?? Object.keys(all)
const optimizers = (list('--only') ?? Object.keys(OPTIMIZERS)).filter((name) => !OTHERS.includes(name)) as (keyof typeof OPTIMIZERS)[]
const results: Valley = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : { date: '', seconds: 0, trainings: 0, rows: [] }
for (const name of names) {
  const problem = all[name]()
  for (const optimizer of optimizers) {
    if (results.rows.some((row) => row.problem === name && row.optimizer === optimizer)) continue
    const started = process.cpuUsage()
    const row = await run(name, problem, optimizer)
    const used = process.cpuUsage(started).user / 1e6
    results.rows.push(row)
    results.seconds += used
    results.trainings += row.curve.length * (CHOOSE.length + JUDGE.length)
    results.date = new Date().toISOString().slice(0, 10)
    console.log(
      name.padEnd(12),
      optimizer.padEnd(20),
      `default ${row.atDefault}`,
      `best ${row.atBest} at ${row.bestRate}`,
      `${used.toFixed(1)} s`,
    )
    writeFileSync(RESULTS, `${JSON.stringify(results).replace(/\{"problem"/g, '\n{"problem"')}\n`)
  }
}
