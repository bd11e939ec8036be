/** Values in cells of tables: which are numbers, dates or missing. */
import { typeError } from '../../common/errors.js'
import { show } from '../../common/show.js'

/** A row of a table: its values by the name of their column. Numbers may be text, as CSV readers give them. */
export type Row = Readonly<Record<string, unknown>>

/** Handling of a gap in a column: see `missing` of {@link TableOptions}. */
export type Missing = 'fail' | 'drop' | 'mean' | 'median' | 'auto' | number

/** @internal rows with their indices in the table, which stay the same if others are left out */
export type NumberedRows = readonly (readonly [at: number, row: Row])[]

/** @internal rows with their numbers. @throws TypeError for anything but objects in an array */
export function numbered(who: string, rows: readonly object[], from = 0): NumberedRows {
  if (!Array.isArray(rows)) throw typeError(`${who}: wants rows in an array, got ${show(rows)}${insteadOf(rows)}`)
  const none = rows.findIndex(
    (row) => typeof row !== 'object' || row === null || Array.isArray(row) || ArrayBuffer.isView(row) || row instanceof Promise,
  )
  if (none >= 0) throw typeError(`${who}: row ${none + from} wants an object, { column: value, … }, got ${show(rows[none])}`)
  return rows.map((row, i) => [from + i, row as Row] as const)
}

/** @internal the remedy for a file or an iterator where rows are wanted */
export function insteadOf(rows: unknown): string {
  if (typeof rows === 'string' || rows instanceof URL || rows instanceof Blob)
    return '; await readTable(…) of gradus/data gives those of a file'
  // a tensor has an iterator that throws
  return typeof rows === 'object' && rows !== null && Symbol.iterator in rows && !('shape' in rows) ? '; [...rows] makes one' : ''
}

/** @internal true for a gap: undefined, null, NaN or empty text */
export type MissingTest = (value: unknown) => boolean

/** Texts that programs write for a missing value: those of pandas, and the question mark of the UCI repository. */
export const USUAL_GAPS: readonly string[] = [
  ...['NA', 'N/A', 'n/a', 'na', '#N/A', '<NA>', 'NaN', 'nan', '-NaN', '-nan', 'NULL', 'null', 'None', 'none', '?'],
]

/**
 * Usual words for a gap that are also answers of people: no symptoms, no garage. In a text target they may be a class. The others (`NA`, `NaN`,
 * `NULL` …) are written by programs for a gap.
 */
export const ANSWERS: ReadonlySet<unknown> = new Set(['none', 'None', 'na', 'n/a', 'N/A', 'null', 'nan', '?'])

/** @internal */
export function missingTest(given: readonly (string | number)[] = []): MissingTest {
  const known = new Set(given.map(String))
  // for nearly all values the first character shows that they are not one of these texts
  const mayBeGap = new Uint8Array(ASCII).fill(1, 0, 33)
  for (const text of known) mayBeGap[text.charCodeAt(0)] = 1
  const isGap = (text: string) => {
    const code = text.charCodeAt(0)
    return !(code < ASCII && mayBeGap[code] === 0) && (known.has(text) || text.trim() === '')
  }
  return (value) => {
    if (typeof value === 'string') return isGap(value)
    if (value === undefined || value === null || Number.isNaN(value)) return true
    return isCell(value) && isGap(String(value))
  }
}

/** Codes of ASCII; codes up to 32 are blanks and control characters. */
const ASCII = 128

/** @internal true for a value of a kind that columns take; each can be turned into text */
export function isCell(value: unknown): value is number | string | boolean | bigint {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint'
}

/**
 * @internal the index of each category by its text, and of true and false by any of their spellings: pandas writes `True`, JSON `true`, Excel `TRUE`
 */
export function placesOf(categories: readonly string[]): Map<string, number> {
  const places = new Map(categories.map((category, i) => [category, i]))
  for (const [i, category] of categories.entries()) {
    const word = category.toLowerCase()
    if (word !== 'true' && word !== 'false') continue
    for (const spelling of [word, word[0].toUpperCase() + word.slice(1), word.toUpperCase()])
      if (!places.has(spelling)) places.set(spelling, i)
  }
  return places
}

/** @internal */
export function valueIn(row: Row, name: string): unknown {
  const value = row[name]
  // no inherited property of an object is text or a number, so such a value is the row's own
  if (typeof value === 'string' || typeof value === 'number') return value
  return Object.hasOwn(row, name) ? value : undefined
}

/** @internal the number of a value, or of its text, if 32 bits hold it; NaN for anything else */
export function numberOf(value: unknown): number {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return Number.NaN
  const x = typeof value === 'string' ? numberIn(value) : Number(value)
  return Math.abs(x) < TOO_LARGE ? x : Number.NaN
}

const [POINT, ZERO, NINE, MINUS, I] = [...'.09-I'].map((c) => c.charCodeAt(0))
/** Number of digits that a double always holds exactly. */
const MAX_DIGITS = 15
const TENS = Array.from({ length: MAX_DIGITS + 1 }, (_, i) => 10 ** i)

/**
 * Returns `Number(text)`, in a fraction of the time for usual numbers. A plain decimal of few digits is an integer divided by a power of ten; both
 * are exact, so the quotient is rounded only once, as required (Clinger 1990).
 */
export function numberIn(text: string): number {
  const { length } = text
  const start = text.charCodeAt(0) === MINUS ? 1 : 0
  let [digits, count, point] = [0, 0, -1]
  for (let i = start; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code >= ZERO && code <= NINE) {
      digits = 10 * digits + code - ZERO
      if (++count > MAX_DIGITS) return Number(text)
    } else if (code === POINT && point < 0) point = i
    // a text that begins with a letter is a word, except `Infinity`
    else return i === 0 && code > NINE && code < ASCII && code !== I ? Number.NaN : Number(text)
  }
  if (count === 0) return Number(text)
  const size = point < 0 ? digits : digits / TENS[length - 1 - point]
  return start === 1 ? -size : size
}

/** The smallest number that 32 bits round to infinity: 2¹²⁸ − 2¹⁰³. */
const TOO_LARGE = 2 ** 128 - 2 ** 103

/** @internal true for a number, or a text of one, that 32 bits hold */
export function isNumber(value: unknown): boolean {
  return !Number.isNaN(numberOf(value))
}

/** @internal true for a text of a number that 32 bits cannot hold, such as 1e999 */
export function isTooLarge(value: unknown): boolean {
  return typeof value === 'string' && Math.abs(Math.fround(Number(value))) === Number.POSITIVE_INFINITY
}

/** A number with commas, which may be decimal or between thousands: only the writer knows. For text without blanks around it. */
const COMMA = /^-?(\d+,\d+|\d+(,\d{2,3})+(\.\d+)?|\d+(\.\d{3})+,\d+)$/

/** @internal */
export function hasComma(value: unknown): boolean {
  return COMMA.test(String(value).trim())
}

/** @internal advice about a table whose numbers have commas */
export const COMMA_ADVICE = "read the file with decimal: ',' or thousands: ',', as they are meant"

/** A day, or a time on it, as computers write it. For text without blanks around it: matching blanks too took quadratic time. */
const DATE = /^(\d{4})-(\d\d)-(\d\d)([T ]\d\d:\d\d.*)?$/

/** True if the Gregorian calendar has such a day. */
function isOnCalendar(year: number, month: number, day: number): boolean {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
  return month >= 1 && month <= 12 && day >= 1 && day <= days
}

/** @internal Milliseconds of a day. */
export const DAY = 864e5

/** @internal days since 1970 of a Date, or of text in ISO 8601 (UTC by default); NaN for anything else */
export function daysOf(value: unknown): number {
  if (value instanceof Date) return value.getTime() / DAY
  const text = typeof value === 'string' ? value.trim() : ''
  const [, year, month, day] = DATE.exec(text) ?? []
  // JavaScript takes the 30th of February for the 1st of March
  if (!isOnCalendar(Number(year), Number(month), Number(day))) return Number.NaN
  const time = text.length > 10 ? text.replace(' ', 'T') : text
  return Date.parse(text.length > 10 && !/(Z|[+-]\d\d:?\d\d)$/.test(time) ? `${time}Z` : time) / DAY
}

/** @internal days since 1970 as a Date */
export const dateOf = (days: number): Date => new Date(days * DAY)

/** @internal days since 1970 as a day: `2024-12-31` */
export const dayOf = (days: number): string => dateOf(days).toISOString().slice(0, 10)
