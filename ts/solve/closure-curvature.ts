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
  const free = parameters.filter((p) => p.requiresGrad)
  const curvature = <T>(use: (at: CurvaturePoint) => T): T => {
    const whole = (at: CurvaturePoint) => use(free.length === parameters.length ? at : spread(at, parameters))
    return loss === undefined ? withHessian(closure, free, whole) : withGaussNewton(closure, loss, free, whole)
  }
  return { whole: loss === undefined ? closure : () => loss(closure()), curvature }
}

/** The curvature of free parameters among all: rows and columns of frozen ones are zero. */
function spread(at: CurvaturePoint, parameters: readonly Parameter[]): CurvaturePoint {
  const size = parameters.reduce((sum, p) => sum + p.size, 0)
  const product = (v: ArrayLike<number>): Float64Array => {
    const all = Float64Array.from(v)
    const parts: number[] = []
    eachFree(parameters, (from, to) => parts.push(...all.subarray(from, to)))
    const short = at.product(Float64Array.from(parts))
    all.fill(0)
    let next = 0
    eachFree(parameters, (from, to) => {
      for (let i = from; i < to; i++) all[i] = short[next++]
    })
    return all
  }
  return { ...at, size, product }
}

function eachFree(parameters: readonly Parameter[], visit: (from: number, to: number) => void): void {
  let at = 0
  for (const p of parameters) {
    if (p.requiresGrad) visit(at, at + p.size)
    at += p.size
  }
}
