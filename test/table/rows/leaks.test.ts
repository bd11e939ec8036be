/** Columns that give the target away, and rows that look mislabelled. */
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromTable } from '../../../ts/data/index.js'
import { Generator } from '../../../ts/index.js'
import { inspectTable, reportHtml, type TableProgress, trainTable } from '../../../ts/table/index.js'
import { leaksIn } from '../../../ts/table/rows/leaks.js'

const random = new Generator(1)
const draws = Array.from(random.uniforms(1200))
/** Two informative columns; classes and numbers that follow from them, with noise. */
const rows = Array.from({ length: 300 }, (_, i) => {
  const [a, b, u, v] = draws.slice(4 * i)
  return { a, b, kind: a + b + (u - 0.5) / 8 > 1 ? 'high' : 'low', y: 10 * a + 5 * b + v }
})
const small = { hidden: [8], epochs: 10, learningRate: 0.03 } as const

test('a column that is a copy of the target, in whatever form, is named before training', async () => {
  const leaky = rows.map((row, i) => ({ ...row, log: Math.log(2 + row.y), code: row.kind === 'high' ? `H${i % 3}` : 'L' }))
  for (const [target, column, exclude] of [
    ['y', 'log', 'code'],
    ['kind', 'code', 'log'],
  ] as const) {
    const seen: TableProgress[] = []
    const options = {
      ...small,
      target,
      exclude: [exclude, target === 'y' ? 'kind' : 'y'],
      onProgress: (progress: TableProgress) => void seen.push(progress),
    }
    const { report } = await trainTable(leaky, options)
    expect(report.leaks).toEqual([{ column, explained: expect.toSatisfy((x: number) => x > 0.98 && x <= 1) }])
    expect(report.advice[0]).toMatch(
      new RegExp(`^Column '${column}' alone explains (more than )?\\d+ % of '${target}'. If it is known only after`),
    )
    expect(report.advice[0]).toContain(`\`exclude: ['${column}']\``)
    expect(report.advice.join()).not.toContain('Nearly all comes from')
    const training = seen.findIndex(({ phase }) => phase === 'training')
    expect(seen.slice(0, training).some(({ leaks }) => leaks[0]?.column === column)).toBe(true)
    const { columns } = await inspectTable(leaky, { target, exclude: options.exclude })
    expect(columns.find(({ name }) => name === column)?.notes.join()).toContain('leave it out if it is known only afterwards')
    expect(columns.filter(({ notes }) => notes.join().includes('alone explains'))).toHaveLength(1)
  }
})

test('honest columns, names and few rows are no leaks', async () => {
  const honest = await trainTable(rows, { ...small, target: 'y', exclude: ['kind'] })
  expect(honest.report.leaks).toBeUndefined()
  const given = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.double({ min: -9, max: 9, noNaN: true }), fc.boolean()), {
    minLength: 20,
    maxLength: 150,
  })
  fc.assert(
    fc.property(given, fc.nat(9), (cells, seed) => {
      const noise = new Generator(seed).normals(cells.length)
      const table = cells.map(([k, x, isOn], i) => ({ id: `n${i}`, k: `k${k}`, x, isOn, y: noise[i] }))
      expect(leaksIn(fromTable(table, { target: 'y', columns: { y: 'number', id: 'category' }, missing: 'auto' }))).toEqual([])
    }),
    { numRuns: 60, seed: 1 },
  )
})

test('rows with another label than nets would give are named, the surest first, and so are mistaken digits', async () => {
  const wrong = [17, 40, 101, 250]
  const labels = rows.map(({ a, b, kind }, i) => ({ a, b, kind: wrong.includes(i) ? (a + b > 1 ? 'low' : 'high') : kind }))
  // rows to test with are no training rows
  const { report } = await trainTable(labels, { ...small, epochs: 30, target: 'kind', test: rows.slice(0, 60) })
  const found = (report.suspects ?? []).map(({ row }) => row)
  expect(wrong.filter((row) => found.includes(row)).length).toBeGreaterThanOrEqual(3)
  expect(found.length).toBeLessThan(15)
  const first = report.suspects?.[0]
  expect(wrong).toContain(first?.row)
  expect(first?.probabilities?.predicted).toBeGreaterThan((first?.probabilities?.given ?? 1) + 0.5)
  expect(report.advice.join('\n')).toMatch(new RegExp(`rows look mislabelled, such as row ${first?.row}: '(low|high)' there, and`))
  expect(reportHtml(report)).toContain('Rows that look mislabelled')

  const digits = rows.map(({ a, b, y }, i) => ({ a, b, y: i === 33 ? 100 * y : y }))
  const { report: ofNumbers } = await trainTable(digits, { ...small, target: 'y', metric: 'mae', test: rows.slice(0, 60) })
  expect(ofNumbers.suspects?.[0].row).toBe(33)
  expect(ofNumbers.suspects?.[0].given).toBeCloseTo(100 * rows[33].y, 0)
})

test('lines of a file, and no suspects among clean rows', async () => {
  const file = path.join(tmpdir(), `gradus-suspects-${process.pid}.csv`)
  writeFileSync(file, ['a,b,y', ...rows.map(({ a, b, y }, i) => `${a},${b},${i === 33 ? 100 * y : y}`)].join('\n'))
  const { report } = await trainTable(file, { ...small, target: 'y', metric: 'mae', test: rows.slice(0, 60) })
  rmSync(file)
  expect(report.suspects?.[0].row).toBe(33)
  expect(report.advice.join('\n')).toMatch(/looks? mislabelled, such as line 35: /)
  // where classes are hard to tell apart, a surprise is no mistake
  const hard = rows.map(({ a, b, kind }, i) => ({ a, b, kind: (i * 0.618) % 1 < 0.25 ? 'high' : kind }))
  expect((await trainTable(hard, { ...small, target: 'kind' })).report.suspects).toBeUndefined()
  const { report: clean } = await trainTable(rows, { ...small, target: 'y', exclude: ['kind'] })
  expect(clean.suspects).toBeUndefined()
})
