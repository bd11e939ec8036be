/** Columns of tables: what becomes of each, found out from its values, and rows made into numbers by that. */
import { rangeError, typeError } from '../common/errors.js'
import { editDistance, nearest } from '../common/names.js'
import { shortened, show, showNames } from '../common/show.js'

/** A row of a table: its values by the name of their column. Numbers may be text, as CSV readers give them. */
export type Row = Readonly<Record<string, unknown>>

/** What to do about a gap in a column: see `missing` of {@link TableOptions}. */
export type Missing = 'fail' | 'drop' | 'mean' | 'median' | number

/** How a column becomes numbers. */
export interface TableColumn {
  name: string
  /** null for numbers as they are, else one feature a category. */
  categories: readonly string[] | null
  /** What stands for a gap: of categories 0, in the feature of each. Without it a gap is an error. */
  fill?: number
  /** Rows with a gap here are left out of data sets. */
  drop?: true
}

/** @internal rows with their numbers in the table, which stay where others are left out */
export type NumberedRows = readonly (readonly [at: number, row: Row])[]

/** @internal whether a value is a gap: undefined, null, NaN or empty text */
export type MissingTest = (value: unknown) => boolean

/** @internal */
export function missingTest(given: readonly (string | number)[] = []): MissingTest {
  const known = new Set(given.map(String))
  return (value) => {
    if (value === undefined || value === null || Number.isNaN(value)) return true
    if (!isCell(value)) return false
    const text = String(value)
    return text.trim() === '' || known.has(text)
  }
}

/** Whether a value is of a kind that columns take; text can be made of all these. */
function isCell(value: unknown): value is number | string | boolean | bigint {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint'
}

/** @internal */
export function valueIn(row: Row, name: string): unknown {
  return Object.hasOwn(row, name) ? row[name] : undefined
}

/** @internal how {@link readColumn} reads a column */
export interface Reading {
  isMissing: MissingTest
  /** Whether the numbers of the column are names of categories. */
  isNamed: boolean
  missing: Missing
  isTarget: boolean
}

/**
 * @internal what becomes of a column
 * @throws RangeError for a gap that nothing was said about, and a value that is infinite or not like the others; TypeError for one
 *   that is neither number, text nor boolean
 */
export function readColumn(rows: NumberedRows, name: string, { isMissing, isNamed, missing, isTarget }: Reading): TableColumn {
  const given = rows.filter(([, row]) => !isMissing(valueIn(row, name)))
  const drop = missing === 'drop' && ({ drop: true } as const)
  const isFilled = missing !== 'fail' && missing !== 'drop' && !isTarget
  if (given.length < rows.length && !isFilled) {
    const [at] = rows.find(([, row]) => isMissing(valueIn(row, name))) as NumberedRows[number]
    const hint =
      missing === 'fail' ? `; give missing: 'drop' to leave such rows out${isTarget ? '' : ", 'mean' or 'median' to fill them in"}` : ''
    const more =
      missing !== 'fail' && isTarget
        ? `, the target, which is not filled in: missing: { '${shortened(name)}': 'drop', … } by column leaves such rows out`
        : ''
    throw rangeError(`fromTable: no value in column '${shortened(name)}' of row ${at}${hint}${more}`)
  }
  if (given.length === 0) throw rangeError(`fromTable: there is no value in column '${shortened(name)}'`)
  const values = given.map(([at, row]): Value => [at, valueIn(row, name)])
  const odd = values.find(([, value]) => !isCell(value))
  if (odd)
    throw typeError(
      `fromTable: column '${shortened(name)}' of row ${odd[0]} wants a number, text or boolean, got ${show(odd[1])}${odd[1] instanceof Date ? '; its getTime() / 864e5 are days' : ''}`,
    )
  if (!isNamed && isNumeric(values, name)) {
    const numbers = values.map(([, value]) => Number(value))
    return { name, categories: null, ...(isFilled && { fill: filling(numbers, missing) }), ...drop }
  }
  const categories = [...new Set(values.map(([, value]) => String(value)))]
  if (!isNamed && !isTarget) checkTexts(values, name, categories.length)
  const isOfNumbers = categories.every(isNumber)
  categories.sort(isOfNumbers ? (a, b) => Number(a) - Number(b) || (a < b ? -1 : 1) : undefined)
  return { name, categories, ...(isFilled && { fill: 0 }), ...drop }
}

type Value = readonly [at: number, value: unknown]

function filling(numbers: number[], missing: 'mean' | 'median' | number): number {
  if (typeof missing === 'number') return missing
  const n = numbers.length
  if (missing === 'mean') return numbers.reduce((sum, x) => sum + x, 0) / n
  numbers.sort((a, b) => a - b)
  return (numbers[(n - 1) >> 1] + numbers[n >> 1]) / 2
}

/** A column of numbers may have this many other values before it is read as categories: one, or one in ten. */
const STRAYS = 0.1

/** A number with commas, as its point or between thousands: nobody but the writer knows which. Of text without blanks around it. */
const COMMA = /^-?(\d+,\d+|\d+(,\d{2,3})+(\.\d+)?|\d+(\.\d{3})+,\d+)$/

/** Whether all values are numbers. @throws RangeError where nearly all are: somebody should look at the rest */
function isNumeric(values: readonly Value[], name: string): boolean {
  const strays = values.filter(([, value]) => !isNumber(value))
  const numbers = values.length - strays.length
  const infinite = strays.find(([, value]) => typeof value === 'number' || (numbers > 0 && isTooLarge(value)))
  if (infinite !== undefined)
    throw rangeError(
      `fromTable: column '${shortened(name)}' of row ${infinite[0]} wants a finite number (of 32 bits), got ${show(infinite[1])}`,
    )
  if (strays.length === 0) return true
  if (strays.every(([, value]) => COMMA.test(String(value).trim())))
    throw rangeError(
      `fromTable: column '${shortened(name)}' has a comma in a number, ${show(strays[0][1])} in row ${strays[0][0]}; ` +
        `write numbers with a point before the decimals and nothing between thousands, or add '${shortened(name)}' to categories`,
    )
  if (numbers <= 1 || strays.length > Math.max(1, STRAYS * values.length)) return false
  throw rangeError(
    `fromTable: column '${shortened(name)}' has numbers in ${numbers} rows, but ${show(strays[0][1])} in row ${strays[0][0]}; ` +
      `add that to missingValues, or '${shortened(name)}' to categories`,
  )
}

/** A day, or a time on it, as computers write it. Of text without blanks around it: matching those too took quadratic time. */
const DATE = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$/

/** With this many rows, a column of categories is expected to repeat some. */
const MANY = 20

/** @throws RangeError for texts that are hardly meant as categories: dates, and what is another in each row */
function checkTexts(values: readonly Value[], name: string, different: number): void {
  const otherwise = `leave '${shortened(name)}' out of inputs, or add it to categories`
  if (values.every(([, value]) => DATE.test(String(value).trim())))
    throw rangeError(
      `fromTable: column '${shortened(name)}' has dates, ${show(values[0][1])} in row ${values[0][0]}; ` +
        `make numbers of them (Date.parse(text) / 864e5 are days), ${otherwise}`,
    )
  if (different === values.length && different >= MANY)
    throw rangeError(
      `fromTable: column '${shortened(name)}' has another text in each of ${different} rows, as names and notes have; ${otherwise}`,
    )
}

function isNumber(value: unknown): boolean {
  return isCell(value) && typeof value !== 'boolean' && Number.isFinite(Math.fround(Number(value)))
}

/** Whether a text is a number that 32 bits cannot hold, such as 1e999. */
function isTooLarge(value: unknown): boolean {
  return typeof value === 'string' && Math.abs(Math.fround(Number(value))) === Number.POSITIVE_INFINITY
}

/** @internal rows without those that have a gap where such rows are left out. @throws RangeError if none is left */
export function wholeRows(who: string, rows: NumberedRows, dropped: readonly string[], isMissing: MissingTest): NumberedRows {
  if (dropped.length === 0) return rows
  const whole = rows.filter(([, row]) => !dropped.some((name) => isMissing(valueIn(row, name))))
  if (whole.length === 0 && rows.length > 0) throw rangeError(`${who}: a value is missing in each of the ${rows.length} rows`)
  return whole
}

/**
 * @internal A row may leave a column out. One that none has, where all have another of nearly its name, is misspelt.
 * @throws RangeError naming both
 */
export function checkSpelling(who: string, rows: NumberedRows, columns: readonly TableColumn[], others: readonly TableColumn[]): void {
  const absent = columns.filter(({ name }) => !rows.some(([, row]) => Object.hasOwn(row, name)))
  if (absent.length === 0 || rows.length === 0) return
  const known = [...columns, ...others].map(({ name }) => name)
  const unknown = Object.keys(rows[0][1]).filter((key) => !known.includes(key))
  for (const { name } of absent) {
    const near = nearest(name, unknown)
    // in a short name, two changed letters make another name
    if (near !== undefined && editDistance(name.toLowerCase(), near.toLowerCase()) <= name.length / 2)
      throw rangeError(
        `${who}: no row has a column '${shortened(name)}'; did you mean it by '${shortened(near)}'? (A column of gaps alone is null in a row.)`,
      )
  }
}

const FILL = "give fromTable what fills it in (missing: 'mean', 'median' or a number), or leave such rows out"

/** @internal how many features columns become */
export function widthOf(columns: readonly TableColumn[]): number {
  return columns.reduce((sum, { categories }) => sum + (categories?.length ?? 1), 0)
}

/** @internal inputs, row-major. @throws RangeError for a gap that is not filled in, or a value that is not of its column */
export function encodeRows(who: string, rows: NumberedRows, columns: readonly TableColumn[], isMissing: MissingTest): Float32Array {
  const out = new Float32Array(rows.length * widthOf(columns))
  let at = 0
  for (const [i, row] of rows) {
    for (const column of columns) {
      const { name, categories, fill } = column
      const value = valueIn(row, name)
      const isGap = isMissing(value)
      if (isGap && fill === undefined) throw rangeError(`${who}: no value in column '${shortened(name)}' of row ${i}; ${FILL}`)
      if (categories === null) out[at] = isGap ? (fill as number) : numberFor(who, value, column, i)
      else if (!isGap) out[at + numberFor(who, value, column, i)] = 1
      at += categories?.length ?? 1
    }
  }
  return out
}

/** @internal targets: numbers, or classes by their index. @throws RangeError for a gap, or a value that is not of its column */
export function encodeTargets(who: string, rows: NumberedRows, column: TableColumn, isMissing: MissingTest): Int32Array | Float32Array {
  const targets = column.categories === null ? new Float32Array(rows.length) : new Int32Array(rows.length)
  for (const [k, [i, row]] of rows.entries()) {
    const value = valueIn(row, column.name)
    if (isMissing(value)) throw rangeError(`${who}: no value in column '${shortened(column.name)}' of row ${i}, the target`)
    targets[k] = numberFor(who, value, column, i)
  }
  return targets
}

/** The number, or the index of the category. */
function numberFor(who: string, value: unknown, { name, categories }: TableColumn, row: number): number {
  if (categories !== null) {
    const found = isCell(value) ? categories.indexOf(String(value)) : -1
    if (found >= 0) return found
    throw rangeError(`${who}: column '${shortened(name)}' of row ${row} wants one of ${showNames(categories)}, got ${show(value)}`)
  }
  if (isNumber(value)) return Number(value)
  throw rangeError(`${who}: column '${shortened(name)}' of row ${row} wants a number, got ${show(value)}`)
}
