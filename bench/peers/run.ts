/**
 * `make peers`: compares gradus with other libraries, hand-written loops, PyTorch and JAX, on the same nets and data, and writes
 * bench/results/peers.json, from which write.ts makes docs/benchmarks.md. Each contestant runs each workload in a process of
 * its own, pinned to one core or two, and has to learn. Packages go into .cache/peers, Python's into a virtual environment there.
 *
 *     node --import tsx bench/peers/run.ts [--only gradus,jax-js] [--workloads W4,W5|start] [--python PATH] [--core 1] [--keep]
 *
 * Without options everything is measured in one run and nothing older stays. With options, new figures replace those of the file, if the processor is
 * the same; all others stay. With `--keep` the better of both figures stays: for a second try, with the same versions, on a machine that was busy, as
 * other work can only make a figure worse. An hour or less for everything, and 5 GB for Python's packages.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { cpuName } from '../tools/cpu.js'
import { CONTESTANTS, type Contestant, LARGE } from './contestants.js'
import { type Entry, type Measurement, type Peers, readPeers, type Start, writePeers } from './results.js'
import { HERE, peersFolder, pythonIn } from './tools.js'
import { type Kind, WORKLOADS, type Workload, writeWorkload } from './workloads.js'

const { values } = parseArgs({
  options: {
    ...{ only: { type: 'string' }, workloads: { type: 'string' }, python: { type: 'string' } },
    ...{ core: { type: 'string', default: '1' }, keep: { type: 'boolean', default: false } },
  },
})
const list = (text: string | undefined) => text?.split(',')
const [only, wanted] = [list(values.only), list(values.workloads)]
const MAX_SECONDS = 80
const STARTS = 9

const today = () => new Date().toISOString().slice(0, 10)
const median = (numbers: number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]

/** The folder of the contestants, with their programs and data. */
function prepare(): string {
  const folder = peersFolder()
  for (const name of ['harness.mjs', 'harness.py', 'start.mjs', 'start.py', 'contestants'])
    cpSync(path.join(HERE, name), path.join(folder, name), { recursive: true })
  // starts are measured on W2 and W5
  const needed = wanted && [...wanted, ...(wanted.includes('start') ? ['W2', 'W5'] : [])]
  for (const workload of WORKLOADS) if (!needed || needed.includes(workload.id)) writeWorkload(workload, path.join(folder, 'data'))
  return folder
}

const folder = prepare()

function commandOf({ runtime }: Contestant): string {
  return runtime === 'python' ? pythonIn(folder, values.python) : path.resolve(folder, `node_modules/${runtime}/bin/node`)
}

/** Runs one process, pinned to its cores; returns the last line of its output. */
function measure<T>(contestant: Contestant, args: readonly string[]): T {
  const cores = contestant.cores === 2 ? '0,1' : values.core
  const pin = process.platform === 'linux' ? ['taskset', '-c', cores] : []
  const [command, ...rest] = [...pin, commandOf(contestant), ...(contestant.flags ?? []), ...args]
  const { status, stdout, stderr, signal } = spawnSync(command, rest, { cwd: folder, encoding: 'utf8', timeout: 1000 * MAX_SECONDS })
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
  const said = /^(?:\w*Error|Error): (.+)$/m.exec(stderr)?.[1] ?? stderr.trim().split('\n').at(-1)
  throw new Error(signal === null ? said : `more than ${MAX_SECONDS} s`)
}

function better(kind: Kind, a: Measurement, b: Measurement): Measurement {
  const [first, second] = kind === 'reach' ? [a.median, b.median] : [a.best, b.best]
  if (a.learned !== b.learned) return a.learned ? a : b
  return first > second === (kind === 'steps') ? a : b
}

function measureWorkload(contestant: Contestant, { id: workload, kind }: Workload, entry: Entry): string {
  const [program, ...options] = contestant.program
  const harness = contestant.runtime === 'python' ? 'harness.py' : 'harness.mjs'
  try {
    const { best, median, learned, versions } = measure<Measurement & { versions: Record<string, string> }>(contestant, [
      ...[harness, program, workload],
      ...options,
    ])
    entry.versions = versions
    const found = { best, median, learned, date: today() }
    const before = entry.results[workload]
    entry.results[workload] = values.keep && before && 'best' in before ? better(kind, before, found) : found
    return `${best.toPrecision(4)} (median ${median.toPrecision(4)})${learned ? '' : ', does not learn'}`
  } catch (error) {
    const missing = { missing: (error as Error).message }
    entry.results[workload] = values.keep ? (entry.results[workload] ?? missing) : missing
    return `- (${(error as Error).message})`
  }
}

/** Milliseconds of a whole process that trains until it reaches the accuracy: the median over all starts. */
function measureCold(contestant: Contestant, { id, starts }: Workload, entry: Entry): string {
  const [program, ...options] = contestant.program
  const harness = contestant.runtime === 'python' ? 'harness.py' : 'harness.mjs'
  const times = Array.from({ length: starts }, () => {
    const started = performance.now()
    measure(contestant, [harness, program, id, ...options, 'once'])
    return performance.now() - started
  })
  entry.cold = median(times)
  return `${entry.cold.toFixed(1)} ms in a new process`
}

function measureStart(contestant: Contestant, entry: Entry): string {
  const program = contestant.runtime === 'python' ? 'start.py' : 'start.mjs'
  const starts = Array.from({ length: STARTS }, () => measure<Start>(contestant, [program, ...contestant.program]))
  const of = (key: keyof Start) => median(starts.map((start) => start[key]))
  const found = { ready: of('ready'), first: of('first'), large: of('large') }
  const sum = ({ ready, first, large }: Start) => ready + first + large
  if (!values.keep || !entry.start || sum(found) < sum(entry.start)) entry.start = found
  return JSON.stringify(found)
}

const empty: Peers = { cpu: '', date: '', contestants: {} }
const isPartial = only !== undefined || wanted !== undefined || values.keep
const peers = isPartial && existsSync('bench/results/peers.json') ? readPeers() : empty
if (isPartial && peers.cpu !== '' && peers.cpu !== cpuName())
  throw new Error(`bench/results/peers.json is of another processor, ${peers.cpu}; run all of it here, without options`)
peers.cpu = cpuName()
peers.date = today()
for (const contestant of CONTESTANTS) {
  if (only && !only.includes(contestant.id)) continue
  peers.contestants[contestant.id] ??= { versions: {}, results: {} }
  const entry = peers.contestants[contestant.id]
  const report = (name: string, text: string) => {
    console.log(`${contestant.title.padEnd(22)} ${name.padEnd(6)} ${text}`)
    writePeers(peers)
  }
  const own = WORKLOADS.filter(({ id }) => contestant.cores === undefined || LARGE.includes(id))
  for (const workload of own) if (!wanted || wanted.includes(workload.id)) report(workload.id, measureWorkload(contestant, workload, entry))
  const reach = own.find(({ id, kind }) => kind === 'reach' && (!wanted || wanted.includes(id)))
  const result = reach && entry.results[reach.id]
  if (reach && result && 'best' in result && result.learned) report(reach.id, measureCold(contestant, reach, entry))
  if (contestant.starts && (!wanted || wanted.includes('start'))) report('start', measureStart(contestant, entry))
}
