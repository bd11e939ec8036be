/** The report on the encoding of each column of a table, with reasons. */
import { shortened } from '../../common/show.js'
import { cellsOf, padEnd } from '../../common/text-width.js'
import { allVisible } from '../../common/visible.js'
import type { ColumnUse } from './column.js'
import { describeLeftOut, type LeftOut } from './left-out.js'
import { dayOf } from './values.js'

/** The decision about a column. */
export interface ColumnReport {
  name: string
  role: 'input' | 'target'
  as: ColumnUse | 'left out'
  /** Why, as the end of a sentence: `as because why`. */
  why: string
  /** The source of the decision: the caller's options or the values of the column. */
  decidedBy: 'options' | 'values'
  /** Number of features that the column became. */
  features: number
  /** Number of rows from which the decision was made. */
  rows: number
  gaps: number
  /** The value that fills gaps, if there are any. */
  fill?: number
  /** Number of different values, if they were counted. */
  different?: number
  categories?: number
  min?: number
  max?: number
  mean?: number
  /** Notes that a person should read. */
  notes: readonly string[]
}

/** The decisions about the columns of a table: see {@link describeTable}. */
export interface TableReport {
  /** Rows in the data set. */
  rows: number
  /** Rows that were left out because of a gap. */
  dropped: number
  /** Reasons why rows were left out; together with the rows of the data set they are all given rows. */
  leftOut: readonly LeftOut[]
  columns: readonly ColumnReport[]
}

/**
 * A report as text, a line for each column: its encoding, and the reason.
 *
 * @example
 * const rows = [{ size: 1, kind: 'b' }, { size: 2, kind: 'a' }]
 * const { report } = fromTable(rows, { target: 'kind' })
 * describeTable(report).split('\n')[1] // 'size           number    it has numbers, 1 to 2'
 */
export function describeTable(report: TableReport): string {
  const { rows, leftOut, columns } = allVisible(report)
  const names = columns.map(({ name, role }) => shortened(name) + (role === 'target' ? ' (target)' : ''))
  const width = Math.max(0, ...names.map(cellsOf))
  const lines = columns.map((column, i) => {
    const [reason, ...others] = column.why.split('; ')
    return `${padEnd(names[i], width)}  ${column.as.padEnd(8)}  ${[reason + details(column), ...others, ...column.notes].join('; ')}`
  })
  const left = leftOut.length > 0 ? `, ${describeLeftOut(leftOut)}` : ''
  const features = columns.reduce((sum, column) => sum + column.features, 0)
  const head = `${rows} ${rows === 1 ? 'row' : 'rows'}${left}; ${features} ${features === 1 ? 'feature' : 'features'}`
  return [head, ...lines].join('\n')
}

function details({ as, why, gaps, fill, categories, min, max }: ColumnReport): string {
  const range =
    min === undefined || max === undefined ? '' : as === 'date' ? `, ${dayOf(min)} to ${dayOf(max)}` : `, ${short(min)} to ${short(max)}`
  const kinds = categories === undefined || why.includes(` ${categories} `) || why.includes('two classes') ? '' : `, ${categories} of them`
  const filled = fill === undefined ? '' : as === 'number' ? `, filled in by ${short(fill)}` : ', filled in'
  return `${range}${kinds}${gaps > 0 ? `; ${gaps} ${gaps === 1 ? 'gap' : 'gaps'}${filled}` : ''}`
}

function short(x: number): string {
  return String(Number(x.toPrecision(4)))
}
