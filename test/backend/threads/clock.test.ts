/** Measured times decide whether calls are shared (gain.ts), and the tile of products (ts/backend/wasm/tiles.ts): neither changes a bit. */
import { expect, test, vi } from 'vitest'
import { Pool } from '../../../ts/backend/threads/pool.js'
import { supportedVariants } from '../../../ts/debug/index.js'
import {
  AdamW,
  type Backend,
  BatchNorm,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  fit,
  Generator,
  Sequential,
} from '../../../ts/index.js'
import { byTicks } from '../../tools/clocks.js'

/**
 * Clocks that make shared calls look always, never, or randomly worthwhile. Their time passes slowly, since a worker that takes 10 s counts as dead.
 */
const CLOCKS: Readonly<Record<string, (seed: number) => () => number>> = {
  'stands still': () => () => 0,
  'goes on evenly': () => () => 1,
  hesitates: (seed) => {
    const generator = new Generator(seed)
    return () => (generator.uniforms(1)[0] < 0.7 ? 0.01 : 8) * generator.uniforms(1)[0]
  },
}

const [ROWS, INPUTS, UNITS, CLASSES] = [192, 48, 160, 10]
const inputs = Float32Array.from(new Generator(1).normals(ROWS * INPUTS))
const targets = Int32Array.from({ length: ROWS }, (_, i) => (i * 7) % CLASSES)

async function trained(backend: Backend): Promise<Uint32Array[]> {
  const layers = [
    ...[new Dense(INPUTS, UNITS, { activation: 'relu' }), new BatchNorm(UNITS), new Dropout(0.2)],
    ...[new Dense(UNITS, UNITS, { activation: 'tanh' }), new Dense(UNITS, CLASSES)],
  ]
  const model = new Sequential(layers, { seed: 2, backend })
  const optimizer = new AdamW(model.parameters())
  await fit(model, { inputs, shape: [ROWS, INPUTS], targets, loss: crossEntropy, optimizer, epochs: 5, batchSize: 96 })
  return model.parameters().map((p) => new Uint32Array(Float32Array.from(p.view()).buffer))
}

test.each(supportedVariants())('fault 39: shared or not, by any clock: the bits of one thread, %s', async (variant) => {
  const wanted = await trained(createBackend({ variant }))
  const run = vi.spyOn(Pool.prototype, 'run')
  const shared: number[] = []
  for (const threads of [2, 3]) {
    const backend = createBackend({ variant, threads })
    await backend.ready
    for (const [name, ticks] of Object.entries(CLOCKS)) {
      run.mockClear()
      const found = await byTicks(ticks(threads), () => trained(backend))
      expect(found, `${threads} threads, a clock that ${name}`).toEqual(wanted)
      shared.push(run.mock.calls.length)
    }
  }
  vi.restoreAllMocks()
  // the runs do differ in the number of shared calls
  expect(Math.max(...shared)).toBeGreaterThan(20)
  expect(new Set(shared).size).toBeGreaterThan(2)
})
