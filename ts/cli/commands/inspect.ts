/** `gradus inspect FILE`: what a model file holds, or what is in a table. */
import { describeTable } from '../../data/index.js'
import { inspectTable } from '../../table/index.js'
import { naming, readRows, type TableData, tableOptions } from '../table/files.js'
import { print } from '../terminal/terminal.js'
import { inspectModel, isTableFile } from './predict.js'

/** Options of `gradus inspect`. */
export interface InspectOptions extends TableData {
  json?: boolean
}

/** Runs the command. */
export async function inspect(file: string, { json = false, ...options }: InspectOptions): Promise<void> {
  if (!isTableFile(file)) return inspectModel(file, { json })
  const [row] = await readRows(file, options, 1)
  const last = Object.keys(row).at(-1) ?? ''
  const report = await naming(file, () => inspectTable(file, { ...tableOptions(options), target: options.target ?? last }), options)
  if (json) print(JSON.stringify(report))
  else print(describeTable(report).replaceAll("columns: 'number' for it makes", '--numbers with its name makes'))
}
