/** Values in order along an axis: the order is found in JavaScript, and the values are gathered by it, so that gradients go back the same way. */
import { checkCount } from '../common/checks.js'
import { rangeError } from '../common/errors.js'
import { checkOptions, flag, type Schema } from '../common/options.js'
import { normalizeAxes, sizeOf } from '../common/shape.js'
import type { Along } from '../common/shape-types.js'
import { asFloats, type Operand, type ShapeOf, Tensor } from '../tensor.js'
import { lookUp } from './gather.js'
import { reshape, transpose } from './shape.js'

/** Options of {@link sort} and {@link argsort}. */
export interface SortOptions {
  /** The largest first. Default false. */
  descending?: boolean
}

export const SORT = { descending: { is: flag } } satisfies Schema<SortOptions>

/**
 * The values along one axis (default: last) from the smallest to the largest. Equal values stay in their order, and NaN counts as largest.
 *
 * @example
 * sort([[3, 1, 2]]) // [[1, 2, 3]]
 * sort([[3, 1, 2]], -1, { descending: true }) // [[3, 2, 1]]
 */
export function sort<X extends Operand>(value: X, axis = -1, options: SortOptions = {}): Tensor<ShapeOf<X>> {
  checkOptions('sort', options, SORT)
  const x = asFloats(value, undefined, 'sort')
  return ordered('sort', x, axis, options).values as unknown as Tensor<ShapeOf<X>>
}

/**
 * Positions of the values of {@link sort} along one axis (default: last), as integers; no gradient.
 *
 * @example argsort([3, 1, 2]) // [1, 2, 0]
 */
export function argsort<X extends Operand>(value: X, axis = -1, options: SortOptions = {}): Tensor<ShapeOf<X>> {
  checkOptions('argsort', options, SORT)
  return ordered('argsort', asFloats(value, undefined, 'argsort'), axis, options).indices as unknown as Tensor<ShapeOf<X>>
}

/**
 * The k largest values along one axis (default: last), the largest first, and their positions.
 *
 * @example
 * const { values, indices } = topK([1, 5, 2, 4], 2)
 * values // [5, 4]
 * indices // [1, 3]
 * @throws RangeError for more values than there are
 */
export function topK<X extends Operand, const A extends number = -1>(
  value: X,
  k: number,
  axis: A = -1 as A,
): { values: Tensor<Along<ShapeOf<X>, A, [number]>>; indices: Tensor<Along<ShapeOf<X>, A, [number]>> } {
  checkCount('topK: k', k, 0)
  const x = asFloats(value, undefined, 'topK')
  const { values, indices } = ordered('topK', x, axis, { descending: true }, k)
  return { values, indices } as never
}

function ordered(
  who: string,
  x: Tensor,
  axis: number,
  { descending = false }: SortOptions,
  k?: number,
): { values: Tensor; indices: Tensor } {
  if (x.rank === 0) throw rangeError(`${who}: wants an axis to sort along, got a single number`)
  const [at] = normalizeAxes(axis, x.rank, who)
  const length = x.shape[at]
  const count = k ?? length
  if (count > length) throw rangeError(`${who}: wants k of at most ${length}, the length of axis ${at}, got ${count}`)
  // moves the axis to the end, so that rows are sorted one after the other; this order of axes is its own inverse
  const order = x.shape.map((_, i) => (i === at ? x.rank - 1 : i === x.rank - 1 ? at : i))
  const last = transpose(x, order) as Tensor
  const rows = last.size / Math.max(1, length)
  const [places, within] = [new Int32Array(rows * count), new Int32Array(rows * count)]
  const values = last.data()
  for (let row = 0; row < rows; row++) {
    const own = values.subarray(row * length, (row + 1) * length)
    const sorted = Uint32Array.from({ length }, (_, i) => i).sort((a, b) => compared(own[a], own[b], descending) || a - b)
    for (let i = 0; i < count; i++) {
      places[row * count + i] = row * length + sorted[i]
      within[row * count + i] = sorted[i]
    }
  }
  const shape = [...last.shape.slice(0, -1), count]
  const backInOrder = (tensor: Tensor) => transpose(reshape(tensor, shape) as Tensor, order) as Tensor
  const indices = Tensor.onHost(x.backend, shape, within)
  const table = reshape(last, [sizeOf(last.shape), 1]) as Tensor
  return {
    values: backInOrder(lookUp(table, places, who)),
    indices: at === x.rank - 1 ? indices : asWhole(backInOrder(indices)),
  }
}

/** Negative if a comes before b. NaN is larger than all others. */
function compared(a: number, b: number, descending: boolean): number {
  const [isA, isB] = [Number.isNaN(a), Number.isNaN(b)]
  const order = isA || isB ? Number(isA) - Number(isB) : a < b ? -1 : a > b ? 1 : 0
  return descending ? -order : order
}

/** Converts whole numbers back to int32, after an operation on floats has moved them. */
function asWhole(x: Tensor): Tensor {
  return Tensor.onHost(x.backend, x.shape, Int32Array.from(x.data()))
}
