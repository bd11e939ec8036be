/**
 * Products with Jacobians and Hessians without forming these matrices: each product costs a few passes through the function.
 *
 * Forward mode is made of two backward passes: Jᵀu is linear in its seed u, so that differentiating it by u in the direction v gives J·v (J.
 * Townsend, 2017, "A new trick for calculating Jacobian vector products").
 */
import { gradients } from '../ops/gradients.js'
import type { Tensor, TensorFunction, TensorLike } from '../tensor.js'
import {
  checkResult,
  floats,
  inputsOf,
  ownInput,
  type ParameterSource,
  pullback,
  settle,
  transform,
  vectorLike,
  vectorsLike,
  zeroLeaf,
} from './transformation.js'

/** A loss of an output: a single number from a tensor. */
export type OutputLoss = (output: Tensor) => Tensor

/**
 * The value of f at x and its vector-Jacobian product: `pullback(seed)` is Jᵀ·seed, of the shape of x. Elements on which f does not depend get 0. f
 * runs again for each call of pullback, so that no memory is held in between; for all rows of J use {@link jacobian}.
 *
 * @throws ShapeError unless the seed has the shape of f(x)
 * @example
 * const { value, pullback } = vjp((x) => square(x))([1, 2, 3])
 * pullback([1, 0, 1]) // [2, 0, 6]
 */
export function vjp(f: TensorFunction): (x: TensorLike) => { value: Tensor; pullback: (seed: TensorLike) => Tensor } {
  return (x) => {
    const at = floats(x, 'vjp')
    return {
      value: transform(at.backend, (nested) => settle(checkResult(f(ownInput(at, nested)), 'vjp', false), nested)),
      pullback: (seed) =>
        transform(at.backend, (nested) => {
          const input = ownInput(at, nested)
          const y = checkResult(f(input), 'vjp', false)
          return pullback([y], [vectorLike(seed, y, 'vjp: the seed')], [input], nested)[0]
        }),
    }
  }
}

/**
 * The value of f at x and its Jacobian-vector product J·v, the derivative of f along v, both of the shape of f(x). It costs about three gradients,
 * whatever the sizes of x and f(x).
 *
 * @throws ShapeError unless v has the shape of x
 * @example
 * jvp((x) => square(x))([1, 2, 3], [1, 0, 1]).tangent // [2, 0, 6]
 */
export function jvp(f: TensorFunction): (x: TensorLike, v: TensorLike) => { value: Tensor; tangent: Tensor } {
  return (x, v) => {
    const at = floats(x, 'jvp')
    const vector = vectorLike(v, at, 'jvp: v')
    return transform(at.backend, (nested) => {
      const input = ownInput(at, nested)
      const y = checkResult(f(input), 'jvp', false)
      return { value: settle(y, nested), tangent: linearize(y, [input])([vector], nested) }
    })
  }
}

/** J·v for any number of directions v. @internal */
export function linearize(y: Tensor, inputs: readonly Tensor[]): (vectors: readonly Tensor[], record: boolean) => Tensor {
  const seed = zeroLeaf(y)
  const transposed = pullback([y], [seed], inputs, true)
  return (vectors, record) => pullback(transposed, vectors, [seed], record)[0]
}

/**
 * The Hessian-vector product H(x)·v for a function with a single number as its result, of the shape of x: exact, two backward passes. Elements on
 * which the gradient does not depend get 0.
 *
 * @throws ShapeError unless f returns a single number and v has the shape of x
 * @example
 * hvp((x) => sum(mul(x, square(x))))([1, 2], [1, 1]) // 6x·v = [6, 12]
 */
export function hvp(f: TensorFunction): (x: TensorLike, v: TensorLike) => Tensor {
  return (x, v) => {
    const at = floats(x, 'hvp')
    const vector = vectorLike(v, at, 'hvp: v')
    return transform(at.backend, (nested) => {
      const input = ownInput(at, nested)
      return secondOrder(checkResult(f(input), 'hvp', true), [input], [vector], nested)[0]
    })
  }
}

/**
 * The Hessian-vector product of a loss with respect to parameters: one result for each, of its shape. `grad` of the
 * parameters is left alone. For many products at one point see {@link withHessian}.
 *
 * @param loss computes a single number from the parameters
 * @param parameters of a model, or a list of tensors that require a gradient
 * @param vectors one for each parameter, of its shape
 * @throws ShapeError unless the loss is a single number and the vectors fit; RangeError for no parameters
 * @example
 * const model = new Sequential([new Dense(2, 1)], { seed: 1 })
 * hvpOf(() => mse(model.forward([[1, 2]]), [[3]]), model, [[[1], [0]], [0]]) // [[2], [4]] and [2]
 */
export function hvpOf(loss: () => Tensor, parameters: ParameterSource, vectors: readonly TensorLike[]): Tensor[] {
  const inputs = inputsOf(parameters, 'hvpOf')
  const directions = vectorsLike(vectors, inputs, 'hvpOf')
  return transform(inputs[0].backend, (nested) => secondOrder(checkResult(loss(), 'hvpOf', true), inputs, directions, nested))
}

function secondOrder(y: Tensor, inputs: readonly Tensor[], vectors: readonly Tensor[], record: boolean): Tensor[] {
  const slopes = gradients(y, inputs, { createGraph: true })
  return pullback(slopes, vectors, inputs, record)
}

/**
 * The Gauss-Newton product Jᵀ·H·J·v: J the Jacobian of f at x, H the Hessian of `loss` at f(x). It equals the whole function's H(x)·v if f is linear
 * or the loss is at its minimum, and is never negative along v for a convex loss (Schraudolph 2002).
 *
 * @param loss a single number from f(x), such as `(y) => mse(y, target)`
 * @throws ShapeError unless the loss is a single number and v has the shape of x
 * @example
 * gnvp((x) => square(x), (y) => sum(square(y)))([1, 2], [1, 1]) // 2·(2x)²·v = [8, 32]
 */
export function gnvp(f: TensorFunction, loss: OutputLoss): (x: TensorLike, v: TensorLike) => Tensor {
  return (x, v) => {
    const at = floats(x, 'gnvp')
    const vector = vectorLike(v, at, 'gnvp: v')
    return transform(at.backend, (nested) => {
      const input = ownInput(at, nested)
      return gaussNewton(checkResult(f(input), 'gnvp', false), loss, [input], nested).product([vector], nested)[0]
    })
  }
}

/**
 * The Gauss-Newton product with respect to parameters; see {@link gnvp} and {@link hvpOf}.
 * @example
 * const model = new Sequential([new Dense(2, 1)], { seed: 1 })
 * gnvpOf(() => model.forward([[1, 2]]), (y) => mse(y, [[3]]), model, [[[1], [0]], [0]]) // [[2], [4]] and [2]
 */
export function gnvpOf(output: () => Tensor, loss: OutputLoss, parameters: ParameterSource, vectors: readonly TensorLike[]): Tensor[] {
  const inputs = inputsOf(parameters, 'gnvpOf')
  const directions = vectorsLike(vectors, inputs, 'gnvpOf')
  return transform(inputs[0].backend, (nested) =>
    gaussNewton(checkResult(output(), 'gnvpOf', false), loss, inputs, nested).product(directions, nested),
  )
}

/** Value, slope at the output and product of a recorded output and a loss. @internal */
export function gaussNewton(y: Tensor, loss: OutputLoss, inputs: readonly Tensor[], nested: boolean) {
  const push = linearize(y, inputs)
  const output = ownInput(y, nested)
  const value = checkResult(loss(output), 'gnvp: loss', true)
  const [slope] = gradients(value, [output], { createGraph: true })
  const product = (vectors: readonly Tensor[], record: boolean): Tensor[] => {
    const [curved] = pullback([slope], [push(vectors, record)], [output], record)
    return pullback([y], [curved], inputs, record)
  }
  return { value, slope, product }
}
