/** Series from the rows of a table: one or many, in long or wide form, on a regular grid of times. Nothing is filled in or left out silently. */
import { rangeError, typeError } from '../common/errors.js'
import { nearest } from '../common/nearest.js'
import { shortened, show, showNames } from '../common/show.js'
import type { Row } from '../data/index.js'
import { COMMA_ADVICE, DAY, hasComma, missingTest, numbered, numberOf, USUAL_GAPS, valueIn } from '../data/table/values.js'
import { type Calendar, calendarOf, type Form, findCalendar, oneStep, placeOf, readTimes, seasonsOf, timeAt, timeText } from './calendar.js'
import type { Period } from './options.js'

/** Columns of the rows, and how they are read. */
export interface Columns {
  time: string
  values: readonly string[]
  by: readonly string[]
  known: readonly string[]
  fixed: readonly string[]
}

/** Reading of rows: options of `forecast`. */
export interface Reading {
  every?: Period
  combine: 'sum' | 'mean'
  season?: number
  /** The calendar of earlier rows, which these follow or have other values for. */
  calendar?: Calendar
}

/** One series. Times are consecutive places of the calendar, from `start` on. */
export interface Series {
  /** Values of the `by` columns, and the column of the values if there are several: empty for a single series. */
  readonly key: readonly string[]
  readonly start: number
  /** Gaps are filled in. */
  readonly values: Float64Array
  /** 1 where the value was missing. */
  readonly gaps: Uint8Array
  /** Row-major [known columns][places]: as long as `values`, and longer where future values are known. */
  readonly known: readonly Float64Array[]
  readonly fixed: readonly string[]
  /** Of later rows: 1 where a row tells the known columns, from `start` on. */
  readonly told?: Uint8Array
  /** True for later rows that begin within a period, which the model may have as a whole. */
  readonly isLate?: true
}

/** A series that has no forecast. */
export interface LeftOutSeries {
  /** Values of the `by` columns, and the column of the values if there are several. */
  readonly key: readonly string[]
  /** Such as `has 3 values, and a forecast wants at least 4`. */
  readonly reason: string
}

/** All series of a table. */
export interface SeriesSet {
  readonly calendar: Calendar
  /** Places of a season, and of a longer one; 1 is none. */
  readonly seasons: readonly [season: number, longer: number]
  readonly series: readonly Series[]
  /** Series that are too short or mostly gaps, beside others that are not. */
  readonly leftOut: readonly LeftOutSeries[]
  /** What was found and changed, in sentences. */
  readonly notes: readonly string[]
}

const isGap = missingTest(USUAL_GAPS)
/** A series with a larger fraction of gaps is an error. */
const MAX_GAPS = 0.5
/** Days of Excel from 2000 to 2050. */
const EXCEL = [36526, 55154] as const
const excelDay = (days: number) => new Date(Date.UTC(1899, 11, 30 + days)).toISOString().slice(0, 10)
/** The fewest values of a series. */
const FEWEST = 4

/** A name for messages: `1, 7`, or nothing for a single series. */
export const nameOf = (key: readonly string[]) => key.join(', ')
/** Tells keys apart: names of two keys may be the same where values have commas. */
export const idOf = (key: readonly string[]) => JSON.stringify(key)

/** Values of one series by place, before they are put side by side. */
interface Cells {
  key: string[]
  rows: number[]
  times: number[]
  values: number[]
  fixed: string[]
}

/**
 * @throws TypeError, RangeError naming the row, column or series that does not fit, with a remedy
 */
export function readSeries(who: string, given: readonly object[], columns: Columns, reading: Reading): SeriesSet {
  const rows = numbered(who, given).map(([, row]) => row)
  if (rows.length === 0) throw rangeError(`${who}: there are no rows`)
  checkColumns(who, rows, columns)
  const { values: times, form } = readTimes(
    who,
    columns.time,
    rows.map((row) => valueIn(row, columns.time)),
  )
  const notes: string[] = []
  const all = cellsOf(who, rows, times, columns)
  sortByTime(all, notes)
  const calendar = reading.calendar ?? (reading.every === undefined ? undefined : calendarOf(reading.every))
  if (reading.every !== undefined && form === 'number')
    throw rangeError(`${who}: every wants dates, got numbers in '${columns.time}'; leave it out, or write times as dates`)
  if (reading.every === undefined) checkRepeats(who, all, columns, times, form)
  const grid =
    calendar ??
    findCalendar(
      who,
      all.map((cells) => Float64Array.from(cells.times)),
      form,
    )
  if (reading.calendar === undefined) {
    notes.unshift(`Times are ${oneStep(grid)} apart`)
    if (form === 'number' && times.every((time) => Number.isInteger(time) && time >= EXCEL[0] && time < EXCEL[1]))
      notes.push(`${times[0]} may be ${excelDay(times[0])} in Excel's days: dates have weeks and seasons, numbers have none`)
  }
  const [usual, longer] = seasonsOf(grid)
  const seasons = [reading.season ?? usual, reading.season === undefined ? longer : 1] as const
  const read = all.map((cells) => seriesOf(who, rows, cells, grid, columns, reading, notes, form))
  if (reading.calendar !== undefined) return { calendar: grid, seasons, series: read, leftOut: [], notes }
  const faults = read.map(faultOf)
  const series = read.filter((_, i) => faults[i] === undefined)
  const leftOut = read.flatMap(({ key }, i) => (faults[i] === undefined ? [] : { key, reason: faults[i].reason }))
  if (series.length === 0) throw rangeError(`${who}: ${named(read[0].key)}${faults[0]?.reason}; ${faults[0]?.remedy}`)
  if (reading.every !== undefined) tellAdded(all, read, reading.every, notes)
  const whole = series.map((own) => ({ ...own, values: filled(own.values, own.gaps, seasons[0]) }))
  return { calendar: grid, seasons, series: whole, leftOut, notes }
}

export const countGaps = (gaps: Uint8Array): number => gaps.reduce((sum, gap) => sum + gap, 0)

/** Why a series cannot be forecast, and what to do if no other one can. */
function faultOf({ key, values, gaps }: Series): { reason: string; remedy: string } | undefined {
  const it = key.length > 0 ? 'this series' : 'it'
  if (values.length < FEWEST)
    return {
      reason: `has ${count(values.length, 'value')}, and a forecast wants at least ${FEWEST}`,
      remedy: `leave ${it} out, or add earlier rows`,
    }
  const missing = countGaps(gaps)
  if (missing > MAX_GAPS * gaps.length)
    return { reason: `has no value at ${missing} of ${gaps.length} times`, remedy: `give every: a longer period, or leave ${it} out` }
  return undefined
}

function checkColumns(who: string, rows: readonly Row[], { time, values, by, known, fixed }: Columns): void {
  const present = new Set(rows.flatMap((row, i) => (i < 1000 ? Object.keys(row) : [])))
  const used = new Map<string, string>()
  for (const [option, names] of Object.entries({ time: [time], value: values, by, known, static: fixed }))
    for (const name of names) {
      if (!present.has(name)) {
        const near = nearest(name, [...present])
        throw rangeError(
          `${who}: ${option} wants a column of the rows, got ${show(name)}${near ? `; did you mean ${show(near)}?` : `. Columns: ${showNames([...present])}`}`,
        )
      }
      const before = used.get(name)
      if (before !== undefined)
        throw rangeError(`${who}: ${option} wants a column of its own, got ${show(name)}, which is ${before} already; leave one out`)
      used.set(name, option)
    }
}

/** The values of each series, in the order of the rows. Rows after the last value have known columns alone. */
function cellsOf(who: string, rows: readonly Row[], times: Float64Array, { values, by, fixed }: Columns): Cells[] {
  const found = new Map<string, Cells>()
  for (const [i, row] of rows.entries()) {
    const own = by.map((name) => keyOf(who, i, name, valueIn(row, name)))
    const traits = fixed.map((column) => String(valueIn(row, column) ?? ''))
    for (const name of values) {
      const key = values.length > 1 ? [...own, name] : own
      const id = idOf(key)
      let cells = found.get(id)
      if (cells === undefined) found.set(id, (cells = { key, rows: [], times: [], values: [], fixed: traits }))
      const changed = traits.findIndex((text, j) => text !== cells.fixed[j])
      if (changed >= 0)
        throw rangeError(
          `${who}: row ${i}: '${shortened(fixed[changed])}' wants one value for each series, got ${show(traits[changed])} after ${show(cells.fixed[changed])}; name it in known instead of static`,
        )
      cells.rows.push(i)
      cells.times.push(times[i])
      cells.values.push(numberIn(who, i, name, valueIn(row, name)))
    }
  }
  return [...found.values()]
}

function keyOf(who: string, row: number, name: string, value: unknown): string {
  if (isGap(value))
    throw rangeError(`${who}: row ${row}: '${shortened(name)}' names the series and is empty; fill it in, or leave the row out`)
  if (value instanceof Date && Number.isFinite(value.getTime())) return value.toISOString()
  if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol')
    throw typeError(`${who}: row ${row}: '${shortened(name)}' wants a text or number, got ${show(value)}`)
  return String(value)
}

/** NaN for a gap. */
function numberIn(who: string, row: number, name: string, value: unknown): number {
  if (isGap(value)) return Number.NaN
  const number = typeof value === 'boolean' ? Number(value) : numberOf(value)
  if (!Number.isNaN(number)) return number
  const remedy = hasComma(value) ? `; ${COMMA_ADVICE}` : ''
  throw (typeof value === 'object' ? typeError : rangeError)(
    `${who}: row ${row}: '${shortened(name)}' wants a finite number, got ${show(value)}${remedy}`,
  )
}

function sortByTime(all: Cells[], notes: string[]): void {
  let unsorted = 0
  for (const cells of all) {
    const { times } = cells
    if (times.every((time, i) => i === 0 || time >= times[i - 1])) continue
    unsorted++
    const order = times.map((_, i) => i).sort((a, b) => times[a] - times[b] || a - b)
    for (const name of ['rows', 'times', 'values'] as const) cells[name] = order.map((i) => cells[name][i])
  }
  if (unsorted > 0)
    notes.push(`Rows of ${unsorted === 1 ? 'a series' : `${unsorted} series`} were not in the order of time; they were sorted`)
}

function checkRepeats(who: string, all: readonly Cells[], { time, by }: Columns, times: Float64Array, form: Form): void {
  for (const { key, rows, times: own } of all) {
    const at = own.findIndex((value, i) => i > 0 && value === own[i - 1])
    if (at < 0) continue
    const [first, second] = [rows[at - 1], rows[at]]
    const text = form === 'number' ? String(times[second]) : new Date(times[second]).toISOString().replace(/T00:00:00.000Z$/, '')
    throw rangeError(
      `${who}: row ${second}: '${time}' wants each time once${key.length > 0 ? ` for ${shortened(nameOf(key))}` : ''}, got ${text} as in row ${first}; ` +
        `${by.length === 0 ? 'name the column that tells series apart as by, or ' : ''}give every: 'day' or another period to add rows up`,
    )
  }
}

/** One series on the grid. */
function seriesOf(
  who: string,
  rows: readonly Row[],
  cells: Cells,
  grid: Calendar,
  columns: Columns,
  { every, combine, calendar }: Reading,
  notes: string[],
  form: Form,
): Series {
  const places = cells.times.map((time) => {
    const place = placeOf(grid, time)
    if (every === undefined && !Number.isInteger(place))
      throw rangeError(
        `${who}: '${columns.time}' wants times ${oneStep(grid)} apart, got ${form === 'number' ? time : new Date(time).toISOString()}, which is between two`,
      )
    return Math.floor(place)
  })
  const [start, end] = [places[0] ?? 0, (places.at(-1) ?? -1) + 1]
  // a wrong year would make a series of millions of gaps
  if (end - start > 10 * cells.rows.length + 10_000)
    throw rangeError(
      `${who}: ${named(cells.key)}has ${cells.rows.length} rows from ${timeText(grid, start)} to ${timeText(grid, end - 1)}, nearly all of them gaps; is a time wrong? Or give every: a longer period`,
    )
  const sums = new Float64Array(end - start)
  const counts = new Int32Array(end - start)
  for (const [i, place] of places.entries())
    if (!Number.isNaN(cells.values[i])) {
      sums[place - start] += cells.values[i]
      counts[place - start]++
    }
  const rowsAt = new Set(places)
  const known = columns.known.map((name) => knownOf(who, rows, cells.rows, places, start, end, name))
  let [from, to] = [0, end - start]
  // rows of a model may tell of the future alone: their known columns count from the first row
  while (calendar === undefined && from < to && counts[from] === 0) from++
  while (from < to && counts[to - 1] === 0) to--
  if (every !== undefined) [from, to] = wholePeriods(cells, grid, [start + from, start + to], notes).map((place) => place - start)
  to = Math.max(from, to)
  const values = sums.slice(from, to)
  const gaps = Uint8Array.from(counts.subarray(from, to), (n) => (n === 0 ? 1 : 0))
  if (combine === 'mean') for (let i = 0; i < values.length; i++) values[i] /= counts[from + i] || 1
  const isLate = every !== undefined && calendar !== undefined && from === 0 && cells.times[0] > timeAt(grid, start)
  return {
    ...{ key: cells.key, start: start + from, values, gaps, known: known.map((column) => column.slice(from)), fixed: cells.fixed },
    ...(isLate && { isLate }),
    ...(calendar !== undefined && { told: Uint8Array.from(known[0] ?? [], (_, i) => Number(rowsAt.has(start + i))).subarray(from) }),
  }
}

const named = (key: readonly string[]) => (key.length > 0 ? `${show(nameOf(key))} ` : 'the series ')
export const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`

/** Values of a known column by place; a gap is an error, since nothing says what was planned. */
function knownOf(
  who: string,
  rows: readonly Row[],
  own: readonly number[],
  places: readonly number[],
  start: number,
  end: number,
  name: string,
): Float64Array {
  const column = new Float64Array(end - start)
  const counts = new Int32Array(end - start)
  for (const [i, place] of places.entries()) {
    const value = numberIn(who, own[i], name, valueIn(rows[own[i]], name))
    if (Number.isNaN(value))
      throw rangeError(`${who}: row ${own[i]}: '${shortened(name)}' is a known column and is empty; fill it in, or leave it out of known`)
    // the mean of a period of several rows
    column[place - start] += (value - column[place - start]) / ++counts[place - start]
  }
  // places without a row keep the value before
  for (let i = 1; i < column.length; i++) if (counts[i] === 0) column[i] = column[i - 1]
  return column
}

/** Periods that rows with values cover to their ends, by the usual distance of rows: a sum of half a month would look like a fall. */
function wholePeriods({ key, times: all, values }: Cells, grid: Calendar, [from, to]: [number, number], notes: string[]): [number, number] {
  const times = all.filter((_, i) => !Number.isNaN(values[i]))
  // rows of Mondays to Fridays cover a week, and a month that begins or ends at a weekend
  const isWeekend = (time: number) => [0, 6].includes(new Date(time).getUTCDay())
  const rest = times.length >= 5 && !times.some(isWeekend) ? DAY : 0
  const between = (start: number, end: number) => {
    let time = end - start
    if (rest === 0) return time
    for (let day = Math.ceil(start / DAY) * DAY; day < end; day += DAY) if (isWeekend(day)) time -= rest
    return time
  }
  const steps = times
    .slice(1)
    .map((time, i) => between(times[i], time))
    .filter((step) => step > 0)
    .sort((a, b) => a - b)
  const usual = steps[Math.floor(steps.length / 2)] ?? 0
  const of = key.length > 0 ? `${shortened(nameOf(key))}: ` : ''
  const parts: string[] = []
  const [first, last] = [times[0], times[times.length - 1]]
  let range: [number, number] = [from, to]
  if (between(timeAt(grid, from), first) > 1.5 * usual) {
    parts.push(String(timeText(grid, from)))
    range = [from + 1, to]
  }
  if (between(last, timeAt(grid, to)) > 2.5 * usual) {
    parts.push(String(timeText(grid, to - 1)))
    range = [range[0], to - 1]
  }
  if (parts.length > 0) notes.push(`${of}rows cover only a part of ${parts.join(' and ')}, which is left out`)
  const lastRows = new Map(times.map((time) => [Math.floor(placeOf(grid, time)), time]))
  const ends = [...lastRows].map(([place, time]) => between(time, timeAt(grid, place + 1)))
  const end = ends.pop() ?? 0
  const latest = ends.reduce((most, other) => Math.max(most, other), 0)
  if (range[1] === to && ends.length >= 3 && end > latest + usual / 2)
    notes.push(
      `${of}rows of ${timeText(grid, to - 1)}, which counts as whole, end earlier than those of all others; leave it out if some are to come`,
    )
  return range
}

function tellAdded(all: readonly Cells[], series: readonly Series[], every: Period, notes: string[]): void {
  const rows = all.reduce((sum, { rows }) => sum + rows.length, 0)
  notes.push(
    `${count(rows, 'row')} became ${count(
      series.reduce((sum, { values }) => sum + values.length, 0),
      every,
    )}`,
  )
}

/**
 * Values with their gaps filled in by a straight line between neighbors; in series with seasons by the season before, on a line of what neighbors differ by
 * from it. No value after the next known one has a part in it, so that a past that ends with a known value is made from itself alone.
 */
export function filled(values: Float64Array, gaps: Uint8Array, season: number): Float64Array {
  if (!gaps.includes(1)) return values
  const out = values.slice()
  let [before, after] = [-1, 0]
  for (let i = 0; i < out.length; i++) {
    if (gaps[i] === 0) {
      before = i
      continue
    }
    while (after <= i || gaps[after] === 1) after++
    const isSeasonal = season > 1 && before >= season && after - before <= season
    const base = (at: number) => (isSeasonal ? out[at - season] : 0)
    const [left, right] = [values[before] - base(before), values[after] - base(after)]
    out[i] = base(i) + left + ((i - before) / (after - before)) * (right - left)
  }
  return out
}
