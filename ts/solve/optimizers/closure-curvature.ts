/** Curvature of the loss of a closure, for the Newton methods over models. */

import type { FloatArray } from '../../backend/heap.js'
import { type CurvaturePoint, withGaussNewton, withHessian } from '../../curvature/point.js'
import type { Parameter } from '../../parameter.js'
import { floatArray, type Tensor } from '../../tensor.js'
import type { Closure } from './closure.js'

/** Products with the curvature at the present parameters, recorded once for all of a call. @internal */
export type ClosureCurvature = <T>(use: (at: CurvaturePoint) => T) => T

/**
 * The loss of a closure and its Hessian; with a loss of the closure's output the Gauss-Newton matrix. Rows and columns of
 * frozen parameters are zeros. @internal
 */
export function curvatureOf(
  parameters: readonly Parameter[],
  closure: () => Tensor,
  loss?: (output: Tensor) => Tensor,
): { whole: Closure; curvature: ClosureCurvature } {
  const trained = parameters.filter((p) => p.requiresGrad)
  const inAll = <T>(use: (at: CurvaturePoint) => T) => (trained.length === parameters.length ? use : withZeros(parameters, use))
  if (loss === undefined) return { whole: closure, curvature: (use) => withHessian(closure, trained, inAll(use)) }
  return { whole: () => loss(closure()), curvature: (use) => withGaussNewton(closure, loss, trained, inAll(use)) }
}

/** Extends a curvature over the trained parameters to all parameters, frozen ones included. */
function withZeros<T>(parameters: readonly Parameter[], use: (at: CurvaturePoint) => T): (at: CurvaturePoint) => T {
  const indices: number[] = []
  let size = 0
  for (const p of parameters) {
    if (p.requiresGrad) for (let i = 0; i < p.size; i++) indices.push(size + i)
    size += p.size
  }
  const spread = (v: FloatArray) => {
    const all = floatArray(parameters[0].backend, size)
    for (let i = 0; i < indices.length; i++) all[indices[i]] = v[i]
    return all
  }
  const product = (at: CurvaturePoint, v: ArrayLike<number>) => spread(at.product(Float64Array.from(indices, (index) => v[index])))
  return (at) => use({ value: at.value, size, gradient: spread(at.gradient), product: (v) => product(at, v) })
}
