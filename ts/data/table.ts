/** Tables: rows as people have them (from CSV, JSON, a database), made into the numbers that a net learns from. */
import { rangeError, typeError } from '../common/errors.js'
import { checkNames, list } from '../common/names.js'
import { shortened, show, showNames } from '../common/show.js'
import {
  checkSpelling,
  encodeRows,
  encodeTargets,
  type Missing,
  type MissingTest,
  missingTest,
  type NumberedRows,
  type Row,
  readColumn,
  type TableColumn,
  wholeRows,
  widthOf,
} from './columns.js'
import type { Dataset, Targets } from './dataset.js'
import { formatOf } from './standardize.js'

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
  /**
   * What to do about gaps (undefined, null, NaN, empty text): `fail`, `drop` the row, or fill it in with the column's `mean` or
   * `median` in these rows, or a number; by column where they differ, `{ age: 'median', name: 'drop' }`. What fills a column in is
   * part of the encoder and fills in later rows too. Of categories a filled gap is none: 0 for each. Targets are not filled in.
   * Default `fail`.
   */
  missing?: Missing | Readonly<Partial<Record<Name, Missing>>>
  /** What stands for a missing value, as text or number: `NA`, −999. Default: none. */
  missingValues?: readonly (string | number)[]
}

/** How rows of a table become numbers: what {@link fromTable} found out about its columns, without the rows. */
export interface TableEncoder {
  /** How many numbers each row becomes. */
  readonly features: number
  /** What each feature is: a column of numbers, or `column=category`. */
  readonly featureNames: readonly string[]
  /** Number of classes; 0 where the targets are numbers. */
  readonly classes: number
  /** Names of the classes; empty where the targets are numbers. */
  readonly classNames: readonly string[]
  /** Inputs of other rows with the same columns, row-major. @throws RangeError for a gap that is not filled in or an unknown category */
  encode(rows: readonly object[]): Float32Array
  /**
   * Other rows with their targets, encoded as these are: those of a file with test data. Rows that `missing` says to drop are left
   * out. @throws RangeError as encode does
   */
  dataset(rows: readonly object[]): Table
  /** Plain JSON for {@link encoderFromState}, to be kept beside the model's weights. */
  state(): TableState
}

/** What {@link fromTable} makes: a data set that knows its columns. */
export interface Table extends Dataset<Targets>, TableEncoder {
  readonly features: number
  readonly classes: number
  readonly classNames: readonly string[]
}

/** What {@link TableEncoder.state} gives. */
export interface TableState {
  format: 'gradus-table/1'
  columns: readonly TableColumn[]
  target: TableColumn
  /** The values that stood for a missing one, as text. */
  missingValues: readonly string[]
}

/**
 * A data set from a table. Columns whose values are all numbers (or numbers in text) are one feature each; every other column
 * becomes as many features as it has categories, 1 for the row's own and 0 for the others. A target of numbers makes a
 * regression (`targets` a Float32Array), any other a classification (an Int32Array, with `classNames`). Categories are in
 * alphabetical order, numbers among themselves by size. A column of numbers with a few exceptions is an error rather than
 * categories: say whether they are missing values, or the column one of categories. So is a column to learn from whose texts are dates,
 * or another in each of twenty rows or more.
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
 *   exist, a target among the inputs, or a table without rows; TypeError for rows that are no objects, or a value that is neither
 *   number, text nor boolean
 */
export function fromTable<T extends object>(rows: readonly T[], options: TableOptions<ColumnOf<T>>): Table {
  return tableOf(rows as readonly Row[], options)
}

function tableOf(rows: readonly Row[], options: TableOptions): Table {
  checkNames('fromTable', options, ['target', 'inputs', 'categories', 'missing', 'missingValues'])
  const { target, categories = [], missing = 'fail' } = options
  const all = numbered('fromTable', rows)
  if (rows.length === 0) throw rangeError('fromTable: there are no rows')
  if (typeof target !== 'string') throw typeError(`fromTable: target wants the name of one column, got ${show(target)}`)
  for (const name of ['inputs', 'categories', 'missingValues'] as const)
    if (!(options[name] === undefined || Array.isArray(options[name])))
      throw typeError(`fromTable: ${name} wants an array, got ${show(options[name])}`)
  const names = options.inputs ?? Object.keys(rows[0]).filter((name) => name !== target)
  if (names.length === 0) throw rangeError('fromTable: there is no column to learn from')
  for (const name of [...names, target, ...categories]) checkColumn(rows[0], name)
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined) throw rangeError(`fromTable: inputs has '${shortened(twice)}' twice`)
  if (names.includes(target)) throw rangeError(`fromTable: inputs has the target '${shortened(target)}', which would be learnt from itself`)
  const used = [...names, target]
  const wayOf = waysOf(missing, used, target)
  const isMissing = missingTest(options.missingValues)
  const dropped = used.filter((name) => wayOf(name) === 'drop')
  const whole = wholeRows('fromTable', all, dropped, isMissing)
  const read = (name: string) =>
    readColumn(whole, name, { isMissing, isNamed: categories.includes(name), missing: wayOf(name), isTarget: name === target })
  const columns = names.map(read)
  const answer = read(target)
  return tableFrom('fromTable', whole, encoderOf(columns, answer, options.missingValues), { columns, answer, isMissing })
}

/** @throws TypeError for anything but objects in an array */
function numbered(who: string, rows: readonly object[]): NumberedRows {
  if (!Array.isArray(rows)) throw typeError(`${who}: wants rows in an array, got ${show(rows)}`)
  const none = rows.findIndex((row) => typeof row !== 'object' || row === null)
  if (none >= 0) throw typeError(`${who}: row ${none} wants an object, got ${show(rows[none])}`)
  return [...rows.entries()]
}

const WAYS: readonly unknown[] = ['fail', 'drop', 'mean', 'median']

/** What to do about gaps, by column. */
function waysOf(missing: NonNullable<TableOptions['missing']>, used: readonly string[], target: string): (name: string) => Missing {
  const check = (way: unknown, what: string) => {
    if (!(WAYS.includes(way) || (typeof way === 'number' && Number.isFinite(Math.fround(way)))))
      throw rangeError(`fromTable: ${what} wants ${list([...WAYS.map(show), 'a number'])}, got ${show(way)}`)
  }
  if (typeof missing !== 'object' || missing === null) {
    check(missing, 'missing')
    return () => missing
  }
  for (const [name, way] of Object.entries(missing)) {
    if (!used.includes(name))
      throw rangeError(`fromTable: missing has a column '${shortened(name)}' that is not used, only ${showNames(used)} are`)
    check(way, `missing of '${shortened(name)}'`)
    if (name === target && way !== 'drop' && way !== 'fail')
      throw rangeError(`fromTable: a target is not filled in: missing of '${shortened(name)}' wants 'fail' or 'drop', got ${show(way)}`)
  }
  return (name) => (Object.hasOwn(missing, name) ? missing[name] : undefined) ?? 'fail'
}

/** The columns and settings that an encoder works with. */
interface Encoding {
  columns: readonly TableColumn[]
  answer: TableColumn
  isMissing: MissingTest
}

function tableFrom(who: string, rows: NumberedRows, encoder: TableEncoder, { columns, answer, isMissing }: Encoding): Table {
  return {
    ...encoder,
    inputs: encodeRows(who, rows, columns, isMissing),
    targets: encodeTargets(who, rows, answer, isMissing),
    count: rows.length,
    shape: [rows.length, encoder.features],
  }
}

function encoderOf(columns: readonly TableColumn[], target: TableColumn, missing: readonly (string | number)[] = []): TableEncoder {
  const isMissing = missingTest(missing)
  const dropped = [...columns, target].filter(({ drop }) => drop).map(({ name }) => name)
  const encoder: TableEncoder = {
    features: widthOf(columns),
    featureNames: columns.flatMap(({ name, categories }) => categories?.map((category) => `${name}=${category}`) ?? [name]),
    classes: target.categories?.length ?? 0,
    classNames: target.categories ?? [],
    encode(rows) {
      const all = numbered('encode', rows)
      checkSpelling('encode', all, columns, [target])
      return encodeRows('encode', all, columns, isMissing)
    },
    dataset(rows) {
      const all = numbered('dataset', rows)
      checkSpelling('dataset', all, [...columns, target], [])
      const whole = wholeRows('dataset', all, dropped, isMissing)
      return tableFrom('dataset', whole, encoder, { columns, answer: target, isMissing })
    },
    state: () => structuredClone({ format: 'gradus-table/1', columns, target, missingValues: missing.map(String) }),
  }
  return encoder
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
    throw typeError(`encoderFromState: this is no state of a table, but ${formatOf(state)}; take it with table.state()`)
  const { columns, target, missingValues } = structuredClone(state)
  if (!Array.isArray(columns) || columns.length === 0 || !Array.isArray(missingValues))
    throw typeError(`encoderFromState: wants columns and missingValues as arrays, got ${show(columns)} and ${show(missingValues)}`)
  for (const column of [...columns, target]) {
    const isGood = column?.categories === null || (Array.isArray(column?.categories) && column.categories.every(isText))
    const isFilled = column?.fill === undefined || Number.isFinite(column.fill)
    if (!(isGood && isFilled && isText(column.name)))
      throw typeError(`encoderFromState: a column has a name, its categories or null, and a number or nothing as fill, got ${show(column)}`)
  }
  return encoderOf(columns, target, missingValues)
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function checkColumn(row: Row, name: string): void {
  if (!Object.hasOwn(row, name)) throw rangeError(`fromTable: there is no column '${shortened(name)}', only ${showNames(Object.keys(row))}`)
}
