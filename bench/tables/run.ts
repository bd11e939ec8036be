/**
 * `make tables`: compares `gradus train` on ten real tables, with default options, with scikit-learn on the same rows. Writes
 * bench/results/tables.json; write.ts puts it into docs/benchmarks.md. `--time 60` runs the same with a minute per table; `--only` and `--seeds`
 * select a part. Existing results are kept.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

const FOLDER = '.cache/tables'
const RESULTS = 'bench/results/tables.json'

/** Scores of one run. */
export interface Scores {
  accuracy?: number
  logLoss?: number
  r2?: number
  rmse?: number
  seconds: number
}

/** Scores by contestant, for each table and each of its splits. */
export interface TableResults {
  date: string
  about: Record<string, { target: string; task: 'classification' | 'regression'; rows: number; columns: number }>
  results: Record<string, Record<'mlp' | 'trees' | 'gradus' | 'gradus60', Scores>[]>
}

interface Report {
  metrics: { name: string; value: number }[]
  seconds: number
}

const { values } = parseArgs({
  options: { time: { type: 'string' }, only: { type: 'string' }, seeds: { type: 'string', default: '0,1,2' } },
})

/** The scores of `gradus train` on one split. */
function train(name: string, target: string, seed: number, time: string | undefined): Scores {
  const file = (part: string) => `${FOLDER}/${name}.${seed}.${part}.csv`
  const more = time === undefined ? [] : ['--time', `${time}s`]
  const command = ['--import', 'tsx', 'ts/cli/main.ts', 'train', file('train'), '--target', target, '--test', file('test')]
  const out = ['--out', `${FOLDER}/${name}.safetensors`, '--json']
  const text = execFileSync(process.execPath, [...command, ...more, ...out], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { metrics, seconds } = JSON.parse(text) as Report
  const of = (metric: string) => metrics.find((m) => m.name === metric)?.value
  const scores = { accuracy: of('accuracy'), logLoss: of('log loss'), r2: of('R²'), rmse: of('RMSE'), seconds }
  return Object.fromEntries(Object.entries(scores).filter(([, value]) => value !== undefined)) as unknown as Scores
}

const about = JSON.parse(readFileSync(`${FOLDER}/tables.json`, 'utf8')) as TableResults['about']
const scikit = JSON.parse(readFileSync(`${FOLDER}/scikit.json`, 'utf8')) as { results: Record<string, Record<'mlp' | 'trees', Scores>[]> }
const known: TableResults = existsSync(RESULTS)
  ? JSON.parse(readFileSync(RESULTS, 'utf8'))
  : { date: '', about, results: Object.fromEntries(Object.keys(about).map((name) => [name, []])) }
const key = values.time === undefined ? 'gradus' : 'gradus60'
for (const name of values.only?.split(',') ?? Object.keys(about))
  for (const seed of values.seeds.split(',').map(Number)) {
    const scores = train(name, about[name].target, seed, values.time)
    // another run may have written meanwhile
    const now: TableResults = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : known
    now.date = new Date().toISOString().slice(0, 10)
    now.results[name][seed] = { ...now.results[name][seed], ...scikit.results[name][seed], [key]: scores }
    writeFileSync(RESULTS, `${JSON.stringify(now, null, 1)}\n`)
    console.log(name, seed, key, JSON.stringify(scores))
  }
