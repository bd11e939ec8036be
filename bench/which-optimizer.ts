/**
 * Which optimizer? Thirteen of them on ten data sets (digits, penguins, toys) and three nets, each tuned by `tuneModel` with the same number of trials,
 * then trained anew with three seeds and judged by rows that took part in no choice.
 *
 *   node_modules/node/bin/node --import tsx bench/which-optimizer.ts [--only 'Adam;Muon'] [--data moons,digits] [--trials 12] [--tables] [--out file.json]
 *
 * `--tables` adds the 31 tables that bench/tables/export.py writes into .cache/tables; all of it took half an hour of one core. A trial is a learning rate, log-uniform from 10⁻⁵ to 3, for a cosine with
 * warmup; `tuneModel` stops two in three early. The width of the valley is the range of rates, in decades, whose validation loss is at most a tenth
 * above the least, in a grid of nine rates a factor of √10 apart around the tuned one. Seconds are processor time of the three final trainings, one
 * after the other. Writes bench/results/which-optimizer.json after each optimizer, and continues where it was stopped.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import {
  Adam,
  AdamW,
  type BuiltModel,
  compareLearningRates,
  fit,
  Lion,
  load,
  type Module,
  Muon,
  muonGroups,
  NAdam,
  NonFiniteError,
  type Optimizer,
  RMSProp,
  SGD,
  schedules,
  WeightAverage,
} from '../ts/index.js'
import { Adan, Cautious, Nesterov, type OptimizerLike, ScheduleFreeAdamW, SOAP } from '../ts/optim/index.js'
import { float, tuneModel } from '../ts/tune/index.js'
import { type Origin, origin } from './results.js'
import { DATA, type Data, judge, makeNet, NETS, stepsOf, tables } from './tools/problems.js'
import { rankingTable, ranksOf, type WhichRow } from './tools/ranking.js'

const BATCH = 32
const SEEDS = [11, 12, 13]
const GRID = [-4, -3, -2, -1, 0, 1, 2, 3, 4].map((k) => 10 ** (k / 2))

const CONTESTANTS: Record<string, (model: Module, learningRate: number) => OptimizerLike> = {
  SGD: (model, learningRate) => new SGD(model.parameters(), { learningRate }),
  Nesterov: (model, learningRate) => new Nesterov(model.parameters(), { learningRate }),
  RMSProp: (model, learningRate) => new RMSProp(model.parameters(), { learningRate }),
  Adam: (model, learningRate) => new Adam(model.parameters(), { learningRate }),
  AdamW: (model, learningRate) => new AdamW(model.parameters(), { learningRate }),
  'AdamW, averaged': (model, learningRate) => new WeightAverage(new AdamW(model.parameters(), { learningRate }), { decay: 0.99 }),
  'Cautious(AdamW)': (model, learningRate) => new Cautious(new AdamW(model.parameters(), { learningRate })),
  NAdam: (model, learningRate) => new NAdam(model.parameters(), { learningRate }),
  Lion: (model, learningRate) => new Lion(model.parameters(), { learningRate }),
  Adan: (model, learningRate) => new Adan(model.parameters(), { learningRate }),
  Muon: (model, learningRate) => new Muon(muonGroups(model), { learningRate, companionLearningRate: learningRate / 5 }),
  SOAP: (model, learningRate) => new SOAP(model.parameters(), { learningRate }),
  ScheduleFreeAdamW: (model, learningRate) => new ScheduleFreeAdamW(model.parameters(), { learningRate }),
}

/** bench/results/which-optimizer.json */
export interface WhichOptimizer extends Origin {
  load: string
  trials: number
  rows: WhichRow[]
}

async function run(name: string, data: Data, net: (typeof NETS)[number], contestant: string, trials: number): Promise<WhichRow> {
  const { train, validation, loss, epochs } = data
  const steps = stepsOf(data, BATCH)
  const build = ({ learningRate, seed }: { learningRate: number; seed: number }) => {
    const model = makeNet(data, net, seed)
    const own = CONTESTANTS[contestant](model, learningRate)
    const schedule =
      contestant === 'ScheduleFreeAdamW'
        ? schedules.warmup(schedules.constant(learningRate), { steps: steps / 20 })
        : schedules.warmup(schedules.cosine(learningRate, { steps }), { steps: steps / 20 })
    return { model, optimizer: own as Optimizer, schedule } satisfies BuiltModel
  }
  const { params } = await tuneModel({
    ...{ space: { learningRate: float(1e-5, 3, { log: true }) }, build, data: train, validation, loss, epochs, trials },
    defaults: { learningRate: build({ learningRate: 0.01, seed: 1 }).optimizer.learningRate },
  })
  const { learningRate } = params
  const rates = GRID.map((factor) => factor * learningRate)
  const grid = await compareLearningRates(build, { ...train, validation, loss, epochs, batchSize: BATCH, rates, seeds: [1] })
  const least = Math.min(...grid.losses)
  const near = grid.losses.filter((x) => x <= 1.1 * least).length
  const began = process.cpuUsage()
  const test: number[] = []
  for (const seed of SEEDS) {
    const { model, optimizer, schedule } = build({ learningRate, seed })
    try {
      await fit(model, { ...train, loss, optimizer, schedule, epochs, batchSize: BATCH, seed })
      if (optimizer instanceof WeightAverage) optimizer.apply()
      test.push(judge(data, model, optimizer)[1])
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error
      test.push(Number.POSITIVE_INFINITY)
    }
  }
  const { user, system } = process.cpuUsage(began)
  return { data: name, optimizer: contestant, learningRate, test, width: near / 2, seconds: (user + system) / 1e6 / SEEDS.length }
}

const option = (flag: string) => (process.argv.includes(flag) ? process.argv[process.argv.indexOf(flag) + 1] : undefined)
const OUT = option('--out') ?? 'bench/results/which-optimizer.json'
const trials = Number(option('--trials') ?? 12)

await load()
const all: Record<string, () => Data | Promise<Data>> = { ...DATA, ...(process.argv.includes('--tables') && tables()) }
const known: WhichOptimizer = existsSync(OUT) ? JSON.parse(readFileSync(OUT, 'utf8')) : { ...origin(), load: '', trials, rows: [] }
for (const [i, name] of (option('--data')?.split(',') ?? Object.keys(all)).entries()) {
  const data = await all[name]()
  for (const optimizer of option('--only')?.split(';') ?? Object.keys(CONTESTANTS)) {
    if (known.rows.some((row) => row.data === name && row.optimizer === optimizer)) continue
    const row = await run(name, data, NETS[i % NETS.length], optimizer, trials)
    known.rows.push(row)
    Object.assign(known, origin(), { load: loadavg()[0].toFixed(1) })
    console.log(
      name.padEnd(12),
      optimizer.padEnd(18),
      row.learningRate.toPrecision(2).padStart(8),
      row.test.map((x) => x.toPrecision(3)).join(' '),
    )
    const text = JSON.stringify(known, (_, x) => (typeof x === 'number' ? (Number.isFinite(x) ? Number(x.toPrecision(4)) : 1e30) : x))
    writeFileSync(OUT, `${text.replace(/\{"data"/g, '\n{"data"')}\n`)
  }
}

console.log(`\n${ranksOf(known.rows).sets} data sets, ${known.trials} trials each, ${known.date}, load ${known.load}\n`)
console.log(rankingTable(known.rows))
