/**
 * Many small nets: `fitMany` compared with `fit` for one net after the other, JAX vmap and PyTorch with hand-written batches of nets, in net-steps
 * per second of processor time on one core. Adam, mean squared error, a learning rate for each net, the default shuffle. Each figure is the best and
 * the median of several trainings, which take turns. With `--threads` two threads are compared with one, in wall-clock time, for an idle machine with
 * two cores. `node --import tsx bench/fleet/fleet.ts [--widen] [--simd] [--rounds=5] [--only=0,1] [--threads] [--python=PATH] [--keep=NAME]`
 *
 * `--keep` writes the figures to bench/results/NAME.json, from which bench/peers/write.ts makes the tables of docs/benchmarks.md and README.md.
 * `--python` names the interpreter of an environment with jax, optax and torch, such as the one that `make peers` installs
 * (.cache/peers/venv/bin/python); the scripts are in bench/fleet/.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { supportedVariants } from '../../ts/debug/index.js'
import { Adam, type Backend, createBackend, Dense, fit, fitMany, mse, Sequential, tensor } from '../../ts/index.js'
import { cpuName } from '../tools/cpu.js'
import type { FleetRow, Speeds } from './results.js'

/** Widths, rows per batch, number of nets, epochs per training, and goals in net-steps per second: with vectors of 128 bits, and widened. */
const FLEETS = [
  { sizes: [2, 8, 1], batch: 4, nets: 256, epochs: 200, goals: [12e6, 16e6] },
  { sizes: [4, 16, 3], batch: 16, nets: 256, epochs: 50, goals: [1.5e6, 2e6] },
  { sizes: [8, 32, 1], batch: 32, nets: 256, epochs: 20, goals: [550e3, 850e3] },
  { sizes: [2, 16, 16, 1], batch: 32, nets: 256, epochs: 15, goals: [320e3, 480e3] },
  { sizes: [32, 64, 64, 1], batch: 64, nets: 64, epochs: 4, goals: [19e3, 30e3] },
] as const
/** Batches of an epoch. */
const BATCHES = 64

const flags = process.argv.slice(2)
const given = (name: string) => flags.find((flag) => flag.startsWith(`--${name}=`))?.split('=')[1]
const widen = flags.includes('--widen')
const variant = flags.includes('--simd') ? 'simd' : supportedVariants()[0]
const backend = createBackend({ variant, widen })
const pair = flags.includes('--threads') ? createBackend({ variant, widen, threads: 2 }) : undefined
await pair?.ready
const rounds = Number(given('rounds') ?? 5)
const python = given('python')
const keep = given('keep')
const only = given('only')?.split(',').map(Number)

const cpu = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6

/** Seconds of processor time that fn takes. */
async function timed(fn: () => Promise<unknown>): Promise<number> {
  const start = cpu()
  await fn()
  return cpu() - start
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]
const short = (n: number) => (n >= 1e6 ? `${(n / 1e6).toFixed(2)} M` : `${(n / 1e3).toFixed(n < 1e5 ? 1 : 0)} k`)
const speeds = (values: readonly number[]): Speeds | undefined =>
  values.length === 0 ? undefined : { best: Math.max(...values), median: median(values) }
const both = (found: Speeds | undefined) => (found === undefined ? '' : `${short(found.best)}; ${short(found.median)}`)

/** Best and median of a rival in Python. */
function rival(script: string, sizes: readonly number[], batch: number, nets: number): number[] {
  if (python === undefined) return []
  const file = fileURLToPath(new URL(`./${script}`, import.meta.url))
  return JSON.parse(execFileSync(python, [file, JSON.stringify(sizes), `${batch}`, `${nets}`, `${BATCHES}`], { encoding: 'utf8' }))
}

console.log(
  `${cpuName()}, Node ${process.versions.node}, ${backend.variant}${backend.widened ? ', widened' : ''}; net-steps per second of processor time, best; median`,
)
console.log(
  'net, batch, nets | fitMany | fit in a row | JAX vmap | PyTorch by hand | goal | two threads | first steps of a new shape | how',
)
const kept: FleetRow[] = []
for (const [row, { sizes, batch, nets, epochs, goals }] of FLEETS.entries()) {
  if (only !== undefined && !only.includes(row)) continue
  const rows = BATCHES * batch
  const outputs = sizes[sizes.length - 1]
  let state = 1
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 31 - 1
  const numbers = [rows * sizes[0], rows * outputs].map((length) => Float32Array.from({ length }, random))
  /** The nets on a backend, and their data. */
  const setUp = (backend: Backend) => {
    const all = Array.from({ length: nets }, (_, seed) => {
      const layers = sizes.slice(1).map((n, i) => new Dense(sizes[i], n, { activation: i < sizes.length - 2 ? 'relu' : 'linear' }))
      const model = new Sequential(layers as never, { seed, backend })
      return { model, optimizer: new Adam(model.parameters(), { learningRate: 10 ** (-4 + (2 * seed) / nets) }) }
    })
    const inputs = tensor(numbers[0], [rows, sizes[0]], { backend })
    const targets = tensor(numbers[1], [rows, outputs], { backend })
    const options = { inputs, targets, loss: mse, batchSize: batch, yieldEvery: 1000 }
    const some = (count: number, epochs: number) =>
      fitMany(
        all.slice(0, count).map(({ model }) => model),
        { ...options, optimizers: all.slice(0, count).map(({ optimizer }) => optimizer), epochs },
      )
    return { all, options, some }
  }
  const { all, options, some } = setUp(backend)
  const onTwo = pair && setUp(pair)
  const first = await timed(() => some(8, 1))
  const [history] = await some(nets, 2)
  const reason = history.execution.fleet === history.steps ? '' : (history.execution.reason ?? '')
  await onTwo?.some(nets, 2)
  const [together, alone]: [number[], number[]] = [[], []]
  const [jax, torch]: [number[], number[]] = [[], []]
  const [one, two]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    together.push((nets * BATCHES * epochs) / (await timed(() => some(nets, epochs))))
    const between = performance.now()
    await onTwo?.some(nets, epochs)
    one.push(between - started)
    two.push(performance.now() - between)
    const few = Math.min(nets, 16)
    alone.push(
      (few * BATCHES * 4) /
        (await timed(async () => {
          for (const { model, optimizer } of all.slice(0, few)) await fit(model, { ...options, optimizer, epochs: 4 })
        })),
    )
    // two trainings of each rival are spread among ours
    if (round % Math.ceil(rounds / 2) !== 0) continue
    jax.push(...rival('jax_vmap.py', sizes, batch, nets))
    torch.push(...rival('torch_batched.py', sizes, batch, nets))
  }
  const goal = goals[widen ? 1 : 0]
  const found = { together: speeds(together), alone: speeds(alone), jax: speeds(jax), torch: speeds(torch) }
  const twoThreads = pair?.threads === 2 && reason === '' ? Math.min(...one) / Math.min(...two) : null
  const net = sizes.join('-')
  kept.push({ net, batch, nets, epochs, goal, speeds: found, twoThreads, first: 1000 * first, reason })
  console.log(
    [
      `${net}, ${batch}, ${nets}`,
      both(found.together),
      both(found.alone),
      both(found.jax),
      both(found.torch),
      short(goal) + (Math.max(...together) >= goal ? ' ✓' : ''),
      twoThreads === null ? '' : `${twoThreads.toFixed(2)} ×`,
      `${(1000 * first).toFixed(1)} ms`,
      reason === '' ? 'side by side' : `alone: ${reason}`,
    ].join(' | '),
  )
}
if (keep !== undefined) {
  const date = new Date().toISOString().slice(0, 10)
  const results = { cpu: cpuName(), node: process.versions.node, variant: backend.variant, date, rows: kept }
  writeFileSync(new URL(`../results/${keep}.json`, import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
}
