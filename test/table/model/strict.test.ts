/** `predict` with `strict: true`: rows that differ in form from the training rows are refused, with a list of all faults. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadTableModel, trainTable } from '../../../ts/table/index.js'
import { hostileText, runs } from '../../tools/hostile-text.js'

const rows = Array.from({ length: 60 }, (_, i) => ({
  id: i,
  size: i % 9 === 4 ? '' : String((i * 37) % 101),
  town: ['Rome', 'Oslo', 'Bern'][i % 3],
  day: `2024-02-${String(1 + (i % 28)).padStart(2, '0')}`,
  kind: ((i * 37) % 101) % 2 === 0 ? 'even' : 'odd',
}))
const trained = await trainTable(rows, { target: 'kind', hidden: [4], epochs: 2, seed: 1, exclude: ['id'] })
const model = await loadTableModel(trained.model.bytes())
const good = { size: 12, town: 'Rome', day: '2024-02-03' }
const strict = (row: object | object[]) => model.predict(row as object[], { strict: true })

test('rows as in the table are answered as without it: with the target and columns that were left out, numbers as text, and gaps', () => {
  for (const row of [
    good,
    { ...good, kind: 'odd', id: 7 },
    { ...good, size: '12' },
    { ...good, size: '' },
    { ...good, town: null, day: 'NA' },
  ])
    expect(strict([row])).toEqual(model.predict([row]))
  expect(strict(rows)).toHaveLength(60)
  expect(strict([])).toEqual([])
  expect(model.unknown).toEqual({})
})

test.each([
  [{}, "predict: row 0: columns 'size', 'town', 'day' are missing"],
  [{ size: null }, "predict: row 0: columns 'town', 'day' are missing"],
  [{ size: null, town: '', day: 'NA' }, 'predict: row 0: all columns are empty'],
  [{ ...good, extra: 1 }, "predict: row 0: the table has no column 'extra'"],
  [
    { size: 1, Town: 'Rome', day: '2024-02-03' },
    "predict: row 0: column 'town' is missing, the table has no column 'Town' (did you mean 'town'?)",
  ],
  [{ ...good, town: 'Mars' }, "predict: row 0: column 'town' wants one of Bern, Oslo, Rome, got 'Mars'"],
  [
    { ...good, size: 'big', day: '2024-02-30' },
    "predict: row 0: column 'size' wants a number, got 'big', column 'day' wants a date (2024-12-31), got '2024-02-30'",
  ],
  [{ ...good, town: { toString: 1 } }, "predict: row 0: column 'town' wants one of Bern, Oslo, Rome, got an object with toString"],
  [
    JSON.parse('{"size":1,"town":"Rome","day":"2024-02-03","__proto__":{"town":"Oslo"}}'),
    "predict: row 0: the table has no column '__proto__'",
  ],
  [
    JSON.parse('{"__proto__":{"size":1,"town":"Rome","day":"2024-02-03"}}'),
    "predict: row 0: columns 'size', 'town', 'day' are missing, the table has no column '__proto__'",
  ],
])('%j', (row, message) => {
  expect(() => strict(row)).toThrow(message)
  expect(() => strict([row])).toThrow(RangeError)
})

test('of several rows the first few are listed, by number', () => {
  expect(() => strict([good, { ...good, town: 'x' }, good, { town: 'Rome' }])).toThrow(
    "predict: row 1: column 'town' wants one of Bern, Oslo, Rome, got 'x'; row 3: columns 'size', 'day' are missing",
  )
  expect(() => strict(Array.from({ length: 20 }, () => ({})))).toThrow(/; row 5: columns [^;]* are missing; and 14 more rows$/)
  // a value that is not a row is refused as without `strict`
  expect(() => strict([null as never])).toThrow(/row 0 wants an object/)
  expect(() => model.predict([good], { strict: 1 as never })).toThrow('predict: strict wants true or false, got 1')
})

test('fault 19: any JSON is answered or refused by an error of ours, in a message of few lines', () => {
  const value = fc.oneof(fc.jsonValue(), hostileText)
  const row = fc.oneof(
    fc.dictionary(fc.oneof(hostileText, fc.constantFrom('size', 'town', 'day')), value),
    fc.record({ size: value, town: value, day: value }),
  )
  fc.assert(
    fc.property(fc.oneof(fc.array(row), fc.jsonValue()), (body) => {
      for (const how of [{ strict: true }, {}])
        try {
          const answers = model.predict(body as object[], how)
          for (const { probability } of [answers].flat()) expect(probability).toBeGreaterThan(0)
        } catch (error) {
          expect((error as Error).message).toMatch(/^(predict|encode): /)
          expect((error as Error).message.length).toBeLessThan(3000)
        }
    }),
    runs(1500),
  )
})

test('numbers and dates that are written for people are read as the table has them', async () => {
  const prices = Array.from({ length: 60 }, (_, i) => ({
    price: `$${1000 + i * 37},000`.replace(/(\d)(\d{3}),/, '$1,$2,'),
    due: `${1 + (i % 28)}.${1 + (i % 12)}.2024`,
    size: i,
  }))
  const { model } = await trainTable(prices, { target: 'size', formatted: true, hidden: [4], epochs: 2 })
  expect(model.predict(prices, { strict: true })).toEqual(model.predict(prices))
  expect(() => model.predict({ price: 'cheap', due: '31.02.2024' }, { strict: true })).toThrow(
    "predict: row 0: column 'price' wants a number, written as in the table, got 'cheap', column 'due' wants a date, written as in the table, got '31.02.2024'",
  )
})

test('gaps of a column of its own are gaps, and a word that an order names is a value', async () => {
  const some = rows.map(({ size, kind }, i) => ({ size: i % 9 === 4 ? '-' : size, dose: ['none', 'low', 'high'][i % 3], kind }))
  const { model } = await trainTable(some, {
    ...{ target: 'kind', hidden: [4], epochs: 2 },
    columns: { size: { as: 'number', missingValues: ['-', ''] }, dose: { as: 'ordinal', order: ['none', 'low', 'high'] } },
  })
  for (const row of [some[4], { size: '-', dose: 'none' }]) expect(model.predict([row], { strict: true })).toEqual(model.predict([row]))
  expect(() => model.predict([{ size: '-', dose: '' }], { strict: true })).toThrow('all columns are empty')
})
