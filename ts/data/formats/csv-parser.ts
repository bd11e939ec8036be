/** CSV and its relatives (RFC 4180, with tabs or semicolons too), by Papa Parse. */

import { rangeError } from '../../common/errors.js'
import { type Kind, type Read, readOptions, type Schema, text as textual } from '../../common/options.js'
import { show } from '../../common/show.js'
import { leaveNotes } from '../table/file-notes.js'
import type { Row } from '../table/values.js'
import { DECIMALS, type Decimal, numberReader, THOUSANDS, type Thousands } from './decimals.js'
import { Papa } from './papaparse.js'

/**
 * Format of a CSV file. A first line such as `sep=;`, which spreadsheets write, names the delimiter. An extra delimiter at the end of a line, behind the
 * last column, is ignored. Extra delimiters at the end of the header are ignored as well, unless values stand below them: then these are columns without a
 * name, called column3 and so on by their position. If the header has one name less than the lines below have values, and at least half of the last values
 * are not empty, the first values are row names, as R writes them: they become a column `row`. If fewer are not empty, that is an error. With `header` other
 * than true and with `ragged: 'fill'` no value is read as a row name.
 */
export interface CsvOptions {
  /** Delimiter between values: one character or more. Default: comma, tab, semicolon or bar, whichever fits the first lines. */
  delimiter?: string
  /** True if the first line has the names of the columns; false names them column1, column2 …; or a list of names. Default true. */
  header?: boolean | readonly string[]
  /** Encoding of the bytes, a label for TextDecoder, such as `windows-1252`. Default: from the byte order mark, else `utf-8`. */
  encoding?: string
  /** Quote around values that contain delimiters or line breaks; a doubled quote stands for itself. Default `"`. */
  quote?: string
  /** Lines that begin with this are skipped. Default: none. */
  comment?: string
  /**
   * Handling of lines with fewer or more values than columns: `error`, or `fill` (missing values are empty, and surplus values are dropped). Default
   * `error`.
   */
  ragged?: 'error' | 'fill'
  /** Decimal sign of numbers: `.` or `,`, as in much of Europe. Numbers are converted to text with a point. Default `.`. */
  decimal?: Decimal
  /** Sign between thousands in numbers, which is removed. Default: none if `decimal` is a point, a point if it is a comma. */
  thousands?: Thousands
}

const names: Kind = {
  wants: 'true, false or names in an array',
  fits: (value) => typeof value === 'boolean' || (Array.isArray(value) && value.every((column) => typeof column === 'string')),
}
const character: Kind = { wants: 'one character', fits: (value) => typeof value === 'string' && value.length === 1 }
const mark: Kind = {
  wants: 'a text of at least one character, no line break and no quote',
  fits: (value) => typeof value === 'string' && value !== '' && !/[\r\n]/.test(value),
}

export const CSV = {
  delimiter: { is: mark, aka: ['separator', 'sep'] },
  header: { is: names, default: true, aka: ['columns', 'names'] },
  encoding: { is: textual },
  quote: { is: character, default: '"' },
  comment: { is: mark },
  ragged: { is: ['error', 'fill'], default: 'error' },
  decimal: { is: DECIMALS },
  thousands: { is: THOUSANDS },
} satisfies Schema<CsvOptions>

/** Largest number of characters of a row; a longer row means an open quote, or a file that is not CSV. */
const LONGEST_ROW = 1 << 24
/** Largest number of columns of a table. */
const MAX_COLUMNS = 100_000
/** Number of characters at the beginning from which the delimiter is found. */
const SAMPLE = 1 << 16
/** Characters of lines that may wait until a line decides about the columns: see {@link CsvParser.wait}. */
const MAX_WAITING = 1 << 20

/** @internal Rows of text that comes in pieces. */
export class CsvParser {
  private rest = ''
  /** Number of characters that must have arrived before a complete row is looked for again. */
  private wanted = SAMPLE
  private line = 1
  private columns: string[] | null = null
  /** A row without values, which is copied for each row. */
  private empty: Record<string, string> = {}
  /** Number of columns without a name at the end, until it is known whether they are columns. */
  private unnamed = 0
  /** Number of empty values that may stand behind the last column, if delimiters end the line. */
  private spare = 1
  /** The first lines below the header, until the columns are known; then null. */
  private waiting: { values: string[]; at: number }[] | null = null
  private waitingSize = 0
  private hasRowNames = false
  /** With row names: lines so far, lines that have a last value, and the first of these. */
  private readonly named = { lines: 0, filled: 0, first: 0 }
  /** Notes about columns, until the first row takes them along. */
  private notes = new Map<string, string>()
  private library: Papa.Parser | null = null
  private newline: '\r' | '\n' = '\n'
  private delimiter = ','
  /** Converts numbers to a point before their decimals; null if all numbers are already written so. */
  private readonly plain: ((text: string, line: number) => string) | null
  private readonly name: string
  private readonly options: Read<CsvOptions, typeof CSV>

  constructor(
    name: string,
    given: CsvOptions,
    private readonly lines?: number[],
  ) {
    const options = readOptions(name, given, CSV)
    const { delimiter, comment, quote } = options
    for (const [option, value] of Object.entries({ delimiter, comment }))
      if (value === quote)
        throw rangeError(`${name}: ${option} wants a text of at least one character, no line break and no quote, got ${show(value)}`)
    this.plain = numberReader(name, options.decimal, options.thousands)
    this.name = name
    this.options = options
  }

  /** True if a line begins here, and its columns are known. */
  get isBetweenLines(): boolean {
    return this.rest === '' && this.columns !== null && this.waiting === null
  }

  /** True if values mean what they say: no line is a comment, has a name or numbers with commas. */
  get isPlain(): boolean {
    const { comment } = this.options
    return comment === undefined && this.plain === null && !this.hasRowNames && this.newline === '\n' && this.notes.size === 0
  }

  /** Columns, delimiter and quote of a table of which a line was read. */
  get form(): readonly [columns: readonly string[], delimiter: string, quote: string] {
    return [this.columns as string[], this.delimiter, this.options.quote]
  }

  /** Counts lines that somebody else read. */
  skipLines(count: number): void {
    this.line += count
  }

  /** The rows that this piece of text completes. */
  push(piece: string, isLast: boolean): Row[] {
    this.rest += piece
    if (!isLast && this.rest.length < this.wanted) return []
    this.library ??= this.begin()
    const { data, errors, meta } = this.library.parse(this.rest, 0, !isLast) as Papa.ParseResult<string[]>
    const [text, first] = [this.rest, this.line]
    const { lines, next } = this.linesOf(data, text)
    // a quote that looks wrong in an incomplete row may turn out to be right
    const wrong = errors.find(({ code, row = 0 }) => code === 'InvalidQuotes' && (isLast || row < data.length))
    if (wrong !== undefined)
      throw rangeError(
        `${this.name}: line ${lines[wrong.row ?? 0] ?? next} has a quote in the middle of a value; twice the quote stands for one`,
      )
    const open = errors.find(({ code }) => code === 'MissingQuotes')
    if (open !== undefined && isLast)
      throw rangeError(`${this.name}: the quote that opens in line ${lines[open.row ?? 0] ?? next} is never closed`)
    this.rest = isLast ? '' : text.slice(meta.cursor)
    // an incomplete row is parsed again when twice as much of it has arrived
    this.wanted = data.length > 0 ? 1 : 2 * this.rest.length
    if (this.rest.length > LONGEST_ROW)
      throw rangeError(
        `${this.name}: line ${next} goes on for more than ${LONGEST_ROW >> 20} million characters; is there a quote that is not closed, or is it no CSV?`,
      )
    const rows = this.rowsOf(data, lines, text, first)
    if (isLast && this.waiting !== null) this.release(rows, false, false)
    if (isLast) this.checkRowNames()
    return rows
  }

  /**
   * The lines of the file in which rows begin, and the line in which the next row will begin. Quoted values may extend over several lines, and
   * comments have their own.
   */
  private linesOf(data: readonly string[][], text: string): { lines: number[]; next: number } {
    const { comment, quote } = this.options
    const mayBreak = text.includes(quote)
    const raw = comment === undefined ? [] : text.split(this.newline)
    const first = this.line
    let line = first
    const skipComments = () => {
      while (comment !== undefined && raw[line - first]?.startsWith(comment)) line++
    }
    const lines = data.map((values) => {
      skipComments()
      const at = line
      line += 1 + (mayBreak ? this.breaksIn(values) : 0)
      return at
    })
    // comments behind the last row are read again with the next one
    this.line = line
    skipComments()
    return { lines, next: line }
  }

  /** Line ends in the values of a row. */
  private breaksIn(values: readonly string[]): number {
    let breaks = 0
    for (const value of values) for (let i = value.indexOf(this.newline); i >= 0; i = value.indexOf(this.newline, i + 1)) breaks++
    return breaks
  }

  /** Finds out how the lines are written. */
  private begin(): Papa.Parser {
    const { delimiter, quote, comment } = this.options
    const [told, , said] = DELIMITER_LINE.exec(this.rest) ?? ['']
    if (said !== undefined) {
      this.rest = this.rest.slice(told.length)
      this.line++
    }
    const sample = this.rest.slice(0, SAMPLE)
    this.newline = lineEndOf(sample, quote)
    this.delimiter = delimiter ?? said ?? delimiterOf(sample, quote, comment)
    if (this.delimiter === comment) throw rangeError(`${this.name}: comment wants another text than the delimiter, got ${show(comment)}`)
    return new Papa.Parser({
      delimiter: this.delimiter,
      newline: this.newline,
      quoteChar: quote,
      ...(comment !== undefined && { comments: comment }),
    })
  }

  /** @param text source of the values @param first the line in which it begins */
  private rowsOf(data: string[][], lines: readonly number[], text: string, first: number): Row[] {
    const rows: Row[] = []
    const { quote } = this.options
    let raw: string[] | undefined
    // an empty value may stand alone in quotes, in a table of one column
    const isQuoted = (line: number) => {
      if (!text.includes(quote)) return false
      raw ??= text.split(this.newline)
      return raw[line - first]?.trimStart().startsWith(quote) === true
    }
    for (const [i, values] of data.entries()) {
      const at = lines[i]
      const last = values.length - 1
      if (values[last].endsWith('\r')) values[last] = values[last].slice(0, -1)
      if (last === 0 && values[0].trim() === '' && !isQuoted(at)) continue
      if (this.columns === null) {
        const { header, ragged } = this.options
        const names = columnsOf(this.name, header, values)
        this.columns = names.map(({ name }) => name)
        for (const { name, note } of names) if (note !== undefined) this.notes.set(name, note)
        this.empty = emptyRow(this.columns)
        if (header !== true) {
          this.addRow(rows, values, at)
          continue
        }
        const named = filledIn(values)
        this.unnamed = named === 0 ? 0 : values.length - named
        if (ragged !== 'fill' || this.unnamed > 0) this.waiting = []
        continue
      }
      if (this.waiting === null) this.addRow(rows, values, at)
      else this.wait(rows, values, at)
    }
    return rows
  }

  /**
   * Adds a line to the waiting ones. All of them become rows once a line decides about the columns: one value more than names that is not empty means
   * row names at the beginning of lines; a value without a name above it means columns without a name at the end. Otherwise delimiters end the lines.
   */
  private wait(rows: Row[], values: string[], at: number): void {
    const waiting = this.waiting as { values: string[]; at: number }[]
    waiting.push({ values, at })
    const names = (this.columns as string[]).length
    const filled = filledIn(values)
    const surplus = this.options.ragged === 'fill' ? 0 : values.length - names
    if (surplus > 1) return this.release(rows, false, true)
    // both lines end in the same delimiters, and this one has one more value
    if (surplus === 1 && filled > names - this.unnamed) return this.release(rows, true, filled > names - this.unnamed + 1)
    if (surplus < 1 && (this.unnamed === 0 || filled > names - this.unnamed)) return this.release(rows, false, true)
    for (const value of values) this.waitingSize += value.length + 1
    if (this.waitingSize > MAX_WAITING) this.release(rows, false, false)
  }

  /**
   * Makes rows of the waiting lines.
   * @param isNamed true if they begin with row names
   * @param isFilled true if the unnamed columns at the end have values
   */
  private release(rows: Row[], isNamed: boolean, isFilled: boolean): void {
    const waiting = this.waiting as { values: string[]; at: number }[]
    const columns = this.columns as string[]
    this.waiting = null
    this.hasRowNames = isNamed
    if (!isFilled && this.unnamed > 0) {
      this.spare += this.unnamed
      for (const name of columns.splice(-this.unnamed)) this.notes.delete(name)
    }
    if (isNamed) {
      const name = new FreeNames(columns).take('row')
      columns.unshift(name)
      this.notes.set(name, 'each line has one value more than the first line has names: the first ones are names of rows')
    }
    this.empty = emptyRow(columns)
    for (const { values, at } of waiting) this.addRow(rows, values, at)
  }

  /**
   * One stray value at the end of a line, in a file whose lines end in a delimiter, looks like a last column behind row names; all values would move
   * one column to the right. Row names are taken only if at least half of the lines have a last value.
   */
  private checkRowNames(): void {
    const { lines, filled, first } = this.named
    if (2 * filled >= lines) return
    const names = (this.columns as string[]).length - 1
    throw rangeError(
      `${this.name}: line ${first} has ${names + 1} values, and there are ${names} columns, while ${lines - filled} of ${lines} lines end in a delimiter; remove its last value, put a name before the others if lines begin with row names, or say ragged: 'fill' to drop it`,
    )
  }

  private addRow(rows: Row[], values: string[], at: number): void {
    const row = this.rowOf(this.columns as string[], values, at)
    if (this.hasRowNames) {
      this.named.lines++
      if (filledIn(values) === (this.columns as string[]).length && this.named.filled++ === 0) this.named.first = at
    }
    if (this.notes.size > 0) {
      leaveNotes(row, this.notes)
      this.notes = new Map()
    }
    this.lines?.push(at)
    rows.push(row)
  }

  /** The message for a line whose number of values differs from the number of columns. */
  private unlike(columns: number, values: number, line: number): string {
    const [has, are] = [`${values} ${values === 1 ? 'value' : 'values'}`, columns === 1 ? 'is 1 column' : `are ${columns} columns`]
    const names = this.hasRowNames ? ', the names of rows included' : ''
    const above = columns === 1 && this.options.header === true ? ' (take out what stands above the names of columns, if that is why)' : ''
    return `line ${line} has ${has}, and there ${are}${names}${above}`
  }

  private rowOf(columns: readonly string[], values: string[], line: number): Row {
    // delimiters behind the last column end the line
    const surplus = values.length - columns.length
    if (surplus > 0 && surplus <= this.spare && filledIn(values) <= columns.length) values.length = columns.length
    if (values.length !== columns.length && this.options.ragged !== 'fill')
      throw rangeError(`${this.name}: ${this.unlike(columns.length, values.length, line)}; ragged: 'fill' takes it as it is`)
    // a copy has the place of each column already: faster than a row that grows
    const row: Record<string, string> = { ...this.empty }
    for (let i = 0; i < columns.length; i++) row[columns[i]] = values[i] ?? ''
    if (this.plain !== null) for (const column of columns) row[column] = this.plain(row[column], line)
    return row
  }
}

/** Values without the empty ones at the end. */
function filledIn(values: readonly string[]): number {
  let count = values.length
  while (count > 0 && values[count - 1].trim() === '') count--
  return count
}

/** The line end of a text, from its first line. A carriage return alone counts if no line feed follows it. */
function lineEndOf(text: string, quote: string): '\r' | '\n' {
  let isQuoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === quote) isQuoted = !isQuoted
    else if (!isQuoted && c === '\n') return '\n'
    else if (!isQuoted && c === '\r') return text[i + 1] === '\n' ? '\n' : '\r'
  }
  return text.includes('\r') && !text.includes('\n') ? '\r' : '\n'
}

function emptyRow(columns: readonly string[]): Record<string, string> {
  return Object.fromEntries(columns.map((column) => [column, '']))
}

/** A first line by which a file tells spreadsheets its delimiter; some writers quote it, or fill it up to all columns. */
const DELIMITER_LINE = /^("?)sep=([^"\r\n])\1\2*(?:\r\n?|\n)/i

/** Delimiters that are detected automatically. */
const DELIMITERS = [',', '\t', ';', '|']

function delimiterOf(sample: string, quoteChar: string, comments: string | undefined): string {
  const delimitersToGuess = DELIMITERS.filter((delimiter) => delimiter !== comments)
  const { data, errors, meta } = Papa.parse<string[]>(sample, {
    preview: 20,
    quoteChar,
    skipEmptyLines: 'greedy',
    delimitersToGuess,
    ...(comments !== undefined && { comments }),
  })
  // for few and ragged lines the header decides
  if (errors.some(({ code }) => code === 'UndetectableDelimiter'))
    return delimitersToGuess.find((delimiter) => data[0]?.join(meta.delimiter).includes(delimiter)) ?? meta.delimiter
  return meta.delimiter
}

/** A column, and a note about its name. */
interface NamedColumn {
  name: string
  note?: string
}

/** Names of columns: without blanks around them, all there and all different. */
function columnsOf(name: string, header: boolean | readonly string[], first: string[]): NamedColumn[] {
  if (first.length > MAX_COLUMNS)
    throw rangeError(`${name}: ${first.length} columns are more than the ${MAX_COLUMNS} that a table may have`)
  const given = header === false ? [] : header === true ? first : header
  if (header === true && first.length > 1 && first.every((value) => value.trim() !== '' && Number.isFinite(Number(value))))
    throw rangeError(`${name}: the first line has numbers, not the names of columns; give header: false, or the names as header`)
  const names = new FreeNames()
  const count = Math.max(given.length, header === true ? 0 : first.length)
  return Array.from({ length: count }, (_, i) => {
    const own = given[i]?.trim() || `column${i + 1}`
    const free = names.take(own)
    return free === own || own === '__proto__' ? { name: free } : { name: free, note: `another column is called ${show(own)}, too` }
  })
}

/** Names that are all different. */
class FreeNames {
  private readonly taken: Set<string>
  /** The number for the next column with the same name: counting from 2 each time would be quadratic. */
  private readonly next = new Map<string, number>()

  constructor(taken: readonly string[] = []) {
    this.taken = new Set(taken)
  }

  /** The name itself, or with a number behind it. */
  take(name: string): string {
    // assigning to it would change the prototype of the object
    const base = name === '__proto__' ? 'proto' : name
    let [free, number] = [base, this.next.get(base) ?? 2]
    while (this.taken.has(free)) free = `${base}_${number++}`
    this.next.set(base, number)
    this.taken.add(free)
    return free
  }
}
