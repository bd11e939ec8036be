/** Decisions about a table before it is split: its rows, its task and its columns. */
import { checkNames } from '../common/names.js'
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
} from '../data/index.js'
import { missingTest, valueIn } from '../data/table/values.js'
import { type WrittenAs, wayOf } from '../data/table/written.js'
import { MISPLACED, namingLinesOf, notesWithLines, rowsFrom } from './given-rows.js'

/** Options for the encoding of columns; by default gaps are filled in and numbers scaled. */
export interface DecideTableOptions extends Omit<TableOptions, 'scale'> {
  /** Decides which rows are set aside. Default 0. */
  seed?: number
}

/** Result of {@link decideTable}, from all rows. */
export interface DecidedTable {
  /** The rows that have a target. */
  rows: readonly Row[]
  /** Rows that are left out because of a gap, in the target or where `missing` says so, with reasons. */
  leftOut: readonly LeftOut[]
  /** True if classes are predicted. */
  isClasses: boolean
  /** The human format of the numbers or dates of a column, if `formatted` reads them, also for a column that is left out. */
  writtenIn(column: string): WrittenAs | undefined
  /** Options for `fromTable` of the training rows: task and columns as decided from all rows. */
  options: TableOptions
  /** A report on the rows to learn from, with the reasons and notes that all rows gave. */
  reasonsIn(report: TableReport): ColumnReport[]
  /**
   * An encoder for other rows, based on the training rows: texts among numbers are gaps if any row of the table has one, and values that the training
   * rows did not have are counted without a warning.
   */
  encoderOf(learnt: Table): TableEncoder
}

/** Least average number of rows per category for which each of many categories gets a vector of its own: with fewer, nets memorize rows. */
const ROWS_OF_CATEGORY = 10

/** @internal the names of these options, for checks */
export const TABLE_OPTIONS: readonly (keyof DecideTableOptions)[] = [
  ...(['target', 'seed', 'inputs', 'exclude', 'categories', 'columns', 'missing', 'missingValues', 'unknown', 'formatted'] as const),
]

/** Decides the task and the encoding of each column. The scales are left to the training rows. */
export function decideTable(all: readonly Row[], { seed: _, ...table }: DecideTableOptions): DecidedTable {
  const { target } = table
  const whole: TableOptions = { missing: 'auto', scale: 'robust', ...table }
  const first = fromTable(all, whole)
  const isClasses = first.classes > 0
  // of the first table the report alone is kept
  const { columns: ofAllRows, leftOut } = first.report
  const embedded = columnsToEmbed(ofAllRows)
  const { missingValues, columns, target: asTarget } = first.state()
  const gaps = asTarget.missingValues ?? missingValues
  const ofColumn = (name: string) => {
    const choice = whole.columns?.[name]
    return typeof choice === 'string' ? { as: choice } : choice
  }
  const options: TableOptions = {
    ...whole,
    columns: {
      ...whole.columns,
      ...Object.fromEntries(
        columns.filter(({ written }) => written !== undefined).map(({ name, written }) => [name, { ...ofColumn(name), written }]),
      ),
      [target]: {
        as: isClasses ? ('category' as const) : ('number' as const),
        missingValues: gaps,
        ...(asTarget.written && { written: asTarget.written }),
      },
      ...Object.fromEntries(embedded.map(({ name }) => [name, 'embedding' as const])),
    },
  }
  const lenient = new Set(columns.filter((column) => column.lenient).map(({ name }) => name))
  const rows = withTarget(all, gaps, target)
  return {
    rows,
    writtenIn: (name) => {
      const { formatted = false } = table
      if (formatted === false) return undefined
      const decimal = formatted === true ? undefined : formatted
      return (
        columns.find((column) => column.name === name)?.written ??
        wayOf(
          rows.map((row) => valueIn(row, name)),
          decimal,
        )
      )
    },
    leftOut,
    isClasses,
    options,
    reasonsIn: (report) =>
      report.columns.map((column) => {
        const ofAll = ofAllRows.find(({ name }) => name === column.name) ?? column
        if (column.role === 'target') return ofAll
        const decided = embedded.find(({ name }) => name === column.name)
        return { ...column, notes: ofAll.notes, ...(decided && { why: decided.why, decidedBy: 'values' as const }) }
      }),
    encoderOf(learnt) {
      const state = learnt.state()
      const asInAll = state.columns.map((column) =>
        lenient.has(column.name) && column.as === 'number' && column.fill !== undefined ? { ...column, lenient: true as const } : column,
      )
      return encoderFromState({ ...state, columns: asInAll }, { warn: false })
    },
  }
}

/**
 * The decisions of `trainTable` about each column, with reasons, without training: for `describeTable` of gradus/data.
 *
 * @example
 * const rows = [{ size: 1, kind: 'b' }, { size: 2, kind: 'a' }] const { columns } = await inspectTable(rows, { target: 'kind' }) columns.map(({ name,
 * as }) => [name, as]) // [['size', 'number'], ['kind', 'category']]
 * @throws RangeError, TypeError naming row, or line of the file, and column of what does not fit
 */
export async function inspectTable(
  rows: readonly object[] | Source,
  { read, ...options }: TableOptions & { read?: ReadOptions },
): Promise<TableReport> {
  checkNames('inspectTable', options, [...TABLE_OPTIONS, 'read'], MISPLACED)
  return namingLinesOf(rows, read, async () => {
    const all = await rowsFrom(rows, read)
    const decided = decideTable(all, options)
    const { report } = fromTable(all, decided.options)
    return { ...report, columns: await notesWithLines(decided.reasonsIn(report), rows, read) }
  })
}

/** Columns of very many categories with enough rows to learn a vector for each, if no option decides about them. */
function columnsToEmbed(columns: readonly ColumnReport[]): { name: string; why: string }[] {
  return columns.flatMap(({ name, as, decidedBy, different = Number.POSITIVE_INFINITY, rows }) => {
    if (as !== 'hash' || decidedBy === 'options' || rows < ROWS_OF_CATEGORY * different) return []
    return [{ name, why: `it has texts, ${different} different ones, of which each gets a vector that is learnt` }]
  })
}

/** The rows that have a target. */
function withTarget(rows: readonly Row[], missing: readonly string[], target: string): Row[] {
  const isGap = missingTest(missing)
  return rows.filter((row) => !isGap(valueIn(row, target)))
}
