/** The tables of docs/benchmarks.md and docs/design/benchmarks.md with the figures of bench/fleet/fleet.ts, and the picture of the crossover. */
import { existsSync, readFileSync } from 'node:fs'
import { lineChart } from '../../ts/plot/svg.js'
import type { Crossover, FleetResults, FleetRow, Speeds } from './results.js'

const fileOf = (name: string) => new URL(`../results/${name}.json`, import.meta.url)
const read = <T>(name: string): T => JSON.parse(readFileSync(fileOf(name), 'utf8')) as T

/** Runs on Node 22, and widened on Node 24, by the names under which bench/fleet/fleet.ts keeps them. */
const RUNS = { fleet: 'The same bits everywhere', 'fleet-relaxed': 'As it comes', 'fleet-widened': 'Widened' }
const FOUND = Object.entries(RUNS).filter(([run]) => existsSync(fileOf(run)))
const CONTESTANTS = { together: 'fitMany', alone: 'fit in a row', jax: 'JAX vmap', torch: 'PyTorch by hand' } as const
type Contestant = keyof typeof CONTESTANTS
const NAMES = Object.keys(CONTESTANTS) as Contestant[]

const number = (x: number) => Number(x.toPrecision(3)).toLocaleString('en-US')
const both = (speeds: Speeds | undefined) => (speeds === undefined ? '-' : `${number(speeds.median)} / ${number(speeds.best)}`)
const title = ({ net, batch, nets }: FleetRow) => `${net}, batch ${batch}, ${nets} nets`
const table = (rows: readonly (readonly string[])[]) =>
  rows.flatMap((row, i) => [`| ${row.join(' | ')} |`, ...(i === 0 ? [`| --- |${' ---: |'.repeat(row.length - 1)}`] : [])]).join('\n')

/**
 * A run of bench/fleet/fleet.ts. JAX and PyTorch do not depend on the runtime of gradus: if a run did not measure them, the figures of the first run
 * are used.
 */
function resultsOf(run: string): FleetResults {
  const [results, first] = [read<FleetResults>(run), read<FleetResults>('fleet')]
  const rows = results.rows.map((row, i) => ({
    ...row,
    speeds: { jax: first.rows[i].speeds.jax, torch: first.rows[i].speeds.torch, ...row.speeds },
  }))
  return { ...results, rows }
}

/** Lines for nets on which another contestant is faster than fitMany, by medians. */
function losses({ rows }: FleetResults): string[] {
  return rows.flatMap((row) => {
    const own = row.speeds.together?.median ?? 0
    const faster = NAMES.filter((name) => (row.speeds[name]?.median ?? 0) > own)
    if (faster.length === 0) return []
    return [
      `- ${title(row)}: ${faster.map((name) => `${CONTESTANTS[name]} ${((row.speeds[name]?.median ?? 0) / own).toFixed(2)} ×`).join(', ')}`,
    ]
  })
}

function part(results: FleetResults, heading: string): string {
  const { rows, cpu, node, variant, date } = results
  const lost = losses(results)
  return `${heading}: ${cpu}, Node ${node}, \`${variant}\`, ${date}.

${table([
  ['net-steps per second', ...NAMES.map((name) => CONTESTANTS[name]), 'goal', 'two threads', 'first training, ms'],
  ...rows.map((row) => [
    title(row),
    ...NAMES.map((name) => both(row.speeds[name])),
    number(row.goal) + ((row.speeds.together?.best ?? 0) >= row.goal ? '' : ', missed'),
    row.twoThreads === null ? '-' : `${row.twoThreads.toFixed(2)} ×`,
    row.first.toFixed(1),
  ]),
])}

${lost.length === 0 ? 'Nobody in this table is faster than `fitMany`.' : `Faster than \`fitMany\`:\n\n${lost.join('\n')}`}
`
}

/** The section of docs/benchmarks.md: medians. */
export function fleetSummary(): string {
  const [bits, widened] = [resultsOf('fleet'), resultsOf('fleet-widened')]
  const median = (speeds: Speeds | undefined) => (speeds === undefined ? '-' : number(speeds.median))
  const rows = bits.rows.map((row, i) => {
    const { together, alone, jax, torch } = row.speeds
    return [title(row), ...[together, widened.rows[i].speeds.together, alone, jax, torch].map(median)]
  })
  return `
## Many small nets

\`fitMany\` trains nets of one shape side by side ([the guide](guide/many.md)). Steps of all nets per second of processor time, medians, ${bits.date}. JAX is \`vmap\`,
compiled before the clock starts; PyTorch is batched by hand.

${table([['net-steps/s', 'fitMany', 'widened', 'fit, one after the other', 'JAX', 'PyTorch'], ...rows])}
`
}

/** The section of docs/design/benchmarks.md. */
export function fleetSection(): string {
  return `
## Many small nets

\`fitMany\` trains nets of one shape side by side ([the guide](../guide/many.md)). bench/fleet/fleet.ts measures whole trainings with everything that belongs to
them, histories and shuffled rows included, beside one \`fit\` after the other, JAX \`vmap\` (compiled before the clock
starts, which takes it about a second for each shape) and PyTorch batched by hand (\`bmm\`, a gradient written out, \`_foreach\` updates). Adam, mean squared
error, a learning rate for each net, 64 batches an epoch, ${read<FleetResults>('fleet')
    .rows.map(({ epochs }) => epochs)
    .join(', ')} epochs; four where nets train in a row. Net-steps per second of processor time, median / best of trainings that take turns;
two threads, where they were measured, by the clock on the wall, best beside best, on a machine of two cores. The first training of a shape is of eight nets over one epoch.

${FOUND.map(([run, heading]) => part(resultsOf(run), heading)).join('\n')}
JAX and PyTorch were measured once, beside the first table. [The design](fleet.md)
has the sizes from which on nets are as fast alone, as a picture, and what the kernels take.
`
}

/** docs/design/fleet-crossover.svg. */
export function crossoverPicture(): string {
  const { units, lines, limit } = read<Crossover>('fleet-crossover')
  const x = units.map((n) => n * n)
  const top = Math.max(...lines.flatMap(({ times }) => times))
  return lineChart(
    [
      ...lines.map(({ batch, times }) => ({ name: `batch ${batch}`, x, y: times })),
      { name: 'as fast alone', x: [x[0], x[x.length - 1]], y: [1, 1], dashed: true },
      { name: 'limit of the planner', x: [limit, limit], y: [0, top], dashed: true },
    ],
    {
      title: 'Nets side by side, as a multiple of one after the other',
      xLabel: 'weights of the widest layer',
      yLabel: '× as fast',
      logX: true,
    },
  )
}
