/** Times of rows: how they are written, the regular grid on which they lie, and the times that follow. */
import { rangeError, typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { DAY, daysOf, numberOf } from '../data/table/values.js'
import { wayOf, writtenDay } from '../data/table/written.js'
import type { Period } from './options.js'

const WEEK = 7 * DAY
const HOUR = 36e5
const MINUTE = 6e4
/** Times from the year 1000 until 9999, which texts have in four digits. */
const EARLIEST = Date.UTC(1000, 0)
const LATEST = Date.UTC(10_000, 0)

/** How times are written: forecasts have their times in the same form, written days as ISO 8601. */
export type Form = 'number' | 'day' | 'instant' | 'month' | 'quarter' | 'week'

/** A regular grid of times. Place 0 is the time nearest to 1970 (for numbers: to 0). */
export interface Calendar {
  /** Months of the calendar, Mondays to Fridays, a fixed number of milliseconds, or plain numbers. */
  readonly kind: 'month' | 'weekday' | 'millisecond' | 'number'
  /** Months, weekdays, milliseconds or units of the number from one place to the next. */
  readonly step: number
  /** Distance of place 0 from the origin: months modulo `step`, milliseconds or units. */
  readonly phase: number
  /** For months: milliseconds from the first of the month to the time, or −1 for the last day of each month. */
  readonly within: number
  readonly form: Form
}

/** Names of the months in English, German and French, without accents. */
const MONTHS = [
  'january januar janner janvier',
  'february februar feber fevrier',
  'march marz maerz mrz mars',
  'april avril',
  'may mai',
  'june juni juin',
  'july juli juillet',
  'august aout',
  'september septembre',
  'october oktober octobre',
  'november novembre',
  'december dezember decembre',
].map((names) => names.split(' '))
const MONTH_TEXT = /^(?:(\d{4})[-/ ]?M?(\d\d)|(\d{4})[-/ ](\p{L}{3,9})\.?|(\p{L}{3,9})\.?[-/ ](\d{4}|'?\d\d))$/iu
/** A month with a year of two digits, which may be a day: Jan-22. */
const SHORT_YEAR = /^\p{L}+\.?[-/ ]'?\d\d$/u
const QUARTER_TEXT = /^(\d{4})[- ]?Q([1-4])$/i
const WEEK_TEXT = /^(\d{4})[- ]?W(\d\d)$/i

/** Times of a column as milliseconds since 1970 in UTC, or as they are for numbers. */
export interface Times {
  readonly values: Float64Array
  readonly form: Form
}

/**
 * @param column for messages
 * @throws RangeError, TypeError naming the first row whose time cannot be read, or is of another kind than the others
 */
export function readTimes(who: string, column: string, given: readonly unknown[]): Times {
  const values = new Float64Array(given.length)
  let form: Form | undefined
  const written = given.filter((value) => typeof value === 'string' && /^\d{1,2}[./-]/.test(value.trim()))
  const first = written.length > 0 ? wayOf(written)?.first : undefined
  if (written.length > 0 && first === undefined)
    throw rangeError(
      `${who}: row ${given.indexOf(written[0])}: '${column}' wants dates, got ${show(written[0])}, which may begin with the day or the month; write dates as 2024-12-31`,
    )
  for (let i = 0; i < given.length; i++) {
    const [time, own] = readTime(given[i], first)
    if (!Number.isFinite(time) || (own !== 'number' && !(time >= EARLIEST && time < LATEST)))
      throw (typeof given[i] === 'object' && !(given[i] instanceof Date) && given[i] !== null ? typeError : rangeError)(
        `${who}: row ${i}: '${column}' wants a date such as 2024-12-31, 2024-12, Dec 2024, 2024 Q4 or a number, got ${show(given[i])}`,
      )
    values[i] = time
    if (form === undefined || form === own) form = own
    else if (isDay(form) && isDay(own)) form = 'instant'
    else
      throw rangeError(
        `${who}: row ${i}: '${column}' wants times that are written in one way, got ${show(given[i])} after ${show(given[i - 1])}; write all as 2024-12-31`,
      )
  }
  if (form === 'month') checkShortYears(who, column, given, values)
  return form === 'number' ? fractionsOfYears(values) : { values, form: form ?? 'day' }
}

/**
 * Days of a month such as Jan-22 look like the same month of many years. Months have few such neighbors: where the next series begins, or rows lie in no
 * order.
 * @throws RangeError where most rows with another time than the row before are of the same month
 */
function checkShortYears(who: string, column: string, given: readonly unknown[], values: Float64Array): void {
  const changed = [...values.keys()].filter((i) => i > 0 && values[i] !== values[i - 1] && SHORT_YEAR.test(String(given[i]).trim()))
  const same = changed.filter((i) => (monthsOf(values[i]) - monthsOf(values[i - 1])) % 12 === 0)
  const [i] = same
  if (same.length > changed.length / 2)
    throw rangeError(
      `${who}: row ${i}: '${column}' wants months, got ${show(given[i])} after ${show(given[i - 1])}, which may be days of one month; write days as 2024-12-31, and months as 2024-12`,
    )
}

const isDay = (form: Form) => form === 'day' || form === 'instant'

function readTime(value: unknown, first: 'day' | 'month' | undefined): [time: number, form: Form] {
  if (value instanceof Date) return [value.getTime(), value.getTime() % DAY === 0 ? 'day' : 'instant']
  if (typeof value === 'number' || typeof value === 'bigint') return [Number(value), 'number']
  if (typeof value !== 'string' || value.length > 40) return [Number.NaN, 'number']
  const text = value.trim()
  const days = daysOf(text)
  if (Number.isFinite(days)) return [Math.round(days * DAY), text.length > 10 ? 'instant' : 'day']
  const [, year, quarter] = QUARTER_TEXT.exec(text) ?? []
  if (year !== undefined) return [Date.UTC(Number(year), 3 * Number(quarter) - 3), 'quarter']
  const [, ofWeek, week] = WEEK_TEXT.exec(text) ?? []
  if (ofWeek !== undefined) return [mondayOf(Number(ofWeek), Number(week)), 'week']
  const month = MONTH_TEXT.exec(text)
  if (month !== null) {
    const [, y1, number, y2, name1, name2, y3] = month
    const at = number === undefined ? monthOf(name1 ?? name2 ?? '') : Number(number) - 1
    return [at >= 0 && at < 12 ? Date.UTC(yearOf(y1 ?? y2 ?? y3 ?? ''), at) : Number.NaN, 'month']
  }
  if (first !== undefined) {
    const day = writtenDay(text, first)
    if (Number.isFinite(day)) return [Math.round(day * DAY), text.includes(':') ? 'instant' : 'day']
  }
  return [text === '' ? Number.NaN : numberOf(text), 'number']
}

/** Index of the month that a name, or its first three letters or more, is of; −1 for none or two: `jui` may be June or July. */
function monthOf(name: string): number {
  const plain = name.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '')
  const found = MONTHS.flatMap((names, at) => (names.some((one) => one.startsWith(plain)) ? [at] : []))
  return found.length === 1 ? found[0] : -1
}

/** Years of two digits are 1969 to 2068, as in POSIX. */
function yearOf(digits: string): number {
  const year = Number(digits.replace("'", ''))
  return digits.length >= 4 ? year : year + (year < 69 ? 2000 : 1900)
}

/** Monday of an ISO 8601 week: week 1 has the 4th of January. */
function mondayOf(year: number, week: number): number {
  const fourth = Date.UTC(year, 0, 4)
  const monday = fourth - ((new Date(fourth).getUTCDay() + 6) % 7) * DAY + (week - 1) * WEEK
  // week 53 of a year that has 52
  return week >= 1 && week <= 53 && new Date(monday + 3 * DAY).getUTCFullYear() === year ? monday : Number.NaN
}

/** Years with months as fractions, 1949.0833, as R writes them, become months. Other numbers stay. */
function fractionsOfYears(values: Float64Array): Times {
  const isYear = (value: number) => value > 1000 && value < 3000 && Math.abs(12 * value - Math.round(12 * value)) < 0.06
  if (values.every(Number.isInteger) || !values.every(isYear)) return { values, form: 'number' }
  return { values: values.map((value) => firstOfMonth(Math.round(12 * value) - 12 * 1970)), form: 'month' }
}

/** Milliseconds of the first of a month, by months since January 1970. */
const firstOfMonth = (months: number) => Date.UTC(1970, months)
/** Months since January 1970. */
const monthsOf = (time: number) => 12 * (new Date(time).getUTCFullYear() - 1970) + new Date(time).getUTCMonth()
const lastOfMonth = (months: number) => firstOfMonth(months + 1) - DAY

/** The calendar of a period: weeks begin on Monday. */
export function calendarOf(period: Period): Calendar {
  if (period === 'month' || period === 'quarter' || period === 'year')
    return {
      kind: 'month',
      step: { month: 1, quarter: 3, year: 12 }[period],
      phase: 0,
      within: 0,
      form: period === 'year' ? 'day' : period,
    }
  const step = { hour: HOUR, day: DAY, week: WEEK }[period]
  // 1970 began on a Thursday
  return { kind: 'millisecond', step, phase: period === 'week' ? 4 * DAY : 0, within: 0, form: period === 'hour' ? 'instant' : 'day' }
}

/** The place of a time: a whole number where the time lies on the grid; `Math.floor` of it is the period that has the time. */
export function placeOf({ kind, step, phase, within }: Calendar, time: number): number {
  if (kind === 'number' || kind === 'millisecond') return nearWhole((time - phase) / step)
  if (kind === 'weekday') {
    const days = Math.floor((time - phase) / DAY) + 3
    const rest = ((days % 7) + 7) % 7
    return rest > 4 || (time - phase) % DAY !== 0 ? Number.NaN : 5 * Math.floor(days / 7) + rest
  }
  const months = monthsOf(time)
  const start = within < 0 ? lastOfMonth(months) : firstOfMonth(months) + within
  return (months - phase) / step + (time - start) / (31 * DAY * step)
}

const nearWhole = (x: number) => (Math.abs(x - Math.round(x)) < 1e-6 ? Math.round(x) : x)

/** The time of a place: milliseconds since 1970, or the number. */
export function timeAt({ kind, step, phase, within }: Calendar, place: number): number {
  if (kind === 'number' || kind === 'millisecond') return phase + step * place
  if (kind === 'weekday') return (7 * Math.floor(place / 5) + (((place % 5) + 5) % 5) - 3) * DAY + phase
  const months = phase + step * place
  return within < 0 ? lastOfMonth(months) : firstOfMonth(months) + within
}

/** The time of a place as text in the form of the rows; a number for numbers. */
export function timeText(calendar: Calendar, place: number): string | number {
  const time = timeAt(calendar, place)
  if (calendar.form === 'number') return Number(time.toPrecision(12))
  const text = new Date(time).toISOString()
  if (calendar.form === 'month') return text.slice(0, 7)
  if (calendar.form === 'quarter') return `${text.slice(0, 4)} Q${Math.floor(new Date(time).getUTCMonth() / 3) + 1}`
  if (calendar.form === 'instant')
    return time % MINUTE === 0 ? `${text.slice(0, 10)} ${text.slice(11, 16)}` : `${text.slice(0, 10)} ${text.slice(11, 19)}`
  return text.slice(0, 10)
}

const NAMES: readonly (readonly [string, Calendar['kind'], number])[] = [
  ...([
    ['year', 'month', 12],
    ['half-year', 'month', 6],
    ['quarter', 'month', 3],
    ['month', 'month', 1],
  ] as const),
  ...([
    ['weekday', 'weekday', 1],
    ['week', 'millisecond', WEEK],
    ['day', 'millisecond', DAY],
    ['hour', 'millisecond', HOUR],
  ] as const),
  ...([
    ['minute', 'millisecond', MINUTE],
    ['second', 'millisecond', 1000],
    ['unit', 'number', 1],
  ] as const),
]

/** `month`, `30 minutes`, `2 units`. */
export function stepName({ kind, step }: Pick<Calendar, 'kind' | 'step'>): string {
  const [name, , size] = NAMES.find(([, of, size]) => of === kind && step % size === 0) ?? [kind, kind, 1]
  const count = Number((step / size).toPrecision(6))
  return count === 1 ? name : `${count} ${name}s`
}

/** `a month`, `an hour`, `2 weeks`; of the name of a step, too. */
export function oneStep(calendar: Pick<Calendar, 'kind' | 'step'> | string): string {
  const name = typeof calendar === 'string' ? calendar : stepName(calendar)
  return /^\d/.test(name) ? name : `${name === 'hour' ? 'an' : 'a'} ${name}`
}

/** Several steps of a name: `3 months`, `3 × 2 weeks`. */
export const countSteps = (count: number, step: string): string =>
  /^\d/.test(step) ? `${count} × ${step}` : `${count} ${step}${count === 1 ? '' : 's'}`

/** Places of a season, and of a longer one or 1: a year of months, a week of days, a day and a week of hours. */
export function seasonsOf({ kind, step }: Calendar): [season: number, longer: number] {
  const whole = (x: number) => (Number.isInteger(x) ? x : 1)
  if (kind === 'number') return [1, 1]
  if (kind === 'month') return [whole(12 / step), 1]
  if (kind === 'weekday') return [5, 1]
  if (step % WEEK === 0) return [step === WEEK ? 52 : 1, 1]
  if (step >= DAY) return [whole(WEEK / step), 1]
  if (step >= 5 * MINUTE) return [whole(DAY / step), whole(WEEK / step)]
  return [step >= 1000 ? 60 : 1, 1]
}

/** The frequency has changed where this many differences in a row, and this fraction of them, are alike (months of days differ) and not the usual one. */
const CHANGED_RUN = 6
const CHANGED_SHARE = 0.05
const ALIKE = 0.15
/** Fraction of the differences that has to be one step. */
const USUAL = 0.5

/**
 * Finds the grid of times.
 * @param series times of each series, in order, without repeats
 * @throws RangeError if there is none: times are irregular, or the frequency changes
 */
export function findCalendar(who: string, series: readonly Float64Array[], form: Form): Calendar {
  const times = series.flatMap((own) => [...own])
  const base = form === 'number' ? numberBase(series) : (monthBase(times) ?? dayBase(series, times))
  const place = (time: number) => placeOf({ ...base, form }, time)
  const counts = new Map<number, number>()
  let total = 0
  for (const own of series)
    for (let i = 1; i < own.length; i++, total++) {
      const gap = Number((place(own[i]) - place(own[i - 1])).toPrecision(9))
      counts.set(gap, (counts.get(gap) ?? 0) + 1)
    }
  const [step = 1, often = 0] = [...counts].sort(([a, m], [b, n]) => n - m || a - b)[0] ?? []
  const say = (time: number) => timeText({ ...base, form }, place(time))
  for (const own of series) {
    // `first` is the first of a run of differences that are alike and not the usual one
    for (let [i, first, run] = [1, 0, 0]; i < own.length; i++) {
      const gap = place(own[i]) - place(own[i - 1])
      run = Math.abs(gap - step) < 1e-6 ? 0 : run > 0 && Math.abs(gap - first) < ALIKE * first ? run + 1 : 1
      if (run === 1) first = gap
      if (run >= Math.max(CHANGED_RUN, CHANGED_SHARE * own.length))
        throw rangeError(
          `${who}: times want one frequency, got steps of ${oneStep({ ...base, step: base.step * step })} and, at ${say(own[i])}, of ${oneStep({ ...base, step: base.step * gap })}; give every: 'month' or another period to add them up, or forecast the rows of one frequency`,
        )
    }
  }
  const phase = base.phase + base.step * (((place(times[0]) % step) + step) % step)
  const found: Calendar = base.kind === 'weekday' ? { ...base, form } : { ...base, step: base.step * step, phase, form }
  const off = times.find((time) => !Number.isInteger(placeOf(found, time)))
  if (off !== undefined || often < USUAL * total)
    throw rangeError(
      `${who}: times want regular steps, got ${off === undefined ? `${counts.size} different ones` : `${say(off)}, which is off the usual step of ${oneStep(found)}`}; give every: 'day', 'week' or 'month' to add rows up to regular periods`,
    )
  return found
}

type Base = Omit<Calendar, 'form'>

function numberBase(series: readonly Float64Array[]): Base {
  let step = Infinity
  for (const own of series) for (let i = 1; i < own.length; i++) step = Math.min(step, own[i] - own[i - 1])
  return {
    kind: 'number',
    step: Number.isFinite(step) && step > 0 ? Number(step.toPrecision(12)) : 1,
    phase: series[0]?.[0] ?? 0,
    within: 0,
  }
}

/** Months, if all times have the same place in their month. */
function monthBase(times: readonly number[]): Base | null {
  const within = times.length === 0 ? 0 : times[0] - firstOfMonth(monthsOf(times[0]))
  const isSame = (time: number) => time - firstOfMonth(monthsOf(time)) === within
  if (times.every(isSame)) return { kind: 'month', step: 1, phase: 0, within }
  const isLast = (time: number) => time === lastOfMonth(monthsOf(time))
  return times.every(isLast) ? { kind: 'month', step: 1, phase: 0, within: -1 } : null
}

/** Days that are never Saturday or Sunday are weekdays, if there are more than two weeks of them and most follow one another. */
function dayBase(series: readonly Float64Array[], times: readonly number[]): Base {
  const phase = ((times[0] % DAY) + DAY) % DAY
  const isWeekday = (time: number) => (time - phase) % DAY === 0 && ![0, 6].includes(new Date(time - phase).getUTCDay())
  let [next, all] = [0, 0]
  for (const own of series) for (let i = 1; i < own.length; i++, all++) if (own[i] - own[i - 1] === DAY) next++
  if (times.length > 10 && next > 0.6 * all && times.every(isWeekday)) return { kind: 'weekday', step: 1, phase, within: 0 }
  return { kind: 'millisecond', step: 1, phase: 0, within: 0 }
}
