/**
 * `fitAuto` beside a tuned grid, on forty problems: ten data sets, nets of one to three hidden layers, eight optimizers.
 *
 *   node_modules/node/bin/node --import tsx bench/auto-rate.ts [--only moons,digits] [--rules 'auto;valley, cosine'] [--out file.json]
 *
 * The grid has thirteen rates a factor of √10 apart, a constant rate and a cosine with warmup, and batches of 8, 32 and 128 rows: 78 trainings of equal
 * numbers of epochs. Its best is the least validation loss after the last epoch, and so has the luck of 78 trainings in it. A rule gets the batch size 32
 * and the same validation rows. Its cost is the number of row gradients that it computed, in trainings of the problem. The test loss is that of rows that
 * took part in no choice. Writes bench/results/auto-rate.json, in which the grid of a problem is kept, so that another rule takes a minute.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { findLearningRate, fit, fitMany, load, type Optimizer, schedules } from '../ts/index.js'
import { OPTIMIZERS } from '../ts/optim/index.js'
import { fitBySearch, RATE_SEARCH, type RateSearch } from '../ts/select/fit-auto.js'
import { DATA, type Data, judge, type Losses, makeNet, NETS, stepsOf } from './tools/problems.js'

const RATES = Array.from({ length: 13 }, (_, i) => 10 ** (i / 2 - 5))
const BATCHES = [8, 32, 128]
const OPTIMIZER_NAMES = ['Adam', 'Nesterov', 'AdamW', 'RMSProp', 'Muon', 'NAdam', 'ScheduleFreeAdamW', 'Lion'] as const
type Name = keyof typeof OPTIMIZERS
interface Problem extends Data {
  name: string
  optimizer: Name
  net: (typeof NETS)[number]
}

async function problems(): Promise<Problem[]> {
  const all: Problem[] = []
  for (const [d, [name, make]] of Object.entries(DATA).entries()) {
    const data = await make()
    for (let j = 0; j < 4; j++) {
      const optimizer = OPTIMIZER_NAMES[(d + 2 * j) % 8]
      all.push({ ...data, optimizer, net: NETS[(d + j) % 3], name: `${name}, ${optimizer}` })
    }
  }
  return all
}

function make({ net, optimizer, ...data }: Problem, learningRate?: number, seed = 1) {
  const model = makeNet(data, net, seed)
  const options = learningRate === undefined ? {} : { learningRate }
  return { model, optimizer: new OPTIMIZERS[optimizer](model.parameters(), options as never) as unknown as Optimizer }
}

const cosine = (rate: number, steps: number) => schedules.warmup(schedules.cosine(rate, { steps: 0.9 * steps }), { steps: steps / 10 })

interface Cell {
  batch: number
  course: 'constant' | 'cosine'
  rate: number
  losses: Losses
}

async function grid(problem: Problem): Promise<Cell[]> {
  const { train, loss, epochs } = problem
  const cells: Cell[] = []
  for (const batch of BATCHES) {
    const steps = stepsOf(problem, batch)
    const settings = RATES.flatMap((rate) => (['constant', 'cosine'] as const).map((course) => ({ rate, course })))
    const built = settings.map(({ rate }) => make(problem, rate))
    const histories = await fitMany(
      built.map(({ model }) => model),
      {
        ...{ ...train, loss, epochs, batchSize: batch, seed: 1, optimizers: built.map(({ optimizer }) => optimizer) },
        schedule: settings.map(({ rate, course }) => (course === 'constant' ? undefined : cosine(rate, steps))),
      },
    )
    for (const [i, setting] of settings.entries()) {
      const losses: Losses = histories[i].error ? [Infinity, Infinity] : judge(problem, built[i].model, built[i].optimizer)
      cells.push({ batch, ...setting, losses })
    }
  }
  return cells
}

interface Outcome {
  losses: Losses
  cost: number
  seconds: number
  rate: number
}

type Rule = (problem: Problem) => Promise<Pick<Outcome, 'losses' | 'cost' | 'rate'>>

const BATCH = 32

/** A whole training with the rate of the range test, as a share of a suggestion. */
function range(pick: 'valley' | 'steepest' | 'minimum', course: typeof cosine): Rule {
  return async (problem) => {
    const built = make(problem)
    const { train, loss, epochs } = problem
    const shared = { ...train, loss, optimizer: built.optimizer, batchSize: BATCH, seed: 1 }
    const { suggestions, losses } = await findLearningRate(built.model, shared)
    const rate = suggestions[pick] ?? built.optimizer.learningRate
    const steps = stepsOf(problem, BATCH)
    const cost = 1 + losses.length / steps
    try {
      await fit(built.model, { ...shared, epochs, schedule: course(rate, steps) })
    } catch {
      return { losses: [Infinity, Infinity], cost, rate }
    }
    return { losses: judge(problem, built.model, built.optimizer), cost, rate }
  }
}

function fixed(course: typeof cosine): Rule {
  return async (problem) => {
    const built = make(problem)
    const { train, loss, epochs } = problem
    const rate = built.optimizer.learningRate
    const schedule = course(rate, stepsOf(problem, BATCH))
    await fit(built.model, { ...train, loss, optimizer: built.optimizer, batchSize: BATCH, seed: 1, epochs, schedule })
    return { losses: judge(problem, built.model, built.optimizer), cost: 1, rate }
  }
}

function auto(search: Partial<RateSearch> = {}, withValidation = true, batchSize: number | 'auto' = BATCH): Rule {
  return async (problem) => {
    const built = make(problem)
    const { train, validation, loss, epochs } = problem
    const history = await fitBySearch(
      built.model,
      { ...train, ...(withValidation && { validation }), loss, optimizer: built.optimizer, batchSize, seed: 1, epochs },
      { ...RATE_SEARCH, ...search },
    )
    const cost = history.trials.reduce((sum, trial) => sum + trial.steps / stepsOf(problem, trial.batchSize), 100 / stepsOf(problem, BATCH))
    return { losses: judge(problem, built.model, built.optimizer), cost, rate: history.learningRate }
  }
}

const constant = (rate: number) => schedules.constant(rate)
const oneCycle = (rate: number, steps: number) => schedules.oneCycle(rate, { steps })
const RULES: Record<string, Rule> = {
  'default rate': fixed(constant),
  'default rate, cosine': fixed(cosine),
  'valley, constant': range('valley', constant),
  'valley, cosine': range('valley', cosine),
  'steepest, cosine': range('steepest', cosine),
  'minimum, cosine': range('minimum', cosine),
  auto: auto(),
  'auto, batch size': auto({}, true, 'auto'),
  'auto, least loss': auto({ errors: 0 }),
  'auto, last epoch': auto({ keepsBest: false }),
  'auto, shorter trials': auto({ share: 1 / 16 }),
  'auto, one cycle': auto({ schedule: oneCycle }),
  'auto, constant': auto({ schedule: constant }),
  'auto, no validation': auto({}, false),
}

interface Results {
  date: string
  rows: { problem: string; best: Cell; bestAt32: Cell; bestCosineAt32: Cell; rules: Record<string, Outcome> }[]
}

const option = (flag: string) => (process.argv.includes(flag) ? process.argv[process.argv.indexOf(flag) + 1] : undefined)
const RESULTS = option('--out') ?? 'bench/results/auto-rate.json'
const wanted = option('--rules')?.split(';') ?? Object.keys(RULES)
const only = option('--only')?.split(',')
const again = process.argv.includes('--again')

await load()
const results: Results = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : { date: '', rows: [] }
for (const problem of await problems()) {
  if (only && !only.some((name) => problem.name.startsWith(name))) continue
  let row = results.rows.find((r) => r.problem === problem.name)
  if (row === undefined) {
    const began = process.cpuUsage()
    const cells = await grid(problem)
    const least = (some: Cell[]) => some.reduce((a, b) => (b.losses[0] < a.losses[0] ? b : a))
    const at32 = cells.filter(({ batch }) => batch === BATCH)
    row = {
      problem: problem.name,
      best: least(cells),
      bestAt32: least(at32),
      bestCosineAt32: least(at32.filter(({ course }) => course === 'cosine')),
      rules: {},
    }
    results.rows.push(row)
    const { best } = row
    console.log(
      problem.name.padEnd(28),
      `grid ${(process.cpuUsage(began).user / 1e6).toFixed(1)} s: ${best.losses[0].toPrecision(3)} at ${best.rate.toPrecision(2)}, ${best.course}, ${best.batch}`,
    )
  }
  for (const name of wanted) {
    if (row.rules[name] !== undefined && !again) continue
    const began = process.cpuUsage()
    const outcome = await RULES[name](problem)
    row.rules[name] = { ...outcome, seconds: process.cpuUsage(began).user / 1e6 }
    console.log(
      ' '.repeat(28),
      name.padEnd(22),
      `${(outcome.losses[0] / row.best.losses[0]).toFixed(3)} × best, rate ${outcome.rate.toPrecision(2)}, cost ${outcome.cost.toFixed(2)}`,
    )
  }
  results.date = new Date().toISOString().slice(0, 10)
  writeFileSync(
    RESULTS,
    `${JSON.stringify(results, (_, x) => (typeof x === 'number' ? (Number.isFinite(x) ? Number(x.toPrecision(5)) : 1e30) : x)).replace(/\{"problem"/g, '\n{"problem"')}\n`,
  )
}

/** Median and 90th percentile of ratios: of validation losses to the best of the grid with the same batch and of the whole grid, then of test losses. */
function summary(name: string, of: (row: Results['rows'][number]) => [Losses, number] | undefined): void {
  const some = results.rows.flatMap((row) => {
    const found = of(row)
    return found === undefined ? [] : [{ row, losses: found[0], cost: found[1] }]
  })
  if (some.length === 0) return
  const quantile = (list: number[], share: number) => list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(share * list.length))]
  const ratios = (anchor: 'best' | 'bestAt32', i: 0 | 1) => {
    const list = some.map(({ row, losses }) => losses[i] / row[anchor].losses[i])
    return [0.5, 0.9].map((share) => quantile(list, share).toPrecision(3).padStart(9)).join('')
  }
  const cost = some.reduce((sum, one) => sum + one.cost, 0) / some.length
  console.log(
    name.padEnd(22),
    ratios('bestAt32', 0),
    ratios('best', 0),
    ratios('bestAt32', 1),
    cost.toFixed(1).padStart(8),
    String(some.length).padStart(4),
  )
}
console.log(`\n${''.padEnd(24)}same batch        whole grid        test, same batch  cost  problems`)
summary('grid, batch 32', (row) => [row.bestAt32.losses, 26])
summary('grid, cosine, batch 32', (row) => [row.bestCosineAt32.losses, 13])
for (const name of Object.keys(RULES)) summary(name, (row) => row.rules[name] && [row.rules[name].losses, row.rules[name].cost])
