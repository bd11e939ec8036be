/**
 * Speed and memory of trainings on a CSV file that is read as it is learnt (`fitStream`), beside the same net on rows in memory (`fit`). The file (8
 * numbers, two categories, a class) is made in .cache; each measurement is a process of its own. A worker reads while the net
 * learns: on a busy machine the ratio is that of its load.
 *
 *   node_modules/node/bin/node --import tsx bench/stream.ts [megabytes, 500]
 */
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { encoderFromStream, streamTable } from '../ts/data/index.js'
import { Adam, crossEntropy, Dense, fit, load, Sequential } from '../ts/index.js'
import { fitStream } from '../ts/stream/index.js'
import { streamFile } from './tools/stream-file.js'

const [megabytes = '500', mode, file = '', width = '0'] = process.argv.slice(2)
/** Neurons of each of two hidden layers, and rows of a step. */
const WIDTHS = [32, 128, 512]
const BATCH = 256
/** Rows of the net in memory. */
const ROWS = 1 << 17

async function measure(): Promise<void> {
  await load()
  const options = { target: 'kind', scale: 'standard', missing: 'auto' } as const
  const learnFrom = async function* (rows: number) {
    let count = 0
    for await (const part of streamTable(file)) {
      yield part
      if ((count += part.length) >= rows) return
    }
  }
  const encoder = await encoderFromStream(learnFrom(ROWS), options)
  const size = Number(width)
  const layers = [
    new Dense(encoder.features, size, { activation: 'relu' }),
    new Dense(size, size, { activation: 'relu' }),
    new Dense(size, 3),
  ] as const
  const model = new Sequential(layers, { seed: 1 })
  const training = { loss: crossEntropy, optimizer: new Adam(model.parameters()), batchSize: BATCH }
  let rows = 0
  let began = performance.now()
  if (mode === 'stream') {
    const history = await fitStream(model, { data: () => streamTable(file), encoder, ...training })
    rows = history.rows
  } else if (mode === 'read') {
    for await (const part of streamTable(file)) rows += encoder.dataset(part).count
  } else {
    const all: object[] = []
    for await (const part of learnFrom(ROWS)) all.push(...part)
    const data = encoder.dataset(all)
    await fit(model, { ...data, ...training })
    began = performance.now()
    // about as long for each net
    const epochs = Math.max(1, Math.round(2e4 / size ** 2))
    await fit(model, { ...data, ...training, epochs })
    rows = data.count * epochs
  }
  const seconds = (performance.now() - began) / 1000
  console.log(JSON.stringify({ rows, seconds, megabytes: process.resourceUsage().maxRSS / 1024 }))
}

if (mode !== undefined) await measure()
else {
  const path = await streamFile(Number(megabytes))
  const run = (what: string, hidden = 1): { rows: number; seconds: number; megabytes: number } =>
    JSON.parse(
      execFileSync(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), megabytes, what, path, String(hidden)], {
        encoding: 'utf8',
      }),
    )
  const read = run('read')
  const speed = ({ rows, seconds }: typeof read) => Math.round(rows / seconds)
  console.log(
    `${(statSync(path).size / 1e6).toFixed(0)} MB, ${read.rows} rows; read and encoded alone: ${speed(read)} rows/s in ${read.megabytes.toFixed(0)} MB`,
  )
  console.log('hidden layers | in memory, rows/s | streamed, rows/s | ratio | peak memory of the stream, MB')
  for (const hidden of WIDTHS) {
    const memory = run('memory', hidden)
    const stream = run('stream', hidden)
    console.log(
      `${hidden}-${hidden} | ${speed(memory)} | ${speed(stream)} | ${(speed(stream) / speed(memory)).toFixed(2)} | ${stream.megabytes.toFixed(0)}`,
    )
  }
}
