/** The learning curve, and what twice as many rows would bring. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Generator } from '../../../ts/index.js'
import { reportHtml, reportText, type TrainTableOptions, trainTable } from '../../../ts/table/index.js'
import { doubledFrom } from '../../../ts/table/report/learning-curve.js'

const random = new Generator(1)
const draws = Array.from(random.uniforms(1200))
const rows = Array.from({ length: 240 }, (_, i) => {
  const [a, b, u, v] = draws.slice(4 * i)
  return { a, b, y: Math.sin(5 * a) * b + u / 8, kind: a * b + v / 8 > 0.3 ? 'x' : 'z' }
})
const small = { hidden: [8], epochs: 12, learningRate: 0.03, learningCurve: true } as const

test('a report says how good nets are on parts of the rows, and what more would bring', async () => {
  const { report } = await trainTable(rows, { ...small, target: 'y', exclude: ['kind'] })
  const { points, metric, doubled } = report.learningCurve ?? {}
  expect(metric).toBe('R²')
  // a fold learns from four fifths of 192 rows
  expect(points?.map(({ rows }) => rows)).toEqual([39, 77, 154])
  // an eighth would be too few rows to learn from, and with three sizes nothing is expected
  expect(doubled).toBeUndefined()
  const { report: ofClasses } = await trainTable([...rows, ...rows.map((row, i) => ({ ...row, a: row.a + i / 1e4 }))], {
    ...{ ...small, epochs: 4, target: 'kind', exclude: ['y'], metric: 'logLoss' },
  })
  const curve = ofClasses.learningCurve
  expect([curve?.metric, curve?.better, curve?.points.length]).toEqual(['log loss', 'less', 4])
  expect(curve?.doubled?.change).toBeLessThanOrEqual(0)
  expect(ofClasses.advice.some((line) => /^(Twice as many rows would bring about −|More rows need not help)/.test(line))).toBe(true)
  expect(reportText(ofClasses)).toContain('What more rows bring')
  expect(reportHtml(ofClasses)).toContain('rows to learn from')
})

test('twice as many rows bring what a power law says', () => {
  const exponent = fc.constantFrom(0.25, 0.5, 0.75, 1, 1.5)
  const number = (min: number, max: number) => fc.double({ min, max, noNaN: true })
  fc.assert(
    fc.property(exponent, number(0, 1), number(1e-3, 2), fc.boolean(), (c, a, b, isMore) => {
      const error = (rows: number) => a + b * (rows / 800) ** -c
      const points = [100, 200, 400, 800].map((rows) => ({ rows, value: isMore ? 1 - error(rows) : error(rows) }))
      const { rows, value, change, low, high } = doubledFrom(points, isMore ? 'more' : 'less')
      expect(rows).toBe(1600)
      expect(value).toBeCloseTo(isMore ? 1 - error(1600) : error(1600), 6)
      expect(low).toBeLessThanOrEqual(change + 1e-12)
      expect(high).toBeGreaterThanOrEqual(change - 1e-12)
    }),
    { seed: 1 },
  )
  // worse with more rows: nothing is promised
  const falling = [100, 200, 400, 800].map((rows, i) => ({ rows, value: 0.9 - i / 10 }))
  expect(doubledFrom(falling, 'more').change).toBeCloseTo(0, 12)
})

test('what does not fit is refused by name', async () => {
  const wrong = (options: object, message: string) =>
    expect(trainTable(rows, { target: 'y', learningCurve: true, ...options } as TrainTableOptions)).rejects.toThrow(message)
  await wrong({ splitBy: 'a' }, 'trainTable: learningCurve wants rows at random, and splitBy cuts them in time')
  await wrong({ hidden: [] }, 'trainTable: learningCurve is for nets, and hidden: [] is a straight line')
  await wrong({ learningCurve: 1 }, 'learningCurve wants')
})
