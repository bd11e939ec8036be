/** Hessian-free Newton for training. */

import { nonNegative, positive } from '../../optim/base/options.js'
import type { Tensor } from '../../tensor.js'
import { NewtonRule } from '../minimize/newton.js'
import type { ClosureResult } from './closure.js'
import { curvatureOf } from './closure-curvature.js'
import { DescentOptimizer, type DescentOptions } from './descent-optimizer.js'

/** Options of {@link NewtonCG}. */
export interface NewtonCGOptions extends DescentOptions {
  /** λ of (H + λ·I)·d = −g. Default 0. */
  damping?: number
  /** Largest number of products with H per iteration. Default 50. */
  maxProducts?: number
}

/**
 * Newton's method without the Hessian: d is about −H⁻¹·g by conjugate gradients, from products H·v by automatic differentiation at the cost of a few
 * gradients each, until |r| ≤ min(½, √|g|)·|g| or a direction of negative curvature (Nocedal & Wright 2006, algorithm 7.1); then a strong Wolfe line
 * search. With the Gauss-Newton matrix in place of H it is Martens' Hessian-free optimization (2010), which never meets negative curvature for a
 * convex loss.
 *
 * For full batches, and for problems on which L-BFGS crawls (bad conditioning). A model in double precision is worth it here.
 *
 * @example
 * const optimizer = new NewtonCG(model.parameters())
 * optimizer.step(() => mse(model.forward(x), y))                    // Hessian
 * optimizer.step(() => model.forward(x), (output) => mse(output, y)) // Gauss-Newton
 */
export class NewtonCG extends DescentOptimizer<NewtonCGOptions> {
  static override get name() {
    return 'NewtonCG'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    ...DescentOptimizer.defaults,
    damping: 0,
    maxProducts: 50,
  }
  static override readonly allowed = {
    ...DescentOptimizer.allowed,
    damping: nonNegative,
    maxProducts: positive,
  } as const

  /**
   * Up to `maxIterations` iterations.
   * @param closure the loss; or, with a second argument, the model's output
   * @param loss of an output: then the products are Gauss-Newton's
   * @throws errors of the closure; then the parameters are at the best point seen
   */
  step(closure: () => Tensor, loss?: (output: Tensor) => Tensor): ClosureResult {
    const { whole, hessianAt } = curvatureOf(this.parameters, (x) => this.write(x), closure, loss)
    return this.run(whole, new NewtonRule(hessianAt, this.options))
  }

  protected captured(): Record<string, unknown> {
    return {}
  }

  protected restore(): void {}
}
