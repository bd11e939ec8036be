/** Tables that are longer than memory: a random sample, its report, and the places of its rows. */
import { describe, expect, test } from 'vitest'
import { inspectTable, prepareTable, reportText, trainTable } from '../../../ts/table/index.js'
import { rowsFrom } from '../../../ts/table/rows/given-rows.js'
import { RowSample, type Taken } from '../../../ts/table/rows/sample.js'

const lines = Array.from({ length: 2000 }, (_, i) => `${i % 50},${(i * 7) % 31},${(i % 50) * 2 + 1}`)
const file = (some = lines) => new Blob([`a,b,y\n${some.join('\n')}\n`])

describe('a sample of rows', () => {
  test('has each row as likely as any other, in their order', () => {
    const counts = new Float64Array(40)
    for (let seed = 0; seed < 500; seed++) {
      const sample = new RowSample(10, seed)
      for (let i = 0; i < 40; i++) sample.add({ i })
      const taken: Taken = {}
      const rows = sample.finish(taken)
      expect(taken.of).toBe(40)
      const places = Array.from(taken.places as ArrayLike<number>)
      expect(places).toEqual(rows.map(({ i }) => i))
      expect(places).toEqual([...places].sort((a, b) => a - b))
      for (const place of places) counts[place]++
    }
    // 125 each; the standard deviation is 10
    for (const count of counts) expect(Math.abs(count - 125)).toBeLessThan(48)
  })

  test('is all rows if there are not more', () => {
    const taken: Taken = {}
    const sample = new RowSample(3, 0)
    for (let i = 0; i < 3; i++) sample.add({ i })
    expect(sample.finish(taken)).toEqual([{ i: 0 }, { i: 1 }, { i: 2 }])
    expect(taken).toEqual({})
  })

  test('by default has ten million values', () => {
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [i, 0]))
    const sample = new RowSample(undefined, 0)
    for (let i = 0; i < 103; i++) sample.add(wide)
    expect(sample.size).toBe(100)
  })
})

describe('a sample of a file above a gigabyte', () => {
  const sizeOf = (columns: number, bytes: number) => {
    const row = Object.fromEntries(Array.from({ length: columns }, (_, i) => [i, 0]))
    const sample = new RowSample(undefined, 0, bytes)
    for (let i = 0; i < 5000; i++) sample.add(row)
    return sample.size
  }

  test('has 400,000 values, of wide rows 2,000 rows', () => {
    expect(sizeOf(160, 1e9)).toBe(5000)
    expect(sizeOf(160, 2e9)).toBe(2500)
    expect(sizeOf(500, 2e9)).toBe(2000)
  })

  test('is taken by default, unless one asks for more rows', async () => {
    const long = Array.from({ length: 4000 }, (_, i) => `${i % 50},${',0'.repeat(298)},${(i % 50) * 2 + 1}`.replace(',,', ','))
    const blob = new Blob([`a,${Array.from({ length: 298 }, (_, i) => `x${i}`).join()},y\n${long.join('\n')}\n`])
    Object.defineProperty(blob, 'size', { value: 2e9 })
    const taken: Taken = {}
    expect(await rowsFrom(blob, {}, taken)).toHaveLength(2000)
    expect(taken.of).toBe(4000)
    expect(await rowsFrom(blob, { sample: 3000 }, {})).toHaveLength(3000)
  })
})

describe('a table of which a sample is taken', () => {
  test('is told in the report', async () => {
    const { report, model } = await trainTable(file(), { target: 'y', hidden: [], sample: 300 })
    expect(report.sampledFrom).toBe(2000)
    expect(report.rows.train + report.rows.test + report.rows.dropped).toBe(300)
    expect(reportText(report).replace(/\s+/g, ' ')).toContain('; a random sample of the 2,000 rows of the table')
    expect(model.predict({ a: 10, b: 1 }).value).toBeCloseTo(21, 0)
    const { report: whole } = await trainTable(file(), { target: 'y', hidden: [], sample: 2000 })
    expect(whole.sampledFrom).toBeUndefined()
  })

  test('is the same for the same seed, from a file and from memory, and may be inspected and prepared', async () => {
    const rows = lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => ['aby'[i], value])))
    const one = await prepareTable(file(), { target: 'y', sample: 200, seed: 3 })
    const two = await prepareTable(rows, { target: 'y', sample: 200, seed: 3 })
    expect(one.train.inputs).toEqual(two.train.inputs)
    expect((await inspectTable(file(), { target: 'y', sample: 100 })).rows).toBe(100)
  })

  test('names the row of the file that is wrong', async () => {
    const wrong = lines.map((line, i) => (i % 2 === 0 ? line : line.replace(/^\d+/, 'many')))
    const message = await inspectTable(file(wrong), { target: 'y', columns: { a: 'number' }, missing: 'fail', sample: 300 }).then(
      () => '',
      (error: Error) => error.message,
    )
    const [, row] = /row (\d+), counted from 1,/.exec(message) ?? []
    expect(message).not.toBe('')
    expect(wrong[Number(row) - 1]).toContain('many')
  })
})
