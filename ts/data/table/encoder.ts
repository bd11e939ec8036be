/** The encoder of a table: it makes numbers of rows, also of later ones, and can be saved. */

import { PLAIN_ENCODERS } from '../../common/encoded-rows.js'
import { rangeError, typeError } from '../../common/errors.js'
import { checkValue, flag, isAllowed, readOptions, type Schema, text } from '../../common/options.js'
import { refuseLater } from '../../common/saved.js'
import { show } from '../../common/show.js'
import type { Dataset, Targets } from '../dataset.js'
import { formatOf } from '../standardize.js'
import { type TableColumn, useOf, widthOf } from './column.js'
import { CYCLES, DAYS_OF_YEAR, namesOfCycles } from './cycles.js'
import { encodeTargets, RowEncoder, type Unknown, type UnknownValues, wholeRows, withoutGaps } from './encode.js'
import { type GapTests, type LeftOut, LeftOutCounter } from './left-out.js'
import { BUCKETS, COLUMN_USES, TABLE, VECTOR } from './options.js'
import type { TableReport } from './report.js'
import { Spelling } from './spelling.js'
import { type MissingTest, missingTest, type NumberedRows, numbered } from './values.js'

/** A feature that is the number of a category, for an Embedding. */
export interface EmbeddedColumn {
  name: string
  /** Index of the feature. */
  feature: number
  /** Rows of the Embedding: the categories, and row 0 for unknown ones. */
  count: number
  /** The length of its vectors: the given one, or the usual one, 1.6·count^0.56 and at most 50 (fastai's rule). */
  size: number
}

/** Encoder of rows of a table as numbers: the decisions of {@link fromTable} about its columns, without the rows. */
export interface TableEncoder {
  /** Number of features per row. */
  readonly features: number
  /** Names of the features: a column of numbers, or `column=category`; of dates also `column=Monday` and `column: sin(year)`. */
  readonly featureNames: readonly string[]
  /** Number of classes; 0 if the targets are numbers. */
  readonly classes: number
  /** Names of the classes; empty if the targets are numbers. */
  readonly classNames: readonly string[]
  /** Features that are numbers of categories, for an Embedding. */
  readonly embeddings: readonly EmbeddedColumn[]
  /** Values of later rows that the table did not have, by column: their count, and the first values. */
  readonly unknown: Readonly<UnknownValues>
  /**
   * Inputs of other rows with the same columns, row-major.
   * @param from index of the first row, if rows are encoded part by part: errors name rows by their index. Default 0
   * @param who the word with which errors begin. Default `encode`
   * @throws RangeError for a gap that is not filled in, or an unknown category if that is an error
   */
  encode(rows: readonly object[], from?: number, who?: string): Float32Array
  /**
   * Other rows with their targets, encoded as these are: such as the rows of a file with test data. Rows that `missing` drops are left out.
   * @throws RangeError as encode does
   */
  dataset(rows: readonly object[]): Table
  /** Plain JSON for {@link encoderFromState}, to be kept beside the model's weights. */
  state(): TableState
}

/** Result of {@link fromTable}: a data set that knows its columns. */
export interface Table extends Dataset<Targets>, TableEncoder {
  readonly features: number
  readonly classes: number
  readonly classNames: readonly string[]
  /**
   * The decision about each column, with its reason; {@link describeTable} makes text of it. For rows that another table's encoder encoded, the
   * report of the first table.
   */
  readonly report: TableReport
}

/** Result of {@link TableEncoder.state}. */
export interface TableState {
  format: 'gradus-table/1'
  columns: readonly TableColumn[]
  target: TableColumn
  /** The values that stood for a missing one, as text. */
  missingValues: readonly string[]
  /** The treatment of categories that the table did not have. */
  unknown: Unknown
  /** Columns of the table that are not used; they do not count as misspelled. */
  leftOut: readonly string[]
}

/** The columns and settings that an encoder works with. */
export type EncoderParts = Omit<TableState, 'format'>

const NO_REPORT: TableReport = { rows: 0, dropped: 0, leftOut: [], columns: [] }

/** @internal */
export function encoderOf(parts: EncoderParts, report = NO_REPORT, warn = true): TableEncoder {
  return encoding(parts, report, warn).self
}

/** The columns whose gaps leave rows out, with the values that are gaps in each. */
function gapsOf({ columns, target, missingValues }: Pick<EncoderParts, 'columns' | 'target' | 'missingValues'>) {
  const used = [...columns, target]
  const shared = missingTest(missingValues)
  const tests = new Map(used.map(({ name, missingValues: own }) => [name, own === undefined ? shared : missingTest(own)]))
  const isGapIn: GapTests = (name) => tests.get(name) as MissingTest
  return { dropped: used.filter(({ drop }) => drop).map(({ name }) => name), isGapIn }
}

/** @internal rows that `dataset` of an encoder with this state leaves out, and why */
export function leftOutBy(state: TableState, rows: readonly object[]): LeftOut[] {
  const { dropped, isGapIn } = gapsOf(state)
  const counter = new LeftOutCounter(dropped, isGapIn)
  counter.add(numbered('dataset', rows))
  return counter.all
}

/** @internal rows that `dataset` of an encoder with this state takes, in their order */
export function rowsTakenBy<R extends object>(state: TableState, rows: readonly R[]): R[] {
  const { dropped, isGapIn } = gapsOf(state)
  return withoutGaps(numbered('dataset', rows), dropped, isGapIn).map(([number]) => rows[number])
}

/** @internal an encoder, and a function that makes data sets of rows without such gaps. */
export function encoding(parts: EncoderParts, report: TableReport, warn = true) {
  const { columns, target, missingValues, unknown, leftOut } = parts
  const isMissing = missingTest(missingValues)
  const spelling = new Spelling(columns, target, leftOut)
  const encoder = new RowEncoder(columns, isMissing, unknown, warn)
  const { dropped, isGapIn } = gapsOf(parts)
  const self: TableEncoder = {
    features: encoder.width,
    featureNames: columns.flatMap(namesOf),
    classes: target.categories?.length ?? 0,
    classNames: target.categories ?? [],
    embeddings: embeddingsOf(columns),
    unknown: encoder.unknown,
    encode(rows, from = 0, who = 'encode') {
      const all = numbered(who, rows, from)
      spelling.check(who, all, columns)
      spelling.checkEach(who, all)
      return encoder.encode(who, all)
    },
    dataset(rows) {
      const all = numbered('dataset', rows)
      spelling.check('dataset', all, [...columns, target])
      spelling.checkEach('dataset', all)
      return tableOf('dataset', wholeRows('dataset', all, dropped, isGapIn))
    },
    state: () => structuredClone({ format: 'gradus-table/1', columns, target, missingValues, unknown, leftOut }),
  }
  PLAIN_ENCODERS.add(self.dataset)
  const tableOf = (who: string, rows: NumberedRows): Table => {
    const inputs = encoder.encode(who, rows)
    const targets = encodeTargets(who, rows, target, isGapIn(target.name))
    return { ...self, inputs, targets, count: rows.length, shape: [rows.length, encoder.width], report }
  }
  return { self, tableOf }
}

function namesOf(column: TableColumn): string[] {
  const { name, as, categories, cycles = [] } = column
  if (as === 'date') return [name, ...namesOfCycles(name, cycles)]
  if (as === 'hash') return Array.from({ length: widthOf(column) }, (_, i) => `${name}#${i}`)
  if (as === 'text') return (column.words ?? []).map((word) => `${name}=${word}`)
  return as === 'ordinal' || as === 'embedding' || categories === null ? [name] : categories.map((category) => `${name}=${category}`)
}

function embeddingsOf(columns: readonly TableColumn[]): EmbeddedColumn[] {
  let feature = 0
  return columns.flatMap((column) => {
    const at = feature
    feature += widthOf(column)
    if (column.cycles?.includes('dayOfYear'))
      return [{ name: column.name, feature: feature - 1, count: DAYS_OF_YEAR + 1, size: column.size ?? usualSize(DAYS_OF_YEAR + 1) }]
    if (column.as !== 'embedding') return []
    const count = (column.categories as readonly string[]).length + 1
    return { name: column.name, feature: at, count, size: column.size ?? usualSize(count) }
  })
}

/** Length of vectors for this number of categories: fastai's rule, which AutoGluon has too, with a limit that suffices for tables. */
function usualSize(count: number): number {
  return Math.min(50, Math.round(1.6 * count ** 0.56))
}

/** Options of {@link encoderFromState}. */
export interface EncoderOptions {
  /** Warns on the console of the first unknown value of each column; all are counted in `unknown`. Default true. */
  warn?: boolean
}

export const ENCODER = { warn: { is: flag, default: true } } satisfies Schema<EncoderOptions>

/**
 * The encoder of a saved state of a table, also from JSON: it encodes rows for prediction as in training.
 *
 * @example
 * const table = fromTable([{ x: 1, kind: 'b' }, { x: 2, kind: 'a' }], { target: 'kind' })
 * const encoder = encoderFromState(JSON.parse(JSON.stringify(table.state())))
 * encoder.classNames // ['a', 'b']
 * encoder.encode([{ x: 7 }]) // Float32Array.of(7)
 * @throws TypeError for anything but a table's state, or one that was damaged
 */
export function encoderFromState(state: TableState, options: EncoderOptions = {}): TableEncoder {
  const { warn } = readOptions('encoderFromState', options, ENCODER)
  refuseLater('encoderFromState', state?.format, 'gradus-table/1')
  if (state?.format !== 'gradus-table/1')
    throw typeError(`encoderFromState: this is no state of a table, but ${formatOf(state)}; take it with table.state()`)
  const { columns, target, missingValues, unknown, leftOut } = structuredClone(state)
  if (!Array.isArray(columns) || columns.length === 0 || !Array.isArray(missingValues))
    throw typeError(`encoderFromState: wants columns and missingValues as arrays, got ${show(columns)} and ${show(missingValues)}`)
  checkValue('encoderFromState: unknown', unknown, TABLE.unknown.is)
  for (const column of [...columns, target]) checkSaved(column)
  const features = columns.reduce((sum, column) => sum + widthOf(column), 0)
  if (features > MAX_FEATURES)
    throw rangeError(`encoderFromState: ${features} features are more than the ${MAX_FEATURES} that a table may have`)
  if (!Array.isArray(leftOut) || !leftOut.every(text.fits))
    throw typeError(`encoderFromState: leftOut wants texts in an array, got ${show(leftOut)}`)
  return encoderOf({ columns, target, missingValues, unknown, leftOut }, NO_REPORT, warn)
}

/** For a saved table: a few bytes give the number of features of a hash, and every row gets that many numbers. */
const MAX_FEATURES = 2 ** 20

function checkSaved(column: TableColumn): void {
  const saved = column ?? ({} as TableColumn)
  const { name, categories, buckets = 1, size = 1, fill = 0, center = 0, spread = 1, missingValues = [] } = saved
  const as = useOf(saved)
  const wantsNone = as === 'number' || as === 'date' || as === 'hash' || as === 'text'
  const { words, weights } = saved
  const hasWords =
    as !== 'text' ||
    (Array.isArray(words) &&
      words.length > 0 &&
      words.every(text.fits) &&
      new Set(words).size === words.length &&
      Array.isArray(weights) &&
      weights.length === words.length &&
      weights.every((weight) => Number.isFinite(Math.fround(weight)) && Math.fround(weight) > 0))
  const hasWhatItWants = wantsNone ? categories === null : Array.isArray(categories) && categories.every(text.fits)
  const isGood =
    text.fits(name) && Array.isArray(missingValues) && missingValues.every(text.fits) && COLUMN_USES.includes(as) && hasWhatItWants
  const isFilled = Number.isFinite(fill) && Number.isFinite(center) && Number.isFinite(spread) && spread !== 0
  const { cycles = [] } = saved
  const hasCycles =
    Array.isArray(cycles) && cycles.every((cycle, i) => as === 'date' && CYCLES.indexOf(cycle) > CYCLES.indexOf(cycles[i - 1]))
  const { unit = '', decimal = '.', first = 'day' } = saved.written ?? {}
  const isReadable = text.fits(unit) && ['.', ','].includes(decimal) && ['day', 'month'].includes(first)
  if (!(isGood && hasWords && hasCycles && isReadable && isFilled && isAllowed(size, VECTOR) && isAllowed(buckets, BUCKETS)))
    throw typeError(
      `encoderFromState: a column has a name, its categories or null, and a number or nothing as fill${as === 'text' ? ', and words with their weights' : ''}, got ${show(column)}`,
    )
}
