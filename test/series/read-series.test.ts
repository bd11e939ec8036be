/** Reading of series: what is found, what is told, and what is refused. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RandomStream } from '../../ts/common/random-stream.js'
import { calendarOf, countSteps, findCalendar, oneStep, placeOf, readTimes, stepName, timeAt, timeText } from '../../ts/series/calendar.js'
import { PERIODS } from '../../ts/series/options.js'
import { type Columns, filled, type Reading, readSeries } from '../../ts/series/read-series.js'

const DAY = 864e5
const iso = (time: number) => new Date(time).toISOString().slice(0, 10)
const read = (rows: object[], columns: Partial<Columns> = {}, reading: Partial<Reading> = {}) =>
  readSeries('forecast', rows, { time: 't', values: ['y'], by: [], known: [], fixed: [], ...columns }, { combine: 'sum', ...reading })
const months = (count: number, y = (i: number) => i as unknown) =>
  Array.from({ length: count }, (_, i) => ({ t: iso(Date.UTC(2000, i)), y: y(i) }))

describe('times', () => {
  const grid = (texts: unknown[]) => {
    const { values, form } = readTimes('forecast', 't', texts)
    return { ...findCalendar('forecast', [values], form), values }
  }
  const NEXT: [string, unknown[], string, unknown][] = [
    ['months', ['2020-01-01', '2020-02-01', '2020-03-01'], 'month', '2020-04-01'],
    ['last days of months', ['2020-01-31', '2020-02-29', '2020-03-31'], 'month', '2020-04-30'],
    ['months without days', ['2019-11', '2019-12', '2020-01'], 'month', '2020-02'],
    ['months by name', ['Nov 2019', 'Dec 2019', 'Jan 2020'], 'month', '2020-02'],
    ['months of years of two digits', ['Nov-19', 'Dec-19', 'Jan-20'], 'month', '2020-02'],
    ['quarters by the month', ["Dec '98", "Mar '99", 'Jun 00'], 'quarter', '2000-09'],
    ['German months', ['Okt. 2019', 'November 2019', 'Dez 2019'], 'month', '2020-01'],
    ['German months with an umlaut', ['Februar/2020', 'März/2020', 'April/2020'], 'month', '2020-05'],
    ['French months', ['déc. 2019', 'janv. 2020', 'févr. 2020'], 'month', '2020-03'],
    ['French months of summer', ['juin 2020', 'juil. 2020', 'août 2020'], 'month', '2020-09'],
    ['months by name, the year first', ['2019 Nov', '2019 Dec', '2020 Jan'], 'month', '2020-02'],
    ['fractions of years, as R writes them', [1949, 1949.08333, 1949.16667], 'month', '1949-04'],
    ['quarters', ['2019 Q3', '2019 Q4', '2020Q1'], 'quarter', '2020 Q2'],
    ['weeks', ['2020-W52', '2020-W53', '2021-W01'], 'week', '2021-01-11'],
    ['days', ['2020-02-27', '2020-02-28', '2020-02-29'], 'day', '2020-03-01'],
    ['days, the day first', ['27.02.2020', '28.02.2020', '29.02.2020'], 'day', '2020-03-01'],
    ['hours', ['2020-01-01 22:00', '2020-01-01 23:00', '2020-01-02 00:00'], 'hour', '2020-01-02 01:00'],
    ['half hours', ['2020-01-01T23:00:00Z', '2020-01-01T23:30:00Z', '2020-01-02T00:00:00Z'], '30 minutes', '2020-01-02 00:30'],
    ['years', ['2018-01-01', '2019-01-01', '2020-01-01'], 'year', '2021-01-01'],
    ['numbers', [1949, 1950, 1951], 'unit', 1952],
    ['texts of numbers', ['10', '15', '20'], '5 units', 25],
    ['Dates', [new Date(0), new Date(DAY), new Date(2 * DAY)], 'day', '1970-01-04'],
  ]
  test.each(NEXT)('%s are found, and go on', (_, texts, step, next) => {
    const { values, ...calendar } = grid(texts)
    expect(stepName(calendar)).toBe(step)
    expect(timeText(calendar, placeOf(calendar, values[2]) + 1)).toBe(next)
  })

  test('steps have an article or a number, and several of them a plural', () => {
    expect(['month', 'hour', 'unit', '2 weeks'].map(oneStep)).toEqual(['a month', 'an hour', 'a unit', '2 weeks'])
    expect([countSteps(1, 'hour'), countSteps(3, 'month'), countSteps(3, '2 weeks')]).toEqual(['1 hour', '3 months', '3 × 2 weeks'])
  })

  test('weekdays skip Saturday and Sunday', () => {
    const days = Array.from({ length: 28 }, (_, i) => Date.UTC(2024, 0, 1) + i * DAY).filter((time) => new Date(time).getUTCDay() % 6 !== 0)
    const { values, ...calendar } = grid(days.map(iso))
    expect(stepName(calendar)).toBe('weekday')
    const last = placeOf(calendar, values[values.length - 1])
    expect([1, 2].map((h) => timeText(calendar, last + h))).toEqual(['2024-01-29', '2024-01-30'])
  })

  test('each place of each calendar has a time that has this place', () => {
    const random = new RandomStream(1)
    const calendars = [
      ...PERIODS.map(calendarOf),
      { kind: 'weekday', step: 1, phase: 9 * 36e5, within: 0, form: 'instant' } as const,
      { kind: 'month', step: 1, phase: 0, within: -1, form: 'day' } as const,
      { kind: 'month', step: 3, phase: 2, within: 14 * DAY, form: 'day' } as const,
      { kind: 'number', step: 0.1, phase: 0.05, within: 0, form: 'number' } as const,
    ]
    for (const calendar of calendars)
      for (let i = 0; i < 300; i++) {
        const place = Math.floor(4000 * (random.uniform() - 0.5))
        expect(placeOf(calendar, timeAt(calendar, place))).toBe(place)
      }
  })

  test.each([
    ['2024-02-30', /row 1: 't' wants a date .* got '2024-02-30'/],
    ['soon', /row 1: 't' wants a date .* got 'soon'/],
    ['', /got ''/],
    [null, /got null/],
    [{}, /got an object/],
    [Number.NaN, /got NaN/],
    [new Date(Number.NaN), /row 1/],
    [5, /written in one way, got 5 after '2024-01-01'/],
    ['2024-W54', /got '2024-W54'/],
    ['2024-13', /got '2024-13'/],
    ['0050-01', /got '0050-01'/],
    [new Date(8.64e15), /row 1/],
    ['jui 2024', /got 'jui 2024'/],
    ['Marzipan 2024', /got 'Marzipan 2024'/],
    ['x\u001b[31m', /\\u001b/],
  ])('time %# is refused', (value, message) => {
    expect(() => readTimes('forecast', 't', ['2024-01-01', value])).toThrow(message)
  })

  test('a month of two digits that may be a day is refused', () => {
    const days = ['Jan-30', 'Jan-31', 'Feb-01', 'Feb-02']
    expect(() => readTimes('forecast', 't', days)).toThrow(
      /row 1: 't' wants months, got 'Jan-31' after 'Jan-30', which may be days of one month/,
    )
    expect(() => readTimes('forecast', 't', ['Jan-21', 'Jan-21', 'Feb-21'])).not.toThrow()
    expect(() => readTimes('forecast', 't', ['Jan 2021', 'Jan 2022', 'Jan 2023'])).not.toThrow()
    // weeks, with two series a day
    expect(() => readTimes('forecast', 't', ['Jan-03', 'Jan-03', 'Jan-10', 'Jan-10', 'Jan-17', 'Jan-17'])).toThrow(/may be days/)
  })

  test('months of two digits of several series, one after the other or in no order, are months', () => {
    const names = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
    const written = (count: number) => Array.from({ length: count }, (_, i) => `${names[i % 12]}-${22 + Math.floor(i / 12)}`)
    const { values, form } = readTimes('forecast', 't', [...written(25), ...written(25), ...written(13)])
    expect([form, values[24], values[25]]).toEqual(['month', Date.UTC(2024, 0), Date.UTC(2022, 0)])
    const mixed = written(36).sort(
      (a, b) => Math.sin(a.charCodeAt(1) * Number(a.slice(4))) - Math.sin(b.charCodeAt(1) * Number(b.slice(4))),
    )
    expect(readTimes('forecast', 't', mixed).form).toBe('month')
  })

  test('a day that may be a month is refused', () => {
    expect(() => readTimes('forecast', 't', ['01/02/2024', '02/02/2024'])).toThrow(
      /may begin with the day or the month; write dates as 2024-12-31/,
    )
  })

  test('a frequency that changes, and irregular times, are refused', () => {
    const changed = [...months(12).map(({ t }) => t), ...Array.from({ length: 30 }, (_, i) => iso(Date.UTC(2001, 0, 1) + i * DAY))]
    expect(() => grid(changed)).toThrow(/one frequency, got steps of a day and, at 2000-\d\d-01, of \d\d days; give every: 'month'/)
    const random = new RandomStream(2)
    let time = Date.UTC(2000, 0)
    const irregular = Array.from({ length: 50 }, () => iso((time += DAY * Math.ceil(30 * random.uniform()))))
    expect(() => grid(irregular)).toThrow(/times want regular steps, .*every: 'day', 'week' or 'month'/)
  })
})

describe('rows', () => {
  test('numbers that may be days of Excel are told, others are not', () => {
    const notes = (first: number, step = 1) => read(Array.from({ length: 9 }, (_, i) => ({ t: first + i * step, y: i }))).notes
    expect(notes(45658)[1]).toMatch(/^45658 may be 2025-01-01 in Excel's days/)
    expect(notes(36526)[1]).toMatch(/2000-01-01/)
    for (const [first, step] of [[0], [1990], [36525], [55146], [45658.5], [45658, 0.5]]) expect(notes(first, step)).toHaveLength(1)
  })

  test('one series, its frequency told', () => {
    const { series, notes, seasons } = read(months(24))
    expect(series).toHaveLength(1)
    expect([...series[0].values]).toEqual(Array.from({ length: 24 }, (_, i) => i))
    expect(notes).toEqual(['Times are a month apart'])
    expect(seasons).toEqual([12, 1])
  })

  test('long and wide rows give the same series', () => {
    const wide = months(12).map(({ t }, i) => ({ t, a: i, b: 2 * i }))
    const long = wide.flatMap(({ t, a, b }) => [
      { t, key: 'a', y: a },
      { t, key: 'b', y: b },
    ])
    expect(read(long, { by: ['key'] }).series).toEqual(read(wide, { values: ['a', 'b'] }).series)
  })

  test('any order of the rows gives the same series, and is told', () => {
    const rows = months(30).flatMap(({ t, y }) => [
      { t, y, k: 1 },
      { t, y: -Number(y), k: 2 },
    ])
    const order = new RandomStream(3).permutation(rows.length)
    const mixed = read(
      [...order].map((i) => rows[i]),
      { by: ['k'] },
    )
    const byKey = ({ series }: typeof mixed) => Object.fromEntries(series.map((one) => [one.key[0], one]))
    expect(byKey(mixed)).toEqual(byKey(read(rows, { by: ['k'] })))
    expect(mixed.notes.join()).toContain('Rows of 2 series were not in the order of time; they were sorted')
  })

  test('gaps are filled in between neighbors, whether a row is absent or empty', () => {
    const rows = months(30, (i) => (i === 5 ? '' : i === 9 ? 'NA' : i)).filter((_, i) => i !== 20)
    const { series } = read(rows)
    expect([...series[0].gaps].flatMap((gap, i) => (gap ? [i] : []))).toEqual([5, 9, 20])
    // a line is filled in by a line
    for (const [i, value] of series[0].values.entries()) expect(value).toBeCloseTo(i, 12)
  })

  test('a gap in a growing season is filled in by the season before, on the line of the neighbors', () => {
    const rule = (i: number) => 2 * i + [0, 5, -3, 9][i % 4]
    const values = Float64Array.from({ length: 40 }, (_, i) => rule(i))
    const gaps = Uint8Array.from(values, (_, i) => Number([7, 8, 20, 33].includes(i)))
    const holed = values.map((value, i) => (gaps[i] ? 0 : value))
    for (const [i, value] of filled(holed, gaps, 4).entries()) expect(value).toBeCloseTo(values[i], 9)
  })

  test('what comes after a known value has no part in the gaps before it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: -9, max: 9, noNaN: true }), fc.boolean()), { minLength: 6, maxLength: 60 }),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(),
        (cells, season, cut) => {
          const gaps = Uint8Array.from(cells, ([, isGap], i) => Number(isGap && i > 0 && i < cells.length - 1))
          const values = Float64Array.from(cells, ([value], i) => (gaps[i] ? 0 : value))
          let end = 1 + (cut % values.length)
          while (gaps[end - 1] === 1) end--
          expect(filled(values, gaps, season).slice(0, end)).toEqual(filled(values.slice(0, end), gaps.slice(0, end), season))
        },
      ),
      { numRuns: 500, seed: 20261205 },
    )
  })

  test('a long gap takes linear time', () => {
    const [values, gaps] = [new Float64Array(1e6), new Uint8Array(1e6).fill(1)]
    gaps[0] = gaps[1e6 - 1] = 0
    values[1e6 - 1] = 1e6 - 1
    expect(filled(values, gaps, 1)[4321]).toBeCloseTo(4321, 6)
  })

  test('every adds rows up, and leaves out a period that is covered in part', () => {
    const days = Array.from({ length: 150 }, (_, i) => ({ t: iso(Date.UTC(2020, 0, 1) + i * DAY), y: 1 }))
    const { series, notes } = read(days, {}, { every: 'month' })
    expect([...series[0].values]).toEqual([31, 29, 31, 30])
    expect(notes.join('\n')).toMatch(/rows cover only a part of 2020-05, which is left out\n150 rows became 4 months/)
    expect([...read(days, {}, { every: 'month', combine: 'mean' }).series[0].values]).toEqual([1, 1, 1, 1])
  })

  test('a last week without its last day counts, and is told; a shop that is closed on Sundays has none', () => {
    const notes = (count: number, isOpen = (_day: number) => true) => {
      const days = Array.from({ length: count }, (_, i) => ({ t: iso(Date.UTC(2024, 0, 1) + i * DAY), y: 1 })).filter((_, i) =>
        isOpen(i % 7),
      )
      return read(days, {}, { every: 'week' }).notes.join('\n')
    }
    expect(notes(41)).toMatch(
      /rows of 2024-02-05, which counts as whole, end earlier than those of all others; leave it out if some are to come/,
    )
    expect(notes(42)).not.toMatch(/earlier/)
    expect(notes(41, (day) => day < 6)).not.toMatch(/earlier/)
  })

  test('hours of 23 years are added up', () => {
    const rows = Array.from({ length: 200_000 }, (_, hour) => ({ t: new Date(Date.UTC(2000, 0, 1, hour)).toISOString(), y: 1 }))
    expect(read(rows, {}, { every: 'hour' }).series[0].values.length).toBe(200_000)
  })

  test.each([
    ['week', '2024-01-01', '2024-03-29', 13],
    // a Thursday may be before a holiday, a Wednesday is half of a week
    ['week', '2024-01-01', '2024-03-28', 13],
    ['week', '2024-01-01', '2024-03-27', 12],
    ['week', '2024-01-03', '2024-03-29', 12],
    // Saturday is the first of June, Sunday the last
    ['month', '2024-06-03', '2024-11-29', 6],
    ['month', '2024-06-05', '2024-11-27', 4],
  ] as const)('Mondays to Fridays by %s from %s to %s are %i periods', (every, first, last, count) => {
    const days = Array.from({ length: 400 }, (_, d) => Date.parse(first) + d * DAY).filter((time) => time <= Date.parse(last))
    const weekdays = days.filter((time) => ![0, 6].includes(new Date(time).getUTCDay()))
    expect(
      read(
        weekdays.map((time) => ({ t: iso(time), y: 1 })),
        {},
        { every },
      ).series[0].values,
    ).toHaveLength(count)
  })

  test.each([
    ['2024-01-01', '2024-06-03', 5],
    ['2024-01-01', '2024-06-10', 5],
    ['2024-01-01', '2024-06-17', 6],
    ['2024-01-15', '2024-06-24', 5],
  ] as const)('Mondays alone from %s to %s are %i months', (first, last, count) => {
    const mondays = Array.from({ length: 30 }, (_, i) => Date.parse(first) + 7 * i * DAY).filter((time) => time <= Date.parse(last))
    const rows = mondays.map((time) => ({ t: iso(time), y: 1 }))
    expect(read(rows, {}, { every: 'month' }).series[0].values).toHaveLength(count)
  })

  test('periods are by days with values, whatever rows tell of the future; known columns have their means', () => {
    const random = new RandomStream(3)
    for (let i = 0; i < 40; i++) {
      const [count, more] = [160 + 60 * random.uniform(), 1 + 40 * random.uniform()].map(Math.floor)
      const days = Array.from({ length: count + more }, (_, d) => ({
        t: iso(Date.UTC(2024, 0, 1) + d * DAY),
        y: d < count ? random.uniform() : null,
        p: Number(random.uniform() < 0.3),
      }))
      const every = i % 2 === 0 ? 'week' : 'month'
      const { series, notes } = read(days, { known: ['p'] }, { every })
      const past = read(days.slice(0, count), {}, { every })
      expect(series[0].values).toEqual(past.series[0].values)
      expect(notes.filter((note) => note.includes('a part of'))).toEqual(past.notes.filter((note) => note.includes('a part of')))
      const first = days.slice(0, every === 'week' ? 7 : 31).map(({ p }) => p)
      expect(series[0].known[0][0]).toBeCloseTo(first.reduce((a, b) => a + b, 0) / first.length, 12)
    }
  })

  test('future rows give known columns, and no gaps', () => {
    const rows = [...months(12).map((row, i) => ({ ...row, price: i })), { t: '2001-01-01', y: '', price: 50 }]
    const { series } = read(rows, { known: ['price'] })
    expect(series[0].values).toHaveLength(12)
    expect([...series[0].known[0]]).toEqual([...Array(12).keys(), 50])
  })

  const REFUSED: [string, () => unknown, RegExp][] = [
    ['no rows', () => read([]), /forecast: there are no rows/],
    ['no array', () => read('x' as never), /wants rows in an array/],
    ['a row that is none', () => read([null as never]), /row 0 wants an object/],
    ['a misspelled column', () => read(months(9), { time: 'T' }), /time wants a column of the rows, got 'T'/],
    ['a column twice', () => read(months(9), { by: ['y'] }), /by wants a column of its own, got 'y', which is value already/],
    ['a text', () => read(months(9, (i) => (i === 3 ? 'many' : i))), /row 3: 'y' wants a finite number, got 'many'/],
    ['a comma', () => read(months(9, () => '1,5')), /decimal: ','/],
    ['infinity', () => read(months(9, () => Infinity)), /row 0: 'y' wants a finite number, got Infinity/],
    ['a huge number', () => read(months(9, () => '1e999')), /finite number/],
    ['an object', () => read(months(9, () => ({}))), /finite number, got an object/],
    [
      'a time twice',
      () => read([...months(9), ...months(1)]),
      /row 9: 't' wants each time once, got 2000-01-01 as in row 0; name the column/,
    ],
    ['one row', () => read(months(1)), /the series has 1 value, and a forecast wants at least 4/],
    [
      'a table whose keys have one row each',
      () =>
        read(
          [
            { ...months(1)[0], k: 'b\u001b' },
            { ...months(1)[0], k: 'a' },
          ],
          { by: ['k'] },
        ),
      /'b\\u001b' has 1 value, .* leave this series out/,
    ],
    [
      'a key that is empty',
      () =>
        read(
          months(9).map((row) => ({ ...row, k: '' })),
          { by: ['k'] },
        ),
      /row 0: 'k' names the series and is empty/,
    ],
    ['gaps alone', () => read(months(9, () => null)), /has 0 values/],
    ['mostly gaps', () => read(months(90, (i) => (i % 3 === 0 ? 1 : null))), /no value at 58 of 88 times/],
    ['a wrong year', () => read([...months(30), { t: '9999-01-01', y: 1 }]), /nearly all of them gaps; is a time wrong/],
    [
      'an empty known column',
      () =>
        read(
          months(9).map((row) => ({ ...row, p: '' })),
          { known: ['p'] },
        ),
      /row 0: 'p' is a known column and is empty/,
    ],
    [
      'a static column that changes',
      () =>
        read(
          months(9).map((row, i) => ({ ...row, p: i })),
          { fixed: ['p'] },
        ),
      /row 1: 'p' wants one value for each series, got '1' after '0'; name it in known/,
    ],
  ]
  test.each(REFUSED)('%s is refused', (_, work, message) => {
    expect(work).toThrow(message)
  })
})

describe('any rows', () => {
  const ODD: readonly unknown[] = [
    ...[
      null,
      undefined,
      '',
      ' ',
      'NA',
      0,
      -0,
      1,
      -3.5,
      1e300,
      '1e300',
      '1,5',
      '1.234,5',
      true,
      7n,
      Number.NaN,
      -Infinity,
      [],
      {},
      [1],
      () => 1,
    ],
    ...[
      Symbol('s'),
      new Date(Number.NaN),
      new Date(8.64e15),
      '2024-01-01',
      '2024-02-30',
      '0001-01-01',
      '9999-12-31',
      '2024-W53',
      '31.12.2024',
    ],
    ...['12/31/24', '2024 Q5', '2024-12-31 25:00', '\u0000\u001b[2J', '\u202e', 'x'.repeat(5000), '__proto__', 2 ** 53, 1e15, 1949.0833],
  ]
  test('are series of finite values, or an error that begins with the caller and has no control characters', () => {
    const random = new RandomStream(8)
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random.uniform() * list.length)]
    const day = (i: number) => iso(Date.UTC(2024, 0, 1) + i * DAY)
    const makers: ((i: number) => unknown)[] = [
      (i) => i,
      day,
      (i) => new Date(Date.UTC(2024, i)),
      (i) => `2024-${String((i % 12) + 1).padStart(2, '0')}`,
      () => pick(ODD),
    ]
    let [read_, refused] = [0, 0]
    for (let run = 0; run < 600; run++) {
      const [time, odd, count] = [pick(makers), random.uniform() ** 3, Math.floor(24 * random.uniform())]
      const cell = (good: unknown) => (random.uniform() < odd / 4 ? pick(ODD) : good)
      const rows = Array.from({ length: count }, (_, i) => ({ t: cell(time(i)), y: cell(random.normal()), k: cell('a'), p: cell(i) }))
      const columns = { by: pick([[], ['k']]), known: pick([[], [], ['p']]), fixed: pick([[], [], ['k'], ['p']]) }
      const every = pick([undefined, undefined, ...PERIODS])
      try {
        const { series, notes } = read(rows, columns, every === undefined ? {} : { every })
        for (const { values, gaps } of series) expect(values.every(Number.isFinite) && gaps.length === values.length).toBe(true)
        expect(notes.length).toBeGreaterThan(0)
        read_++
      } catch (error) {
        if (!(error instanceof TypeError || error instanceof RangeError)) throw error
        expect(error.message).toMatch(/^forecast: [^\p{Cc}\u202e]{5,700}$/u)
        refused++
      }
    }
    expect(read_).toBeGreaterThan(20)
    expect(refused).toBeGreaterThan(60)
  })
})
