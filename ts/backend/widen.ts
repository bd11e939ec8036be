/**
 * Widening: V8 can compile pairs of 128-bit vector operations to 256-bit ones (`--experimental-wasm-revectorize`), which
 * doubles the speed of large matrix products and adds half to that of activations and optimizer updates. It is experimental in V8
 * and acts on the whole process, so it is opt-in.
 */
import type { Backend } from './index.js'

/** The first V8 that widens the fused multiply-add (Node 24; Node 22 widens all but that). */
const FIRST_V8 = 13
/** The tiles of crate/gemm.rs for vectors of 128 bits, and for an engine that makes two of them one. */
const NARROW_TILE = 0
const WIDE_TILE = 1
/** Enough calls for V8 to replace its first, unoptimised code. */
const CALLS = 150

interface Tiled {
  setTile(tile: number): void
}

interface Host {
  process?: { versions?: Record<string, string | undefined>; arch?: string; getBuiltinModule?(name: string): unknown }
}

/** Asks V8 to widen what it compiles from now on. False where this is not Node 24 or newer on x86. */
export function enableWidening(): boolean {
  const { process } = globalThis as Host
  const { v8, deno, bun } = process?.versions ?? {}
  if (v8 === undefined || deno !== undefined || bun !== undefined || Number.parseInt(v8, 10) < FIRST_V8) return false
  const module = process?.getBuiltinModule?.('node:v8') as { setFlagsFromString(flag: string): void } | undefined
  if (module === undefined || process?.arch !== 'x64') return false
  module.setFlagsFromString('--experimental-wasm-revectorize')
  return true
}

/**
 * Switches a backend to the wide tile, once kernels that V8 has optimised are found to give the bits of those that it has not,
 * and the wide tile to be the faster one (without AVX2 it is the slower). True if it is on.
 * @throws Error if a kernel has other bits: V8 has widened it by then, and there is no way back in this process
 */
export function useWideTile(backend: Backend): boolean {
  const { setTile } = backend.kernels as unknown as Tiled
  return withSamples(backend, ({ multiply, product, others }) => {
    const [products, rest] = [product(1), others(1)]
    if (others(CALLS) !== rest || product(CALLS) !== products) {
      throw new Error("load: V8's widening changes the results of this processor's kernels; load without `widen`")
    }
    const narrow = fastest(multiply, Number.POSITIVE_INFINITY)
    setTile(WIDE_TILE)
    if (product(CALLS) === products && fastest(multiply, narrow) < narrow) return true
    setTile(NARROW_TILE)
    return false
  })
}

/** Calls something so many times; a checksum over the bits of its results, which must be the same each time. */
type Sample = (times: number) => number

const M = 37
const N = 61
const K = 53
const TANH = 4
/** Rows and columns of softmax; all of it, with a tail, through tanh. */
const ROWS = 9
const COLUMNS = 37

/** Runs fn with a ragged product, and with tanh and softmax, which have all that other kernels are made of. */
function withSamples<T>(backend: Backend, fn: (samples: { multiply: () => void; product: Sample; others: Sample }) => T): T {
  const { heap, kernels, arena } = backend
  const mark = arena.openScope()
  try {
    const [a, b, c] = [M * K, K * N, M * N].map((size) => arena.allocate(size * heap.elementSize))
    heap.view(a, M * K).set(Array.from({ length: M * K }, (_, i) => 2 * Math.sin(i)))
    heap.view(b, K * N).set(Array.from({ length: K * N }, (_, i) => Math.cos(i)))
    const multiply = () => kernels.matmul(a, b, c, M, N, K, 0, heap.scratch)
    const product = () => {
      multiply()
      return checksum(heap.intView(c, M * N))
    }
    const others = () => {
      kernels.activationForward(a, c, ROWS * COLUMNS, TANH)
      const tanh = checksum(heap.intView(c, ROWS * COLUMNS))
      kernels.softmax(a, c, ROWS, COLUMNS)
      return Math.imul(tanh, 31) + checksum(heap.intView(c, ROWS * COLUMNS))
    }
    return fn({ multiply, product: (times) => repeated(product, times), others: (times) => repeated(others, times) })
  } finally {
    arena.closeScope(mark)
  }
}

function repeated(sample: () => number, times: number): number {
  const first = sample()
  for (let i = 1; i < times; i++) if (sample() !== first) return Number.NaN
  return first
}

/** Milliseconds of the fastest round; there are more while none is below `goal`, for the code may still be being compiled. */
function fastest(call: () => void, goal: number): number {
  let best = Infinity
  for (let round = 0; round < 10 || (round < 100 && best > 0.9 * goal); round++) {
    const started = performance.now()
    for (let i = 0; i < 20; i++) call()
    best = Math.min(best, performance.now() - started)
  }
  return best
}

function checksum(bits: Int32Array): number {
  let sum = 0
  for (let i = 0; i < bits.length; i++) sum = (Math.imul(sum, 31) + bits[i]) | 0
  return sum
}
