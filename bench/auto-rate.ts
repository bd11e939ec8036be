/**
 * `fitAuto` beside a tuned grid, on sixty problems of a data set, a net and an optimizer each.
 *
 *   node_modules/node/bin/node --import tsx bench/auto-rate.ts [--only moons,digits] [--rules 'auto;valley, cosine'] [--again] [--out file.json]
 *
 * - `seen`: seven data sets, each with at least 600 validation rows, four optimizers and nets of one to three hidden layers. fitAuto was designed on them.
 * - `small`: three tables of 37 to 86 validation rows. The best of 78 trainings by so few rows is luck: its validation loss may be 5e-8 and its test loss 11.
 * - `new`: tables of R's packages, other nets and other optimizers, scored once, after the design. They need the files of bench/tables/export.py.
 *
 * The grid has thirteen rates a factor of √10 apart, a constant rate and a cosine with warmup, and batches of 8, 32 and 128 rows: 78 trainings of equal
 * numbers of epochs. Its best has the least validation loss after the last epoch. A rule gets the same validation rows. Its cost is the number of row
 * gradients that it computed, in trainings of the problem. The test loss is that of rows that took part in no choice. Two rows of the summary say how much
 * a ratio means: the grid's second best, and its best with three other seeds of weights and orders. Writes bench/results/auto-rate.json, in which the grid
 * of a problem is kept, so that another rule takes a minute.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type FitAutoOptions, findLearningRate, fit, fitAuto, fitMany, load, type Optimizer, schedules } from '../ts/index.js'
import { OPTIMIZERS } from '../ts/optim/index.js'
import { DATA, type Data, judge, type Losses, makeNet, NETS, type Net, stepsOf, tables } from './tools/problems.js'

const RATES = Array.from({ length: 13 }, (_, i) => 10 ** (i / 2 - 5))
const BATCHES = [8, 32, 128]
const BATCH = 32
const SEEDS = [2, 3, 4]
const FEW_ROWS = ['iris', 'species', 'mass']
const OPTIMIZER_NAMES = ['Adam', 'Nesterov', 'AdamW', 'RMSProp', 'Muon', 'NAdam', 'ScheduleFreeAdamW', 'Lion'] as const
const NEW_OPTIMIZERS = ['Momentum', 'RAdam', 'Adan', 'SGD', 'SOAP', 'Adagrad', 'Signum', 'ADOPT', 'Adamax', 'AdaBelief'] as const
const NEW_NETS: Net[] = [
  { hidden: [64], activation: 'gelu' },
  { hidden: [12, 12], activation: 'elu' },
  { hidden: [48, 24], activation: 'tanh' },
]
/** Tables without new problems: three have few rows, and diamonds has many. */
const LEFT_OUT = ['wine', 'cancer', 'hitters', 'diamonds']

type Name = keyof typeof OPTIMIZERS
const GROUPS = ['seen', 'new', 'small'] as const
interface Problem extends Data {
  name: string
  group: (typeof GROUPS)[number]
  optimizer: Name
  net: Net
}

async function* problems(): AsyncGenerator<Problem> {
  for (const [d, [name, make]] of Object.entries(DATA).entries()) {
    const group = FEW_ROWS.includes(name) ? 'small' : 'seen'
    for (let j = 0; j < 4; j++) {
      const optimizer = OPTIMIZER_NAMES[(d + 2 * j) % 8]
      if (isWanted(name)) yield { ...(await make()), group, optimizer, net: NETS[(d + j) % 3], name: `${name}, ${optimizer}` }
    }
  }
  if (!existsSync('.cache/tables')) return console.log('no new tables: python bench/tables/export.py .cache/tables writes them')
  const others = Object.entries(tables(0.5)).filter(([name]) => !LEFT_OUT.includes(name))
  for (const [i, [name, make]] of others.entries()) {
    const optimizer = NEW_OPTIMIZERS[i % NEW_OPTIMIZERS.length]
    if (isWanted(name)) yield { ...(await make()), group: 'new', optimizer, net: NEW_NETS[i % 3], name: `${name}, ${optimizer}` }
  }
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

/** Trainings side by side, with a batch size. */
async function trainCells(
  problem: Problem,
  batch: number,
  settings: (Omit<Cell, 'batch' | 'losses'> & { seed?: number })[],
): Promise<Cell[]> {
  const { train, loss, epochs } = problem
  const steps = stepsOf(problem, batch)
  const built = settings.map(({ rate, seed }) => make(problem, rate, seed))
  const histories = await fitMany(
    built.map(({ model }) => model),
    {
      ...{ ...train, loss, epochs, batchSize: batch, optimizers: built.map(({ optimizer }) => optimizer) },
      seed: settings.map(({ seed = 1 }) => seed),
      schedule: settings.map(({ rate, course }) => (course === 'constant' ? undefined : cosine(rate, steps))),
    },
  )
  return settings.map((setting, i) => {
    const losses: Losses = histories[i].error ? [Infinity, Infinity] : judge(problem, built[i].model, built[i].optimizer)
    return { batch, ...setting, losses }
  })
}

async function grid(problem: Problem): Promise<Cell[]> {
  const settings = RATES.flatMap((rate) => (['constant', 'cosine'] as const).map((course) => ({ rate, course })))
  const cells: Cell[] = []
  for (const batch of BATCHES) cells.push(...(await trainCells(problem, batch, settings)))
  return cells.sort((a, b) => a.losses[0] - b.losses[0])
}

interface Outcome {
  losses: Losses
  cost: number
  seconds: number
  rate: number
  batch: number
}

type Rule = (problem: Problem) => Promise<Omit<Outcome, 'seconds'>>

/** One training with a cosine, or with a constant rate. */
function single(pick: 'valley' | 'own'): Rule {
  return async (problem) => {
    const built = make(problem)
    const { train, loss, epochs } = problem
    const shared = { ...train, loss, optimizer: built.optimizer, batchSize: BATCH, seed: 1 }
    const steps = stepsOf(problem, BATCH)
    const { suggestions, losses } = pick === 'own' ? { suggestions: {}, losses: [] } : await findLearningRate(built.model, shared)
    const { valley: rate = built.optimizer.learningRate } = suggestions as { valley?: number }
    const found = { cost: 1 + losses.length / steps, rate, batch: BATCH }
    try {
      await fit(built.model, { ...shared, epochs, schedule: pick === 'own' ? () => rate : cosine(rate, steps) })
    } catch {
      return { losses: [Infinity, Infinity], ...found }
    }
    return { losses: judge(problem, built.model, built.optimizer), ...found }
  }
}

function auto(options: Partial<FitAutoOptions> = {}, withValidation = true): Rule {
  return async (problem) => {
    const built = make(problem)
    const { train, validation, loss, epochs } = problem
    const { trials, learningRate, batchSize } = await fitAuto(built.model, {
      ...{ ...train, ...(withValidation && { validation }), loss, optimizer: built.optimizer, seed: 1, epochs },
      ...options,
    })
    const testSteps = stepsOf(problem, BATCH)
    const rangeTest = Math.min(100, Math.max(20, Math.round(testSteps / 4))) / testSteps
    const cost = trials.reduce((sum, trial) => sum + trial.steps / stepsOf(problem, batchSize), rangeTest)
    return { losses: judge(problem, built.model, built.optimizer), cost, rate: learningRate, batch: batchSize }
  }
}

const RULES: Record<string, Rule> = {
  auto: auto(),
  'auto, batch 32': auto({ batchSize: BATCH }),
  'auto, no validation': auto({}, false),
  'valley, cosine': single('valley'),
  'default rate': single('own'),
}

interface Row {
  problem: string
  group: Problem['group']
  best: Cell
  second: Cell
  /** Of the best, with other seeds. */
  again: Losses[]
  rules: Record<string, Outcome>
}
interface Results {
  date: string
  rows: Row[]
}

const option = (flag: string) => (process.argv.includes(flag) ? process.argv[process.argv.indexOf(flag) + 1] : undefined)
const RESULTS = option('--out') ?? 'bench/results/auto-rate.json'
const wanted = option('--rules')?.split(';') ?? Object.keys(RULES)
const only = option('--only')?.split(',')
const isWanted = (name: string) => only === undefined || only.includes(name)
const again = process.argv.includes('--again')

await load()
const results: Results = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : { date: '', rows: [] }
for await (const problem of problems()) {
  let row = results.rows.find((r) => r.problem === problem.name)
  if (row === undefined) {
    const began = process.cpuUsage()
    const [best, second] = await grid(problem)
    const { batch, rate, course } = best
    const retrained = await trainCells(
      problem,
      batch,
      SEEDS.map((seed) => ({ rate, course, seed })),
    )
    row = { problem: problem.name, group: problem.group, best, second, again: retrained.map(({ losses }) => losses), rules: {} }
    results.rows.push(row)
    console.log(
      problem.name.padEnd(28),
      `grid ${(process.cpuUsage(began).user / 1e6).toFixed(1)} s: ${best.losses[0].toPrecision(3)} at ${rate.toPrecision(2)}, ${course}, ${batch}`,
    )
  }
  for (const name of wanted) {
    if (row.rules[name] !== undefined && !again) continue
    const began = process.cpuUsage()
    const outcome = await RULES[name](problem)
    row.rules[name] = { ...outcome, seconds: process.cpuUsage(began).user / 1e6 }
    const { losses, rate, batch, cost } = outcome
    console.log(
      ' '.repeat(28),
      name.padEnd(22),
      `${(losses[0] / row.best.losses[0]).toFixed(3)} × best, test ${(losses[1] / row.best.losses[1]).toFixed(3)}, rate ${rate.toPrecision(2)}, ${batch}, cost ${cost.toFixed(2)}`,
    )
  }
  results.date = new Date().toISOString().slice(0, 10)
  writeFileSync(
    RESULTS,
    `${JSON.stringify(results, (_, x) => (typeof x === 'number' ? (Number.isFinite(x) ? Number(x.toPrecision(5)) : 1e30) : x)).replace(/\{"problem"/g, '\n{"problem"')}\n`,
  )
}

/** Median and begin of the worst tenth of ratios to the best of the grid, by validation and by test rows. */
function summary(name: string, rows: Row[], of: (row: Row) => (Pick<Outcome, 'losses' | 'cost'> | undefined)[]): void {
  const some = rows.flatMap((row) => of(row).flatMap((found) => (found ? [{ ...found, best: row.best.losses }] : [])))
  if (some.length === 0) return
  const ratios = (i: 0 | 1) => {
    const list = some.map(({ losses, best }) => losses[i] / best[i]).sort((a, b) => a - b)
    return [0.5, 0.9].map((share) => list[Math.min(list.length - 1, Math.floor(share * list.length))].toPrecision(3).padStart(9)).join('')
  }
  const cost = some.reduce((sum, one) => sum + one.cost, 0) / some.length
  console.log(name.padEnd(24), ratios(0), ' ', ratios(1), cost.toFixed(2).padStart(8))
}
const cell = ({ losses }: Pick<Cell, 'losses'>) => ({ losses, cost: 78 })
for (const groups of [['seen'], ['new'], ['seen', 'new'], ['small']]) {
  const rows = results.rows.filter(({ group }) => groups.includes(group))
  console.log(`\n${`${groups.join(' and ')}: ${rows.length} problems`.padEnd(28)}validation          test              cost`)
  summary('second of the grid', rows, ({ second }) => [cell(second)])
  summary('best, other seeds', rows, (row) => row.again.map((losses) => cell({ losses })))
  for (const name of Object.keys(RULES)) summary(name, rows, (row) => [row.rules[name]])
}
