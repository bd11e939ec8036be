/** Axes of charts: where ticks are. */
import { expect, test } from 'vitest'
import { axisOf, shortNumber } from '../../ts/plot/scale.js'

const PIXELS = { from: 0, to: 400, spacing: 80 }

test('ticks are round, inside of the range, and no more than there is room for', () => {
  for (const [low, high] of [
    [0, 1],
    [0, 997],
    [-3.2, 0.007],
    [1e-7, 3e-7],
    [5e8, 5.1e8],
  ]) {
    const { ticks, place } = axisOf([low, high], { log: false, ...PIXELS })
    expect(ticks.length).toBeGreaterThanOrEqual(2)
    expect(ticks.length).toBeLessThanOrEqual(6)
    for (const tick of ticks) {
      expect(place(tick.value)).toBeGreaterThanOrEqual(-1e-6)
      expect(place(tick.value)).toBeLessThanOrEqual(400 + 1e-6)
    }
  }
  expect(axisOf([0, 1], { log: false, ...PIXELS }).ticks.map(({ text }) => text)).toEqual(['0', '0.2', '0.4', '0.6', '0.8', '1'])
})

test('a logarithmic axis has powers of ten, or round numbers where it is short', () => {
  const long = axisOf([1e-6, 10], { log: true, ...PIXELS })
  expect(long.ticks.map(({ value }) => Math.round(Math.log10(value)))).toEqual([-6, -4, -2, 0])
  expect(long.place(1e-6)).toBeCloseTo(0)
  expect(long.place(10)).toBeCloseTo(400)
  const ticksOf = (low: number, high: number) => axisOf([low, high], { log: true, ...PIXELS }).ticks.map(({ value }) => value)
  expect(ticksOf(0.02, 0.7)).toEqual([0.02, 0.05, 0.1, 0.2, 0.5])
  expect(ticksOf(0.002, 0.9)).toEqual([0.003, 0.01, 0.03, 0.1, 0.3])
  expect(ticksOf(0.31, 0.46)).toEqual([0.35, 0.4, 0.45])
})

test('a range of one value has room around it', () => {
  const { place } = axisOf([3, 3], { log: false, ...PIXELS })
  expect(place(3)).toBe(200)
})

test.each([
  [0, '0'],
  [-0.00012345, '-1.23e-4'],
  [0.05, '0.05'],
  [1234.6, '1,235'],
  [2.5e9, '2500M'],
  [1.4e31, '1.4e+31'],
  [-1e12, '-1e+12'],
])('%d at an axis is %s', (value, text) => expect(shortNumber(value)).toBe(text))
