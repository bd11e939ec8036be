/** Tables in files, for the commands that take one: options of columns, and errors that name the file. */
import { type Row, readTable } from '../data/index.js'

/** Options that say what becomes of columns. */
export interface TableColumns {
  exclude?: string[]
  categories?: string[]
  numbers?: string[]
}

/** As trainTable takes them. */
export function tableOptions({ exclude, categories, numbers }: TableColumns) {
  const columns = Object.fromEntries((numbers ?? []).map((name) => [name, 'number' as const]))
  return { ...(exclude && { exclude }), ...(categories && { categories }), ...(numbers && { columns }) }
}

/** Errors in it begin with the name of the file, unless they have it already. */
export async function naming<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && !error.message.includes(file))
      error.message = `${file}: ${error.message.replace(/^(fromTable|encode|dataset|trainTable): /, '')}`
    throw error
  }
}

/** All rows of a file. @throws Error that names the file */
export function readRows(file: string): Promise<Row[]> {
  return naming(file, () => readTable(file))
}

const SHOWN = 12

/** `It has sepal_length, … and species.`, so that a column can be chosen. */
export async function fileHint(file: string): Promise<string> {
  const [row] = await naming(file, () => readTable(file, { limit: 1 }))
  const names = Object.keys(row ?? {})
  if (names.length === 0) return 'It has no columns.'
  return `It has ${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}.`
}
