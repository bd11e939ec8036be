/** Gradients as values, and the operations that gradients of gradients are made of. */

import { addTo, backpropagate, type Collector, type Node, type Operations, plus, seedFor } from '../autograd.js'
import { type Activation, SAVES_INPUT } from '../backend/kernels.js'
import { plainError, typeError } from '../common/errors.js'
import { anything, checkOptions, flag, type Schema } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { show } from '../common/show.js'
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

export const GRADIENTS = { seed: { is: anything }, createGraph: { is: flag }, retainGraph: { is: flag } } satisfies Schema<GradientsOptions>

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
  const { seed, createGraph = false, retainGraph = createGraph } = checkOptions('gradients', options, GRADIENTS)
  if (!Array.isArray(inputs)) throw typeError(`gradients(): wants inputs in an array, [x], got ${show(inputs)}`)
  for (const [i, input] of inputs.entries()) {
    if (!input.requiresGrad) throw plainError(`gradients(): input ${i} of shape ${formatShape(input.shape)} does not require a gradient`)
  }
  const found = new Map<Tensor, Tensor | null>(inputs.map((input) => [input, null]))
  const collector = new Capture(found)
  if (output.node !== null) backpropagate(output, seed, { retainGraph, operations: createGraph ? OPERATIONS : null, collector })
  else if (found.has(output)) found.set(output, seedFor(output, seed))
  return inputs.map((input) => {
    const gradient = found.get(input) ?? null
    if (gradient === null) return Tensor.onHost(input.backend, input.shape, floatArray(input.backend, input.size))
    return createGraph ? gradient : gradient.keep()
  })
}

/** Gradients of chosen tensors, leaves or not. Only nodes that lead to one of these run. */
class Capture implements Collector {
  private readonly leading = new Set<Node>()

  constructor(private readonly found: Map<Tensor, Tensor | null>) {}

  /** Finds out which nodes lead to a wanted tensor, from the oldest on: a node leads to a wanted tensor if an input is one or leads to one. */
  begin(nodes: readonly Node[], root: Tensor): void {
    const leads = (input: Tensor) => this.found.has(input) || this.leading.has(input.node as Node)
    for (let i = nodes.length - 1; i >= 0; i--) if (nodes[i].inputs.some(leads)) this.leading.add(nodes[i])
    if (this.found.has(root)) this.found.set(root, nodes[0].gradient)
  }

  needs(node: Node): boolean {
    return this.leading.has(node)
  }

  take(input: Tensor, arriving: Tensor): void {
    const before = this.found.get(input)
    if (before !== undefined) this.found.set(input, plus(before, arriving))
    if (this.leading.has(input.node as Node)) addTo(input.node as Node, arriving)
  }
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
