/** docs/benchmarks.md and the short table of README.md, out of bench/results/peers.json (see run.ts); write.ts writes them. */
import { type LimitResults, type Product, SIZES } from '../native.js'
import type { SkinnyResults } from '../skinny.js'
import { CONTESTANTS, type Contestant, LARGE } from './contestants.js'
import { figureOf, type Peers } from './results.js'
import { WORKLOADS, type Workload } from './workloads.js'

/** Those that have one core, and those that have two. */
export const SINGLE = CONTESTANTS.filter(({ cores }) => cores === undefined)
const PAIRS = CONTESTANTS.filter(({ cores }) => cores === 2)
/** Nets of the short table. */
const SHORT = ['W1', 'W3', 'W4', 'W5', 'W6', 'W7', 'C1']
const UNITS = { steps: 'steps/s', update: 'ns per parameter', reach: 'ms' } as const

export const moreIsBetter = ({ kind }: Workload) => kind === 'steps'
const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')

/** `1,234`, `12.3`, `0.123`. */
export function number(n: number): string {
  return n >= 100 ? Math.round(n).toLocaleString('en') : n.toPrecision(n < 1 ? 2 : 3)
}

/** How many times as good a is as b. */
export function ratio(workload: Workload, a: number, b: number): number {
  return moreIsBetter(workload) ? a / b : b / a
}

/** What counts: the best window, but the median start where each start is a run of its own. */
function value(peers: Peers, contestant: Contestant, workload: Workload): number | undefined {
  const figure = figureOf(peers, contestant.id, workload.id)
  return workload.kind === 'reach' ? figure?.median : figure?.best
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

/** What the short table and the picture put side by side. */
export const GROUPS: readonly { title: string; has: (contestant: Contestant) => boolean }[] = [
  { title: 'gradus', has: isKind('gradus') },
  { title: OTHER_LIBRARY, has: isKind('library') },
  { title: 'loops by hand', has: isKind('loop') },
  { title: 'PyTorch', has: ({ id }) => id.startsWith('pytorch') },
  { title: 'JAX', has: ({ id }) => id.startsWith('jax') && id !== 'jax-js' },
]

function cell(peers: Peers, contestant: Contestant, workload: Workload): string {
  const result = peers.contestants[contestant.id]?.results[workload.id]
  if (result === undefined || 'missing' in result) return '-'
  const text = number(workload.kind === 'reach' ? result.median : result.best)
  if (!result.learned) return `(${text})`
  const best = bestOf(peers, workload, () => true)
  return best?.contestant === contestant ? `**${text}**` : text
}

/** Workloads where somebody beats the best gradus. */
function losses(peers: Peers): string[] {
  return WORKLOADS.flatMap((workload) => {
    const ours = bestOf(peers, workload, isKind('gradus'))
    if (ours === undefined) return []
    const faster = SINGLE.filter((c) => c.kind !== 'gradus').flatMap((contestant) => {
      const theirs = value(peers, contestant, workload)
      const times = theirs === undefined ? 0 : ratio(workload, theirs, ours.value)
      return times > 1 ? [`${contestant.title} ${times.toFixed(times < 1.095 ? 2 : 1)} ×`] : []
    })
    return faster.length === 0 ? [] : [`- ${workload.id}, ${workload.title}: ${faster.join(', ')}`]
  })
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

/** Steps/s with two cores, and how many times those with one. */
function pairTable(peers: Peers): string {
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
  return table(['', ...nets.map(({ id }) => `${id}, steps/s`)], rows)
}

/** Floating-point operations of a step's products: forward, and both gradients, but for the one of the inputs. */
function flops({ sizes, batch }: Workload): number {
  let sum = 0
  for (let i = 0; i + 1 < sizes.length; i++) sum += 2 * batch * sizes[i] * sizes[i + 1] * (i === 0 ? 2 : 3)
  return sum
}

/** GFLOP/s of square products beside the limit. */
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

/** Nanoseconds of narrow products, and how many times as long the twin in JavaScript takes. */
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

/** The text of docs/benchmarks.md. */
export function document(peers: Peers, limit: LimitResults, skinny: SkinnyResults): string {
  const head = (w: Workload) => `${w.id}, ${UNITS[w.kind]}`
  return `# gradus beside others

Written by bench/peers/write.ts from bench/results/peers.json; \`make peers\` measures it again.

${peers.cpu}, one core, ${peers.date}. ${versions(peers)}.

Each contestant trains each net in a process of its own, pinned to one core, with the same first weights (where it lets them be
set) and the same rows in the same order, in memory: forward, loss, backward, Adam. It has to learn: the loss over all rows must
halve, or its figure stands in brackets and does not count. Figures are the best of seven windows of 0.3 s, or of two windows of one
epoch where a step takes that long. The machine had other work at times, so some were measured again and the better figure stayed.

W8 and W8m are updates without a net, of 10 million parameters: W8 with Adam, W8m with momentum. C1 is the time from a new net to 97 %
of the training points right, checked after each epoch; the median of five sets of first weights.

${table(
  ['', 'net', 'batches of an epoch'],
  WORKLOADS.filter((w) => w.kind !== 'update').map((w) => [w.id, `${w.title}, ${w.activation}`, String(w.batches)]),
)}

![Speed of the best JavaScript library, of loops by hand, PyTorch and JAX as a multiple of that of gradus, for ten workloads.](../bench/results/peers.svg)

## Speed

More is better in W1 to W7, less in W8, W8m and C1. The best of each column is bold; - means too slow, or not possible.

${table(
  ['', ...WORKLOADS.map(head)],
  SINGLE.map((c) => [c.title, ...WORKLOADS.map((w) => cell(peers, c, w))]),
)}

## Where gradus loses

The better figure of gradus against all that are faster:

${losses(peers).join('\n') || '- Nowhere in this table.'}

PyTorch and JAX are native code, which uses vectors of up to 512 bits on a processor that has them; WebAssembly has 128, and 256 where V8
widens them. The products of JAX use all 512 also when XLA is held to AVX2, so it was not measured with vectors as wide as ours. And XLA,
which compiles a program for one net, keeps in registers and cache what separate kernels write to memory.

## Two cores

The same with two cores of the same processor, and how many times as fast as with one. None of the other JavaScript libraries uses a
second core in Node.

${pairTable(peers)}

## The silicon

A native loop of multiply-adds on registers does ${limitText(limit)}
on one core. Square products of gradus (relaxed SIMD, Node ${limit.node}, ${limit.date}), each beside the limit of vectors as wide,
which bench/native.ts measured right before and after:

${productTable(limit)}

${best(limit)}

The products of whole steps, above, come to:

${stepTable(peers)}

## Narrow products

Products with few rows, columns or terms (bench/skinny.ts, ${skinny.variant} SIMD, Node ${skinny.node}, ${skinny.date}): nanoseconds, in
brackets how many times as long plain JavaScript takes, and the time of a copy of as many bytes, which is the least that memory allows.

${skinnyTable(skinny)}

A transposed b is copied before it is multiplied, unless there is only one row; that shows where there are few rows. Three rows cost
as much as four.

## Start

Medians of nine new processes; the first step is of a small net, then that of a large one in the same process.

${startTable(peers)}

## Who is who

${SINGLE.map(({ title, note, runtime }) => `- ${title}: ${runtime === 'python' ? 'Python' : runtime.replace('node-', 'Node ')}${note ? `; ${note}` : ''}.`).join('\n')}
`
}

const BEGIN = '<!-- peers: written by bench/peers/write.ts from bench/results/peers.json -->'
const END = '<!-- /peers -->'

/** The short table of README.md. */
export function summary(peers: Peers): string {
  const rows = WORKLOADS.filter(({ id }) => SHORT.includes(id)).map((workload) => {
    const best = bestOf(peers, workload, () => true)
    const cells = GROUPS.map(({ title, has }) => {
      const found = bestOf(peers, workload, has)
      if (!found) return '-'
      const who = title === OTHER_LIBRARY ? `, ${found.contestant.title}` : ''
      const text = number(found.value)
      return `${found.contestant === best?.contestant ? `**${text}**` : text}${who}`
    })
    return [`${workload.title}${workload.kind === 'reach' ? ', ms' : ''}`, ...cells]
  })
  return table(['steps/s, one core', ...GROUPS.map(({ title }) => title)], rows)
}

/** README.md with the short table in place. @throws Error if the markers are gone */
export function withSummary(readme: string, peers: Peers): string {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)]
  if (from < 0 || to < from) throw new Error('README.md has lost the markers of its table of peers')
  return `${readme.slice(0, from + BEGIN.length)}\n${summary(peers)}\n${readme.slice(to)}`
}
