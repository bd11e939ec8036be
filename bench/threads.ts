/**
 * Training with `fit` on one thread and on several: interleaved windows of one run, all on the same data. For each net it reports the best window,
 * and the median of the ratios of neighboring windows, which the drift of a machine does not affect.
 * `node --import tsx bench/threads.ts [threads, default 2] [--milliseconds n] [--rounds n] [--nets W1,W5] [--save]`; `--save` writes
 * bench/results/threads.json and the table of docs/guide/performance.md.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  Adam,
  type Backend,
  binaryCrossEntropy,
  crossEntropy,
  type FitOptions,
  fit,
  Generator,
  load,
  mse,
  type Sequential,
  tensor,
} from '../ts/index.js'
import { WORKLOADS } from './peers/workloads.js'
import { type Origin, origin, readResults } from './results.js'
import { netOf, type Workload } from './tools/nets.js'

/** One net on one thread and on several. */
export interface Row {
  id: string
  net: string
  /** Steps per second, best window. */
  one: number
  many: number
  /** Median of the ratios of neighboring windows, many to one. */
  ratio: number
}

export interface ThreadResults extends Origin {
  threads: number
  processors: number
  variant: string
  rows: Row[]
}

const EXAMPLES = 256

/** Trains one net for a number of steps at a time. */
class Runner {
  private readonly options: FitOptions
  private readonly model: Sequential
  private readonly batches: number
  /** Loss of the very first epoch. */
  first = Number.NaN
  last = Number.NaN

  constructor(workload: (typeof WORKLOADS)[number], backend: Backend) {
    const { sizes, batch, loss: lossName, learningRate, id, activation } = workload
    const net: Workload = { name: id, sizes: [...sizes], batch, activation }
    this.model = netOf(net, backend)
    this.batches = Math.max(1, Math.round(EXAMPLES / batch))
    const count = batch * this.batches
    const [inputs, outputs] = [sizes[0], sizes[sizes.length - 1]]
    const data = new Generator(5)
    const x = Float32Array.from(data.uniforms(count * inputs))
    const classes = Int32Array.from(data.uniforms(count), (u) => Math.floor(u * outputs))
    const bits = Float32Array.from(data.uniforms(count * outputs), (u) => Math.round(u))
    this.options = {
      inputs: tensor(x, [count, inputs], { backend }),
      targets: lossName === 'ce' ? tensor(classes, { backend }) : tensor(bits, [count, outputs], { backend }),
      loss: { ce: crossEntropy, bce: binaryCrossEntropy, mse }[lossName],
      optimizer: new Adam(this.model.parameters(), { learningRate }),
      batchSize: batch,
      shuffle: false,
    }
  }

  /** Steps per second of one window. */
  async run(epochs: number): Promise<number> {
    const start = performance.now()
    const { epochs: all } = await fit(this.model, { ...this.options, epochs })
    const speed = (1000 * epochs * this.batches) / (performance.now() - start)
    if (Number.isNaN(this.first)) this.first = all[0].loss
    this.last = all[all.length - 1].loss
    return speed
  }

  /** Number of epochs that take about this long; warms up, too. */
  async calibrate(milliseconds: number): Promise<number> {
    let epochs = 1
    for (;;) {
      const taken = (1000 * epochs * this.batches) / (await this.run(epochs))
      if (taken >= milliseconds / 2) return Math.max(1, Math.round((epochs * milliseconds) / taken))
      epochs = Math.ceil(epochs * Math.min(8, milliseconds / taken))
    }
  }
}

async function measure(workload: (typeof WORKLOADS)[number], backends: Backend[], milliseconds: number, rounds: number): Promise<Row> {
  const runners = backends.map((backend) => new Runner(workload, backend))
  const epochs: number[] = []
  for (const runner of runners) epochs.push(await runner.calibrate(milliseconds))
  const best = [0, 0]
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const speeds: number[] = []
    // The two runners go first alternately.
    for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
      speeds[i] = await runners[i].run(epochs[i])
      best[i] = Math.max(best[i], speeds[i])
    }
    ratios.push(speeds[1] / speeds[0])
  }
  for (const { first, last } of runners) if (!(last < first)) throw new Error(`${workload.id} does not learn: ${first} to ${last}`)
  ratios.sort((a, b) => a - b)
  const ratio = ratios[rounds >> 1]
  return { id: workload.id, net: workload.title, one: round(best[0]), many: round(best[1]), ratio: Number(ratio.toFixed(2)) }
}

const round = (speed: number) => Number(speed.toPrecision(speed >= 1000 ? 4 : 3))

const GUIDE = new URL('../docs/guide/performance.md', import.meta.url)
const [BEGIN, END] = ['<!-- threads: written by bench/threads.ts from bench/results/threads.json -->', '<!-- /threads -->']

/** The guide with the table in place. @throws Error if the markers are gone */
export function withThreads(guide: string, { cpu, node, date, threads, variant, rows }: ThreadResults): string {
  const [from, to] = [guide.indexOf(BEGIN), guide.indexOf(END)]
  if (from < 0 || to < from) throw new Error('docs/guide/performance.md has lost the markers of its table of threads')
  const count = (speed: number) => speed.toLocaleString('en', { maximumSignificantDigits: 4 })
  const lines = rows.map(({ net, one, many, ratio }) => `| ${net} | ${count(one)} | ${count(many)} | ${ratio.toFixed(2)} × |`)
  const head = [`| steps/s, ${variant} | one thread | ${threads} threads | ratio |`, '| --- | ---: | ---: | ---: |']
  const machine = `${cpu}, ${threads} cores, Node ${node}, ${date}; \`fit\` with Adam, best windows, and the median ratio of neighbouring ones.`
  return [guide.slice(0, from + BEGIN.length), machine, '', ...head, ...lines, guide.slice(to)].join('\n')
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      milliseconds: { type: 'string', default: '150' },
      rounds: { type: 'string', default: '9' },
      nets: { type: 'string' },
      save: { type: 'boolean', default: false },
    },
  })
  const threads = Number(positionals[0] ?? 2)
  const backends = [await load(), await load({ threads })]
  if (backends[1].threads !== threads) throw new Error(`${backends[1].threads} threads run, not ${threads}`)
  const { variant } = backends[0]
  const from = origin()
  console.log(`steps per second of fit with Adam on 1 and ${threads} threads; ${variant}, Node ${from.node}, ${from.cpu}`)
  console.log(`${'net'.padEnd(34)}   1 thread  ${String(threads).padStart(2)} threads  best/best  median of pairs`)
  const wanted = values.nets?.split(',')
  const rows: Row[] = []
  for (const workload of WORKLOADS.filter(({ kind, id }) => kind === 'steps' && (wanted?.includes(id) ?? true))) {
    const row = await measure(workload, backends, Number(values.milliseconds), Number(values.rounds))
    rows.push(row)
    const cells = [String(row.one).padStart(11), String(row.many).padStart(11), `${(row.many / row.one).toFixed(2)}×`.padStart(10)]
    console.log(`${row.id} ${row.net.padEnd(31)}${cells.join(' ')}${`${row.ratio.toFixed(2)}×`.padStart(16)}`)
  }
  const results: ThreadResults = { ...from, threads, processors: availableParallelism(), variant, rows }
  if (!values.save) return
  writeFileSync(new URL('./results/threads.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(GUIDE, withThreads(readFileSync(GUIDE, 'utf8'), readResults('threads')))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
