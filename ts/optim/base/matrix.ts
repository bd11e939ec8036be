/** Arithmetic on heap memory that methods for whole tensors share, in kernels that every backend has. */

import type { Heap } from '../../backend/heap.js'
import type { Backend } from '../../backend/index.js'
import type { Ptr } from '../../backend/kernels.js'
import type { Parameter } from '../../parameter.js'

/** Rows and columns of a parameter as a matrix: axes after the first are one, a vector is a single column. */
export function matrixSides({ shape, size }: Parameter): [rows: number, cols: number] {
  if (shape.length < 2) return [size, 1]
  return [shape[0], size / Math.max(shape[0], 1)]
}

/** x[i] *= factor; the factor is broadcast from the scratch memory. */
export function multiply({ heap, kernels }: Backend, x: Ptr, n: number, factor: number): void {
  heap.floats[heap.scratch / heap.elementSize] = factor
  kernels.mul(x, heap.scratch, x, 1, n, 0, 1, 0, 0)
}

const workspaces = new FinalizationRegistry<{ heap: Heap; block: { ptr: Ptr } }>(({ heap, block }) => {
  if (block.ptr !== 0) heap.free(block.ptr)
})

/** Room for matrices that do not outlive a step; grows to the largest size requested and is freed together with its owner. */
export class Workspace {
  private floats = 0
  private readonly block = { ptr: 0 }
  private readonly backend: Backend

  constructor(backend: Backend) {
    this.backend = backend
    workspaces.register(this, { heap: backend.heap, block: this.block })
  }

  /** Addresses for arrays of these sizes, side by side; earlier arrays are overwritten. */
  take(...sizes: number[]): Ptr[] {
    const { heap } = this.backend
    const total = sizes.reduce((sum, size) => sum + size, 0)
    if (total > this.floats) {
      const ptr = heap.allocate(total * heap.elementSize)
      if (this.block.ptr !== 0) heap.free(this.block.ptr)
      this.block.ptr = ptr
      this.floats = total
    }
    let ptr = this.block.ptr
    return sizes.map((size) => {
      const here = ptr
      ptr += size * heap.elementSize
      return here
    })
  }
}
