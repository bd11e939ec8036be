/**
 * Which tile large products use (crate/gemm/tile.rs). All give the same bits, so that the fastest may be found while a program works:
 * its first large products take turns. That costs nothing at start, and times code that the engine has compiled well by then.
 */
import { type Kernels, TILES, type TileName } from '../kernels.js'
import type { Variant } from './variants.js'

/** Multiply-adds of a product that is worth timing: a twentieth of a millisecond. */
const LARGE = 1 << 21
/** Before a tile is timed, so many calls or milliseconds: V8 replaces its first, unoptimised code meanwhile. */
const WARM_CALLS = 8
const WARM_MS = 15
/** A tile's turn: so many calls or milliseconds, as clocks of pages are coarse. And turns of each; the best one counts. */
const TURN_CALLS = 4
const TURN_MS = 2
const TURNS = 3
/** What a tile's time must be less than, of the first one's, to take its place. */
const CLEARLY = 0.97

/**
 * The tiles that are tried, the likeliest first: it is used until one is chosen. Six rows by two vectors leave no register for a product
 * that is not added yet, which a multiply-add never has: without it they take twice as long. (6 × 16 is for processors with thirty-two.)
 */
const TRIED: Record<Variant, readonly TileName[]> = { simd: ['5x8', '4x16', '6x16'], relaxed: ['6x8', '4x16', '6x16'] }

/** Places in {@link TILES} of those that are tried. */
export function tilesFor(variant: Variant): number[] {
  return TRIED[variant].map((name) => TILES.indexOf(name))
}

/** The export that sets a tile by its place in TILES. */
export interface Tiled {
  setTile(tile: number): void
}

/** Chosen by this process before: the same engine and processor will choose it again. */
const known = new Map<string, number>()

/**
 * A kernel table whose first large products are timed, tile after tile, beginning with the first of `tiles`; `settled` hears of the choice.
 * `engine`: the variant and what else matters.
 */
export function withTileChoice(table: Kernels, engine: string, tiles: readonly number[], settled: (tile: number) => void): Kernels {
  const { setTile } = table as unknown as Tiled
  const settle = (tile: number) => {
    setTile(tile)
    known.set(engine, tile)
    settled(tile)
  }
  const found = known.get(engine)
  if (found !== undefined) {
    settle(found)
    return table
  }
  const open = { ...table }
  setTile(tiles[0])
  const trial = new Trial(tiles, setTile, (tile) => {
    settle(tile)
    Object.assign(open, { matmul: table.matmul, denseForward: table.denseForward })
  })
  const matmul: Kernels['matmul'] = (a, b, c, m, n, k, accumulate, scratch) => {
    if (trial.wants(0, m, n, k)) trial.run(() => table.matmul(a, b, c, m, n, k, accumulate, scratch))
    else table.matmul(a, b, c, m, n, k, accumulate, scratch)
  }
  const denseForward: Kernels['denseForward'] = (x, w, b, z, y, m, k, n, activation, scratch) => {
    if (trial.wants(1, m, n, k)) trial.run(() => table.denseForward(x, w, b, z, y, m, k, n, activation, scratch))
    else table.denseForward(x, w, b, z, y, m, k, n, activation, scratch)
  }
  return Object.assign(open, { matmul: alike(matmul, table.matmul), denseForward: alike(denseForward, table.denseForward) })
}

/** What programs (program.ts) ask of a kernel that is no export: the export in its place, and for which calls. */
function alike<F extends object>(kernel: F, before: F): F {
  return Object.assign(kernel, { whole: before, isSmall: () => true }, before)
}

/** Turns of tiles over calls of one kernel and shape. */
class Trial {
  private readonly tiles: readonly number[]
  private readonly setTile: (tile: number) => void
  private readonly settle: (tile: number) => void
  private shape: readonly number[] = []
  /** Calls of this shape and of other large ones since it was adopted: the more frequent one is timed. */
  private calls = 0
  private others = 0
  /** Of the turn under way: its number, calls and milliseconds so far. */
  private turn = 0
  private count = 0
  private time = 0
  private readonly best: number[]
  private over = false

  constructor(tiles: readonly number[], setTile: (tile: number) => void, settle: (tile: number) => void) {
    this.tiles = tiles
    this.best = tiles.map(() => Number.POSITIVE_INFINITY)
    this.setTile = setTile
    this.settle = settle
  }

  /** Whether this call is one to time. */
  wants(kernel: number, m: number, n: number, k: number): boolean {
    if (this.over || m * n * k < LARGE) return false
    const [kernel0, m0, n0, k0] = this.shape
    if (kernel === kernel0 && m === m0 && n === n0 && k === k0) return true
    if (this.others++ < this.calls + WARM_CALLS && this.shape.length > 0) return false
    this.shape = [kernel, m, n, k]
    this.calls = this.others = this.turn = this.count = this.time = 0
    this.best.fill(Number.POSITIVE_INFINITY)
    return true
  }

  /** Runs the call as part of a tile's turn. */
  run(call: () => void): void {
    const { tiles } = this
    const place = this.turn % tiles.length
    this.setTile(tiles[place])
    const started = performance.now()
    call()
    this.time += performance.now() - started
    this.count++
    this.calls++
    const isWarm = this.turn >= tiles.length
    if (this.count < (isWarm ? TURN_CALLS : WARM_CALLS) && this.time < (isWarm ? TURN_MS : WARM_MS)) return
    if (isWarm) this.best[place] = Math.min(this.best[place], this.time / this.count)
    this.turn++
    this.count = this.time = 0
    if (this.turn < (1 + TURNS) * tiles.length) return
    this.over = true
    this.settle(tiles[fastestOf(this.best)])
  }
}

/** The place of the least time, unless it is hardly less than the first. */
export function fastestOf(times: readonly number[]): number {
  const least = Math.min(...times)
  return least < CLEARLY * times[0] ? times.indexOf(least) : 0
}
