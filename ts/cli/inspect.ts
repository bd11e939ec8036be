/** `gradus inspect FILE`: what a model file holds, or what is in a table. */
import { describeTable, fromTable } from '../data/index.js'
import { type FileOptions, naming, readRows } from './table-files.js'
import { inspectModel, isTableFile } from './table-predict.js'
import { print } from './terminal.js'

/** Options of `gradus inspect`. */
export interface InspectOptions extends FileOptions {
  target?: string
  json?: boolean
}

/** Runs the command. */
export async function inspect(file: string, { target, json = false, ...how }: InspectOptions): Promise<void> {
  if (!isTableFile(file)) return inspectModel(file, { json })
  const rows = await readRows(file, how)
  const last = Object.keys(rows[0] ?? {}).at(-1) ?? ''
  const { report } = await naming(file, async () => fromTable(rows, { target: target ?? last, missing: 'auto' }))
  if (json) print(JSON.stringify(report))
  else print(describeTable(report))
}
