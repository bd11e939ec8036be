/**
 * Compares a net for handwritten digits, tuned stage by stage by tuneModel in less than a minute on one core, with the same net with default options:
 * test error of three seeds, the time, and the parameters that mattered according to the report.
 *
 *   node_modules/node/bin/node --import tsx bench/tune/digits.ts
 *
 * Writes bench/results/tune-digits.json, from which bench/figures.ts draws a picture. Both nets see the same 10,000 digits equally often; 2,000
 * others are the validation rows, and the test error is measured on 10,000 digits that took no part in any choice. Seconds are processor time of all
 * threads together.
 */
import { writeFileSync } from 'node:fs'
import { type Dataset, loadMnist, selectRows } from '../../ts/data/index.js'
import { Adam, crossEntropy, Dense, evaluateModel, fitMany, load, type Module, Sequential } from '../../ts/index.js'
import { advice, categorical, float, importance, int, tuneModel } from '../../ts/tune/index.js'
import { type Origin, origin } from '../results.js'

const RESULTS = 'bench/results/tune-digits.json'
const SEEDS = [1, 2, 3]
const EPOCHS = 9
const TRIALS = 15

const SPACE = {
  learningRate: float(1e-4, 1, { log: true }),
  beta1: float(0.5, 0.99),
  batchSize: categorical([32, 64, 128]),
  width: int(16, 128, { log: true }),
  layers: int(1, 2),
  weightDecay: float(1e-6, 0.1, { log: true }),
}
/** Adam's default rate and β, and the usual start of guides. */
const DEFAULTS = { learningRate: 0.001, beta1: 0.9, batchSize: 32 as const, width: 32, layers: 1, weightDecay: 1e-6 }

type Values = Record<keyof typeof SPACE, number>

function build({ learningRate, beta1, width, layers, weightDecay, seed }: Values & { seed: number }) {
  const hidden = Array.from({ length: layers }, (_, i) => new Dense(i === 0 ? 784 : width, width, { activation: 'relu' }))
  const model = new Sequential([...hidden, new Dense(width, 10)], { seed })
  return { model, optimizer: new Adam(model.parameters(), { learningRate, beta1, weightDecay }) }
}

const part = (data: Dataset, from: number, to: number) =>
  selectRows(
    data,
    Array.from({ length: to - from }, (_, i) => from + i),
  )

async function defaultNet(data: Dataset, seed: number): Promise<Module> {
  const { model, optimizer } = build({ ...DEFAULTS, seed })
  await fitMany([model], { ...data, loss: crossEntropy, optimizers: [optimizer], epochs: EPOCHS, batchSize: DEFAULTS.batchSize, seed })
  return model
}

/** A net of the tuning: its stage, its rate, and its validation error at the last rung that it reached. */
interface Point {
  stage: string
  learningRate: number
  error: number
}

/** bench/results/tune-digits.json */
export interface TunedDigits extends Origin {
  trials: number
  epochs: number
  defaults: object
  runs: {
    seed: number
    /** Test errors. */
    tuned: number
    byDefault: number
    seconds: number
    elapsed: number
    params: object
    importance: Record<string, number>
    advice: string
  }[]
  /** Points of the first seed. */
  points: Point[]
}

await load()
const { train, test } = await loadMnist()
const rows = { data: part(train, 0, 10_000), validation: part(train, 10_000, 12_000), test }
const errorOf = (model: Module) => 1 - evaluateModel(model, { ...rows.test, loss: crossEntropy, metrics: ['accuracy'] }).accuracy

const runs: TunedDigits['runs'] = []
let points: TunedDigits['points'] = []
for (const seed of SEEDS) {
  const [before, began] = [process.cpuUsage(), performance.now()]
  const { model, params, study, stages } = await tuneModel({
    space: SPACE,
    defaults: DEFAULTS,
    build,
    data: rows.data,
    validation: rows.validation,
    loss: crossEntropy,
    metric: 'error',
    trials: TRIALS,
    epochs: EPOCHS,
    seed,
  })
  const { user, system } = process.cpuUsage(before)
  const run = {
    seed,
    tuned: Number(errorOf(model).toFixed(4)),
    byDefault: Number(errorOf(await defaultNet(rows.data, seed)).toFixed(4)),
    seconds: Number(((user + system) / 1e6).toFixed(1)),
    elapsed: Number(((performance.now() - began) / 1000).toFixed(1)),
    params,
    importance: importance(study, { evaluator: 'fanova' }),
    advice: advice(study),
  }
  runs.push(run)
  console.log(`seed ${seed}: test error ${run.tuned} tuned, ${run.byDefault} by default, ${run.seconds} s of the processor`)
  console.log(`  ${run.advice}`)
  if (seed !== SEEDS[0]) continue
  points = study.trials.flatMap(({ attributes: { stage }, params: { learningRate }, reports }) => {
    const error = [...reports.values()].at(-1)
    const name = stage === 0 ? 'by default' : `${stage}: ${stages[(stage as number) - 1]?.tuned.join(', ')}`
    return error === undefined ? [] : [{ stage: name, learningRate, error }]
  })
}
const results: TunedDigits = { ...origin(), trials: TRIALS, epochs: EPOCHS, defaults: DEFAULTS, runs, points }
writeFileSync(RESULTS, `${JSON.stringify(results)}\n`)
