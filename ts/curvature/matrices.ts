/** Jacobians and Hessians as whole matrices: for functions so small that one pass per row or column is cheap enough. */

import { readOptions, type Schema } from '../common/options.js'
import { gradients } from '../ops/gradients.js'
import { reshape, stack, transpose } from '../ops/shape.js'
import type { TensorFunction } from '../tensor.js'
import { floatArray, Tensor, type TensorLike } from '../tensor.js'
import { linearize } from './products.js'
import { checkResult, floats, isolated, ownInput, pullback, settle, transform } from './transformation.js'

/** Options of {@link jacobian}. */
export interface JacobianOptions {
  /**
   * `reverse`: one backward pass per element of f(x). `forward`: one pass of about the same cost per element of x (measured in bench/curvature.ts).
   * Default `auto`: forward if f(x) has more elements than x, else reverse.
   */
  mode?: 'forward' | 'reverse' | 'auto'
}

export const JACOBIAN = { mode: { is: ['forward', 'reverse', 'auto'], default: 'auto' } } satisfies Schema<JacobianOptions>

/**
 * The Jacobian of f: result[i, j] = ∂f(x)_i / ∂x_j, shape [...f(x).shape, ...x.shape]. f runs once.
 *
 * @throws RangeError for an unknown mode, TypeError unless f returns a tensor
 * @example
 * jacobian((x) => mul(x, x))([1, 2, 3])                               // diagonal 2, 4, 6
 * jacobian((x) => mul(x, ones([1000])), { mode: 'forward' })([2]).shape // [1000, 1]
 */
export function jacobian(f: TensorFunction, options: JacobianOptions = {}): (x: TensorLike) => Tensor {
  const { mode } = readOptions('jacobian', options, JACOBIAN)
  return (x) => {
    const at = floats(x, 'jacobian')
    return transform(at.backend, (nested) => {
      const input = ownInput(at, nested)
      const y = checkResult(f(input), 'jacobian', false)
      const forward = mode === 'forward' || (mode === 'auto' && y.size > at.size)
      const shape = [...y.shape, ...at.shape]
      if (!forward) return rows((seed) => pullback([y], [seed], [input], nested)[0], y, input, nested, shape)
      const push = linearize(y, [input])
      const columns = rows((v) => push([v], nested), input, y, nested, [input.size, y.size])
      return settle(reshape(transpose(columns), shape), nested)
    })
  }
}

/**
 * The Hessian of a function with a single number as its result: shape [...x.shape, ...x.shape]. One pass forward and
 * back, then one backward pass per element of x. For many elements use {@link hvp}.
 *
 * @throws ShapeError unless f returns a single number
 * @example
 * hessian((x) => sum(mul(x, square(x))))([1, 2]) // [[6, 0], [0, 12]]
 */
export function hessian(f: TensorFunction): (x: TensorLike) => Tensor {
  return (x) => {
    const at = floats(x, 'hessian')
    return transform(at.backend, (nested) => {
      const input = ownInput(at, nested)
      const y = checkResult(f(input), 'hessian', true)
      const [slope] = gradients(y, [input], { createGraph: true })
      return rows((v) => pullback([slope], [v], [input], nested)[0], slope, input, nested, [...at.shape, ...at.shape])
    })
  }
}

/** M[i, :] = row(eᵢ) for every unit vector eᵢ like `unit`; each row of the size of `like`. */
function rows(row: (unit: Tensor) => Tensor, unit: Tensor, like: Tensor, nested: boolean, shape: readonly number[]): Tensor {
  const { backend } = unit
  const unitVector = (i: number): Tensor => {
    const e = floatArray(backend, unit.size)
    e[i] = 1
    return Tensor.onHost(backend, unit.shape, e)
  }
  if (nested && unit.size > 0)
    return reshape(stack(Array.from({ length: unit.size }, (_, i) => reshape(row(unitVector(i)), [like.size]))), shape)
  const out = floatArray(backend, unit.size * like.size)
  for (let i = 0; i < unit.size; i++) isolated(backend, () => out.set(row(unitVector(i)).read(), i * like.size))
  return Tensor.onHost(backend, shape, out)
}
