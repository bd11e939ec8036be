/** The functions that give the same bits on every runtime, compared with the engine's and with known values. */
import { expect, test } from 'vitest'
import { exp, log, normalCdf, normalQuantile } from '../../ts/tune/math.js'

const close = (got: number, wanted: number, relative: number) => Math.abs(got - wanted) <= relative * Math.abs(wanted)

test('exp', () => {
  for (let x = -700; x <= 700; x += 0.37) expect(close(exp(x), Math.exp(x), 4e-16), `${x}`).toBe(true)
  expect([exp(0), exp(-1000), exp(1000), exp(Number.NaN), exp(-740) > 0]).toEqual([1, 0, Number.POSITIVE_INFINITY, Number.NaN, true])
})

test('log', () => {
  for (let x = 1e-300; x < 1e300; x *= 1.7) expect(close(log(x), Math.log(x), 3e-16), `${x}`).toBe(true)
  for (let x = 0.5; x < 2; x += 0.001) expect(Math.abs(log(x) - Math.log(x))).toBeLessThanOrEqual(1.2e-16)
  expect([log(1), log(0), log(-1), log(Number.POSITIVE_INFINITY)]).toEqual([
    0,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ])
  expect(close(log(5e-324), Math.log(5e-324), 1e-15)).toBe(true)
})

// values of SciPy's norm.cdf
test.each([
  [-20, 2.753624118606233e-89],
  [-6, 9.865876450376946e-10],
  [-1.5, 0.06680720126885807],
  [0, 0.5],
  [0.3, 0.6179114221889526],
  [4, 0.9999683287581669],
  [9, 1],
])('normalCdf(%d)', (x, p) => {
  expect(close(normalCdf(x), p, 1e-12)).toBe(true)
})

test('normalQuantile turns normalCdf round', () => {
  for (let p = 1e-9; p < 1; p = p < 0.01 ? p * 3 : p + 0.013) expect(close(normalCdf(normalQuantile(p)), p, 1e-10), `${p}`).toBe(true)
})
