/** Which rows each step of a training sees. */
import { Generator } from '../../random.js'
import type { RowRange } from '../fast/index.js'
import type { Plan } from '../plan.js'

/** The order of the rows in each epoch, from epoch 0 on, as `fit` draws it. */
class EpochOrders {
  private readonly generator: Generator | null
  private readonly kept = new Map<number, Int32Array>()
  private drawn = 0

  constructor(
    shuffle: boolean,
    seed: number,
    private readonly rows: number,
  ) {
    this.generator = shuffle ? new Generator(seed) : null
  }

  of(epoch: number): Int32Array | null {
    if (this.generator === null) return null
    while (this.drawn <= epoch) this.kept.set(this.drawn++, this.generator.permutation(this.rows))
    return this.kept.get(epoch) as Int32Array
  }

  forgetBefore(epoch: number): void {
    for (const known of this.kept.keys()) if (known < epoch) this.kept.delete(known)
  }
}

/** The batches of nets with equally many rows, for which orders of the same seed are drawn once. */
export class Batches {
  private readonly orders = new Map<string, EpochOrders>()
  readonly batchSize: number
  readonly perEpoch: number
  private readonly rows: number

  constructor({ batchSize, batchesPerEpoch, rows }: Plan) {
    this.batchSize = batchSize
    this.perEpoch = batchesPerEpoch
    this.rows = rows.count
  }

  epochOf(step: number): number {
    return Math.floor(step / this.perEpoch)
  }

  sizeOf(step: number): number {
    return Math.min(this.batchSize, this.rows - (step % this.perEpoch) * this.batchSize)
  }

  /** How many of the next `most` steps have as many rows as the first of them; `spansEpochs` where an epoch may end among them. */
  ahead(at: number, most: number, spansEpochs: boolean): number {
    const size = this.sizeOf(at)
    const end = spansEpochs ? at + most : Math.min(at + most, (this.epochOf(at) + 1) * this.perEpoch)
    let next = at + 1
    while (next < end && this.sizeOf(next) === size) next++
    return next - at
  }

  /** The rows of `count` steps of as many rows, a range for each epoch. */
  ranges({ options }: Plan, at: number, count: number): RowRange[] {
    const { shuffle = true, seed = 0 } = options
    const key = `${shuffle} ${seed}`
    let orders = this.orders.get(key)
    if (orders === undefined) this.orders.set(key, (orders = new EpochOrders(shuffle, seed, this.rows)))
    const size = this.sizeOf(at)
    const out: RowRange[] = []
    for (let next = at; next < at + count; ) {
      const epoch = this.epochOf(next)
      const end = Math.min(at + count, (epoch + 1) * this.perEpoch)
      const from = (next % this.perEpoch) * this.batchSize
      out.push({ order: orders.of(epoch), from, to: from + (end - next) * size })
      next = end
    }
    return out
  }

  /** No step before this one is asked for any more. */
  forgetBefore(step: number): void {
    for (const orders of this.orders.values()) orders.forgetBefore(this.epochOf(step))
  }
}
