/** Keys and values of steps that were seen before, so that a next step computes only its own. */

import { apply } from '../autograd.js'
import type { Backend } from '../backend/index.js'
import { BufferTensor } from '../nn/buffer.js'
import type { Tensor } from '../tensor.js'

/** @internal The keys and values of one sequence, for one layer. */
export class KeyValueCache {
  /** Steps that are there. */
  length = 0
  /** [1, capacity, width] */
  readonly keys: BufferTensor
  readonly values: BufferTensor

  constructor(
    backend: Backend,
    readonly capacity: number,
    readonly width: number,
  ) {
    this.keys = new BufferTensor([1, capacity, width], { name: 'keys', backend, value: 0 })
    this.values = new BufferTensor([1, capacity, width], { name: 'values', backend, value: 0 })
  }

  /** Adds the keys and values of steps from queries, keys and values side by side, [1, steps, 3 · width]. There is room for them. */
  append(all: Tensor): void {
    const { width, length, keys, values } = this
    const [, steps, columns] = all.shape
    apply([all], [0], (_, { kernels, heap }) => {
      const bytes = width * heap.elementSize
      for (let step = 0; step < steps; step++) {
        const [from, to] = [all.address + step * columns * heap.elementSize, (length + step) * bytes]
        kernels.copy(from + bytes, keys.address + to, width)
        kernels.copy(from + 2 * bytes, values.address + to, width)
      }
    })
    this.length += steps
  }
}
