/** Repetition of a tensor along its axes. */
import { checkCount } from '../common/checks.js'
import { rangeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { asFloats, type Operand, type Tensor } from '../tensor.js'
import { broadcastTo } from './elementwise.js'
import { reshape } from './shape.js'

/**
 * Repeats a tensor `copies` times along each axis. If there are fewer numbers than axes, they belong to the last axes; if there are more, they add
 * axes in front.
 *
 * @example
 * tile([1, 2], [2]) // [1, 2, 1, 2]
 * tile([[1, 2]], [2, 1]) // [[1, 2], [1, 2]]
 * @throws RangeError for a number of copies below 1
 */
export function tile(value: Operand, copies: number | readonly number[]): Tensor {
  const x = asFloats(value, undefined, 'tile')
  const given = typeof copies === 'number' ? [copies] : copies
  if (!Array.isArray(given)) throw rangeError(`tile: copies wants a number for each axis, got ${show(copies)}`)
  for (const count of given) checkCount('tile: copies', count)
  const rank = Math.max(x.rank, given.length)
  const shape = [...new Array<number>(rank - x.rank).fill(1), ...x.shape]
  const counts = [...new Array<number>(rank - given.length).fill(1), ...given]
  const [apart, wide] = [shape.flatMap((length) => [1, length]), shape.flatMap((length, i) => [counts[i], length])]
  const repeated = broadcastTo(reshape(x, apart) as Tensor, wide) as Tensor
  const tiled = shape.map((length, i) => length * counts[i])
  return reshape(repeated, tiled) as Tensor
}
