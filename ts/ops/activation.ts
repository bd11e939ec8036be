/** Activation functions: one kernel forward, one backward, and the derivative in operations for higher orders. */
import { apply } from '../autograd.js'
import { ACTIVATIONS, type Activation, SAVES_INPUT } from '../backend/kernels.js'
import { asTensor, type Tensor, type TensorLike } from '../tensor.js'
import { add, erf, exp, greater, mul, neg, square, sub } from './elementwise.js'

const numbers = Object.fromEntries(ACTIVATIONS.map((name, i) => [name, i])) as Record<Activation, number>

/** @internal the kernel number of an activation. @throws RangeError naming the ones there are */
export function activationNumber(name: Activation, what: string): number {
  const number = numbers[name]
  if (number === undefined) throw new RangeError(`${what}: activation is one of ${ACTIVATIONS.join(', ')}; got ${JSON.stringify(name)}`)
  return number
}

/** f(x) for an activation by name: `linear`, `relu`, `leakyRelu`, `sigmoid`, `tanh`, `gelu`, `silu`, `softplus`, `elu`. */
export function activate(value: TensorLike, name: Activation): Tensor {
  const x = asTensor(value, undefined, name)
  const number = activationNumber(name, 'activate')
  if (name === 'linear') return x
  return apply(
    [x],
    x.shape,
    (y, { kernels }) => kernels.activationForward(x.address, y, x.size, number),
    (y) => {
      const saved = SAVES_INPUT.has(name) ? x : y
      return { vjp: (g) => [mul(g, derivative(name, saved))], fused: (g) => [activationGradient(name, saved, g)] }
    },
  )
}

/** dx = g ⊙ f′(saved) by the kernel */
function activationGradient(name: Activation, saved: Tensor, g: Tensor): Tensor {
  return apply([g, saved], g.shape, (dx, { kernels }) => kernels.activationBackward(saved.address, g.address, dx, g.size, numbers[name]))
}

/** @internal f′ in differentiable operations, from the output (from the input for activations that SAVES_INPUT) */
export function derivative(name: Activation, saved: Tensor): Tensor {
  const positive = () => greater(saved, 0)
  switch (name) {
    case 'linear':
      return add(mul(saved, 0), 1)
    case 'relu':
      return positive()
    case 'leakyRelu':
      return add(mul(positive(), 0.99), 0.01)
    case 'sigmoid':
      return mul(saved, sub(1, saved))
    case 'tanh':
      return sub(1, square(saved))
    case 'gelu':
      return add(normalCdf(saved), mul(saved, mul(1 / Math.sqrt(2 * Math.PI), exp(mul(-0.5, square(saved))))))
    case 'silu': {
      const s = sigmoid(saved)
      return mul(s, add(1, mul(saved, sub(1, s))))
    }
    case 'softplus':
      return sub(1, exp(neg(saved)))
    case 'elu':
      return add(positive(), mul(sub(1, positive()), add(saved, 1)))
  }
}

/** Φ(x) = ½(1 + erf(x/√2)) */
function normalCdf(x: Tensor): Tensor {
  return mul(0.5, add(1, erf(mul(x, Math.SQRT1_2))))
}

/** max(x, 0) */
export const relu = (x: TensorLike): Tensor => activate(x, 'relu')
/** x where positive, else 0.01·x */
export const leakyRelu = (x: TensorLike): Tensor => activate(x, 'leakyRelu')
/** 1 / (1 + e⁻ˣ) */
export const sigmoid = (x: TensorLike): Tensor => activate(x, 'sigmoid')
/** Hyperbolic tangent. */
export const tanh = (x: TensorLike): Tensor => activate(x, 'tanh')
/** x·Φ(x) with the exact normal distribution function (Hendrycks & Gimpel 2016) */
export const gelu = (x: TensorLike): Tensor => activate(x, 'gelu')
/** x·sigmoid(x), also called swish (Elfwing et al. 2017) */
export const silu = (x: TensorLike): Tensor => activate(x, 'silu')
/** log(1 + eˣ) */
export const softplus = (x: TensorLike): Tensor => activate(x, 'softplus')
/** x where positive, else eˣ − 1 (Clevert et al. 2015) */
export const elu = (x: TensorLike): Tensor => activate(x, 'elu')
