/** Operations that move elements without computing. */

import { apply, needsGradient, recordedView } from '../autograd.js'
import { withOperations } from '../backend/families.js'
import { rangeError, ShapeError, typeError } from '../common/errors.js'
import { checkShape, formatShape, normalizeAxes, type Shape, sameShape, sizeOf } from '../common/shape.js'
import type { Along, Joined, Permuted, Reshaped, Stacked, Text, Texts, Unless } from '../common/shape-types.js'
import { show } from '../common/show.js'
import { asFloats, asTensor, type Operand, type ShapeOf, type ShapesOf, Tensor, type TensorLike } from '../tensor.js'

/**
 * The same elements in another shape; one dimension may be −1 (as many as fit). Only a parameter is copied.
 *
 * @example reshape([1, 2, 3, 4], [2, -1]) // [[1, 2], [3, 4]]
 * @throws ShapeError
 */
export function reshape<X extends Operand, const S extends Shape>(
  value: Unless<Reshaped<ShapeOf<X>, S>, X, `${Text<ShapeOf<X>>} does not fill ${Text<S>}`>,
  shape: S,
): Tensor<Reshaped<ShapeOf<X>, S>> {
  const x = asTensor(value as TensorLike, undefined, 'reshape')
  const wanted = inferDimension(shape, x.size)
  if (sizeOf(wanted) !== x.size)
    throw new ShapeError(`reshape: ${formatShape(x.shape)} (${x.size} elements) does not fill ${formatShape(shape)}`)
  if (sameShape(wanted, x.shape)) return x
  if (!needsGradient([x])) return x.withShape(wanted)
  return recordedView(x, wanted, (g) => reshape(g, x.shape))
}

function inferDimension(shape: Shape, size: number): Shape {
  const free = shape.indexOf(-1)
  if (free < 0) {
    checkShape(shape, 'reshape')
    return shape
  }
  const known = shape.reduce((product, d, i) => (i === free ? product : product * d), 1)
  const wanted = shape.map((d, i) => (i === free ? size / known : d))
  if (!Number.isInteger(wanted[free])) throw new ShapeError(`reshape: ${size} elements do not fill ${formatShape(shape)}`)
  checkShape(wanted, 'reshape')
  return wanted
}

/** Axes in another order; default reversed. @example transpose([[1, 2]]) // [[1], [2]] @throws RangeError unless each axis occurs once */
export function transpose<X extends Operand, const A extends readonly number[] | undefined = undefined>(
  value: X,
  axes?: A,
): Tensor<Permuted<ShapeOf<X>, A>> {
  const x = asFloats(value, undefined, 'transpose')
  const order = axes === undefined ? x.shape.map((_, i) => x.rank - 1 - i) : axes.map((a) => normalizeAxes(a, x.rank, 'transpose')[0])
  if (order.length !== x.rank || new Set(order).size !== x.rank)
    throw rangeError(`transpose: wants each of ${x.rank} axes once, got ${formatShape(order)}`)
  const shape = order.map((a) => x.shape[a])
  const back = order.map((_, i) => order.indexOf(i))
  return apply(
    [x],
    shape,
    (y) => permute(x, order, y),
    () => ({ vjp: (g) => [transpose(g, back)] }),
  )
}

/** Lengths [outer, rows, cols, inner] of axes: the two in the middle change places. */
type Swap = [outer: number, rows: number, cols: number, inner: number]

/** The swaps of neighboring axes that bring the axes of a shape into an order. Axes that stay together count as one. */
function swapsFor(shape: Shape, order: readonly number[]): Swap[] {
  const swaps: Swap[] = []
  const size = (axes: readonly number[]) => sizeOf(axes.map((axis) => shape[axis]))
  let now = shape.map((_, axis) => axis)
  for (let i = 0; i < order.length; i++) {
    const from = now.indexOf(order[i])
    if (from === i) continue
    let end = from
    while (end < now.length && now[end] === order[i + end - from]) end++
    const [before, left, moved, rest] = [now.slice(0, i), now.slice(i, from), now.slice(from, end), now.slice(end)]
    swaps.push([size(before), size(left), size(moved), size(rest)])
    now = [...before, ...moved, ...left, ...rest]
  }
  return swaps
}

function permute({ backend, shape, size, address }: Tensor, order: readonly number[], y: number): void {
  const swaps = swapsFor(shape, order)
  const { transpose, copy } = withOperations(backend)
  if (swaps.length === 0) copy(address, y, size)
  const between = swaps.length > 1 ? backend.arena.allocate(size * backend.heap.elementSize) : 0
  let from = address
  swaps.forEach((swap, i) => {
    const to = (swaps.length - i) % 2 === 1 ? y : between
    transpose(from, to, ...swap)
    from = to
  })
}

/**
 * Elements start..end (exclusive; negative counts from the end) along one axis.
 *
 * @example slice([1, 2, 3, 4], 1, -1) // [2, 3]
 * @throws RangeError
 */
export function slice<X extends Operand, const A extends number = 0>(
  value: X,
  start: number,
  end?: number,
  axis: A = 0 as A,
): Tensor<Along<ShapeOf<X>, A, [number]>> {
  const x = asTensor(value, undefined, 'slice')
  const [at] = normalizeAxes(axis, x.rank, 'slice')
  const length = x.shape[at]
  const from = start < 0 ? start + length : start
  const to = end === undefined ? length : end < 0 ? end + length : end
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= length)) {
    if (Array.isArray(start) || Array.isArray(end))
      throw typeError(
        `slice: start and end want whole numbers along one axis, got ${show(start)} and ${show(end)}; slice one axis after the other`,
      )
    throw rangeError(`slice: ${start}..${end ?? 'end'} is not within axis ${at} of length ${length}`)
  }
  const shape = x.shape.map((d, i) => (i === at ? to - from : d))
  const outer = sizeOf(x.shape.slice(0, at))
  const inner = sizeOf(x.shape.slice(at + 1))
  if (x.dtype === 'int32') return sliceIntegers(x, shape, outer, length * inner, from * inner)
  return apply(
    [x],
    shape,
    (y) =>
      copyBlocks(x, y, {
        outer,
        run: (to - from) * inner,
        fromOffset: from * inner,
        fromStride: length * inner,
        toOffset: 0,
        toStride: (to - from) * inner,
      }),
    () => ({ vjp: (g) => [padded(g, x.shape, at, from)] }),
  )
}

/** Whole numbers are ordinary arrays without a gradient. */
function sliceIntegers(x: Tensor, shape: Shape, outer: number, stride: number, from: number): Tensor {
  const values = x.read()
  const run = sizeOf(shape) / Math.max(outer, 1)
  const out = new Int32Array(sizeOf(shape))
  for (let o = 0; o < outer; o++) out.set(values.subarray(o * stride + from, o * stride + from + run), o * run)
  return Tensor.onHost(x.backend, shape, out)
}

/** g at `from` along an axis, zeros elsewhere: the gradient of a slice. */
function padded(g: Tensor, shape: Shape, axis: number, from: number): Tensor {
  const inner = sizeOf(shape.slice(axis + 1))
  const run = g.shape[axis] * inner
  return apply(
    [g],
    shape,
    (y, { kernels }) => {
      kernels.fill(y, sizeOf(shape), 0)
      copyBlocks(g, y, {
        outer: sizeOf(shape.slice(0, axis)),
        run,
        fromOffset: 0,
        fromStride: run,
        toOffset: from * inner,
        toStride: shape[axis] * inner,
      })
    },
    () => ({ vjp: (gg) => [slice(gg, from, from + g.shape[axis], axis)] }),
  )
}

/**
 * The parts of a tensor along one axis: `parts` of equal length, or parts of the given lengths.
 *
 * @example
 * split([1, 2, 3, 4], 2)[1] // [3, 4]
 * split([[1, 2, 3]], [1, 2], 1)[1] // [[2, 3]]
 * @throws RangeError unless the lengths add up to that of the axis
 */
export function split(value: Operand, parts: number | readonly number[], axis = 0): Tensor[] {
  const x = asTensor(value, undefined, 'split')
  const [at] = normalizeAxes(axis, x.rank, 'split')
  const length = x.shape[at]
  const isCount = (n: number) => Number.isInteger(n) && n >= 0
  if (typeof parts === 'number' && !(isCount(parts) && parts > 0 && length % parts === 0))
    throw rangeError(`split: wants a number of parts that divides axis ${at} of length ${length}, or an array of lengths, got ${parts}`)
  const lengths = typeof parts === 'number' ? Array.from({ length: parts }, () => length / parts) : parts
  if (!lengths.every(isCount) || lengths.reduce((sum, n) => sum + n, 0) !== length)
    throw rangeError(`split: wants lengths that add up to ${length}, the length of axis ${at}, got ${formatShape(lengths)}`)
  let from = 0
  return lengths.map((n) => slice(x, from, (from += n), at))
}

/**
 * Removes an axis of length 1, or all axes of length 1.
 *
 * @example
 * squeeze([[[1, 2]]]) // [1, 2]
 * squeeze([[[1, 2]]], 0) // [[1, 2]]
 * @throws RangeError for an axis that does not exist; ShapeError for an axis of another length
 */
export function squeeze(value: Operand, axis?: number): Tensor {
  const x = asTensor(value, undefined, 'squeeze')
  const long = x.shape.filter((d) => d !== 1)
  if (axis === undefined) return reshape(x, long)
  const [at] = normalizeAxes(axis, x.rank, 'squeeze')
  if (x.shape[at] !== 1) throw new ShapeError(`squeeze: wants an axis of length 1, got axis ${at} of ${formatShape(x.shape)}`)
  const shape = x.shape.filter((_, i) => i !== at)
  return reshape(x, shape)
}

/**
 * Adds an axis of length 1, which is number `axis` of the result; −1 is the last.
 *
 * @example
 * expandDims([1, 2], 0) // [[1, 2]]
 * expandDims([1, 2], -1) // [[1], [2]]
 * @throws RangeError for an axis that the result does not have
 */
export function expandDims(value: Operand, axis: number): Tensor {
  const x = asTensor(value, undefined, 'expandDims')
  const [at] = normalizeAxes(axis, x.rank + 1, 'expandDims')
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)])
}

/** Joins tensors end to end along one axis.
 *
 * @example concat([[1, 2], [3]]) // [1, 2, 3]
 * @throws ShapeError unless all other axes agree
 */
export function concat<V extends readonly Operand[] | [], const A extends number = 0>(
  values: Unless<Joined<ShapesOf<V>, A>, V, `${Texts<ShapesOf<V>>} do not fit together along axis ${A}`>,
  axis: A = 0 as A,
): Tensor<Joined<ShapesOf<V>, A>> {
  const list = values as readonly TensorLike[]
  checkList('concat', list)
  const backend = list.find((v) => v instanceof Tensor)?.backend
  const parts = list.map((v) => asFloats(v, backend, 'concat'))
  const [at] = normalizeAxes(axis, parts[0].rank, 'concat')
  for (const part of parts) {
    if (part.rank !== parts[0].rank || part.shape.some((d, i) => i !== at && d !== parts[0].shape[i]))
      throw new ShapeError(`concat: ${formatShape(part.shape)} does not continue ${formatShape(parts[0].shape)} along axis ${at}`)
  }
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((n, p) => n + p.shape[at], 0))
  const total = parts.reduce((n, p) => n + p.shape[at], 0)
  const shape = parts[0].shape.map((d, i) => (i === at ? total : d))
  const inner = sizeOf(shape.slice(at + 1))
  return apply(
    parts,
    shape,
    (y) => {
      parts.forEach((part, i) => {
        const run = part.shape[at] * inner
        copyBlocks(part, y, {
          outer: sizeOf(shape.slice(0, at)),
          run,
          fromOffset: 0,
          fromStride: run,
          toOffset: starts[i] * inner,
          toStride: total * inner,
        })
      })
    },
    () => ({ vjp: (g) => parts.map((part, i) => (part.requiresGrad ? slice(g, starts[i], starts[i] + part.shape[at], at) : null)) }),
  )
}

/** Stacks tensors of one shape along a new first axis. @example stack([[1, 2], [3, 4]]) // [[1, 2], [3, 4]] */
export function stack<V extends readonly Operand[] | []>(
  values: Unless<Stacked<ShapesOf<V>>, V, `${Texts<ShapesOf<V>>} are not of one shape`>,
): Tensor<Stacked<ShapesOf<V>>> {
  const list = values as readonly TensorLike[]
  checkList('stack', list)
  const backend = list.find((v) => v instanceof Tensor)?.backend
  return concat(list.map((v) => asTensor(v, backend, 'stack')).map((t) => reshape(t, [1, ...t.shape])))
}

function checkList(op: string, values: unknown): void {
  if (!Array.isArray(values)) throw typeError(`${op}: wants its tensors in an array, ${op}([a, b])`)
  if (values.length === 0) throw rangeError(`${op}: wants at least one tensor`)
}

interface Blocks {
  outer: number
  run: number
  fromOffset: number
  fromStride: number
  toOffset: number
  toStride: number
}

function copyBlocks(x: Tensor, y: number, { outer, run, fromOffset, fromStride, toOffset, toStride }: Blocks): void {
  const { kernels, heap } = x.backend
  const from = x.address + fromOffset * heap.elementSize
  const to = y + toOffset * heap.elementSize
  for (let o = 0; o < outer; o++) kernels.copy(from + o * fromStride * heap.elementSize, to + o * toStride * heap.elementSize, run)
}
