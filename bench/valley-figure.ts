/**
 * The figure of bench/valley.ts, which bench/figures.ts draws. As a program it prints the figures that docs/guide/choose.md states:
 * `node_modules/node/bin/node --import tsx bench/valley-figure.ts`
 */
import { fileURLToPath } from 'node:url'
import type { TopLevelSpec } from 'vega-lite'
import { STYLE } from './chart.js'
import { readResults } from './results.js'
import type { Valley, ValleyRow } from './valley.js'

/** End of the scale, as a multiple of the best loss; larger losses and diverged trainings are drawn there. */
const WORST = 10
/** Losses up to this multiple of an optimizer's own best loss count as near. */
const NEAR = 1.25

const capped = (ratio: number) => Math.min(WORST, Math.max(1, ratio))
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
const geometric = (values: readonly number[]) => Math.exp(mean(values.map(Math.log)))

/** Number of rates whose loss is near the best one, for the seeds that choose the rate. */
function nearRates({ curve }: ValleyRow): number {
  const losses = curve.map(([, loss]) => loss ?? Number.POSITIVE_INFINITY)
  return losses.filter((loss) => loss <= NEAR * Math.min(...losses)).length
}

interface Summary {
  optimizer: string
  /** Losses at the best rate and at the default, as multiples of the least of any optimizer: geometric means over the problems. */
  tuned: number
  byDefault: number
  /** Mean number of rates near the best. */
  near: number
}

/** The problems, the least loss of any optimizer on each, and the optimizers from best to worst. */
function summarized({ rows }: Valley) {
  const problems = [...new Set(rows.map(({ problem }) => problem))]
  const least = Object.fromEntries(
    problems.map((problem) => [problem, Math.min(...rows.flatMap((row) => (row.problem === problem ? (row.atBest ?? []) : [])))]),
  )
  const ratio = (loss: number | null, problem: string) => capped((loss ?? Number.POSITIVE_INFINITY) / least[problem])
  const summaries = [...new Set(rows.map(({ optimizer }) => optimizer))]
    .map((optimizer): Summary => {
      const own = rows.filter((row) => row.optimizer === optimizer)
      return {
        optimizer,
        tuned: geometric(own.map((row) => ratio(row.atBest, row.problem))),
        byDefault: geometric(own.map((row) => ratio(row.atDefault, row.problem))),
        near: mean(own.map(nearRates)),
      }
    })
    .sort((a, b) => a.tuned - b.tuned)
  return { problems, least, ratio, summaries }
}

/** Three panels with a line for each optimizer. */
export function valleyFigure(valley: Valley): TopLevelSpec {
  const { problems, ratio, summaries } = summarized(valley)
  const y = { field: 'optimizer', type: 'nominal', sort: summaries.map(({ optimizer }) => optimizer), title: null }
  const noLabels = { ...y, axis: { labels: false } }
  const height = { step: 20 }
  const rates = { tuned: 'best rate of a grid', byDefault: 'default rate' }
  const ends = summaries.flatMap(({ optimizer, tuned, byDefault }) => [
    { optimizer, rate: rates.tuned, ratio: tuned },
    { optimizer, rate: rates.byDefault, ratio: byDefault },
  ])
  const x = {
    field: 'ratio',
    type: 'quantitative',
    title: 'times the least loss of all',
    scale: { type: 'log', domain: [1, WORST] },
    axis: { values: [1, 1.5, 2, 3, 5, 10], orient: 'bottom' },
  }
  return {
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
                scale: { domain: Object.values(rates), range: ['#2f7ed8', '#e8890c'] },
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
        title: { text: 'Room for error', subtitle: 'rates near its best, of 13' },
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
  } as unknown as TopLevelSpec
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const valley = readResults<Valley>('valley')
  const { problems, least, summaries } = summarized(valley)
  console.log(`${valley.trainings} trainings, ${(valley.seconds / 60).toFixed(1)} minutes of one core`)
  for (const { optimizer, tuned, byDefault, near } of summaries) {
    const wins = valley.rows.filter((row) => row.optimizer === optimizer && row.atBest !== null && row.atBest <= 1.05 * least[row.problem])
    const numbers = `tuned ${tuned.toFixed(2)}  default ${byDefault.toFixed(2)}  near ${near.toFixed(1)}`
    console.log(optimizer.padEnd(18), numbers, ` within 5 % of the least: ${wins.map(({ problem }) => problem).join(', ')}`)
  }
  for (const problem of problems) {
    const best = valley.rows
      .filter((row) => row.problem === problem && row.atBest !== null)
      .sort((a, b) => (a.atBest ?? 0) - (b.atBest ?? 0))
    console.log(
      problem.padEnd(12),
      best
        .slice(0, 6)
        .map(({ optimizer, atBest, bestRate }) => `${optimizer} ${atBest} (${bestRate})`)
        .join('  '),
    )
  }
}
