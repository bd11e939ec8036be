/** Charts in Braille letters for terminals. */
import { describe, expect, test } from 'vitest'
import { textChart } from '../../ts/plot/index.js'
import { sparkline } from '../../ts/plot/text.js'

const dotsOf = (rows: readonly string[]) => rows.map((row) => row.slice(row.search(/[┤│]/) + 1))

test('a falling line goes from the first letter of the first row to the last of the last', () => {
  const rows = dotsOf(textChart([{ x: [0, 1], y: [1, 0] }], { width: 12, height: 4 }))
  expect(rows).toHaveLength(4)
  expect(rows[0][0]).not.toBe(' ')
  const [starts, ends] = [rows.map((row) => row.search(/[^ ]/)), rows.map((row) => row.trimEnd().length)]
  for (let i = 1; i < 4; i++) {
    expect(starts[i]).toBeGreaterThan(starts[i - 1])
    expect(ends[i]).toBeGreaterThan(ends[i - 1])
  }
})

test('the first and the last row say the largest and the smallest value, also of a logarithm', () => {
  const rows = textChart([{ x: [0, 1, 2], y: [100, 10, 1] }], { height: 7, logY: true })
  expect(rows[0]).toMatch(/^ *100 ┤/)
  expect(rows[6]).toMatch(/^ +1 ┤/)
  // each factor of ten takes half of the rows
  expect(rows.findIndex((row) => row.includes(' 10 '))).toBeLessThanOrEqual(4)
})

test('no row is wider than asked for', () => {
  const x = Array.from({ length: 50 }, (_, i) => i)
  for (const width of [10, 40, 72]) {
    const rows = textChart([{ x, y: x.map((i) => Math.sin(i) * 12345) }], { width })
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(width)
  }
})

test('what is not finite is left out, and of nothing there is nothing', () => {
  expect(textChart([{ x: [1, 2], y: [Number.NaN, Number.POSITIVE_INFINITY] }])).toEqual([])
  expect(textChart([{ x: [1, 2, 3], y: [1, Number.NaN, 2] }], { height: 3 })).toEqual(textChart([{ x: [1, 3], y: [1, 2] }], { height: 3 }))
})

test('the letters of each line are painted by its number', () => {
  const lines = [
    { x: [0, 1], y: [0, 0] },
    { x: [0, 1], y: [1, 1] },
  ]
  const rows = textChart(lines, { width: 20, height: 2, paint: (text, line) => `<${line}${text}>` })
  expect(rows[0]).toContain('<1')
  expect(rows[1]).toContain('<0')
})

describe('sparkline', () => {
  test('a letter for each share of the values, from the lowest to the highest', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█')
    expect(sparkline([1, 1, 10, 10, 100, 100], { width: 3, log: true })).toBe('▁▅█')
    expect(sparkline([0, 0.5, 1], { range: [0, 2] })).toBe('▁▃▅')
  })

  test('what cannot be shown is blank, and what does not change is level', () => {
    expect(sparkline([1, Number.NaN, 3])).toBe('▁ █')
    expect(sparkline([0, 1, 10], { log: true })).toBe(' ▁█')
    expect(sparkline([])).toBe('')
    expect(sparkline([Number.POSITIVE_INFINITY])).toBe(' ')
    // means of a constant differ in their last bits
    expect(sparkline(new Array(100).fill(0.1), { width: 7 })).toBe('▅▅▅▅▅▅▅')
  })
})
