/** Rows cut in time: trainTable and prepareTable evaluate on the latest rows. */
import { describe, expect, test } from 'vitest'
import { Generator } from '../../../ts/index.js'
import { loadTableModel, prepareTable, reportHtml, tableToFunction, trainTable } from '../../../ts/table/index.js'
import { foldsInTime } from '../../../ts/table/rows/folds.js'
import { errorQuantiles, largestQuantiles } from '../../../ts/table/target/conformal.js'
import { counted } from '../../tools/clocks.js'

/** A number that grows with each day, in unordered rows. */
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
  const { train, held, scale } = await prepareTable(rows, { target: 'y', splitBy: 'day', testFraction: 0.25, validationFraction: 0.2 })
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

test('dates that are written for people are times, also in a column that is left out', async () => {
  const german = rows.map(({ day, ...row }) => ({ day: `${Number(day.slice(8))}.${Number(day.slice(5, 7))}.${day.slice(0, 4)}`, ...row }))
  const options = { target: 'y', splitBy: 'day', exclude: ['day'], ...quick }
  const wanted = await trainTable(rows, options)
  const { report } = await trainTable(german, { ...options, formatted: true })
  expect(report.examples).toEqual(wanted.report.examples)
  expect(report.metrics).toEqual(wanted.report.metrics)
  const { train, held } = await prepareTable(german, { target: 'y', splitBy: 'day', formatted: true })
  expect([train, held]).toEqual(await prepareTable(rows, { target: 'y', splitBy: 'day' }).then((other) => [other.train, other.held]))
  await expect(trainTable(german, options)).rejects.toThrow(
    /splitBy: column 'day' of row 0 wants a date .*; formatted: true reads such columns$/,
  )
})

test('numbers in a column that is left out have the decimal sign that formatted says', async () => {
  const sold = rows.map((row, i) => ({ ...row, sold: i < rows.length / 2 ? `${500 + i}` : `1.${500 + i}` }))
  const { report } = await trainTable(sold, { target: 'y', splitBy: 'sold', exclude: ['sold'], formatted: ',', ...quick })
  expect(report.splitBy?.from).toMatch(/^1\./)
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

/** A number of a series from the twelve before it. */
function lagged(series: readonly number[]) {
  return series.slice(12).map((y, i) => ({
    day: i,
    ...Object.fromEntries(Array.from({ length: 12 }, (_, k) => [`lag${k + 1}`, series[i + 11 - k]])),
    y,
  }))
}

/** Monthly numbers that grow, with a season that grows with them: as AirPassengers (Box & Jenkins 1976). */
function growing(seed: number): number[] {
  const noise = new Generator(seed).normals(144)
  return Array.from(noise, (e, t) => 110 * Math.exp(0.01 * t) * (1 + 0.15 * Math.sin((2 * Math.PI * t) / 12)) * (1 + 0.03 * e))
}

describe('a series that grows', () => {
  test.each([1, 2])('is followed, and intervals hold about what they say (%d)', async (seed) => {
    const rows = lagged(growing(seed))
    const { model, report } = await trainTable(rows, { target: 'y', splitBy: 'day', exclude: ['day'], seed })
    expect(report.metrics[0].value).toBeGreaterThan(0.85)
    expect(report.calibration.bins.find(({ said }) => said === 0.9)?.true).toBeGreaterThanOrEqual(0.75)
    expect(report.candidates.map(({ plan }) => plan)).toContain('a straight line')
    // the file and the function contain the line as well as the nets
    const loaded = await loadTableModel(model.bytes())
    const { predict } = await import(`data:text/javascript,${encodeURIComponent(tableToFunction(model))}`)
    for (const row of rows.slice(-20)) {
      const { value, high } = model.predict(row)
      expect(loaded.predict(row).value).toBe(value)
      expect(predict(row).value / value).toBeCloseTo(1, 5)
      expect(predict(row).high / high).toBeCloseTo(1, 5)
    }
  })

  test('is followed with time, too, and by several kinds of nets', async () => {
    const options = { target: 'y', splitBy: 'day', exclude: ['day'], time: 100 }
    const { report } = await counted(() => trainTable(lagged(growing(3)), options))
    expect(report.metrics[0].value).toBeGreaterThan(0.85)
  })
})

test('a series that does not grow is learnt by nets, too', async () => {
  const noise = new Generator(5).normals(200)
  const level = Array.from(noise, (e, t) => Math.abs(Math.sin((2 * Math.PI * t) / 12)) + 0.05 * e)
  const { report } = await trainTable(lagged(level), { target: 'y', splitBy: 'day', exclude: ['day'] })
  expect(report.candidates).toHaveLength(3)
  expect(report.metrics[0].value).toBeGreaterThan(0.8)
})

describe('the row before', () => {
  /** A random walk, and an unrelated column. */
  const steps = new Generator(7).normals(120)
  const walk: { day: number; x: number; y: number }[] = []
  for (const [day, step] of steps.entries()) walk.push({ day, x: (day * 7) % 5, y: (walk.at(-1)?.y ?? 0) + step })
  const options = { target: 'y', splitBy: 'day', exclude: ['day'], ...quick }

  test('is compared with, by hand, and advised where it is better', async () => {
    const { model, report } = await trainTable(walk, options)
    const [r2, rmse] = report.metrics
    const tested = walk.slice(-report.rows.test)
    const errors = tested.map(({ y }, i) => y - walk[walk.length - tested.length + i - 1].y)
    expect(rmse.before).toBeCloseTo(Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / tested.length), 5)
    const losses = model.predict(tested).map(({ value }, i) => (value - tested[i].y) ** 2 - errors[i] ** 2)
    expect(Math.sign(report.compared?.before?.difference ?? 0)).toBe(-Math.sign(losses.reduce((a, b) => a + b, 0)))
    expect(report.advice.join('\n')).toMatch(
      /To repeat the 'y' of the row before is better: R² .* beside -?.* of the model\. Predict the change of/,
    )
    expect(reportHtml(report)).toContain('the row before')
    expect(r2.before).toBeGreaterThan(r2.value)
  })

  test('is left out where rows share a time, of classes, and of rows at random', async () => {
    const twice = walk.map((row, i) => ({ ...row, day: Math.floor(i / 2) }))
    const classes = walk.map((row) => ({ ...row, y: row.y > 0 ? 'up' : 'down' }))
    const { splitBy: _, ...random } = options
    for (const [rows, how] of [
      [twice, options],
      [classes, options],
      [walk, random],
    ] as const) {
      const { metrics, compared } = (await trainTable(rows, how)).report
      expect(metrics[0].before ?? compared?.before).toBeUndefined()
    }
  })
})

test('intervals of a series whose blocks are unlike one another are as wide as those of the widest', () => {
  const blocks = [1, 3, 2].map((size) => Float64Array.from({ length: 40 }, (_, i) => (size * (i + 1)) / 40))
  expect(largestQuantiles(blocks)).toEqual(errorQuantiles(blocks[1].slice()))
})

test('a series whose errors grow has intervals that hold enough of the latest', async () => {
  // like unemployment: the uncertainty grows in the middle and at the end
  const noise = new Generator(11).normals(400)
  const series: number[] = []
  for (const [t, e] of noise.entries()) series.push((series.at(-1) ?? 10) + 0.1 + (t % 150 > 90 ? 2 : 0.5) * e)
  const { report } = await trainTable(lagged(series), { target: 'y', splitBy: 'day', exclude: ['day'], epochs: 5 })
  expect(report.calibration.bins.find(({ said }) => said === 0.9)?.true).toBeGreaterThanOrEqual(0.8)
})

test('folds in time are blocks, of which the latest decides; rows of one time are together', () => {
  const times = [1, 1, 2, 3, 4, 5, 6, 6, 6, 7]
  const grows = Float32Array.from(times, (time) => time - 4)
  const { folds, from } = foldsInTime(times, grows) as NonNullable<ReturnType<typeof foldsInTime>>
  expect(folds.map(({ validation }) => [...validation])).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
    [6, 7, 8, 9],
  ])
  expect(from).toBe(6)
  for (const { train, validation } of folds) expect([...train, ...validation].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  // for classes, too, the latest block decides; for numbers without a trend all blocks decide
  expect(foldsInTime(times, new Int32Array(10))?.from).toBe(6)
  expect(foldsInTime(times, Float32Array.of(1, -1, 1, -1, 1, -1, 1, -1, 1, -1))).toEqual({ folds, from: 0 })
  expect(foldsInTime([3, 3, 3, 3], new Float32Array(4))).toBeNull()
  const long = Float64Array.from({ length: 20_000 }, (_, i) => i)
  const many = foldsInTime(long, Float32Array.from(long)) as NonNullable<ReturnType<typeof foldsInTime>>
  expect(many.folds.map(({ train, validation }) => [train.at(-1), validation[0], validation.at(-1)])).toEqual([[16_999, 17_000, 19_999]])
  expect(many.from).toBe(0)
})

test('prepareTable names the column of each input: no other input changes with the column', async () => {
  for (const [count, target, kind] of [
    [40, 'y', 'number'],
    [400, 'y', 'number'],
    [400, 'kind', 'category'],
  ] as const) {
    const rows = Array.from({ length: count }, (_, i) => ({ x: (i * 37) % 101, z: (i * 11) % 97, kind: 'abc'[i % 3], y: (i * i) % 53 }))
    const { width, columns, train } = await prepareTable(rows, { target, columns: { [target]: kind } })
    expect(columns).toHaveLength(width)
    for (const column of ['x', 'z'] as const) {
      const changed = rows.map((row) => ({ ...row, [column]: row[column] ** 2 + 1 }))
      const other = await prepareTable(changed, { target, columns: { [target]: kind } })
      const moved = columns.filter((_, i) =>
        Array.from({ length: train.count }, (_, row) => row * width + i).some((at) => train.inputs[at] !== other.train.inputs[at]),
      )
      expect(new Set(moved)).toEqual(new Set([column]))
    }
  }
})
