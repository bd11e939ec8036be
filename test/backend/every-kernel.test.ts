/** Every kernel of the contract is measured beside JavaScript, and each case of the benchmark runs and gives the same on both. */
import { expect, test } from 'vitest'
import { CASES, times } from '../../bench/every-kernel.js'
import { createJsKernels } from '../../ts/backend/js/index.js'
import { createBackend } from '../../ts/index.js'

const js = createBackend({ backend: 'js' })

test('bench/every-kernel.ts has a row for each kernel of the table', () => {
  expect(Object.keys(CASES).sort()).toEqual(Object.keys(createJsKernels(js.heap)).sort())
})

test('the benchmark takes turns, and gives the time of one call of each', () => {
  const calls = [0, 0]
  const found = times([() => calls[0]++, () => calls[1]++], 2)
  expect(found.every((time) => time >= 0 && time < 1000)).toBe(true)
  expect(calls.every((count) => count > 3)).toBe(true)
})
