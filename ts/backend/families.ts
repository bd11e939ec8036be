/**
 * Kernels by family, which are there from when something first asks for them, so that a bundle carries only those of what it imports:
 * in WebAssembly, families that are no part of the core (parts.ts); in JavaScript all but a few loops that anything needs.
 */
import type { Heap } from './heap.js'
import type { Backend } from './index.js'
import { activationKernels } from './js/activation.js'
import { denseKernels } from './js/dense.js'
import { choiceKernels } from './js/elementwise.js'
import { gemmKernels } from './js/gemm.js'
import { crossEntropyKernels, elementLossKernels } from './js/loss.js'
import { operationKernels } from './js/operations.js'
import { otherKernels } from './js/others.js'
import { dropoutKernel, normalKernel, randomKernels } from './js/random.js'
import { softmaxKernels } from './js/softmax.js'
import type { Kernels } from './kernels.js'
import type { WasmPart } from './wasm/load.js'
import { LOSSES, OPERATIONS, OTHERS } from './wasm/parts.js'

/** A backend's kernels, among them those of a family. */
export type With = (backend: Backend) => Kernels

/** A family by one of its kernels, as JavaScript and as a part of WebAssembly, if it is one. */
function family(first: keyof Kernels, make: (heap: Heap) => Partial<Kernels>, part?: WasmPart): With {
  return (backend) => {
    const { kernels } = backend
    if (typeof kernels[first] !== 'function') Object.assign(kernels, (part && backend.part(part)) ?? make(backend.heap))
    return kernels
  }
}

export const withOperations: With = /* @__PURE__ */ family('reduceSum', operationKernels, OPERATIONS)
export const withProducts: With = /* @__PURE__ */ family('matmul', gemmKernels)
export const withDense: With = /* @__PURE__ */ family('denseForward', denseKernels)
export const withActivations: With = /* @__PURE__ */ family('activationForward', activationKernels)
export const withSoftmax: With = /* @__PURE__ */ family('softmax', softmaxKernels, OPERATIONS)
export const withCrossEntropy: With = /* @__PURE__ */ family('crossEntropyIndices', crossEntropyKernels)
export const withElementLosses: With = /* @__PURE__ */ family('squaredError', elementLossKernels, LOSSES)
export const withRandom: With = /* @__PURE__ */ family('randomUniform', randomKernels)
export const withDropout: With = /* @__PURE__ */ family('dropout', dropoutKernel, OPERATIONS)
/** For first weights, which may be normal: the loop in JavaScript, of the same bits, unless WebAssembly is there for something else. */
export const withNormals: With = /* @__PURE__ */ family('randomNormal', normalKernel)
export const withChoices: With = /* @__PURE__ */ family('maximum', choiceKernels)
export const withOthers: With = /* @__PURE__ */ family('pow', otherKernels, OTHERS)
