/** Gradients as values, and the operations that gradients of gradients are made of. */
import { backpropagate, type Operations, seedFor } from '../autograd.js'
import { type Activation, SAVES_INPUT } from '../backend/kernels.js'
import { formatShape } from '../shape.js'
import { floatArray, Tensor } from '../tensor.js'
import { sigmoid } from './activation.js'
import { activationGradient } from './activation-gradient.js'
import { add, mul, sub } from './elementwise.js'
import { oneHot } from './gather.js'
import { matmul } from './matmul.js'
import { sum } from './reduce.js'
import { reshape } from './shape.js'
import { softmax } from './softmax.js'

const OPERATIONS: Operations = { add, sub, mul, sum, reshape, softmax, sigmoid, oneHot, activationGradient, denseGradients }

/** Options of {@link gradients}. */
export interface GradientsOptions {
  /** Gradient of the final result with respect to `output`; may be left out for a single number. */
  seed?: Tensor
  /** Record the backward pass too, so that the gradients can be differentiated again. Default false. */
  createGraph?: boolean
  /** Keep the graph for another pass. Default: the value of createGraph. */
  retainGraph?: boolean
}

/**
 * Gradients of `output` with respect to `inputs`, returned instead of added to `grad`; zeros for an input that `output`
 * does not depend on. Any tensor of the graph may be an input, not only leaves.
 *
 * @example
 * const x = tensor([3], { requiresGrad: true })
 * const [dx] = gradients(sum(mul(x, mul(x, x))), [x], { createGraph: true })   // 3x² = 27
 * const [ddx] = gradients(sum(dx), [x])                                        // 6x = 18
 */
export function gradients(output: Tensor, inputs: readonly Tensor[], options: GradientsOptions = {}): Tensor[] {
  const { seed, createGraph = false, retainGraph = createGraph } = options
  for (const [i, input] of inputs.entries()) {
    if (!input.requiresGrad) throw new Error(`gradients(): input ${i} of shape ${formatShape(input.shape)} does not require a gradient`)
  }
  const capture = new Map<Tensor, Tensor | null>(inputs.map((input) => [input, null]))
  if (output.node !== null) backpropagate(output, seed, { retainGraph, operations: createGraph ? OPERATIONS : null, capture })
  else if (capture.has(output)) capture.set(output, seedFor(output, seed))
  return inputs.map((input) => {
    const found = capture.get(input) ?? null
    if (found === null) return Tensor.onHost(input.backend, input.shape, floatArray(input.backend, input.size))
    return createGraph ? found : found.keep()
  })
}

function denseGradients(x: Tensor, w: Tensor, b: Tensor | null, activation: Activation, y: Tensor, g: Tensor): (Tensor | null)[] {
  const [k, n] = w.shape
  const m = n === 0 ? x.size / k : y.size / n
  const x2 = reshape(x, [m, k])
  const affine = () => (b === null ? matmul(x2, w) : add(matmul(x2, w), b))
  const saved = SAVES_INPUT.has(activation) ? affine() : reshape(y, [m, n])
  const dz = activationGradient(activation, saved, reshape(g, [m, n]))
  return [
    x.requiresGrad ? reshape(matmul(dz, w, { transposeB: true }), x.shape) : null,
    w.requiresGrad ? matmul(x2, dz, { transposeA: true }) : null,
    b?.requiresGrad ? reshape(sum(dz, 0), b.shape) : null,
  ]
}
