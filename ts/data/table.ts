/** Tables: rows as people have them (from CSV, JSON, a database), made into the numbers that a net learns from. */
import { checkNames } from '../names.js'
import { show } from '../show.js'
import type { Dataset, Targets } from './dataset.js'
import { formatOf } from './standardize.js'

/** A row of a table: its values by the name of their column. Numbers may be text, as CSV readers give them. */
export type Row = Readonly<Record<string, unknown>>

/** The names of the columns of rows: those of their type, where it has any. */
export type ColumnOf<T> = [T] extends [never] ? string : [keyof T] extends [never] ? string : T extends unknown ? keyof T & string : never

/** Options of {@link fromTable}. */
export interface TableOptions<Name extends string = string> {
  /** The column to predict. */
  target: Name
  /** The columns to learn from, without the target. Default: all others of the first row. */
  inputs?: readonly Name[]
  /** Columns of numbers that are names, such as a postcode or a class 0, 1, 2; may hold the target. Default: none. */
  categories?: readonly Name[]
  /** Rows in which a value is missing (undefined, null, NaN, empty text): `drop` them, or `fail`. Default `fail`. */
  missing?: 'fail' | 'drop'
  /** What stands for a missing value, as text or number: `NA`, −999. Default: none. */
  missingValues?: readonly (string | number)[]
}

/** How rows of a table become numbers: what {@link fromTable} found out about its columns, without the rows. */
export interface TableEncoder {
  /** Numbers a row. */
  readonly features: number
  /** What each feature is: a column of numbers, or `column=category`. */
  readonly featureNames: readonly string[]
  /** Number of classes; 0 where the targets are numbers. */
  readonly classes: number
  /** Empty where the targets are numbers. */
  readonly classNames: readonly string[]
  /** Inputs of other rows with the same columns, row-major. @throws RangeError for a missing value or an unknown category */
  encode(rows: readonly object[]): Float32Array
  /** Plain JSON for {@link encoderFromState}, to be kept beside the model's weights. */
  state(): TableState
}

/** What {@link fromTable} makes: a data set that knows its columns. */
export interface Table extends Dataset<Targets>, TableEncoder {
  readonly features: number
  readonly classes: number
  readonly classNames: readonly string[]
}

/** How a column becomes numbers: null for numbers as they are, else one feature a category. */
export interface TableColumn {
  name: string
  categories: readonly string[] | null
}

/** What {@link TableEncoder.state} gives. */
export interface TableState {
  format: 'gradus-table/1'
  columns: readonly TableColumn[]
  target: TableColumn
  /** What stood for a missing value, as text. */
  missingValues: readonly string[]
}

/**
 * A data set from a table. Columns whose values are all numbers (or numbers in text) are one feature each; every other column
 * becomes as many features as it has categories, 1 for the row's own and 0 for the others. A target of numbers makes a
 * regression (`targets` a Float32Array), any other a classification (an Int32Array, with `classNames`). Categories are in
 * alphabetical order, numbers among themselves by size. A column of numbers with a few exceptions is an error rather than
 * categories: say whether they are missing values, or the column one of categories.
 *
 * @example
 * const table = fromTable(
 *   [
 *     { island: 'Dream', mass: 3.7, species: 'Adelie' },
 *     { island: 'Biscoe', mass: 5.1, species: 'Gentoo' },
 *   ],
 *   { target: 'species' },
 * )
 * table.featureNames // ['island=Biscoe', 'island=Dream', 'mass']
 * table.inputs // Float32Array.of(0, 1, 3.7, 1, 0, 5.1)
 * table.classNames // ['Adelie', 'Gentoo']
 * @throws RangeError naming row and column of a value that is missing, infinite or not like the others, a column that does not
 *   exist, a target among the inputs, or a table without rows; TypeError for a value that is neither number, text nor boolean
 */
export function fromTable<T extends object>(rows: readonly T[], options: TableOptions<ColumnOf<T>>): Table {
  return tableOf(rows as readonly Row[], options)
}

function tableOf(rows: readonly Row[], options: TableOptions): Table {
  checkNames('fromTable', options, ['target', 'inputs', 'categories', 'missing', 'missingValues'])
  const { target, categories = [], missing = 'fail' } = options
  if (rows.length === 0) throw new RangeError('fromTable: there are no rows')
  if (missing !== 'fail' && missing !== 'drop')
    throw new RangeError(`fromTable: missing is 'fail' or 'drop', got ${JSON.stringify(missing)}`)
  const names = options.inputs ?? Object.keys(rows[0]).filter((name) => name !== target)
  if (names.length === 0) throw new RangeError('fromTable: there is no column to learn from')
  for (const name of [...names, target, ...categories]) checkColumn(rows[0], name)
  if (names.includes(target)) throw new RangeError(`fromTable: inputs has the target '${target}', which would be learnt from itself`)
  const isMissing = missingTest(options.missingValues)
  const used = [...names, target]
  const whole = missing === 'drop' ? rows.filter((row) => !used.some((name) => isMissing(valueIn(row, name)))) : rows
  if (whole.length === 0) throw new RangeError(`fromTable: a value is missing in each of the ${rows.length} rows`)
  const columns = names.map((name) => readColumn(whole, name, categories, isMissing))
  const answer = readColumn(whole, target, categories, isMissing)
  const inputs = encodeRows('fromTable', whole, columns, isMissing)
  const encoder = encoderOf(columns, answer, options.missingValues)
  return {
    ...encoder,
    inputs,
    targets: encodeTargets(whole, answer),
    count: whole.length,
    shape: [whole.length, encoder.features],
  }
}

function encoderOf(columns: readonly TableColumn[], target: TableColumn, missing: readonly (string | number)[] = []): TableEncoder {
  const featureNames = columns.flatMap(({ name, categories }) => categories?.map((category) => `${name}=${category}`) ?? [name])
  const isMissing = missingTest(missing)
  return {
    features: featureNames.length,
    featureNames,
    classes: target.categories?.length ?? 0,
    classNames: target.categories ?? [],
    encode: (rows) => encodeRows('encode', rows as readonly Row[], columns, isMissing),
    state: () => structuredClone({ format: 'gradus-table/1', columns, target, missingValues: missing.map(String) }),
  }
}

/**
 * The encoder of a table whose state was kept, also after JSON: where a model is used, rows become the numbers that they were
 * where it was trained.
 *
 * @example
 * const table = fromTable([{ x: 1, kind: 'b' }, { x: 2, kind: 'a' }], { target: 'kind' })
 * const encoder = encoderFromState(JSON.parse(JSON.stringify(table.state())))
 * encoder.classNames // ['a', 'b']
 * encoder.encode([{ x: 7 }]) // Float32Array.of(7)
 * @throws TypeError for anything but a table's state, or one that was damaged
 */
export function encoderFromState(state: TableState): TableEncoder {
  if (state?.format !== 'gradus-table/1')
    throw new TypeError(`encoderFromState: this is no state of a table, but ${formatOf(state)}; take it with table.state()`)
  const { columns, target, missingValues } = structuredClone(state)
  if (!Array.isArray(columns) || columns.length === 0 || !Array.isArray(missingValues))
    throw new TypeError(`encoderFromState: wants columns and missingValues as arrays, got ${show(columns)} and ${show(missingValues)}`)
  for (const column of [...columns, target]) {
    const isGood = column?.categories === null || (Array.isArray(column?.categories) && column.categories.every(isText))
    if (!(isGood && isText(column.name)))
      throw new TypeError(`encoderFromState: a column has a name, and its categories or null, got ${JSON.stringify(column)}`)
  }
  return encoderOf(columns, target, missingValues)
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function checkColumn(row: Row, name: string): void {
  if (!Object.hasOwn(row, name)) throw new RangeError(`fromTable: there is no column '${name}', only ${Object.keys(row).join(', ')}`)
}

function valueIn(row: Row, name: string): unknown {
  return Object.hasOwn(row, name) ? row[name] : undefined
}

function missingTest(given: readonly (string | number)[] = []): (value: unknown) => boolean {
  const known = new Set(given.map(String))
  return (value) => {
    if (value === undefined || value === null || Number.isNaN(value)) return true
    const text = String(value)
    return text.trim() === '' || known.has(text)
  }
}

function readColumn(rows: readonly Row[], name: string, named: readonly string[], isMissing: (value: unknown) => boolean): TableColumn {
  const values = rows.map((row, i) => {
    const value = valueIn(row, name)
    if (isMissing(value)) {
      throw new RangeError(`fromTable: no value in column '${name}' of row ${i}; give missing: 'drop' to leave such rows out`)
    }
    if (!['number', 'string', 'boolean'].includes(typeof value)) {
      throw new TypeError(`fromTable: column '${name}' of row ${i} wants a number, text or boolean, got ${String(value)}`)
    }
    return value
  })
  if (!named.includes(name) && isNumeric(values, name)) return { name, categories: null }
  const categories = [...new Set(values.map(String))]
  const isOfNumbers = categories.every(isNumber)
  return { name, categories: isOfNumbers ? categories.sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1)) : categories.sort() }
}

/** Of a column of numbers, so many may be others before they are taken for categories: one, or one in ten. */
const STRAYS = 0.1

/** Whether all values are numbers. @throws RangeError where nearly all are: somebody should look at the rest */
function isNumeric(values: readonly unknown[], name: string): boolean {
  const strays = values.flatMap((value, i) => (isNumber(value) ? [] : [i]))
  const infinite = strays.find((i) => typeof values[i] === 'number')
  if (infinite !== undefined)
    throw new RangeError(`fromTable: column '${name}' of row ${infinite} wants a finite number (of 32 bits), got ${values[infinite]}`)
  if (strays.length === 0) return true
  const numbers = values.length - strays.length
  if (numbers <= 1 || strays.length > Math.max(1, STRAYS * values.length)) return false
  throw new RangeError(
    `fromTable: column '${name}' has numbers in ${numbers} rows, but ${JSON.stringify(values[strays[0]])} in row ${strays[0]}; ` +
      `add that to missingValues, or '${name}' to categories`,
  )
}

function isNumber(value: unknown): boolean {
  return typeof value !== 'boolean' && Number.isFinite(Math.fround(Number(value)))
}

function encodeRows(
  who: string,
  rows: readonly Row[],
  columns: readonly TableColumn[],
  isMissing: (value: unknown) => boolean,
): Float32Array {
  const width = columns.reduce((sum, { categories }) => sum + (categories?.length ?? 1), 0)
  const out = new Float32Array(rows.length * width)
  let at = 0
  for (const [i, row] of rows.entries()) {
    for (const { name, categories } of columns) {
      const value = valueIn(row, name)
      if (isMissing(value)) throw new RangeError(`${who}: no value in column '${name}' of row ${i}`)
      if (categories === null) out[at++] = numberOf(who, value, name, i)
      else {
        out[at + categoryOf(who, value, name, i, categories)] = 1
        at += categories.length
      }
    }
  }
  return out
}

function numberOf(who: string, value: unknown, name: string, row: number): number {
  if (!isNumber(value)) throw new RangeError(`${who}: column '${name}' of row ${row} wants a number, got ${JSON.stringify(value)}`)
  return Number(value)
}

function categoryOf(who: string, value: unknown, name: string, row: number, categories: readonly string[]): number {
  const found = categories.indexOf(String(value))
  if (found < 0) {
    throw new RangeError(`${who}: column '${name}' of row ${row} is one of ${categories.join(', ')}; got ${JSON.stringify(value)}`)
  }
  return found
}

function encodeTargets(rows: readonly Row[], { name, categories }: TableColumn): Targets {
  if (categories === null) return Float32Array.from(rows, (row) => Number(row[name]))
  const index = new Map(categories.map((category, i) => [category, i]))
  return Int32Array.from(rows, (row) => index.get(String(row[name])) as number)
}
