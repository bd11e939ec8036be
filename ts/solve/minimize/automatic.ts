/** Functions of tensors as plain functions of a vector, differentiated automatically in double precision. */

import { type Backend, doubleBackend } from '../../backend/index.js'
import { ShapeError, typeError } from '../../common/errors.js'
import { formatShape, type Shape } from '../../common/shape.js'
import { show } from '../../common/show.js'
import { mul } from '../../ops/elementwise.js'
import { gradients } from '../../ops/gradients.js'
import { sum } from '../../ops/reduce.js'
import { Tensor, type TensorFunction } from '../../tensor.js'
import type { Evaluation } from '../objective.js'

/** Value, gradient and Hessian product of a function of a tensor, over vectors. */
export interface AutomaticFunction {
  evaluate(x: Float64Array): Evaluation
  /** H·v, exactly: the gradient of gᵀv. */
  hessianProduct(x: Float64Array, v: Float64Array): Float64Array
}

/**
 * Turns a function of a tensor (with one number as its result) into an objective for {@link minimize}. The function may contain numbers and arrays;
 * tensors in it must belong to `backend`.
 *
 * @param shape shape of the tensor that f receives
 * @param backend default: a JavaScript backend in double precision, shared by all solvers
 * @example
 * const { evaluate } = automatic((x) => sum(square(x)), [2])
 * evaluate(Float64Array.of(1, 2)) // { value: 5, gradient: [2, 4] }
 */
export function automatic(f: TensorFunction, shape: Shape, backend: Backend = doubleBackend()): AutomaticFunction {
  const leaf = (x: Float64Array) => Tensor.onHost(backend, shape, backend.dtype === 'float64' ? x.slice() : Float32Array.from(x), true)
  return {
    evaluate(x) {
      const at = leaf(x)
      const y = single(f(at))
      const value = y.item()
      const [gradient] = y.requiresGrad ? gradients(y, [at]) : [null]
      backend.arena.end()
      return { value, gradient: gradient === null ? new Float64Array(x.length) : Float64Array.from(gradient.data()) }
    },
    hessianProduct(x, v) {
      const at = leaf(x)
      const y = single(f(at))
      if (!y.requiresGrad) return new Float64Array(x.length)
      const [gradient] = gradients(y, [at], { createGraph: true })
      const [product] = gradient.requiresGrad ? gradients(sum(mul(gradient, leaf(v).detach())), [at]) : [null]
      backend.arena.end()
      return product === null ? new Float64Array(x.length) : Float64Array.from(product.data())
    },
  }
}

function single(y: unknown): Tensor {
  if (!(y instanceof Tensor)) throw typeError(`a function of a tensor wants to return a tensor, got ${show(y)}`)
  if (y.size !== 1) throw new ShapeError(`a function to be minimized wants to return a single number, got shape ${formatShape(y.shape)}`)
  return y
}
