/** Activation functions: one kernel forward, one backward. Higher orders are in activation-gradient.ts. */

import { apply, type Differentiable } from '../autograd.js'
import { withActivations } from '../backend/families.js'
import { ACTIVATIONS, type Activation, type Ptr, SAVES_INPUT } from '../backend/kernels.js'
import { rangeError } from '../common/errors.js'
import { nearest } from '../common/nearest.js'
import { show } from '../common/show.js'
import { asFloats, type Operand, type ShapeOf, Tensor } from '../tensor.js'

const numbers = Object.fromEntries(ACTIVATIONS.map((name, i) => [name, i])) as Record<Activation, number>

/** @internal the kernel number of an activation. @throws RangeError listing the valid names */
export function activationNumber(name: Activation, what: string): number {
  if (!Object.hasOwn(numbers, name)) {
    const near = name === ('swish' as never) ? 'silu' : typeof name === 'string' ? nearest(name, ACTIVATIONS) : undefined
    const got =
      typeof name !== 'string'
        ? `${show(name)}; pass the name as a string`
        : (name as string) === 'softmax'
          ? `'softmax': losses take the logits of a linear last layer`
          : `${show(name)}${near === undefined ? '' : `; did you mean '${near}'?`}`
    throw rangeError(`${what}: activation wants one of ${ACTIVATIONS.join(', ')}, got ${got}`)
  }
  return numbers[name]
}

/**
 * f(x) for an activation by name: `linear`, `relu`, `leakyRelu`, `sigmoid`, `tanh`, `gelu`, `silu`, `softplus`, `elu`, `mish`,
 * `selu`.
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
    (y) => {
      const saved = SAVES_INPUT.has(name) ? x : y
      return {
        operation: name,
        vjp: (g, { activationGradient }) => [activationGradient(name, saved, g)],
        fused: (g) => {
          const dx = g.backend.arena.gradientPlace(g.size * g.backend.heap.elementSize, g.address)
          runBackward(name, saved, g, dx)
          return [Tensor.inArena(g.backend, g.shape, dx)]
        },
      }
    },
  )
}

/** @internal g ⊙ f′, from the output (from the input for activations that SAVES_INPUT), by one kernel; with rules for its own gradient, if any */
export function activationBackward(name: Activation, saved: Tensor, g: Tensor, rules?: () => Differentiable): Tensor {
  return apply([g, saved], g.shape, (dx) => runBackward(name, saved, g, dx), rules)
}

function runBackward(name: Activation, saved: Tensor, g: Tensor, dx: Ptr): void {
  withActivations(g.backend).activationBackward(saved.address, g.address, dx, g.size, numbers[name])
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
/** x·tanh(log(1 + eˣ)) (Misra 2019) @example mish([0, 1]) // [0, 0.865098] */
export const mish = <X extends Operand>(x: X): Tensor<ShapeOf<X>> => activate(x, 'mish')
/** 1.0507·x where positive, else 1.7581·(eˣ − 1): keeps mean 0 and variance 1 (Klambauer et al. 2017) @example selu([-1, 2]) // [-1.111331, 2.101402] */
export const selu = <X extends Operand>(x: X): Tensor<ShapeOf<X>> => activate(x, 'selu')
