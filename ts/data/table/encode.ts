/** Encoding of the rows of a table as numbers, by the decisions about its columns. */
import { rangeError } from '../../common/errors.js'
import { shortened, show, showNames } from '../../common/show.js'
import { type TableColumn, useOf, widthOf } from './column.js'
import { writeCycles } from './cycles.js'
import type { GapTests } from './left-out.js'
import {
  COMMA_ADVICE,
  daysOf,
  hasComma,
  isCell,
  isNumber,
  type MissingTest,
  missingTest,
  type NumberedRows,
  numberOf,
  placesOf,
  valueIn,
} from './values.js'
import { wordWriter } from './words.js'
import { readWritten, type WrittenAs } from './written.js'

/** Handling of a category that was not in the original table. */
export type Unknown = 'ignore' | 'error'

/** For each column the values that were in no row of the original table: their count, and the first few of them. */
export type UnknownValues = Record<string, { count: number; values: string[] }>

/** @internal rows without a gap in these columns */
export function withoutGaps(rows: NumberedRows, columns: readonly string[], isGapIn: GapTests): NumberedRows {
  if (columns.length === 0) return rows
  const tests = columns.map(isGapIn)
  return rows.filter(([, row]) => !tests.some((isGap, i) => isGap(valueIn(row, columns[i]))))
}

/** @internal rows without a gap in columns whose gaps leave rows out. @throws RangeError if none is left */
export function wholeRows(who: string, rows: NumberedRows, dropped: readonly string[], isGapIn: GapTests): NumberedRows {
  const whole = withoutGaps(rows, dropped, isGapIn)
  if (whole.length === 0 && rows.length > 0) throw rangeError(`${who}: a value is missing in each of the ${rows.length} rows`)
  return whole
}

const FILL = "give fromTable what fills it in (missing: 'mean', 'median' or a number), or leave such rows out"

/** Number of unknown values of a column that are kept for messages. */
const MAX_SHOWN = 5

/** @internal Writes a column's features. */
type Writer = (value: unknown, out: Float32Array, at: number, row: number) => void

/** @internal Encodes rows for one table. The index of a category is looked up, so that many cost no more than few. */
export class RowEncoder {
  readonly width: number
  /** Values that the table did not have. */
  readonly unknown: UnknownValues = {}
  private readonly columns: readonly (TableColumn & { width: number; write: Writer })[]
  private readonly isMissing: MissingTest
  private readonly onUnknown: Unknown
  private who = 'encode'

  /** @param warns true to warn once for each column with an unknown value */
  constructor(
    columns: readonly TableColumn[],
    isMissing: MissingTest,
    onUnknown: Unknown,
    private readonly warns: boolean,
  ) {
    this.isMissing = isMissing
    this.onUnknown = onUnknown
    this.columns = columns.map((column) => ({ ...column, width: widthOf(column), write: this.writerFor(column) }))
    this.width = this.columns.reduce((sum, { width }) => sum + width, 0)
  }

  /** Inputs, row-major. @throws RangeError for a gap that is not filled in, or a value that is not of its column */
  encode(who: string, rows: NumberedRows): Float32Array {
    this.who = who
    const out = new Float32Array(rows.length * this.width)
    let at = 0
    for (const [i, row] of rows) {
      for (const { name, width, write } of this.columns) {
        write(valueIn(row, name), out, at, i)
        at += width
      }
    }
    return out
  }

  private writerFor(column: TableColumn): Writer {
    const isMissing = column.missingValues === undefined ? this.isMissing : missingTest(column.missingValues)
    const write = this.valueWriter(column)
    const { name, fill, center = 0, spread = 1 } = column
    const as = useOf(column)
    const isOneNumber = as === 'number' || as === 'date' || as === 'ordinal'
    return (value, out, at, row) => {
      if (!isMissing(value)) write(value, out, at, row)
      else if (fill === undefined) throw rangeError(`${this.who}: no value in column '${shortened(name)}' of row ${row}; ${FILL}`)
      else if (isOneNumber) out[at] = (fill - center) / spread
    }
  }

  private valueWriter(column: TableColumn): Writer {
    const { name, categories, fill, buckets = 1, center = 0, spread = 1, lenient, written, cycles = [] } = column
    const as = useOf(column)
    if (as === 'hash') return (value, out, at) => (out[at + (hashOf(String(value)) % buckets)] = 1)
    if (as === 'text') {
      const writeWords = wordWriter(column.words ?? [], column.weights ?? [])
      return (value, out, at, row) => {
        if (!isCell(value)) throw rangeError(`${this.who}: column '${shortened(name)}' of row ${row} wants a text, got ${show(value)}`)
        writeWords(String(value), out, at)
      }
    }
    if (as === 'date')
      return (value, out, at, row) => {
        const days = written === undefined ? daysOf(value) : readWritten(written, value)
        if (!Number.isFinite(days))
          throw rangeError(
            `${this.who}: column '${shortened(name)}' of row ${row} wants a date (${written === undefined ? '2024-12-31' : '31.12.2024'}), got ${show(value)}`,
          )
        out[at] = (days - center) / spread
        writeCycles(cycles, days, out, at + 1)
      }
    if (as === 'number')
      return (value, out, at, row) => {
        const x = written === undefined ? numberOf(value) : readWritten(written, value)
        if (!Number.isNaN(x)) out[at] = (x - center) / spread
        else if (lenient && fill !== undefined && isCell(value)) {
          this.note(name, value)
          out[at] = (fill - center) / spread
        } else
          throw rangeError(
            `${this.who}: column '${shortened(name)}' of row ${row} wants a number${unitIn(written)}, got ${show(value)}${isCell(value) && hasComma(value) ? `; ${COMMA_ADVICE}` : ''}`,
          )
      }
    const places = placesOf(categories ?? [])
    return (value, out, at, row) => {
      const place = isCell(value) ? places.get(String(value)) : undefined
      if (place === undefined) {
        this.refuse(column, value, row)
        if (as === 'ordinal') out[at] = ((fill as number) - center) / spread
      } else if (as === 'category') out[at + place] = 1
      else if (as === 'embedding') out[at] = place + 1
      else out[at] = (place - center) / spread
    }
  }

  /** @throws RangeError unless unknown categories are ignored */
  private refuse({ name, categories }: TableColumn, value: unknown, row: number): void {
    if (this.onUnknown === 'error' || !isCell(value))
      throw rangeError(
        `${this.who}: column '${shortened(name)}' of row ${row} wants one of ${showNames(categories ?? [])}, got ${show(value)}` +
          (this.onUnknown === 'error' ? "; unknown: 'ignore' would take it for none of them" : ''),
      )
    this.note(name, value)
  }

  private note(name: string, value: unknown): void {
    // for the training table the report says it
    if (this.who === 'fromTable') return
    const text = shortened(String(value))
    if (!Object.hasOwn(this.unknown, name)) {
      Object.defineProperty(this.unknown, name, { value: { count: 0, values: [] }, enumerable: true, configurable: true, writable: true })
      if (this.warns)
        console.warn(
          `gradus: ${this.who}: column '${shortened(name)}' has ${show(value)}, which was not in the table that was learnt from; it counts as no value. ` +
            'How many such there are is in `unknown`.',
        )
    }
    const found = this.unknown[name]
    found.count++
    if (found.values.length < MAX_SHOWN && !found.values.includes(text)) found.values.push(text)
  }
}

/** How a column writes its numbers, for a message. */
function unitIn(written: WrittenAs | undefined): string {
  return `${written?.unit ? ` in ${written.unit}` : ''}${written?.decimal === ',' ? " with a decimal comma, such as '1.234,5'" : ''}`
}

/** FNV-1a of the text's UTF-16 code units, 32 bits, mixed once more, so that the low bits depend on all (Fowler, Noll & Vo 1991). */
function hashOf(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h ^= h >>> 16
  return Math.imul(h, 0x85ebca6b) >>> 16
}

/** @internal targets: numbers, or classes by their index. @throws RangeError for a gap, or a value that is not of its column */
export function encodeTargets(who: string, rows: NumberedRows, column: TableColumn, isMissing: MissingTest): Int32Array | Float32Array {
  const { name, categories, written, center = 0 } = column
  const targets = categories === null ? new Float32Array(rows.length) : new Int32Array(rows.length)
  const places = placesOf(categories ?? [])
  const wrong = (row: number, wanted: string, value: unknown) =>
    rangeError(`${who}: column '${shortened(name)}' of row ${row} wants ${wanted}, got ${show(value)}`)
  for (const [k, [i, row]] of rows.entries()) {
    const value = valueIn(row, name)
    if (isMissing(value)) throw rangeError(`${who}: no value in column '${shortened(name)}' of row ${i}, the target`)
    if (categories === null) {
      const x =
        written !== undefined
          ? readWritten(written, value)
          : column.as === 'date'
            ? daysOf(value)
            : isNumber(value)
              ? Number(value)
              : Number.NaN
      if (!Number.isFinite(x)) {
        const error = wrong(i, column.as === 'date' ? 'a date' : `a number${unitIn(written)}`, value)
        if (typeof value === 'string') error.message += '; if that stands for a gap, add it to missingValues'
        throw error
      }
      targets[k] = x - center
    } else {
      const place = isCell(value) ? places.get(String(value)) : undefined
      if (place === undefined) throw wrong(i, `one of ${showNames(categories)}`, value)
      targets[k] = place
    }
  }
  return targets
}
