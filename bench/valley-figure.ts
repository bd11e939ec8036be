/**
 * Draws docs/guide/figures/valley.svg from bench/results/valley.json (see valley.ts), and prints what docs/guide/choose.md says of it.
 * `node_modules/node/bin/node --import tsx bench/valley-figure.ts [--in file.json]`
 */
import { readFileSync, writeFileSync } from 'node:fs'
import type { TopLevelSpec } from 'vega-lite'
import { INK, STYLE, toSvg } from './chart.js'
import type { Valley, ValleyRow } from './valley.js'

const FIGURE = 'docs/guide/figures/valley.svg'
/** A loss that is so many times the best, or a training that diverged, is at the end of the scale. */
const WORST = 10
/** What counts as near its own best: a loss at most so many times as high. */
const NEAR = 1.25

const at = process.argv.indexOf('--in')
const valley = JSON.parse(readFileSync(at < 0 ? 'bench/results/valley.json' : process.argv[at + 1], 'utf8')) as Valley
const problems = [...new Set(valley.rows.map(({ problem }) => problem))]
const optimizers = [...new Set(valley.rows.map(({ optimizer }) => optimizer))]
const rowsOf = (optimizer: string) => valley.rows.filter((row) => row.optimizer === optimizer)
const capped = (ratio: number) => Math.min(WORST, Math.max(1, ratio))
const geometric = (values: readonly number[]) => Math.exp(values.reduce((sum, x) => sum + Math.log(x), 0) / values.length)

/** The least loss of any optimizer on a problem. */
const least = Object.fromEntries(
  problems.map((problem) => [problem, Math.min(...valley.rows.flatMap((row) => (row.problem === problem ? (row.atBest ?? []) : [])))]),
)
const ratio = (loss: number | null, problem: string) => capped((loss ?? Number.POSITIVE_INFINITY) / least[problem])

/** Rates on the grid whose loss is near that of the best, by the seeds that choose. */
function nearRates({ curve }: ValleyRow): number {
  const losses = curve.map(([, loss]) => loss ?? Number.POSITIVE_INFINITY)
  return losses.filter((loss) => loss <= NEAR * Math.min(...losses)).length
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
const summaries = optimizers
  .map((optimizer) => {
    const rows = rowsOf(optimizer)
    return {
      optimizer,
      tuned: geometric(rows.map((row) => ratio(row.atBest, row.problem))),
      byDefault: geometric(rows.map((row) => ratio(row.atDefault, row.problem))),
      near: mean(rows.map(nearRates)),
    }
  })
  .sort((a, b) => a.tuned - b.tuned)
const order = summaries.map(({ optimizer }) => optimizer)

const y = { field: 'optimizer', type: 'nominal', sort: order, title: null }
const noLabels = { ...y, axis: { labels: false } }
const height = { step: 20 }
const ends = summaries.flatMap(({ optimizer, tuned, byDefault }) => [
  { optimizer, rate: 'best of 13 to 14 rates', ratio: tuned },
  { optimizer, rate: 'default rate', ratio: byDefault },
])
const x = {
  field: 'ratio',
  type: 'quantitative',
  title: 'times the least loss of all',
  scale: { type: 'log', domain: [1, WORST] },
  axis: { values: [1, 1.5, 2, 3, 5, 10], orient: 'bottom' },
}
const figure = {
  ...STYLE,
  spacing: 22,
  hconcat: [
    {
      title: { text: 'Tuned, and as it comes', subtitle: 'mean over eight problems' },
      width: 300,
      height,
      layer: [
        {
          data: { values: summaries },
          mark: { type: 'rule', color: '#cbd2d9', strokeWidth: 2 },
          encoding: { y, x: { ...x, field: 'tuned' }, x2: { field: 'byDefault' } },
        },
        {
          data: { values: ends },
          mark: { type: 'point', filled: true, size: 80, opacity: 1 },
          encoding: {
            y,
            x,
            color: {
              field: 'rate',
              type: 'nominal',
              scale: { domain: ['best of 13 to 14 rates', 'default rate'], range: ['#2f7ed8', '#e8890c'] },
              legend: { orient: 'bottom', direction: 'vertical' },
            },
          },
        },
      ],
    },
    {
      title: { text: 'Which wins where', subtitle: 'tuned; dark is the least loss' },
      width: 260,
      height,
      data: { values: valley.rows.map(({ problem, optimizer, atBest }) => ({ problem, optimizer, ratio: ratio(atBest, problem) })) },
      mark: { type: 'rect', stroke: '#fdfdfb', strokeWidth: 1.5 },
      encoding: {
        y: noLabels,
        x: { field: 'problem', type: 'nominal', sort: problems, title: null, axis: { labelAngle: -40 } },
        color: {
          field: 'ratio',
          type: 'quantitative',
          scale: { type: 'log', domain: [1, 3], clamp: true, range: ['#174a86', '#eef2f6'] },
          legend: { orient: 'bottom', values: [1, 1.5, 2, 3], title: null, gradientLength: 180 },
        },
      },
    },
    {
      title: { text: 'How exact', subtitle: 'rates near its best, of 13' },
      width: 150,
      height,
      data: { values: summaries },
      mark: { type: 'bar', color: '#9aa5b1', height: 12 },
      encoding: {
        y: noLabels,
        x: { field: 'near', type: 'quantitative', title: null, axis: { tickCount: 4 } },
      },
    },
  ],
  config: { ...STYLE.config, text: { color: INK } },
} as unknown as TopLevelSpec
writeFileSync(FIGURE, await toSvg(figure))

console.log(`${valley.trainings} trainings, ${(valley.seconds / 60).toFixed(1)} minutes of one core`)
for (const { optimizer, tuned, byDefault, near } of summaries) {
  const wins = rowsOf(optimizer)
    .filter((row) => row.atBest !== null && row.atBest <= 1.05 * least[row.problem])
    .map(({ problem }) => problem)
  console.log(
    optimizer.padEnd(18),
    `tuned ${tuned.toFixed(2)}`,
    `default ${byDefault.toFixed(2)}`,
    `near ${near.toFixed(1)}`,
    `within 5 %: ${wins.join(', ')}`,
  )
}
for (const problem of problems) {
  const best = valley.rows.filter((row) => row.problem === problem && row.atBest !== null).sort((a, b) => (a.atBest ?? 0) - (b.atBest ?? 0))
  console.log(
    problem.padEnd(12),
    best
      .slice(0, 6)
      .map(({ optimizer, atBest, bestRate }) => `${optimizer} ${atBest} (${bestRate})`)
      .join('  '),
  )
}
