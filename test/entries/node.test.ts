/** The entry for Node reads modules from files; if they are missing it unpacks the text, as other entries do. */
import { readFileSync } from 'node:fs'
import { beforeEach, expect, test, vi } from 'vitest'
import { UPDATES } from '../../ts/backend/wasm/parts.js'
import { relaxedOf, type Variant } from '../../ts/backend/wasm/variants.js'

/** The engine as it starts, with a reader of its own in the place of the entry's. */
async function start(read?: (variant: Variant) => Uint8Array<ArrayBuffer> | undefined) {
  const engine = await import('../../ts/entries/node.js')
  const { wasmCode } = await import('../../ts/backend/wasm/bytes.js')
  const reader = vi.fn(read ?? wasmCode.read)
  wasmCode.read = reader
  return { ...engine, ...(await import('../../ts/debug/index.js')), reader }
}

const FILES = (variant: Variant) => {
  const simd = readFileSync('ts/backend/wasm/generated/simd.wasm') as Uint8Array<ArrayBuffer>
  return variant === 'relaxed' ? relaxedOf(simd) : simd
}

beforeEach(() => void vi.resetModules())

test('the entry looks beside itself, and nothing is there but in dist/', async () => {
  const { reader, createBackend } = await start()
  const backend = createBackend({ variant: 'simd' })
  expect(reader).toHaveReturnedWith(undefined)
  expect(backend.update('lion', UPDATES)).toBeTypeOf('function')
  expect(backend.part(UPDATES)).not.toHaveProperty('denseForward')
})

test('a module from a file has all kernels, and is read once', async () => {
  const { reader, createBackend, supportedVariants } = await start(FILES)
  expect(supportedVariants()).toContain('simd')
  expect(reader).not.toHaveBeenCalled()
  const [backend] = [createBackend({ variant: 'simd' }), createBackend({ variant: 'simd' })]
  expect(backend.part(UPDATES)).toHaveProperty('denseForward')
  expect(backend.update('lion', UPDATES)).toBe((backend.kernels as unknown as Record<string, unknown>).lion)
  expect(reader.mock.calls).toEqual([['simd']])
})

/** Weights and predictions after a training. */
async function trained(engine: Awaited<ReturnType<typeof start>>, variant: Variant, threads: number): Promise<unknown[]> {
  const { createBackend, Dense, fit, Lion, mse, Sequential, tensor, zeros } = engine
  const backend = createBackend({ variant, threads })
  await backend.ready
  const model = new Sequential([new Dense(256, 256, { activation: 'tanh' }), new Dense(256, 4)], { seed: 1, backend })
  const inputs = tensor(
    Float32Array.from({ length: 64 * 256 }, (_, i) => Math.sin(i)),
    [64, 256],
    { backend },
  )
  await fit(model, {
    inputs,
    targets: zeros([64, 4], { backend }),
    loss: mse,
    optimizer: new Lion(model.parameters()),
    epochs: 5,
    batchSize: 64,
  })
  expect(backend.threads).toBe(threads)
  return [...model.parameters().map((p) => p.view().slice()), model.predict(inputs).data().slice()]
}

const TEXT = () => undefined

test.each([FILES, TEXT])('training has the same bits, also in threads', async (read) => {
  const engine = await start(read)
  expect(await trained(engine, 'simd', 2)).toEqual(await trained(engine, 'simd', 1))
  expect(engine.reader).toHaveBeenCalled()
})

test('the file of simd has relaxed inside, with the bits of the text', async () => {
  const fromFile = await start(FILES)
  await trained(fromFile, 'simd', 1)
  // on a processor without fused multiply-add these are the bits of simd
  const relaxed = await trained(fromFile, 'relaxed', 1)
  expect(fromFile.reader.mock.calls.map(([variant]) => variant).sort()).toEqual(['relaxed', 'simd'])
  vi.resetModules()
  const fromText = await start(TEXT)
  expect(await trained(fromText, 'relaxed', 1)).toEqual(relaxed)
})
