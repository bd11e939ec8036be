/**
 * The cost of tuning itself, without any training: a study with the default sampler, compared with Optuna's.
 *
 *   node_modules/node/bin/node --import tsx bench/tune/speed.ts [--optuna] [--only ask] [--write]
 *
 * - `ask`: one `ask()` with 1,000 finished trials: the median of 200 calls. Each trial is finished, so that there are 1,200 in the end.
 * - `trials`: 10,000 trials (Optuna: 1,000) by `optimize` of an objective that costs nothing.
 * - `prune`: `report` and `shouldPrune` of the 1,001st trial, when each of the others has 20 reports.
 *
 * All times are of the processor, all threads together. --optuna runs bench/tune/optuna_speed.py in the same run, with the Python of `make optuna`.
 * --write puts the numbers into bench/results/tune-speed.json, and keeps the others in the file; --only measures the rows whose names contain a text.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { asha, categorical, createStudy, float, hyperband, int, median, type Pruner, type Space } from '../../ts/tune/index.js'
import { origin } from '../results.js'

const RESULTS = 'bench/results/tune-speed.json'
const PYTHON = '.cache/tune/venv/bin/python'
const FINISHED = 1000
const ASKS = 200
const TRIALS = 10_000
const REPORTS = 20

const SPACES: Record<string, Space> = {
  'five numbers': Object.fromEntries([0, 1, 2, 3, 4].map((i) => [`x${i}`, float(-5, 5)])),
  'a net': {
    learningRate: float(1e-5, 1, { log: true }),
    beta: float(0.5, 0.999),
    width: int(8, 256, { log: true }),
    layers: int(1, 4),
    activation: categorical(['relu', 'tanh', 'gelu']),
    batchSize: categorical([16, 32, 64, 128]),
    weightDecay: float(1e-6, 0.1, { log: true }),
  },
}

/** An objective that depends on each number and category, and costs nothing. */
function objective(params: Record<string, unknown>): number {
  return Object.values(params).reduce<number>(
    (sum, value) => sum + (typeof value === 'number' ? (value - 0.3) ** 2 : String(value).length),
    0,
  )
}

/** Milliseconds of the processor. */
async function cost(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const middle = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]

async function ask(space: Space): Promise<number> {
  const study = await createStudy({ space, seed: 1 })
  await study.optimize(objective, { trials: FINISHED })
  const times: number[] = []
  for (let i = 0; i < ASKS; i++) {
    let trial: Awaited<ReturnType<typeof study.ask>> | undefined
    times.push(
      await cost(async () => {
        trial = await study.ask()
      }),
    )
    if (trial) await study.tell(trial, objective(trial.params))
  }
  return middle(times)
}

async function trials(space: Space, count: number): Promise<number> {
  const study = await createStudy({ space, seed: 1 })
  return (await cost(() => study.optimize(objective, { trials: count }))) / 1000
}

async function prune(pruner: Pruner): Promise<number> {
  const study = await createStudy({ space: SPACES['five numbers'], direction: 'maximize', pruner, seed: 1 })
  for (let i = 0; i < FINISHED; i++) {
    const trial = await study.ask()
    for (let step = 1; step <= REPORTS; step++) await trial.report(-objective(trial.params) - 1 / step, step)
    await study.tell(trial, -objective(trial.params))
  }
  const trial = await study.ask()
  const times: number[] = []
  for (let step = 1; step <= REPORTS; step++)
    times.push(
      await cost(async () => {
        await trial.report(-step, step)
        trial.shouldPrune()
      }),
    )
  return middle(times)
}

interface Row {
  what: string
  unit: string
  gradus: number
  optuna?: number
}

const tasks: [what: string, unit: string, measure: () => Promise<number>][] = [
  ...Object.entries(SPACES).flatMap(([name, space]): typeof tasks => [
    [`ask(), ${name}, ${FINISHED} finished`, 'ms', () => ask(space)],
    [`1000 trials, ${name}`, 's', () => trials(space, 1000)],
    [`${TRIALS} trials, ${name}`, 's', () => trials(space, TRIALS)],
  ]),
  ...[median(), asha(), hyperband({ maxResource: REPORTS })].map((pruner): (typeof tasks)[number] => [
    `report and shouldPrune, ${pruner.name}`,
    'ms',
    () => prune(pruner),
  ]),
]

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : ''
const theirs: Record<string, number> = process.argv.includes('--optuna')
  ? JSON.parse(execFileSync(PYTHON, ['bench/tune/optuna_speed.py'], { encoding: 'utf8' }))
  : {}
const kept: Row[] = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')).rows : []
const rows: Row[] = []
for (const [what, unit, measure] of tasks) {
  const before = kept.find((row) => row.what === what)
  if (!what.includes(only)) {
    if (before) rows.push(before)
    continue
  }
  const optuna = theirs[what] ?? before?.optuna
  const row: Row = {
    what,
    unit,
    gradus: Number((await measure()).toFixed(3)),
    ...(optuna !== undefined && { optuna: Number(optuna.toFixed(3)) }),
  }
  rows.push(row)
  console.log(what.padEnd(44), `${row.gradus} ${unit}`.padEnd(14), optuna === undefined ? '' : `Optuna ${row.optuna} ${unit}`)
}
if (process.argv.includes('--write')) writeFileSync(RESULTS, `${JSON.stringify({ ...origin(), rows }, null, 1)}\n`)
