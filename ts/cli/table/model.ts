/** Model files of tables, for the commands that take one: errors that name the file, and notes on rows that are not as in training. */
import { loadTableModel, type TableModel } from '../../table/index.js'
import { whole } from '../terminal/format.js'
import { printNote } from '../terminal/terminal.js'
import { naming } from './files.js'

/** Reads a model of a table. @throws Error that names the file */
export function readModel(file: string): Promise<TableModel> {
  // what is unknown is told once, in the end
  return naming(file, () => loadTableModel(file, { warn: false }))
}

/** As {@link readModel}, of a command that takes a model and a table. @throws Error that says so where the two are swapped */
export async function readModelFor(command: string, modelFile: string, file: string): Promise<TableModel> {
  try {
    return await readModel(modelFile)
  } catch (error) {
    if (!isTableFile(modelFile) || isTableFile(file)) throw error
    throw new Error(`${modelFile} is no model file; are model and table swapped? gradus ${command} ${file} ${modelFile}`, { cause: error })
  }
}

/** Whether a file is a table by its name. */
export function isTableFile(file: string): boolean {
  return /\.(csv|tsv|txt|tab|data|jsonl?|ndjson|parquet|arrow|feather|npy|npz)(\.gz)?$/i.test(file)
}

/** Columns that the model knows and a file has not are gaps in each of its rows. */
export function tellAbsent({ columns }: TableModel, rows: readonly object[], file: string): void {
  const absent = columns.filter((name) => !rows.some((row) => Object.hasOwn(row, name)))
  if (rows.length > 0 && absent.length > 0 && absent.length < columns.length)
    printNote(`${file} has no column ${absent.map((name) => `'${name}'`).join(', ')}: filled in as gaps were in training`)
}

/** Values that the model has not met in training. */
export function tellUnknown({ unknown }: TableModel): void {
  for (const [column, { count, values }] of Object.entries(unknown))
    printNote(
      `column '${column}' had ${whole(count)} values that the table had not (${values.slice(0, 3).map(String).join(', ')}); they count as none`,
    )
}
