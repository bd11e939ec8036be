/** Rows that are left out because of a gap, and why. */
import { shortened, show } from '../../common/show.js'
import { isCell, type MissingTest, type NumberedRows, valueIn } from './values.js'

/** Rows that were left out for one reason. */
export interface LeftOut {
  /** The column that has no value in them. */
  column: string
  /** The value that they have instead, such as `NA`; empty for an empty cell, null or undefined. */
  value: string
  rows: number
}

/** The test for gaps of each column. */
export type GapTests = (column: string) => MissingTest

/** Different values that are counted one by one, for each column. */
const MAX_VALUES = 20

/** @internal Counts rows that are left out, by the first column with a gap. */
export class LeftOutCounter {
  private readonly counts = new Map<string, LeftOut>()

  constructor(
    private readonly columns: readonly string[],
    private readonly isGapIn: GapTests,
  ) {}

  add(rows: NumberedRows): void {
    if (this.columns.length === 0) return
    const tests = this.columns.map(this.isGapIn)
    for (const [, row] of rows) {
      const i = tests.findIndex((isGap, k) => isGap(valueIn(row, this.columns[k])))
      if (i < 0) continue
      const column = this.columns[i]
      const value = valueIn(row, column)
      const text = isCell(value) ? shortened(String(value).trim()) : ''
      const key = JSON.stringify([column, this.counts.size < MAX_VALUES * this.columns.length ? text : ''])
      const known = this.counts.get(key)
      if (known === undefined) this.counts.set(key, { column, value: text, rows: 1 })
      else known.rows++
    }
  }

  /** The reasons, the most frequent first. */
  get all(): LeftOut[] {
    return [...this.counts.values()].sort((a, b) => b.rows - a.rows)
  }
}

/**
 * The reasons why rows were left out, in words: `12 rows left out: no value in 'vote' ('NA' in 10, empty in 2)`. Empty if none was.
 *
 * @example describeLeftOut([{ column: 'vote', value: 'NA', rows: 10 }]) // "10 rows left out: no value in 'vote' ('NA' in 10)"
 */
export function describeLeftOut(leftOut: readonly LeftOut[]): string {
  const total = leftOut.reduce((sum, { rows }) => sum + rows, 0)
  return total === 0 ? '' : `${inWords(total)} ${total === 1 ? 'row' : 'rows'} left out: ${reasonsFor(leftOut)}`
}

/** @internal `no value in 'vote' ('NA' in 10); no value in 'age' (empty in 2)` */
export function reasonsFor(leftOut: readonly LeftOut[]): string {
  const columns = [...new Set(leftOut.map(({ column }) => column))]
  return columns
    .map((column) => {
      const own = leftOut.filter((reason) => reason.column === column)
      const values = own.map(({ value, rows }) => `${value === '' ? 'empty' : show(value)} in ${inWords(rows)}`)
      return `no value in '${shortened(column)}' (${values.join(', ')})`
    })
    .join('; ')
}

/** @internal a whole number as people read it: 12,345 */
export function inWords(count: number): string {
  return count.toLocaleString('en-US')
}
