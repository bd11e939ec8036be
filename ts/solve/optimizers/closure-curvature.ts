/** Curvature of the loss of a closure, for the Newton methods over models. */

import type { FloatArray } from '../../backend/heap.js'
import { type CurvaturePoint, withGaussNewton, withHessian } from '../../curvature/point.js'
import type { Parameter } from '../../parameter.js'
import { floatArray, type Tensor } from '../../tensor.js'
import type { HessianAt } from '../minimize/newton.js'
import type { Closure } from './closure.js'

/**
 * The loss of a closure and its Hessian; with a loss of the closure's output the Gauss-Newton matrix. Rows and columns of frozen parameters are zeros.
 * @param write moves the parameters to a point, where the Hessian is recorded once for all products
 * @internal
 */
export function curvatureOf(
  parameters: readonly Parameter[],
  write: (x: Float64Array) => void,
  closure: () => Tensor,
  loss?: (output: Tensor) => Tensor,
): { whole: Closure; hessianAt: HessianAt } {
  const trained = parameters.filter((p) => p.requiresGrad)
  const hessianAt: HessianAt = (x, use) => {
    write(x)
    const lend = (at: CurvaturePoint) => use((v) => at.product(v))
    const inAll = trained.length === parameters.length ? lend : withZeros(parameters, lend)
    return loss === undefined ? withHessian(closure, trained, inAll) : withGaussNewton(closure, loss, trained, inAll)
  }
  return { whole: loss === undefined ? closure : () => loss(closure()), hessianAt }
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
