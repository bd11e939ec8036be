/** Rows in the memory of the engine, where kernels read them in place. */
import { type BufferTensor, type BuildContext, Module, type Tensor } from '../index.js'
import type { Rows } from './vectors.js'

/** Rows of a block at most: a cache then holds them from the logits to the gradient. With all of 100,000 rows in one, training takes a third longer. */
const BLOCK = 512
/** Room for later rows: this fraction of the rows, and at least this many. */
const ROOM = 1 / 16
const LEAST_ROOM = 32

/** Some rows: [capacity, width], zeros in the room at the end. */
export class Block extends Module {
  count = 0
  #rows!: BufferTensor

  constructor(
    readonly capacity: number,
    readonly width: number,
  ) {
    super()
    this.build()
  }

  protected override createParameters(context: BuildContext): void {
    this.#rows = this.makeBuffer(context, 'rows', [this.capacity, this.width])
  }

  /** The rows, whatever the argument: a block is its own input. */
  forward(): Tensor {
    return this.#rows
  }

  /** The numbers themselves, until more memory is allocated. */
  view(): Float32Array {
    return this.#rows.view() as Float32Array
  }
}

// a loop over a row is a function of its own: called a thousand times, it is compiled sooner than a loop of loops that runs once

/** Adds the differences of a row from row 0 to `sums`. @returns the sum of their squares */
function addDistances(vectors: Float32Array, at: number, sums: Float64Array): number {
  let squares = 0
  for (let j = 0; j < sums.length; j++) {
    const x = vectors[at + j] - vectors[j]
    sums[j] += x
    squares += x * x
  }
  return squares
}

function writeScaled(vectors: Float32Array, at: number, center: Float64Array, factor: number, out: Float32Array, to: number): void {
  for (let j = 0; j < center.length; j++) out[to + j] = (vectors[at + j] - center[j]) * factor
}

/**
 * Rows that were centered and scaled, in blocks. Center and scale come from the first rows and stay: a line can be written for the rows as they came,
 * whatever they are.
 */
export class EngineRows {
  readonly width: number
  readonly center: Float64Array
  /** The root of the mean squared distance from the center. */
  readonly spread: number
  /** Columns are divided by this, twice their deviation: then biases are about as steep as weights, which takes a third of the iterations. */
  readonly scale: number
  readonly blocks: Block[] = []
  count = 0

  /** @param rows at least two that differ */
  constructor(rows: Rows) {
    const { vectors, count, width } = rows
    this.width = width
    // distances from row 0 lose no digits where all rows are far from 0
    const sums = new Float64Array(width)
    let squares = 0
    for (let i = 0; i < count; i++) squares += addDistances(vectors, i * width, sums)
    this.center = sums.map((sum, j) => vectors[j] + sum / count)
    for (let j = 0; j < width; j++) squares -= sums[j] ** 2 / count
    this.spread = Math.sqrt(Math.max(squares, 0) / count)
    this.scale = (2 * this.spread) / Math.sqrt(width)
    for (let left = count; left > 0; left -= BLOCK) this.blocks.push(new Block(Math.min(BLOCK, left), width))
    this.write(vectors)
  }

  /** @param vectors row-major */
  append(vectors: Float32Array): void {
    const room = this.blocks.reduce((sum, block) => sum + block.capacity, 0) - this.count
    const missing = vectors.length / this.width - room
    const wanted = Math.max(missing, LEAST_ROOM, Math.ceil(ROOM * this.count))
    if (missing > 0) for (let left = wanted; left > 0; left -= BLOCK) this.blocks.push(new Block(Math.min(BLOCK, left), this.width))
    this.write(vectors)
  }

  private write(vectors: Float32Array): void {
    const { width, center } = this
    const factor = 1 / this.scale
    let at = 0
    for (const block of this.blocks) {
      const own = block.view()
      for (; block.count < block.capacity && at < vectors.length; block.count++, at += width)
        writeScaled(vectors, at, center, factor, own, block.count * width)
    }
    this.count += vectors.length / width
  }

  /** Removes rows; later ones move up. @param keeps of each row */
  filter(keeps: (row: number) => boolean): void {
    const { width, blocks } = this
    let [row, target, kept] = [0, 0, 0]
    for (const block of blocks) {
      const { count } = block
      block.count = 0
      for (let i = 0; i < count; i++, row++) {
        if (!keeps(row)) continue
        if (blocks[target].count === blocks[target].capacity) target++
        const to = blocks[target]
        to.view().set(block.view().subarray(i * width, (i + 1) * width), to.count++ * width)
        kept++
      }
    }
    for (const block of blocks) block.view().fill(0, block.count * width)
    this.count = kept
  }
}
