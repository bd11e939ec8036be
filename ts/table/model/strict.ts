/** Checks that rows are like the rows of the table: for requests to a server. */
import { rangeError } from '../../common/errors.js'
import { nearest } from '../../common/nearest.js'
import { shortened, show, showNames } from '../../common/show.js'
import type { TableState } from '../../data/index.js'
import { type TableColumn, useOf } from '../../data/table/column.js'
import { daysOf, isCell, isNumber, type MissingTest, missingTest, placesOf, type Row, valueIn } from '../../data/table/values.js'
import { readWritten } from '../../data/table/written.js'

/** Largest number of problems that a message lists. */
const MAX_LISTED = 6

interface StrictColumn extends TableColumn {
  known: ReadonlySet<string> | null
  isGap: MissingTest
}

/** @internal finds differences from the table, by the table's state */
export class StrictRows {
  private readonly columns: readonly StrictColumn[]
  /** Further names that a row may have: the target, and columns that the model does not use. */
  private readonly others: ReadonlySet<string>

  constructor(table: TableState, target: string) {
    this.columns = table.columns.map((column) => ({
      ...column,
      known: column.categories && new Set(placesOf(column.categories).keys()),
      isGap: missingTest(column.missingValues ?? table.missingValues),
    }))
    this.others = new Set([target, ...table.leftOut])
  }

  /** @param from number of the first row. @throws RangeError that lists everything that is wrong, row by row */
  check(rows: readonly object[], from: number): void {
    const found = rows.flatMap((row, i) => {
      const wrong = typeof row === 'object' && row !== null ? this.problems(row as Row) : []
      return wrong.length > 0 ? [`row ${from + i}: ${wrong.join(', ')}`] : []
    })
    if (found.length === 0) return
    const more = found.length > MAX_LISTED ? `; and ${found.length - MAX_LISTED} more rows` : ''
    throw rangeError(`predict: ${found.slice(0, MAX_LISTED).join('; ')}${more}`)
  }

  private problems(row: Row): string[] {
    const { columns } = this
    const names = columns.map(({ name }) => name)
    const absent = names.filter((name) => !Object.hasOwn(row, name))
    const strange = Object.keys(row).filter((name) => !names.includes(name) && !this.others.has(name))
    const out: string[] = []
    if (absent.length > 0) out.push(`${named('column', absent)} ${absent.length === 1 ? 'is' : 'are'} missing`)
    else if (columns.every(({ name, isGap }) => isGap(valueIn(row, name)))) out.push('all columns are empty')
    if (strange.length > 0) {
      const near = nearest(strange[0], absent)
      const meant = near === undefined ? '' : ` (did you mean '${near}'?)`
      out.push(`the table has no ${named('column', strange)}${meant}`)
    }
    for (const column of columns) {
      const value = valueIn(row, column.name)
      const wanted = column.isGap(value) ? undefined : wantedInstead(column, value)
      if (wanted !== undefined) out.push(`column '${shortened(column.name)}' wants ${wanted}, got ${show(value)}`)
    }
    return out
  }
}

/** The expected kind of a value; undefined if it is like the table's values. */
function wantedInstead(column: StrictColumn, value: unknown): string | undefined {
  const as = useOf(column)
  const { written } = column
  if (written !== undefined) {
    const example = written.first === undefined ? `a number, written as in the table` : 'a date, written as in the table'
    return Number.isFinite(readWritten(written, value)) ? undefined : example
  }
  if (as === 'number') return isNumber(value) ? undefined : 'a number'
  if (as === 'date') return Number.isFinite(daysOf(value)) ? undefined : 'a date (2024-12-31)'
  if (as === 'hash' || as === 'text') return isCell(value) ? undefined : 'a text'
  return isCell(value) && column.known?.has(String(value)) ? undefined : `one of ${showNames(column.categories ?? [])}`
}

/** `column 'a'`, or `columns 'a', 'b'`. */
function named(what: string, names: readonly string[]): string {
  return `${what}${names.length === 1 ? '' : 's'} ${showNames(names.map((name) => `'${shortened(name)}'`))}`
}
