/** Newton's method in a trust region for training. */
import { positive } from '../../optim/base/options.js'
import type { Tensor } from '../../tensor.js'
import { type TrustRegionOptions, trustRegion } from '../minimize/trust-region.js'
import type { ClosureResult } from './closure.js'
import { curvatureOf } from './closure-curvature.js'
import { DescentOptimizer, type DescentOptions } from './descent-optimizer.js'

/** Options of {@link TrustRegionNewton}. */
export interface TrustRegionNewtonOptions extends DescentOptions, TrustRegionOptions {}

/**
 * Newton-CG in a trust region: the quadratic model gᵀp + ½pᵀHp is minimized within |p| ≤ radius by truncated conjugate gradients (Steihaug 1983),
 * from products H·v by automatic differentiation; the radius grows if the model is accurate and shrinks if it is not (Nocedal & Wright 2006,
 * algorithm 4.1; defaults as SciPy's `trust-ncg`). Follows negative curvature to the boundary, so that saddles hold it up less than {@link NewtonCG}.
 * The radius carries over from step to step.
 *
 * For full batches. A model in double precision is worth it here: the comparison of decreases ends at single precision.
 *
 * @example
 * const optimizer = new TrustRegionNewton(model.parameters())
 * optimizer.step(() => mse(model.forward(x), y))                    // Hessian
 * optimizer.step(() => model.forward(x), (output) => mse(output, y)) // Gauss-Newton
 */
export class TrustRegionNewton extends DescentOptimizer<TrustRegionNewtonOptions> {
  static override get name() {
    return 'TrustRegionNewton'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    ...DescentOptimizer.defaults,
    initialRadius: 1,
    maxRadius: 1000,
    eta: 0.15,
  }
  static override readonly allowed = {
    ...DescentOptimizer.allowed,
    initialRadius: positive,
    maxRadius: positive,
    eta: { min: 0, max: 0.25, openMax: true },
  } as const

  private radius: number | null = null

  /**
   * Up to `maxIterations` accepted steps.
   * @param closure the loss; or, with a second argument, the model's output
   * @param loss of an output: then the products are Gauss-Newton's
   * @throws errors of the closure; then the parameters are at the best point seen
   */
  step(closure: () => Tensor, loss?: (output: Tensor) => Tensor): ClosureResult {
    const { whole, hessianAt } = curvatureOf(this.parameters, (x) => this.write(x), closure, loss)
    const region = { radius: this.radius ?? this.options.initialRadius }
    return this.runWith(whole, (source, first, stopping) => {
      const stop = trustRegion(source, hessianAt, first, stopping, this.options, region)
      // A region that has collapsed would end every later step at once.
      this.radius = stop.reason === 'line-search' || stop.reason === 'not-finite' ? null : region.radius
      return stop
    })
  }

  protected captured(): Record<string, unknown> {
    return { radius: this.radius }
  }

  protected restore({ radius }: Record<string, unknown>): void {
    this.radius = radius as number | null
  }
}
