/** Options of tables, which say how columns become numbers. */
import { rangeError } from '../../common/errors.js'
import {
  array,
  checkOptions,
  checkValue,
  finite,
  flag,
  type Kind,
  object,
  type Range,
  type Read,
  readOptions,
  type Schema,
  text,
} from '../../common/options.js'
import { shortened, show, showNames } from '../../common/show.js'
import { DECIMALS, type Decimal } from '../formats/decimals.js'
import type { ColumnUse, Scale } from './column.js'
import type { Unknown } from './encode.js'
import type { Missing } from './values.js'
import type { WrittenAs } from './written.js'

/** The names of the columns of rows: the properties of their type, if it has any. */
export type ColumnOf<T> = [T] extends [never] ? string : [keyof T] extends [never] ? string : T extends unknown ? keyof T & string : never

/** Encoding of a column. Missing options are decided from its values, or by the options of the whole table. */
export interface ColumnOptions {
  /** Its encoding as numbers. */
  as?: ColumnUse
  /**
   * For `category`, `ordinal` and `embedding`: all its values as text, in their order; none of them means a gap. Default: the table's values, in
   * alphabetical order.
   */
  order?: readonly string[]
  /** For `hash`: the number of features. Default 64. For `text`: the most features. Default 2,000, and fewer for more than 33,000 rows. */
  buckets?: number
  /**
   * For `embedding`: the length of its vectors. Default 1.6·categories^0.56 and at most 50. For `date`: the length of vectors of the 366 days of a year,
   * whose number becomes a feature for an Embedding, too, so that holidays are learned. Default: without it.
   */
  size?: number
  /** Handling of gaps. */
  missing?: Missing
  /** Values that mean a gap in this column, instead of `missingValues` of the table. */
  missingValues?: readonly (string | number)[]
  /** Treats text among its numbers as a gap, even if these rows contain no such text; `missing: 'auto'` does so only if they do. Default false. */
  lenient?: boolean
  /** Human format of its numbers or dates, if it is known; `formatted` of the table detects it. */
  written?: WrittenAs
  /** Scaling of its numbers. */
  scale?: Scale
  /**
   * For a target of numbers that differ by little for their size, such as times in seconds: a number that is subtracted from each of them, since
   * targets have 32 bits. Predictions want it added. Default 0.
   */
  center?: number
}

/** Options of {@link fromTable}. */
export interface TableOptions<Name extends string = string> {
  /** The column to predict. */
  target: Name
  /**
   * The input columns, without the target. Default: all other columns of the first row, except those from which nothing can be learned (see the
   * report).
   */
  inputs?: readonly Name[]
  /** Columns to leave out. Default: none. */
  exclude?: readonly Name[]
  /** Columns of numbers that are names, such as a postcode or a class 0, 1, 2; may hold the target. Default: none. */
  categories?: readonly Name[]
  /** Encoding of single columns, instead of a decision from their values: `{ size: 'ordinal', zip: { as: 'hash', buckets: 32 } }`. */
  columns?: Readonly<Partial<Record<Name, ColumnUse | ColumnOptions>>>
  /**
   * Handling of gaps (undefined, null, NaN, empty text): `fail`, `drop` the row, or fill it in with the column's `mean` or `median` in these rows, or
   * a number; different for each column with `{ age: 'median', name: 'drop' }`. The fill of a column is part of the encoder and is used for later
   * rows too. A filled gap in categories is none of them: 0 for each. Targets are not filled in. `auto` uses the usual rules: `median`, rows without
   * a target are dropped, and a few texts among numbers are gaps. Default `fail`.
   */
  missing?: Missing | Readonly<Partial<Record<Name, Missing>>>
  /**
   * Values that mean a gap, as text or number: `NA`, −999. Default: in the target, and with `missing: 'auto'` in all columns, `NA`, `?`, `null` and
   * the like; otherwise none. Some of these words may also be answers (`none`, `None`, `na`, `n/a`, `N/A`, `null`, `nan`, `?`): in a text target they
   * are a class if at least ten rows and 2 % of the rows have them and they mean no gap in a column of numbers; the report says how they were read.
   * With `[]` no text means a gap.
   */
  missingValues?: readonly (string | number)[]
  /** Handling of a category in later rows that is not in these: `ignore` treats it as none of them and counts it in `unknown`. Default `ignore`. */
  unknown?: Unknown
  /**
   * Reads numbers and dates in human formats: `$1,250.00`, `8.9 %` (as 8.9), `(300)` (as −300), `70 kg`, `1.250,50 €`, `31.12.2024`. A column is read
   * so if all its values have the same format and unit; the report says how they were read, or why they were not. If no value decides whether its
   * sign is decimal or between thousands (`1.250`), a point in money is read as between thousands and otherwise as decimal, which the report says;
   * `'.'` and `','` set the decimal sign. Default false.
   */
  formatted?: boolean | Decimal
  /**
   * Scaling of columns of numbers, dates and ordinals; the scale comes from these rows and is used for later rows. Default `none`: {@link
   * standardize} scales whole data sets.
   */
  scale?: Scale
}

const SCALES: readonly Scale[] = ['none', 'standard', 'minMax', 'robust']
/** Number of features of a hash, or length of the vector of a category. */
export const BUCKETS: Range = { min: 1, max: 65536, whole: true }
export const VECTOR: Range = { min: 1, max: 1024, whole: true }
/** The encodings that a saved column, or an option, may have; a target may only be a `number`, `date` or `category`. */
export const COLUMN_USES: readonly ColumnUse[] = ['number', 'date', 'category', 'ordinal', 'hash', 'embedding', 'text']
const TARGET_USES: readonly ColumnUse[] = ['number', 'date', 'category']

const WAYS: readonly unknown[] = ['fail', 'drop', 'mean', 'median', 'auto']
/** A number that fills gaps becomes a float, so it must fit into 32 bits. */
const way: Kind = {
  wants: "'fail', 'drop', 'mean', 'median', 'auto' or a number",
  fits: (value) => WAYS.includes(value) || (typeof value === 'number' && Number.isFinite(Math.fround(value))),
}
const ways: Kind = { wants: `${way.wants}, or an object with one for each column`, fits: (value) => way.fits(value) || object.fits(value) }
const choices: Kind = { wants: "an object, { column: 'ordinal', … }", fits: object.fits }
const order: Kind = {
  wants: 'different texts in an array',
  fits: (value) => Array.isArray(value) && value.every(text.fits) && new Set(value).size === value.length,
  remedy(value) {
    if (!Array.isArray(value)) return ''
    const other = value.find((name) => !text.fits(name))
    if (other !== undefined) return `; ${show(other)} in it is no text${typeof other === 'number' ? `, '${other}' is` : ''}`
    return `; ${show(value.find((name, i) => value.indexOf(name) < i))} is in it twice`
  },
}
const column: Kind = { wants: 'the name of the column to predict', fits: text.fits }

export const COLUMN = {
  as: { is: COLUMN_USES },
  order: { is: order },
  buckets: { is: BUCKETS },
  size: { is: VECTOR },
  missing: { is: way },
  missingValues: { is: array },
  lenient: { is: flag, default: false },
  written: { is: object },
  scale: { is: SCALES },
  center: { is: finite },
} satisfies Schema<ColumnOptions>

/** Options of a table but for its scale: of `fromTable` and of all that makes its own decisions about scales. */
export const COLUMNS = {
  target: { is: column, required: true },
  inputs: { is: array },
  exclude: { is: array, default: [] },
  categories: { is: array, default: [] },
  columns: { is: choices, default: {} },
  missing: { is: ways, default: 'fail' },
  missingValues: { is: array },
  unknown: { is: ['ignore', 'error'], default: 'ignore' },
  formatted: { is: [true, false, ...DECIMALS], default: false },
} as const

export const TABLE = { ...COLUMNS, scale: { is: SCALES, default: 'none' } } satisfies Schema<TableOptions>

/** The options of a table, with defaults. */
export type ReadTableOptions = Read<TableOptions, typeof TABLE>

/** @internal @throws RangeError, TypeError naming the option, or the option of a column */
export function readTableOptions(given: TableOptions): ReadTableOptions {
  const options = readOptions('fromTable', given, TABLE)
  const { target, exclude, columns } = options
  for (const name of Object.keys(columns)) {
    if (exclude.includes(name)) throw rangeError(`fromTable: '${shortened(name)}' is in exclude and in columns; take it out of one of them`)
    const who = `fromTable: columns of '${shortened(name)}'`
    const { as, center, order = [], missingValues = options.missingValues } = checkOptions(who, choiceOf(columns, name), COLUMN)
    const both = missingValues?.find((value) => order.includes(String(value)))
    if (both !== undefined) throw rangeError(`${who}: ${show(both)} is in order and in missingValues; take it out of one of them`)
    if (name !== target && center !== undefined)
      throw rangeError(`${who}: center is for the target, got one for another column; leave it out`)
    if (name === target && as !== undefined) checkValue(`${who}: as`, as, TARGET_USES)
  }
  return options
}

/** @internal the options of a column; a text is its encoding */
export function choiceOf(columns: ReadTableOptions['columns'], name: string): ColumnOptions {
  const choice = Object.hasOwn(columns, name) ? columns[name] : undefined
  return typeof choice === 'string' ? { as: choice } : (choice ?? {})
}

/** @internal True if the options ask for the column; `lenient` alone does not. */
export function isChosen(columns: ReadTableOptions['columns'], name: string): boolean {
  return Object.hasOwn(columns, name) && Object.keys(choiceOf(columns, name)).join() !== 'lenient'
}

/** @internal handling of gaps, by column */
export function waysOf(missing: ReadTableOptions['missing'], used: readonly string[], target: string): (name: string) => Missing {
  if (typeof missing !== 'object') return () => missing
  for (const [name, chosen] of Object.entries(missing)) {
    if (!used.includes(name))
      throw rangeError(`fromTable: missing has a column '${shortened(name)}' that is not used, only ${showNames(used)} are`)
    checkValue(`fromTable: missing of '${shortened(name)}'`, chosen, way)
    if (name === target && chosen !== 'drop' && chosen !== 'fail' && chosen !== 'auto')
      throw rangeError(`fromTable: a target is not filled in: missing of '${shortened(name)}' wants 'fail' or 'drop', got ${show(chosen)}`)
  }
  return (name) => (Object.hasOwn(missing, name) ? missing[name] : undefined) ?? 'fail'
}
