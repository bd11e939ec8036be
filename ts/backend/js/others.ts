/** Kernels that dense nets with their everyday layers and losses do without: in WebAssembly the part `others`. */
import type { Heap } from '../heap.js'
import { rareElementwise } from './elementwise.js'
import { normalKernel } from './random.js'
import { extremeKernels } from './reduce.js'
import { logSoftmaxKernels } from './softmax.js'

export function otherKernels(heap: Heap) {
  return { ...rareElementwise(heap), ...extremeKernels(heap), ...logSoftmaxKernels(heap), ...normalKernel(heap) }
}
