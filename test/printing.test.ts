/** What a console shows: the numbers, not the engine behind them. */
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { createBackend, Parameter, square, sum, tensor } from '../ts/index.js'

const backend = createBackend()

test('a printed tensor shows its shape and first values, and nothing of the backend', () => {
  const x = tensor([[1, 2.5], [3, 4]], { backend, requiresGrad: true }) // biome-ignore format: a grid
  const shown = inspect(x)
  expect(shown).toMatch(/shape: \[ 2, 2 \]/)
  expect(shown).toContain('2.5')
  for (const any of [x, square(x), sum(square(x)), new Parameter([1, 2], { backend })]) {
    expect(inspect(any, { depth: 6 })).not.toMatch(/kernels|arena|Heap|memory/)
  }
  expect(shown.length).toBeLessThan(500)
  expect(x.backend).toBe(backend)
  expect(Object.keys(x)).not.toContain('backend')
})
