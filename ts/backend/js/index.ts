/**
 * The pure-JS twin of every kernel: the readable specification, the fallback without WebAssembly SIMD, the baseline of
 * the benchmarks and, over a float64 heap, the double-precision mode. Arithmetic is in doubles throughout; in float32
 * mode only stores round.
 */
import type { Heap } from '../heap.js'
import type { Kernels } from '../kernels.js'
import { activationKernels } from './activation.js'
import { denseKernels } from './dense.js'
import { basicElementwise, choiceKernels } from './elementwise.js'
import { gemmKernels } from './gemm.js'
import { crossEntropyKernels, elementLossKernels } from './loss.js'
import { operationKernels } from './operations.js'
import { otherKernels } from './others.js'
import { dropoutKernel, randomKernels } from './random.js'
import { norms } from './reduce.js'
import { softmaxKernels } from './softmax.js'

/** What any program needs of the kernel table; ts/backend/families.ts adds the rest as it is asked for. */
export function createBasicKernels(heap: Heap): Kernels {
  return { ...basicElementwise(heap), ...norms(heap) } as Kernels
}

/** The whole kernel table over the given memory, as float32 or float64 after `heap.dtype`. */
export function createJsKernels(heap: Heap): Kernels {
  return {
    ...createBasicKernels(heap),
    ...operationKernels(heap),
    ...gemmKernels(heap),
    ...denseKernels(heap),
    ...activationKernels(heap),
    ...softmaxKernels(heap),
    ...crossEntropyKernels(heap),
    ...elementLossKernels(heap),
    ...choiceKernels(heap),
    ...otherKernels(heap),
    ...randomKernels(heap),
    ...dropoutKernel(heap),
  }
}
