/** Reductions along axes. */

import { noGrad } from '../autograd.js'
import { withOthers } from '../backend/families.js'
import { rangeError } from '../common/errors.js'
import { checkOptions, finite, flag, type Schema } from '../common/options.js'
import { normalizeAxes, sizeOf } from '../common/shape.js'
import type { Along, Reduced } from '../common/shape-types.js'
import { asFloats, type Operand, type ShapeOf, Tensor } from '../tensor.js'
import { add, div, equal, exp, log, mul, neg, square, sub } from './elementwise.js'
import { reshape } from './shape.js'
import { type Axes, type Reduction, reduce, sum, sumTo } from './sum.js'

export { type Axes, sum } from './sum.js'

const MAX: Reduction = { name: 'max', kernelOf: (backend) => withOthers(backend).reduceMax, gradient: toWinners }
const MIN: Reduction = { name: 'min', kernelOf: (backend) => withOthers(backend).reduceMin, gradient: toWinners }

/** The gradient of a largest (smallest) value: shared evenly by the elements that equal it. */
function toWinners(x: Tensor, y: Tensor, g: Tensor): Tensor {
  const winners = equal(x, y)
  return mul(winners, div(g, sumTo(winners, y.shape)))
}

/** Mean over axes (default: all). @example mean([[1, 2], [3, 4]], 0) // [2, 3] */
export function mean<X extends Operand, const A extends Axes = undefined, K extends boolean = false>(
  value: X,
  axis?: A,
  keepDims: K = false as K,
): Tensor<Reduced<ShapeOf<X>, A, K>> {
  const x = asFloats(value, undefined, 'mean')
  const total: Tensor = sum(x, normalizeAxes(axis, x.rank, 'mean'), keepDims)
  return mul(total, total.size / x.size)
}

export const VARIANCE = { correction: { is: finite, aka: ['ddof'] }, keepDims: { is: flag } } satisfies Schema<{
  correction?: number
  keepDims?: boolean
}>

/**
 * Variance over axes (default: all): mean squared distance from the mean, or with `correction` 1 the unbiased estimate.
 *
 * @example variance([1, 3]).item() // 1
 */
export function variance<X extends Operand, const A extends Axes = undefined, K extends boolean = false>(
  value: X,
  axis?: A,
  options: { correction?: number; keepDims?: K } = {},
): Tensor<Reduced<ShapeOf<X>, A, K>> {
  const { correction = 0, keepDims = false as K } = checkOptions('variance', options, VARIANCE)
  const x = asFloats(value, undefined, 'variance')
  const total: Tensor = sum(square(sub(x, mean(x, axis as Axes, true))), axis as Axes, keepDims)
  return div(total, x.size / total.size - correction)
}

/**
 * Largest value over axes (default: all); elements that tie share the gradient. NaN if any is NaN.
 *
 * @example max([[1, 2], [3, 0]], 1) // [2, 3]
 */
export function max<X extends Operand, const A extends Axes = undefined, K extends boolean = false>(
  x: X,
  axis?: A,
  keepDims: K = false as K,
): Tensor<Reduced<ShapeOf<X>, A, K>> {
  return reduce(MAX, x, axis, keepDims)
}

/**
 * Smallest value over axes (default: all); elements that tie share the gradient. NaN if any is NaN.
 *
 * @example min([[1, 2], [3, 0]], 1) // [1, 0]
 */
export function min<X extends Operand, const A extends Axes = undefined, K extends boolean = false>(
  x: X,
  axis?: A,
  keepDims: K = false as K,
): Tensor<Reduced<ShapeOf<X>, A, K>> {
  return reduce(MIN, x, axis, keepDims)
}

/** log Σ eˣ over axes (default: all), without overflow. @example logSumExp([0, 0]).item() // 0.693147 */
export function logSumExp<X extends Operand, const A extends Axes = undefined, K extends boolean = false>(
  value: X,
  axis?: A,
  keepDims: K = false as K,
): Tensor<Reduced<ShapeOf<X>, A, K>> {
  const x = asFloats(value, undefined, 'logSumExp')
  // an infinite maximum is not subtracted: ∞ − ∞ would be NaN
  const top = noGrad(() => finiteOrZero(max(x, axis as Axes, true).keep()))
  const total = log(sum(exp(sub(x, top)), axis as Axes, true))
  const kept = add(total, top)
  return keepDims ? kept : reshape(kept, sum(top, axis as Axes).shape)
}

function finiteOrZero(x: Tensor): Tensor {
  const values = x.data().map((v) => (Math.abs(v) === Number.POSITIVE_INFINITY ? 0 : v))
  return Tensor.onHost(x.backend, x.shape, values)
}

/**
 * The index of the largest value along one axis (default: last), as whole numbers; no gradient.
 *
 * @example argmax([[1, 5, 2], [7, 0, 3]]) // [1, 0]
 */
export function argmax<X extends Operand, const A extends number = -1>(value: X, axis: A = -1 as A): Tensor<Along<ShapeOf<X>, A, []>> {
  const x = asFloats(value, undefined, 'argmax')
  const [at] = normalizeAxes(axis, x.rank, 'argmax')
  if (x.shape[at] === 0) throw rangeError('argmax: the axis has no elements')
  const shape = x.shape.filter((_, i) => i !== at)
  const { arena, heap } = x.backend
  const mark = arena.openScope()
  try {
    const from = x.address
    const y = arena.allocate(sizeOf(shape) * 4)
    withOthers(x.backend).argmax(from, y, sizeOf(x.shape.slice(0, at)), x.shape[at], sizeOf(x.shape.slice(at + 1)))
    return Tensor.onHost(x.backend, shape, heap.intView(y, sizeOf(shape)).slice())
  } finally {
    arena.closeScope(mark)
  }
}

/**
 * The index of the smallest value along one axis (default: last), the first of several, as whole numbers; no gradient. A NaN counts as smallest.
 *
 * @example argmin([[1, 5, 2], [7, 0, 3]]) // [0, 1]
 */
export function argmin<X extends Operand, const A extends number = -1>(value: X, axis: A = -1 as A): Tensor<Along<ShapeOf<X>, A, []>> {
  const x = asFloats(value, undefined, 'argmin')
  const [at] = normalizeAxes(axis, x.rank, 'argmin')
  if (x.shape[at] === 0) throw rangeError('argmin: the axis has no elements')
  return noGrad(() => argmax(neg(x), at)) as unknown as Tensor<Along<ShapeOf<X>, A, []>>
}
