/**
 * Speed and memory of reading tables. CSV files (10 columns of numbers and texts; one file with some quoted values) are made in .cache, and read by
 * streamTable, without and with encoding of rows. That is compared with decoding the bytes as text, with Papa Parse alone and with csv-parse, each in
 * a process of its own. docs/guide/data.md has the figures.
 *
 *   node_modules/node/bin/node --import tsx bench/read-csv.ts [megabytes, 100]
 */
import { execFileSync } from 'node:child_process'
import { createReadStream, createWriteStream, existsSync, mkdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'csv-parse'
import Papa from 'papaparse'
import { encoderFromStream, streamTable } from '../ts/data/index.js'

const [megabytes = '100', mode, file = ''] = process.argv.slice(2)

/** Writes a file by a linear congruential generator, so that the same size gives the same file. */
async function make(path: string, size: number, isQuoted: boolean): Promise<void> {
  let state = 1
  const random = () => (state = (state * 1664525 + 1013904223) >>> 0) / 2 ** 32
  const cities = ['north', 'south', 'east', 'west', isQuoted ? '"Paris, Texas"' : 'Paris']
  const out = createWriteStream(path)
  out.write('id,age,income,height,weight,score,city,active,note,target\n')
  for (let [i, bytes] = [0, 0]; bytes < size; ) {
    let text = ''
    for (let k = 0; k < 2000; k++, i++) {
      const numbers = [
        i,
        Math.floor(random() * 80),
        (random() * 1e5).toFixed(2),
        (150 + random() * 50).toFixed(3),
        (50 + random() * 50).toFixed(4),
        random(),
      ]
      const texts = [
        cities[Math.floor(random() * 5)],
        random() < 0.5 ? 'yes' : 'no',
        random() < 0.9 ? '' : isQuoted ? '"a ""quoted"" word"' : 'a plain word',
        random() < 0.5 ? 0 : 1,
      ]
      text += `${[...numbers, ...texts].join(',')}\n`
    }
    bytes += text.length
    if (!out.write(text)) await new Promise<void>((ready) => out.once('drain', () => ready()))
  }
  await new Promise<void>((done) => out.end(() => done()))
}

const PIECE = { highWaterMark: 1 << 18 }

/** Each goes through the whole file and counts rows, or bytes. */
const MODES: Record<string, (path: string) => Promise<number>> = {
  'bytes as text': async (path) => {
    const decoder = new TextDecoder()
    let count = 0
    for await (const piece of createReadStream(path, PIECE)) count += decoder.decode(piece as Uint8Array, { stream: true }).length
    return count
  },
  'Papa Parse, arrays of text': async (path) => {
    const decoder = new TextDecoder()
    let [rest, count] = ['', 0]
    for await (const piece of createReadStream(path, PIECE)) {
      rest += decoder.decode(piece as Uint8Array, { stream: true })
      const { data, meta } = new Papa.Parser({ delimiter: ',', newline: '\n' }).parse(rest, 0, true) as Papa.ParseResult<string[]>
      count += data.length
      rest = rest.slice(meta.cursor)
    }
    return count - 1
  },
  'csv-parse, arrays of text': async (path) => {
    let count = 0
    for await (const _ of createReadStream(path, PIECE).pipe(parse({}))) count++
    return count - 1
  },
  'streamTable, rows as objects': async (path) => {
    let count = 0
    for await (const rows of streamTable(path)) count += rows.length
    return count
  },
  encoderFromStream: async (path) => (await encoderFromStream(streamTable(path), { target: 'target', missing: 'auto' })).report.rows,
  'streamTable and dataset': async (path) => {
    const encoder = await encoderFromStream(streamTable(path, { limit: 10_000 }), { target: 'target', missing: 'auto', scale: 'standard' })
    let count = 0
    for await (const rows of streamTable(path)) count += encoder.dataset(rows).count
    return count
  },
}

if (mode !== undefined) {
  const [started, used] = [performance.now(), process.cpuUsage()]
  const count = await MODES[mode](file)
  const { user, system } = process.cpuUsage(used)
  console.log(
    JSON.stringify({
      count,
      seconds: (performance.now() - started) / 1000,
      processor: (user + system) / 1e6,
      memory: process.resourceUsage().maxRSS * 1024,
    }),
  )
} else {
  mkdirSync('.cache', { recursive: true })
  for (const kind of ['some values in quotes', 'no quotes']) {
    const path = `.cache/read-${megabytes}-${kind.replaceAll(' ', '-')}.csv`
    if (!existsSync(path)) await make(path, Number(megabytes) * 1e6, kind !== 'no quotes')
    const size = statSync(path).size
    console.log(`\n${(size / 1e6).toFixed(0)} MB of CSV, ${kind}, Node ${process.version}\n`)
    console.log('| way | rows | MB/s | MB per second of processor time | peak memory, MB |\n| --- | ---: | ---: | ---: | ---: |')
    for (const name of Object.keys(MODES)) {
      const out = execFileSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), megabytes, name, path], {
        encoding: 'utf8',
      })
      const { count, seconds, processor, memory } = JSON.parse(out) as { count: number; seconds: number; processor: number; memory: number }
      console.log(
        `| ${name} | ${count} | ${(size / 1e6 / seconds).toFixed(0)} | ${(size / 1e6 / processor).toFixed(0)} | ${(memory / 1e6).toFixed(0)} |`,
      )
    }
  }
}
