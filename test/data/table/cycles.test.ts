/** Dates give the cycles that they go through: the day of the week, the time of the year and of the day. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encoderFromState, fromTable } from '../../../ts/data/index.js'
import { loadTableModel, type NumberPrediction, tableToFunction, trainTable } from '../../../ts/table/index.js'
import { cases } from '../../tools/nightly.js'

const DAY = 864e5
const tableOf = (dates: readonly Date[]) => fromTable(dates.map((when, x) => ({ when, x, y: x / 2 })), { target: 'y', inputs: ['when', 'x'] }) // biome-ignore format: one line
const days = (count: number, step = 1) => Array.from({ length: count }, (_, i) => new Date(DAY * (step * i - 3)))

test('a column has the cycles that its dates go through', () => {
  const names = (dates: readonly Date[]) => tableOf(dates).featureNames.slice(1, -1)
  const week = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'].map((day) => `when=${day}`)
  const waves = (of: string) => ['sin', 'cos'].map((wave) => `when: ${wave}(${of})`)
  expect(names(days(14))).toEqual([])
  expect(names(days(15))).toEqual(week)
  expect(names(days(366))).toEqual(week)
  expect(names(days(367))).toEqual([...week, ...waves('year'), ...waves('2 year')])
  expect(names(days(10, 0.25))).toEqual([...waves('day'), ...waves('2 day')])
  // always at one time: numbers of days have a digit less from 10 November 2014 on
  for (let time = 0; time < DAY; time += DAY / 144)
    expect(names(Array.from({ length: 10 }, (_, i) => new Date(DAY * (16_379 + i) + time)))).toEqual([])
})

test('features are those of the calendar, also before 1970 and for later rows', () => {
  const table = tableOf([...days(400), new Date(DAY / 3)])
  const encoder = encoderFromState(JSON.parse(JSON.stringify(table.state())))
  fc.assert(
    fc.property(fc.date({ min: new Date(-1e13), max: new Date(1e13), noInvalidDate: true }), (when) => {
      const [, ...own] = encoder.encode([{ when, x: 0 }])
      expect(own.slice(0, 7).map(Boolean)).toEqual([1, 2, 3, 4, 5, 6, 0].map((day) => day === when.getUTCDay()))
      const time = (when.getTime() % DAY) / DAY
      for (const [i, wave] of [Math.sin, Math.cos].entries()) {
        expect(own[7 + i]).toBeCloseTo(wave((2 * Math.PI * when.getTime()) / DAY / 365.2425), 5)
        expect(own[11 + i]).toBeCloseTo(wave(2 * Math.PI * time), 5)
        expect(own[13 + i]).toBeCloseTo(wave(4 * Math.PI * time), 5)
      }
    }),
    { numRuns: cases(1000) },
  )
  // a mean year is off by a day at most
  const ofYear = (year: number) => encoder.encode([{ when: new Date(Date.UTC(year, 6, 2)), x: 0 }]).slice(8, 12)
  for (const year of [1900, 1996, 2023, 2096])
    for (const [i, x] of ofYear(1970).entries()) expect(Math.abs(ofYear(year)[i] - x)).toBeLessThan(0.05)
})

test('a target of dates has no cycles, nor has a column of numbers with a few dates, which are gaps', () => {
  const target = fromTable(days(400).map((y, x) => ({ x: x / 2, y })), { target: 'y', columns: { y: 'date' } }) // biome-ignore format: one line
  expect(target.state().target).not.toHaveProperty('cycles')
  expect([...target.targets.subarray(0, 5)]).toEqual([-3, -2, -1, 0, 1])
  const rows = Array.from({ length: 400 }, (_, i) => ({ x: i === 7 ? '2024-01-01' : i === 9 ? '2024-03-01' : i / 2, y: i / 3 }))
  const table = fromTable(rows, { target: 'y', missing: 'auto' })
  expect(table.featureNames).toEqual(['x'])
  expect([...encoderFromState(table.state()).encode(rows.slice(10))]).toEqual([...table.inputs.subarray(10)])
})

test('a gap has no place in a cycle, and a damaged state is refused', () => {
  const rows = days(40).map((when, x) => ({ when: x === 7 ? null : when, y: x / 2 }))
  const table = fromTable(rows, { target: 'y', missing: { when: 'median' } })
  expect([...table.inputs.slice(8 * 7 + 1, 8 * 8)]).toEqual(new Array(7).fill(0))
  for (const cycles of ['week', ['month'], [7]]) {
    const [column, ...others] = table.state().columns
    expect(() => encoderFromState({ ...table.state(), columns: [{ ...column, cycles } as never, ...others] })).toThrow(
      'encoderFromState: a column has',
    )
  }
})

test('a day of the year has the same number each year, for an Embedding', () => {
  const rows = days(30).map((when, x) => ({ x, when, y: x / 2 }))
  const table = fromTable(rows, { target: 'y', columns: { when: { as: 'date', size: 5 } }, missing: { when: 'median' } })
  expect(table.embeddings).toEqual([{ name: 'when', feature: 9, count: 367, size: 5 }])
  expect(table.featureNames[9]).toBe('when: day of the year')
  const numberOf = (when: unknown) => table.encode([{ x: 0, when }])[9]
  const ends = ['01-01', '02-28', '03-01', '12-25', '12-31']
  for (const year of [1900, 1969, 2000, 2023]) expect(ends.map((day) => numberOf(`${year}-${day}`))).toEqual([1, 59, 61, 360, 366])
  expect(['2024-02-29', '2024-02-29T23:59', null].map(numberOf)).toEqual([60, 60, 0])
  const numbers = Array.from({ length: 366 }, (_, i) => numberOf(new Date(Date.UTC(2024, 0, 1 + i))))
  expect(numbers).toEqual(numbers.map((_, i) => i + 1))
})

test('trainTable learns holidays of years, in file and JavaScript function', async () => {
  const rows = Array.from({ length: 3660 }, (_, i) => {
    const when = new Date(DAY * (12_000 + i)).toISOString().slice(0, 10)
    return { when, visits: when.endsWith('-12-25') ? 0 : 10 + (i % 2) }
  })
  const { model, report } = await trainTable(rows, { target: 'visits', hidden: [16], epochs: 12, learningRate: 0.02 })
  expect(report.columns[0]).toMatchObject({ as: 'date', decidedBy: 'values', features: 13 })
  const [christmas, before, later] = model.predict(
    ['2015-12-25', '2015-12-20', '2030-12-25'].map((when) => ({ when })),
  ) as NumberPrediction[]
  expect([christmas, later].every(({ value }) => value < 3)).toBe(true)
  expect(before.value).toBeGreaterThan(8)
  const { predict } = await import(`data:text/javascript,${encodeURIComponent(tableToFunction(model))}`)
  for (const when of ['2015-12-25', '1944-02-29', '2031-03-01T12:30', '1850-12-31'])
    expect(predict({ when }).value).toBeCloseTo(model.predict({ when }).value, 4)
})

test('trainTable keeps the length of vectors that was given', async () => {
  const rows = Array.from({ length: 3660 }, (_, i) => ({ when: new Date(DAY * (12_000 + i)), visits: Math.sin(i) }))
  const { model } = await trainTable(rows, { target: 'visits', columns: { when: { size: 4 } }, hidden: [8], epochs: 1 })
  expect(model.saved().features.embedded?.[0].size).toBe(4)
})

test('nets learn the day of the week; file and JavaScript function say the same', async () => {
  const rows = Array.from({ length: 400 }, (_, i) => {
    const when = new Date(DAY * (19_000 + i))
    return {
      when: when.toISOString().slice(0, 10),
      visits: [9, 4, 2, 2, 3, 5, 12][when.getUTCDay()] + Math.cos((2 * Math.PI * i) / 365.2425),
    }
  })
  const { model, report } = await trainTable(rows, { target: 'visits', epochs: 40 })
  expect(report.metrics[0]).toMatchObject({ name: 'R²' })
  expect(report.metrics[0].value).toBeGreaterThan(0.97)
  const source = tableToFunction(model)
  const { predict } = await import(`data:text/javascript,${encodeURIComponent(source)}`)
  const again = await loadTableModel<NumberPrediction>(model.bytes())
  const later = ['1950-02-03', '2024-02-29T13:00', '2031-12-31'].map((when) => ({ when }))
  expect(again.predict(later)).toEqual(model.predict(later))
  const answers = predict(later) as NumberPrediction[]
  for (const [i, { value }] of model.predict(later).entries()) expect(answers[i].value).toBeCloseTo(value, 4)
})
