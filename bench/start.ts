/**
 * How soon training begins: `import` and `load()`, then the first training step of 784-512-512-10 with 128 rows, each in a process of
 * its own, on what `make build` made; and as much again with two threads. `node --import tsx bench/start.ts [processes] [--save]`
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Origin, origin } from './results.js'

/** Milliseconds of one process, or of the best or the middle one of several. */
interface Times {
  import: number
  load: number
  /** The first step, from the loaded library to updated weights. */
  step: number
  /** The tenth. */
  later: number
}

interface Start extends Origin {
  processes: number
  rows: { node: string; threads: number; best: Times; median: Times }[]
}

const PROGRAM = `
const t0 = performance.now()
const { Adam, crossEntropy, Dense, load, Sequential, tensor } = await import(process.argv[1])
const t1 = performance.now()
const { threads } = await load({ threads: Number(process.argv[2]) })
const t2 = performance.now()
const x = tensor(new Float32Array(128 * 784).fill(0.5), [128, 784])
const labels = Int32Array.from({ length: 128 }, (_, i) => i % 10)
const t3 = performance.now()
const model = new Sequential([new Dense(784, 512, { activation: 'relu' }), new Dense(512, 512, { activation: 'relu' }), new Dense(512, 10)])
const optimizer = new Adam(model.parameters())
const step = () => {
  const start = performance.now()
  crossEntropy(model.forward(x), labels).backward()
  optimizer.step()
  return performance.now() - start
}
const made = performance.now() - t3
const first = step()
for (let i = 0; i < 8; i++) step()
if (threads !== Number(process.argv[2])) throw new Error(threads + ' threads')
console.log(JSON.stringify({ import: t1 - t0, load: t2 - t1, step: made + first, later: step() }))
`

const NODE_22 = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))
const LIBRARY = new URL('../dist/index.js', import.meta.url).href

function run(node: string, threads: number): Times {
  const text = execFileSync(node, ['--input-type=module', '--eval', PROGRAM, LIBRARY, String(threads)], { encoding: 'utf8' })
  return JSON.parse(text)
}

/** The i-th smallest of each. */
function nth(times: readonly Times[], i: number): Times {
  const of = (name: keyof Times) =>
    Number(
      times
        .map((t) => t[name])
        .sort((a, b) => a - b)
        [i].toFixed(1),
    )
  return { import: of('import'), load: of('load'), step: of('step'), later: of('later') }
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { save: { type: 'boolean' } } })
const processes = Number(positionals[0] ?? 15)
const rows: Start['rows'] = []
console.log(`milliseconds, best and median of ${processes} processes          import        load   first step        10th`)
for (const threads of [1, 2]) {
  const cases = [process.execPath, NODE_22].map((node) => ({ node, times: [] as Times[] }))
  for (let i = 0; i < processes; i++) for (const { node, times } of cases) times.push(run(node, threads))
  for (const { node, times } of cases) {
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1)
    const [best, median] = [nth(times, 0), nth(times, processes >> 1)]
    rows.push({ node: version, threads, best, median })
    const cells = (['import', 'load', 'step', 'later'] as const).map((name) => `${best[name]} / ${median[name]}`.padStart(11))
    console.log(`Node ${version}, ${threads} thread${threads > 1 ? 's' : ''}`.padEnd(49), ...cells)
  }
}
const results: Start = { ...origin(), processes, rows }
if (values.save) writeFileSync(new URL('./results/start.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
