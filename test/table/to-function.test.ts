/** A model of a table as JavaScript that needs nothing gives what the model gives. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Prediction, type TableModel, tableToFunction, trainTable } from '../../ts/table/index.js'

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

test('gaps of single columns are kept, and columns that `formatted` reads are refused', async () => {
  const { model } = await trainTable(rows, {
    target: 'town',
    ...{ hidden: [4], epochs: 2, columns: { size: { as: 'number', missingValues: ['NA', '1.1'] } } },
  })
  const predict = await written(model)
  expectSame(predict([{ size: '1.1' }, { size: 'NA' }]), model.predict([{ size: '1.1' }, { size: 'NA' }]), 1e-5)
  const money = Array.from({ length: 60 }, (_, i) => ({ x: `$${i},000`, y: i % 2 === 0 ? 'a' : 'b' }))
  const { model: ofMoney } = await trainTable(money, { target: 'y', formatted: true, hidden: [4], epochs: 2 })
  expect(() => tableToFunction(ofMoney)).toThrow("tableToFunction: column 'x' is read with formatted: true, which the function cannot do")
})
