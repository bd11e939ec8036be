/** Notes about columns that a reader of files leaves for the report of a table. */
import type { Row } from './values.js'

/** Notes by the name of the column. */
export type FileNotes = ReadonlyMap<string, string>

/** Notes by the first row of a file: rows are plain objects, which have no other place for them. */
const notesOfFirstRows = new WeakMap<Row, FileNotes>()

/** @internal Keeps notes with the first row of a file. */
export function leaveNotes(first: Row, notes: FileNotes): void {
  notesOfFirstRows.set(first, notes)
}

/** @internal The note about a column, if these rows begin with the first row of a file whose reader left one. */
export function noteOn(first: Row, column: string): string | undefined {
  return notesOfFirstRows.get(first)?.get(column)
}
