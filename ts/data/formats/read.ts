/** Tables in files of any supported format. */

import { ENCODED, type Encodable } from '../../common/encoded-rows.js'
import { rangeError } from '../../common/errors.js'
import { readOptions, type Schema } from '../../common/options.js'
import type { TableState } from '../table/encoder.js'
import type { Row } from '../table/values.js'
import { arrowRows } from './arrow.js'
import { blockReaders } from './block-readers.js'
import { csvRows, encodedCsv } from './csv.js'
import { CSV, type CsvOptions } from './csv-parser.js'
import { decoded } from './encodings.js'
import { jsonLines, jsonRows } from './json.js'
import { countedRow, renameRows, rowsNamedIn } from './named-rows.js'
import { parquetRows } from './parquet.js'
import { allBytes, nameOf, piecesOf, readAhead, type Source } from './source.js'

const FORMATS = ['csv', 'tsv', 'jsonl', 'json', 'parquet', 'arrow'] as const

/** A format of tables. */
export type TableFormat = (typeof FORMATS)[number]

/** Options of {@link readTable}; CSV options apply to CSV alone. */
export interface ReadOptions extends CsvOptions {
  /** Default: by the ending of the name, also before `.gz`; without one that is known, `csv`. */
  format?: TableFormat
  /** Largest number of rows to read. Default: all. */
  limit?: number
}

export const READ = {
  ...CSV,
  format: { is: FORMATS },
  limit: { is: { min: 0, whole: true, or: [Infinity] }, default: Infinity, aka: ['nrows'] },
} satisfies Schema<ReadOptions>

const ENDINGS: Readonly<Record<string, TableFormat>> = {
  csv: 'csv',
  txt: 'csv',
  data: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  parquet: 'parquet',
  arrow: 'arrow',
  feather: 'arrow',
  ipc: 'arrow',
}

/**
 * All rows of a table, as objects: from a path, a URL, the File of an `<input>`, bytes or a stream; CSV and JSON also packed by gzip.
 * {@link fromTable} makes a data set of them. CSV, TSV, JSON and JSON lines are read by this package, Parquet too; Arrow (IPC, Feather 2) by apache-arrow, if
 * it is installed.
 *
 * @example
 * const rows = await readTable(new Blob(['x,kind\n1,a\n2,b\n'])) // in Node also a path, readTable('table.csv')
 * rows[1] // { x: '2', kind: 'b' }
 * const some = await readTable(new Blob(['x;y\n1;2\n3;4\n']), { limit: 1 }) // [{ x: '1', y: '2' }]
 * @throws Error for a source that cannot be read, RangeError naming the file and the line that is not part of a table
 */
export async function readTable(source: Source, options: ReadOptions = {}): Promise<Row[]> {
  const rows: Row[] = []
  for await (const some of streamTable(source, options)) for (const row of some) rows.push(row)
  return rows
}

/**
 * All bytes of a file, for {@link parseNpy}, {@link parseNpz}, {@link parseIdx} and others: from a path, a URL, a Blob or a stream; gzip is unpacked.
 *
 * @example (await readBytes(new Blob(['abc']))).length // 3
 * @throws Error for a source that cannot be read
 */
export function readBytes(source: Source): Promise<Uint8Array> {
  return allBytes(source)
}

/**
 * The rows of a table in parts, for tables that are larger than memory: each part is an array of some thousand rows, and the next part is read while
 * you process one. Leaving the loop closes the file.
 *
 * @example
 * let count = 0
 * for await (const rows of streamTable(new Blob(['x\n1\n2\n3\n']))) count += rows.length
 * count // 3
 * @throws as {@link readTable} does
 */
export function streamTable(source: Source, options: ReadOptions = {}): AsyncGenerator<Row[], void, void> {
  const use = { hasBegun: false }
  const rows = rowsOf(source, options, use)
  const encodable: Encodable = {
    [ENCODED](state, worker) {
      const { format = formatOf(nameOf(source)), limit, ...csv } = readOptions('readTable', options, READ)
      // rows that somebody took, or that were encoded before, do not come once more
      if (use.hasBegun || (format !== 'csv' && format !== 'tsv') || limit !== Infinity) return rows
      use.hasBegun = true
      const form = format === 'tsv' ? { delimiter: '\t', ...csv } : csv
      return encodedCsv(source, form, (...found) => blockReaders(...found, state as TableState, worker))
    },
  }
  return Object.assign(rows, encodable)
}

/** @param use says whether rows were taken, also by another reader: then there are none here */
async function* rowsOf(source: Source, options: ReadOptions, use: { hasBegun: boolean }): AsyncGenerator<Row[], void, void> {
  const { format = formatOf(nameOf(source)), limit, ...csv } = readOptions('readTable', options, READ)
  let left = limit
  if (left === 0 || use.hasBegun) return
  use.hasBegun = true
  for await (const rows of readAhead(partsOf(source, format, csv))) {
    yield rows.length > left ? rows.slice(0, left) : rows
    left -= rows.length
    if (left <= 0) return
  }
}

/**
 * Replaces rows of a table in a message by lines of its file, as an editor shows them: {@link fromTable} and others count rows from 0, without
 * knowing the file. If a file has no lines (JSON in one piece, Parquet, Arrow), rows are counted from 1, and the message says so.
 *
 * @param source from which the rows were read; for a stream, which is gone, the message stays unchanged
 * @param options with which it was read
 * @example
 * const file = new Blob(['x\n1\n\nmany\n'])
 * await namingLines("column 'x' of row 1 wants a number", file) // "column 'x' of line 4 wants a number"
 */
export async function namingLines(message: string, source: Source, options: ReadOptions = {}): Promise<string> {
  const rows = rowsNamedIn(message)
  const isThere = typeof source === 'string' || [URL, Blob, ArrayBuffer, Uint8Array].some((kind) => source instanceof kind)
  if (rows.length === 0 || !isThere) return message
  const lines: number[] = []
  const { format = formatOf(nameOf(source)), limit: _, ...csv } = options
  const hasLines = format === 'csv' || format === 'tsv' || format === 'jsonl'
  if (hasLines) {
    const most = Math.max(...rows)
    for await (const _ of partsOf(source, format, csv, lines)) if (lines.length > most) break
  }
  return renameRows(message, (row) => (hasLines ? `line ${lines[row] ?? '?'}` : countedRow(row)))
}

function formatOf(name: string): TableFormat {
  const ending = /\.([a-z0-9]+)(?:\.gz)?$/i.exec(name)?.[1].toLowerCase() ?? ''
  return Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : 'csv'
}

/** @param lines gets the line of each row, if its format has lines */
async function* partsOf(source: Source, format: TableFormat, csv: CsvOptions, lines?: number[]): AsyncGenerator<Row[], void, void> {
  if (format === 'csv') yield* csvRows(source, csv, lines)
  else if (format === 'tsv') yield* csvRows(source, { delimiter: '\t', ...csv }, lines)
  else if (format === 'jsonl') yield* jsonLines(source, csv.encoding, lines)
  else if (format === 'parquet') yield* parquetRows(source)
  else if (format === 'arrow') yield await arrowRows(source)
  else {
    let text = ''
    for await (const piece of decoded(nameOf(source), piecesOf(source), csv.encoding, ['json', 'jsonl'])) {
      text += piece
      if (text.length > MAX_JSON)
        throw rangeError(
          `${nameOf(source)}: a JSON array of more than ${MAX_JSON >> 20} million characters; write an object a line (JSON lines)`,
        )
    }
    yield jsonRows(nameOf(source), text)
  }
}

/** Largest number of characters of a JSON file, which is read as a whole. */
const MAX_JSON = 1 << 29
