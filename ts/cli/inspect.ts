/** `gradus inspect FILE`: what a model file holds, or what is in a table. */
import { describeTable, fromTable } from '../data/index.js'
import { naming, readRows } from './table-files.js'
import { inspectModel, isTableFile } from './table-predict.js'
import { print } from './terminal.js'

/** Runs the command. */
export async function inspect(file: string, { target, json = false }: { target?: string; json?: boolean }): Promise<void> {
  if (!isTableFile(file)) return inspectModel(file, { json })
  const rows = await readRows(file)
  const last = Object.keys(rows[0] ?? {}).at(-1) ?? ''
  const { report } = await naming(file, async () => fromTable(rows, { target: target ?? last, missing: 'auto' }))
  if (json) print(JSON.stringify(report))
  else print(describeTable(report))
}
