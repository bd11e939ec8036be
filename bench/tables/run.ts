/**
 * `make tables`: trainTable with default options on the 25 tables of export.py. Writes its scores into bench/results/tables.json, and prints them
 * beside the scores of others that field.py wrote into bench/results/tables-field.json. Existing results are kept.
 *
 *   node --import tsx bench/tables/run.ts [--time 60] [--only ames,oj] [--seeds 0,1,2] [--again] [--out FILE]
 *
 * `--time` gives each table as many seconds, `--again` takes existing results again, and `--out` leaves the committed results as they are.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { trainTable } from '../../ts/table/index.js'
import { FOLDER, type Results, readTables, type Scores, summaryOf } from './write.js'

const { values } = parseArgs({
  options: {
    ...{ time: { type: 'string' }, only: { type: 'string' }, seeds: { type: 'string', default: '0,1,2' } },
    ...{ again: { type: 'boolean' }, out: { type: 'string', default: 'bench/results/tables.json' } },
  },
})

const about = JSON.parse(readFileSync(`${FOLDER}/tables.json`, 'utf8')) as Record<string, { target: string; task: string; field: boolean }>
const names = values.only?.split(',') ?? Object.keys(about).filter((name) => about[name].field)
const who = values.time === undefined ? 'gradus' : `gradus, ${values.time} s`
const read = (): Results => (existsSync(values.out) ? JSON.parse(readFileSync(values.out, 'utf8')) : {})

for (const seed of values.seeds.split(','))
  for (const name of names) {
    if (read()[name]?.[seed]?.[who] && !values.again) continue
    const scores = await train(name, seed)
    // another run may have written meanwhile
    const now = read()
    now[name] = { ...now[name], [seed]: { ...now[name]?.[seed], [who]: scores } }
    writeFileSync(values.out, `${JSON.stringify(now, null, 1)}\n`)
    console.log(name, seed, JSON.stringify(scores))
  }
for (const bags of [false, true]) console.log(summaryOf(readTables(read()), who, bags))

async function train(name: string, seed: string): Promise<Scores> {
  const began = process.cpuUsage()
  const { report } = await trainTable(`${FOLDER}/${name}.${seed}.train.csv`, {
    ...{ target: about[name].target, test: `${FOLDER}/${name}.${seed}.test.csv`, verbose: false },
    ...(values.time !== undefined && { time: Number(values.time) }),
  })
  const { user, system } = process.cpuUsage(began)
  const of = (metric: string) => report.metrics.find((m) => m.name === metric)?.value
  const classes = { loss: of('log loss'), accuracy: of('accuracy'), rocAuc: of('ROC AUC') }
  const scores = about[name].task === 'regression' ? { loss: of('RMSE'), r2: of('R²') } : classes
  const rounded = Object.entries(scores).flatMap(([key, value]) => (value === undefined ? [] : [[key, Number(value.toPrecision(6))]]))
  return { ...Object.fromEntries(rounded), cpu: Number(((user + system) / 1e6).toFixed(1)), date: new Date().toISOString().slice(0, 10) }
}
