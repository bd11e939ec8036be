/** Lines of equal height. */
import { expect, test } from 'vitest'
import { contourLine } from '../src/descent/contours'

const grid = (columns: number, rows: number, f: (x: number, y: number) => number) =>
  Float64Array.from({ length: columns * rows }, (_, i) => f(i % columns, Math.floor(i / columns)))
const endsOf = (pieces: Float32Array) => Array.from({ length: pieces.length / 2 }, (_, i) => [pieces[2 * i], pieces[2 * i + 1]])

test('around a bowl it is a closed circle', () => {
  const bowl = grid(41, 31, (x, y) => (x - 20) ** 2 + (y - 15) ** 2)
  const ends = endsOf(contourLine(bowl, 41, 31, 91.3))
  expect(ends.length).toBeGreaterThan(60)
  for (const [x, y] of ends) expect(Math.hypot(x - 20, y - 15)).toBeCloseTo(Math.sqrt(91.3), 1)
  // each piece ends where another begins
  const counts = new Map<string, number>()
  for (const end of ends.map((end) => end.map((v) => v.toFixed(3)).join())) counts.set(end, (counts.get(end) ?? 0) + 1)
  expect([...counts.values()].every((count) => count === 2)).toBe(true)
})

test('of a plane it is straight, from border to border', () => {
  const plane = grid(9, 7, (x, y) => x + 2 * y)
  const ends = endsOf(contourLine(plane, 9, 7, 7.5))
  for (const [x, y] of ends) expect(x + 2 * y).toBeCloseTo(7.5, 5)
  expect(Math.min(...ends.map(([x]) => x))).toBe(0)
  expect(Math.max(...ends.map(([x]) => x))).toBeCloseTo(7.5, 5)
})

test('on a saddle two pieces pass each other, and nothing is drawn where nothing crosses', () => {
  // corners 0 and 2 are high, and so is the middle: the pieces cut off corners 1 and 3
  const rounded = (level: number) => Array.from(contourLine([2, 0, 0, 1.5], 2, 2, level), (v) => Number(v.toFixed(3)))
  expect(rounded(0.5)).toEqual([0.75, 0, 1, 0.333, 0.333, 1, 0, 0.75])
  // at this level the middle is low: they cut off the high ones
  expect(rounded(1)).toEqual([1, 0.667, 0.667, 1, 0, 0.5, 0.5, 0])
  expect(contourLine([1, 2, 3, 4], 2, 2, 9)).toHaveLength(0)
})
