/**
 * Widening: V8 can compile pairs of 128-bit vector operations to 256-bit ones (`--experimental-wasm-revectorize`), which
 * doubles the speed of large matrix products. It is experimental in V8 and acts on the whole process, so it is opt-in.
 */
import type { Backend } from './index.js'

/** The first V8 that widens the fused multiply-add (Node 24; Node 22 widens all but that). */
const FIRST_V8 = 13
/** The tile of crate/gemm.rs that a widening engine runs best. */
const WIDE_TILE = 1

interface Tiled {
  setTile(tile: number): void
}

/** Asks V8 to widen what it compiles from now on. False where this is not Node 24 or newer. */
export function enableWidening(): boolean {
  const process = (
    globalThis as { process?: { versions?: { v8?: string; deno?: string; bun?: string }; getBuiltinModule?(name: string): unknown } }
  ).process
  const { v8, deno, bun } = process?.versions ?? {}
  if (v8 === undefined || deno !== undefined || bun !== undefined || Number.parseInt(v8, 10) < FIRST_V8) return false
  const module = process?.getBuiltinModule?.('node:v8') as { setFlagsFromString(flag: string): void } | undefined
  if (module === undefined) return false
  module.setFlagsFromString('--experimental-wasm-revectorize')
  return true
}

/**
 * Switches a backend to the wide tile and checks that its products keep their bits once V8 has optimised them; switches
 * back if one does not. True if it is on.
 */
export function useWideTile(backend: Backend): boolean {
  const { setTile } = backend.kernels as unknown as Tiled
  const narrow = products(backend, 1)
  setTile(WIDE_TILE)
  // enough calls for V8 to replace its first, unoptimised code
  if (products(backend, 400) === narrow) return true
  setTile(0)
  return false
}

/** A checksum over the bits of a ragged product, computed `times` times; all must agree. */
function products({ heap, kernels, arena }: Backend, times: number): number {
  const [m, n, k] = [37, 61, 53]
  const mark = arena.openScope()
  try {
    const [a, b, c] = [m * k, k * n, m * n].map((size) => arena.allocate(size * heap.elementSize))
    heap.view(a, m * k).set(Array.from({ length: m * k }, (_, i) => Math.sin(i)))
    heap.view(b, k * n).set(Array.from({ length: k * n }, (_, i) => Math.cos(i)))
    let sum = 0
    for (let i = 0; i < times; i++) {
      kernels.matmul(a, b, c, m, n, k, 0, heap.scratch)
      const now = checksum(heap.intView(c, m * n))
      if (i > 0 && now !== sum) return Number.NaN
      sum = now
    }
    return sum
  } finally {
    arena.closeScope(mark)
  }
}

function checksum(bits: Int32Array): number {
  let sum = 0
  for (let i = 0; i < bits.length; i++) sum = (Math.imul(sum, 31) + bits[i]) | 0
  return sum
}
