/**
 * Regret of gradus' TPE compared with Optuna's after the same number of trials, on 20 functions of COCO's bbob in 5 dimensions: best value after 100
 * trials minus the optimum, of 30 seeds, compared by Wilcoxon's paired test of log10 regrets.
 *
 *   node_modules/node/bin/node --import tsx bench/tune/regret.ts [--write]
 *
 * Optuna's regrets are in bench/results/tune-optuna-bbob.json, written by bench/tune/optuna_bbob.py. --write puts all numbers into
 * bench/results/tune-regret.json. Seed s is instance 1 + s % 15 for both.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createStudy, float, type Sampler, tpe } from '../../ts/tune/index.js'
import { bbob } from './bbob.js'
import { wilcoxon } from './wilcoxon.js'

const OPTUNA = 'bench/results/tune-optuna-bbob.json'
const RESULTS = 'bench/results/tune-regret.json'
const TRIALS = 100
const SEEDS = 30

interface Optuna {
  optuna: string
  functions: Record<string, { regret: number[]; curve: number[] }>
}

async function regretOf(number: number, seed: number, sampler: Sampler): Promise<number> {
  const problem = bbob(number, 1 + (seed % 15))
  const space = Object.fromEntries([0, 1, 2, 3, 4].map((i) => [`x${i}`, float(-5, 5)]))
  const study = await createStudy({ space, sampler, seed })
  await study.optimize((params) => problem.value(Object.values(params)), { trials: TRIALS })
  return study.bestValue - problem.optimum
}

const log = (regret: number) => Math.log10(Math.max(regret, 1e-12))
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length

const optuna = JSON.parse(readFileSync(OPTUNA, 'utf8')) as Optuna
const rows: { function: number; gradus: number; optuna: number; p: number; verdict: string; regrets: number[] }[] = []
const started = process.cpuUsage()
for (let number = 1; number <= 20; number++) {
  const regrets = []
  for (let seed = 0; seed < SEEDS; seed++) regrets.push(await regretOf(number, seed, tpe()))
  const theirs = optuna.functions[number].regret
  const differences = regrets.map((regret, seed) => log(regret) - log(theirs[seed]))
  const p = wilcoxon(differences)
  const verdict = p > 0.05 ? 'equal' : mean(differences) < 0 ? 'better' : 'worse'
  rows.push({
    function: number,
    gradus: mean(regrets.map(log)),
    optuna: mean(theirs.map(log)),
    p,
    verdict,
    regrets: regrets.map((r) => Number(r.toPrecision(6))),
  })
  console.log(
    `f${number}`.padEnd(4),
    `log10 regret ${rows[rows.length - 1].gradus.toFixed(3)} / Optuna ${rows[rows.length - 1].optuna.toFixed(3)}`,
    `p ${p.toFixed(4)}`,
    verdict,
  )
}
const { user } = process.cpuUsage(started)
const count = (verdict: string) => rows.filter((row) => row.verdict === verdict).length
console.log(
  `better ${count('better')}, equal ${count('equal')}, worse ${count('worse')} of 20; ${(user / 1000 / 20 / SEEDS / TRIALS).toFixed(3)} ms of processor a trial`,
)
if (process.argv.includes('--write')) {
  const date = new Date().toISOString().slice(0, 10)
  const text = JSON.stringify({ date, node: process.versions.node, optuna: optuna.optuna, trials: TRIALS, seeds: SEEDS, rows })
  writeFileSync(RESULTS, `${text.replace(/\{"function"/g, '\n{"function"')}\n`)
}
