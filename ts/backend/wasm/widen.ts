/**
 * Widening: V8 can compile pairs of 128-bit vector operations to 256-bit ones (`--experimental-wasm-revectorize`), which makes large matrix products
 * twice as fast, and activations and optimizer updates half as fast again. It is experimental in V8 and acts on the whole process, so it is opt-in.
 */
import { clock } from '../../common/clock.js'
import { plainError } from '../../common/errors.js'
import type { Backend } from '../backend.js'
import { type Kernels, TILES } from '../kernels.js'
import { fastestOf, type Tiled, tilesFor } from './tiles.js'
import type { Variant } from './variants.js'

/** The first V8 that widens the fused multiply-add (Node 24; Node 22 widens all but that). */
const FIRST_V8 = 13
/** Tiles of this many columns have rows of two 256-bit vectors; narrower tiles are best if V8 widens nothing. */
const WIDE = /x16$/
/** Enough calls for V8 to replace its first, unoptimized code. */
const CALLS = 150
/** Rounds in which a tile is timed; up to ten times as many until it is clearly faster than the other. */
const ROUNDS = 10

interface Host {
  process?: { versions?: Record<string, string | undefined>; arch?: string; getBuiltinModule?(name: string): unknown }
}

/** Makes V8 widen everything that it compiles from now on. Returns false unless this is Node 24 or newer on x86. */
export function enableWidening(): boolean {
  const { process } = globalThis as Host
  const { v8, deno, bun } = process?.versions ?? {}
  if (v8 === undefined || deno !== undefined || bun !== undefined || Number.parseInt(v8, 10) < FIRST_V8) return false
  const module = process?.getBuiltinModule?.('node:v8') as { setFlagsFromString(flag: string): void } | undefined
  if (module === undefined || process?.arch !== 'x64') return false
  module.setFlagsFromString('--experimental-wasm-revectorize')
  isAsked = true
  return true
}

let isAsked = false

/** A variant as V8 compiles it in this process now; once widening is on, it is on for every backend. */
export function engineOf(variant: Variant): string {
  return isAsked ? `${variant}, widened` : variant
}

/** Rows, columns and terms of a ragged product. The product to time is larger, because a small B is read in place, without a tile. */
const [M, N, K] = [37, 61, 150]
const TIMED = [48, 96, 192] as const
const TANH = 4
/** Rows and columns of the loss in the check; all its elements, which end in a partial vector, also go through tanh. */
const ROWS = 9
const COLUMNS = 37

/**
 * Checks that V8 has widened a backend's kernels usefully: with each tile, optimized kernels must give the same bits as unoptimized ones, and a wide
 * tile must be the fastest (without AVX2 it is not). `use` gets the chosen tile; without `use` the tile stays unchanged, and only its bits are
 * checked.
 * @throws Error if a kernel gives other bits: V8 has widened it by then, and that cannot be undone in this process
 */
export function checkWidened(backend: Backend, use?: (tile: number) => void): boolean {
  const { arena } = backend
  const mark = arena.openScope()
  try {
    const { check, multiply } = samplesOf(backend)
    if (use === undefined) {
      check()
      return true
    }
    const { setTile } = backend.kernels as unknown as Tiled
    const tiles = tilesFor(backend.variant as Variant)
    const times: number[] = []
    for (const tile of tiles) {
      setTile(tile)
      check()
      times.push(fastest(multiply, Math.min(...times)))
    }
    const tile = tiles[fastestOf(times)]
    setTile(tile)
    use(tile)
    return WIDE.test(TILES[tile])
  } finally {
    arena.closeScope(mark)
  }
}

/**
 * A product to time, and a check that a ragged product, tanh and cross-entropy, which contain all building blocks of other kernels, keep their
 * present bits.
 */
function samplesOf({ heap, kernels: all, arena }: Backend): { check: () => void; multiply: () => void } {
  const kernels = all as Kernels // the core of WebAssembly has these
  const [m, n, k] = TIMED
  const [a, b, c] = [m * k, k * n, m * n].map((size) => arena.allocate(size * heap.elementSize))
  heap.view(a, m * k).set(Array.from({ length: m * k }, (_, i) => 2 * Math.sin(i)))
  heap.view(b, k * n).set(Array.from({ length: k * n }, (_, i) => Math.cos(i)))
  const calls = [
    () => kernels.matmul(a, b, c, M, N, K, 0, heap.scratch),
    () => kernels.activationForward(a, c, ROWS * COLUMNS, TANH),
    () => kernels.crossEntropyProbabilities(a, b, 0, c, c + ROWS * COLUMNS * heap.elementSize, ROWS, COLUMNS, 1, 0),
  ]
  const sumOf = (call: () => void) => {
    call()
    return checksum(heap.intView(c, M * N))
  }
  const before = calls.map(sumOf)
  const check = () => {
    for (let i = 0; i < CALLS; i++)
      if (calls.some((call, j) => sumOf(call) !== before[j]))
        throw plainError("load: V8's widening changes the results of this processor's kernels; load without `widen`")
  }
  return { check, multiply: () => kernels.matmul(a, b, c, m, n, k, 0, heap.scratch) }
}

/** Milliseconds of the fastest round. There are more rounds as long as none is below `goal`, because the code may still be compiling. */
function fastest(call: () => void, goal: number): number {
  let best = Infinity
  for (let round = 0; round < ROUNDS || (round < 10 * ROUNDS && best > 0.9 * goal); round++) {
    const started = clock.now()
    for (let i = 0; i < 5; i++) call()
    best = Math.min(best, clock.now() - started)
  }
  return best
}

function checksum(bits: Int32Array): number {
  let sum = 0
  for (let i = 0; i < bits.length; i++) sum = (Math.imul(sum, 31) + bits[i]) | 0
  return sum
}
