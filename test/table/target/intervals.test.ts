/** Prediction intervals whose width follows the row. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { Dense, Ensemble, Generator } from '../../../ts/index.js'
import {
  loadTableModel,
  type NumberPrediction,
  type TrainedTable,
  type TrainTableOptions,
  tableToFunction,
  trainTable,
} from '../../../ts/table/index.js'
import { tableModelFrom } from '../../../ts/table/model/model.js'
import { ascending, boundsOf, QUANTILES } from '../../../ts/table/target/intervals.js'

/** Rows whose noise is 20 times as large at one end of x as at the other, or the same everywhere. */
function noisy(count: number, seed: number, follows: boolean) {
  const random = new Generator(seed)
  return Array.from({ length: count }, () => {
    const [x, z] = random.uniforms(2)
    const [e] = random.normals(1)
    return { x, z, y: 3 * z + (follows ? 0.1 + 2 * x ** 2 : 1) * e }
  })
}
const rows = noisy(700, 1, true)
const later = noisy(3000, 2, true)
// the errors of single nets decide the widths, and less dropout puts them further from those of the mean: intervals then hold 8 % too many rows
const small: TrainTableOptions = { target: 'y', hidden: [16], epochs: 15, learningRate: 0.02, dropout: 0.2 }

let byRow: TrainedTable
let byOne: TrainedTable
beforeAll(async () => {
  byRow = await trainTable(rows, { ...small, intervals: 'row' })
  byOne = await trainTable(rows, small)
})

/** Share of rows inside their intervals, and the mean width. */
function held({ model }: TrainedTable, coverage: number, some = later) {
  const answers = model.predict(some, { coverage }) as NumberPrediction[]
  const inside = answers.filter(({ low, high }, i) => some[i].y >= low && some[i].y <= high).length
  return { inside: inside / some.length, width: answers.reduce((sum, { low, high }) => sum + high - low, 0) / some.length }
}

test('intervals are as wide as the noise of similar rows, and hold what they are asked for', () => {
  expect(byRow.report.intervals?.width).toBe('row')
  expect(byRow.report.intervals?.score).toBeLessThan(0.9)
  expect(byOne.report.intervals).toBeUndefined()
  for (const coverage of [0.5, 0.8, 0.9, 0.95]) {
    const [own, one] = [held(byRow, coverage), held(byOne, coverage)]
    // the errors of 560 rows decided: three and a half standard errors
    expect(Math.abs(own.inside - coverage)).toBeLessThan(3.5 * Math.sqrt((coverage * (1 - coverage)) / 560))
    // at low coverages intervals of one width are narrow, because they give up the loud rows
    if (coverage >= 0.9) expect(own.width, `${coverage}`).toBeLessThan(one.width)
  }
  const quiet = later.filter(({ x }) => x < 0.3)
  const loud = later.filter(({ x }) => x > 0.8)
  expect(held(byRow, 0.9, loud).width).toBeGreaterThan(3 * held(byRow, 0.9, quiet).width)
  expect(held(byRow, 0.9, loud).inside).toBeGreaterThan(0.8)
  // of one width: all of the quiet rows, and far too few of the loud ones
  expect(held(byOne, 0.9, quiet).inside).toBeGreaterThan(0.99)
  expect(held(byOne, 0.9, loud).inside).toBeLessThan(0.75)
})

test('predictions are those of a model without such intervals', () => {
  const values = ({ model }: TrainedTable) => (model.predict(later.slice(0, 50)) as NumberPrediction[]).map(({ value }) => value)
  expect(values(byRow)).toEqual(values(byOne))
  for (const { value, low, high } of byRow.model.predict(later.slice(0, 500)) as NumberPrediction[]) {
    expect(low).toBeLessThanOrEqual(value)
    expect(high).toBeGreaterThanOrEqual(value)
  }
})

test('files and JavaScript have the same intervals, and damaged files are refused', async () => {
  const { model } = byRow
  const some = later.slice(0, 40)
  const again = await loadTableModel(model.bytes())
  expect(again.predict(some, { coverage: 0.83 })).toEqual(model.predict(some, { coverage: 0.83 }))
  const folder = mkdtempSync(path.join(tmpdir(), 'gradus-intervals-'))
  try {
    writeFileSync(path.join(folder, 'm.mjs'), tableToFunction(model))
    const { predict } = await import(pathToFileURL(path.join(folder, 'm.mjs')).href)
    for (const coverage of [0.013, 0.5, 0.83, 0.999]) {
      const wanted = model.predict(some, { coverage }) as NumberPrediction[]
      for (const [i, found] of (predict(some, { coverage }) as NumberPrediction[]).entries())
        for (const end of ['value', 'low', 'high'] as const) expect(Math.abs(found[end] - wanted[i][end])).toBeLessThan(1e-5)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const text = JSON.stringify(model.saved())
  expect(() => tableModelFrom(model.net, text)).toThrow('only a part of what intervals')
  expect(() => tableModelFrom(model.net, text, {}, new Ensemble([new Dense(99, QUANTILES)]))).toThrow('the net of intervals wants')
  expect(() => tableModelFrom(model.net, JSON.stringify({ ...model.saved(), corrections: [] }), {}, model.intervals)).toThrow(
    'got a damaged one',
  )
})

test('where the noise is the same everywhere, or rows are few, intervals stay constant', async () => {
  const same = await trainTable(noisy(300, 3, false), { ...small, intervals: 'row' })
  expect(same.report.intervals?.width).toBe('constant')
  expect(same.report.intervals?.score).toBeGreaterThan(0.98)
  const few = await trainTable(rows.slice(0, 90), { ...small, epochs: 2, intervals: 'row' })
  expect(few.report.intervals).toEqual({ width: 'constant' })
  const classes = rows.slice(0, 90).map(({ y, ...row }) => ({ ...row, y: y > 1 ? 'a' : 'b' }))
  await expect(trainTable(classes, { ...small, intervals: 'row' })).rejects.toThrow(
    "intervals is for numbers, and column 'y' has 2 classes",
  )
})

test('a straight line, rows in time and amounts have them, too', async () => {
  const line = await trainTable(rows, { target: 'y', hidden: [], intervals: 'row' })
  expect(line.report.intervals?.width).toBe('row')
  const inTime = rows.slice(0, 400).map((row, t) => ({ ...row, t, y: row.y + t / 20 }))
  const { report } = await trainTable(inTime, { ...small, epochs: 8, splitBy: 't', intervals: 'row' })
  expect(report.intervals?.width).toBeDefined()
  const amounts = rows.map(({ y, ...row }) => ({ ...row, y: Math.exp(y / 2) }))
  const { model } = await trainTable(amounts, { ...small, distribution: 'gamma', intervals: 'row' })
  const answers = model.predict([...amounts, { x: 9, z: -9 }], { coverage: 0.99 }) as NumberPrediction[]
  expect(answers.every(({ low, high }) => low >= 0 && Number.isFinite(high))).toBe(true)
})

test('for any quantiles and corrections an interval is in order', () => {
  // 0 for −0, whose order beside 0 is any
  const number = fc.double({ min: -1e3, max: 1e3, noNaN: true }).map((value) => value + 0)
  const list = (minLength: number, maxLength: number) => fc.array(number, { minLength, maxLength })
  fc.assert(
    fc.property(list(QUANTILES, QUANTILES), list(1, 5), fc.double({ min: 0, max: 1, noNaN: true }), (outputs, corrections, coverage) => {
      const quantiles = ascending(outputs)
      expect([...quantiles]).toEqual([...outputs].sort((a, b) => a - b))
      const [low, high] = boundsOf(quantiles, 0, corrections, coverage)
      expect(low).toBeLessThanOrEqual(high)
    }),
    { seed: 1, numRuns: 200 },
  )
})
