/** Forecasts from rows to file: what they keep to, what they refuse, and that no model sees what it is judged by. */
import { beforeAll, describe, expect, test } from 'vitest'
import { RandomStream } from '../../ts/common/random-stream.js'
import { decodeState, encodeState, load } from '../../ts/index.js'
import { calendarOf } from '../../ts/series/calendar.js'
import { fitClassics, forecastsOf, judge, MODELS } from '../../ts/series/ensemble.js'
import { type ForecastOptions, forecast, loadSeriesModel, reportHtml, reportText, type SeriesModel } from '../../ts/series/index.js'
import { errorsOf, scalesOf } from '../../ts/series/measures.js'
import { netForecasts, planNet, trainNet } from '../../ts/series/net.js'
import type { SeriesReport } from '../../ts/series/report.js'
import { RULES } from '../../ts/series/show-report.js'

beforeAll(() => load({ reproducible: true }))

const HOW: ForecastOptions = { time: 't', value: 'y', horizon: 4, season: 4 }
const rowsOf = (count: number, y: (t: number) => number | null, more: object = {}) =>
  Array.from({ length: count }, (_, t) => ({ t, y: y(t), ...more }))
/** A trend, a season of four and noise. */
function noisy(count: number, seed: number, noise = 2) {
  const random = new RandomStream(seed)
  return Float64Array.from({ length: count }, (_, t) => 50 + 0.5 * t + 8 * Math.sin((t * Math.PI) / 2) + noise * random.normal())
}

describe('forecast', () => {
  test.each([
    ['that rises', 10, 2],
    ['that falls below zero', 30, -1],
    ['that is flat', 5, 0],
    ['of zeros', 0, 0],
    ['of large numbers', 1e9, 1e7],
  ])('a line %s goes on as a line, with a narrow band', async (_, start, slope) => {
    const { forecasts } = await forecast(
      rowsOf(40, (t) => start + slope * t),
      { time: 't', value: 'y', horizon: 10 },
    )
    const size = Math.max(1, Math.abs(start), Math.abs(40 * slope))
    for (const [h, { time, value, low, high }] of forecasts.entries()) {
      expect(time).toBe(40 + h)
      expect(Math.abs(value - start - slope * (40 + h))).toBeLessThan(1e-3 * size)
      expect(high - low).toBeLessThan(0.01 * size)
    }
  })

  test('a season goes on as a season', async () => {
    const season = [10, 20, 15, 40]
    const { forecasts } = await forecast(
      rowsOf(40, (t) => season[t % 4]),
      HOW,
    )
    for (const [h, { value }] of forecasts.entries()) expect(value).toBeCloseTo(season[h], 1)
  })

  test('trend, season and noise: better than the last season again, and the band holds about 80 %', async () => {
    const all = Array.from({ length: 30 }, (_, s) => noisy(64, s + 1))
    const rows = all.flatMap((own, s) => rowsOf(60, (t) => own[t], { s }))
    const { forecasts, report } = await forecast(rows, { ...HOW, by: 's' })
    expect(report.errors.ensemble?.mase).toBeLessThan(0.9 * (report.errors.naive?.mase ?? 0))
    const held = forecasts.filter(({ low, high }, i) => {
      const y = all[Math.floor(i / 4)][60 + (i % 4)]
      return y >= low && y <= high
    })
    expect(held.length / forecasts.length).toBeGreaterThan(0.7)
    expect(held.length / forecasts.length).toBeLessThan(0.93)
    for (const { weights } of report.each) expect(Object.values(weights).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9)
  })

  test('the same seed gives the same bits', async () => {
    const values = noisy(60, 5)
    const run = async () =>
      (
        await forecast(
          rowsOf(60, (t) => values[t]),
          HOW,
        )
      ).forecasts
    expect(await run()).toEqual(await run())
  })

  test('a known column tells what no past could', async () => {
    const random = new RandomStream(7)
    const promo = Array.from({ length: 124 }, () => Number(random.uniform() < 0.3))
    const rows = promo.map((p, t) => ({ t, y: t < 120 ? 20 + 10 * p + 0.1 * random.normal() : null, p }))
    const { forecasts } = await forecast(rows, { ...HOW, season: 1, known: 'p' })
    const without = await forecast(rows, { ...HOW, season: 1 })
    const off = (list: typeof forecasts) => list.reduce((sum, { value }, h) => sum + Math.abs(value - 20 - 10 * promo[120 + h]), 0) / 4
    expect(off(forecasts)).toBeLessThan(2)
    expect(off(without.forecasts)).toBeGreaterThan(2)
  })

  test('forecasts and bands keep to min', async () => {
    const { forecasts } = await forecast(
      rowsOf(40, (t) => 40 - t),
      { time: 't', value: 'y', horizon: 8, min: 0 },
    )
    for (const { value, low, high } of forecasts) for (const x of [value, low, high]) expect(x).toBeGreaterThanOrEqual(0)
  })

  test('several columns of values are series of their own', async () => {
    const rows = Array.from({ length: 30 }, (_, t) => ({ t, a: t, b: -t }))
    const { forecasts } = await forecast(rows, { time: 't', value: ['a', 'b'], horizon: 2 })
    expect(forecasts.map(({ key }) => key[0])).toEqual(['a', 'a', 'b', 'b'])
    expect(forecasts.map(({ value }) => Math.round(value))).toEqual([30, 31, -30, -31])
  })

  const dates = (count: number) => Array.from({ length: count }, (_, i) => ({ t: new Date(Date.UTC(2020, i)), y: (i * 7) % 5 }))
  const REFUSED: [string, () => Promise<unknown>, RegExp][] = [
    [
      'a horizon that is too long',
      () => forecast(dates(40), { time: 't', value: 'y', horizon: 21 }),
      /at most 20 of 40 months, half of the longest series, got 21/,
    ],
    [
      'a series of less than two seasons',
      () => forecast(dates(20), { time: 't', value: 'y' }),
      /20 values, fewer than two seasons of 12 months; give season: 1/,
    ],
    ['a misspelled option', () => forecast(dates(40), { time: 't', value: 'y', horizn: 3 } as never), /did you mean horizon/],
    [
      'the word of another library',
      () => forecast(dates(40), { time: 't', value: 'y', season_length: 12 } as never),
      /did you mean season/,
    ],
    ['a horizon of 0', () => forecast(dates(40), { time: 't', value: 'y', horizon: 0 }), /horizon wants a whole number ≥ 1, got 0/],
    ['no column of values', () => forecast(dates(40), { time: 't' } as never), /value wants the name of a column/],
    [
      'a known column that ends before the horizon',
      () =>
        forecast(
          dates(40).map((row) => ({ ...row, p: 1 })),
          { time: 't', value: 'y', known: 'p', horizon: 3 },
        ),
      /'p' is a known column and wants values until 2023-07-01, got them until 2023-04-01; add rows with 'y' empty/,
    ],
  ]
  test.each(REFUSED)('%s is refused', (_, work, message) => expect(work()).rejects.toThrow(message))

  test('a signal stops it', async () => {
    await expect(forecast(dates(40), { time: 't', value: 'y', signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
  })

  test('series of a few values, constants, jumps, huge and tiny numbers are forecast by finite numbers', async () => {
    const random = new RandomStream(11)
    const made: [string, (t: number) => number][] = [
      ['constant', () => 7],
      ['one jump', (t) => Number(t > 20)],
      ['spikes', (t) => (t % 9 === 0 ? 1000 : 0)],
      ['huge', () => 1e35 * random.uniform()],
      ['tiny', () => 1e-35 * random.uniform()],
      ['signs', () => random.normal()],
      ['growth', (t) => 1.3 ** t],
    ]
    for (const count of [5, 26])
      for (const [name, y] of made) {
        const { forecasts } = await forecast(rowsOf(count, y), { time: 't', value: 'y', horizon: 2 })
        for (const { value, low, high } of forecasts)
          expect(low <= value && value <= high && Number.isFinite(high - low), `${name}, ${count}`).toBe(true)
      }
  })
})

describe('honesty', () => {
  const calendar = { ...calendarOf('day'), form: 'day' } as const
  const series = (values: Float64Array) => ({ key: [], start: 0, values, gaps: new Uint8Array(values.length), known: [], fixed: [] })

  test('models of a backtest do not change with the values that they are judged by', async () => {
    const values = noisy(610, 3)
    const changed = values.map((y, i) => (i < 600 ? y : -y))
    const of = async (own: ReturnType<typeof series>) => {
      const plan = planNet([own], [600], 4, [4, 1])
      const net = plan && (await trainNet(plan, calendar, [own], [600], { seed: 1 }))
      const fits = fitClassics(own, 600, 4)
      return forecastsOf(calendar, [own], [fits], net, [[600]], 4)
    }
    expect(await of(series(values))).toEqual(await of(series(changed)))
  })

  test('a net forecasts nothing where it cannot look back', async () => {
    const own = series(noisy(600, 3))
    const plan = planNet([own], [600], 4, [4, 1])
    const net = plan && (await trainNet(plan, calendar, [own], [600], { seed: 1 }))
    const [ahead] = netForecasts(net as NonNullable<typeof net>, calendar, [own], [[2, 40]])
    expect([...ahead].map(Number.isNaN)).toEqual([true, true, true, true, false, false, false, false])
  })

  test('a model without error has all of the weight, one that is absurd none', () => {
    const own = series(Float64Array.from({ length: 40 }, (_, i) => i))
    const origins = [[32, 36]]
    const right = Float64Array.from([32, 33, 34, 35, 36, 37, 38, 39])
    const past = {
      naive: right.map(() => 31),
      drift: right,
      theta: right.map((y) => y + 1),
      ets: right.map(() => 1e9),
      ar: right.map(() => Number.NaN),
      arima: right.map(() => Number.NaN),
      net: right.map((y) => y - 2),
    }
    const [{ weights, errors }] = judge([own], 1, origins, [past], 4, 0.8).series
    expect(weights.drift).toBe(1)
    expect(MODELS.filter((model) => weights[model] > 0)).toEqual(['drift'])
    expect(errors.ensemble?.mase).toBe(0)
    expect(errors.ar).toBeNull()
  })

  test('errors by hand', () => {
    const values = Float64Array.from([1, 2, 4, 7])
    expect(scalesOf(values, new Uint8Array(4), 1, 4)).toEqual([2, Math.sqrt(14 / 3)])
    const errors = errorsOf(
      [
        [10, 8, 7, 9],
        [4, 4, 3, 5],
      ],
      [2, 2],
      0.8,
    )
    expect(errors.mase).toBe(0.5)
    expect(errors.rmsse).toBeCloseTo(Math.SQRT2 / 2, 12)
    expect(errors.smape).toBeCloseTo(200 / 18, 12)
    expect(errors.coverage).toBe(0.5)
    // 10 over [7, 9]: 0.1·3 and 0.9·1; 4 in [3, 5]: 0.1·1 twice
    expect(errors.pinball).toBeCloseTo((0.3 + 0.9 + 0.1 + 0.1) / 4 / 2, 12)
  })
})

describe('a model', () => {
  const values = noisy(70, 9)
  const rows = [...rowsOf(60, (t) => values[t], { s: 'a', p: 1 }), ...rowsOf(60, (t) => -values[t], { s: 'b', p: 2 })]
  let made: SeriesModel
  beforeAll(async () => {
    made = await forecast(rows, { ...HOW, by: 's', static: 'p' })
  })

  test('goes on from new rows: forecasts follow, parameters stay', async () => {
    const model = made
    const later = model.extend([
      { t: 60, y: values[60], s: 'a', p: 1 },
      { t: 61, y: values[61], s: 'a', p: 1 },
    ])
    expect(later.forecasts.map(({ time }) => time)).toEqual([62, 63, 64, 65, 60, 61, 62, 63])
    expect(later.forecasts.slice(4)).toEqual(model.forecasts.slice(4))
    expect(model.forecasts[0].time).toBe(60)
    // one by one is as together
    const first = model.extend([{ t: 60, y: values[60], s: 'a', p: 1 }])
    expect(first.extend([{ t: 61, y: values[61], s: 'a', p: 1 }]).forecasts).toEqual(later.forecasts)
  })

  test('refuses rows of other series alone, rows before its own, and times between', async () => {
    const model = made
    expect(() => model.extend([{ t: -1, y: 1, s: 'a', p: 1 }])).toThrow(/extend: 'a' begins at 0, got -1; leave earlier rows out/)
    expect(() => model.extend([{ t: 60, y: 1, s: 'c', p: 1 }])).toThrow(/the model has no series 'c'/)
    expect(() => model.extend([{ t: 60.5, y: 1, s: 'a', p: 1 }])).toThrow(/times a unit apart, got 60.5/)
    expect(() => model.extend([])).toThrow(/there are no rows/)
  })

  test('all rows again with later ones are as the later ones alone; other values take the place of old ones, and are told', async () => {
    const more = [60, 61].map((t) => ({ t, y: values[t], s: 'a', p: 1 }))
    const later = made.extend(more)
    const again = made.extend([...rows, ...more])
    expect(again.forecasts).toEqual(later.forecasts)
    // 'b' has no later rows
    expect(again.report.notes).toEqual(later.report.notes)
    expect(later.report.notes.at(-1)).toMatch(
      /^'b' ends before 61, the last time of the others: its forecast begins after its own last value/,
    )
    const other = made.extend([{ t: 59, y: 0, s: 'a', p: 1 }, ...more])
    expect(other.forecasts).not.toEqual(later.forecasts)
    expect(other.report.notes).toContain(`1 value that the model had is another now, the first at 59 of 'a': ${values[59]} is 0`)
    expect(other.extend([{ t: 59, y: values[59], s: 'a', p: 1 }]).forecasts).toEqual(later.forecasts)
  })

  test('known columns of later rows end at the horizon of the model, which cannot be lowered', async () => {
    const months = rowsOf(40, (t) => (t < 38 ? values[t] : null), { p: 1 })
    const model = await forecast(months, { time: 't', value: 'y', known: 'p', horizon: 2 })
    expect(() => model.extend([{ t: 38, y: 1, p: 1 }])).toThrow(
      /'p' is a known column and wants values until 40, .*; add rows with 'y' empty$/,
    )
  })

  test('gaps are counted and told, those of later rows too', async () => {
    const months = rowsOf(48, (t) => (t === 9 || t === 20 ? null : values[t]), { s: 'a', p: 1 })
    const model = await forecast([...months, ...rowsOf(48, (t) => values[t], { s: 'b', p: 3 })], {
      time: 't',
      value: 'y',
      by: 's',
      season: 12,
    })
    const found = ({ report: { values, each, notes } }: typeof model) => [
      values,
      Object.fromEntries(each.map(({ key, ...own }) => [key[0], [own.values, own.gaps]])),
      notes.filter((note) => note.includes('missing')).map((note) => note.slice(0, note.indexOf(':'))),
    ]
    expect(found(model)).toEqual([94, { a: [46, 2], b: [48, 0] }, ['2 values of 96 are missing, in 1 of 2 series']])
    // a series of four seasons has them, whatever is missing between its ends
    expect(reportText(model)).not.toContain('fewer than four seasons')
    const later = model.extend([49, 51].map((t) => ({ t, y: 1, s: 'b' })))
    expect(found(later)).toEqual([96, { a: [46, 2], b: [50, 2] }, ['4 values of 100 are missing, in 2 of 2 series']])
  })

  test('gaps are filled in by all values, in whatever parts they came', async () => {
    const random = new RandomStream(8)
    for (let i = 0; i < 20; i++) {
      const own = Array.from({ length: 8 }, (_, t) => ({ t: 60 + t, y: random.uniform() < 0.4 ? null : values[60 + t], s: 'a', p: 1 }))
      own[7].y = 1
      const cut = Math.floor(8 * random.uniform())
      const [first, second] = [own.slice(0, cut), own.slice(cut)]
      const start = first.some(({ y }) => y !== null) ? made.extend(first) : made
      expect(start.extend(second).forecasts).toEqual(made.extend(own).forecasts)
    }
  })

  test('a series that is too short or mostly gaps is left out beside others, and said', async () => {
    const few = [57, 58, 59].map((t) => ({ t, y: 1, s: 'new', p: 3 }))
    const rare = rowsOf(60, (t) => (t % 29 === 0 ? 1 : null), { s: 'rare', p: 3 })
    const model = await forecast([...rows, ...few, ...rare], { ...HOW, by: 's', static: 'p' })
    expect(model.forecasts).toEqual(made.forecasts)
    expect(model.report.leftOut).toEqual([
      { key: ['new'], reason: 'has 3 values, and a forecast wants at least 4' },
      { key: ['rare'], reason: 'has no value at 56 of 59 times' },
    ])
    for (const shown of [reportText(model), reportHtml(model)]) expect(shown).toMatch(/2 series were left out/i)
    const [later] = [
      model.extend([
        { t: 60, y: 1, s: 'new', p: 3 },
        { t: 60, y: values[60], s: 'a', p: 1 },
      ]),
    ]
    expect(later.report.leftOut.map(({ key, reason }) => [key[0], reason.slice(0, 19)])).toEqual([
      ['rare', 'has no value at 56 '],
      ['new', 'is not in the model'],
    ])
    expect((await loadSeriesModel(later.bytes())).report).toEqual(later.report)
    await expect(forecast(few, { ...HOW, by: 's' })).rejects.toThrow(
      /'new' has 3 values, and a forecast wants at least 4; leave this series out/,
    )
  })

  // with gaps, series that begin on other days, known columns; the last files begin and end within a week or a month
  test.each([1, 2, 3, 7, 15, 40, 43])('later rows, or all, make the values that a model of all has (case %i)', async (seed) => {
    const random = new RandomStream(seed)
    const oneOf = (from: number, to: number) => from + Math.floor((to - from) * random.uniform())
    const every = ([undefined, 'week', 'month'] as const)[oneOf(0, 3)]
    const [count, after] = every === undefined ? [oneOf(20, 50), 8] : [oneOf(200, 300), 130]
    const cut = count - oneOf(1, every === undefined ? 9 : 60)
    const isKnown = oneOf(0, 2) === 1
    const missing = 0.2 * oneOf(0, 2)
    const date = (day: number) => new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10)
    const days = ['a', 'b'].flatMap((s) => {
      const first = oneOf(0, 5)
      const y = (day: number) => (day < count && random.uniform() >= missing ? oneOf(0, 100) : null)
      return Array.from({ length: count + after - first }, (_, i) => ({ t: date(first + i), s, y: y(first + i), p: random.uniform() }))
    })
    const until = (day: number) => {
      const past = days
        .filter(({ t }) => t < date(isKnown ? day + after : day))
        .map((row) => (row.t < date(day) ? row : { ...row, y: null }))
      return past.filter(({ y }) => isKnown || y !== null)
    }
    const how: ForecastOptions = {
      time: 't',
      value: 'y',
      by: 's',
      horizon: 2,
      season: 1,
      ...(every && { every }),
      ...(isKnown && { known: 'p' }),
    }
    const [before, all] = [await forecast(until(cut), how), await forecast(until(count), how)]
    const again = until(count).filter(({ t }) => t >= date(every === undefined ? cut : cut - 31))
    for (const later of [before.extend(until(count)), before.extend(again)])
      for (const own of all.state.series) {
        const made = later.state.series.find(({ key }) => key[0] === own.key[0])
        expect([made?.values, made?.gaps]).toEqual([own.values, own.gaps])
        for (const [k, column] of own.known.entries())
          for (const [i, value] of column.slice(0, own.values.length + 2).entries()) expect(made?.known[k][i]).toBeCloseTo(value, 9)
      }
  })

  test('rows of the future alone change what is known, and nothing else', async () => {
    // not a rhythm, which the past alone would tell
    const promo = (t: number) => Number(t ** 3 % 211 < 90)
    const plan = (p: (t: number) => number) => Array.from({ length: 128 }, (_, t) => ({ t, y: t < 120 ? 20 + 10 * p(t) : null, p: p(t) }))
    const model = await forecast(plan(promo), { ...HOW, season: 1, known: 'p' })
    const other = model.extend(plan((t) => 1 - promo(t)).slice(120))
    expect(other.forecasts.map(({ time }) => time)).toEqual([120, 121, 122, 123])
    for (const [h, { value }] of other.forecasts.entries()) expect(Math.abs(value - model.forecasts[h].value)).toBeGreaterThan(1)
    expect(other.extend(plan(promo).slice(120)).forecasts).toEqual(model.forecasts)
    // what is planned stays where later rows do not tell of it
    const planned = model.state.series[0].known[0]
    expect(model.extend([{ t: 120, y: 30, p: 1 }]).state.series[0].known[0].slice(121)).toEqual(planned.slice(121))
    const around = [120, 127].map((t) => ({ t, y: t < 121 ? 30 : null, p: 1 - promo(t) }))
    const { known } = model.extend(around).state.series[0]
    expect([...known[0].slice(120)]).toEqual([1 - promo(120), ...planned.slice(121, 127), 1 - promo(127)])
  })

  test('a model of weeks goes on from days, as a model of their sums from weeks', async () => {
    const day = (i: number) => ({
      date: new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10),
      y: 10 + (i % 7) + Math.floor(i / 7),
    })
    const days = Array.from({ length: 140 }, (_, i) => day(i))
    const how = { time: 'date', value: 'y', every: 'week', season: 1, horizon: 2 } as const
    const weekly = await loadSeriesModel((await forecast(days, how)).bytes())
    const later = weekly.extend(Array.from({ length: 14 }, (_, i) => day(140 + i)))
    expect(later.state.series[0].values.slice(-2)).toEqual(Float64Array.from([231, 238]))
    expect(later.forecasts[0].time).toBe('2024-06-03')
    // sums of rows in another order differ in their last bits
    const parts = days.flatMap((row) => [0.1, 0.2, 0.7].map((share) => ({ ...row, y: share * row.y })))
    expect((await forecast(parts, how)).extend([...parts].reverse()).report.notes.join()).not.toMatch(/that the model had/)
    // half of a week is left out, and is there when the rest of it has come
    const half = weekly.extend(Array.from({ length: 10 }, (_, i) => day(140 + i)))
    expect(half.state.series[0].values).toHaveLength(21)
    expect(half.report.notes.join()).toMatch(/only a part of 2024-05-27/)
    const whole = half.extend(Array.from({ length: 14 }, (_, i) => day(140 + i)))
    expect(whole.forecasts).toEqual(later.forecasts)
    expect(whole.report.notes.join()).not.toMatch(/only a part of/)
  })

  test('new rows go to the series of their key, whatever commas are in it', async () => {
    const keys = [
      { a: 'x, y', b: 'z' },
      { a: 'x', b: 'y, z' },
    ]
    const model = await forecast(
      keys.flatMap((key, s) => rowsOf(12, () => 10 + s, key)),
      { time: 't', value: 'y', by: ['a', 'b'], horizon: 1 },
    )
    const { series } = model.extend(keys.map((key, s) => ({ t: 12, y: 10 + s, ...key }))).state
    expect(series.map(({ values }) => values[12])).toEqual([10, 11])
  })

  test('is the same from its file', async () => {
    const model = made
    const again = await loadSeriesModel(model.bytes())
    expect(again.forecasts).toEqual(model.forecasts)
    expect(again.report).toEqual(model.report)
    expect(again.bytes()).toEqual(model.bytes())
  })

  test('a file from before a model was added is refused as that, not as damaged', async () => {
    const { series: saved } = decodeState(made.bytes()) as { series: { each: { weights: object; fits: object }[] } }
    for (const { weights, fits } of saved.each) for (const part of [weights, fits]) Reflect.deleteProperty(part, 'arima')
    await expect(loadSeriesModel(encodeState({ series: saved }))).rejects.toThrow(
      /got none of arima: an earlier version of gradus wrote it; make the model anew with forecast/,
    )
    await expect(loadSeriesModel(encodeState({ series: { ...saved, each: [null] } }))).rejects.toThrow(/damaged/)
  })

  test('a damaged file is refused, whatever byte is wrong, or makes finite forecasts', async () => {
    const bytes = made.bytes()
    await expect(loadSeriesModel(new Uint8Array(8))).rejects.toThrow()
    const random = new RandomStream(4)
    for (let i = 0; i < 60; i++) {
      const wrong = bytes.slice(0, i % 3 === 0 ? Math.floor(bytes.length * random.uniform()) : bytes.length)
      if (wrong.length > 0) wrong[Math.floor(Math.min(wrong.length, i % 2 === 0 ? 3000 : Infinity) * random.uniform())] ^= 1 << (i % 8)
      const model = await loadSeriesModel(wrong).catch((error: unknown) => error)
      if (model instanceof Error) expect(model.message.length).toBeGreaterThan(10)
      else expect((model as SeriesModel).forecasts.every(({ low, high }) => low <= high)).toBe(true)
    }
  })

  test('report: every series once, the hardest first; texts and page say the same numbers', async () => {
    const model = made
    const { report } = model
    expect(report.each.map(({ key }) => key[0]).sort()).toEqual(['a', 'b'])
    const errors = report.each.map(({ errors }) => errors?.mase ?? 0)
    expect([...errors].sort((a, b) => b - a)).toEqual(errors)
    const text = reportText(model)
    const html = reportHtml(model)
    for (const part of ['exponential smoothing', 'all by weight', report.each[0].ets])
      for (const shown of [text, html]) expect(shown).toContain(part)
    expect(html).toContain('<svg')
    // dates at the axis, a shaded band, and a forecast that begins where the known values end
    const months = Array.from({ length: 36 }, (_, i) => ({ month: new Date(Date.UTC(2020, i)), units: 100 + 5 * i }))
    expect(reportHtml(await forecast(months, { time: 'month', value: 'units', horizon: 3 }))).toMatch(/<text[^>]*>\d{4}-\d\d-\d\d<\/text>/)
    const [known, band, ahead] = Array.from(html.matchAll(/<poly(?:gon|line) points="([^"]*)"/g), ([, points]) => points.split(' '))
    expect([known, band, ahead].map((points) => points.length)).toEqual([expect.any(Number), 2 * ahead.length, model.horizon + 1])
    expect(ahead[0]).toBe(known.at(-1))
    expect(text).toMatch(/all by weight .* 100 % +–/)
  })

  test('a value unlike its neighbors is found', async () => {
    const own = noisy(60, 2)
    own[30] = 500
    const { report } = await forecast(
      rowsOf(60, (t) => own[t]),
      HOW,
    )
    expect(report.anomalies[0]).toMatchObject({ time: 30, value: 500 })
    expect(report.anomalies[0].deviations).toBeGreaterThan(6)
  })
})

describe('advice', () => {
  const report = async (): Promise<SeriesReport> =>
    (
      await forecast(
        rowsOf(40, (t) => t),
        { time: 't', value: 'y', horizon: 2 },
      )
    ).report
  const errors = (mase: number) => ({ mase, rmsse: 1, smape: 1, pinball: 1, coverage: 0.8 })
  test('each rule speaks where its figures say so, and is silent otherwise', async () => {
    const plain = await report()
    const [noBetter, short, anomalies] = RULES
    const with_ = (ensemble: number, naive: number) => ({
      ...plain,
      errors: { ...plain.errors, ensemble: errors(ensemble), naive: errors(naive) },
    })
    expect(noBetter(with_(1.2, 1.1), undefined)[0]).toMatch(/\(MASE 1.100, all by weight 1.200\)/)
    expect(noBetter(with_(1, 1.1), undefined)).toEqual([])
    const each = [
      { ...plain.each[0], values: 47 },
      { ...plain.each[0], values: 48 },
    ]
    expect(short({ ...plain, season: 12, each }, undefined)[0]).toMatch(/^1 of 2 series have fewer than four seasons/)
    expect(short({ ...plain, season: 12, each: each.slice(0, 1) }, undefined)[0]).toMatch(/^The series has/)
    expect(short({ ...plain, season: 1, each }, undefined)).toEqual([])
    expect(anomalies(plain, undefined)).toEqual([])
    const anomaly = { key: [], time: 1, value: 1, expected: 0, deviations: 9 }
    expect(anomalies({ ...plain, anomalies: [anomaly] }, undefined)[0]).toMatch(/Check the value unlike its/)
    expect(anomalies({ ...plain, anomalies: [anomaly, anomaly] }, undefined)[0]).toMatch(/Check the values unlike their/)
  })
})

test('plain numbers are an error that says how they become rows', async () => {
  const values = Array.from({ length: 40 }, (_, i) => i + Math.sin(i))
  await expect(forecast(values as never, { horizon: 3 } as never)).rejects.toThrow(
    /^forecast: wants rows as objects, got numbers; values\.map/,
  )
  const rows = values.map((value, time) => ({ time, value }))
  expect((await forecast(rows, { time: 'time', value: 'value', horizon: 3 })).forecasts.map(({ time }) => time)).toEqual([40, 41, 42])
})

test.each([1, 2, 4])('a last value far from all others, of a season of %i, does not make forecasts grow without end', async (season) => {
  for (const count of [16, 20, 24, 48]) {
    for (const [seed, last] of [30, 1e3, 1e6, 1e-3].entries()) {
      const random = new RandomStream(7 * seed + count)
      const rows = Array.from({ length: count }, (_, time) => ({ time, value: (time === count - 1 ? last : 1) * (1 + random.uniform()) }))
      const { forecasts } = await forecast(rows, { time: 'time', value: 'value', season, horizon: Math.min(12, count / 2) })
      const most = Math.max(...rows.map(({ value }) => value))
      expect(Math.max(...forecasts.map(({ value }) => Math.abs(value as number))), `${count}, ${last}`).toBeLessThan(10 * most)
    }
  }
})

test('bands are numbers where the first steps have no error', async () => {
  const rows = Array.from({ length: 10 }, (_, time) => ({ time, value: 1 + (time % 2) }))
  const { forecasts } = await forecast(rows, { time: 'time', value: 'value', season: 1, horizon: 5 })
  expect(forecasts.every(({ low, high }) => Number.isFinite(low) && Number.isFinite(high))).toBe(true)
})
