/** Losses for numbers: squared, absolute, and between the two Huber's. */

import type { Operations } from '../autograd.js'
import { checkOptions, positive, type Schema } from '../common/options.js'
import type { Shape } from '../common/shape.js'
import type { Compared } from '../common/shape-types.js'
import { clip, sign } from '../ops/elementwise.js'
import type { Operand, ShapeOf, Tensor } from '../tensor.js'
import { builtIn, COMMON, elementLoss, type LossOptions, NUMBERS, sameShapeTarget, type Target } from './loss.js'

/**
 * Mean squared error, mean of (prediction − target)² over all elements.
 * @example mse(tensor([1, 2]), [1, 4]).item() // 2
 * @throws ShapeError unless the shapes agree
 */
export const mse = /* @__PURE__ */ builtIn(
  'mse',
  <P extends Shape, T extends Operand>(
    prediction: Tensor<P>,
    target: Target<Compared<P, ShapeOf<T>>, P, T>,
    options: LossOptions = {},
  ): Tensor<[]> => {
    const t = sameShapeTarget('mse', prediction, target)
    checkOptions('mse', options, COMMON)
    const derivative = ({ mul, sub }: Operations) => mul(2, sub(prediction, t))
    return elementLoss({ name: 'mse', kernel: 'squaredError', prediction, target: t, option: 0, options, derivative })
  },
  NUMBERS,
)

/**
 * Mean absolute error, mean of |prediction − target| over all elements; gradient 0 where they are equal.
 * @example mae(tensor([1, 2]), [1, 4]).item() // 1
 * @throws ShapeError unless the shapes agree
 */
export const mae = /* @__PURE__ */ builtIn(
  'mae',
  <P extends Shape, T extends Operand>(
    prediction: Tensor<P>,
    target: Target<Compared<P, ShapeOf<T>>, P, T>,
    options: LossOptions = {},
  ): Tensor<[]> => {
    const t = sameShapeTarget('mae', prediction, target)
    checkOptions('mae', options, COMMON)
    const derivative = ({ sub }: Operations) => sign(sub(prediction, t))
    return elementLoss({ name: 'mae', kernel: 'absoluteError', prediction, target: t, option: 0, options, derivative })
  },
  NUMBERS,
)

/** Options of {@link huber}. */
export interface HuberOptions extends LossOptions {
  /** Errors up to δ count quadratically, larger errors linearly. Default 1. */
  delta?: number
}

export const HUBER = { ...COMMON, delta: { is: positive } } satisfies Schema<HuberOptions>

/**
 * Huber's loss: ½d² for |d| ≤ δ, δ(|d| − ½δ) beyond, mean over all elements (Huber 1964). Less influenced by outliers than mse.
 * @example huber(tensor([1, 2]), [1, 4]).item() // 0.75
 * @throws RangeError unless delta > 0, ShapeError unless the shapes agree
 */
export const huber = /* @__PURE__ */ builtIn(
  'huber',
  <P extends Shape, T extends Operand>(
    prediction: Tensor<P>,
    target: Target<Compared<P, ShapeOf<T>>, P, T>,
    options: HuberOptions = {},
  ): Tensor<[]> => {
    const { delta = 1 } = options
    checkOptions('huber', options, HUBER)
    const t = sameShapeTarget('huber', prediction, target)
    const derivative = ({ sub }: Operations) => clip(sub(prediction, t), -delta, delta)
    return elementLoss({ name: 'huber', kernel: 'huber', prediction, target: t, option: delta, options, derivative })
  },
  NUMBERS,
)
