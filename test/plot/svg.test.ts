/** Charts as SVG: positions of points, texts of axes, and values that are left out. */
import { expect, test } from 'vitest'
import { lineChart, textChart } from '../../ts/plot/index.js'
import { barChart, confusionChart } from '../../ts/plot/svg.js'

const pointsOf = (svg: string) =>
  Array.from(svg.matchAll(/points="([^"]*)"/g), ([, text]) => text.split(' ').map((p) => p.split(',').map(Number)))
const textsOf = (svg: string) => Array.from(svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g), ([, text]) => text)

test('a line goes from the lower left to the upper right corner, in proportion', () => {
  const [points] = pointsOf(lineChart([{ name: '', x: [0, 1, 4], y: [10, 20, 50] }], { width: 640, height: 320 }))
  const [left, right, top, bottom] = [62, 626, 30, 276]
  expect(points).toEqual([
    [left, bottom],
    [left + (right - left) / 4, expect.closeTo(bottom - (bottom - top) / 4, 1)],
    [right, top],
  ])
})

test('a band is a shape around its ends, within the axes, and texts stand at whole numbers', () => {
  const svg = lineChart([{ name: '', x: [0, 4], y: [1, 2], band: [[0, 1], [2, 4]] }], { xText: (x) => `day ${x}` }) // biome-ignore format: ends
  const [band, line] = pointsOf(svg)
  const [left, right, top, bottom] = [62, 626, 30, 276]
  expect(band).toEqual([[left, bottom], [right, expect.closeTo(bottom - (bottom - top) / 4, 1)], [right, top], [left, expect.closeTo((top + bottom) / 2, 1)]]) // biome-ignore format: places
  expect(line).toHaveLength(2)
  expect(textsOf(svg).filter((text) => text.startsWith('day'))).toEqual(['day 0', 'day 1', 'day 2', 'day 3', 'day 4'])
})

test('a legend that is too wide takes further rows, and stays in the picture', () => {
  const lines = ['SGD 0.001', 'SGD momentum 0.9', 'Momentum (averaging) 0.01', 'RMSProp 0.01', 'Adam 0.05'].map((name, i) => ({
    name,
    x: [0, 1],
    y: [i, 2 * i],
  }))
  const svg = lineChart(lines, { title: 'Losses' })
  const places = Array.from(svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" >([^<]*)</g), ([, x, y, text]) => ({
    x: Number(x),
    y: Number(y),
    text,
  }))
  const legend = places.filter(({ text }) => lines.some(({ name }) => name === text))
  expect(legend).toHaveLength(5)
  for (const { x, text } of legend) expect(x + 6.8 * text.length).toBeLessThan(627)
  expect(new Set(legend.map(({ y }) => y)).size).toBe(2)
  const top = Math.min(...pointsOf(svg).flatMap((points) => points.map(([, y]) => y)))
  expect(top).toBeGreaterThan(Math.max(...legend.map(({ y }) => y)))
  expect(Number(/<text x="62" y="([\d.]+)" font-size="14"/.exec(svg)?.[1])).toBe(18)
})

test('logarithmic axes give each factor the same length, and leave out what is not above 0', () => {
  const [points] = pointsOf(lineChart([{ name: '', x: [1, 10, 100, 1000], y: [1, 0.1, 0, -1] }], { logX: true, logY: true }))
  expect(points).toHaveLength(2)
  const all = pointsOf(lineChart([{ name: '', x: [1, 10, 100], y: [1, 0.1, 0.01] }], { logX: true, logY: true }))[0]
  for (const axis of [0, 1]) expect(all[1][axis] - all[0][axis]).toBeCloseTo(all[2][axis] - all[1][axis], 0)
})

test('values that are not finite are left out, and a chart of nothing has axes all the same', () => {
  const y = [1, Number.NaN, Number.POSITIVE_INFINITY, 2]
  expect(pointsOf(lineChart([{ name: 'a', x: [1, 2, 3, 4], y }]))[0]).toHaveLength(2)
  const empty = lineChart([{ name: 'a', x: [], y: [] }])
  expect(empty).not.toMatch(/NaN|Infinity/)
  expect(textsOf(empty).length).toBeGreaterThan(4)
})

test.each([
  [
    [0, 1],
    ['0', '0.2', '0.4', '0.6', '0.8', '1'],
  ],
  [
    [0, 2_500_000],
    ['0', '500,000', '1M', '1.5M', '2M', '2.5M'],
  ],
  [
    [-3, 3],
    ['-2', '0', '2'],
  ],
])('ticks of %j are round numbers', (y, ticks) => {
  const texts = textsOf(lineChart([{ name: '', x: [0, 1], y }], { xRange: [5, 6] }))
  for (const tick of ticks) expect(texts).toContain(tick)
})

test('long numbers push the chart to the right of the vertical label', () => {
  const left = (high: number) => pointsOf(lineChart([{ name: '', x: [0, 1, 2], y: [0, high, high] }], { yLabel: 'price' }))[0][0][0]
  expect(left(1000)).toBe(62)
  // 800,000 has two letters more than 1,000 and its sign may have
  expect(left(900_000)).toBe(78)
})

test('text is escaped, also where it is read aloud', () => {
  const svg = lineChart(
    [
      { name: '<b>', x: [1, 2], y: [1, 2] },
      { name: 'c', x: [1, 2], y: [2, 1] },
    ],
    { title: 'a < "b"', yLabel: '&' },
  )
  expect(svg).not.toMatch(/<b>|="a < "b""|>&</)
  expect(svg).toContain('aria-label="a &#60; &#34;b&#34;"')
  expect(textsOf(svg)).toEqual(expect.arrayContaining(['a &#60; &#34;b&#34;', '&#38;', '&#60;b&#62;', 'c']))
})

test('bars are as long as their values, with what is below 0 at the other side', () => {
  const svg = barChart([
    { name: 'a', value: 4 },
    { name: 'b', value: 2, deviation: 1 },
    { name: 'c', value: -1 },
  ])
  const [a, b, c] = Array.from(svg.matchAll(/<rect x="([\d.]+)"[^>]* width="([\d.]+)"/g), ([, x, width]) => [Number(x), Number(width)])
  expect(a[1]).toBeCloseTo(2 * b[1], 0)
  expect(c[0] + c[1]).toBeCloseTo(a[0], 0)
  expect(svg).toMatch(/<line /)
})

test('a confusion matrix has its counts, the names, and the share of each row as its colour', () => {
  const svg = confusionChart(
    [
      [3, 1],
      [0, 1200],
    ],
    ['no', 'yes'],
  )
  expect(textsOf(svg)).toEqual(expect.arrayContaining(['3', '1', '0', '1,200', 'no', 'yes', 'predicted', 'true']))
  const opacities = Array.from(svg.matchAll(/rx="3"[^>]*fill-opacity="([\d.]+)"/g), ([, share]) => Number(share))
  expect(opacities).toEqual([0.77, 0.3, 0.06, 1].map((share) => expect.closeTo(share, 1)))
})

test.each<[string, unknown, RegExp]>([
  ['no list', 3, /^lineChart: lines wants an array.*got 3/],
  [
    'a typed array',
    [{ x: new Float32Array(2), y: [1, 2] }],
    /x of line 0 wants an array of numbers, got a Float32Array of 2; Array\.from makes one/,
  ],
  ['a line without y', [{ x: [1], y: [1] }, { x: [1] }], /y of line 1 wants an array of numbers, got undefined/],
  ['more x than y', [{ name: 'a', x: [1, 2], y: [1] }], /line 0 wants as many x as y, got 2 and 1/],
])('a chart of %s is an error in words', (_, lines, said) => {
  expect(() => lineChart(lines as never)).toThrow(said)
  expect(() => textChart(lines as never)).toThrow(new RegExp(said.source.replace('lineChart', 'textChart')))
})

test.each<[string, object, RegExp]>([
  ['an end that is no number', { xRange: [Number.NaN, 1] }, /xRange wants two numbers, \[low, high\]/],
  ['an end without end', { yRange: [0, Infinity] }, /yRange wants two numbers/],
  ['the larger end first', { xRange: [3, 1] }, /xRange wants two numbers, \[low, high\]/],
  ['logarithms of 0', { logY: true, yRange: [0, 5] }, /yRange of a logarithmic axis wants numbers above 0, got 0/],
  ['logarithms of −1', { logX: true, xRange: [-1, 5] }, /xRange of a logarithmic axis wants numbers above 0, got -1/],
])('a range with %s is an error in words', (_, options, said) => {
  expect(() => lineChart([{ name: '', x: [1, 2], y: [1, 2] }], options)).toThrow(said)
})

test('a chart of letters has whole numbers of them, and leaves out points without a place', () => {
  const lines = [{ x: [1, 2, 3], y: [1, 3, 2] }]
  expect(() => textChart(lines, { width: 20.5 })).toThrow(/width wants a whole number/)
  expect(() => textChart(lines, { height: 2.5 })).toThrow(/height wants a whole number/)
  const more = textChart([{ x: [Number.NaN, 1, 2, 3], y: [3, 1, 3, 2] }], { height: 4 })
  expect(more).toEqual(textChart(lines, { height: 4 }))
})
