/** Standard deviation, norms and products along axes, made of other operations. */
import { atLeast1, checkOptions, flag, type Schema } from '../common/options.js'
import { normalizeAxes } from '../common/shape.js'
import type { Reduced } from '../common/shape-types.js'
import { asFloats, type Operand, type ShapeOf, type Tensor } from '../tensor.js'
import { abs, add, greater, mul, pow, sqrt, square, sub } from './elementwise.js'
import { max, VARIANCE, variance } from './reduce.js'
import { concat, reshape, slice, transpose } from './shape.js'
import { type Axes, sum } from './sum.js'

/**
 * Standard deviation over axes (default: all): the root of {@link variance}, which divides by n, or with `correction` 1 by n − 1, PyTorch's default.
 * If all values are equal, it is 0, and so is its gradient.
 *
 * @example std([1, 3]).item() // 1
 */
export function std<X extends Operand, const A extends Axes = undefined, K extends boolean = false>(
  value: X,
  axis?: A,
  options: { correction?: number; keepDims?: K } = {},
): Tensor<Reduced<ShapeOf<X>, A, K>> {
  checkOptions('std', options, VARIANCE)
  return rootOf(variance(asFloats(value, undefined, 'std'), axis, options), 0.5) as Tensor<Reduced<ShapeOf<X>, A, K>>
}

export const NORM = { order: { is: atLeast1 }, keepDims: { is: flag } } satisfies Schema<{
  order?: number
  keepDims?: boolean
}>

/**
 * The p-norm over axes (default: all): (Σ |x|ᵖ)^(1/p) with `order` p ≥ 1, usually 1, 2 (default) or `Infinity`. The gradient of a norm that is 0 is
 * 0.
 *
 * @example
 * norm([3, 4]).item() // 5
 * norm([[3, -4], [1, 0]], 1, { order: Infinity }) // [4, 1]
 * @throws RangeError for an order below 1
 */
export function norm<X extends Operand, const A extends Axes = undefined, K extends boolean = false>(
  value: X,
  axis?: A,
  options: { order?: number; keepDims?: K } = {},
): Tensor<Reduced<ShapeOf<X>, A, K>> {
  const { order = 2, keepDims = false } = checkOptions('norm', options, NORM)
  const x = asFloats(value, undefined, 'norm')
  const along = axis as Axes
  const made = (): Tensor => {
    if (order === 1) return sum(abs(x), along, keepDims)
    if (order === Number.POSITIVE_INFINITY) return max(abs(x), along, keepDims)
    if (order === 2) return rootOf(sum(square(x), along, keepDims), 0.5)
    return rootOf(sum(pow(abs(x), order), along, keepDims), 1 / order)
  }
  return made() as Tensor<Reduced<ShapeOf<X>, A, K>>
}

/** A root of non-negative numbers with gradient 0 at 0, where the gradient of the root itself is infinite. */
function rootOf(x: Tensor, exponent: number): Tensor {
  const isAbove = greater(x, 0)
  // zeros are replaced by 1, and their roots are multiplied by 0 below
  const safe: Tensor = add(x, sub(1, isAbove))
  return mul(exponent === 0.5 ? sqrt(safe) : pow(safe, exponent), isAbove) as Tensor
}

/**
 * Product over axes (default: all); 1 if there are no elements. The gradient of an element is the product of all others, also if some are 0.
 *
 * @example prod([[1, 2], [3, 4]], 1) // [2, 12]
 */
export function prod<X extends Operand, const A extends Axes = undefined, K extends boolean = false>(
  value: X,
  axis?: A,
  keepDims: K = false as K,
): Tensor<Reduced<ShapeOf<X>, A, K>> {
  const x = asFloats(value, undefined, 'prod')
  const axes = axis === undefined ? x.shape.map((_, i) => i) : normalizeAxes(axis as number, x.rank, 'prod')
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
  const size = axes.reduce((count, i) => count * x.shape[i], 1)
  let rest: Tensor = reshape(transpose(x, [...axes, ...kept]) as Tensor, [size, ...kept.map((i) => x.shape[i])]) as Tensor
  // multiplies one half by the other again and again: a multiplication for each value, and log₂(n) operations
  while (rest.shape[0] > 1) {
    const [count] = rest.shape
    const half = count >> 1
    const product = mul(slice(rest, 0, half), slice(rest, half, 2 * half)) as Tensor
    rest = count % 2 === 0 ? product : withLast(product, slice(rest, count - 1, count) as Tensor)
  }
  const shape = x.shape.flatMap((length, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [length]))
  return (size === 0 ? add(sum(x, axis as Axes, keepDims), 1) : reshape(rest, shape)) as Tensor<Reduced<ShapeOf<X>, A, K>>
}

/** Appends the value that was left over to the products of the halves. */
function withLast(product: Tensor, last: Tensor): Tensor {
  const [count] = product.shape
  if (count === 1) return mul(product, last) as Tensor
  return concat([slice(product, 0, count - 1) as Tensor, mul(slice(product, count - 1, count), last) as Tensor]) as Tensor
}
