/** Model files of tables, for the commands that take one: errors that name the file, and notes on rows that are not as in training. */
import { Option } from 'commander'
import { loadTableModel, type TableModel } from '../../table/index.js'
import { quoted } from '../options/table.js'
import { whole } from '../terminal/format.js'
import { printNote } from '../terminal/terminal.js'
import { naming } from './files.js'
import { nameOfInput } from './input.js'

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
    throw new Error(`${modelFile} is no model file; are model and table swapped? gradus ${command} ${quoted(file)} ${quoted(modelFile)}`, {
      cause: error,
    })
  }
}

/** Whether a file is a table by its name. */
export function isTableFile(file: string): boolean {
  return nameOfInput(file) !== file || /\.(csv|tsv|txt|tab|data|jsonl?|ndjson|parquet|arrow|feather|npy|npz)(\.gz)?$/i.test(file)
}

/** Takes rows that lack a column of the model. */
export function fillOption(): Option {
  return new Option('--fill-columns', 'fill in columns that the file lacks, as gaps were in training, instead of an error')
}

/** @throws Error for rows that lack a column that the model learnt from, unless such columns are filled in: then they are told */
export function checkColumns(model: TableModel, rows: readonly object[], file: string, fills: boolean): void {
  const absent = absentIn(model, rows)
  // where all are, the model says what it wants
  if (absent.length === 0 || absent.length === model.columns.length) return
  const what = `${nameOfInput(file)} has no column ${absent.map((name) => `'${name}'`).join(', ')}`
  if (!fills)
    throw new Error(
      `${what}, from which the model learnt; --fill-columns fills ${absent.length === 1 ? 'it' : 'them'} in as gaps were in training, for worse predictions`,
    )
  printNote(`${what}: filled in as gaps were in training`)
}

/** Columns that a model learnt from and the rows to test it with lack: they are gaps in each of them. */
export function tellAbsent(model: TableModel, rows: readonly object[], file: string): void {
  const absent = absentIn(model, rows)
  if (absent.length > 0 && absent.length < model.columns.length)
    printNote(`${file} has no column ${absent.map((name) => `'${name}'`).join(', ')}: filled in as gaps were in training`)
}

function absentIn({ columns }: TableModel, rows: readonly object[]): string[] {
  return columns.filter((name) => !rows.some((row) => Object.hasOwn(row, name)))
}

/** Values that the model has not met in training. */
export function tellUnknown({ unknown }: TableModel): void {
  for (const [column, { count, values }] of Object.entries(unknown))
    printNote(
      `column '${column}' had ${whole(count)} values that the table had not (${values.slice(0, 3).map(String).join(', ')}); they count as none`,
    )
}
