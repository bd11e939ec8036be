/**
 * The time until training begins: `import` and `load()`, then the first training step of a net, each in a process of its own, with the output of
 * `make build`; with one thread, and for the larger net with two. Also the cost of the first step with a new number of rows in a running loop.
 * `node --import tsx bench/start.ts [processes] [--save]` with Node 20; saved, it writes the table of docs/guide/performance.md.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Origin, origin, readResults } from './results.js'

interface Net {
  sizes: number[]
  batch: number
  /** Rows of a smaller last batch. */
  rest: number
}

/** Milliseconds of one process, or the least or median of several. */
interface Times {
  import: number
  load: number
  /** The first step, from the loaded library to updated weights: with the model, its weights and the optimizer. */
  step: number
  /** The tenth. */
  later: number
}

/** Microseconds of steps in a loop: medians over many runs of it. */
interface Shape {
  net: string
  rows: number
  /** The first step with this number of rows, and the later ones. */
  first: number
  known: number
  /** The median of the differences: the cost of recording. */
  recording: number
}

export interface Start extends Origin {
  processes: number
  rows: { node: string; net: string; threads: number; best: Times; median: Times }[]
  shapes: Shape[]
}

const NETS: Net[] = [
  { sizes: [4, 16, 3], batch: 16, rest: 10 },
  { sizes: [32, 64, 64, 4], batch: 64, rest: 50 },
  { sizes: [784, 128, 10], batch: 64, rest: 50 },
  { sizes: [784, 512, 512, 10], batch: 128, rest: 100 },
]
const CASES = [
  { net: NETS[3], threads: 1 },
  { net: NETS[3], threads: 2 },
  { net: NETS[2], threads: 1 },
]

const COMMON = `
const { sizes, batch, rest } = JSON.parse(process.argv[1])
const modelOf = ({ Sequential, Dense }) =>
  new Sequential(sizes.slice(1).map((n, i) => new Dense(sizes[i], n, { activation: i < sizes.length - 2 ? 'relu' : 'linear' })), { seed: 1 })
const dataOf = ({ tensor }, n) => ({
  inputs: tensor(Float32Array.from({ length: n * sizes[0] }, (_, i) => Math.sin(i)), [n, sizes[0]]),
  targets: Int32Array.from({ length: n }, (_, i) => i % sizes.at(-1)),
})
`

const FIRST = `${COMMON}
const t0 = performance.now()
const gradus = await import(process.argv[3])
const t1 = performance.now()
const { threads } = await gradus.load({ threads: Number(process.argv[2]) })
const t2 = performance.now()
if (threads !== Number(process.argv[2])) throw new Error(threads + ' threads')
const { inputs, targets } = dataOf(gradus, batch)
const t3 = performance.now()
const model = modelOf(gradus)
const optimizer = new gradus.Adam(model.parameters())
const step = () => {
  const start = performance.now()
  gradus.crossEntropy(model.forward(inputs), targets).backward()
  optimizer.step()
  return performance.now() - start
}
step()
const t4 = performance.now()
for (let i = 0; i < 8; i++) step()
console.log(JSON.stringify({ import: t1 - t0, load: t2 - t1, step: t4 - t3, later: step() }))
`

/** Each run is a loop of its own, which has recorded nothing; the first five warm up. */
const SHAPES = `${COMMON}
const gradus = await import(process.argv[3])
await gradus.load()
const model = modelOf(gradus)
const options = { ...dataOf(gradus, 3 * batch + rest), loss: gradus.crossEntropy, optimizer: new gradus.Adam(model.parameters()) }
const runs = []
for (let run = 0; run < 30; run++) {
  const times = []
  let t = performance.now()
  for await (const { size } of gradus.trainSteps(model, { ...options, epochs: 4, batchSize: batch, shuffle: false, yieldEvery: 1e9 })) {
    const now = performance.now()
    if (size === rest) times.push(1000 * (now - t))
    t = performance.now()
  }
  if (run >= 5) runs.push({ first: times[0], known: times[2] })
}
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1]
const [first, known] = ['first', 'known'].map((name) => median(runs.map((run) => run[name])))
console.log(JSON.stringify({ first, known, recording: median(runs.map((run) => run.first - run.known)) }))
`

const LIBRARY = new URL('../dist/node.js', import.meta.url).href
const NODE_22 = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))
const GUIDE = new URL('../docs/guide/performance.md', import.meta.url)

/** The output of a program. */
function run<T>(node: string, program: string, net: Net, threads = 1): T {
  const args = ['--input-type=module', '--eval', program, JSON.stringify(net), String(threads), LIBRARY]
  return JSON.parse(execFileSync(node, args, { encoding: 'utf8' }))
}

/** The i-th smallest value of each time. */
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

const nameOf = ({ sizes, batch }: Net) => `${sizes.join('-')}, batch ${batch}`

function measureStart(processes: number): Start['rows'] {
  const cases = CASES.flatMap(({ net, threads }) =>
    [process.execPath, NODE_22].map((path) => ({ path, net, threads, node: versionOf(path), times: [] as Times[] })),
  )
  for (let i = 0; i < processes; i++) for (const { path, net, threads, times } of cases) times.push(run(path, FIRST, net, threads))
  return cases.map(({ node, net, threads, times }) => ({
    node,
    net: nameOf(net),
    threads,
    best: nth(times, 0),
    median: nth(times, processes >> 1),
  }))
}

function measureShapes(): Shape[] {
  return NETS.map((net) => {
    const { first, known, recording } = run<Record<'first' | 'known' | 'recording', number>>(NODE_22, SHAPES, net)
    return {
      net: nameOf(net),
      rows: net.rest,
      first: Math.round(first),
      known: Math.round(known),
      recording: Math.round(recording),
    }
  })
}

function versionOf(node: string): string {
  return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1)
}

const BEGIN = '<!-- start: written by bench/start.ts from bench/results/start.json -->'
const END = '<!-- /start -->'

/** docs/guide/performance.md with these tables in place. @throws Error if the markers are gone */
export function withStart(guide: string, { cpu, date, processes, rows, shapes }: Start): string {
  const [from, to] = [guide.indexOf(BEGIN), guide.indexOf(END)]
  if (from < 0 || to < from) throw new Error('docs/guide/performance.md has lost the markers of its table of the start')
  const lines = rows.map(({ node, net, threads, median: m }) =>
    [`Node ${node}`, net, threads, m.import.toFixed(1), m.load.toFixed(1), m.step.toFixed(1), m.later.toFixed(1)].join(' | '),
  )
  const others = shapes.map((s) => [s.net, s.rows, s.first, s.known, s.recording].map((cell) => cell.toLocaleString('en')).join(' | '))
  const table = (text: string[]) => text.map((line) => `| ${line} |`)
  return [
    guide.slice(0, from + BEGIN.length),
    `${cpu}, ${date}; milliseconds, medians of ${processes} processes.`,
    '',
    ...table(['| net | threads | `import` | `load()` | first step | tenth', '--- | --- | ---: | ---: | ---: | ---: | ---:', ...lines]),
    '',
    'The first step with another number of rows, in a loop that runs; microseconds, medians of 25 loops.',
    '',
    ...table(['net | rows | first | later | difference', '--- | ---: | ---: | ---: | ---:', ...others]),
    guide.slice(to),
  ].join('\n')
}

function main(): void {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { save: { type: 'boolean' } } })
  const processes = Number(positionals[0] ?? 21)
  const results: Start = { ...origin(), processes, rows: measureStart(processes), shapes: measureShapes() }
  console.log(`milliseconds, best and median of ${processes} processes                        import        load   first step        10th`)
  for (const { node, net, threads, best, median } of results.rows) {
    const cells = (['import', 'load', 'step', 'later'] as const).map((name) => `${best[name]} / ${median[name]}`.padStart(11))
    console.log(`Node ${node}, ${net}, ${threads} thread${threads > 1 ? 's' : ''}`.padEnd(63), ...cells)
  }
  console.log('microseconds of the first step with other rows, of later ones, and the median difference')
  for (const { net, rows, first, known, recording } of results.shapes)
    console.log(`${net}, then ${rows}`.padEnd(45), first, known, recording)
  if (!values.save) return
  writeFileSync(new URL('./results/start.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(GUIDE, withStart(readFileSync(GUIDE, 'utf8'), readResults('start')))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
