/** Fitted models of series: what they forecast, how they go on from new rows, and their file. */

import { rangeError } from '../common/errors.js'
import { joined, joinedOf } from '../common/joined.js'
import { checkFormat } from '../common/saved.js'
import { show } from '../common/show.js'
import { encodeState, loadState, type ModelSource, saveState } from '../index.js'
import { type Calendar, stepName, timeText } from './calendar.js'
import { combine, forecastsOf, MODELS, type Model } from './ensemble.js'
import { netOf, type SavedNet, savedNet } from './net.js'
import { type Columns, filled, idOf, nameOf, readSeries, type Series, type SeriesSet } from './read-series.js'
import { reportOf, type SeriesReport } from './report.js'
import type { FittedSeries, SeriesState } from './state.js'

/** A forecast of one value. */
export interface ForecastPoint {
  /** Values of the `by` columns, and the column of the value if there are several; empty for a single series. */
  key: readonly string[]
  /** In the form of the rows; written days as 2024-12-31. */
  time: string | number
  value: number
  /** Ends of the band. */
  low: number
  high: number
}

/**
 * Models of series, from {@link forecast} or {@link loadSeriesModel}. It does not change: {@link extend} makes another.
 *
 * @example
 * const rows = Array.from({ length: 24 }, (_, i) => ({ week: i, units: 10 + i }))
 * const model = await forecast(rows, { time: 'week', value: 'units', horizon: 2 })
 * model.report.season // 1
 * model.extend([{ week: 24, units: 34 }]).forecasts[0].time // 25
 */
export class SeriesModel {
  #forecasts: ForecastPoint[] | undefined
  #report: SeriesReport | undefined

  /** @internal use {@link forecast} or {@link loadSeriesModel} */
  constructor(
    /** @internal */
    readonly state: SeriesState,
  ) {}

  /** Number of values that are forecast for each series. */
  get horizon(): number {
    return this.state.horizon
  }

  /** The columns of the rows. */
  get columns(): Columns {
    return this.state.columns
  }

  /** Errors of the backtest, weights of the models, anomalies: plain data. `reportText` and `reportHtml` show it. */
  get report(): SeriesReport {
    return (this.#report ??= reportOf(this.state))
  }

  /** Forecasts of each series after its last value, series by series. */
  get forecasts(): readonly ForecastPoint[] {
    return (this.#forecasts ??= forecastPoints(this.state))
  }

  /** Forecasts of one model alone, for each series; NaN for a model that it does not have. */
  alone(model: Model): Float64Array[] {
    return aheadOf(this.state).map((own) => own[model])
  }

  /**
   * The model with later rows of its series: forecasts begin after them. Parameters stay, so it takes a fraction of the time of a training. Rows that the
   * model has may be among them, so that a file of all rows can be given again: a value that is another now takes the place of the old one, and
   * `report.notes` tells how many did. Series that the model does not have are in `report.leftOut`.
   *
   * @param rows with the same columns. Times without a row are gaps, as in {@link forecast}, and `every` adds rows up as it did there
   * @example
   * const rows = Array.from({ length: 24 }, (_, i) => ({ week: i, units: 10 + i }))
   * const model = await forecast(rows, { time: 'week', value: 'units', horizon: 2 })
   * model.extend([{ week: 24, units: 34 }, { week: 25, units: 35 }]).forecasts.map(({ value }) => Math.round(value)) // [36, 37]
   * model.extend([...rows, { week: 24, units: 34 }]).forecasts[0].time // 25
   * @throws TypeError, RangeError for rows that do not fit, all of series that the model does not have, or from before its first ones
   */
  extend(rows: readonly object[]): SeriesModel {
    const { columns, calendar, seasons, series, every, combine } = this.state
    const reading = { combine, calendar, season: seasons[0], ...(every !== null && { every }) }
    const added = readSeries('extend', rows, columns, reading)
    const more = new Map(added.series.map((own) => [idOf(own.key), own]))
    const has = new Set(series.map(({ key }) => idOf(key)))
    const others = added.series.filter(({ key }) => !has.has(idOf(key)))
    if (others.length === more.size)
      throw rangeError(`extend: the model has no series ${show(nameOf(others[0].key))}; forecast learns new series from rows of all`)
    const changes = { count: 0, first: '' }
    // those of rows before may no longer be true: a week that was covered in part is whole now
    const notes = [...added.notes]
    const state = {
      ...this.state,
      leftOut: [
        ...this.state.leftOut.filter(({ key }) => !others.some((other) => idOf(other.key) === idOf(key))),
        ...others.map(({ key }) => ({ key, reason: 'is not in the model, and forecast learns new series from rows of all' })),
      ],
      series: series.map((own) => {
        const later = more.get(idOf(own.key))
        return later === undefined ? own : { ...own, ...continued(own, later, calendar, seasons[0], changes) }
      }),
    }
    if (changes.count > 0)
      notes.push(
        `${changes.count === 1 ? '1 value that the model had is another' : `${changes.count} values that the model had are others`} now${changes.first}`,
      )
    checkKnown('extend', state)
    return new SeriesModel({ ...state, notes })
  }

  /**
   * The model as the bytes of one file, for {@link loadSeriesModel}. It holds the values of all series.
   *
   * @example
   * const rows = Array.from({ length: 24 }, (_, i) => ({ week: i, units: 10 + i }))
   * const model = await forecast(rows, { time: 'week', value: 'units', horizon: 2 })
   * const again = await loadSeriesModel(model.bytes())
   * again.forecasts.length // 2
   */
  bytes(): Uint8Array {
    return encodeState(stored(this.state))
  }

  /** Saves the model in one file, all or nothing, as `saveModel` does; in a browser under a name in IndexedDB. */
  save(path: string): Promise<void> {
    return saveState(stored(this.state), path)
  }
}

/** Difference of sums, as a share, up to which they are those of the same rows in another order. */
const ROUNDING = 1e-9

/** Values of a series with later ones behind them, and other ones in their place. @param changes counts values that are others now */
function continued(
  own: Series,
  more: Series,
  calendar: Calendar,
  season: number,
  changes: { count: number; first: string },
): Pick<Series, 'values' | 'gaps' | 'known'> {
  const from = more.start - own.start
  const had = own.values.length
  // a part of a period takes no place of a whole one
  const skipped = more.isLate ? 1 : 0
  const length = Math.max(had, from + more.values.length)
  const values = new Float64Array(length)
  values.set(own.values)
  const gaps = new Uint8Array(length).fill(1)
  gaps.set(own.gaps)
  for (const [i, value] of more.values.entries()) {
    const at = from + i
    if (more.gaps[i] === 1 || (i < skipped && gaps[at] === 0)) continue
    const name = own.key.length > 0 ? show(nameOf(own.key)) : 'the series'
    if (at < 0)
      throw rangeError(
        `extend: ${name} begins at ${timeText(calendar, own.start)}, got ${timeText(calendar, own.start + at)}; leave earlier rows out, or make a new model of all by forecast`,
      )
    if (at < had && (gaps[at] === 1 || Math.abs(values[at] - value) > ROUNDING * Math.abs(value))) {
      changes.first ||= `, the first at ${timeText(calendar, own.start + at)}${own.key.length > 0 ? ` of ${name}` : ''}: ${gaps[at] === 1 ? 'none' : values[at]} is ${value}`
      changes.count++
    }
    values[at] = value
    gaps[at] = 0
  }
  const known = own.known.map((column, k) => {
    const all = new Float64Array(Math.max(column.length, from + more.known[k].length))
    all.set(column)
    // places without a row keep the value before, as in reading
    all.fill(column[column.length - 1] ?? 0, column.length)
    const first = Math.max(-from, from < had ? skipped : 0, 0)
    for (const [i, value] of more.known[k].entries())
      if (i >= first && (more.told?.[i] === 1 || from + i >= column.length)) all[from + i] = value
    return all
  })
  return { values: filled(values, gaps, season), gaps, known }
}

/** @throws RangeError for known columns that end before the horizon */
export function checkKnown(
  who: string,
  { series, horizon, calendar, columns }: Pick<SeriesState, 'horizon' | 'calendar' | 'columns'> & Pick<SeriesSet, 'series'>,
): void {
  for (const { key, start, values, known } of series)
    for (const [k, column] of known.entries())
      if (column.length < values.length + horizon)
        throw rangeError(
          `${who}: '${columns.known[k]}' is a known column and wants values until ${timeText(calendar, start + values.length + horizon - 1)}${key.length > 0 ? ` for ${show(nameOf(key))}` : ''}, got them until ${timeText(calendar, start + column.length - 1)}; add rows with '${columns.values[0]}' empty${who === 'extend' ? '' : ', or lower the horizon'}`,
        )
}

/** Forecasts of each model after the last value of each series. */
function aheadOf({ calendar, series, net, horizon }: SeriesState): ReturnType<typeof forecastsOf> {
  const fits = series.map((own) => own.fits)
  const origins = series.map(({ values }) => [values.length])
  return forecastsOf(calendar, series, fits, net, origins, horizon)
}

function forecastPoints(state: SeriesState): ForecastPoint[] {
  const { calendar, series, min } = state
  const all = aheadOf(state)
  const least = min ?? -Infinity
  return series.flatMap(({ key, start, values, weights, band }, s) => {
    const ahead = combine(all[s], weights)
    return Array.from(ahead, (value, h) => ({
      key,
      time: timeText(calendar, start + values.length + h),
      value: Math.max(least, value),
      low: Math.max(least, value - band[h]),
      high: Math.max(least, value + band[h]),
    }))
  })
}

const FORMAT = 'gradus-series/1'

/** What `encodeState` takes: the arrays of all series end to end. */
function stored({ net, series, ...state }: SeriesState): object {
  const known = series.flatMap(({ known }) => known)
  return {
    series: {
      format: FORMAT,
      ...state,
      values: joinedOf(Float64Array, series, ({ values }) => values),
      gaps: joinedOf(Uint8Array, series, ({ gaps }) => gaps),
      known: joined(Float64Array, known),
      bands: joinedOf(Float64Array, series, ({ band }) => band),
      each: series.map(({ values, gaps, known, band, ...own }) => ({ ...own, length: values.length, knownLength: known[0]?.length ?? 0 })),
      net: net && savedNet(net),
    },
  }
}

/**
 * A model from a file that {@link SeriesModel.save} wrote.
 *
 * @param source a path, URL, Blob, or the bytes
 * @example
 * const rows = Array.from({ length: 24 }, (_, i) => ({ week: i, units: 10 + i }))
 * const model = await forecast(rows, { time: 'week', value: 'units', horizon: 2 })
 * await model.save('units.safetensors')
 * const again = await loadSeriesModel('units.safetensors')
 * again.horizon // 2
 * @throws Error for a file that is not there, RangeError for one that is damaged, TypeError for one that holds no model of series
 */
export async function loadSeriesModel(source: ModelSource): Promise<SeriesModel> {
  const file = await loadState(source)
  checkFormat('loadSeriesModel', 'model of forecast', file, 'series', FORMAT)
  const { series } = file as { series: Record<string, unknown> }
  checkModels(series)
  try {
    return modelOf(series)
  } catch (cause) {
    throw rangeError('loadSeriesModel: the file is damaged: its parts do not fit; save the model again', { cause })
  }
}

type Saved = Omit<SeriesState, 'net' | 'series'> & {
  values: Float64Array
  gaps: Uint8Array
  known: Float64Array
  bands: Float64Array
  each: (Omit<FittedSeries, 'values' | 'gaps' | 'known' | 'band'> & { length: number; knownLength: number })[]
  net: SavedNet | null
}

/** @throws RangeError for a file from before one of the models was added */
function checkModels({ each }: Record<string, unknown>): void {
  const [first] = Array.isArray(each) ? each : []
  const weights = (first as Partial<FittedSeries> | null | undefined)?.weights
  const missing = weights && MODELS.find((model) => !Object.hasOwn(weights, model))
  if (missing)
    throw rangeError(
      `loadSeriesModel: the file wants weights of ${MODELS.join(', ')}, got none of ${missing}: an earlier version of gradus wrote it; make the model anew with forecast`,
    )
}

/** @throws Error for parts that do not fit */
function modelOf(saved: Record<string, unknown>): SeriesModel {
  const { values, gaps, known, bands, each, net, ...others } = saved as unknown as Saved
  const { columns, calendar, seasons, horizon, coverage, min = null, every = null, combine, notes, leftOut } = others
  let [at, atKnown] = [0, 0]
  const series = each.map(({ length, knownLength, ...own }, s): FittedSeries => {
    const columnsOf = columns.known.map((_, k) => known.slice(atKnown + k * knownLength, atKnown + (k + 1) * knownLength))
    const one = {
      ...own,
      values: values.slice(at, at + length),
      gaps: gaps.slice(at, at + length),
      known: columnsOf,
      band: bands.slice(s * horizon, (s + 1) * horizon),
    }
    at += length
    atKnown += columns.known.length * knownLength
    return one
  })
  const state = {
    columns,
    calendar,
    seasons,
    horizon,
    coverage,
    min,
    every,
    combine,
    notes,
    leftOut,
    series,
    net: net && netOf(net),
  }
  const isWhole = at === values.length && at === gaps.length && atKnown === known.length && bands.length === series.length * horizon
  // what is computed for the check is kept for the first reader
  const model = new SeriesModel(state)
  if (
    !isWhole ||
    series.length === 0 ||
    !model.forecasts.every(({ value, low, high }) => low <= value && value <= high) ||
    stepName(calendar) === '' ||
    model.report.series !== series.length ||
    !leftOut.every(({ key, reason }) => Array.isArray(key) && typeof reason === 'string')
  )
    throw Error()
  return model
}
