/** Steps that count in a batch of sequences of different lengths. */

import { rangeError, ShapeError, typeError } from '../common/errors.js'
import { anything, type Schema } from '../common/options.js'
import { formatShape, sameShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { asFloats, floatArray, Tensor, type TensorLike } from '../tensor.js'

/** Steps of sequences of different lengths in one batch. Give one of the two. */
export interface StepsToTake {
  /** Length of each sequence, at least 1; the steps behind it are skipped. */
  lengths?: readonly number[] | Int32Array
  /** 1 for each step that counts and 0 for each that is skipped, [rows, steps]. */
  mask?: TensorLike
}

export const STEPS_TO_TAKE = { lengths: { is: anything }, mask: { is: anything } } satisfies Schema<StepsToTake>

/** Masks that were computed as such. A check of numbers that a step computes would keep `fit` from replaying it. */
const computed = new WeakSet<Tensor>()

/** @internal a mask that consists of 0 and 1 by its making */
export function asMask(mask: Tensor): Tensor {
  computed.add(mask)
  return mask
}

/** @internal the mask of a batch from lengths or a mask; null if every step counts. @throws RangeError, ShapeError, TypeError */
export function maskOf(name: string, x: Tensor, { lengths, mask }: StepsToTake): Tensor | null {
  if (lengths === undefined && mask === undefined) return null
  if (lengths !== undefined && mask !== undefined) throw rangeError(`${name}: wants lengths or a mask, got both; leave one out`)
  const [rows, steps] = x.shape
  if (lengths !== undefined) return fromLengths(name, lengths, x)
  const given = asFloats(mask as TensorLike, x.backend, `${name}: mask`)
  if (!sameShape(given.shape, [rows, steps]))
    throw new ShapeError(`${name}: mask wants shape [${rows}, ${steps}], a number for each step, got ${formatShape(given.shape)}`)
  if (computed.has(given)) return given
  given.check((values) => {
    for (let i = 0; i < values.length; i++)
      if (values[i] !== 0 && values[i] !== 1)
        throw rangeError(
          `${name}: mask wants 1 (counts) or 0 (is skipped), got ${values[i]} for step ${i % steps} of row ${Math.floor(i / steps)}`,
        )
  })
  return given
}

function fromLengths(name: string, lengths: readonly number[] | Int32Array, x: Tensor): Tensor {
  const [rows, steps] = x.shape
  if (!Array.isArray(lengths) && !(lengths instanceof Int32Array))
    throw typeError(`${name}: lengths wants an array, a whole number for each row, got ${show(lengths)}`)
  if (lengths.length !== rows) throw new ShapeError(`${name}: lengths wants ${rows} numbers, one for each row, got ${lengths.length}`)
  const values = floatArray(x.backend, rows * steps)
  for (let row = 0; row < rows; row++) {
    const length = lengths[row]
    if (!(Number.isInteger(length) && length >= 1 && length <= steps)) {
      const remedy = length === 0 ? '; leave the row out' : length > steps ? `; the inputs have ${steps} steps` : ''
      throw rangeError(`${name}: lengths[${row}] wants a whole number from 1 to ${steps}, got ${show(length)}${remedy}`)
    }
    values.fill(1, row * steps, row * steps + length)
  }
  return Tensor.onHost(x.backend, [rows, steps], values)
}
