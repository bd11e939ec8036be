/**
 * Measures the figures of the guide on choosing an optimizer: trains small nets on a part of MNIST with varied learning rates and one other varied
 * choice, runs the learning-rate range test, and descends from a saddle and on a plateau. `node_modules/node/bin/node --import tsx bench/tuning.ts`
 * writes bench/results/tuning.json, from which bench/figures.ts draws; about five minutes. `… tuning.ts rates beta` repeats some of the parts.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Dataset, loadMnist, selectRows } from '../ts/data/index.js'
import {
  type ActivationName,
  Adam,
  crossEntropy,
  Dense,
  evaluateModel,
  findLearningRate,
  fit,
  type LearningRateCurve,
  type Module,
  Momentum,
  NonFiniteError,
  type Optimizer,
  type Parameter,
  Sequential,
  SGD,
  schedules,
  tensor,
} from '../ts/index.js'
import { OPTIMIZERS } from '../ts/optim/index.js'
import { plateau, saddle, type TestFunction } from '../ts/solve/index.js'
import { type Origin, origin } from './results.js'

/** The test error of one training, the mean over seeds; null if the loss became NaN or infinite. */
export interface Trial {
  /** The varied choice: an optimizer's name, or a value. */
  choice: string
  learningRate: number
  testError: number | null
}

/** Height of a descent after a number of steps. */
export interface Height {
  optimizer: string
  step: number
  height: number
}

export interface Tuning extends Origin {
  trainingImages: number
  testImages: number
  epochs: number
  seeds: number
  rates: Trial[]
  finder: Pick<LearningRateCurve, 'learningRates' | 'smoothed' | 'suggestions'>
  beta: Trial[]
  batchSize: Trial[]
  hidden: Trial[]
  layers: Trial[]
  decay: Trial[]
  saddle: Height[]
  plateau: Height[]
}

const RATES = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3, 10]
const ALL = { trainingImages: 10_000, testImages: 5_000, epochs: 4, seeds: 3 }
const digits = await loadMnist()
const rows = (data: Dataset, n: number) => {
  const part = selectRows(
    data,
    Array.from({ length: n }, (_, i) => i),
  )
  return { inputs: tensor(part.inputs, part.shape), targets: part.targets }
}
const train = rows(digits.train, ALL.trainingImages)
const test = rows(digits.test, ALL.testImages)

// ---- trainings ----

interface Setup {
  optimizer?: (parameters: Parameter[], learningRate: number) => Optimizer
  hidden?: readonly number[]
  activation?: ActivationName
  batchSize?: number
  schedule?: (learningRate: number, steps: number) => (step: number) => number
}

function makeModel({ hidden = [64], activation = 'relu' }: Setup, seed: number): Module {
  const widths = [784, ...hidden]
  const layers = widths.slice(1).map((width, i) => new Dense(widths[i], width, { activation }))
  return new Sequential([...layers, new Dense(widths.at(-1) as number, 10)] as Module[], { seed })
}

/** The test error after {@link ALL}.epochs; null if training diverged. */
async function trainOnce(setup: Setup, learningRate: number, seed: number): Promise<number | null> {
  const { batchSize = 64 } = setup
  const model = makeModel(setup, seed)
  const optimizer = (setup.optimizer ?? adam)(model.parameters(), learningRate)
  const steps = ALL.epochs * Math.ceil(ALL.trainingImages / batchSize)
  const schedule = setup.schedule?.(learningRate, steps)
  try {
    await fit(model, { ...train, loss: crossEntropy, optimizer, epochs: ALL.epochs, batchSize, seed, schedule })
    return 1 - evaluateModel(model, { ...test, loss: crossEntropy, metrics: ['accuracy'] }).accuracy
  } catch (error) {
    if (error instanceof NonFiniteError) return null
    throw error
  }
}

const adam = (parameters: Parameter[], learningRate: number): Optimizer => new Adam(parameters, { learningRate })

/** Trains with every rate and every choice. */
async function sweep(choices: Record<string, Setup>): Promise<Trial[]> {
  const trials: Trial[] = []
  for (const [choice, setup] of Object.entries(choices)) {
    for (const learningRate of RATES) {
      const errors: (number | null)[] = []
      for (let seed = 1; seed <= ALL.seeds; seed++) errors.push(await trainOnce(setup, learningRate, seed))
      const sum = errors.reduce((a, b) => (a === null || b === null ? null : a + b))
      trials.push({ choice, learningRate, testError: sum === null ? null : Number((sum / ALL.seeds).toFixed(4)) })
    }
    const best = trials
      .filter((t) => t.choice === choice && t.testError !== null)
      .sort((a, b) => Number(a.testError) - Number(b.testError))[0]
    console.log(choice, best)
  }
  return trials
}

/** One setup for each value, named by it. */
function each<T>(values: readonly T[], setup: (value: T) => Setup): Record<string, Setup> {
  return Object.fromEntries(values.map((value) => [String(value), setup(value)]))
}

// ---- descents without a net ----

const DESCENTS: Record<string, (w: { value: Float32Array; gradient: Float32Array }) => Optimizer> = {
  SGD: (w) => new SGD([w], { learningRate: 0.01 }),
  'SGD, momentum 0.9': (w) => new SGD([w], { learningRate: 0.01, momentum: 0.9 }),
  RMSProp: (w) => new OPTIMIZERS.RMSProp([w], { learningRate: 0.01 }) as Optimizer,
  Adam: (w) => new Adam([w], { learningRate: 0.01 }),
}

/** Heights during a descent, until it leaves the range to plot. */
function descend({ value, gradient, range }: TestFunction, start: readonly number[], steps: number): Height[] {
  return Object.entries(DESCENTS).flatMap(([optimizer, make]) => {
    const w = { value: Float32Array.from(start), gradient: new Float32Array(2) }
    const rule = make(w)
    const heights: Height[] = []
    for (let step = 0; step <= steps && Math.abs(w.value[1]) <= range[1][1]; step++) {
      if (step % (steps / 100) === 0) heights.push({ optimizer, step, height: Number(value(w.value).toPrecision(4)) })
      w.gradient.set(gradient(w.value))
      rule.step()
    }
    return heights
  })
}

// ---- the parts ----

const NAMES = ['SGD', 'Momentum', 'RMSProp', 'Adam'] as const

const PARTS: { [part in Exclude<keyof Tuning, keyof Origin | keyof typeof ALL>]: () => Promise<Tuning[part]> } = {
  rates: () => sweep(each(NAMES, (name) => ({ optimizer: (p, learningRate) => new OPTIMIZERS[name](p, { learningRate }) as Optimizer }))),
  async finder() {
    const model = makeModel({}, 1)
    const optimizer = adam(model.parameters(), 1e-3)
    const { learningRates, smoothed, suggestions } = await findLearningRate(model, {
      ...train,
      loss: crossEntropy,
      optimizer,
      batchSize: 64,
    })
    return { learningRates: learningRates.map(short), smoothed: smoothed.map(short), suggestions }
  },
  beta: () => sweep(each([0, 0.9, 0.99], (beta) => ({ optimizer: (p, learningRate) => new Momentum(p, { learningRate, beta }) }))),
  batchSize: () => sweep(each([16, 64, 256], (batchSize) => ({ batchSize }))),
  hidden: () => sweep(each([8, 32, 128], (units) => ({ hidden: [units] }))),
  layers: () => sweep(each([1, 2, 4], (count) => ({ hidden: Array.from({ length: count }, () => 64) }))),
  decay: () => sweep({ constant: {}, cosine: { schedule: (rate, steps) => schedules.cosine(rate, { steps }) } }),
  saddle: async () => descend(saddle, [1, 1e-3], 800),
  plateau: async () => descend(plateau, [1.5, 2], 800),
}

const short = (x: number) => Number(x.toPrecision(4))

const file = new URL('./results/tuning.json', import.meta.url)
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const parts = Object.keys(PARTS) as (keyof typeof PARTS)[]
  const wanted = process.argv.length > 2 ? parts.filter((part) => process.argv.includes(part)) : parts
  const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  Object.assign(results, origin(), ALL)
  for (const part of wanted) {
    console.log(`— ${part}`)
    results[part] = await PARTS[part]()
    writeFileSync(file, `${JSON.stringify(results)}\n`)
  }
}
