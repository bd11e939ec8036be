/** The rows that a caller gives: objects, or a table in a file, whose lines errors and notes then name. */

import { counting, nameOf, sizeOf } from '../data/formats/source.js'
import { type ColumnReport, namingLines, type ReadOptions, type Row, readTable, type Source, streamTable } from '../data/index.js'
import type { ProgressWatch } from './progress.js'

/** Rows, or the source from which they are read. */
export type GivenRows = readonly object[] | Source

/** The given rows, or the rows of a file. @param watch gets the number of rows, and the number of bytes that were read */
export async function rowsFrom(given: GivenRows, read: ReadOptions | undefined, watch?: ProgressWatch): Promise<readonly Row[]> {
  if (isRows(given)) return given as readonly Row[]
  if (watch === undefined) return readTable(given, read)
  const total = await sizeOf(given)
  watch.tell({ bytes: { read: 0, total } })
  const rows: Row[] = []
  let bytes = 0
  // only parts of a Parquet or Arrow file are read
  const isText = !/^(parquet|arrow)$/.test(read?.format ?? '') && !/\.(parquet|arrow|feather|ipc)$/i.test(nameOf(given))
  for await (const some of streamTable(isText ? counting(given, (size) => (bytes += size)) : given, read)) {
    for (const row of some) rows.push(row)
    watch.tell({ bytes: { read: bytes, total }, rows: rows.length, columns: Object.keys(rows[0] ?? {}).length })
  }
  return rows
}

/** Errors in `work` that are about rows of a file name its lines. */
export async function namingLinesOf<T>(given: GivenRows, read: ReadOptions | undefined, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && !isRows(given)) error.message = await namingLines(error.message, given, read)
    throw error
  }
}

/** Notes about columns. Line numbers are included when the rows came from a file. */
export async function notesWithLines(
  columns: readonly ColumnReport[],
  given: GivenRows,
  read: ReadOptions | undefined,
): Promise<ColumnReport[]> {
  if (isRows(given)) return [...columns]
  const each = columns.map(async (column) => ({
    ...column,
    notes: await Promise.all(column.notes.map((note) => namingLines(note, given, read))),
  }))
  return Promise.all(each)
}

function isRows(given: GivenRows): given is readonly object[] {
  return Array.isArray(given)
}
