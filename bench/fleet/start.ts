/**
 * The overhead of a `fit` beyond its steps: milliseconds of a `fit` of one step, on one net after another, with the built package. Engines
 * compile JavaScript while it runs, so the first hundreds take longer than those that come later.
 * `node_modules/node/bin/node --import tsx bench/fleet/start.ts`, after `make build`
 */
import type * as Gradus from '../../ts/index.js'
import { cpuName } from '../tools/cpu.js'

/** The output of `make build`. Types come from the sources, so that they can be checked before a build. */
const BUILT = new URL('../../dist/index.js', import.meta.url).href
const { Adam, createBackend, Dense, fit, mse, Sequential, tensor }: typeof Gradus = await import(BUILT)

const NETS = [
  { sizes: [2, 8, 1], batch: 4 },
  { sizes: [32, 64, 64, 1], batch: 64 },
]
/** Fits of each net shape, in groups whose medians are printed. */
const GROUPS = [300, 300, 2400, 3000]

const backend = createBackend({ variant: 'simd' })
const values = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i * 7.3))
const median = (times: readonly number[]) => [...times].sort((a, b) => a - b)[times.length >> 1]

console.log(
  `${cpuName()}, Node ${process.versions.node}, simd: milliseconds of a fit of one step, medians of ${GROUPS.join(', ')} in a row`,
)
for (const { sizes, batch } of NETS) {
  const inputs = tensor(values(batch * sizes[0]), [batch, sizes[0]], { backend })
  const targets = tensor(values(batch), [batch, 1], { backend })
  const found: string[] = []
  let seed = 0
  for (const count of GROUPS) {
    const nets = Array.from({ length: count }, () => {
      const layers = sizes.slice(1).map((n, i) => new Dense(sizes[i], n, { activation: i < sizes.length - 2 ? 'relu' : 'linear' }))
      const model = new Sequential(layers as never, { seed: seed++, backend })
      return { model, optimizer: new Adam(model.parameters()) }
    })
    const times: number[] = []
    for (const { model, optimizer } of nets) {
      const start = performance.now()
      await fit(model, { inputs, targets, loss: mse, optimizer, batchSize: batch, yieldEvery: 1000 })
      times.push(performance.now() - start)
    }
    found.push(median(times).toFixed(3))
  }
  console.log(`${sizes.join('-')}: ${found.join(', ')}`)
}
