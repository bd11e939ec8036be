/**
 * Every optimizer: nanoseconds a parameter and memory bandwidth at three sizes, WASM compared with the JS rule, and with the triad bandwidth that a
 * kernel reaches in the same run over as many bytes; and the cost of one step() call at 100 parameters, with the part of it that is not the kernel.
 *
 *     node_modules/node/bin/node --import tsx bench/optim.ts [--sizes 1000,100000] [--only Adam,Lion] [--widen] [--write | --keep]
 *
 * `--updates` leaves step() out. `--write` puts the figures into bench/results/optim.json, from which bench/optim-table.ts makes
 * docs/optimizers.md. With `--only` or `--sizes` all other figures of the file stay, and each new one has its origin, unless that is the origin in
 * the head of the file. `--keep` does the same only for figures that are better than those of the file: for a second try on the same machine, if it
 * was busy at the first. `--widen` asks V8 for vectors of 256 bits, on Node 24 or newer, and leaves step() out; its figures are added to the others.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { collectGarbage } from '../test/tools/garbage.js'
import { type Backend, createBackend } from '../ts/backend/index.js'
import type { Optimizer } from '../ts/index.js'
import { OPTIMIZERS } from '../ts/optim/index.js'
import { Parameter } from '../ts/parameter.js'
import { canPlan } from '../ts/train/fast/step-planner.js'
import { cpuName } from './tools/cpu.js'

type OptimizerConstructor = new (parameters: Parameter[], options?: object) => Optimizer

/** The origin of figures: where and when they were measured. */
export interface Origin {
  cpu: string
  node: string
  variant: string
  date: string
}

/** The head has the origin of all figures without an origin of their own. */
export interface OptimizerFigures extends Origin {
  /** Nanoseconds of one step() at 100 parameters. */
  step: Record<string, number>
  /** The same with a kernel that does nothing, for optimizers whose step is one kernel call. */
  bookkeeping: Record<string, number>
  /** Origins of optimizers whose two figures above were not measured on the machine in the head. */
  stepOrigin?: Record<string, Origin>
  updates: Update[]
  /** The updates with vectors of 256 bits (`load({ widen: true })`), in WebAssembly. */
  widened?: { node: string; date: string; updates: Update[] }
}

/** One optimizer at one size, for WASM and JS. */
export interface Update {
  optimizer: string
  parameters: number
  /** Nanoseconds a parameter. */
  wasm: number
  js: number
  /** GB/s of the WASM kernel, and of y += a·x over the same number of bytes, measured alternately: the best of each. */
  bandwidth: number
  triad: number
  /** The ratio of both: the median over alternating measurements, in which other work on the machine disturbs both alike. */
  share?: number
  /** The origin, if it differs from the head's. */
  origin?: Origin
}

export interface OptimizerTiming {
  optimizer: string
  backend: string
  parameters: number
  arrays: number
  nsPerParameter: number
  /** GB/s by {@link bytesPerParameter}. */
  gigabytesPerSecond: number
}

/** Methods for matrices are measured on a square matrix, with at most this many parameters. */
const LARGEST_MATRIX: Readonly<Record<string, number>> = { Adafactor: 1e7, Muon: 1e5, Shampoo: 1e3, SOAP: 1e5, SparseAdam: 1e7 }

/** Seconds of fn: the fastest of many short runs, some of which other work on the machine will not disturb. */
export function best(fn: () => void, least = 0.002, total = 0.3): number {
  const repeats = enough(fn, least)
  let seconds = Infinity
  const end = performance.now() + 1000 * total
  do seconds = Math.min(seconds, time(fn, repeats))
  while (performance.now() < end)
  return seconds / repeats
}

/** Number of calls of fn that take `least` seconds. */
function enough(fn: () => void, least: number): number {
  let repeats = 1
  for (let seconds = time(fn, repeats); seconds < least; seconds = time(fn, repeats)) {
    repeats = Math.ceil(repeats * Math.max(2, Math.min(100, (1.2 * least) / Math.max(seconds, 1e-7))))
  }
  return repeats
}

/** Seconds of a and of b, measured alternately for some milliseconds: the best of each, and the median of a's over b's. */
function inTurns(a: () => void, b: () => void, total = 0.7): { a: number; b: number; ratio: number } {
  const [as, bs] = [enough(a, 0.002), enough(b, 0.002)]
  const ratios: number[] = []
  let [bestA, bestB] = [Infinity, Infinity]
  let before = time(b, bs) / bs
  const end = performance.now() + 1000 * total
  do {
    const now = time(a, as) / as
    const after = time(b, bs) / bs
    ratios.push((2 * now) / (before + after))
    bestA = Math.min(bestA, now)
    bestB = Math.min(bestB, before, after)
    before = after
  } while (performance.now() < end || ratios.length < 7)
  return { a: bestA, b: bestB, ratio: ratios.sort((x, y) => x - y)[ratios.length >> 1] }
}

function time(fn: () => void, repeats: number): number {
  const start = performance.now()
  for (let i = 0; i < repeats; i++) fn()
  return (performance.now() - start) / 1000
}

/** Number of arrays as long as the parameters: values, gradients and state. */
function arrays(optimizer: Optimizer): number {
  return 2 + optimizer.groups[0].slotNames.length
}

/**
 * Number of arrays read and written by methods that need sums over a tensor before they can update it, and so pass over it twice: the memory traffic
 * of any program if caches hold nothing from pass to pass. Sums cost nothing if their pass reads those arrays anyway.
 */
const TWO_PASSES: Readonly<Record<string, number>> = {
  /** p, g, start, m, v, s → m, v, s; then p, m, v → p. */
  Prodigy: 9 + 4,
  /** p, start, g; then p, g → p. */
  DoG: 3 + 3,
  /** p, g; then p, g, momentum → p, momentum. */
  LARS: 2 + 5,
  /** p, g, m, v → m, v, direction; then p, direction → p. The load of the direction before it is overwritten is not counted. */
  LAMB: 7 + 3,
}

/** True if a method passes over its arrays twice. */
export function passesTwice(name: string): boolean {
  return name in TWO_PASSES
}

/** Bytes a parameter that a step reads and writes; for methods of one pass, p, g and state are read, p and state written. */
export function bytesPerParameter(optimizer: Optimizer): number {
  return 4 * (TWO_PASSES[optimizer.name] ?? 2 * arrays(optimizer) - 1)
}

/** y = x, and y += a·x: GB/s that the backend's own kernels reach over two arrays of n floats. */
export function bandwidth(backend: Backend, n: number): { copy: number; triad: number } {
  const { heap, kernels } = backend
  const [x, y] = [heap.allocate(4 * n), heap.allocate(4 * n)]
  const copy = (8 * n) / best(() => kernels.copy(x, y, n)) / 1e9
  const triad = (12 * n) / best(() => kernels.addScaled(x, y, n, 1e-9)) / 1e9
  heap.free(x)
  heap.free(y)
  return { copy, triad }
}

/** An optimizer of one parameter with n elements, and a function that takes a step with an existing gradient. */
function prepare(name: string, backend: Backend, n: number, options: object = {}): { optimizer: Optimizer; size: number; step(): void } {
  const Class = OPTIMIZERS[name as keyof typeof OPTIMIZERS] as unknown as OptimizerConstructor
  const side = Math.round(Math.sqrt(n))
  const shape = name in LARGEST_MATRIX ? [side, side] : [n]
  const size = shape.reduce((a, b) => a * b, 1)
  const p = Parameter.ofShape(shape, { backend })
  p.gradientView().forEach((_, i, g) => (g[i] = Math.sin(i)))
  const optimizer = new Class([p], { learningRate: 1e-6, ...options })
  const step = () => {
    p.gradientState = 'ready'
    optimizer.step()
  }
  return { optimizer, size, step }
}

/** Time of an update of n parameters with existing gradients. */
export function timeOptimizer(name: string, backend: Backend, n: number, options: object = {}): OptimizerTiming {
  const { optimizer, size, step } = prepare(name, backend, n, options)
  const seconds = best(step)
  const bytes = bytesPerParameter(optimizer)
  return {
    optimizer: name,
    backend: backend.variant,
    parameters: size,
    arrays: arrays(optimizer),
    nsPerParameter: (seconds * 1e9) / size,
    gigabytesPerSecond: (bytes * size) / seconds / 1e9,
  }
}

/** Nanoseconds of one step() at 100 parameters. */
function stepHere(name: string, withKernel: boolean): number {
  const { optimizer, step } = prepare(name, createBackend({ backend: 'wasm' }), 100)
  if (!withKernel) optimizer.groups[0].kernel = canPlan(optimizer) ? () => {} : undefined
  return optimizer.groups[0].kernel === undefined && !withKernel ? 0 : 1e9 * best(step)
}

/**
 * Nanoseconds of one step() at 100 parameters, in a process of its own: code that has seen thirty classes is slower. Without its
 * kernel: 0 for optimizers whose step is more than one kernel call.
 */
export function timeStep(name: string, part: 'step' | 'bookkeeping' = 'step'): number {
  const args = [...process.execArgv, process.argv[1], `--${part}`, name]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  const ns = Number(stdout)
  if (!(ns > 0 || part === 'bookkeeping')) throw new Error(`timing ${name} failed: ${stderr}`)
  return ns
}

function argument(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}

/** Collects garbage and lets finalizers give back heap blocks. */
async function settle(): Promise<void> {
  collectGarbage()
  await new Promise((resolve) => setTimeout(resolve, 10))
}

async function measure(name: string, n: number, wasm: Backend, js: Backend): Promise<Update> {
  await settle()
  const { optimizer, size, step } = prepare(name, wasm, n)
  // data in a cache is read faster, so the triad covers the same number of bytes
  const floats = Math.ceil((size * arrays(optimizer)) / 2)
  const { heap, kernels } = wasm
  const [x, y] = [heap.allocate(4 * floats), heap.allocate(4 * floats)]
  const { a, b, ratio } = inTurns(step, () => kernels.addScaled(x, y, floats, 1e-9))
  heap.free(x)
  heap.free(y)
  const [bytes, triadBytes] = [bytesPerParameter(optimizer) * size, 12 * floats]
  return {
    optimizer: name,
    parameters: n,
    wasm: (a * 1e9) / size,
    js: timeOptimizer(name, js, n).nsPerParameter,
    bandwidth: bytes / a / 1e9,
    triad: triadBytes / b / 1e9,
    share: bytes / triadBytes / ratio,
  }
}

/** The bandwidth of an update as a fraction of the triad's (x ← x + c·y), which only reads and writes memory. */
export function shareOf({ bandwidth, triad, share }: Update): number {
  return share ?? bandwidth / triad
}

async function printSize(n: number, names: string[], wasm: Backend, js: Backend): Promise<Update[]> {
  const { copy, triad } = bandwidth(wasm, n)
  console.log(`\n${n.toLocaleString('en')} parameters   copy ${copy.toFixed(1)} GB/s, triad ${triad.toFixed(1)} GB/s`)
  console.log('optimizer           bytes   wasm ns    GB/s  of triad     js ns   js/wasm')
  const all: Update[] = []
  for (const name of names) {
    if (n > (LARGEST_MATRIX[name] ?? Infinity)) continue
    const u = await measure(name, n, wasm, js)
    all.push(u)
    const cells = [
      String(Math.round(u.bandwidth * u.wasm)).padStart(6),
      u.wasm.toFixed(3).padStart(10),
      u.bandwidth.toFixed(1).padStart(8),
      `${(100 * shareOf(u)).toFixed(0)} %`.padStart(10),
      u.js.toFixed(3).padStart(10),
      (u.js / u.wasm).toFixed(1).padStart(10),
    ]
    console.log(`${name.padEnd(19)}${cells.join('')}`)
  }
  return all
}

const FILE = new URL('./results/optim.json', import.meta.url)

/** The figures of bench/results/optim.json. */
export function readFigures(): OptimizerFigures {
  return JSON.parse(readFileSync(FILE, 'utf8'))
}

/** The origin of a figure that is moved under another head; nothing if both are equal. */
function originUnder({ cpu, node, variant, date }: Origin, head: Origin): { origin?: Origin } {
  const isSame = cpu === head.cpu && node === head.node && variant === head.variant && date === head.date
  return isSame ? {} : { origin: { cpu, node, variant, date } }
}

/** True if a figure may replace another: always, or with `better` if it was measured on the same CPU and is less. */
function mayReplace(now: number, before: number | undefined, sameCpu: boolean, better: boolean): boolean {
  return before === undefined || !better || (sameCpu && now < before)
}

/** Updates, with new ones replacing those of the same optimizer and size, in the order of OPTIMIZERS. */
export function mergeUpdates(old: readonly Update[], now: readonly Update[], at: Origin, head: Origin, better = false): Update[] {
  const keyOf = ({ optimizer, parameters }: Update) => `${optimizer} ${parameters}`
  const merged = new Map(old.map((u) => [keyOf(u), u]))
  for (const u of now) {
    const before = merged.get(keyOf(u))
    const sameCpu = (before?.origin ?? head).cpu === at.cpu
    if (!mayReplace(u.wasm, before?.wasm, sameCpu, better)) continue
    merged.set(keyOf(u), { ...u, js: better && before ? Math.min(u.js, before.js) : u.js, ...originUnder(at, head) })
  }
  const names = Object.keys(OPTIMIZERS)
  return [...merged.values()].sort((a, b) => a.parameters - b.parameters || names.indexOf(a.optimizer) - names.indexOf(b.optimizer))
}

/** The figures of a file, updated with those of a run that measured some of them; all others stay, with their origins. */
export function mergeFigures(old: OptimizerFigures, now: OptimizerFigures, better = false): OptimizerFigures {
  const merged = { ...old, step: { ...old.step }, bookkeeping: { ...old.bookkeeping }, stepOrigin: { ...old.stepOrigin } }
  for (const [name, ns] of Object.entries(now.step)) {
    const sameCpu = (old.stepOrigin?.[name] ?? old).cpu === now.cpu
    if (!mayReplace(ns, old.step[name], sameCpu, better)) continue
    merged.step[name] = ns
    delete merged.bookkeeping[name]
    if (name in now.bookkeeping) merged.bookkeeping[name] = now.bookkeeping[name]
    delete merged.stepOrigin[name]
    const { origin } = originUnder(now, old)
    if (origin !== undefined) merged.stepOrigin[name] = origin
  }
  const { stepOrigin, ...rest } = merged
  const updates = mergeUpdates(old.updates, now.updates, now, old, better)
  return { ...rest, ...(Object.keys(stepOrigin).length > 0 ? { stepOrigin } : {}), updates }
}

function save(figures: OptimizerFigures): void {
  const round = (x: number) => Number(x.toPrecision(4))
  const rounded = JSON.stringify(figures, (_, value) => (typeof value === 'number' ? round(value) : value), 2)
  writeFileSync(FILE, `${rounded}\n`)
}

/** Adds widened updates to the others of the file. */
function saveWidened(origin: Origin, updates: Update[], isWhole: boolean, better: boolean): void {
  const file = readFigures()
  const { node, date } = origin
  const before = file.widened
  if (isWhole || before === undefined) return save({ ...file, widened: { node, date, updates } })
  const head = { ...file, node: before.node, date: before.date }
  save({ ...file, widened: { ...before, updates: mergeUpdates(before.updates, updates, origin, head, better) } })
}

/** Prints the tables. */
export async function main(): Promise<void> {
  const alone = argument('step')
  if (alone !== undefined) return console.log(stepHere(alone, true))
  const without = argument('bookkeeping')
  if (without !== undefined) return console.log(stepHere(without, false))
  const sizes = (argument('sizes') ?? '1000,100000,10000000').split(',').map(Number)
  const names = argument('only')?.split(',') ?? Object.keys(OPTIMIZERS)
  const widen = process.argv.includes('--widen')
  const [wasm, js] = [createBackend({ backend: 'wasm', widen }), createBackend({ backend: 'js' })]
  if (widen && !wasm.widened) throw new Error('--widen: this Node does not widen; it takes 24 or newer, on x86')
  const origin = {
    cpu: cpuName(),
    node: process.versions.node,
    variant: wasm.variant,
    date: new Date().toISOString().slice(0, 10),
  }
  console.log(Object.values(origin).join(', '))
  const stepping = widen || process.argv.includes('--updates') ? [] : names
  const step = Object.fromEntries(stepping.map((name) => [name, timeStep(name)]))
  const bookkeeping = Object.fromEntries(stepping.map((name) => [name, timeStep(name, 'bookkeeping')]).filter(([, ns]) => ns !== 0))
  console.log('\none step() at 100 parameters, ns (without its kernel)')
  const beside = (name: string) => (name in bookkeeping ? ` (${bookkeeping[name].toFixed(0)})` : '')
  console.log(stepping.map((name) => `${name} ${step[name].toFixed(0)}${beside(name)}`).join(', '))
  const updates: Update[] = []
  for (const n of sizes) updates.push(...(await printSize(n, names, wasm, js)))
  const [write, keep] = ['--write', '--keep'].map((flag) => process.argv.includes(flag))
  if (!write && !keep) return
  const isWhole = write && !process.argv.includes('--only') && !process.argv.includes('--sizes')
  if (widen) return saveWidened(origin, updates, isWhole, keep)
  const file = readFigures()
  const figures = { ...origin, step, bookkeeping, updates }
  if (isWhole && stepping.length > 0) save({ ...figures, widened: file.widened })
  else save(mergeFigures(file, figures, keep))
  console.log(
    'bench/results/optim.json written; `node_modules/node/bin/node --import tsx bench/optim-table.ts` makes docs/optimizers.md of it',
  )
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main()
