/** The order of the rows in each epoch. */
import type { Backend } from '../backend/index.js'
import { type Kernels, SCRATCH_BYTES } from '../backend/kernels.js'
import { Generator } from '../random.js'
import type { Plan } from './plan.js'

/** @internal The orders of a training from epoch 0 on: `new Generator(seed).permutation(rows)`, one after the other. */
export class EpochOrders {
  private readonly generator: Generator | null
  private readonly kept = new Map<number, Int32Array>()
  /** Arrays of orders that are no longer needed, to be reused: with short epochs, new arrays would be much work for the garbage collector. */
  private readonly spare: Int32Array[] = []
  private drawn = 0
  private readonly rows: number
  private readonly backend: Backend

  constructor({ model, rows, options: { shuffle, seed } }: Pick<Plan, 'model' | 'rows' | 'options'>) {
    this.generator = shuffle ? new Generator(seed) : null
    this.rows = rows.count
    this.backend = model.backend
  }

  /** Null if rows are not shuffled. Valid until a call of {@link forgetBefore} for a later epoch. */
  of(epoch: number): Int32Array | null {
    if (this.generator === null) return null
    while (this.drawn <= epoch) this.kept.set(this.drawn++, this.draw(this.generator))
    return this.kept.get(epoch) as Int32Array
  }

  /** Forgets the orders of earlier epochs; orders that were never drawn are skipped by advancing the generator. */
  forgetBefore(epoch: number): void {
    if (this.generator !== null && this.drawn < epoch) {
      this.generator.counter += epoch - this.drawn
      this.drawn = epoch
    }
    for (const [known, order] of this.kept) {
      if (known >= epoch) return
      this.kept.delete(known)
      this.spare.push(order)
    }
  }

  /** Draws the order by the kernel, which gives the same bits, if there is enough memory. */
  private draw(generator: Generator): Int32Array {
    const { rows, backend } = this
    const { heap } = backend
    const { permutation } = backend.kernels as Partial<Kernels>
    if (permutation === undefined || 4 * rows > SCRATCH_BYTES) return generator.permutation(rows)
    const { seedLow, seedHigh, stream } = generator
    permutation(heap.scratch, rows, seedLow, seedHigh, stream, generator.counter++)
    const order = this.spare.pop() ?? new Int32Array(rows)
    order.set(heap.intView(heap.scratch, rows))
    return order
  }
}
