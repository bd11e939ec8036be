/** Activation functions: one kernel forward, one backward, and the second derivative in operations for higher orders. */

import { apply } from '../autograd.js'
import { withActivations } from '../backend/families.js'
import { ACTIVATIONS, type Activation, SAVES_INPUT } from '../backend/kernels.js'
import { show } from '../show.js'
import { asFloats, type Operand, type ShapeOf, type Tensor } from '../tensor.js'
import { add, exp, greater, mul, neg, square, sub } from './elementwise.js'

const numbers = Object.fromEntries(ACTIVATIONS.map((name, i) => [name, i])) as Record<Activation, number>

/** @internal the kernel number of an activation. @throws RangeError naming the ones there are */
export function activationNumber(name: Activation, what: string): number {
  const number = numbers[name]
  if (number === undefined) {
    const got =
      typeof name !== 'string'
        ? `${show(name)}; pass the name as a string`
        : (name as string) === 'softmax'
          ? `'softmax': losses take the logits of a linear last layer`
          : show(name)
    throw new RangeError(`${what}: activation is one of ${ACTIVATIONS.join(', ')}; got ${got}`)
  }
  return number
}

/**
 * f(x) for an activation by name: `linear`, `relu`, `leakyRelu`, `sigmoid`, `tanh`, `gelu`, `silu`, `softplus`, `elu`.
 *
 * @example activate([-1, 2], 'relu') // [0, 2]
 */
export function activate<X extends Operand>(value: X, name: Activation): Tensor<ShapeOf<X>> {
  const x = asFloats(value, undefined, name)
  const number = activationNumber(name, 'activate')
  if (name === 'linear') return x
  return apply(
    [x],
    x.shape,
    (y, backend) => withActivations(backend).activationForward(x.address, y, x.size, number),
    (y) => ({ vjp: (g) => [activationGradient(name, SAVES_INPUT.has(name) ? x : y, g)] }),
  )
}

/**
 * g ⊙ f′, from the output (from the input for activations that SAVES_INPUT), by one kernel. It is linear in g, so that its
 * own gradient for g is the same kernel again.
 * @internal
 */
export function activationGradient(name: Activation, saved: Tensor, g: Tensor): Tensor {
  if (name === 'linear') return g
  const bends = name !== 'relu' && name !== 'leakyRelu'
  return apply(
    [g, saved],
    g.shape,
    (dx, backend) => withActivations(backend).activationBackward(saved.address, g.address, dx, g.size, numbers[name]),
    () => ({
      vjp: (h) => [
        g.requiresGrad ? activationGradient(name, saved, h) : null,
        saved.requiresGrad && bends ? mul(mul(g, h), secondDerivative(name, saved)) : null,
      ],
    }),
  )
}

/** The derivative of f′ by what was saved, in differentiable operations. */
function secondDerivative(name: Activation, saved: Tensor): Tensor {
  switch (name) {
    case 'sigmoid':
      return sub(1, mul(2, saved))
    case 'tanh':
      return mul(-2, saved)
    case 'gelu':
      return mul(mul(1 / Math.sqrt(2 * Math.PI), exp(mul(-0.5, square(saved)))), sub(2, square(saved)))
    case 'silu': {
      const s = sigmoid(saved)
      return mul(mul(s, sub(1, s)), add(2, mul(saved, sub(1, mul(2, s)))))
    }
    case 'softplus':
      return exp(neg(saved))
    case 'elu':
      return sub(1, greater(saved, 0))
    case 'linear':
    case 'relu':
    case 'leakyRelu':
      return mul(saved, 0)
  }
}

/** max(x, 0) @example relu([-1, 2]) // [0, 2] */
export const relu = <X extends Operand>(x: X): Tensor<ShapeOf<X>> => activate(x, 'relu')
/** x where positive, else 0.01·x @example leakyRelu([-1, 2]) // [-0.01, 2] */
export const leakyRelu = <X extends Operand>(x: X): Tensor<ShapeOf<X>> => activate(x, 'leakyRelu')
/** 1 / (1 + e⁻ˣ) @example sigmoid([0, 2]) // [0.5, 0.880797] */
export const sigmoid = <X extends Operand>(x: X): Tensor<ShapeOf<X>> => activate(x, 'sigmoid')
/** Hyperbolic tangent. @example tanh([0, 1]) // [0, 0.761594] */
export const tanh = <X extends Operand>(x: X): Tensor<ShapeOf<X>> => activate(x, 'tanh')
/** x·Φ(x) with the exact normal distribution function (Hendrycks & Gimpel 2016) @example gelu([0, 1]) // [0, 0.841345] */
export const gelu = <X extends Operand>(x: X): Tensor<ShapeOf<X>> => activate(x, 'gelu')
/** x·sigmoid(x), also called swish (Elfwing et al. 2017) @example silu([0, 1]) // [0, 0.731059] */
export const silu = <X extends Operand>(x: X): Tensor<ShapeOf<X>> => activate(x, 'silu')
/** log(1 + eˣ) @example softplus([0]) // [0.693147] */
export const softplus = <X extends Operand>(x: X): Tensor<ShapeOf<X>> => activate(x, 'softplus')
/** x where positive, else eˣ − 1 (Clevert et al. 2015) @example elu([-1, 2]) // [-0.632121, 2] */
export const elu = <X extends Operand>(x: X): Tensor<ShapeOf<X>> => activate(x, 'elu')
