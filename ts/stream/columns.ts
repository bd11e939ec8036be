/** Columns of the rows of a table: a stream that loses one, or has it under another name, has changed. */
import { rangeError } from '../common/errors.js'
import { show, showNames } from '../common/show.js'

/** Rows of a part from which on a column that none of them has is lost. Fewer may be rows of JSON that leave out what they have no value for. */
const MANY = 100

/** @internal Watches the columns that an encoder reads. */
export class Columns {
  /** Columns that every row had so far; null before the first part. */
  private always: string[] | null = null
  private readonly known: Set<string>

  /**
   * @param used columns that the encoder reads, the target among them
   * @param others further columns of the table that it was learnt from
   */
  constructor(
    private readonly used: readonly string[],
    others: readonly string[],
  ) {
    this.known = new Set([...used, ...others])
  }

  /** An error for each row of this part if the part lacks a column that every row before had, otherwise null. */
  check(rows: readonly object[]): Error | null {
    const [first] = rows
    if (this.always === null) {
      this.always = this.used.filter((name) => rows.every((row) => has(row, name)))
      for (const row of rows) for (const name of Object.keys(Object(row))) this.known.add(name)
      return null
    }
    const lacking = this.always.filter((name) => !rows.some((row) => has(row, name)))
    if (lacking.length === 0) return null
    const added = Object.keys(Object(first)).filter((name) => !this.known.has(name))
    if (added.length === 0 && rows.length < MANY) {
      this.always = this.always.filter((name) => !lacking.includes(name))
      return null
    }
    return rangeError(
      `there is no column ${show(lacking[0])}, which every row before had${added.length > 0 ? `, but ${showNames(added)}` : ''}; rename it, or give null where it has no value`,
    )
  }
}

/** False for what is no row, which the encoder refuses. */
const has = (row: object, name: string) => Object.hasOwn(Object(row), name)
