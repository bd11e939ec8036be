/** Detects rows whose columns are probably named differently from the table's. */
import { rangeError } from '../../common/errors.js'
import { nearest } from '../../common/nearest.js'
import { shortened, showNames } from '../../common/show.js'
import type { TableColumn } from './column.js'
import { type NumberedRows, type Row, valueIn } from './values.js'

/** Largest number of unknown names that are compared with the table's columns. */
const MAX_COMPARED = 1000

/**
 * @internal A row may lack a column, which is a gap. But if it has the column under nearly the same name, or lacks all columns, that is an error: the
 *   gaps would otherwise be filled in silently.
 */
export class Spelling {
  private readonly names: readonly string[]
  private readonly used: ReadonlySet<string>
  /** All names of columns of the table. */
  private readonly known: ReadonlySet<string>
  /** For unknown names, the column that each probably means. */
  private readonly meant = new Map<string, string | undefined>()

  /** @param leftOut columns of the table that are not used */
  constructor(columns: readonly TableColumn[], target: TableColumn, leftOut: readonly string[]) {
    this.names = columns.map(({ name }) => name)
    this.used = new Set(this.names)
    this.known = new Set([...this.names, target.name, ...leftOut])
  }

  /** @throws RangeError naming a column that no row has, and the similarly named column that the first row has instead */
  check(who: string, rows: NumberedRows, columns: readonly TableColumn[]): void {
    const absent = columns.filter(({ name }) => !rows.some(([, row]) => Object.hasOwn(row, name)))
    if (absent.length === 0 || rows.length === 0) return
    const unknown = Object.keys(rows[0][1]).filter((key) => !this.known.has(key))
    for (const { name } of absent) {
      const near = nearest(name, unknown)
      if (near !== undefined)
        throw rangeError(
          `${who}: no row has a column '${shortened(name)}'; did you mean it by '${shortened(near)}'? (A column of gaps alone is null in a row.)`,
        )
    }
  }

  /** @throws RangeError for a row that has none of the columns, or has one under another name */
  checkEach(who: string, rows: NumberedRows): void {
    const { names } = this
    for (const [i, row] of rows) {
      // most rows have all columns
      let all = true
      for (let k = 0; k < names.length && all; k++) all = valueIn(row, names[k]) !== undefined || Object.hasOwn(row, names[k])
      if (!all) this.checkOne(who, row, i)
    }
  }

  private checkOne(who: string, row: Row, i: number): void {
    const keys = Object.keys(row)
    if (!keys.some((key) => this.used.has(key)))
      throw rangeError(
        `${who}: row ${i} wants the columns ${showNames(this.names)}, got ${keys.length === 0 ? 'none at all' : `none of them, but ${showNames(keys)}`}`,
      )
    for (const key of keys) {
      const name = this.columnMeantBy(key)
      if (name !== undefined && !Object.hasOwn(row, name))
        throw rangeError(
          `${who}: row ${i} has no column '${shortened(name)}'; did you mean it by '${shortened(key)}'? (A gap is null in a row.)`,
        )
    }
  }

  private columnMeantBy(key: string): string | undefined {
    if (this.known.has(key)) return undefined
    if (this.meant.has(key)) return this.meant.get(key)
    if (this.meant.size >= MAX_COMPARED) return undefined
    const name = nearest(key, this.names)
    this.meant.set(key, name)
    return name
  }
}
