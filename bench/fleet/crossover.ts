/**
 * The size of layers from which on nets side by side are no longer faster: 16 nets of 8-H-H-1 with Adam, `fitMany` compared with one `fit` after the
 * other, in processor time, for growing H. Writes bench/results/fleet-crossover.json; bench/peers/write.ts draws it.
 * `node_modules/node/bin/node --import tsx bench/fleet/crossover.ts [--rounds=5]`
 */
import { writeFileSync } from 'node:fs'
import { Adam, createBackend, Dense, fit, fitMany, mse, Sequential, tensor } from '../../ts/index.js'
import { CROSSOVER } from '../../ts/train/fleet/batching-rules.js'
import { cpuName } from '../tools/cpu.js'
import type { Crossover } from './results.js'

const NETS = 16
const UNITS = [8, 16, 24, 32, 48, 64, 80, 96, 128, 160]
const BATCHES = [8, 32, 128]

const given = process.argv.find((flag) => flag.startsWith('--rounds='))
const rounds = Number(given?.split('=')[1] ?? 5)
const backend = createBackend({ variant: 'simd' })
const limit = CROSSOVER.mostWeights
CROSSOVER.mostWeights = Number.POSITIVE_INFINITY

const now = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6
async function seconds(fn: () => Promise<unknown>): Promise<number> {
  const start = now()
  await fn()
  return now() - start
}

/** Speed of 16 nets together as a multiple of one after the other, from the best of several alternating trainings. */
async function measure(units: number, batch: number): Promise<number> {
  const steps = Math.max(8, Math.round(3e5 / (units * units * batch)))
  const rows = steps * batch
  const values = (n: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 7.3))
  const inputs = tensor(values(rows * 8), [rows, 8], { backend })
  const targets = tensor(values(rows), [rows, 1], { backend })
  const all = Array.from({ length: NETS }, (_, seed) => {
    const layers = [new Dense(8, units, { activation: 'relu' }), new Dense(units, units, { activation: 'relu' }), new Dense(units, 1)]
    const model = new Sequential(layers as never, { seed, backend })
    return { model, optimizer: new Adam(model.parameters(), { learningRate: 0.001 }) }
  })
  const options = { inputs, targets, loss: mse, batchSize: batch, yieldEvery: 1000, epochs: 4 }
  const models = all.map(({ model }) => model)
  const optimizers = all.map(({ optimizer }) => optimizer)
  const [together, inARow]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    together.push(await seconds(() => fitMany(models, { ...options, optimizers })))
    inARow.push(
      await seconds(async () => {
        for (const { model, optimizer } of all) await fit(model, { ...options, optimizer })
      }),
    )
  }
  return Math.min(...inARow) / Math.min(...together)
}

const lines: Crossover['lines'] = []
for (const batch of BATCHES) {
  const times: number[] = []
  for (const units of UNITS) times.push(await measure(units, batch))
  lines.push({ batch, times })
  console.log(`batch ${batch}: ${times.map((x, i) => `${UNITS[i]} ${x.toFixed(2)}`).join(', ')}`)
}
const found: Crossover = {
  ...{ cpu: cpuName(), node: process.versions.node, date: new Date().toISOString().slice(0, 10), limit },
  ...{ units: UNITS, lines },
}
writeFileSync(new URL('../results/fleet-crossover.json', import.meta.url), `${JSON.stringify(found, null, 2)}\n`)
