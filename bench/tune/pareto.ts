/**
 * Hypervolumes of gradus' TPE and NSGA-II, compared with Optuna's, for several objectives: ZDT1, ZDT2 and DTLZ2 in 8 dimensions, 200 trials, 10
 * seeds.
 *
 *   node_modules/node/bin/node --import tsx bench/tune/pareto.ts [--write]
 *
 * Optuna's hypervolumes are in bench/results/tune-optuna-pareto.json, written by bench/tune/optuna_pareto.py. --write puts all numbers into
 * bench/results/tune-pareto.json. Medians are compared by P(gradus better), the share of pairs of seeds.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createStudy, nsga2, random, tpe } from '../../ts/tune/index.js'
import { front, PROBLEMS, spaceOf, volumeOf } from './zdt.js'

const OPTUNA = 'bench/results/tune-optuna-pareto.json'
const RESULTS = 'bench/results/tune-pareto.json'
const DIMENSIONS = 8

interface Optuna {
  optuna: string
  trials: number
  seeds: number
  rows: { problem: string; sampler: string; volumes: number[] }[]
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

const optuna = JSON.parse(readFileSync(OPTUNA, 'utf8')) as Optuna
const { trials, seeds } = optuna
const rows = []
for (const problem of Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[])
  for (const make of [tpe, nsga2, random]) {
    const { value, directions } = PROBLEMS[problem]
    const volumes: number[] = []
    const started = process.cpuUsage()
    for (let seed = 0; seed < seeds; seed++) {
      const study = await createStudy({ space: spaceOf(DIMENSIONS), direction: directions, sampler: make(), seed })
      await study.optimize((params) => value(Object.values(params)), { trials })
      volumes.push(volumeOf(problem, front(study)))
    }
    const milliseconds = process.cpuUsage(started).user / 1000 / seeds / trials
    const theirs = optuna.rows.find((row) => row.problem === problem && row.sampler === make().name)?.volumes
    const better = theirs && volumes.flatMap((own) => theirs.map((other) => +(own > other)))
    rows.push({
      problem,
      sampler: make().name,
      gradus: Number(median(volumes).toFixed(3)),
      ...(theirs && better && { optuna: Number(median(theirs).toFixed(3)), better: better.reduce((a, b) => a + b, 0) / better.length }),
      milliseconds: Number(milliseconds.toFixed(2)),
      volumes: volumes.map((volume) => Number(volume.toFixed(3))),
    })
    const { volumes: _, ...row } = rows[rows.length - 1]
    console.log(JSON.stringify(row))
  }
if (process.argv.includes('--write')) {
  const date = new Date().toISOString().slice(0, 10)
  const text = JSON.stringify({ date, node: process.versions.node, optuna: optuna.optuna, trials, seeds, rows })
  writeFileSync(RESULTS, `${text.replace(/\{"problem"/g, '\n{"problem"')}\n`)
}
