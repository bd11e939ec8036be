/** Every kernel of the contract is compared with JavaScript, and each case of the benchmark gives the same results on both backends. */
import { expect, test } from 'vitest'
import { CASES, compare, contestants, fill, results } from '../../bench/every-kernel.js'
import { createJsKernels, withAllKernels } from '../../ts/backend/js/all.js'
import { createBackend } from '../../ts/index.js'

const js = createBackend({ backend: 'js' })

test('bench/every-kernel.ts has a case for each kernel of the table', () => {
  expect(Object.keys(CASES).sort()).toEqual(Object.keys(createJsKernels(js.heap)).sort())
  const without = Object.entries(CASES).flatMap(([kernel, cases]) => (Object.keys(cases).length === 0 ? [kernel] : []))
  expect(
    without,
    "no operation is named like it, so it wants a row in BY_HAND of bench/every-kernel.ts: CONTRIBUTING.md, 'A kernel'",
  ).toEqual([])
})

test('cases are made of the operations that a kernel is named after', () => {
  expect(Object.keys(CASES.softmaxBackward)).toContain('softmax, 1638 × 10')
})

/**
 * Allowed difference between sums of 16,384 floats in different orders, as a fraction of the largest value. Arrays hold floats from 0 to 1, and
 * results computed from them.
 */
const TOLERANCE = 2e-5

const both = contestants()

for (const [kernel, cases] of Object.entries(CASES))
  test.each(Object.keys(cases))(`${kernel}, %s: the same on both backends`, (title) => {
    const [wasm, twin] = both.map((contestant) => {
      fill(contestant)
      const returned = cases[title](withAllKernels(contestant.backend), contestant.room)
      return [...results(contestant, kernel), typeof returned === 'number' ? [returned] : []]
    })
    expect(wasm.map((got, i) => difference(got, twin[i]))).toEqual(['', '', ''])
  })

/** Describes the place where two results differ by more than {@link TOLERANCE} allows; empty if there is none. */
function difference(got: ArrayLike<number>, want: ArrayLike<number>): string {
  let size = 1
  for (let i = 0; i < want.length; i++) size = Math.max(size, Math.abs(want[i]))
  for (let i = 0; i < want.length; i++)
    if (!(Math.abs(got[i] - want[i]) <= TOLERANCE * size)) return `[${i}] is ${got[i]} in WebAssembly, ${want[i]} in JavaScript`
  return ''
}

test('the benchmark takes turns, and gives the time of one call of each', () => {
  const calls = [0, 0]
  const { best, ratio } = compare(
    () => calls[0]++,
    () => calls[1]++,
    2,
  )
  expect(best.every((time) => time >= 0)).toBe(true)
  expect(ratio).toBeGreaterThanOrEqual(0)
  expect(calls.every((count) => count >= 3)).toBe(true)
})
