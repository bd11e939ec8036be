/** The rows that a caller gives: objects, or a table in a file, whose lines errors and notes then name. */
import { reword, typeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { countedRow, renameRows } from '../../data/formats/named-rows.js'
import { counting, isSource, nameOf, sizeOf } from '../../data/formats/source.js'
import { type ColumnReport, namingLines, type ReadOptions, type Row, type Source, streamTable } from '../../data/index.js'
import { insteadOf } from '../../data/table/values.js'
import type { ProgressWatch } from '../progress.js'
import { RowSample, type Taken } from './sample.js'

/** Rows, or the source from which they are read. */
export type GivenRows = readonly object[] | Source

/** How rows are read. */
export interface Reading {
  read?: ReadOptions | undefined
  /** Rows of a file that are held in memory: of a longer one, a random sample. */
  sample?: number | undefined
  seed?: number | undefined
}

/**
 * The given rows, or the rows of a file.
 * @param taken gets the places of the rows in their file, if they are a sample
 * @param watch gets the number of rows, and the number of bytes that were read
 */
export async function rowsFrom(
  given: GivenRows,
  { read, sample, seed = 0 }: Reading,
  taken: Taken,
  watch?: ProgressWatch,
): Promise<readonly Row[]> {
  if (isRows(given)) {
    if (sample === undefined || given.length <= sample) return given as readonly Row[]
    const some = new RowSample(sample, seed)
    for (const row of given) some.add(row as Row)
    return some.finish(taken)
  }
  const total = await sizeOf(given)
  watch?.tell({ bytes: { read: 0, total } })
  const rows = new RowSample(sample, seed, total)
  let bytes = 0
  // only parts of a Parquet or Arrow file are read
  const isText = !/^(parquet|arrow)$/.test(read?.format ?? '') && !/\.(parquet|arrow|feather|ipc)$/i.test(nameOf(given))
  let columns = 0
  for await (const some of streamTable(isText ? counting(given, (size) => (bytes += size)) : given, read)) {
    for (const row of some) rows.add(row)
    if (columns === 0) columns = Object.keys(some[0] ?? {}).length
    watch?.tell({ bytes: { read: bytes, total }, rows: rows.size, columns })
  }
  return rows.finish(taken)
}

/** Errors in `work` name the public function, and lines of the file. */
export async function namingLinesOf<T>(
  who: string,
  given: GivenRows,
  read: ReadOptions | undefined,
  work: (taken: Taken) => T | Promise<T>,
): Promise<T> {
  const taken: Taken = {}
  try {
    if (!isRows(given) && !isSource(given))
      throw typeError(
        `${who}: wants rows in an array, or a path, URL, Blob, bytes or stream of a table, got ${show(given)}${insteadOf(given)}`,
      )
    return await work(taken)
  } catch (error) {
    const message = error instanceof Error ? await named(error.message, given, read, taken) : ''
    reword(error, () => message.replace(/^fromTable: /, `${who}: `))
    throw error
  }
}

/** Notes about columns. Line numbers are included when the rows came from a file. */
export async function notesWithLines(
  columns: readonly ColumnReport[],
  given: GivenRows,
  read: ReadOptions | undefined,
  taken: Taken,
): Promise<ColumnReport[]> {
  const each = columns.map(async (column) => ({
    ...column,
    notes: await Promise.all(column.notes.map((note) => named(note, given, read, taken))),
  }))
  return Promise.all(each)
}

/** Texts that name rows. Line numbers are included when the rows came from a file. */
export function textsWithLines(texts: readonly string[], given: GivenRows, read: ReadOptions | undefined, taken: Taken): Promise<string[]> {
  return Promise.all(texts.map((text) => named(text, given, read, taken)))
}

/** A message with lines of the file. Rows of a sample are counted, since finding their lines would read the whole file again. */
async function named(message: string, given: GivenRows, read: ReadOptions | undefined, { places }: Taken): Promise<string> {
  if (places !== undefined) return renameRows(message, (row) => (isRows(given) ? `row ${places[row]}` : countedRow(places[row])))
  return isRows(given) ? message : namingLines(message, given, read)
}

function isRows(given: GivenRows): given is readonly object[] {
  return Array.isArray(given)
}
