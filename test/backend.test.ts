/** What load() says about promises that a backend cannot keep. */
import { afterEach, expect, test, vi } from 'vitest'
import { createBackend } from '../ts/index.js'

afterEach(() => void vi.restoreAllMocks())

test('reproducible: a warning where JavaScript runs, once; none with WebAssembly', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  expect(createBackend({ reproducible: true }).variant).toBe('simd')
  expect(warn).not.toHaveBeenCalled()
  createBackend({ reproducible: true, backend: 'js' })
  createBackend({ reproducible: true, backend: 'js' })
  expect(warn.mock.calls.map(([text]) => text)).toEqual([expect.stringMatching(/reproducible.*JavaScript/)])
})
