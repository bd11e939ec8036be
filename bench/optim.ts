/**
 * Every optimizer: nanoseconds a parameter and memory bandwidth at three sizes, WASM beside the JS rule, beside the copy
 * and triad bandwidth that kernels reach in the same run; and what one step() call costs at 100 parameters.
 *
 *     node_modules/.bin/tsx bench/optim.ts [--sizes 1000,100000] [--only Adam,Lion] [--json]
 */
import os from 'node:os'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Backend, createBackend } from '../ts/backend/index.js'
import { OPTIMIZERS, type Optimizer } from '../ts/optim/index.js'
import { Parameter } from '../ts/parameter.js'

type OptimizerConstructor = new (parameters: Parameter[], options?: object) => Optimizer

export interface OptimizerTiming {
  optimizer: string
  backend: string
  parameters: number
  nsPerParameter: number
  /** Of the bytes that one fused pass must move: p, g and state read, p and state written. */
  gigabytesPerSecond: number
}

/** Methods that look at matrices are measured on a square one, up to this many parameters. */
const LARGEST_MATRIX: Readonly<Record<string, number>> = { Adafactor: 1e7, Muon: 1e5, Shampoo: 1e3, SOAP: 1e5, SparseAdam: 1e7 }

/** Seconds of fn: the fastest of many short runs, which other work on the machine can hardly all disturb. */
export function best(fn: () => void, least = 0.002, total = 0.3): number {
  let repeats = 1
  let seconds = time(fn, repeats)
  while (seconds < least) {
    repeats = Math.ceil(repeats * Math.max(2, Math.min(100, (1.2 * least) / Math.max(seconds, 1e-7))))
    seconds = time(fn, repeats)
  }
  for (const end = performance.now() + 1000 * total; performance.now() < end; ) seconds = Math.min(seconds, time(fn, repeats))
  return seconds / repeats
}

function time(fn: () => void, repeats: number): number {
  const start = performance.now()
  for (let i = 0; i < repeats; i++) fn()
  return (performance.now() - start) / 1000
}

/** Bytes a parameter that one pass reads and writes. */
export function bytesPerParameter(optimizer: Optimizer): number {
  const slots = optimizer.groups[0].slotNames.length
  return 4 * (2 + slots + 1 + slots)
}

/** y = x, and y += a·x: GB/s that the backend's own kernels reach over n floats. */
export function bandwidth(backend: Backend, n: number): { copy: number; triad: number } {
  const { heap, kernels } = backend
  const [x, y] = [heap.allocate(4 * n), heap.allocate(4 * n)]
  const copy = (8 * n) / best(() => kernels.copy(x, y, n)) / 1e9
  const triad = (12 * n) / best(() => kernels.addScaled(x, y, n, 1e-9)) / 1e9
  heap.free(x)
  heap.free(y)
  return { copy, triad }
}

/** Time of an update of n parameters with gradients at hand. */
export function timeOptimizer(name: string, backend: Backend, n: number, options: object = {}): OptimizerTiming {
  const Class = OPTIMIZERS[name as keyof typeof OPTIMIZERS] as unknown as OptimizerConstructor
  const side = Math.round(Math.sqrt(n))
  const shape = name in LARGEST_MATRIX ? [side, side] : [n]
  const size = shape.reduce((a, b) => a * b, 1)
  const p = Parameter.ofShape(shape, { backend })
  p.gradientView().forEach((_, i, g) => (g[i] = Math.sin(i)))
  const optimizer = new Class([p], { learningRate: 1e-6, ...options })
  const seconds = best(() => {
    p.gradientState = 'ready'
    optimizer.step()
  })
  const bytes = bytesPerParameter(optimizer)
  return {
    optimizer: name,
    backend: backend.variant,
    parameters: size,
    nsPerParameter: (seconds * 1e9) / size,
    gigabytesPerSecond: (bytes * size) / seconds / 1e9,
  }
}

/** Nanoseconds of one step() at 100 parameters. */
export function timeStep(name: string, backend: Backend): number {
  return timeOptimizer(name, backend, 100).nsPerParameter * 100
}

function argument(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}

/** Collects garbage and lets finalizers give back heap blocks. */
async function settle(): Promise<void> {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  await new Promise((resolve) => setTimeout(resolve, 10))
}

async function printSize(n: number, names: string[], wasm: Backend, js: Backend): Promise<OptimizerTiming[]> {
  const whole = bandwidth(wasm, n)
  const all: OptimizerTiming[] = []
  console.log(`\n${n.toLocaleString('en')} parameters   copy ${whole.copy.toFixed(1)} GB/s, triad ${whole.triad.toFixed(1)} GB/s`)
  console.log('optimizer           bytes   wasm ns    GB/s  of triad     js ns   js/wasm')
  for (const name of names) {
    if (n > (LARGEST_MATRIX[name] ?? Infinity)) continue
    await settle()
    const [a, b] = [timeOptimizer(name, wasm, n), timeOptimizer(name, js, n)]
    all.push(a, b)
    // Measured beside each optimizer: the machine may be busier now than it was before.
    const { triad } = bandwidth(wasm, n)
    const bytes = Math.round(a.gigabytesPerSecond * a.nsPerParameter)
    const share = `${((100 * a.gigabytesPerSecond) / triad).toFixed(0)} %`
    const cells = [
      String(bytes).padStart(6),
      a.nsPerParameter.toFixed(3).padStart(10),
      a.gigabytesPerSecond.toFixed(1).padStart(8),
      share.padStart(10),
    ]
    console.log(
      `${name.padEnd(19)}${cells.join('')}${b.nsPerParameter.toFixed(3).padStart(10)}${(b.nsPerParameter / a.nsPerParameter).toFixed(1).padStart(10)}`,
    )
  }
  return all
}

/** Prints the tables. */
export async function main(): Promise<void> {
  const sizes = (argument('sizes') ?? '1000,100000,10000000').split(',').map(Number)
  const names = argument('only')?.split(',') ?? Object.keys(OPTIMIZERS)
  const [wasm, js] = [createBackend({ backend: 'wasm' }), createBackend({ backend: 'js' })]
  console.log(`${os.cpus()[0]?.model}, Node ${process.version}, wasm ${wasm.variant}, ${new Date().toISOString().slice(0, 10)}`)
  console.log(`\none step() at 100 parameters: ${names.map((name) => `${name} ${timeStep(name, wasm).toFixed(0)} ns`).join(', ')}`)
  const all: OptimizerTiming[] = []
  for (const n of sizes) all.push(...(await printSize(n, names, wasm, js)))
  if (process.argv.includes('--json')) console.log(JSON.stringify(all))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main()
