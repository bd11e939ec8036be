/** Partial dependence, single rows and interactions of a model. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { Generator } from '../../../ts/index.js'
import {
  type ClassPrediction,
  explainTable,
  type NumberPrediction,
  reportHtml,
  reportText,
  type TableModel,
  trainTable,
} from '../../../ts/table/index.js'

const random = new Generator(1)
const draws = Array.from(random.uniforms(1600))
const rows = Array.from({ length: 400 }, (_, i) => {
  const [a, b, c, d] = draws.slice(4 * i)
  const size = ['S', 'M', 'L'][Math.floor(3 * d)]
  return { a: 4 * a - 2, b: 4 * b - 2, c, size, day: new Date(Date.UTC(2024, 0, 1 + (i % 90))), y: (4 * a - 2) * (4 * b - 2) + 3 * c }
})
let line: TableModel
let nets: TableModel
let classes: TableModel
beforeAll(async () => {
  line = (await trainTable(rows, { target: 'y', hidden: [] })).model
  nets = (await trainTable(rows, { target: 'y', hidden: [24], epochs: 40, learningRate: 0.02, exclude: ['day'] })).model
  classes = (
    await trainTable(
      rows.map(({ y, ...row }) => ({ ...row, kind: y > 2 ? 'high' : 'low' })),
      { target: 'kind', hidden: [8], epochs: 8 },
    )
  ).model
})

const numberOf = (model: TableModel, some: readonly object[]) => (model.predict(some) as NumberPrediction[]).map(({ value }) => value)
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

test('a straight line has straight effects, which add up', () => {
  const { effects, interactions } = explainTable(line, rows)
  for (const { kind, values, mean, rows: single } of effects.filter(({ kind }) => kind !== 'category')) {
    const slope = (of: readonly number[], i: number) => (of[i + 1] - of[i]) / ((values[i + 1] as number) - (values[i] as number))
    // dates have days of the week, too
    for (let i = 1; i < values.length - 1 && kind !== 'date'; i++)
      expect(Math.abs(slope(mean, i) - slope(mean, 0)), kind).toBeLessThan(1e-2 * (1 + Math.abs(slope(mean, 0))))
    for (const own of single) for (let i = 0; i < values.length; i++) expect(own[i] - mean[i]).toBeCloseTo(own[0] - mean[0], 3)
  }
  for (const { h } of interactions) expect(h).toBeLessThan(0.01)
})

test('a product of two columns is their interaction, and no other', () => {
  const { interactions, effects } = explainTable(nets, rows)
  expect([...interactions[0].columns].sort()).toEqual(['a', 'b'])
  // both effects alone are nearly 0
  expect(interactions[0].h).toBeGreaterThan(0.8)
  for (const { h, columns } of interactions.slice(1)) if (columns.includes('c')) expect(h).toBeLessThan(0.6)
  expect(effects[0].column).toBe('c')
})

test('effects are the means of predictions with one column replaced (scikit-learn: method brute)', () => {
  for (const [model, about] of [
    [nets, undefined],
    [classes, 'high'],
    [classes, 'low'],
  ] as const) {
    const some = rows.slice(0, 25)
    const { effects, rows: used } = explainTable(model, some, { columns: ['a', 'size'], points: 4, ...(about && { about }) })
    expect(used).toBe(25)
    for (const { column, values, mean: found, rows: single } of effects)
      for (const [i, value] of values.entries()) {
        const changed = some.map((row) => ({ ...row, [column]: value }))
        const answers = about ? (model.predict(changed) as ClassPrediction[]).map((p) => p.probabilities[about]) : numberOf(model, changed)
        expect(found[i]).toBeCloseTo(mean(answers), 5)
        for (const [row, own] of single.entries()) expect(own[i]).toBeCloseTo(answers[row], 5)
      }
  }
})

test('H is that of its definition', () => {
  const some = rows.slice(0, 20)
  const { interactions } = explainTable(nets, some, { columns: ['a', 'b', 'c'] })
  const dependence = (names: readonly ('a' | 'b' | 'c')[]) => {
    const values = some.map((at) =>
      mean(
        numberOf(
          nets,
          some.map((row) => ({ ...row, ...Object.fromEntries(names.map((name) => [name, at[name]])) })),
        ),
      ),
    )
    return values.map((value) => value - mean(values))
  }
  for (const { columns, h } of interactions) {
    const [j, k] = columns as ['a' | 'b' | 'c', 'a' | 'b' | 'c']
    const [both, first, second] = [dependence([j, k]), dependence([j]), dependence([k])]
    const rest = both.map((value, i) => (value - first[i] - second[i]) ** 2)
    expect(h).toBeCloseTo(Math.sqrt(mean(rest) / mean(both.map((value) => value ** 2))), 3)
  }
})

test('pages and terminals show it, and names cannot break out', () => {
  const found = explainTable(line, rows, { points: 5 })
  expect(found.effects.find(({ column }) => column === 'day')?.kind).toBe('date')
  const text = reportText(found, { width: 100 })
  expect(text).toContain('2024-0')
  expect(text).toContain('Which columns act together')
  const page = reportHtml({
    ...found,
    target: '<b>',
    effects: found.effects.map((effect) => ({ ...effect, column: `<i>${effect.column}` })),
  })
  expect(page.split('<svg')).toHaveLength(found.effects.length + 1)
  expect(page).not.toMatch(/<i>|<b>&|NaN|undefined/)
  expect(JSON.parse(JSON.stringify(found))).toEqual(found)
})

test('any rows and options give figures or an error by name', () => {
  const cell = fc.oneof(fc.constantFrom(null, '', 'NA'), fc.double({ min: -1e6, max: 1e6, noNaN: true }))
  const row = fc.record({ a: cell, b: cell, c: cell, size: fc.constantFrom('S', 'XXL', null) })
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 2, maxLength: 8 }),
      fc.integer({ min: 2, max: 5 }),
      fc.integer({ min: 1, max: 9 }),
      (some, points, most) => {
        const { effects, interactions } = explainTable(nets, some, { points, maxColumns: most })
        expect(effects.length).toBe(Math.min(most, 4))
        for (const { values, mean } of effects) {
          expect(mean).toHaveLength(values.length)
          expect(mean.every(Number.isFinite)).toBe(true)
        }
        for (const { h } of interactions) expect(h >= 0 && Number.isFinite(h)).toBe(true)
        expect(reportHtml(explainTable(nets, some, { points, maxColumns: most }))).not.toMatch(/NaN|Infinity/)
      },
    ),
    { numRuns: 15, seed: 1 },
  )
  expect(() => explainTable(nets, rows.slice(0, 1))).toThrow('explainTable: wants two rows at least, got 1')
  expect(() => explainTable(nets, rows, { columns: ['z'] })).toThrow(
    "explainTable: columns wants columns that the model uses, a, b, c, size, got 'z'",
  )
  expect(() => explainTable(nets, rows, { about: 'high' })).toThrow('explainTable: about is for classes')
  expect(() => explainTable(classes, rows, { about: 'x' })).toThrow("explainTable: about wants one of the classes high, low, got 'x'")
})
