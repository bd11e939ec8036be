/**
 * Products with few rows, few columns or few terms, as from batches of one and layers with few outputs, in all three layouts: nanoseconds on the best
 * WebAssembly, compared with the twin in JavaScript, and with the time of copying the matrices once by the copy kernel. Writes
 * bench/results/skinny.json.
 *
 *     node --import tsx bench/skinny.ts
 */
import { fileURLToPath } from 'node:url'
import { withProducts } from '../ts/backend/families.js'
import { supportedVariants } from '../ts/debug/index.js'
import { type Backend, createBackend } from '../ts/index.js'
import { type Origin, origin, writeResults } from './results.js'
import { best } from './tools/limit.js'

const KINDS = ['matmul', 'matmulNT', 'matmulTN'] as const

/** Nanoseconds of one product: m × n sums of k terms. */
export interface Skinny {
  title: string
  m: number
  k: number
  n: number
  /** Time of a copy of the same number of bytes. */
  memory: number
  /** By layout: a·b, a·bᵀ, aᵀ·b. */
  wasm: number[]
  js: number[]
}

export interface SkinnyResults extends Origin {
  variant: string
  products: Skinny[]
}

const batches = [1, 2, 3, 4, 5, 6, 7, 8].map((m) => [`batch ${m}`, m, 256, 128] as const)
const outputs = [1, 3, 10].map((n) => [n === 1 ? '1 output' : `${n} outputs`, 64, 128, n] as const)
const SHAPES = [...batches, ['batch 1, 10 outputs', 1, 128, 10], ...outputs, ['4 inputs', 64, 4, 128]] as const

function buffer({ heap }: Backend, n: number): number {
  const at = heap.allocate(n * heap.elementSize)
  heap.view(at, n).forEach((_, i, view) => (view[i] = ((i * 7919) % 1000) / 1000 - 0.5))
  return at
}

/** Nanoseconds of a call. */
function time(call: () => void): number {
  best(call, 1)
  return 1 / best(call, 1)
}

function products(backend: Backend, m: number, k: number, n: number): number[] {
  const kernels = withProducts(backend)
  const [a, b, c] = [m * k, k * n, m * n].map((size) => buffer(backend, size))
  const times = KINDS.map((kind) => time(() => kernels[kind](a, b, c, m, n, k, 0, backend.heap.scratch)))
  for (const at of [a, b, c]) backend.heap.free(at)
  return times
}

/** A copy reads and writes each float, so copying half of the floats moves the same number of bytes. */
function memory(backend: Backend, floats: number): number {
  const [from, to] = [buffer(backend, floats), buffer(backend, floats)]
  const result = time(() => backend.kernels.copy(from, to, Math.ceil(floats / 2)))
  for (const at of [from, to]) backend.heap.free(at)
  return result
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wasm = createBackend({ variant: supportedVariants()[0] })
  const js = createBackend({ backend: 'js' })
  const results: Skinny[] = SHAPES.map(([title, m, k, n]) => ({
    title,
    m,
    k,
    n,
    memory: memory(wasm, m * k + k * n + m * n),
    wasm: products(wasm, m, k, n),
    js: products(js, m, k, n),
  }))
  console.log(`nanoseconds: ${KINDS.join(', ')}; in JavaScript; a copy. Node ${process.versions.node}, ${wasm.variant}`)
  const line = (times: number[]) => times.map((t) => t.toFixed(0).padStart(8)).join('')
  for (const { title, m, k, n, memory, wasm, js } of results) {
    console.log(`${title} ${m}·${k}·${n}`.padEnd(34), line(wasm), ' ', line(js), ' ', line([memory]))
  }
  const all: SkinnyResults = { ...origin(), variant: wasm.variant, products: results }
  writeResults('skinny', all)
}
