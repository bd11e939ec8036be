/** CSV and its relatives (RFC 4180, with tabs or semicolons too), by Papa Parse. */
import { rangeError, typeError } from '../../common/errors.js'
import { checkNames } from '../../common/names.js'
import { show } from '../../common/show.js'
import type { Row } from '../table/values.js'
import { type Decimal, numberReader, type Thousands } from './decimals.js'
import { Papa } from './papaparse.js'
import { nameOf, piecesOf, type Source } from './source.js'

/** How a file of CSV is written. */
export interface CsvOptions {
  /** What stands between values: one character or more. Default: the one of comma, tab, semicolon and bar that fits the first lines. */
  delimiter?: string
  /** Whether the first line has the names of the columns; false names them column1, column2 …; or the names. Default true. */
  header?: boolean | readonly string[]
  /** Of the bytes, a label that TextDecoder knows, such as `windows-1252`. Default: that of the byte order mark, else `utf-8`. */
  encoding?: string
  /** What stands around values that have delimiters or line breaks in them; twice for itself. Default `"`. */
  quote?: string
  /** Lines that begin with this are left out. Default: none. */
  comment?: string
  /**
   * What to do about lines with fewer or more values than there are columns: `error`, or `fill` (missing values are empty, and those beyond
   * the last column are left out). Default `error`.
   */
  ragged?: 'error' | 'fill'
  /** What stands before the decimals of numbers: `.` or `,`, as in much of Europe. Numbers become text with a point. Default `.`. */
  decimal?: Decimal
  /** What stands between the thousands of numbers, which is taken out. Default: none where `decimal` is a point, a point where it is a comma. */
  thousands?: Thousands
}

/** @internal the names of them all */
export const CSV_OPTIONS = ['delimiter', 'header', 'encoding', 'quote', 'comment', 'ragged', 'decimal', 'thousands']

/** Characters that a single row may take; beyond there is an open quote, or it is no CSV. */
const LONGEST_ROW = 1 << 24
/** Columns that a table may have. */
const MAX_COLUMNS = 100_000
/** Characters of the beginning that the delimiter is found from. */
const SAMPLE = 1 << 16

/**
 * The rows of CSV that is in memory as text, as objects: { name: value, … }, each value a text. {@link fromTable} makes numbers of them.
 *
 * @example
 * parseCsv('x,kind\n1,a\n2,"b, c"\n') // [{ x: '1', kind: 'a' }, { x: '2', kind: 'b, c' }]
 * parseCsv('1;2\n3;4', { header: false }) // [{ column1: '1', column2: '2' }, { column1: '3', column2: '4' }]
 * parseCsv('x;y\n1,5;2.000', { decimal: ',' }) // [{ x: '1.5', y: '2000' }]
 * @throws RangeError naming the line of a quote that is not closed, or of too few or too many values, or of a number that is not as `decimal` says
 */
export function parseCsv(text: string, options: CsvOptions = {}): Row[] {
  if (typeof text !== 'string') throw typeError(`parseCsv: wants text, got ${show(text)}; of bytes or a file there is readTable`)
  const parser = new CsvParser('parseCsv', options)
  return parser.push(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, true)
}

/**
 * @internal The rows of a file of CSV, some thousand at a time: the memory it takes does not depend on the size of the file.
 * @param lines where the line that each row begins in is written
 * @throws as {@link parseCsv} does, with the name of the file; Error for what cannot be read
 */
export async function* csvRows(source: Source, options: CsvOptions = {}, lines?: number[]): AsyncGenerator<Row[], void, void> {
  const name = nameOf(source)
  const parser = new CsvParser(name, { ...(/\.tsv(\.gz)?$/i.test(name) && { delimiter: '\t' }), ...options }, lines)
  for await (const text of decoded(name, piecesOf(source), options.encoding)) {
    const rows = parser.push(text, false)
    if (rows.length > 0) yield rows
  }
  const rows = parser.push('', true)
  if (rows.length > 0) yield rows
}

/** @internal text of bytes. @throws RangeError for an encoding that there is not, and bytes that are none of it */
export async function* decoded(name: string, pieces: AsyncIterable<Uint8Array>, encoding?: string): AsyncGenerator<string, void, void> {
  let decoder: TextDecoder | undefined
  const decode = (piece?: Uint8Array) => {
    try {
      return decoder?.decode(piece, { stream: piece !== undefined }) ?? ''
    } catch (cause) {
      throw rangeError(
        `${name}: there are bytes that are no ${decoder?.encoding.toUpperCase()}; say how the text is encoded, such as encoding: 'windows-1252'`,
        { cause },
      )
    }
  }
  for await (const piece of pieces) {
    decoder ??= decoderFor(name, encoding ?? markedEncoding(piece))
    yield decode(piece)
  }
  yield decode()
}

function decoderFor(name: string, encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true })
  } catch (cause) {
    throw rangeError(`${name}: encoding wants a name that TextDecoder knows, such as 'utf-8' or 'windows-1252', got ${show(encoding)}`, {
      cause,
    })
  }
}

function markedEncoding([a, b]: Uint8Array): string {
  if (a === 0xff && b === 0xfe) return 'utf-16le'
  return a === 0xfe && b === 0xff ? 'utf-16be' : 'utf-8'
}

/** Rows of text that comes in pieces. */
class CsvParser {
  private rest = ''
  /** Characters that have to be there before it is worth looking for a whole row again. */
  private wanted = SAMPLE
  private line = 1
  private columns: string[] | null = null
  /** A row without values, of which each row is a copy. */
  private empty: Record<string, string> = {}
  private library: Papa.Parser | null = null
  /** Numbers with a point before their decimals, of numbers that are written otherwise; null where all are written so. */
  private readonly plain: ((text: string, line: number) => string) | null
  private readonly name: string
  private readonly options: CsvOptions

  constructor(
    name: string,
    options: CsvOptions,
    private readonly lines?: number[],
  ) {
    checkNames(name, options, CSV_OPTIONS, { separator: 'delimiter', sep: 'delimiter', columns: 'header', names: 'header' })
    const { header = true, quote = '"', ragged = 'error', delimiter, comment } = options
    if (!(typeof header === 'boolean' || (Array.isArray(header) && header.every((column) => typeof column === 'string'))))
      throw typeError(`${name}: header wants true, false or names in an array, got ${show(header)}`)
    if (!(typeof quote === 'string' && quote.length === 1)) throw rangeError(`${name}: quote wants one character, got ${show(quote)}`)
    if (ragged !== 'error' && ragged !== 'fill') throw rangeError(`${name}: ragged wants 'error' or 'fill', got ${show(ragged)}`)
    for (const [option, value] of Object.entries({ delimiter, comment }))
      if (!(value === undefined || (typeof value === 'string' && value !== '' && !/[\r\n]/.test(value) && value !== quote)))
        throw rangeError(`${name}: ${option} wants a text of at least one character, no line break and no quote, got ${show(value)}`)
    this.plain = numberReader(name, options.decimal, options.thousands)
    this.name = name
    this.options = options
  }

  /** The rows that are whole with this piece of text. */
  push(text: string, isLast: boolean): Row[] {
    this.rest += text
    if (!isLast && this.rest.length < this.wanted) return []
    this.library ??= this.libraryFor(this.rest)
    const { data, errors, meta } = this.library.parse(this.rest, 0, !isLast) as Papa.ParseResult<string[]>
    // of a row that is not whole yet nothing is known
    const wrong = errors.find(({ code, row = 0 }) => code === 'InvalidQuotes' && (isLast || row < data.length))
    if (wrong !== undefined)
      throw rangeError(
        `${this.name}: line ${this.lineAfter(data, wrong.row)} has a quote in the middle of a value; twice the quote stands for one`,
      )
    const open = errors.find(({ code }) => code === 'MissingQuotes')
    if (open !== undefined && isLast)
      throw rangeError(`${this.name}: the quote that opens in line ${this.lineAfter(data, open.row)} is never closed`)
    const mayBreak = this.rest.includes(this.options.quote ?? '"')
    this.rest = isLast ? '' : this.rest.slice(meta.cursor)
    // what is no whole row yet is looked at again when there is twice as much of it
    this.wanted = data.length > 0 ? 1 : 2 * this.rest.length
    if (this.rest.length > LONGEST_ROW)
      throw rangeError(
        `${this.name}: line ${this.lineAfter(data)} goes on for more than ${LONGEST_ROW >> 20} million characters; is there a quote that is not closed, or is it no CSV?`,
      )
    return this.rowsOf(data, mayBreak)
  }

  /** The line that begins after so many of these rows. */
  private lineAfter(data: readonly string[][], rows = data.length): number {
    return data.slice(0, rows).reduce((line, values) => line + 1 + this.breaksIn(values), this.line)
  }

  /** Lines of the file that a row has more than one: quoted values may go on for several. */
  private breaksIn(values: readonly string[]): number {
    let breaks = 0
    for (const value of values) for (let i = value.indexOf('\n'); i >= 0; i = value.indexOf('\n', i + 1)) breaks++
    return breaks
  }

  private libraryFor(text: string): Papa.Parser {
    const { delimiter, quote = '"', comment } = this.options
    const sample = text.slice(0, SAMPLE)
    const newline = sample.includes('\r') && !sample.includes('\n') ? '\r' : '\n'
    return new Papa.Parser({
      delimiter: delimiter ?? delimiterOf(sample, quote, comment),
      newline,
      quoteChar: quote,
      ...(comment !== undefined && { comments: comment }),
    })
  }

  /** @param mayBreak whether there are quotes, so that values may have line breaks in them */
  private rowsOf(data: string[][], mayBreak: boolean): Row[] {
    const rows: Row[] = []
    for (const values of data) {
      const at = this.line
      this.line += 1 + (mayBreak ? this.breaksIn(values) : 0)
      const last = values.length - 1
      if (values[last].endsWith('\r')) values[last] = values[last].slice(0, -1)
      if (last === 0 && values[0].trim() === '') continue
      if (this.columns === null) {
        const { header = true } = this.options
        this.columns = columnsOf(this.name, header, values)
        this.empty = emptyRow(this.columns)
        if (header === true) continue
      }
      this.lines?.push(at)
      rows.push(this.rowOf(this.columns, values, at))
    }
    return rows
  }

  private rowOf(columns: string[], values: string[], line: number): Row {
    if (values.length !== columns.length) {
      // as R writes tables: names of rows stand before them, and have none in the first line
      if (line === 2 && values.length === columns.length + 1 && this.options.header !== false) {
        columns.unshift(new FreeNames(columns).take('row'))
        this.empty = emptyRow(columns)
      } else if (this.options.ragged !== 'fill')
        throw rangeError(
          `${this.name}: line ${line} has ${values.length} ${values.length === 1 ? 'value' : 'values'}, and there are ${columns.length} columns; ragged: 'fill' takes it as it is`,
        )
    }
    // a copy has the place of each column already: faster than a row that grows
    const row: Record<string, string> = { ...this.empty }
    for (let i = 0; i < columns.length; i++) row[columns[i]] = values[i] ?? ''
    if (this.plain !== null) for (const column of columns) row[column] = this.plain(row[column], line)
    return row
  }
}

function emptyRow(columns: readonly string[]): Record<string, string> {
  return Object.fromEntries(columns.map((column) => [column, '']))
}

function delimiterOf(sample: string, quoteChar: string, comments: string | undefined): string {
  const { meta } = Papa.parse(sample, {
    preview: 20,
    quoteChar,
    skipEmptyLines: true,
    delimitersToGuess: [',', '\t', ';', '|'],
    ...(comments !== undefined && { comments }),
  })
  return meta.delimiter
}

/** Names of columns: without blanks around them, all there and all different. */
function columnsOf(name: string, header: boolean | readonly string[], first: string[]): string[] {
  if (first.length > MAX_COLUMNS)
    throw rangeError(`${name}: ${first.length} columns are more than the ${MAX_COLUMNS} that a table may have`)
  const given = header === false ? [] : header === true ? first : header
  if (header === true && first.length > 1 && first.every((value) => value.trim() !== '' && Number.isFinite(Number(value))))
    throw rangeError(`${name}: the first line has numbers, not the names of columns; give header: false, or the names as header`)
  const names = new FreeNames()
  const count = Math.max(given.length, header === true ? 0 : first.length)
  return Array.from({ length: count }, (_, i) => names.take(given[i]?.trim() || `column${i + 1}`))
}

/** Names that are all different. */
class FreeNames {
  private readonly taken: Set<string>
  /** The number that the next one of a name gets: counting from 2 each time would be quadratic. */
  private readonly next = new Map<string, number>()

  constructor(taken: readonly string[] = []) {
    this.taken = new Set(taken)
  }

  /** The name itself, or with a number behind it. */
  take(name: string): string {
    // assigning to it would change what an object inherits
    const base = name === '__proto__' ? 'proto' : name
    let [free, number] = [base, this.next.get(base) ?? 2]
    while (this.taken.has(free)) free = `${base}_${number++}`
    this.next.set(base, number)
    this.taken.add(free)
    return free
  }
}
