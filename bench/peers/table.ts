/**
 * docs/benchmarks.md, docs/design/benchmarks.md and the short table of README.md, made from bench/results/peers.json (see run.ts); write.ts writes
 * them.
 */
import { fleetSection, fleetSummary } from '../fleet/table.js'
import { type LimitResults, type Product, SIZES } from '../native/native.js'
import type { SkinnyResults } from '../skinny.js'
import { readTables, tablesSection } from '../tables/write.js'
import { CONTESTANTS, type Contestant, LARGE } from './contestants.js'
import { inferenceSection, readInference } from './inference-results.js'
import { figureOf, type Peers } from './results.js'
import { WORKLOADS, type Workload } from './workloads.js'

/** Contestants with one core, and with two. */
export const SINGLE = CONTESTANTS.filter(({ cores }) => cores === undefined)
const PAIRS = CONTESTANTS.filter(({ cores }) => cores === 2)
/** Nets of the short table. */
const SHORT = ['W1', 'W3', 'W4', 'W5', 'W6', 'W7']
/** Workloads for which one figure is enough; C1 differs in a new process, see {@link coldTable}. */
export const COMPARED = WORKLOADS.filter(({ kind }) => kind !== 'reach')
const UNITS = { steps: 'steps/s', update: 'ns per parameter', reach: 'ms' } as const

export const moreIsBetter = ({ kind }: Workload) => kind === 'steps'
const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')

/** `1,234`, `12.3`, `0.123`. */
export function number(n: number): string {
  return n >= 100 ? Math.round(n).toLocaleString('en') : n.toPrecision(n < 1 ? 2 : 3)
}

/** Performance of a as a multiple of b's. */
export function ratio(workload: Workload, a: number, b: number): number {
  return moreIsBetter(workload) ? a / b : b / a
}

/** The figure that is used: the median of windows, or of starts. */
function value(peers: Peers, { id }: Contestant, workload: Workload): number | undefined {
  return figureOf(peers, id, workload.id)?.median
}

export interface Best {
  contestant: Contestant
  value: number
}

export function bestOf(peers: Peers, workload: Workload, among: (contestant: Contestant) => boolean): Best | undefined {
  let best: Best | undefined
  for (const contestant of SINGLE.filter(among)) {
    const found = value(peers, contestant, workload)
    if (found !== undefined && (best === undefined || ratio(workload, found, best.value) > 1)) best = { contestant, value: found }
  }
  return best
}

export const isKind =
  (...kinds: Contestant['kind'][]) =>
  ({ kind }: Contestant) =>
    kinds.includes(kind)

const OTHER_LIBRARY = 'best other JS library'

/** Groups of the short table and the picture: gradus with default options is first, and all others are compared with it. */
export const GROUPS: readonly { title: string; has: (contestant: Contestant) => boolean }[] = [
  { title: 'gradus, as it comes', has: ({ id }) => id === 'gradus' },
  { title: 'gradus, widened', has: ({ id }) => id === 'gradus-widened' },
  { title: OTHER_LIBRARY, has: isKind('library') },
  { title: 'plain JS loops', has: isKind('loop') },
  { title: 'PyTorch', has: ({ id }) => id.startsWith('pytorch') },
  { title: 'JAX', has: ({ id }) => id.startsWith('jax') && id !== 'jax-js' },
]

function cell(peers: Peers, contestant: Contestant, workload: Workload): string {
  const result = peers.contestants[contestant.id]?.results[workload.id]
  if (result === undefined || 'missing' in result) return '-'
  const [middle, top] = [number(result.median), number(result.best)]
  if (!result.learned) return `(${middle} / ${top})`
  const best = bestOf(peers, workload, () => true)
  return best?.contestant === contestant ? `**${middle}** / ${top}` : `${middle} / ${top}`
}

/** True if a contestant has any figure. */
const isMeasured = (peers: Peers) => (contestant: Contestant) =>
  Object.values(peers.contestants[contestant.id]?.results ?? {}).some((result) => 'best' in result)

/** Workloads on which a contestant beats this gradus. */
function losses(peers: Peers, has: (contestant: Contestant) => boolean): string[] {
  return WORKLOADS.flatMap((workload) => {
    const ours = bestOf(peers, workload, has)
    if (ours === undefined) return []
    const faster = SINGLE.filter((c) => c.kind !== 'gradus').flatMap((contestant) => {
      const theirs = value(peers, contestant, workload)
      const times = theirs === undefined ? 0 : ratio(workload, theirs, ours.value)
      return times > 1 ? [`${contestant.title} ${times.toFixed(times < 1.095 ? 2 : 1)} ×`] : []
    })
    return faster.length === 0 ? [] : [`- ${workload.id}, ${workload.title}: ${faster.join(', ')}`]
  })
}

/** Statements about the figures, one line per net and gradus: its speed as a multiple of the best of each other kind. */
export function claims(peers: Peers): string[] {
  const ours = GROUPS.slice(0, 2)
  return COMPARED.flatMap((workload) =>
    ours.flatMap((own) => {
      const best = bestOf(peers, workload, own.has)
      if (best === undefined) return []
      const beside = GROUPS.slice(2).flatMap(({ title, has }) => {
        const theirs = bestOf(peers, workload, has)
        return theirs ? [`${title} ${number(ratio(workload, best.value, theirs.value))} ×`] : []
      })
      return [`- ${workload.id}, ${own.title}: ${beside.join(', ')}`]
    }),
  )
}

/** The lines in the second of two lists of {@link claims} that the first does not have. */
export function changedClaims(before: string, after: string): string[] {
  const known = new Set(before.split('\n'))
  return after.split('\n').filter((text) => /^- \w+, gradus, /.test(text) && !known.has(text))
}

/** Milliseconds of C1 in a new process each time, its start included. */
function coldTable(peers: Peers): string {
  const rows = SINGLE.flatMap(({ id, title }) => {
    const { cold, results } = peers.contestants[id] ?? {}
    const warm = results?.C1
    return cold === undefined || warm === undefined || 'missing' in warm ? [] : [[title, number(cold), number(warm.median)]]
  })
  return rows.length === 0
    ? `Not measured yet by \`make peers\`. In a check from outside (AMD EPYC, Zen 4, 2026-11-27) a new process took 16 ms with loops of numpy, 36 with a
written loop of gradus and 69 with \`fit\`, 57 with plain loops in JavaScript, 77 with PyTorch and 626 with JAX. Warm, with what was compiled kept,
JAX took 6.9 ms, gradus 16.8 as it comes and 12.6 widened.`
    : table(['milliseconds', 'a new process', 'warm'], rows)
}

function versions(peers: Peers): string {
  const all = new Map<string, Set<string>>()
  for (const { versions } of Object.values(peers.contestants)) {
    for (const [name, version] of Object.entries(versions)) all.set(name, (all.get(name) ?? new Set()).add(version))
  }
  return [...all].map(([name, found]) => `${name === 'node' ? 'Node' : name} ${[...found].sort().join(' and ')}`).join(', ')
}

function startTable(peers: Peers): string {
  const rows = CONTESTANTS.flatMap(({ id, title }) => {
    const start = peers.contestants[id]?.start
    return start ? [[title, number(start.ready), number(start.first), number(start.large)]] : []
  })
  return table(['milliseconds', 'import and engine', 'first step of W2', 'then first step of W5'], rows)
}

/** Steps/s with two cores, also as a multiple of one core. */
function pairTable(peers: Peers, head: (workload: Workload) => string): string {
  const nets = WORKLOADS.filter(({ id }) => LARGE.includes(id))
  const rows = PAIRS.map((contestant) => {
    const single = SINGLE.find(({ id }) => `${id}-two` === contestant.id)
    const cells = nets.map((workload) => {
      const [two, one] = [contestant, single].map((c) => c && value(peers, c, workload))
      if (two === undefined) return '-'
      return one === undefined ? number(two) : `${number(two)} (${(two / one).toFixed(2)} ×)`
    })
    return [contestant.title, ...cells]
  })
  return table(['', ...nets.map(head)], rows)
}

/** Floating-point operations of a step's products: forward, and both gradients, except the gradient of the inputs. */
function flops({ sizes, batch }: Workload): number {
  let sum = 0
  for (let i = 0; i + 1 < sizes.length; i++) sum += 2 * batch * sizes[i] * sizes[i + 1] * (i === 0 ? 2 : 3)
  return sum
}

/** GFLOP/s of square products, and the limit. */
function productTable({ products }: LimitResults): string {
  const cellOf = (kind: Product['kind'], size: number, widened: boolean) => {
    const found = products.find((p) => p.kind === kind && p.size === size && p.widened === widened)
    return found ? `${number(found.speed)} (${Math.round((100 * found.speed) / found.limit)} %)` : '-'
  }
  const kinds = { matmul: 'a·b', matmulNT: 'a·bᵀ', matmulTN: 'aᵀ·b' } as const
  const rows = SIZES.flatMap((size) =>
    Object.entries(kinds).map(([kind, formula]) => [
      `${formula}, ${size}³`,
      ...[false, true].map((widened) => cellOf(kind as Product['kind'], size, widened)),
    ]),
  )
  return table(['GFLOP/s (share of the limit)', '128 bits', 'widened to 256'], rows)
}

function best({ products }: LimitResults): string {
  const shares = products.filter(({ widened }) => widened).map(({ speed, limit }) => Math.round((100 * speed) / limit))
  return `So the widened kernels leave ${100 - Math.max(...shares)} % of what 256-bit vectors can do at their best, and ${100 - Math.min(...shares)} % at their worst.`
}

/** Nanoseconds of narrow products, and the time of the twin in JavaScript as a multiple. */
function skinnyTable({ products }: SkinnyResults): string {
  const rows = products.map(({ title, m, k, n, memory, wasm, js }) => [
    `${title}: ${m} × ${n}, sums of ${k}`,
    ...wasm.map((time, i) => `${number(time)} (${number(js[i] / time)} ×)`),
    number(memory),
  ])
  return table(['nanoseconds (JavaScript)', 'a·b', 'a·bᵀ', 'aᵀ·b', 'a copy'], rows)
}

/** GFLOP/s of whole steps of the large nets. */
function stepTable(peers: Peers): string {
  const nets = WORKLOADS.filter(({ id }) => ['W4', 'W5', 'W6'].includes(id))
  const speed = (contestant: Contestant, workload: Workload) => ((value(peers, contestant, workload) ?? 0) * flops(workload)) / 1e9
  const rows = SINGLE.filter((c) => nets.some((net) => speed(c, net) > 10)).map((c) => [
    c.title,
    ...nets.map((net) => (speed(c, net) > 0 ? number(speed(c, net)) : '-')),
  ])
  return table(['GFLOP/s', ...nets.map(({ id }) => id)], rows)
}

const limitText = ({ limits }: LimitResults) =>
  Object.entries(limits)
    .map(([bits, speed]) => `${Math.round(speed)} GFLOP/s with vectors of ${bits} bits`)
    .join(', ')

/** The text of docs/design/benchmarks.md: how it was measured, best windows, products, narrow products, aims that were missed. */
export function details(peers: Peers, limit: LimitResults, skinny: SkinnyResults): string {
  const head = (w: Workload) => `${w.id}, ${UNITS[w.kind]}`
  return `# Benchmarks in detail

[Benchmarks](../benchmarks.md) has what users need. This page has how it was measured, best windows, what the processor allows, and aims that were missed.
Written by bench/peers/write.ts from bench/results/peers.json; \`make peers\` measures it again.

${peers.cpu}, one core, ${peers.date}. ${versions(peers)}.

Each contestant trains each net in a process of its own, pinned to one core, with the same first weights (where it lets them be
set) and the same rows in the same order, in memory: forward, loss, backward, Adam. It has to learn: the loss over all rows must
halve, or its figure stands in brackets and does not count. Figures are the median of seven windows of 0.3 s, or of two windows of one
epoch where a step takes that long, and behind the stroke the best window. What counts below is the median.

Rows stay in their order for all (\`shuffle: false\`), as not every contestant can shuffle. The default of \`fit\` is to shuffle, which costs
gradus a fifth of the speed of W2, and nothing that can be measured from W4 up (\`bench/paths.ts\`).

W1 is a net of the size of xor, but not xor: 64 batches of random points and tanh. W8 and W8m are updates without a net, of 10 million
parameters: W8 with Adam, W8m with momentum. C1 is the time from a new net to 97 % of the training points right, checked after each epoch, in
a process that has done it before; the median of five sets of first weights.

${table(
  ['', 'net', 'batches of an epoch'],
  WORKLOADS.filter((w) => w.kind !== 'update').map((w) => [w.id, `${w.title}, ${w.activation}`, String(w.batches)]),
)}

![Speed of gradus widened, of the best JavaScript library, of plain JavaScript loops, PyTorch and JAX as a multiple of that of gradus as it comes, for nine workloads.](../../bench/results/peers.svg)

## Speed

More is better in W1 to W7, less in W8, W8m and C1. The best of each column is bold; - means too slow, or not possible.

${table(
  ['', ...WORKLOADS.map(head)],
  SINGLE.filter(isMeasured(peers)).map((c) => [c.title, ...WORKLOADS.map((w) => cell(peers, c, w))]),
)}

${NOT_MEASURED}
## What follows

How many times as fast gradus is as the best of each other kind, by medians:

${claims(peers).join('\n')}

## From a new process

C1 with everything that it takes, a new process each time, and in a process that has done it before:

${coldTable(peers)}

## Where gradus loses

As it comes, against all that are faster:

${losses(peers, ({ id }) => id === 'gradus').join('\n') || '- Nowhere in this table.'}

Widened:

${losses(peers, ({ id }) => id === 'gradus-widened').join('\n') || '- Nowhere in this table.'}

PyTorch and JAX are native code, which uses vectors of up to 512 bits on a processor that has them; WebAssembly has 128, and 256 where V8
widens them. PyTorch uses vectors of 512 bits on processors of Intel, and of 256 on those of AMD, where its library knows no others. The products of JAX use all
512 also when XLA is held to AVX2, so it was not measured with vectors as wide as ours. On Zen 4, whose registers of 512 bits are computed in two
halves, gradus widened and JAX are level (0.97 to 1.26 × on W3 to W7, measured from outside, 2026-11-27). And XLA,
which compiles a program for one net, keeps in registers and cache what separate kernels write to memory.

${inferenceSection(readInference())}
${LIMITS}
## Two cores

The same with two cores of the same processor, and how many times as fast as with one. None of the other JavaScript libraries uses a
second core in Node.

${pairTable(peers, head)}

## The silicon

A native loop of multiply-adds on registers does ${limitText(limit)}
on one core. Square products of gradus (relaxed SIMD, Node ${limit.node}, ${limit.date}), each beside the limit of vectors as wide,
which bench/native/native.ts measured right before and after:

${productTable(limit)}

${best(limit)}

The products of whole steps, above, come to:

${stepTable(peers)}

## Narrow products

Products with few rows, columns or terms (bench/skinny.ts, ${skinny.cpu}, ${skinny.variant} SIMD, Node ${skinny.node}, ${skinny.date}): nanoseconds, in
brackets how many times as long plain JavaScript takes, and the time of a copy of as many bytes, which is the least that memory allows.

${skinnyTable(skinny)}

A transposed b is copied before it is multiplied, unless there is only one row; that shows where there are few rows. Three rows cost
as much as four.

## Start

Medians of nine new processes; the first step is of a small net, then that of a large one in the same process.

${startTable(peers)}

## Who is who

${SINGLE.map(({ title, note, runtime }) => `- ${title}: ${runtime === 'python' ? 'Python' : runtime.replace('node-', 'Node ')}${note ? `; ${note}` : ''}.`).join('\n')}
${fleetSection()}`
}

/** Nets of the table for users, by medians alone. */
function speedTable(peers: Peers): string {
  const shown = WORKLOADS.filter(({ kind }) => kind === 'steps')
  const cells = (c: Contestant) => shown.map((w) => cell(peers, c, w).replace(/ \/ [^)]*/, ''))
  return table(
    ['steps/s', ...shown.map(({ title }) => title)],
    SINGLE.filter(isMeasured(peers)).map((c) => [c.title, ...cells(c)]),
  )
}

/** The text of docs/benchmarks.md, for users. */
export function document(peers: Peers): string {
  return `# Benchmarks

Written by bench/peers/write.ts from bench/results/peers.json; \`make peers\` measures it again. [Details](${DESIGN}benchmarks.md): method, best
windows, every workload, what the processor allows, aims that were missed.

${peers.cpu}, one core, ${peers.date}. ${versions(peers)}.

## Speed

Training steps per second with Adam: forward, loss, backward, update. Medians; more is better; the best of each column is bold. All contestants train the same
nets with the same first weights on the same rows, each at its best. A figure in brackets does not count, since that contestant learned nothing; - means too slow,
or not possible. *Widened* is \`load({ widen: true })\`, an experimental flag of V8 on Node 24.

![Speed of gradus widened, of the best JavaScript library, of plain JavaScript loops, PyTorch and JAX as a multiple of that of gradus as it comes, for nine workloads.](../bench/results/peers.svg)

${speedTable(peers)}

PyTorch, JAX and numpy are native code, called from Python. brain.js and Synaptic train sample by sample, ConvNetJS has Adadelta in the place of Adam.

## Where gradus loses

As it comes, against all that are faster:

${losses(peers, ({ id }) => id === 'gradus').join('\n') || '- Nowhere in this table.'}

Widened:

${losses(peers, ({ id }) => id === 'gradus-widened').join('\n') || '- Nowhere in this table.'}

Native code has vectors of up to 512 bits, WebAssembly of 128, and of 256 where V8 widens them.

## Start

Milliseconds in a new process; the first step is of a net 4-16-3, then that of 784-512-512-10 in the same process.

${startTable(peers)}

## Two cores

Steps per second, and how many times as fast as with one core. No other JavaScript library here uses a second core in Node.

${pairTable(peers, ({ title }) => title)}
${fleetSummary()}${tablesSection(readTables())}`
}

/** Address of pages that are not in the package. */
const DESIGN = 'https://github.com/gradus-js/gradus/blob/main/docs/design/'

/** Configurations that no contestant runs, with figures from an outside check. */
const NOT_MEASURED = `Not measured here: the training build of onnxruntime-web 1.19, whose graphs are made in Python. A check from outside (Zen 4, 2026-11-27) had
30,800 steps/s of it on W1, 5,060 on W3, 51 on W5 (level with jax-js) and 680 on W7, so that beside it gradus widened was 53 × as fast on W1, 6 × on
W3, 4 × on W5 and W6, 7 × on W7.
`

/** Aims that were not reached, with reasons; measured in processor time on a busy machine, so only shares and ratios count. */
const LIMITS = `## Aims that are not reached

Shares of plain \`fit\` on W2 and shares of the limit, by processor time on an AMD EPYC of Zen 4 with other work on it, 2026-11-27
(bench/paths.ts, bench/tiles.ts):

| aim | reached | why |
| --- | --- | --- |
| shuffle 0.9 of plain \`fit\` on W2 | 0.74 to 0.94 | drawing an order of 1,024 rows takes 8.5 µs and gathering 2, of 93 µs for 64 steps: at most 0.9; the rest is rows in an order that never comes again |
| Dropout 0.7 | 0.6 | a mask of 256 numbers is drawn in 0.44 µs, forward and backward, beside a step of 1.45: at most 0.62. A mask that is kept would allow 0.75 |
| a loss of operations 0.8 | 0.47 to 0.64 | log-softmax, a product, two sums and their derivatives are a dozen kernels of 48 numbers each, which take 0.1 to 0.15 µs, where the loss of the library takes one of 0.5 µs |
| pure JavaScript as fast as plain loops on W1 | 0.61 to 0.72 | its kernels take 1.65 µs of 2.7, which is what the loops take for a whole step: those know the net, kernels take any; the rest is the step from a recording |
| evaluation as it comes 0.8 of PyTorch | see above | vectors of 128 bits allow 34 ms for the products alone, PyTorch takes 32 with wider ones; widened gradus is ahead |
| prediction of 256 rows as it comes 0.9 of the limit of 128 bits | 0.82 to 0.87 | the products alone reach 0.88 to 0.90; copying the rows in takes 20 µs, a layer of ten outputs 16 |
| a gradient and a Hessian-vector product 1.2 of PyTorch | as they come see above; widened 0.98 to 1.23 and 1.01 to 1.31 in three runs, the lowest on a quiet machine | as they come the limit of 128 bits is some 0.75 of what PyTorch takes; the kernels of a product take 1.1 ms of 1.5, copies of the results and their collection most of the rest |
| W6 as it comes 0.8 of the limit of 128 bits | 0.66 to 0.70 | its products alone reach 0.84 to 0.90 (panels take what is missing), the update of 8.3 million parameters waits for memory; the chosen tile is as fast as the pinned one |
| W3, W7 widened 0.65 of the limit of 256 bits | 0.47, 0.46 | products are less than half of the time there (0.41 of W7, measured from outside); the rest are updates and small kernels, which widen little |
| W1 2,000,000 steps/s on Node 24 | 1,600,000 to 1,800,000 | reached on Zen 5 on 2026-11-26; here a step is 2,200 cycles of 3.7 GHz |
| the update of 10 million parameters ahead of PyTorch's fused one | Adam 0.81 and 0.82 as it comes in two runs, 0.83 and 0.91 widened; momentum 0.82 and 0.91, 0.86 and 0.92 | Adam moves 28 bytes a parameter, in 0.67 ns 42 GB/s: memory is the limit of both, and PyTorch's wider loads and stores come closer to it |
| two threads 1.8 × as fast on W6, as the median of pairs | 1.33 to 1.70 in seven runs, best windows 1.72 to 1.84; W5 (1.8) and W4 (1.5) reach 1.82 and 1.50 in the published run, 1.44 to 1.86 and 1.21 to 1.60 in all | of 5.3 ms of a step of W5 0.4 are waiting, as the other core has to fetch what this one wrote, and 0.3 are not shared ([threads](threads.md)); runs differ with what else has the machine |
| start on one pinned core: import and load 30 ms | 32.6 (Node 22; 30 on two cores) | the engine reads 0.9 MB of JavaScript; with \`NODE_COMPILE_CACHE\` less than half |
| \`widen\` takes 20 ms more at start | 69 (Node 24, one pinned core) | V8 compiles the products again, and each tile is timed only once that is done |
| beside a program that keeps one core busy 1.2 × on W5, never below 0.97 | 1.00; 0.96 on W4 | three threads that want two cores can gain 1.33 at most; to hand over through threads that sleep, which would leave the core to the other program, takes 50 µs each time |
| \`fitMany\` 12,000,000 net-steps/s of 2-8-1, widened 16,000,000 | 10,200,000; 12,700,000 | its kernels take 75 ns of a net-step, 29 of them for the divisions and roots of Adam: 13,200,000 by themselves. The rest is JavaScript: an epoch lasts 6 µs, and has a record in the history |
| \`fitMany\` 19,000 net-steps/s of 32-64-64-1, 21,000 with fused multiply-adds | 15,100; 18,200, in an hour when JAX did 21,600, and not 25,700 as before | a step has 1.06 M multiply-adds. Products of \`fit\` take 0.65 cycles for four at best, 0.56 fused, which allows 18,500 and 21,000 at 3.66 GHz; those of eight nets take 0.72 to 0.81 and 0.62 to 0.68. Widened they reach 31,900 |
| two threads 1.9 × in \`fitMany\` | 1.56 to 1.92 | histories stay on the calling thread, and workers wait for it: least where steps are longest |
| \`fit\` starts in 0.1 ms on 2-8-1 | 0.08 after 3,000 fits, 0.17 in the first 300 (bench/fleet/start.ts) | the engine compiles the JavaScript of it meanwhile; 32-64-64-1 takes 0.22 to 0.27, aim 0.5 |
`

const BEGIN = '<!-- peers: written by bench/peers/write.ts from bench/results/peers.json -->'
const END = '<!-- /peers -->'

/** The short table of README.md. */
export function summary(peers: Peers): string {
  const rows = WORKLOADS.filter(({ id }) => SHORT.includes(id)).map((workload) => {
    const best = bestOf(peers, workload, () => true)
    const cells = GROUPS.map(({ title, has }) => {
      const found = bestOf(peers, workload, has)
      if (!found) return '-'
      const who = title === OTHER_LIBRARY ? `, ${found.contestant.title.split(',')[0]}` : ''
      const text = number(found.value)
      return `${found.contestant === best?.contestant ? `**${text}**` : text}${who}`
    })
    return [workload.title, ...cells]
  })
  return table(['steps/s, one core, medians', ...GROUPS.map(({ title }) => title)], rows)
}

/** README.md with the short table in place. @throws Error if the markers are gone */
export function withSummary(readme: string, peers: Peers): string {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)]
  if (from < 0 || to < from) throw new Error('README.md has lost the markers of its table of peers')
  return `${readme.slice(0, from + BEGIN.length)}\n${summary(peers)}\n${readme.slice(to)}`
}
