/** The entry for Node reads modules from files; where they are missing it unpacks the text, as others do. */
import { readFileSync } from 'node:fs'
import { beforeEach, expect, test, vi } from 'vitest'
import { UPDATES } from '../../ts/backend/wasm/parts.js'
import type { Variant } from '../../ts/backend/wasm/variants.js'

/** The engine as it starts, with a reader of its own in the place of the entry's. */
async function start(read?: (variant: Variant) => Uint8Array<ArrayBuffer> | undefined) {
  const engine = await import('../../ts/entries/node.js')
  const { wasmCode } = await import('../../ts/backend/wasm/bytes.js')
  const reader = vi.fn(read ?? wasmCode.read)
  wasmCode.read = reader
  return { ...engine, ...(await import('../../ts/debug/index.js')), reader }
}

const FILES = (variant: Variant) => readFileSync(`ts/backend/wasm/generated/${variant}.wasm`) as Uint8Array<ArrayBuffer>

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

test.each([FILES, () => undefined])('training has the same bits, also in threads', async (read) => {
  const { reader, createBackend, Dense, fit, Lion, mse, Sequential, tensor, zeros } = await start(read)
  const weights = async (threads: number) => {
    const backend = createBackend({ variant: 'simd', threads })
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
    return model.parameters().map((p) => p.view().slice())
  }
  expect(await weights(2)).toEqual(await weights(1))
  expect(reader).toHaveBeenCalled()
})
