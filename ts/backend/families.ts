/**
 * The families of kernels of `gradus`; those of rooms are in rooms/. Each entry has the name of one of its kernels (a backend that has it has the
 * family), its loops in JavaScript, and its part of WebAssembly, if it is not in the core. ts/build/pack/parts.mjs lists the kernels of each part.
 */
import { family, sharedFamily } from './family.js'
import { activationKernels } from './js/activation.js'
import { batchNormKernels } from './js/batch-norm.js'
import { denseKernels } from './js/dense.js'
import { arithmeticKernels, choiceKernels, rareElementwise } from './js/elementwise.js'
import { gemmKernels } from './js/gemm.js'
import { crossEntropyKernels, elementLossKernels } from './js/loss.js'
import { dropoutKernel, normalKernel, randomKernels } from './js/random.js'
import { rareReductions, sumKernel } from './js/reduce.js'
import { logSoftmaxKernels, softmaxKernels } from './js/softmax.js'
import { BATCH_NORM, LOSSES, OPERATIONS, OTHERS } from './wasm/parts.js'

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
