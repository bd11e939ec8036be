/** Softmax over a part of each row. */

import { rangeError, ShapeError } from '../common/errors.js'
import { anything, checkOptions, flag, type Schema } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { add, mul, sub } from '../ops/elementwise.js'
import { softmax } from '../ops/softmax.js'
import { asFloats, floatArray, type Operand, type ShapeOf, Tensor, type TensorLike } from '../tensor.js'

/** Options of {@link maskedSoftmax}. */
export interface MaskedSoftmaxOptions {
  /** 1 for elements that count and 0 for others, of a shape that broadcasts to that of x. Default: all count. */
  mask?: TensorLike
  /** Row i of each matrix x [..., queries, keys] has its elements up to i + keys − queries; there are no more queries than keys. Default false. */
  causal?: boolean
}

export const MASKED_SOFTMAX = { mask: { is: anything }, causal: { is: flag } } satisfies Schema<MaskedSoftmaxOptions>

/** Subtracted from elements that do not count: what is left of them is 0 beside elements below 1e38 in size. */
const OUT_OF_SIGHT = 3e38

/**
 * eˣ / Σ eˣ over the last axis, where only elements that count take part; the others become 0. A row in which none counts is 0.
 *
 * @example
 * maskedSoftmax([[1, 1, 5]], { mask: [[1, 1, 0]] }) // [[0.5, 0.5, 0]]
 * maskedSoftmax([[2, 9], [2, 2]], { causal: true }) // [[1, 0], [0.5, 0.5]]
 * @throws ShapeError for a mask that does not broadcast, or more queries than keys; RangeError for a mask of anything but 0 and 1
 */
export function maskedSoftmax<X extends Operand>(value: X, options: MaskedSoftmaxOptions = {}): Tensor<ShapeOf<X>> {
  const { mask, causal } = checkOptions('maskedSoftmax', options, MASKED_SOFTMAX)
  const x = asFloats(value, mask instanceof Tensor ? mask.backend : undefined, 'maskedSoftmax')
  const own = mask === undefined ? null : checkMask('maskedSoftmax', asFloats(mask, x.backend, 'maskedSoftmax: mask'))
  const before = causal ? causalMask(x) : null
  const seen = own && before ? (mul(own, before) as Tensor) : (own ?? before)
  if (seen === null) return softmax(x) as Tensor<ShapeOf<X>>
  const p = mul(softmax(add(x, mul(sub(seen, 1), OUT_OF_SIGHT)) as Tensor), seen) as Tensor
  if (p.rank !== x.rank || p.size !== x.size)
    throw new ShapeError(`maskedSoftmax: mask wants a shape that broadcasts to ${formatShape(x.shape)}, got ${formatShape(seen.shape)}`)
  return p as Tensor<ShapeOf<X>>
}

/** [queries, keys]: 1 up to key i + keys − queries of row i. */
function causalMask({ backend, shape, rank }: Tensor): Tensor {
  const [queries, keys] = shape.slice(-2)
  if (rank < 2 || queries > keys)
    throw new ShapeError(
      `maskedSoftmax: causal wants x [..., queries, keys] with no more queries than keys, got shape ${formatShape(shape)}`,
    )
  const values = floatArray(backend, queries * keys)
  for (let i = 0; i < queries; i++) values.fill(1, i * keys, i * keys + i + 1 + keys - queries)
  return Tensor.onHost(backend, [queries, keys], values)
}

/** @internal @throws RangeError naming the first number that is neither 0 nor 1 */
export function checkMask(who: string, mask: Tensor): Tensor {
  mask.check((values) => {
    for (let i = 0; i < values.length; i++)
      if (values[i] !== 0 && values[i] !== 1)
        throw rangeError(`${who}: mask wants 1 (is seen) or 0 (is not), got ${values[i]} at position ${i}`)
  })
  return mask
}
