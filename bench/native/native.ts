/**
 * Matrix products compared with the limit of the processor: a native loop of multiply-adds on registers, built by rustc, in the same run,
 * before and after each product. Writes bench/results/native.json. Linux on x86; on Node 24 or newer the widened kernels too:
 *
 *     node --import tsx bench/native/native.ts
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { withProducts } from '../../ts/backend/families.js'
import { type Backend, createBackend } from '../../ts/index.js'
import { type Origin, origin, writeResults } from '../results.js'

/** GFLOP/s of one core by the width of its vectors. */
export type Limits = Record<string, number>

export interface Product {
  kind: 'matmul' | 'matmulNT' | 'matmulTN'
  size: number
  /** GFLOP/s, and the limit in the same run for vectors of the width that was used. */
  speed: number
  limit: number
  widened: boolean
}

export interface LimitResults extends Origin {
  limits: Limits
  products: Product[]
}

export const SIZES = [256, 512, 1024]
const KINDS = ['matmul', 'matmulNT', 'matmulTN'] as const
const MILLISECONDS = 250
const CORE = '1'

/** The native program, built once. */
function build(): string {
  const file = '.cache/native/fma'
  if (!existsSync(file)) {
    mkdirSync('.cache/native', { recursive: true })
    execFileSync('rustc', ['-O', '--edition', '2021', '-o', file, fileURLToPath(new URL('./fma.rs', import.meta.url))])
  }
  return file
}

function measureLimits(program: string): Limits {
  const lines = execFileSync(program, { encoding: 'utf8' }).trim().split('\n')
  return Object.fromEntries(lines.map((line) => line.split(' ')).map(([bits, speed]) => [bits, Number(speed)]))
}

/** GFLOP/s, best of many rounds. */
function measure(backend: Backend, kind: Product['kind'], size: number): number {
  const { heap } = backend
  const kernels = withProducts(backend)
  const [a, b, c] = [0, 1, 2].map(() => heap.allocate(size * size * heap.elementSize))
  for (const at of [a, b]) heap.view(at, size * size).forEach((_, i, view) => (view[i] = ((i * 7919) % 1000) / 1000 - 0.5))
  const calls = Math.max(1, Math.round(1e8 / (2 * size ** 3)))
  let best = 0
  const end = performance.now() + MILLISECONDS
  while (performance.now() < end) {
    const started = performance.now()
    for (let i = 0; i < calls; i++) kernels[kind](a, b, c, size, size, size, 0, heap.scratch)
    best = Math.max(best, (calls * 2 * size ** 3) / (performance.now() - started) / 1e6)
  }
  for (const at of [a, b, c]) heap.free(at)
  return best
}

function run(): LimitResults {
  const program = build()
  const limits = measureLimits(program)
  const products: Product[] = []
  // the plain kernels first: V8 widens for the whole process
  for (const widen of [false, true]) {
    // 6 × 8 is pinned: a trial of the wide tiles would make V8 compile them once and for all for 128 bits
    const backend = createBackend({ variant: 'relaxed', widen, tile: widen ? 'auto' : '6x8' })
    if (backend.widened !== widen) continue
    const width = widen ? 256 : 128
    for (const size of SIZES) {
      for (const kind of KINDS) {
        const before = measureLimits(program)
        const speed = measure(backend, kind, size)
        const after = measureLimits(program)
        for (const bits of Object.keys(limits)) limits[bits] = Math.max(limits[bits], before[bits], after[bits])
        const limit = Math.max(before[width], after[width])
        products.push({ kind, size, speed, limit, widened: widen })
        console.log(
          `${kind.padEnd(9)} ${size}³ ${widen ? 'widened' : '128 bit'} ${speed.toFixed(1)} of ${limit.toFixed(1)} GFLOP/s, ${((100 * speed) / limit).toFixed(0)} %`,
        )
      }
    }
  }
  return { ...origin(), limits, products }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.env.PINNED === undefined) {
    // this program again, on one core
    const { execPath, execArgv, argv } = process
    const { status } = spawnSync('taskset', ['-c', CORE, execPath, ...execArgv, ...argv.slice(1)], {
      stdio: 'inherit',
      env: { ...process.env, PINNED: '1' },
    })
    process.exit(status ?? 1)
  }
  const results = run()
  writeResults('native', results)
}
