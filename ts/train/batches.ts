/** The order in which the steps of a training go through its rows. */
import type { Position } from './diverged.js'
import type { EpochOrders } from './orders.js'
import type { Plan } from './plan.js'

/** @internal Rows of consecutive batches: order[from..to], or from..to. */
export interface RowRange {
  order: Int32Array | null
  from: number
  to: number
}

/** @internal The epoch and the rows of each step. Steps and epochs count from 0 here. */
export class Batches {
  /** The number of steps in all epochs. */
  readonly total: number
  private readonly perEpoch: number
  private readonly batchSize: number
  private readonly rows: number

  constructor({ epochs, batchesPerEpoch, batchSize, rows }: Pick<Plan, 'epochs' | 'batchesPerEpoch' | 'batchSize' | 'rows'>) {
    this.total = epochs * batchesPerEpoch
    this.perEpoch = batchesPerEpoch
    this.batchSize = batchSize
    this.rows = rows.count
  }

  epochOf(step: number): number {
    return Math.floor(step / this.perEpoch)
  }

  /** The first step after an epoch. */
  endOf(epoch: number): number {
    return (epoch + 1) * this.perEpoch
  }

  /** The step, epoch and batch as people count them, from 1. */
  positionOf(step: number): Position {
    return { step: step + 1, epoch: this.epochOf(step) + 1, batch: (step % this.perEpoch) + 1 }
  }

  /** The rows of a step. */
  sizeOf(step: number): number {
    return Math.min(this.batchSize, this.rows - (step % this.perEpoch) * this.batchSize)
  }

  /** Number of steps among the next `most` with the same number of rows as the first; with `spansEpochs`, an epoch may end among them. */
  ahead(step: number, most: number, spansEpochs: boolean): number {
    const size = this.sizeOf(step)
    const end = Math.min(step + most, spansEpochs ? this.total : (this.epochOf(step) + 1) * this.perEpoch)
    let next = step + 1
    while (next < end && this.sizeOf(next) === size) next++
    return next - step
  }

  /** The rows of `count` steps with equal numbers of rows: a range for each epoch. */
  ranges(orders: EpochOrders, step: number, count: number): RowRange[] {
    const size = this.sizeOf(step)
    const out: RowRange[] = []
    for (let next = step; next < step + count; ) {
      const epoch = this.epochOf(next)
      const end = Math.min(step + count, (epoch + 1) * this.perEpoch)
      const from = (next % this.perEpoch) * this.batchSize
      out.push({ order: orders.of(epoch), from, to: from + (end - next) * size })
      next = end
    }
    return out
  }
}
