/**
 * A table of very many rows in trainTable at its defaults: seconds, CPU seconds, peak memory and the score. The file is made in .cache (numbers with gaps,
 * two dates, texts of 3 to 20,000 different values, a target with noise), and trained on in a process of its own.
 *
 * 1,000,000 × 50 (348 MB, of which trainTable takes a sample of 192,307 rows): 189 s of CPU, peak 2.19 GB, R² 0.959 (2026-11-30).
 *
 *   node_modules/node/bin/node --import tsx bench/tables/large.ts [rows, 1000000] [columns, 50] [target, number or class]
 */
import { execFileSync } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { trainTable } from '../../ts/table/index.js'

const [rows = '1000000', columns = '50', target = 'number', file] = process.argv.slice(2)

/** Different texts of each column of texts. */
const KINDS = [3, 5, 8, 30, 300, 20_000]
const DATES = 2

/** Writes the file by a linear congruential generator, so that the same sizes give the same file. */
async function write(path: string, rows: number, inputs: number): Promise<void> {
  let state = 1
  const random = () => (state = (state * 1664525 + 1013904223) >>> 0) / 2 ** 32
  const numbers = inputs - KINDS.length - DATES
  const names = [
    ...Array.from({ length: numbers }, (_, i) => `x${i}`),
    ...KINDS.map((count) => `kind${count}`),
    ...Array.from({ length: DATES }, (_, i) => `day${i}`),
  ]
  mkdirSync('.cache', { recursive: true })
  const out = createWriteStream(`${path}.part`)
  out.write(`${[...names, 'number', 'class'].join(',')}\n`)
  for (let row = 0; row < rows; ) {
    let text = ''
    for (let k = 0; k < 1000 && row < rows; k++, row++) {
      const x = Array.from({ length: numbers }, random)
      const kinds = KINDS.map((count) => Math.floor(random() ** 2 * count))
      const days = Array.from({ length: DATES }, () => Math.floor(random() * 2000))
      const season = Math.cos((2 * Math.PI * days[0]) / 365.25)
      const y = 4 * x[0] * x[1] + Math.sin(6 * x[2]) + (x[3] > 0.7 ? 1 : 0) + 0.5 * kinds[0] - 0.2 * kinds[1] + season + (random() - 0.5)
      const cells = [
        ...x.map((value, i) => (i % 7 === 6 && random() < 0.05 ? '' : value.toFixed(4))),
        ...kinds.map((kind) => `k${kind}`),
        ...days.map((day) => new Date(Date.UTC(2018, 0, 1 + day)).toISOString().slice(0, 10)),
      ]
      text += `${[...cells, y.toFixed(4), y > 1.5 ? 'high' : 'low'].join(',')}\n`
    }
    if (!out.write(text)) await new Promise<void>((ready) => out.once('drain', () => ready()))
  }
  await new Promise<void>((done) => out.end(() => done()))
  renameSync(`${path}.part`, path)
}

if (file !== undefined) {
  const other = target === 'number' ? 'class' : 'number'
  const { report } = await trainTable(file, { target, exclude: [other], verbose: false })
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  const inputs = report.columns.filter(({ role, features }) => role === 'input' && features > 0).length
  const used = report.rows.train + report.rows.test
  console.log(
    [
      `${report.sampledFrom ?? used} rows, ${used} used, ${inputs} inputs`,
      `${report.seconds.toFixed(0)} s, ${((userCPUTime + systemCPUTime) / 1e6).toFixed(0)} s of CPU`,
      `peak ${(maxRSS / 1e6).toFixed(2)} GB`,
      report.metrics.map(({ name, value }) => `${name} ${value.toPrecision(3)}`).join(', '),
    ].join('; '),
  )
} else {
  const path = `.cache/large-${rows}x${columns}.csv`
  if (!existsSync(path)) await write(path, Number(rows), Number(columns))
  console.log(`${path}, ${(statSync(path).size / 1e6).toFixed(0)} MB`)
  const self = [...process.execArgv, fileURLToPath(import.meta.url), rows, columns, target, path]
  execFileSync(process.execPath, self, { stdio: 'inherit' })
}
