/** Gradients of activations as operations: with the second derivative, for gradients of any order. */
import type { Activation } from '../backend/kernels.js'
import type { Tensor } from '../tensor.js'
import { activationBackward, sigmoid, softplus, tanh } from './activation.js'
import { add, clip, exp, greater, minimum, mul, neg, square, sub } from './elementwise.js'

/** g ⊙ f′. It is linear in g, so its gradient with respect to g is the same kernel again. */
export function activationGradient(name: Activation, saved: Tensor, g: Tensor): Tensor {
  if (name === 'linear') return g
  const bends = name !== 'relu' && name !== 'leakyRelu'
  return activationBackward(name, saved, g, () => ({
    vjp: (h) => [
      g.requiresGrad ? activationGradient(name, saved, h) : null,
      saved.requiresGrad && bends ? mul(mul(g, h), secondDerivative(name, saved)) : null,
    ],
  }))
}

/** λ·α of selu: Klambauer, Unterthiner, Mayr & Hochreiter 2017 */
const SELU_BELOW = 1.7580993408473766

/** The derivative of f′ with respect to the saved value, in differentiable operations. */
function secondDerivative(name: Activation, saved: Tensor): Tensor {
  switch (name) {
    case 'sigmoid':
      return sub(1, mul(2, saved))
    case 'tanh':
      return mul(-2, saved)
    case 'gelu': {
      // The result is 0 in any precision beyond ±40. There x² may overflow, and 0 · ∞ would be NaN.
      const x = clip(saved, -40, 40)
      return mul(mul(1 / Math.sqrt(2 * Math.PI), exp(mul(-0.5, square(x)))), sub(2, square(x)))
    }
    case 'silu': {
      const s = sigmoid(saved)
      return mul(mul(s, sub(1, s)), add(2, mul(saved, sub(1, mul(2, s)))))
    }
    case 'softplus':
      return exp(neg(saved))
    case 'elu':
      // e^x up to 0, which is the second derivative from the left; 0 beyond
      return mul(exp(minimum(saved, 0)), sub(1, greater(saved, 0)))
    case 'selu':
      return mul(SELU_BELOW, secondDerivative('elu', saved))
    case 'mish': {
      // with t = tanh(log(1 + e^x)) and s = sigmoid(x): (1 − t²)·s·(2 + x·(1 − s − 2·t·s)), which is 0 in any precision beyond ±700
      const x = clip(saved, -700, 700)
      const [t, s] = [tanh(softplus(x)), sigmoid(x)]
      return mul(mul(sub(1, square(t)), s), add(2, mul(x, sub(1, mul(s, add(1, mul(2, t)))))))
    }
    case 'linear':
    case 'relu':
    case 'leakyRelu':
      return mul(saved, 0)
  }
}
