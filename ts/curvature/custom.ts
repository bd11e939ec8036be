/** Functions with a gradient of the user's own. */

import { apply, noGrad } from '../autograd.js'
import { ShapeError, typeError } from '../common/errors.js'
import { formatShape, sameShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { asTensor, Tensor, type TensorLike } from '../tensor.js'
import { checkResult } from './transformation.js'

/**
 * The user's vector-Jacobian product: gradients of the inputs from the gradient of the output, null for an input without gradient. If it is written
 * in operations, it can be differentiated again.
 */
export type CustomVjp = (gradient: Tensor, inputs: readonly Tensor[], output: Tensor) => Tensor | readonly (Tensor | null)[]

/**
 * A function that computes f and has the given derivative: for a straight-through estimator, a gradient that is more stable than the automatic one,
 * or a computation outside of this library. f itself is not recorded.
 *
 * @param gradient gets ∂L/∂output, the inputs and the output; returns ∂L/∂input for each (a single tensor for a single input)
 * @throws at the backward pass: ShapeError for a gradient that does not have the shape of its input
 * @example
 * const round = customGradient((x) => tensor(x.data().map(Math.round), x.shape), (g) => g) // straight through
 * grad((x) => sum(mul(round(x), 3)))([1.2, 2.7]) // [3, 3]
 */
export function customGradient(f: (...inputs: Tensor[]) => Tensor, gradient: CustomVjp): (...inputs: TensorLike[]) => Tensor {
  return (...given) => {
    const backend = given.find((value) => value instanceof Tensor)?.backend
    const inputs = given.map((value) => asTensor(value, backend, 'customGradient'))
    const result = noGrad(() => checkResult(f(...inputs), 'customGradient', false))
    if (inputs.length === 0) return result
    return apply(
      inputs,
      result.shape,
      (y, { heap }) => heap.floats.set(result.read(), y / heap.elementSize),
      (y) => ({ vjp: (g) => checkGradients(gradient(g, inputs, y), inputs) }),
    )
  }
}

function checkGradients(answer: Tensor | readonly (Tensor | null)[], inputs: readonly Tensor[]): readonly (Tensor | null)[] {
  const found = answer instanceof Tensor ? [answer] : answer
  if (!Array.isArray(found) || found.length !== inputs.length)
    throw new ShapeError(
      `customGradient: wants ${inputs.length} gradients, one for each input, got ${Array.isArray(found) ? found.length : show(found)}`,
    )
  for (const [i, g] of (found as readonly (Tensor | null)[]).entries()) {
    if (g === null) continue
    if (!(g instanceof Tensor)) throw typeError(`customGradient: gradient ${i} wants a tensor or null, got ${show(g)}`)
    if (!sameShape(g.shape, inputs[i].shape))
      throw new ShapeError(`customGradient: gradient ${i} has shape ${formatShape(g.shape)}, its input ${formatShape(inputs[i].shape)}`)
  }
  return found as readonly (Tensor | null)[]
}
