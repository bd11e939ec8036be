/** Kernels of operations that nets, losses and optimizers do without. */
import type { Heap } from '../heap.js'
import { arithmeticKernels } from './elementwise.js'
import { sumKernel } from './reduce.js'

export function operationKernels(heap: Heap) {
  return { ...arithmeticKernels(heap), ...sumKernel(heap) }
}
