/**
 * Many small nets: `fitMany` beside `fit` for one net after the other, JAX vmap and PyTorch batched by hand, in net-steps per second of
 * processor time on one core. Adam, mean squared error, a learning rate for each net, the default shuffle. Each figure is the best and
 * the median of several trainings, which take turns.
 * `node --import tsx bench/fleet.ts [--widen] [--simd] [--rounds=5] [--only=0,1] [--python=PATH]`
 *
 * `--python` names the interpreter of an environment with jax, optax and torch, such as that which `make peers` installs
 * (.cache/peers/venv/bin/python); the scripts are in bench/fleet/.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Adam, createBackend, Dense, fit, fitMany, mse, Sequential, supportedVariants, tensor } from '../ts/index.js'
import { cpuName } from './cpu.js'

/** Widths, rows of a batch, nets, and net-steps per second to reach: with 128 bits, and widened. */
export const FLEETS = [
  { sizes: [2, 8, 1], batch: 4, nets: 256, goals: [12e6, 16e6] },
  { sizes: [4, 16, 3], batch: 16, nets: 256, goals: [1.5e6, 2e6] },
  { sizes: [8, 32, 1], batch: 32, nets: 256, goals: [550e3, 850e3] },
  { sizes: [2, 16, 16, 1], batch: 32, nets: 256, goals: [320e3, 480e3] },
  { sizes: [32, 64, 64, 1], batch: 64, nets: 64, goals: [19e3, 30e3] },
] as const
/** Batches of an epoch. */
const BATCHES = 64

const flags = process.argv.slice(2)
const given = (name: string) => flags.find((flag) => flag.startsWith(`--${name}=`))?.split('=')[1]
const widen = flags.includes('--widen')
const variant = flags.includes('--simd') ? 'simd' : supportedVariants()[0]
const backend = createBackend({ variant, widen })
const rounds = Number(given('rounds') ?? 5)
const python = given('python')
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
const both = (values: readonly number[]) => (values.length === 0 ? '' : `${short(Math.max(...values))}; ${short(median(values))}`)

/** Best and median of a rival in Python. */
function rival(script: string, sizes: readonly number[], batch: number, nets: number): number[] {
  if (python === undefined) return []
  const file = fileURLToPath(new URL(`./fleet/${script}`, import.meta.url))
  return JSON.parse(execFileSync(python, [file, JSON.stringify(sizes), `${batch}`, `${nets}`, `${BATCHES}`], { encoding: 'utf8' }))
}

console.log(
  `${cpuName()}, Node ${process.versions.node}, ${backend.variant}${backend.widened ? ', widened' : ''}; net-steps per second of processor time, best; median`,
)
console.log('net, batch, nets | fitMany | fit in a row | JAX vmap | PyTorch by hand | goal | first steps of a new shape | how')
for (const [row, { sizes, batch, nets, goals }] of FLEETS.entries()) {
  if (only !== undefined && !only.includes(row)) continue
  const rows = BATCHES * batch
  const outputs = sizes[sizes.length - 1]
  let state = 1
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 31 - 1
  const inputs = tensor(Float32Array.from({ length: rows * sizes[0] }, random), [rows, sizes[0]], { backend })
  const targets = tensor(Float32Array.from({ length: rows * outputs }, random), [rows, outputs], { backend })
  const make = (seed: number) => {
    const layers = sizes.slice(1).map((n, i) => new Dense(sizes[i], n, { activation: i < sizes.length - 2 ? 'relu' : 'linear' }))
    const model = new Sequential(layers, { seed, backend })
    return { model, optimizer: new Adam(model.parameters(), { learningRate: 10 ** (-4 + (2 * seed) / nets) }) }
  }
  const all = Array.from({ length: nets }, (_, i) => make(i))
  const models = all.map(({ model }) => model)
  const optimizers = all.map(({ optimizer }) => optimizer)
  const options = { inputs, targets, loss: mse, batchSize: batch, yieldEvery: 1000 }
  const many = (epochs: number) => fitMany(models, { ...options, optimizers, epochs })
  const first = await timed(() => fitMany(models.slice(0, 8), { ...options, optimizers: optimizers.slice(0, 8), epochs: 1 }))
  const once = await timed(() => many(2))
  const epochs = Math.max(2, Math.min(200, Math.ceil((2 * 0.3) / once)))
  const history = await many(1)
  const way = history[0].execution.fleet === BATCHES ? 'side by side' : `alone: ${history[0].execution.reason}`
  const [together, alone]: [number[], number[]] = [[], []]
  const [jax, torch]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    together.push((nets * BATCHES * epochs) / (await timed(() => many(epochs))))
    const some = Math.min(nets, 16)
    alone.push(
      (some * BATCHES * 4) /
        (await timed(async () => {
          for (const { model, optimizer } of all.slice(0, some)) await fit(model, { ...options, optimizer, epochs: 4 })
        })),
    )
    // two trainings of each rival, among ours
    if (round % Math.ceil(rounds / 2) !== 0) continue
    jax.push(...rival('jax_vmap.py', sizes, batch, nets))
    torch.push(...rival('torch_batched.py', sizes, batch, nets))
  }
  const best = Math.max(...together)
  const goal = goals[widen ? 1 : 0]
  console.log(
    [
      `${sizes.join('-')}, ${batch}, ${nets}`,
      both(together),
      both(alone),
      both(jax),
      both(torch),
      short(goal) + (best >= goal ? ' ✓' : ''),
      `${(1000 * first).toFixed(1)} ms`,
      way,
    ].join(' | '),
  )
}
