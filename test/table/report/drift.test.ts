/** Drift between the rows that a model learned from and later ones. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { encoderFromState, fromTable } from '../../../ts/data/index.js'
import { Generator } from '../../../ts/index.js'
import { evaluateTable, TableModel, trainTable } from '../../../ts/table/index.js'
import { tableModelFrom } from '../../../ts/table/model/model.js'
import { distanceOfCategories, driftOf, kolmogorov, outsideByChance } from '../../../ts/table/report/drift.js'
import { profileOf } from '../../../ts/table/rows/profile.js'

const cities = ['Oslo', 'Bergen', 'Bodø', 'Narvik']

/** Rows of every kind of column. */
function drawn(count: number, seed: number, { shift = 0, gaps = 0.05, far = 0 } = {}) {
  const random = new Generator(seed)
  return Array.from({ length: count }, (_, i) => {
    const [u, v, w, z, g] = random.uniforms(5)
    return {
      age: 20 + 50 * u + shift,
      children: Math.floor(4 * v ** 2),
      day: new Date(Date.UTC(2024, 0, 1 + Math.floor(300 * w))),
      city: z < far ? `city ${i}` : cities[Math.floor(4 * z ** 1.5)],
      income: g < gaps ? null : 1000 * (1 + u * v),
      y: u + v > 1 ? 'a' : 'b',
    }
  })
}
const rows = drawn(400, 1)
let model: TableModel
beforeAll(async () => {
  model = (await trainTable(rows, { target: 'y', hidden: [4], epochs: 1 })).model
})
const columnsOf = (some: readonly object[]) =>
  Object.fromEntries(driftOf(model, some).columns.map(({ column, ...drift }) => [column, drift]))

test('rows of the same kind have no drift', () => {
  for (let seed = 2; seed < 30; seed++) {
    const { notes, columns } = driftOf(model, drawn(50 + 40 * seed, seed))
    expect(notes, `${seed}`).toEqual([])
    expect(columns).toEqual([])
  }
})

test('each kind of difference is found, and said in words', () => {
  const { age } = columnsOf(drawn(300, 40, { shift: 15 }))
  expect(age.outside?.share).toBeGreaterThan(0.2)
  // one mistaken unit is found among few rows, too
  expect(driftOf(model, [...drawn(5, 39), { age: 4000 }]).columns.map(({ column }) => column)).toEqual(['age'])
  // so are six of six gaps
  expect(columnsOf(drawn(6, 39, { gaps: 1 }))).toHaveProperty('income.gaps.share', 1)
  const some = drawn(300, 41, { far: 0.12, gaps: 0.4 })
  const { city, income } = columnsOf(some)
  expect(city.unseen?.share).toBeCloseTo(0.12, 1)
  expect(city.unseen?.values).toHaveLength(5)
  expect(income.gaps).toMatchObject({ before: expect.closeTo(0.05, 1) })
  expect(driftOf(model, some).notes).toContainEqual(
    expect.stringMatching(/^column 'city': \d+ % of the values \(\d+\) were never seen \('city /),
  )
  expect(driftOf(model, some).notes).toContainEqual(
    expect.stringMatching(/^column 'income': \d\d % of the rows have a gap, \d % of those learned from$/),
  )
  const north = drawn(300, 42).map((row) => ({ ...row, city: 'Narvik', children: 3 - row.children }))
  expect(columnsOf(north).city.distribution?.distance).toBeGreaterThan(0.5)
  expect(columnsOf(north).children.distribution?.distance).toBeGreaterThan(0.2)
  expect(Object.keys(columnsOf(north))).toEqual(['children', 'city'])
  const later = drawn(300, 43).map((row) => ({ ...row, day: `2025-06-${10 + (row.children % 9)}` }))
  expect(driftOf(model, later).notes[0]).toMatch(
    /^column 'day': 100 % of the values \(300\) were outside 2024-01-01 to 2024-10-\d\d, the range learned from$/,
  )
})

test('an evaluation says it, and a damaged profile is refused', () => {
  expect(evaluateTable(model, drawn(200, 44, { shift: 30 })).drift.columns.map(({ column }) => column)).toContain('age')
  expect(model.saved().profile.rows).toBe(320)
  for (const damaged of [undefined, { rows: 1 }, { rows: 3, columns: [{ name: 'age', gaps: 0, quantiles: ['x'] }] }, null, 7])
    expect(() => tableModelFrom(model.net, JSON.stringify({ ...model.saved(), profile: damaged }))).toThrow('got a damaged one')
  expect(driftOf(model, [])).toMatchObject({ rows: 0, notes: [] })
})

test('tests of distributions are those of SciPy', () => {
  // scipy.stats 1.17.1: kstwobign.sf of Stephens' statistic, betabinom.sf, and chi2_contingency without a correction
  expect(kolmogorov(0.1, 200, 300)).toBeCloseTo(0.17122, 4)
  expect(kolmogorov(0, 200, 300)).toBe(1)
  expect(outsideByChance(5, 100, 50)).toBeCloseTo(0.3466761, 5)
  expect(outsideByChance(0, 100, 50)).toBe(1)
  const p = (a: number[], b: number[]) => {
    const m = b.reduce((sum, x) => sum + x, 0)
    return distanceOfCategories(
      a,
      b.map((x) => x / m),
      m,
    ).p
  }
  expect(p([30, 50, 20], [45, 35, 20])).toBeCloseTo(0.0594, 2)
  expect(p([10, 20, 30, 40, 5], [40, 60, 40, 50, 10])).toBeCloseTo(0.00739, 2)
})

test('any values are compared without an error, and the rows of the profile themselves have no drift', () => {
  const cell = fc.oneof(
    fc.constantFrom(null, '', 'NA', '\u0007', '__proto__', 'x'),
    fc.double({ min: -1e9, max: 1e9, noNaN: true }),
    fc.integer({ min: 0, max: 3 }),
  )
  const number = fc.oneof(fc.constant(null), fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 2 }))
  const row = fc.record({ 'a\n': number, b: fc.oneof(fc.constantFrom('x', 'y', 'z'), fc.constant(null)), y: fc.constantFrom('p', 'q') })
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 25, maxLength: 60 }),
      fc.array(fc.record({ 'a\n': cell, b: cell }), { maxLength: 9 }),
      (learnt, others) => {
        const state = fromTable(learnt, { target: 'y', missing: 'auto', columns: { 'a\n': 'number', b: 'category' } }).state()
        encoderFromState(state)
        const profile = profileOf(state, learnt)
        const saved: TableModel = Object.create(TableModel.prototype, { saved: { value: () => ({ table: state, profile }) } })
        expect(driftOf(saved, learnt).notes).toEqual([])
        const { columns } = driftOf(saved, others)
        for (const { unseen, outside, gaps } of columns)
          for (const share of [unseen?.share, outside?.share, gaps?.share])
            if (share !== undefined) expect(share >= 0 && share <= 1).toBe(true)
      },
    ),
    { numRuns: 60 },
  )
})
