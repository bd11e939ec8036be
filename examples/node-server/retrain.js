// A worker of server.js: trains on the table and all examples, and writes the model, all or nothing.
import { existsSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { readTable } from 'gradus/data'
import { trainTable } from 'gradus/table'
import { EXAMPLES, MODEL, TABLE } from './files.js'

const rows = [...(await readTable(TABLE)), ...(existsSync(EXAMPLES) ? await readTable(EXAMPLES) : [])]
const { model, report } = await trainTable(rows, { target: 'species', time: Number(process.env.TRAIN_SECONDS ?? 20) })
await model.save(MODEL)
// on rows that it had not seen
parentPort.postMessage({ accuracy: report.metrics[0].value })
