/** Rows in the memory of the engine, where kernels read them in place, with room for more. */
import { type BufferTensor, type BuildContext, Module, type Tensor } from '../index.js'
import type { Rows } from './vectors.js'

/** Room for later rows: this fraction of the rows, and at least this many. */
const ROOM = 1 / 16
const LEAST_ROOM = 32

/** One block of memory. */
class Block extends Module {
  rows!: BufferTensor

  constructor(
    readonly capacity: number,
    readonly width: number,
  ) {
    super()
    this.build()
  }

  protected override createParameters(context: BuildContext): void {
    this.rows = this.makeBuffer(context, 'rows', [this.capacity, this.width])
  }

  forward(): Tensor {
    return this.rows
  }
}

/**
 * Rows that were centered and scaled. Center and scale come from the first rows and stay: a line can be written for the rows as they came, whatever they
 * are.
 */
export class EngineRows {
  readonly width: number
  readonly center: Float64Array
  /** The root of the mean squared distance from the center. */
  readonly spread: number
  /** Columns are divided by this, twice their deviation: then the biases are about as steep as the weights, which takes a third of the iterations. */
  readonly scale: number
  count = 0
  private block: Block

  /** @param rows at least two that differ */
  constructor(rows: Rows) {
    const { vectors, count, width } = rows
    this.width = width
    this.center = new Float64Array(width)
    for (let i = 0, at = 0; i < count; i++) for (let j = 0; j < width; j++, at++) this.center[j] += vectors[at]
    for (let j = 0; j < width; j++) this.center[j] /= count
    let squares = 0
    for (let i = 0, at = 0; i < count; i++) for (let j = 0; j < width; j++, at++) squares += (vectors[at] - this.center[j]) ** 2
    this.spread = Math.sqrt(squares / count)
    this.scale = (2 * this.spread) / Math.sqrt(width)
    this.block = new Block(count, width)
    this.append(vectors)
  }

  /** All rows, and zeros in the room behind them: [capacity, width]. */
  get tensor(): Tensor {
    return this.block.rows
  }

  get capacity(): number {
    return this.block.capacity
  }

  /** @param vectors row-major */
  append(vectors: Float32Array): void {
    const { width, center, count } = this
    const added = vectors.length / width
    if (count + added > this.capacity) {
      const before = this.block
      this.block = new Block(count + added + Math.max(LEAST_ROOM, Math.ceil(ROOM * (count + added))), width)
      this.block.rows.view().set(before.rows.view().subarray(0, count * width))
    }
    const own = this.block.rows.view()
    const factor = 1 / this.scale
    for (let i = 0, at = 0, to = count * width; i < added; i++)
      for (let j = 0; j < width; j++) own[to++] = (vectors[at++] - center[j]) * factor
    this.count += added
  }

  /** Removes rows. @param keeps of each row */
  filter(keeps: (row: number) => boolean): void {
    const { width } = this
    const own = this.block.rows.view()
    let kept = 0
    for (let i = 0; i < this.count; i++) if (keeps(i)) own.copyWithin(kept++ * width, i * width, (i + 1) * width)
    own.fill(0, kept * width, this.count * width)
    this.count = kept
  }
}
