/** Arrow tables: any table with the interface of apache-arrow; files (IPC, Feather 2) by apache-arrow, if it is installed. */
import { plainError, rangeError, typeError } from '../../common/errors.js'
import { nodeModule } from '../../common/node-module.js'
import { show } from '../../common/show.js'
import type { Row } from '../table/values.js'
import { checkLengths } from './arrow-lengths.js'
import { checkRows, unlike } from './parquet.js'
import { allBytes, nameOf, type Source } from './source.js'

/** The members of an Arrow table that are read; tables of apache-arrow have them. */
export interface ArrowTable {
  readonly numRows: number
  readonly schema: { readonly fields: readonly { readonly name: string; readonly type?: unknown }[] }
  getChild(name: string): { get(row: number): unknown } | null
}

/**
 * The rows of an Arrow table as objects, as {@link fromTable} takes them.
 *
 * @example
 * const column = (values: unknown[]) => ({ get: (row: number) => values[row] })
 * const columns: Record<string, ReturnType<typeof column>> = { x: column([1, 2]), kind: column(['a', 'b']) }
 * const table = { numRows: 2, schema: { fields: [{ name: 'x' }, { name: 'kind' }] }, getChild: (name: string) => columns[name] }
 * rowsFromArrow(table) // [{ x: 1, kind: 'a' }, { x: 2, kind: 'b' }]
 * @throws TypeError for anything but an Arrow table
 */
export function rowsFromArrow(table: ArrowTable): Row[] {
  if (!(Number.isInteger(table?.numRows) && Array.isArray(table.schema?.fields) && typeof table.getChild === 'function'))
    throw typeError(`rowsFromArrow: wants an Arrow table, as apache-arrow's tableFromIPC gives, got ${show(table)}`)
  const columns = table.schema.fields.map(({ name, type }) => {
    const isTime = /^(Timestamp|Date)/.test(String(type))
    const column = table.getChild(name)
    return [name, (row: number) => cellOf(column?.get(row), isTime)] as const
  })
  return Array.from({ length: table.numRows }, (_, row) => Object.fromEntries(columns.map(([name, get]) => [name, get(row)])))
}

/** In Arrow, times are milliseconds since 1970. */
function cellOf(value: unknown, isTime: boolean): unknown {
  return isTime && (typeof value === 'number' || typeof value === 'bigint') ? new Date(Number(value)) : value
}

/** @internal rows of a file. @throws Error if apache-arrow is not installed, RangeError for anything but an Arrow file */
export async function arrowRows(source: Source): Promise<Row[]> {
  const bytes = await allBytes(source)
  let tableFromIPC: (bytes: Uint8Array) => ArrowTable
  try {
    ;({ tableFromIPC } = await nodeModule<{ tableFromIPC(bytes: Uint8Array): ArrowTable }>('apache-arrow'))
  } catch (cause) {
    throw plainError(
      `${nameOf(source)}: files of Arrow are read by apache-arrow: npm install apache-arrow. In a page: rowsFromArrow(tableFromIPC(bytes)), with tableFromIPC of apache-arrow`,
      { cause },
    )
  }
  try {
    checkLengths(bytes)
    const table = tableFromIPC(bytes)
    if (table.schema.fields.length === 0) throw rangeError('there are no columns')
    checkRows(table.numRows, table.schema.fields.length, bytes.length)
    return rowsFromArrow(table)
  } catch (cause) {
    throw unlike(nameOf(source), 'Arrow', bytes, cause as Error)
  }
}
