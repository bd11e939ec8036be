/** Rows of a table in messages. */

/** Rows that a message names: `of row 17`, `row 17 wants`. */
const NAMED_ROWS = /(?<=^|[ (])row (\d+)(?![\w']|, counted)/g

/** @internal the rows that a message names, in their order */
export function rowsNamedIn(message: string): number[] {
  return [...message.matchAll(NAMED_ROWS)].map(([, row]) => Number(row))
}

/** @internal the message with other names of its rows */
export function renameRows(message: string, name: (row: number) => string): string {
  return message.replace(NAMED_ROWS, (_, row) => name(Number(row)))
}

/** @internal the name of a row of a file without lines */
export function countedRow(row: number): string {
  return `row ${row + 1}, counted from 1,`
}
