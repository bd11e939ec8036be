/** The JavaScript source of a table model gives the same predictions as the model. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { readWritten } from '../../../ts/data/table/written.js'
import { type Prediction, type TableModel, tableToFunction, trainTable } from '../../../ts/table/index.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-function-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
async function written(model: TableModel, options = {}): Promise<(rows: unknown, options?: object) => Prediction[]> {
  const file = path.join(folder, `${++files}.mjs`)
  const source = tableToFunction(model, options)
  expect(source).not.toMatch(/\b(import|require|eval)\b/)
  writeFileSync(file, source)
  return (await import(pathToFileURL(file).href)).predict
}

/** Both as numbers, and their names the same. */
function expectSame(found: unknown, wanted: unknown, error: number): void {
  const numbers = (x: unknown): unknown[] =>
    typeof x === 'object' && x !== null ? Object.entries(x).flatMap(([key, value]) => [key, ...numbers(value)]) : [x]
  const [a, b] = [numbers(found), numbers(wanted)]
  expect(a.length).toBe(b.length)
  a.forEach((x, i) => {
    const y = b[i]
    if (typeof y === 'number') expect(Math.abs((x as number) - y)).toBeLessThanOrEqual(error * Math.max(1, Math.abs(y)))
    else expect(x).toBe(y)
  })
}

/** Columns of every kind, with gaps, among them texts that stand for gaps. */
const rows = Array.from({ length: 240 }, (_, i) => ({
  size: i % 17 === 3 ? 'NA' : i === 77 ? 'big' : String(((i * 37) % 101) / 10),
  town: `t${(i * 7) % 9}`,
  street: `street ${(i * 5) % 30}`,
  level: ['low', 'middle', 'high'][i % 3],
  day: `2024-0${1 + (i % 9)}-1${i % 10}`,
  time: `2024-02-03 1${i % 10}:30`,
  open: i % 2 === 0,
  kind: ['a', 'b', 'c'][((i * 37) % 101) % 3],
  price: (i * 37) % 101,
}))
const columns = { street: { as: 'hash', buckets: 6 }, level: { as: 'ordinal', order: ['low', 'middle', 'high'] } } as const
const later = [
  ...rows.slice(0, 40),
  { size: ' 3.5 ', town: 'elsewhere', street: 'none', level: 'middle', day: null, time: 'NA', open: 'false' },
  { size: 'much', town: 't1', day: new Date('2024-05-01'), time: '2024-02-03T10:30:00+02:00' },
  { size: null },
]

test.each(['kind', 'price'] as const)('of %s', async (target) => {
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  const exclude = target === 'kind' ? ['price'] : ['kind']
  const { model } = await trainTable(rows, { target, exclude, columns, seed: 1 })
  const predict = await written(model)
  const wanted = model.predict(later)
  expectSame(predict(later), wanted, 1e-6 * (target === 'price' ? 30 : 1))
  expectSame(predict(later[2]), wanted[2], 1e-4)
  for (const row of [{}, [1, 2], null])
    expect(() => predict([row])).toThrow('predict: row 0 wants an object with the columns size, town, street, level, day, time, open')
  expectSame((await written(model, { weights: 'float16' }))(later), wanted, 0.05)
  if (target === 'price') expectSame(predict(later, { coverage: 0.5 }), model.predict(later, { coverage: 0.5 }), 1e-4)
  expect(() => predict([later[0], { size: 1, day: 'yesterday' }])).toThrow("predict: column 'day' of row 1 wants a date")
  const leapDay = { ...later[0], day: '2024-02-29', time: '2024-02-29 10:30' }
  expectSame(predict(leapDay), model.predict(leapDay), 1e-4)
  for (const day of ['2024-02-30', '2023-02-29 10:30', '2024-13-01'])
    for (const says of [(row: object) => predict(row), (row: object) => model.predict(row)])
      expect(() => says({ ...later[0], day })).toThrow(/column 'day' of row 0 wants a date/)
  vi.restoreAllMocks()
})

test('of something else', () => {
  expect(() => tableToFunction({} as never)).toThrow('tableToFunction: wants a model of trainTable or loadTableModel')
})

test('gaps of single columns are kept', async () => {
  const { model } = await trainTable(rows, {
    target: 'town',
    ...{ hidden: [4], epochs: 2, columns: { size: { as: 'number', missingValues: ['NA', '1.1'] } } },
  })
  const predict = await written(model)
  expectSame(predict([{ size: '1.1' }, { size: 'NA' }]), model.predict([{ size: '1.1' }, { size: 'NA' }]), 1e-5)
})

test('numbers and dates that are written for people are read as the model reads them', async () => {
  const money = Array.from({ length: 60 }, (_, i) => ({
    x: `$${1 + i},000`,
    weight: `${50 + (i % 7)},5 kg`,
    day: `${1 + (i % 28)}.${1 + (i % 12)}.2024`,
    y: i % 2 === 0 ? 'a' : 'b',
  }))
  const { model } = await trainTable(money, { target: 'y', formatted: true, hidden: [4], epochs: 2 })
  const predict = await written(model)
  const others = [
    ...money,
    { x: '($1,250.50)', weight: 70, day: '2024-12-31' },
    { x: 3, day: new Date('2024-05-01') },
    { day: '31.12.2024 9:30' },
    { day: '31.12.24' },
    { day: '1.2.69' },
  ]
  expectSame(predict(others), model.predict(others), 1e-5)
  for (const [row, message] of [
    [{ x: '3 kg' }, /column 'x' of row 0 wants a number in \$, got/],
    [{ x: Number.POSITIVE_INFINITY }, /column 'x' of row 0 wants a number in \$, got/],
    [{ x: `$${'9'.repeat(50)}` }, /column 'x' of row 0 wants a number in \$, got/],
    [{ day: '31.2.2024' }, /column 'day' of row 0 wants a date \(31\.12\.2024\), got/],
  ] as const)
    for (const says of [(row: object) => predict(row), (row: object) => model.predict(row)]) expect(() => says(row)).toThrow(message)

  const file = path.join(folder, 'reader.mjs')
  writeFileSync(file, `${tableToFunction(model)}\nexport { readWritten as read }`)
  const { read } = (await import(pathToFileURL(file).href)) as { read: typeof readWritten }
  const piece = fc.constantFrom(
    ...['$', '€', 'kg', 'm²', '%', 'USD ', ' ', '\u00a0', '(', ')', '-', '−', '+', '.', ',', "'", '/', ':'],
    ...'0123456789',
  )
  const number = fc
    .tuple(fc.nat(9999), fc.constantFrom('.', ','), fc.integer({ min: 100, max: 999 }))
    .map(([a, sign, b]) => `${a}${sign}${b}`)
  const day = fc
    .tuple(fc.nat(32), fc.constantFrom('.', '/', '-'), fc.nat(13), fc.integer({ min: 1990, max: 2030 }), fc.constantFrom(0, 2))
    .map(([a, sign, b, y, left]) => `${a}${sign}${b}${sign}${String(y).slice(left)}`)
  const text = fc.array(fc.oneof(piece, number, day), { maxLength: 5 }).map((parts) => parts.join(''))
  const value = fc.oneof(
    { weight: 9, arbitrary: text },
    { weight: 1, arbitrary: fc.oneof(fc.double(), fc.date(), fc.boolean(), fc.constant(null)) },
  )
  const ways = [
    { unit: '', decimal: '.' },
    { unit: '$', decimal: ',' },
    { unit: 'kg', decimal: '.' },
    { first: 'day' },
    { first: 'month' },
  ] as const
  fc.assert(
    fc.property(fc.constantFrom(...ways), value, (way, one) => {
      expect(read(way, one)).toBe(readWritten(way, one))
    }),
    { numRuns: 3000 },
  )
})

test('true and false are the same in all spellings', async () => {
  const table = Array.from({ length: 80 }, (_, i) => ({
    member: i % 3 === 0 ? 'True' : 'False',
    size: i,
    paid: (i % 3 === 0 ? 10 : 0) + i / 40,
  }))
  const { model } = await trainTable(table, { target: 'paid', hidden: [4], epochs: 5, seed: 1 })
  const asFunction = await written(model)
  for (const predict of [asFunction, (given: object[]) => model.predict(given as never) as Prediction[]]) {
    const [a, b, c, no] = predict([true, 'TRUE', 'True', false].map((member) => ({ member, size: 3 })))
    expect([b, c]).toEqual([a, a])
    expect(no).not.toEqual(a)
  }
})
