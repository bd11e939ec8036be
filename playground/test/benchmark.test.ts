/** The sentence of the Benchmark tab is that of its figures. */
import { expect, test } from 'vitest'
import { speedText } from '../src/benchmark/says'

const row = (net: string, backend: string, median: number) => ({ net, backend, median, best: 2 * median })

test('times as fast as JavaScript, from least to most, by the fastest WebAssembly', () => {
  const rows = [row('a', 'JavaScript', 100), row('a', 'WASM simd', 300), row('a', 'WASM relaxed', 250), row('b', 'JavaScript', 10)]
  expect(speedText(rows)).toBe('Here WebAssembly trains 3 times as fast as plain JavaScript.')
  expect(speedText([...rows, row('b', 'WASM simd', 123.4)])).toBe('Here WebAssembly trains 3 to 12 times as fast as plain JavaScript.')
})

test('nothing where there is no WebAssembly, or nothing yet', () => {
  expect(speedText([])).toBe('')
  expect(speedText([row('a', 'JavaScript', 100)])).toBe('')
  expect(speedText([row('a', 'WASM simd', 100)])).toBe('')
  expect(speedText([row('a', 'JavaScript', 0), row('a', 'WASM simd', 100)])).toBe('')
})
