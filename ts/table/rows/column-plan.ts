/** Decisions about a table before it is split: its rows, its task and its columns. */
import { count, object, readOptions, type Schema } from '../../common/options.js'
import { READ } from '../../data/formats/read.js'
import {
  type ColumnReport,
  encoderFromState,
  fromTable,
  type LeftOut,
  type ReadOptions,
  type Row,
  type Source,
  type Table,
  type TableEncoder,
  type TableOptions,
  type TableReport,
  type TableState,
} from '../../data/index.js'
import { DAYS_OF_YEAR } from '../../data/table/cycles.js'
import { COLUMNS, type ColumnOptions, choiceOf } from '../../data/table/options.js'
import { missingTest, valueIn } from '../../data/table/values.js'
import { type WrittenAs, wayOf } from '../../data/table/written.js'
import { namingLinesOf, notesWithLines, rowsFrom } from './given-rows.js'
import { leakInWords, leaksIn } from './leaks.js'

/** Options for the encoding of columns; by default gaps are filled in and numbers scaled. */
export interface InspectTableOptions extends Omit<TableOptions, 'scale'> {
  /** Options for reading a file. */
  read?: ReadOptions
  /**
   * Rows that are held in memory: of a longer table a random sample, drawn while it is read. Default: of a file, as many rows as have 10 million values,
   * about 2 GB, or 400,000 if the file is larger than 1 GB, so that a training takes less than 300 MB; of rows in memory, all.
   */
  sample?: number
}

export const INSPECT_TABLE = {
  ...COLUMNS,
  missing: { is: COLUMNS.missing.is, default: 'auto' },
  read: { is: object, holds: READ },
  sample: { is: count },
} satisfies Schema<InspectTableOptions>

/** Least average number of rows per category for which each of many categories gets a vector of its own: with fewer, nets memorize rows. */
const ROWS_OF_CATEGORY = 10
/** Days of dates from which on each day of the year has a vector of its own, four years, so that holidays are learned; and its length. */
const DAYS_OF_YEARS = 4 * 365
const DAY_VECTOR = 16

/**
 * The decisions about a table, made once, from all of its rows: which of them have a target, the task, and the kind of each column. {@link fit} learns
 * categories, scales and fills from some of the rows; {@link describe} reports on these with the reasons that all rows gave.
 */
export class ColumnPlan {
  readonly target: string
  /** The rows that have a target. */
  readonly rows: readonly Row[]
  /** Rows that are left out because of a gap, in the target or where `missing` says so, and why. */
  readonly leftOut: readonly LeftOut[]
  /** True if classes are predicted. */
  readonly isClasses: boolean
  private readonly options: TableOptions
  private readonly columns: TableState['columns']
  private readonly reports: readonly ColumnReport[]
  private readonly embedded: readonly { name: string; why: string }[]
  /** Columns of dates whose days of the year have vectors. */
  private readonly withDays: readonly string[]

  constructor(all: readonly Row[], given: Omit<InspectTableOptions, 'read' | 'sample'>) {
    const whole: TableOptions = { scale: 'robust', ...given }
    const table = fromTable(all, whole)
    const { missingValues, columns, target } = table.state()
    const gaps = target.missingValues ?? missingValues
    this.target = given.target
    this.rows = withTarget(all, gaps, given.target)
    this.isClasses = table.classes > 0
    this.columns = columns
    // only the report of the table of all rows is kept
    this.reports = table.report.columns
    this.leftOut = table.report.leftOut
    this.embedded = columnsToEmbed(this.reports)
    this.withDays = columnsOfYears(this.reports)
    this.options = {
      ...whole,
      columns: {
        ...whole.columns,
        ...Object.fromEntries(
          columns.flatMap(({ name, written }) => {
            const hasDays = this.withDays.includes(name)
            if (!written && !hasDays) return []
            const choice = { ...choiceOf(whole.columns ?? {}, name), ...(written && { written }) }
            return [[name, hasDays ? { size: DAY_VECTOR, ...choice, as: 'date' as const } : choice]]
          }),
        ),
        [given.target]: {
          ...ordered(choiceOf(whole.columns ?? {}, given.target)),
          ...{ as: this.isClasses ? ('category' as const) : ('number' as const), missingValues: gaps },
          ...(!this.isClasses && centerOf(table)),
          ...(target.written && { written: target.written }),
        },
        ...Object.fromEntries(this.embedded.map(({ name }) => [name, 'embedding' as const])),
        ...Object.fromEntries(
          columns.flatMap(({ name, as }) => (as === 'text' ? [[name, { ...choiceOf(whole.columns ?? {}, name), as }]] : [])),
        ),
      },
    }
  }

  /** True if each target is a number, though there may be so few that they are taken for classes. */
  get areNumbers(): boolean {
    return this.rows.every((row) => {
      const value = valueIn(row, this.target)
      return typeof value === 'number' || (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)))
    })
  }

  /** Notes about the target. */
  get notes(): readonly string[] {
    return this.reports.find(({ role }) => role === 'target')?.notes ?? []
  }

  /** The human format of the numbers or dates of a column, if `formatted` reads them, also for a column that is left out. */
  writtenIn(column: string): WrittenAs | undefined {
    const { formatted } = this.options
    if (!formatted) return undefined
    const decimal = formatted === true ? undefined : formatted
    const cells = () => this.rows.map((row) => valueIn(row, column))
    return this.columns.find(({ name }) => name === column)?.written ?? wayOf(cells(), decimal)
  }

  /**
   * A table of some of the rows, and an encoder that treats others like these: texts among numbers are gaps if any row of the whole table has one, and
   * values that these rows do not have are counted without a warning.
   */
  fit(rows: readonly Row[]): { table: Table; encoder: TableEncoder } {
    const { columns = {}, ...options } = this.options
    const lenient = this.columns.filter((column) => column.lenient && rows[0] && Object.hasOwn(rows[0], column.name))
    const choices = lenient.map(({ name }) => [name, { ...choiceOf(columns, name), lenient: true }])
    const table = fromTable(rows, { ...options, columns: { ...columns, ...Object.fromEntries(choices) } })
    return { table, encoder: encoderFromState(table.state(), { warn: false }) }
  }

  /** A report on some of the rows, with the reasons and notes that all rows gave. */
  describe({ columns }: TableReport): ColumnReport[] {
    return columns.map((column) => {
      const ofAll = this.reports.find(({ name }) => name === column.name) ?? column
      if (column.role === 'target') return ofAll
      if (column.as === 'text') return { ...column, why: ofAll.why, decidedBy: ofAll.decidedBy, notes: ofAll.notes }
      const embedded = this.embedded.find(({ name }) => name === column.name)
      if (this.withDays.includes(column.name)) return { ...column, why: ofAll.why, decidedBy: ofAll.decidedBy, notes: ofAll.notes }
      return { ...column, notes: ofAll.notes, ...(embedded && { why: embedded.why, decidedBy: 'values' as const }) }
    })
  }
}

/**
 * The decisions of `trainTable` about each column, with reasons, without training: for `describeTable` of gradus/data.
 *
 * @example
 * const rows = [{ size: 1, kind: 'b' }, { size: 2, kind: 'a' }]
 * const { columns } = await inspectTable(rows, { target: 'kind' })
 * columns.map(({ name, as }) => [name, as]) // [['size', 'number'], ['kind', 'category']]
 * @throws RangeError, TypeError naming the row (or the line of the file) and the column of a value that does not fit
 */
export async function inspectTable(rows: readonly object[] | Source, given: InspectTableOptions): Promise<TableReport> {
  const { read, sample, ...options } = readOptions('inspectTable', given, INSPECT_TABLE)
  return namingLinesOf('inspectTable', rows, read, async (taken) => {
    const all = await rowsFrom(rows, { read, sample }, taken)
    const plan = new ColumnPlan(all, options)
    const { table } = plan.fit(all)
    const leaks = new Map(leaksIn(table).map((leak) => [leak.column, leakInWords(leak, options.target)]))
    const columns = plan.describe(table.report).map((column) => {
      const leak = leaks.get(column.name)
      return leak === undefined ? column : { ...column, notes: [...column.notes, `${leak}: leave it out if it is known only afterwards`] }
    })
    return { ...table.report, columns: await notesWithLines(columns, rows, read, taken) }
  })
}

/** The order of the classes of a target, if options give one. */
const ordered = ({ order }: ColumnOptions) => order && { order }

/** Largest error by which 32 bits may change a target, as a fraction of the range of all. */
const MAX_ROUNDED = 1e-5
/** Whole numbers up to this size stand for themselves in 32 bits; so nearly do others, which only look whole afterwards. */
const WHOLE = 2 ** 20

/** A number to subtract from a target whose numbers differ by so little that 32 bits would lose it. */
function centerOf({ report, targets }: Table): { center?: number } {
  const { min = 0, max = 0, mean } = report.columns.find(({ role }) => role === 'target') ?? {}
  const largest = Math.max(Math.abs(min), Math.abs(max))
  const isLost = 2 ** -24 * largest > MAX_ROUNDED * (max - min) && max > min
  if (!isLost || (largest <= WHOLE && targets.every(Number.isInteger))) return {}
  return { center: mean ?? (min + max) / 2 }
}

/** Columns of very many categories with enough rows to learn a vector for each, if no option decides about them. */
function columnsToEmbed(columns: readonly ColumnReport[]): { name: string; why: string }[] {
  return columns.flatMap(({ name, as, decidedBy, different = Number.POSITIVE_INFINITY, rows }) => {
    if (as !== 'hash' || decidedBy === 'options' || rows < ROWS_OF_CATEGORY * different) return []
    return [{ name, why: `it has texts, ${different} different ones, of which each gets a vector that is learnt` }]
  })
}

/** Columns of dates over enough years, with enough rows to learn each day of the year, if no option decides about them. */
function columnsOfYears(columns: readonly ColumnReport[]): string[] {
  return columns.flatMap(({ name, as, role, decidedBy, min = 0, max = 0, rows }) =>
    as === 'date' && role === 'input' && decidedBy !== 'options' && max - min >= DAYS_OF_YEARS && rows >= ROWS_OF_CATEGORY * DAYS_OF_YEAR
      ? [name]
      : [],
  )
}

/** The rows that have a target. */
function withTarget(rows: readonly Row[], missing: readonly string[], target: string): Row[] {
  const isGap = missingTest(missing)
  return rows.filter((row) => !isGap(valueIn(row, target)))
}
