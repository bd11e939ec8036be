/**
 * Compares TPE of gradus with Optuna's on five real tuning problems: nets for tables, with the objective and the space of `gradus tune`, which has
 * seven parameters, including numbers on logarithmic ranges and categories. (The figures kept are of 2026-11-27, before that objective took inputs
 * and schedule of trainTable.) Best loss on held-out rows (cross-entropy, or root mean squared error) after 50 trials, of 30 seeds, compared by
 * Wilcoxon's paired test of log10 losses. A seed decides the split, the weights and the sampler, equally for both.
 *
 *   node_modules/node/bin/node --import tsx bench/tune/tables.ts [--seeds 30] [--only diabetes,digits] [--out file.json]
 *
 * Optuna, installed by `make optuna`, suggests parameters in a process of its own (bench/tune/optuna_tables.py); the nets of both are trained here.
 * Writes bench/results/tune-tables.json after each seed, and continues where it was stopped.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { load } from '../../ts/index.js'
import { createStudy, type Objective, TABLE_SPACE, type Trial, tableObjective } from '../../ts/tune/index.js'
import { type Origin, origin } from '../results.js'
import { wilcoxon } from './wilcoxon.js'

const PYTHON = '.cache/tune/venv/bin/python'
const DATA = '.cache/tune/tables'
const TRIALS = 50
const EPOCHS = 8

const PROBLEMS: Record<string, { file: string; target: string }> = {
  penguinSex: { file: 'docs/guide/penguins.csv', target: 'sex' },
  penguinMass: { file: 'docs/guide/penguins.csv', target: 'body_mass_g' },
  breastCancer: { file: `${DATA}/breast_cancer.csv`, target: 'target' },
  diabetes: { file: `${DATA}/diabetes.csv`, target: 'target' },
  digits: { file: `${DATA}/digits.csv`, target: 'target' },
}

interface Row {
  problem: string
  /** Mean log10 of the best losses. */
  gradus: number
  optuna: number
  p: number
  verdict: 'better' | 'equal' | 'worse'
  /** Best loss of each seed. */
  losses: { gradus: number[]; optuna: number[] }
}

interface Results extends Origin {
  optuna: string
  trials: number
  seeds: number
  rows: Row[]
}

const option = (name: string) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined)

/** Optuna in a process: a line goes in, a line comes out. */
class Optuna {
  private readonly child: ChildProcess
  private readonly lines: AsyncIterator<string>

  constructor() {
    const space = Object.entries(TABLE_SPACE).map(([name, range]) =>
      range.kind === 'categorical' ? [name, range.kind, range.choices] : [name, range.kind, range.low, range.high, range.log],
    )
    this.child = spawn(PYTHON, ['bench/tune/optuna_tables.py', DATA, JSON.stringify(space)], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  }

  async answer(): Promise<Record<string, unknown>> {
    const { value, done } = await this.lines.next()
    if (done) throw new Error('Optuna ended')
    return JSON.parse(value)
  }

  ask(message: unknown): Promise<Record<string, unknown>> {
    this.child.stdin?.write(`${JSON.stringify(message)}\n`)
    return this.answer()
  }

  close(): void {
    this.child.stdin?.end()
  }
}

/** A trial without a pruner. */
const LONELY = {
  signal: new AbortController().signal,
  report: async () => {},
  shouldPrune: () => false,
  setAttribute: () => {},
} as unknown as Trial

/** The loss of a trial; undefined if its training diverged. */
async function lossOf(objective: Objective, params: Record<string, unknown>): Promise<number | undefined> {
  try {
    const loss = (await objective(params as never, LONELY)) as number
    return Number.isFinite(loss) ? loss : undefined
  } catch (error) {
    if ((error as Error).name === 'NonFiniteError') return undefined
    throw error
  }
}

async function byOptuna(optuna: Optuna, objective: Objective, seed: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  let params = await optuna.ask(seed)
  for (let trial = 0; trial < TRIALS; trial++) {
    const loss = await lossOf(objective, params)
    best = Math.min(best, loss ?? best)
    params = await optuna.ask(loss === undefined ? null : { value: loss })
  }
  return best
}

async function byGradus(objective: Objective, seed: number): Promise<number> {
  const study = await createStudy({ space: TABLE_SPACE, seed })
  for (let i = 0; i < TRIALS; i++) {
    const trial = await study.ask()
    await study.tell(trial, (await lossOf(objective, trial.params)) ?? Number.NaN)
  }
  return study.bestValue
}

await load()
const seeds = Number(option('--seeds') ?? 30)
const file = option('--out') ?? 'bench/results/tune-tables.json'
const optuna = new Optuna()
const { optuna: version } = (await optuna.answer()) as { optuna: string }
const fresh: Results = { ...origin(), optuna: version, trials: TRIALS, seeds, rows: [] }
const results: Results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : fresh
for (const problem of option('--only')?.split(',') ?? Object.keys(PROBLEMS)) {
  let row = results.rows.find((known) => known.problem === problem)
  if (row === undefined)
    results.rows.push((row = { problem, gradus: 0, optuna: 0, p: 1, verdict: 'equal', losses: { gradus: [], optuna: [] } }))
  const { losses } = row
  for (let seed = losses.gradus.length; seed < seeds; seed++) {
    const objective = await tableObjective({ ...PROBLEMS[problem], epochs: EPOCHS, seed })
    const [ours, theirs] = [await byGradus(objective, seed), await byOptuna(optuna, objective, seed)]
    losses.gradus.push(Number(ours.toPrecision(6)))
    losses.optuna.push(Number(theirs.toPrecision(6)))
    Object.assign(row, compared(losses))
    writeFileSync(file, `${JSON.stringify({ ...results, seeds }).replace(/\{"problem"/g, '\n{"problem"')}\n`)
  }
  console.log(
    problem.padEnd(13),
    `${losses.gradus.length} seeds`,
    `log10 loss ${row.gradus.toFixed(4)} / Optuna ${row.optuna.toFixed(4)}`,
    `p ${row.p.toFixed(4)}`,
    row.verdict,
  )
}
optuna.close()

function compared(losses: Row['losses']): Pick<Row, 'gradus' | 'optuna' | 'p' | 'verdict'> {
  const log = (values: readonly number[]) => values.map((loss) => Math.log10(Math.max(loss, 1e-12)))
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
  const [ours, theirs] = [log(losses.gradus), log(losses.optuna)]
  const p = wilcoxon(ours.map((value, i) => value - theirs[i]))
  const verdict = p > 0.05 ? 'equal' : mean(ours) < mean(theirs) ? 'better' : 'worse'
  return { gradus: mean(ours), optuna: mean(theirs), p, verdict }
}
