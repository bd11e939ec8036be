/** Rows in the memory of the engine, where kernels read them in place. */
import { placeOf } from '../backend/head-kernels.js'
import type { FloatArray } from '../backend/heap.js'
import type { Ptr } from '../backend/kernels.js'
import type { Answers } from './answers.js'
import { BLOCK, Memory, whole } from './engine.js'
import type { Rows } from './vectors.js'

/** Room for later rows: this fraction of the rows, and at least this many. */
const ROOM = 1 / 16
const LEAST_ROOM = 32

/** Some rows: [capacity, columns], zeros in the room at the end. */
export interface Block {
  /** The fold that holds these rows out. */
  readonly fold: number
  readonly capacity: number
  readonly at: Ptr
  /** The numbers of its rows, and how many there are. */
  readonly rows: Int32Array
  count: number
  /** What its rows answer, and the room for it in bytes. */
  answers: Ptr
  answerBytes: number
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

function writeScaled(vectors: Float32Array, at: number, center: Float64Array, factor: number, out: FloatArray, to: number): void {
  for (let j = 0; j < center.length; j++) out[to + j] = (vectors[at + j] - center[j]) * factor
}

/**
 * Rows that were centered and scaled, in blocks, each with a 1 behind it for the bias. Center and scale come from the first rows and stay: a line can be
 * written for the rows as they came, whatever they are.
 */
export class EngineRows {
  readonly memory = new Memory()
  readonly width: number
  /** Floats from row to row. */
  readonly columns: number
  readonly center: Float64Array
  /** The root of the mean squared distance from the center. */
  readonly spread: number
  /** Columns are divided by this, twice their deviation: then biases are about as steep as weights, which takes a third of the iterations. */
  readonly scale: number
  blocks: Block[] = []
  count = 0

  /**
   * @param rows at least two that differ
   * @param foldOf the fold that holds a row out; rows of different folds are in different blocks
   */
  constructor(rows: Rows, foldOf: (row: number) => number = () => 0) {
    const { vectors, count, width } = rows
    this.width = width
    this.columns = whole(width + 1)
    // distances from row 0 lose no digits where all rows are far from 0
    const sums = new Float64Array(width)
    let squares = 0
    for (let i = 0; i < count; i++) squares += addDistances(vectors, i * width, sums)
    this.center = sums.map((sum, j) => vectors[j] + sum / count)
    for (let j = 0; j < width; j++) squares -= sums[j] ** 2 / count
    this.spread = Math.sqrt(Math.max(squares, 0) / count)
    this.scale = (2 * this.spread) / Math.sqrt(width)
    const folds: number[][] = []
    for (let i = 0; i < count; i++) (folds[foldOf(i)] ??= []).push(i)
    for (const [fold, own] of folds.entries()) if (own !== undefined) this.#write(vectors, own, 0, this.#reserve(own.length, fold))
  }

  /** @param vectors row-major */
  append(vectors: Float32Array): void {
    const { blocks, count } = this
    const rows = Array.from({ length: vectors.length / this.width }, (_, i) => count + i)
    const last = blocks[blocks.length - 1]
    const missing = rows.length - (last.capacity - last.count)
    const from = blocks.length - 1
    if (missing > 0) this.#reserve(Math.max(missing, LEAST_ROOM, Math.ceil(ROOM * count)), 0)
    this.#write(vectors, rows, count, from)
  }

  /** @returns the number of the first new block */
  #reserve(count: number, fold: number): number {
    const first = this.blocks.length
    for (let left = count; left > 0; left -= BLOCK) {
      const capacity = whole(Math.min(BLOCK, left))
      const at = this.memory.allocate(4 * capacity * this.columns)
      this.blocks.push({ fold, capacity, at, rows: new Int32Array(capacity), count: 0, answers: 0, answerBytes: 0 })
    }
    return first
  }

  /**
   * @param first the number of the first row of `vectors`
   * @param b the first block with room
   */
  #write(vectors: Float32Array, rows: readonly number[], first: number, b: number): void {
    const { width, columns, center, blocks } = this
    const { floats } = this.memory.engine.heap
    const factor = 1 / this.scale
    for (const row of rows) {
      while (blocks[b].count === blocks[b].capacity) b++
      const to = blocks[b]
      const at = to.at / 4 + to.count * columns
      writeScaled(vectors, (row - first) * width, center, factor, floats, at)
      floats[at + width] = 1
      to.rows[to.count++] = row
    }
    this.count += rows.length
  }

  /** Removes rows; later ones move up within their block. Empty blocks are freed, but for the last one. @param keeps of each row */
  filter(keeps: (row: number) => boolean): void {
    const { columns } = this
    const { floats } = this.memory.engine.heap
    const numbers = new Int32Array(this.count)
    let kept = 0
    for (let row = 0; row < numbers.length; row++) if (keeps(row)) numbers[row] = kept++
    for (const block of this.blocks) {
      const from = block.at / 4
      let after = 0
      for (let i = 0; i < block.count; i++) {
        const row = block.rows[i]
        if (!keeps(row)) continue
        floats.copyWithin(from + after * columns, from + i * columns, from + (i + 1) * columns)
        block.rows[after++] = numbers[row]
      }
      floats.fill(0, from + after * columns, from + block.count * columns)
      block.count = after
    }
    const last = this.blocks[this.blocks.length - 1]
    this.blocks = this.blocks.filter((block) => {
      const isLeft = block.count > 0 || block === last
      if (!isLeft) this.memory.free([block.at, block.answers])
      return isLeft
    })
    this.count = kept
  }

  /** Writes what each row answers. @param answerOf a row */
  setAnswers(answerOf: ArrayLike<number>, { sets }: Answers, classes: number): void {
    const { heap } = this.memory.engine
    for (const block of this.blocks) {
      const bytes = 4 * block.capacity * (sets === null ? 1 : classes)
      if (block.answerBytes < bytes) {
        this.memory.free([block.answers])
        ;[block.answers, block.answerBytes] = [this.memory.allocate(bytes), bytes]
      }
      const at = block.answers / 4
      for (let i = 0; i < block.count; i++) {
        const answer = answerOf[block.rows[i]]
        if (sets === null) heap.ints[at + i] = answer
        else for (let c = 0; c < classes; c++) heap.floats[at + placeOf(i, c, classes)] = sets[answer][c]
      }
    }
  }
}
