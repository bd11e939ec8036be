/** Rows in JSON: one object a line, or an array of objects. */
import { rangeError } from '../../common/errors.js'
import { shortened } from '../../common/show.js'
import type { Row } from '../table/values.js'
import { decoded } from './encodings.js'
import { nameOf, piecesOf, type Source } from './source.js'

/** Largest number of characters of a line. */
const LONGEST_LINE = 1 << 24

/**
 * @internal rows of JSON lines, one piece of the file at a time
 * @param where gets the line of each row
 * @throws RangeError naming the invalid line
 */
export async function* jsonLines(source: Source, encoding?: string, where?: number[]): AsyncGenerator<Row[], void, void> {
  const name = nameOf(source)
  let [rest, line] = ['', 0]
  const rowsOf = (lines: string[]) => {
    const rows: Row[] = []
    for (const text of lines) {
      line++
      if (text.trim() === '') continue
      where?.push(line)
      rows.push(rowOf(name, text, `line ${line}`))
    }
    return rows
  }
  for await (const text of decoded(name, piecesOf(source), encoding, ['jsonl', 'json'])) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() as string
    if (rest.length > LONGEST_LINE)
      throw rangeError(`${name}: line ${line + lines.length + 1} has more than ${LONGEST_LINE >> 20} million characters`)
    const rows = rowsOf(lines)
    if (rows.length > 0) yield rows
  }
  const rows = rowsOf([rest])
  if (rows.length > 0) yield rows
}

/** @internal rows of a JSON array of objects, or of an object of columns. @throws RangeError */
export function jsonRows(name: string, text: string): Row[] {
  const value = parsed(name, text, 'it')
  if (Array.isArray(value)) {
    const wrong = value.findIndex((row) => typeof row !== 'object' || row === null || Array.isArray(row))
    if (wrong >= 0) throw rangeError(`${name}: entry ${wrong} is no object, which rows are`)
    return value as Row[]
  }
  throw rangeError(`${name}: wants rows as an array of objects, or an object a line (JSON lines)`)
}

function rowOf(name: string, text: string, where: string): Row {
  const row = parsed(name, text, where)
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as Row
  throw rangeError(`${name}: ${where} is no object, which a row is: ${shortened(text)}`)
}

function parsed(name: string, text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw rangeError(`${name}: ${where} is no JSON: ${shortened((cause as Error).message)}`, { cause })
  }
}
