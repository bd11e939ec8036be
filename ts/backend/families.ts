/**
 * Kernels by family. WebAssembly has all of them; JavaScript makes a family when something first asks for it, so that a bundle
 * carries the loops in JavaScript only of what it imports. Element-wise kernels and reductions, which nothing can do without, are
 * there from the start.
 */
import type { Heap } from './heap.js'
import type { Backend } from './index.js'
import { activationKernels } from './js/activation.js'
import { denseKernels } from './js/dense.js'
import { gemmKernels } from './js/gemm.js'
import { lossKernels } from './js/loss.js'
import { randomKernels } from './js/random.js'
import { softmaxKernels } from './js/softmax.js'
import type { Kernels } from './kernels.js'

/** A backend's kernels, among them those of a family. */
type With = (backend: Backend) => Kernels

function family(first: keyof Kernels, make: (heap: Heap) => Partial<Kernels>): With {
  return (backend) => {
    const { kernels } = backend
    if (typeof kernels[first] !== 'function') Object.assign(kernels, make(backend.heap))
    return kernels
  }
}

export const withProducts: With = family('matmul', gemmKernels)
export const withDense: With = family('denseForward', denseKernels)
export const withActivations: With = family('activationForward', activationKernels)
export const withSoftmax: With = family('softmax', softmaxKernels)
export const withLosses: With = family('squaredError', lossKernels)
export const withRandom: With = family('randomUniform', randomKernels)
