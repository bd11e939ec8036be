/**
 * The one list of families of kernels. Each entry has the name of one of its kernels (a backend that has it has the family), its loops in JavaScript,
 * and its part of WebAssembly, if it is not in the core. A backend gets a family when code first asks for it, so a bundle contains only the families
 * of its imports. ts/build/pack/parts.mjs lists the kernels of each part.
 */
import type { Heap } from './heap.js'
import type { Backend } from './index.js'
import { activationKernels } from './js/activation.js'
import { attentionKernels } from './js/attention.js'
import { batchNormKernels } from './js/batch-norm.js'
import { convKernels } from './js/conv.js'
import { denseKernels } from './js/dense.js'
import { arithmeticKernels, choiceKernels, rareElementwise } from './js/elementwise.js'
import { gemmKernels } from './js/gemm.js'
import { crossEntropyKernels, elementLossKernels } from './js/loss.js'
import { dropoutKernel, normalKernel, randomKernels } from './js/random.js'
import { recurrentKernels } from './js/recurrent.js'
import { rareReductions, sumKernel } from './js/reduce.js'
import { logSoftmaxKernels, softmaxKernels } from './js/softmax.js'
import type { BasicKernels, Kernels } from './kernels.js'
import { ATTENTION, BATCH_NORM, CONV, LOSSES, OPERATIONS, OTHERS, RECURRENT } from './wasm/parts.js'
import type { WasmPart } from './wasm/types.js'

/** Adds the kernels of a family to a backend, if they are missing, and returns the kernels with a type that includes them. */
export type With<Name extends keyof Kernels> = (backend: Backend) => BasicKernels & Pick<Kernels, Name>

export interface Family<Name extends keyof Kernels = keyof Kernels> extends With<Name> {
  /** The loops in JavaScript over a heap. */
  readonly loops: (heap: Heap) => Pick<Kernels, Name>
  readonly part?: WasmPart
}

function family<Name extends keyof Kernels>(
  first: NoInfer<Name>,
  loops: (heap: Heap) => Pick<Kernels, Name>,
  part?: WasmPart,
): Family<Name> {
  const withFamily: With<Name> = (backend) => {
    const kernels = backend.kernels as BasicKernels & Pick<Kernels, Name>
    if (typeof kernels[first] !== 'function') Object.assign(kernels, (part && backend.part(part)) ?? loops(backend.heap))
    return kernels
  }
  return Object.assign(withFamily, { loops, part })
}

/**
 * A family whose calls threads share by a function of its part. Where one file has all kernels, as in Node, a backend has them from the start, on one
 * thread; at the first use on a backend with threads those of the part take their place.
 */
function sharedFamily<Name extends keyof Kernels>(
  first: NoInfer<Name>,
  loops: (heap: Heap) => Pick<Kernels, Name>,
  part: WasmPart,
): Family<Name> {
  const seen = new WeakSet<Backend>()
  const plain = family(first, loops, part)
  const withFamily: With<Name> = (backend) => {
    const kernels = plain(backend)
    if (backend.pool === undefined || seen.has(backend)) return kernels
    seen.add(backend)
    const shared = backend.part(part)
    if (shared) for (const name of Object.keys(loops(backend.heap))) Object.assign(kernels, { [name]: shared[name] })
    return kernels
  }
  return Object.assign(withFamily, { loops, part })
}

// A bundler leaves out the families that nothing imports, because each call is marked as pure.

export const withProducts = /* @__PURE__ */ family('matmul', gemmKernels)
export const withDense = /* @__PURE__ */ family('denseForward', denseKernels)
export const withActivations = /* @__PURE__ */ family('activationForward', activationKernels)
export const withCrossEntropy = /* @__PURE__ */ family('crossEntropyIndices', crossEntropyKernels)
export const withChoices = /* @__PURE__ */ family('maximum', choiceKernels)
export const withRandom = /* @__PURE__ */ family('randomUniform', randomKernels)
/**
 * Normal random numbers, for initial weights. They come from the loop in JavaScript, which gives the same bits, unless the part of WebAssembly is
 * loaded for another reason.
 */
export const withNormals = /* @__PURE__ */ family('randomNormal', normalKernel)
export const withElementLosses = /* @__PURE__ */ family('squaredError', elementLossKernels, LOSSES)
export const withSoftmax = /* @__PURE__ */ family('softmax', softmaxKernels, OPERATIONS)
export const withDropout = /* @__PURE__ */ family('dropout', dropoutKernel, OPERATIONS)
/** Operations that the layers, losses and optimizers of this library do not need. */
export const withOperations = /* @__PURE__ */ family(
  'reduceSum',
  (heap) => ({ ...arithmeticKernels(heap), ...sumKernel(heap) }),
  OPERATIONS,
)
/** Operations that are seldom used. */
export const withOthers = /* @__PURE__ */ family(
  'pow',
  (heap) => ({ ...rareElementwise(heap), ...rareReductions(heap), ...logSoftmaxKernels(heap), ...normalKernel(heap) }),
  OTHERS,
)
/** Batch normalization. */
export const withBatchNorm = /* @__PURE__ */ sharedFamily('batchNormForward', batchNormKernels, BATCH_NORM)
/** Convolution and pooling, for `gradus/conv`. */
export const withConv = /* @__PURE__ */ sharedFamily('convForward', convKernels, CONV)
/** Attention, for `gradus/attention`. */
export const withAttention = /* @__PURE__ */ sharedFamily('attentionForward', attentionKernels, ATTENTION)
/** Recurrent layers, for `gradus/recurrent`. */
export const withRecurrent = /* @__PURE__ */ sharedFamily('recurrentForward', recurrentKernels, RECURRENT)
