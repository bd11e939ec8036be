/** Tables: rows as people have them (from CSV, JSON, a database), made into the numbers that a net learns from. */
import { checkChoice } from '../../common/checks.js'
import { rangeError, typeError } from '../../common/errors.js'
import { checkNames, list } from '../../common/names.js'
import { nearest } from '../../common/nearest.js'
import { shortened, show, showNames } from '../../common/show.js'
import type { Dataset, Targets } from '../dataset.js'
import type { Decimal } from '../formats/decimals.js'
import { formatOf } from '../standardize.js'
import { type ColumnUse, type Scale, type TableColumn, useOf, widthOf } from './column.js'
import { type Decision, decideColumn, type Wanted } from './decide.js'
import { encodeTargets, RowEncoder, type Unknown, type UnknownValues, wholeRows, withoutGaps } from './encode.js'
import { noteOn } from './file-notes.js'
import { type GapTests, inWords, type LeftOut, LeftOutCounter } from './left-out.js'
import type { TableReport } from './report.js'
import { Spelling } from './spelling.js'
import { ColumnStats } from './stats.js'
import { ANSWERS, type Missing, type MissingTest, missingTest, type NumberedRows, type Row, USUAL_GAPS, valueIn } from './values.js'
import { readWritten, type WrittenAs } from './written.js'

/** The names of the columns of rows: the properties of their type, if it has any. */
export type ColumnOf<T> = [T] extends [never] ? string : [keyof T] extends [never] ? string : T extends unknown ? keyof T & string : never

/** Encoding of a column. Missing options are decided from its values, or by the options of the whole table. */
export interface ColumnOptions {
  /** Its encoding as numbers. */
  as?: ColumnUse
  /** For `category`, `ordinal` and `embedding`: all its values as text, in their order. Default: the table's values, in alphabetical order. */
  order?: readonly string[]
  /** For `hash`: the number of features. Default 64. */
  buckets?: number
  /** For `embedding`: the length of its vectors. Default 1.6·categories^0.56 and at most 50. */
  size?: number
  /** Handling of gaps. */
  missing?: Missing
  /** Values that mean a gap in this column, instead of `missingValues` of the table. */
  missingValues?: readonly (string | number)[]
  /** Takes a text among its numbers for a gap, also if these rows have none such, as `missing: 'auto'` does if one has. Default false. */
  lenient?: boolean
  /** Human format of its numbers or dates, if it is known; `formatted` of the table detects it. */
  written?: WrittenAs
  /** Scaling of its numbers. */
  scale?: Scale
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
  /** Names of the features: a column of numbers, or `column=category`. */
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
   * @throws RangeError for a gap that is not filled in, or an unknown category if that is an error
   */
  encode(rows: readonly object[], from?: number): Float32Array
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
  format: 'gradus-table/1' | 'gradus-table/2'
  columns: readonly TableColumn[]
  target: TableColumn
  /** The values that stood for a missing one, as text. */
  missingValues: readonly string[]
  /** Default `error`, of a state that was taken by an earlier version. */
  unknown?: Unknown
  /** Columns of the table that are not used; they do not count as misspelled. Default: none. */
  leftOut?: readonly string[]
}

/**
 * A data set from a table. Columns whose values are all numbers (or numbers in text) are one feature each, dates are days; every other column becomes
 * one feature per category, 1 for the row's own and 0 for the others, or 64 shared features if there are more than 100 categories. A target of
 * numbers makes a regression (`targets` a Float32Array); text, booleans, 0 and 1, and few integers from 0 or 1 on make a classification (an
 * Int32Array, with `classNames`). Categories are in alphabetical order; numbers are ordered by size.
 *
 * `report` has the decisions, and `columns` overrides them. From twenty rows on, these columns are left out unless `inputs` names them: columns that
 * never change, columns with a different text in each row, and integers with the name of an id. A column of numbers with a few exceptions is an
 * error: declare the exceptions as missing values, or the column as one of categories.
 *
 * Everything is learned from these rows: pass the training rows alone, and the others to `table.dataset`.
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
 * table.report.columns[1].why // 'it has numbers'
 * @throws RangeError naming row and column of a value that is missing, infinite or not like the others, a column that does not exist, a target among
 *   the inputs, or a table without rows; TypeError for rows that are no objects, or a value that is neither number, text, boolean nor date
 */
export function fromTable<T extends object>(rows: readonly T[], options: TableOptions<ColumnOf<T>>): Table {
  const all = numbered('fromTable', rows)
  if (rows.length === 0) throw rangeError('fromTable: there are no rows')
  const learner = new TableLearner(rows[0] as Row, options)
  learner.add(all)
  const { encoder, report } = learner.finish()
  return encoding(encoder, report).tableOf('fromTable', learner.wholeOf(all))
}

/** Rows that wait for a decision, at most. */
const MAX_WAITING = 10_000
/** A usual word for a gap is a class of the target if at least this many rows, and this share of all rows, have it. */
const FEWEST_OF_CLASS = 10
const LEAST_OF_CLASS = 0.02

/** @internal Decides the encoding of columns from rows that come in parts. */
export class TableLearner {
  /** All columns of the first row. */
  private readonly all: readonly string[]
  private readonly first: Row
  private readonly names: string[]
  private readonly target: string
  private readonly stats: Map<string, ColumnStats>
  private readonly wayOf: (name: string) => Missing
  private readonly options: TableOptions
  private readonly missingValues: readonly (string | number)[]
  private readonly tests: Map<string, MissingTest>
  private readonly dropped: readonly string[]
  private leftOut: LeftOutCounter
  private seen = 0
  private used = 0
  /** True if no option says what means a gap in the target. */
  private readonly asksForAnswers: boolean
  /** Rows with one of {@link ANSWERS} as their target, kept until it is known if that word is a class; null if options or rows have decided it. */
  private waiting: (readonly [number, Row])[] | null = null
  /** The words among these that are classes. */
  private answers: ReadonlySet<string> = new Set()

  /** @param mostNumbers of each column, from which quantiles are computed. Default: a million */
  constructor(first: Row, options: TableOptions, mostNumbers?: number) {
    checkOptions(options)
    const { target, categories = [], exclude = [], columns = {}, missing = 'fail' } = options
    const names = options.inputs ?? Object.keys(first).filter((name) => name !== target && !exclude.includes(name))
    if (names.length === 0) throw rangeError('fromTable: there is no column to learn from')
    for (const name of [...names, target, ...categories, ...exclude, ...Object.keys(columns)]) checkColumn(first, name)
    const twice = names.find((name, i) => names.indexOf(name) < i)
    if (twice !== undefined) throw rangeError(`fromTable: inputs has '${shortened(twice)}' twice`)
    if (names.includes(target))
      throw rangeError(`fromTable: inputs has the target '${shortened(target)}', which would be learnt from itself`)
    if (exclude.includes(target)) throw rangeError(`fromTable: exclude has the target '${shortened(target)}'`)
    const used = [...names, target]
    this.all = Object.keys(first)
    this.first = first
    this.names = [...names]
    this.target = target
    this.options = options
    const ofAll = waysOf(missing, used, target)
    this.wayOf = (name) => choiceOf(columns, name).missing ?? ofAll(name)
    const isAuto = used.some((name) => this.wayOf(name) === 'auto')
    this.missingValues = options.missingValues ?? (isAuto ? USUAL_GAPS : [])
    this.asksForAnswers = options.missingValues === undefined && choiceOf(columns, target).missingValues === undefined
    if (this.asksForAnswers) this.waiting = []
    const shared = missingTest(this.missingValues)
    this.tests = new Map(
      used.map((name) => {
        const own = name === target && this.asksForAnswers ? USUAL_GAPS : choiceOf(columns, name).missingValues
        return [name, own === undefined ? shared : missingTest(own)]
      }),
    )
    this.dropped = used.filter((name) => this.wayOf(name) === 'drop' || (name === target && this.wayOf(name) === 'auto'))
    this.leftOut = new LeftOutCounter(this.dropped, this.isGapIn)
    this.stats = new Map(
      used.map((name) => [
        name,
        new ColumnStats(
          name,
          categories.includes(name) || choiceOf(columns, name).as !== undefined,
          mostNumbers,
          choiceOf(columns, name).written ?? options.formatted ?? false,
        ),
      ]),
    )
  }

  add(rows: NumberedRows): void {
    this.seen += rows.length
    const { waiting, target } = this
    if (waiting === null) return this.use(rows)
    const isOpen = ([, row]: readonly [number, Row]) => ANSWERS.has(valueIn(row, target))
    const open = rows.filter(isOpen)
    if (open.length === 0) return this.use(rows)
    this.use(rows.filter((row) => !isOpen(row)))
    waiting.push(...open)
    if (waiting.length >= MAX_WAITING) this.decideAnswers()
  }

  /** Rows without a gap in columns whose gaps leave rows out; known at the end. */
  wholeOf(rows: NumberedRows): NumberedRows {
    return withoutGaps(rows, this.dropped, this.isGapIn)
  }

  private readonly isGapIn: GapTests = (name) => this.tests.get(name) as MissingTest

  private use(rows: NumberedRows): void {
    const whole = this.wholeOf(rows)
    if (whole.length < rows.length) this.leftOut.add(rows)
    this.used += whole.length
    for (const [name, stats] of this.stats) {
      const isMissing = this.isGapIn(name)
      for (let i = 0; i < whole.length; i++) {
        const value = valueIn(whole[i][1], name)
        if (isMissing(value)) stats.addGap(whole[i][0], value)
        else stats.add(whole[i][0], value)
      }
    }
  }

  /** Decides which usual words for a gap are classes of the target, and uses the rows that waited for it. */
  private decideAnswers(): void {
    const { waiting, target, seen } = this
    if (waiting === null) return
    this.waiting = null
    const counts = new Map<string, number>()
    for (const [, row] of waiting) {
      const word = valueIn(row, target) as string
      counts.set(word, (counts.get(word) ?? 0) + 1)
    }
    const isGapOfFile = (word: string) =>
      this.names.some((name) => {
        const { gapTexts, numbers, dates, count } = this.stats.get(name) as ColumnStats
        return gapTexts.has(word) && 2 * (numbers + dates) > count
      })
    const isClass = ([word, rows]: [string, number]) => rows >= FEWEST_OF_CLASS && rows >= LEAST_OF_CLASS * seen && !isGapOfFile(word)
    if (this.hasTextTarget()) this.answers = new Set([...counts].filter(isClass).map(([word]) => word))
    if (this.answers.size > 0) this.tests.set(target, missingTest(this.ownGaps()))
    this.use(waiting)
  }

  /** True if the target has classes that are texts. */
  private hasTextTarget(): boolean {
    const { categories = [], columns = {} } = this.options
    const { numbers, strays, dates } = this.stats.get(this.target) as ColumnStats
    const { as = categories.includes(this.target) ? 'category' : undefined } = choiceOf(columns, this.target)
    return as === undefined ? dates === 0 && strays >= numbers : as === 'category'
  }

  /** Values that mean a gap in the target by default. */
  private ownGaps(): string[] {
    return USUAL_GAPS.filter((word) => !this.answers.has(word))
  }

  /** Notes about words in a class target that may be a class or a gap. */
  private answerNotes(leftOut: readonly LeftOut[]): string[] {
    const { kinds } = this.stats.get(this.target) as ColumnStats
    const list = (words: readonly string[]) => words.map((word) => `'${word}'`).join(', ')
    const asClass = [...this.answers].map(
      (word) =>
        `${show(word)} in ${inWords(kinds.get(word) ?? 0)} of ${inWords(this.seen)} rows is taken as a class; if it stands for a gap, say missingValues: [${list([word])}]`,
    )
    const asGap = leftOut
      .filter(({ column, value }) => column === this.target && value !== '')
      .map(
        ({ value, rows }) =>
          `${show(value)} in ${inWords(rows)} of ${inWords(this.seen)} rows is taken as a gap, and these rows are left out; if it is a class, say missingValues: []`,
      )
    return [...asClass, ...asGap]
  }

  finish(): { encoder: EncoderParts; report: TableReport } {
    this.decideAnswers()
    if (this.used === 0) throw rangeError(`fromTable: a value is missing in each of the ${this.seen} rows`)
    const inputs = this.names.map((name) => this.decide(name, 'input'))
    const answer = this.decide(this.target, 'target')
    const leftOut = this.leftOut.all
    if (this.asksForAnswers && answer.report.as === 'category') {
      const others = answer.report.notes.filter((note) => ![...this.answers].some((word) => note.startsWith(`${show(word)} is one of`)))
      answer.report.notes = [...this.answerNotes(leftOut), ...others]
    }
    const own = choiceOf(this.options.columns ?? {}, this.target).missingValues
    if (this.asksForAnswers && (this.answers.size > 0 || this.missingValues.length === 0))
      (answer.column as TableColumn).missingValues = this.ownGaps()
    else if (own !== undefined) (answer.column as TableColumn).missingValues = own.map(String)
    const columns = inputs.flatMap(({ column }) => column ?? [])
    const report = { rows: this.used, dropped: this.seen - this.used, leftOut, columns: [...inputs, answer].map(({ report }) => report) }
    if (columns.length === 0)
      throw rangeError(
        `fromTable: there is no column to learn from: ${inputs.map(({ report }) => `'${shortened(report.name)}' is left out because ${[report.why, ...report.notes].join('; ')}`).join(', ')}`,
      )
    const { unknown = 'ignore' } = this.options
    const known = new Set([this.target, ...columns.map(({ name }) => name)])
    const unused = this.all.filter((name) => !known.has(name))
    const target = answer.column as TableColumn
    return { encoder: { columns, target, missingValues: this.missingValues.map(String), unknown, leftOut: unused }, report }
  }

  private decide(name: string, role: Wanted['role']): Decision {
    const { categories = [], columns = {}, inputs, scale = 'none' } = this.options
    const choice = choiceOf(columns, name)
    const stats = this.stats.get(name) as ColumnStats
    const as = choice.as ?? (categories.includes(name) ? 'category' : undefined)
    const read = as === undefined || as === 'number' || as === 'date' ? stats.readsWritten() : null
    const decision = decideColumn(read?.stats ?? stats, {
      role,
      as,
      order: choice.order,
      buckets: choice.buckets,
      size: choice.size,
      missing: this.wayOf(name),
      lenient: choice.lenient ?? false,
      scale: role === 'target' ? 'none' : (choice.scale ?? scale),
      mayLeaveOut: inputs === undefined && !isChosen(columns, name) && !categories.includes(name),
    })
    if (role === 'input' && choice.missingValues !== undefined && decision.column !== null)
      decision.column.missingValues = choice.missingValues.map(String)
    if (read !== null && decision.column !== null) {
      decision.column.written = read.way
      const what = read.way.first === undefined ? 'numbers' : 'dates'
      const x = readWritten(read.way, read.example)
      const shown = read.way.first === undefined ? String(x) : new Date(x * 864e5).toISOString().slice(0, 10)
      decision.report.why = `it has ${what} as people write them, ${show(read.example)} for ${shown}`
    }
    const doubt = stats.isFormatted && decision.report.as === 'number' ? stats.written.doubt : undefined
    const notes = [noteOn(this.first, name), doubt].filter((note) => note !== undefined)
    decision.report.notes = [...notes, ...decision.report.notes]
    return decision
  }
}

const COLUMN_USES: readonly ColumnUse[] = ['number', 'date', 'category', 'ordinal', 'hash', 'embedding']
const SCALES: readonly Scale[] = ['none', 'standard', 'minMax', 'robust']

function choiceOf(columns: NonNullable<TableOptions['columns']>, name: string): ColumnOptions {
  const choice = Object.hasOwn(columns, name) ? columns[name] : undefined
  return typeof choice === 'string' ? { as: choice } : (choice ?? {})
}

/** Whether somebody asked for the column; to be lenient with it is no such wish. */
function isChosen(columns: NonNullable<TableOptions['columns']>, name: string): boolean {
  return Object.hasOwn(columns, name) && Object.keys(choiceOf(columns, name)).join() !== 'lenient'
}

function checkOptions(options: TableOptions): void {
  checkNames('fromTable', options, [
    ...['target', 'inputs', 'exclude', 'categories', 'columns', 'missing', 'missingValues', 'unknown', 'formatted', 'scale'],
  ])
  const { target, columns = {}, unknown = 'ignore', formatted = false, scale = 'none' } = options
  if (typeof formatted !== 'boolean' && formatted !== '.' && formatted !== ',')
    throw typeError(`fromTable: formatted wants true, false, '.' or ',', got ${show(formatted)}`)
  if (typeof target !== 'string') throw typeError(`fromTable: target wants the name of one column, got ${show(target)}`)
  for (const name of ['inputs', 'exclude', 'categories', 'missingValues'] as const)
    if (!(options[name] === undefined || Array.isArray(options[name])))
      throw typeError(`fromTable: ${name} wants an array, got ${show(options[name])}`)
  checkChoice('fromTable: unknown', unknown, ['ignore', 'error'])
  checkChoice('fromTable: scale', scale, SCALES)
  if (typeof columns !== 'object' || columns === null || Array.isArray(columns))
    throw typeError(`fromTable: columns wants an object, { column: 'ordinal', … }, got ${show(columns)}`)
  for (const name of Object.keys(columns)) {
    if (options.exclude?.includes(name))
      throw rangeError(`fromTable: '${shortened(name)}' is in exclude and in columns; take it out of one of them`)
    const who = `fromTable: columns of '${shortened(name)}'`
    const choice = choiceOf(columns, name)
    checkNames(who, choice, ['as', 'order', 'buckets', 'size', 'missing', 'missingValues', 'lenient', 'written', 'scale'])
    if (!(choice.missingValues === undefined || Array.isArray(choice.missingValues)))
      throw typeError(`${who}: missingValues wants an array, got ${show(choice.missingValues)}`)
    if (choice.as !== undefined) checkChoice(who, choice.as, name === target ? ['number', 'date', 'category'] : COLUMN_USES)
    if (choice.scale !== undefined) checkChoice(`${who}: scale`, choice.scale, SCALES)
    if (choice.missing !== undefined) checkMissing(`${who}: missing`, choice.missing)
    if (
      choice.order !== undefined &&
      !(Array.isArray(choice.order) && choice.order.every(isText) && new Set(choice.order).size === choice.order.length)
    )
      throw typeError(`${who}: order wants different texts in an array, got ${show(choice.order)}`)
    const { buckets = 1, size = 1 } = choice
    if (!isVectorSize(size)) throw rangeError(`${who}: size wants a whole number from 1 to ${MAX_SIZE}, got ${show(size)}`)
    if (!(Number.isInteger(buckets) && buckets >= 1 && buckets <= 65536))
      throw rangeError(`${who}: buckets wants a whole number from 1 to 65536, got ${show(buckets)}`)
  }
}

/** Numbers of a vector that stands for a category. */
const MAX_SIZE = 1024
const isVectorSize = (size: unknown) => Number.isInteger(size) && (size as number) >= 1 && (size as number) <= MAX_SIZE

/** @internal rows with their numbers. @throws TypeError for anything but objects in an array */
export function numbered(who: string, rows: readonly object[], from = 0): NumberedRows {
  if (!Array.isArray(rows)) throw typeError(`${who}: wants rows in an array, got ${show(rows)}`)
  const none = rows.findIndex((row) => typeof row !== 'object' || row === null || Array.isArray(row) || ArrayBuffer.isView(row))
  if (none >= 0) throw typeError(`${who}: row ${none + from} wants an object, { column: value, … }, got ${show(rows[none])}`)
  return rows.map((row, i) => [from + i, row as Row] as const)
}

const WAYS: readonly unknown[] = ['fail', 'drop', 'mean', 'median', 'auto']

function checkMissing(what: string, way: unknown): void {
  if (!(WAYS.includes(way) || (typeof way === 'number' && Number.isFinite(Math.fround(way)))))
    throw rangeError(`${what} wants ${list([...WAYS.map(show), 'a number'])}, got ${show(way)}`)
}

/** Handling of gaps, by column. */
function waysOf(missing: NonNullable<TableOptions['missing']>, used: readonly string[], target: string): (name: string) => Missing {
  if (typeof missing !== 'object' || missing === null) {
    checkMissing('fromTable: missing', missing)
    return () => missing
  }
  for (const [name, way] of Object.entries(missing)) {
    if (!used.includes(name))
      throw rangeError(`fromTable: missing has a column '${shortened(name)}' that is not used, only ${showNames(used)} are`)
    checkMissing(`fromTable: missing of '${shortened(name)}'`, way)
    if (name === target && way !== 'drop' && way !== 'fail' && way !== 'auto')
      throw rangeError(`fromTable: a target is not filled in: missing of '${shortened(name)}' wants 'fail' or 'drop', got ${show(way)}`)
  }
  return (name) => (Object.hasOwn(missing, name) ? missing[name] : undefined) ?? 'fail'
}

/** The columns and settings that an encoder works with. */
interface EncoderParts {
  columns: readonly TableColumn[]
  target: TableColumn
  missingValues: readonly string[]
  unknown: Unknown
  leftOut: readonly string[]
}

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

/** An encoder, and a function that makes data sets of rows without such gaps. */
function encoding(parts: EncoderParts, report: TableReport, warn = true) {
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
    encode(rows, from = 0) {
      const all = numbered('encode', rows, from)
      spelling.check('encode', all, columns)
      spelling.checkEach('encode', all)
      return encoder.encode('encode', all)
    },
    dataset(rows) {
      const all = numbered('dataset', rows)
      spelling.check('dataset', all, [...columns, target])
      spelling.checkEach('dataset', all)
      return tableOf('dataset', wholeRows('dataset', all, dropped, isGapIn))
    },
    state: () => structuredClone({ format: 'gradus-table/2', columns, target, missingValues, unknown, leftOut }),
  }
  const tableOf = (who: string, rows: NumberedRows): Table => {
    const inputs = encoder.encode(who, rows)
    const targets = encodeTargets(who, rows, target, isGapIn(target.name))
    return { ...self, inputs, targets, count: rows.length, shape: [rows.length, encoder.width], report }
  }
  return { self, tableOf }
}

function namesOf(column: TableColumn): string[] {
  const { name, as, categories } = column
  if (as === 'hash') return Array.from({ length: widthOf(column) }, (_, i) => `${name}#${i}`)
  return as === 'ordinal' || as === 'embedding' || categories === null ? [name] : categories.map((category) => `${name}=${category}`)
}

function embeddingsOf(columns: readonly TableColumn[]): EmbeddedColumn[] {
  let feature = 0
  return columns.flatMap((column) => {
    const at = feature
    feature += widthOf(column)
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
  checkNames('encoderFromState', options, ['warn'])
  if (state?.format !== 'gradus-table/1' && state?.format !== 'gradus-table/2')
    throw typeError(`encoderFromState: this is no state of a table, but ${formatOf(state)}; take it with table.state()`)
  const { columns, target, missingValues, unknown = 'error', leftOut = [] } = structuredClone(state)
  if (!Array.isArray(columns) || columns.length === 0 || !Array.isArray(missingValues))
    throw typeError(`encoderFromState: wants columns and missingValues as arrays, got ${show(columns)} and ${show(missingValues)}`)
  checkChoice('encoderFromState: unknown', unknown, ['ignore', 'error'])
  for (const column of [...columns, target]) checkSaved(column)
  const features = columns.reduce((sum, column) => sum + widthOf(column), 0)
  if (features > MAX_FEATURES)
    throw rangeError(`encoderFromState: ${features} features are more than the ${MAX_FEATURES} that a table may have`)
  if (!Array.isArray(leftOut) || !leftOut.every(isText))
    throw typeError(`encoderFromState: leftOut wants texts in an array, got ${show(leftOut)}`)
  return encoderOf({ columns, target, missingValues, unknown, leftOut }, NO_REPORT, options.warn)
}

/** For a saved table: a few bytes give the number of features of a hash, and every row gets that many numbers. */
const MAX_FEATURES = 2 ** 20

function checkSaved(column: TableColumn): void {
  const saved = column ?? ({} as TableColumn)
  const { name, categories, buckets = 1, size = 1, fill = 0, center = 0, spread = 1, missingValues = [] } = saved
  const as = useOf(saved)
  const wantsNone = as === 'number' || as === 'date' || as === 'hash'
  const hasWhatItWants = wantsNone ? categories === null : Array.isArray(categories) && categories.every(isText)
  const isGood = isText(name) && Array.isArray(missingValues) && missingValues.every(isText) && COLUMN_USES.includes(as) && hasWhatItWants
  const isFilled = Number.isFinite(fill) && Number.isFinite(center) && Number.isFinite(spread) && spread !== 0
  const { unit = '', decimal = '.', first = 'day' } = saved.written ?? {}
  const isReadable = isText(unit) && ['.', ','].includes(decimal) && ['day', 'month'].includes(first)
  if (!(isGood && isReadable && isFilled && isVectorSize(size) && Number.isInteger(buckets) && buckets >= 1 && buckets <= 65536))
    throw typeError(`encoderFromState: a column has a name, its categories or null, and a number or nothing as fill, got ${show(column)}`)
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function checkColumn(row: Row, name: string): void {
  if (Object.hasOwn(row, name)) return
  const names = Object.keys(row)
  const near = names.find((other) => other.toLowerCase() === name.toLowerCase()) ?? nearest(name, names)
  const hint = near !== undefined ? `; did you mean '${shortened(near)}'?` : ''
  throw rangeError(`fromTable: there is no column '${shortened(name)}', only ${quoted(names)}${hint}`)
}

/** Names in quotes, so that blanks around them show. */
function quoted(names: readonly string[]): string {
  const shown = names.slice(0, 12).map((name) => `'${shortened(name)}'`)
  return shown.join(', ') + (names.length > 12 ? `, … (${names.length} in all)` : '')
}
