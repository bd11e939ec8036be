/**
 * The choice of a tile for large products (crate/gemm/tile.rs). All tiles give the same bits, so the fastest can be found while a program works: its
 * first large products use the tiles alternately. That costs nothing at the start, and times code that the engine has already optimized.
 */
import { clock } from '../../common/clock.js'
import { type Kernel, type Kernels, TILES, type TileName, type WrappedKernel } from '../kernels.js'
import type { Variant } from './variants.js'

/** Products of at least this many multiply-adds are *large*, and worth timing: they take a twentieth of a millisecond. */
const LARGE = 1 << 21
/** The choice is made by this many large calls, of any shapes. */
const MAX_CALLS = 64
/** Calls or milliseconds that a tile runs before it is timed: V8 replaces its first, unoptimized code meanwhile. */
const WARM_CALLS = 6
const WARM_MS = 15
/** A shape has been timed enough when each tile has run it this many times, and for this many milliseconds, since the clocks of pages are coarse. */
const ENOUGH_CALLS = 3
/** The same where another tile than the first one seems faster: on a busy machine all of three calls may have been interrupted. */
const SURE_CALLS = 6
const ENOUGH_MS = 6
/** Another tile is chosen if its time is below this fraction of the first one's. */
const CLEARLY = 0.97

/**
 * The tiles that are tried, the likeliest first: it is used until one is chosen. Without a fused multiply-add a product needs a
 * register of its own until it is added: five rows by two vectors leave one of sixteen free, six do not and take twice as long. (6 × 16 is for
 * processors with thirty-two.)
 */
const TRIED: Record<Variant, readonly TileName[]> = { simd: ['5x8', '4x16', '6x16'], relaxed: ['6x8', '4x16', '6x16'] }

/** Indices in {@link TILES} of the tiles to try. */
export function tilesFor(variant: Variant): number[] {
  return TRIED[variant].map((name) => TILES.indexOf(name))
}

/** The export that sets a tile by its index in TILES. */
export interface Tiled {
  setTile(tile: number): void
}

/** The tiles that this process has chosen. The same engine and processor would choose them again. */
const known = new Map<string, number>()

/**
 * A kernel table that times its first large products, tile after tile, beginning with the first of `tiles`, and reports the choice to `settled`.
 * `engine`: the variant and other properties that matter.
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
    settle(known.get(engine) ?? tile)
    Object.assign(open, { matmul: table.matmul, denseForward: table.denseForward })
  })
  const matmul: Kernels['matmul'] = (a, b, c, m, n, k, accumulate, scratch) => {
    if (trial.wants(m, n, k)) trial.run('matmul', m, n, k, () => table.matmul(a, b, c, m, n, k, accumulate, scratch))
    else table.matmul(a, b, c, m, n, k, accumulate, scratch)
  }
  const denseForward: Kernels['denseForward'] = (x, w, b, z, y, m, k, n, activation, scratch) => {
    if (trial.wants(m, n, k)) trial.run('denseForward', m, n, k, () => table.denseForward(x, w, b, z, y, m, k, n, activation, scratch))
    else table.denseForward(x, w, b, z, y, m, k, n, activation, scratch)
  }
  return Object.assign(open, { matmul: alike(matmul, table.matmul), denseForward: alike(denseForward, table.denseForward) })
}

/** Marks a kernel in JavaScript with what programs (train/fast/program.ts) need to know: the export that they call instead, and for which calls. */
function alike<F extends object>(kernel: F, before: F): F {
  return Object.assign(kernel, { single: before as unknown as Kernel, isSmall: () => true } satisfies WrappedKernel, before)
}

/** Times of one kernel and shape, by tile. */
class Times {
  calls = 0
  /** Timed calls, their milliseconds in all, and the fastest of them. */
  readonly timed: number[]
  readonly total: number[]
  readonly best: number[]

  constructor(tiles: number) {
    this.timed = new Array(tiles).fill(0)
    this.total = new Array(tiles).fill(0)
    this.best = new Array(tiles).fill(Number.POSITIVE_INFINITY)
  }

  add(tile: number, ms: number): void {
    this.timed[tile]++
    this.total[tile] += ms
    this.best[tile] = Math.min(this.best[tile], ms)
  }

  /** True if every tile has been timed. */
  isComplete(): boolean {
    return !this.timed.includes(0)
  }

  isEnough(): boolean {
    const least = fastestOf(this.best) === 0 ? ENOUGH_CALLS : SURE_CALLS
    return this.timed.every((calls, tile) => calls >= least && this.total[tile] >= ENOUGH_MS)
  }
}

/**
 * Finds the fastest tile for the large products of a program. First each tile warms up. Then the tiles alternate within each shape, so that tiles are
 * only compared on products of equal shape.
 */
class Trial {
  private readonly shapes = new Map<string, Times>()
  /** Milliseconds per multiply-add over all shapes together, for programs in which no single shape occurs often enough. */
  private readonly any: Times
  private readonly warmCalls: number[]
  private readonly warmMs: number[]
  private calls = 0
  private over = false

  constructor(
    private readonly tiles: readonly number[],
    private readonly setTile: (tile: number) => void,
    private readonly settle: (tile: number) => void,
  ) {
    this.any = new Times(tiles.length)
    this.warmCalls = new Array(tiles.length).fill(0)
    this.warmMs = new Array(tiles.length).fill(0)
  }

  /** True if this call should be timed. */
  wants(m: number, n: number, k: number): boolean {
    return !this.over && m * n * k >= LARGE
  }

  /** Runs a call with the next tile to time. */
  run(kernel: string, m: number, n: number, k: number, call: () => void): void {
    const shape = this.timesOf(`${kernel} ${m} ${n} ${k}`)
    const cold = this.warmCalls.findIndex((calls, index) => calls < WARM_CALLS && this.warmMs[index] < WARM_MS)
    const index = cold >= 0 ? cold : this.next(shape)
    this.setTile(this.tiles[index])
    const started = clock.now()
    call()
    const ms = clock.now() - started
    // products that are not timed, such as those of a backward pass or a step program, use the first tile until the choice is made
    this.setTile(this.tiles[0])
    this.calls++
    shape.calls++
    if (cold >= 0) {
      this.warmCalls[index]++
      this.warmMs[index] += ms
    } else {
      shape.add(index, ms)
      this.any.add(index, ms / (m * n * k))
    }
    if (this.calls < MAX_CALLS && !this.isClear()) return
    this.over = true
    this.settle(this.tiles[fastestOf(this.costs())])
  }

  /** The tile that has been timed least often with this shape; among several, the one that has been timed least often overall. */
  private next(shape: Times): number {
    const indices = this.tiles.map((_, index) => index)
    const due = lowest(indices, (index) => shape.timed[index])
    return lowest(due, (index) => this.any.timed[index])[0]
  }

  private timesOf(key: string): Times {
    let times = this.shapes.get(key)
    if (times === undefined) this.shapes.set(key, (times = new Times(this.tiles.length)))
    return times
  }

  /** True if enough calls have been timed: all shapes with each tile, and one of them often enough. */
  private isClear(): boolean {
    const shapes = [...this.shapes.values()]
    return shapes.every((shape) => shape.isComplete()) && shapes.some((shape) => shape.isEnough())
  }

  /** Cost of each tile for the program's mix of shapes: the best time of each shape, times its number of calls. */
  private costs(): number[] {
    const complete = [...this.shapes.values()].filter((shape) => shape.isComplete())
    if (complete.length === 0) return this.any.best
    return this.tiles.map((_, index) => complete.reduce((sum, { calls, best }) => sum + calls * best[index], 0))
  }
}

/** The indices with the lowest score. */
function lowest(indices: readonly number[], scoreOf: (index: number) => number): number[] {
  const least = Math.min(...indices.map(scoreOf))
  return indices.filter((index) => scoreOf(index) === least)
}

/** The index of the least time, or 0 if the least time is hardly less than the first. */
export function fastestOf(times: readonly number[]): number {
  const least = Math.min(...times)
  return least < CLEARLY * times[0] ? times.indexOf(least) : 0
}
