/** Curvature of what a closure computes, for the Newton methods over models. */
import { type CurvaturePoint, withGaussNewton, withHessian } from '../curvature/point.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'
import type { Closure } from './closure.js'

/** Products with the curvature at the present parameters, recorded once for all of a call. @internal */
export type ClosureCurvature = <T>(use: (at: CurvaturePoint) => T) => T

/** The loss of a closure and its Hessian; with a loss of the closure's output the Gauss-Newton matrix. @internal */
export function curvatureOf(
  parameters: readonly Parameter[],
  closure: () => Tensor,
  loss?: (output: Tensor) => Tensor,
): { whole: Closure; curvature: ClosureCurvature } {
  if (loss === undefined) return { whole: closure, curvature: (use) => withHessian(closure, parameters, use) }
  return { whole: () => loss(closure()), curvature: (use) => withGaussNewton(closure, loss, parameters, use) }
}
