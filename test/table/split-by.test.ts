/** Rows cut in time: trainTable and prepareTable judge by the latest ones. */
import { expect, test } from 'vitest'
import { prepareTable, reportHtml, trainTable } from '../../ts/table/index.js'

/** A number that grows by the day, in rows that are in no order. */
const rows = Array.from({ length: 60 }, (_, i) => {
  const day = (i * 37) % 60
  return { day: new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10), x: (day * 7) % 11, y: day + ((day * 7) % 11) }
})
const quick = { epochs: 2, hidden: [4] }

test('the report is made from the latest rows, and says so', async () => {
  const { report } = await trainTable(rows, { target: 'y', splitBy: 'day', testFraction: 0.25, ...quick })
  expect(report.rows).toEqual({ train: 45, test: 15, dropped: 0 })
  expect(report.splitBy).toEqual({ column: 'day', from: '2024-02-15' })
  const late = rows.filter(({ day }) => day >= '2024-02-15').map(({ y }) => y)
  expect(new Set(report.examples?.map((example) => example.true))).toEqual(new Set(late))
  expect(reportHtml(report)).toContain('the latest by ‘day’, from 2024-02-15 on')
  expect((await trainTable(rows, { target: 'y', ...quick })).report.splitBy).toBeUndefined()
})

test('what is tuned never sees the rows of the report, and is judged by the latest of the others', async () => {
  const { train, held, scale } = await prepareTable(rows, { target: 'y', splitBy: 'day', testFraction: 0.25, heldFraction: 0.2 })
  const inDays = (part: typeof train) => Array.from(part.targets, (y) => scale.mean + scale.deviation * y)
  const [learnt, judged] = [inDays(train), inDays(held)]
  expect([learnt.length, judged.length]).toEqual([36, 9])
  const inOrder = [...rows].sort((a, b) => (a.day < b.day ? -1 : 1)).map(({ y }) => y)
  for (const [i, y] of judged.entries()) expect(y).toBeCloseTo(inOrder[36 + i], 3)
})

test('rows of one time are on one side; numbers are times, too, also of a column that is left out', async () => {
  const years = rows.map(({ day, ...row }) => ({ ...row, year: day < '2024-02-05' ? 1 : '2' }))
  const { report } = await trainTable(years, { target: 'y', splitBy: 'year', exclude: ['year'], ...quick })
  expect(report.splitBy).toEqual({ column: 'year', from: '2' })
  expect(report.rows.test).toBe(25)
})

test('what is no time is told', async () => {
  const wrong = (options: object, given: readonly object[] | Blob = rows) =>
    trainTable(given as readonly object[], { target: 'y', ...quick, ...options })
  await expect(wrong({ splitBy: 'dya' })).rejects.toThrow("trainTable: splitBy: there is no column 'dya', only day, x, y")
  await expect(wrong({ splitBy: 3 })).rejects.toThrow('trainTable: splitBy wants the name of a column of dates or numbers, got 3')
  await expect(wrong({ splitBy: 'day', test: rows })).rejects.toThrow('give one of the two')
  const gap = rows.map((row, i) => (i === 7 ? { ...row, day: '' } : row))
  await expect(wrong({ splitBy: 'day' }, gap)).rejects.toThrow(
    "trainTable: splitBy: column 'day' of row 7 wants a date (2024-12-31) or a number, got ''",
  )
  const file = new Blob([`day,y\n${gap.map(({ day, y }) => `${day},${y}`).join('\n')}\n`])
  await expect(wrong({ splitBy: 'day' }, file)).rejects.toThrow("column 'day' of line 9 wants a date")
  const one = rows.map((row) => ({ ...row, day: '2024-01-01' }))
  await expect(wrong({ splitBy: 'day' }, one)).rejects.toThrow(
    "trainTable: splitBy: column 'day' is '2024-01-01' in all rows: none is later than the others",
  )
  await expect(prepareTable(one, { target: 'y', splitBy: 'day' })).rejects.toThrow('prepareTable: splitBy: column')
})
