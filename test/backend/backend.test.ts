/** Warnings and errors of load() about options that a backend cannot satisfy. */
import { afterEach, expect, test, vi } from 'vitest'
import { UPDATES } from '../../ts/backend/wasm/parts.js'
import { createBackend, load } from '../../ts/index.js'

afterEach(() => void vi.restoreAllMocks())

test('reproducible: a warning where JavaScript runs, once; none with WebAssembly', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  expect(createBackend({ reproducible: true }).variant).toBe('simd')
  expect(warn).not.toHaveBeenCalled()
  createBackend({ reproducible: true, backend: 'js' })
  createBackend({ reproducible: true, backend: 'js' })
  expect(warn.mock.calls.map(([text]) => text)).toEqual([expect.stringMatching(/reproducible.*JavaScript/)])
})

test('a page that may not compile more goes without the kernels that load later', () => {
  const backend = createBackend({ variant: 'simd' })
  const part = { ...UPDATES }
  vi.stubGlobal('WebAssembly', {
    ...WebAssembly,
    Module: class {
      constructor() {
        throw new RangeError('WebAssembly.Module is disallowed on the main thread')
      }
    },
  })
  try {
    expect(backend.update('lion', part)).toBeUndefined()
    expect(backend.update('adam', part)).toBeTypeOf('function')
  } finally {
    vi.unstubAllGlobals()
  }
  expect(backend.update('lion', UPDATES)).toBeTypeOf('function')
})

test('load warms the kernels up and leaves no memory behind', async () => {
  const [cold, warm] = [createBackend(), await load()]
  expect(warm.heap.usedBytes).toBe(cold.heap.usedBytes)
  expect(warm.heap.totalBytes).toBeLessThanOrEqual(2 * cold.heap.totalBytes)
})

test.each(['reproducible', 'widen'])('%s is true or false', (name) => {
  expect(() => createBackend({ [name]: 'yes' })).toThrow(new RangeError(`load: ${name} wants true or false, got 'yes'`))
})
