/** What load() says about promises that a backend cannot keep. */
import { afterEach, expect, test, vi } from 'vitest'
import { createBackend, load } from '../ts/index.js'

afterEach(() => void vi.restoreAllMocks())

test('reproducible: a warning where JavaScript runs, once; none with WebAssembly', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  expect(createBackend({ reproducible: true }).variant).toBe('simd')
  expect(warn).not.toHaveBeenCalled()
  createBackend({ reproducible: true, backend: 'js' })
  createBackend({ reproducible: true, backend: 'js' })
  expect(warn.mock.calls.map(([text]) => text)).toEqual([expect.stringMatching(/reproducible.*JavaScript/)])
})

test('load warms the kernels up and leaves no memory behind', async () => {
  const [cold, warm] = [createBackend(), await load()]
  expect(warm.heap.usedBytes).toBe(cold.heap.usedBytes)
  expect(warm.heap.totalBytes).toBeLessThanOrEqual(2 * cold.heap.totalBytes)
})
