/**
 * A net for handwritten digits, tuned stage by stage by tuneModel in less than a minute on one core, beside the same net as it is by default: test
 * error of five seeds, the time, and what the report says mattered.
 *
 *   node_modules/node/bin/node --import tsx bench/tune/digits.ts
 *
 * Writes bench/results/tune-digits.json and docs/guide/figures/tune-digits.svg. Both nets see the same 4,000 digits as often; 1,000 others choose, and the
 * test error is that on 5,000 of MNIST's test set, which nothing was chosen by. Seconds are of the processor, all threads together.
 */
import { writeFileSync } from 'node:fs'
import type { TopLevelSpec } from 'vega-lite'
import { type Dataset, loadMnist, selectRows } from '../../ts/data/index.js'
import { Adam, crossEntropy, Dense, evaluateModel, fitMany, load, type Module, Sequential } from '../../ts/index.js'
import { advice, categorical, float, importance, int, tuneModel } from '../../ts/tune/index.js'
import { STYLE, toSvg } from '../chart.js'
import { origin } from '../results.js'

const RESULTS = 'bench/results/tune-digits.json'
const FIGURE = 'docs/guide/figures/tune-digits.svg'
const SEEDS = [1, 2, 3, 4, 5]
const EPOCHS = 9
const TRIALS = 15

const SPACE = {
  learningRate: float(1e-4, 1, { log: true }),
  beta1: float(0.5, 0.99),
  batchSize: categorical([32, 64, 128]),
  width: int(16, 64, { log: true }),
  layers: int(1, 2),
  weightDecay: float(1e-6, 0.1, { log: true }),
}
/** Adam's own rate and β, and what guides begin with. */
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

await load()
const { train, test } = await loadMnist()
const rows = { data: part(train, 0, 4000), validation: part(train, 4000, 5000), test: part(test, 0, 5000) }
const errorOf = (model: Module) => 1 - evaluateModel(model, { ...rows.test, loss: crossEntropy, metrics: ['accuracy'] }).accuracy

interface Point {
  stage: string
  learningRate: number
  loss: number
}

const runs = []
let points: Point[] = []
for (const seed of SEEDS) {
  const [before, began] = [process.cpuUsage(), performance.now()]
  const { model, params, study, stages } = await tuneModel({
    space: SPACE,
    defaults: DEFAULTS,
    build,
    data: rows.data,
    validation: rows.validation,
    loss: crossEntropy,
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
    importance: importance(study, { by: 'fanova' }),
    advice: advice(study),
  }
  runs.push(run)
  console.log(`seed ${seed}: test error ${run.tuned} tuned, ${run.byDefault} by default, ${run.seconds} s of the processor`)
  console.log(`  ${run.advice}`)
  if (seed !== SEEDS[0]) continue
  points = study.trials.flatMap(({ attributes: { stage }, params: { learningRate }, reports }) => {
    const loss = [...reports.values()].at(-1)
    const tuned = stage === 0 ? ['by default'] : [`${stage}: ${stages[(stage as number) - 1]?.tuned.join(', ')}`]
    return loss === undefined ? [] : [{ stage: tuned[0], learningRate, loss }]
  })
}
writeFileSync(RESULTS, `${JSON.stringify({ ...origin(), trials: TRIALS, epochs: EPOCHS, defaults: DEFAULTS, runs }, null, 1)}\n`)

const shares = Object.entries(runs[0].importance).map(([name, share]) => ({ name, share }))
const stages = [...new Set(points.map(({ stage }) => stage))].sort(
  (a, b) => Number(b === 'by default') - Number(a === 'by default') || a.localeCompare(b),
)
const figure = {
  ...STYLE,
  spacing: 28,
  hconcat: [
    {
      title: { text: 'All nets of a tuning', subtitle: `784-16…64-10, 4,000 digits, seed ${SEEDS[0]}: loss of each at its last rung` },
      width: 430,
      height: 280,
      data: { values: points },
      mark: { type: 'point', filled: true, size: 70, opacity: 0.85, clip: true },
      encoding: {
        x: {
          field: 'learningRate',
          type: 'quantitative',
          title: 'learning rate',
          scale: { type: 'log', domain: [1e-4, 1] },
          axis: { values: [1e-4, 1e-3, 1e-2, 0.1, 1], labelExpr: "datum.value < 0.001 ? format(datum.value, '.0e') : datum.value" },
        },
        y: {
          field: 'loss',
          type: 'quantitative',
          title: 'validation loss',
          scale: { type: 'log', domain: [0.15, 5], clamp: true },
          axis: { values: [0.2, 0.5, 1, 2, 5] },
        },
        color: {
          field: 'stage',
          type: 'nominal',
          sort: stages,
          scale: { domain: stages, range: ['#1f2933', '#9aa5b1', '#e8890c', '#2f7ed8'] },
          legend: { orient: 'bottom', columns: 2 },
        },
      },
    },
    {
      title: { text: 'What mattered', subtitle: 'share of the differences in loss' },
      width: 250,
      height: 280,
      data: { values: shares },
      mark: { type: 'bar', color: '#2f7ed8', height: 22 },
      encoding: {
        y: { field: 'name', type: 'nominal', sort: shares.map(({ name }) => name), title: null },
        x: { field: 'share', type: 'quantitative', title: null, scale: { domain: [0, 1] }, axis: { format: '.0%', tickCount: 4 } },
      },
    },
  ],
} as unknown as TopLevelSpec
writeFileSync(FIGURE, await toSvg(figure))
