/** Gradients of functions: of one tensor, of several, of the parameters of a model. They nest to any order. */
import type { Tensor, TensorFunction, TensorLike } from '../tensor.js'
import { ones } from '../tensor.js'
import { checkResult, floats, inputsOf, ownInput, type ParameterSource, pullback, transform } from './transformation.js'

/** A function of one or more tensors. */
export type TensorsFunction = (...xs: Tensor[]) => Tensor

/** A value and its gradient, one for each argument. */
export interface ValueAndGradient {
  /** f(x) as a plain number, through which no gradient flows. */
  value: number
  /** ∂f/∂x for the first argument, of its shape. */
  gradient: Tensor
  /** ∂f/∂x for every argument. */
  gradients: Tensor[]
}

/**
 * The value of f and its gradient with respect to each argument, for a function with a single number as its result.
 * Zeros for an argument that f does not depend on. Inside the function of another transformation the gradients can be
 * differentiated again (as in JAX and torch.func); else they are lasting copies.
 *
 * @throws ShapeError unless f returns a single number, TypeError for whole numbers as arguments
 * @example
 * valueAndGrad((x) => sum(square(x)))([1, 2])                 // { value: 5, gradient: [2, 4], … }
 * valueAndGrad((a, b) => sum(mul(a, b)))([1, 2], [3, 4]).gradients // [3, 4] and [1, 2]
 */
export function valueAndGrad(f: TensorsFunction): (...xs: TensorLike[]) => ValueAndGradient {
  return (...xs) => {
    const first = floats(xs[0], 'valueAndGrad')
    const at = xs.map((x, i) => (i === 0 ? first : floats(x, `valueAndGrad: argument ${i}`, first.backend)))
    return transform(first.backend, (nested) => {
      const inputs = at.map((x) => ownInput(x, nested))
      const { value, gradients } = differentiate(() => f(...inputs), inputs, nested, 'valueAndGrad')
      return { value, gradient: gradients[0], gradients }
    })
  }
}

/**
 * The gradient of a function with a single number as its result, of the shape of x. Nests: `grad((x) => sum(grad(f)(x)))`.
 * @example
 * grad((x) => sum(square(x)))([1, 2])                         // [2, 4]
 * grad((x) => grad((x) => mul(x, square(x)))(x))(2)           // 6x = 12
 * @throws ShapeError unless f returns a single number
 */
export function grad(f: TensorFunction): (x: TensorLike) => Tensor {
  return (x) => valueAndGrad(f)(x).gradient
}

/**
 * The value of a loss and its gradient with respect to parameters, returned instead of added to their `grad`.
 *
 * @param loss computes a single number from the parameters
 * @param parameters of a model, or a list of tensors that require a gradient
 * @returns one gradient for each parameter, of its shape
 * @throws ShapeError unless the loss is a single number; RangeError for no parameters
 * @example
 * const model = new Sequential([new Dense(2, 1)], { seed: 1 })
 * const { value, gradients } = valueAndGradOf(() => mse(model.forward([[1, 2]]), [[3]]), model)
 * gradients.map((g) => g.shape) // [[2, 1], [1]]
 */
export function valueAndGradOf(loss: () => Tensor, parameters: ParameterSource): { value: number; gradients: Tensor[] } {
  const inputs = inputsOf(parameters, 'valueAndGradOf')
  return transform(inputs[0].backend, (nested) => differentiate(loss, inputs, nested, 'valueAndGradOf'))
}

function differentiate(run: () => Tensor, inputs: readonly Tensor[], record: boolean, what: string) {
  const y = checkResult(run(), what, true)
  const seed = ones(y.shape, { backend: y.backend })
  seed.constant = 1
  return { value: y.item(), gradients: pullback([y], [seed], inputs, record) }
}
