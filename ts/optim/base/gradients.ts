/** All gradients of a step, across groups: the input of a gradient transform. */
import type { FloatArray } from '../../backend/heap.js'
import type { Ptr } from '../../backend/kernels.js'
import type { Parameter } from '../../parameter.js'
import type { ParameterGroup } from './group.js'

/** One change to the gradients of a step. */
export interface GradientTransform {
  readonly name: string
  apply(gradients: Gradients): void
  /** Numbers to save with the optimizer. */
  state?(): Record<string, number>
  loadState?(state: Record<string, number>): void
}

/**
 * The gradients of one step, for every parameter that has a gradient; each counts multiplied by `scale`.
 *
 * @example
 * const halve: GradientTransform = { name: 'halve', apply: (gradients: Gradients) => void (gradients.scale /= 2) }
 * new SGD(model.parameters(), { learningRate: 0.1, gradientTransforms: [halve] }).step()
 */
export class Gradients {
  groups: readonly ParameterGroup[] = []
  /** Factor by which the update multiplies every gradient. */
  scale = 1

  /** Σ g² over all gradients, scale included. */
  sumSquares(): number {
    return this.sum((kernels, g, n) => kernels.sumSquares(g, n)) * this.scale ** 2
  }

  /** Norm of all gradients as one vector: 1, 2, Infinity or any other p > 0. */
  norm(p = 2): number {
    const size = Math.abs(this.scale)
    if (p === 2) return Math.sqrt(this.sumSquares())
    if (p === 1) return this.sum((kernels, g, n) => kernels.sumAbs(g, n)) * size
    if (p === Infinity) return this.largest() * size
    let sum = 0
    this.forEach((_, g) => {
      for (let i = 0; i < g.length; i++) sum += Math.abs(g[i]) ** p
    })
    return sum ** (1 / p) * size
  }

  /** max |g|, NaN if any is NaN; without the scale. */
  largest(): number {
    let largest = 0
    for (const { spans, backend } of this.groups) {
      for (const { g, n } of spans) {
        const found = backend.kernels.maxAbs(g, n)
        if (!(found <= largest)) largest = found
        if (Number.isNaN(largest)) return largest
      }
    }
    return largest
  }

  /** Calls fn with the gradient memory of each parameter (times `scale` for its true value), to read or write. */
  forEach(fn: (parameter: Parameter, gradient: FloatArray, address: Ptr) => void): void {
    for (const { spans, parameters, backend } of this.groups) {
      for (const { first, end } of spans) {
        for (let i = first; i < end; i++) {
          const p = parameters[i]
          fn(p, backend.heap.view(p.gradientAddress, p.size), p.gradientAddress)
        }
      }
    }
  }

  private sum(f: (kernels: ParameterGroup['backend']['kernels'], g: Ptr, n: number) => number): number {
    let total = 0
    for (let i = 0; i < this.groups.length; i++) {
      const { spans, backend } = this.groups[i]
      for (let j = 0; j < spans.length; j++) total += f(backend.kernels, spans[j].g, spans[j].n)
    }
    return total
  }
}
