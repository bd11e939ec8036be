/** Rows of a CSV file (RFC 4180), with commas, semicolons or tabs. */
import { rangeError } from '../common/errors.js'

/** @internal rows by the names of the first line; @throws RangeError that names the line */
export function rowsOfCsv(text: string, file: string): Record<string, string>[] {
  const [first = ''] = text.split('\n', 1)
  const separator = [',', ';', '\t'].reduce((best, mark) => (first.split(mark).length > first.split(best).length ? mark : best))
  const lines = cellsOf(text.replace(/^\uFEFF/, ''), separator, file)
  const [names, ...rows] = lines
  if (names === undefined) throw rangeError(`${file}: the file is empty`)
  return rows.map((cells, i) => {
    if (cells.length !== names.length)
      throw rangeError(`${file}, row ${i + 1}: has ${cells.length} cells, where the first line has ${names.length} names`)
    return Object.fromEntries(names.map((name, column) => [name, cells[column]]))
  })
}

function cellsOf(text: string, separator: string, file: string): string[][] {
  const rows: string[][] = []
  let [row, cell, isQuoted]: [string[], string, boolean] = [[], '', false]
  const endRow = () => {
    row.push(cell)
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
    cell = ''
  }
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]
    if (isQuoted) {
      if (letter !== '"') cell += letter
      else if (text[i + 1] === '"') cell += text[i++]
      else isQuoted = false
    } else if (letter === '"' && cell === '') isQuoted = true
    else if (letter === separator) {
      row.push(cell)
      cell = ''
    } else if (letter === '\n') endRow()
    else if (letter !== '\r') cell += letter
  }
  if (isQuoted) throw rangeError(`${file}: a quoted cell has no end`)
  endRow()
  return rows
}
