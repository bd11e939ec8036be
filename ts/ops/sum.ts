/** Sums over axes, and broadcasting: each is the gradient of the other, so they are in one file. */
import { apply } from '../autograd.js'
import { withOperations } from '../backend/families.js'
import type { Backend } from '../backend/index.js'
import type { Reduce } from '../backend/kernels.js'
import { rangeError, ShapeError } from '../common/errors.js'
import { checkShape, formatShape, normalizeAxes, type Shape, sameShape, sizeOf } from '../common/shape.js'
import type { Broadcast, Equal, Given, Reduced, Text, Unless } from '../common/shape-types.js'
import { asFloats, type Operand, type ShapeOf, Tensor, type TensorLike } from '../tensor.js'
import { runBinary } from './broadcast.js'
import { reshape } from './shape.js'

/** One axis, several, or (left out) all. Negative counts from the end. */
export type Axes = number | readonly number[] | undefined

/** @internal A way to reduce: its name, its kernel, and the gradient of an element. */
export interface Reduction {
  name: string
  kernelOf: (backend: Backend) => Reduce
  gradient(x: Tensor, y: Tensor, g: Tensor): Tensor
}

const SUM: Reduction = {
  name: 'sum',
  kernelOf: (backend) => withOperations(backend).reduceSum,
  gradient: (x, _y, g) => broadcastTo(g, x.shape),
}

/** Reduces neighboring axes from..to (inclusive) to length 1. */
function reduceRun({ kernelOf, gradient }: Reduction, x: Tensor, from: number, to: number): Tensor {
  const shape = x.shape.map((d, i) => (i >= from && i <= to ? 1 : d))
  const outer = sizeOf(x.shape.slice(0, from))
  const length = sizeOf(x.shape.slice(from, to + 1))
  const inner = sizeOf(x.shape.slice(to + 1))
  return apply(
    [x],
    shape,
    (y, backend) => kernelOf(backend)(x.address, y, outer, length, inner),
    (y) => ({ vjp: (g) => [gradient(x, y, g)] }),
  )
}

/** @internal a reduction over axes, with one call of the kernel for each run of neighboring axes */
export function reduce(how: Reduction, value: TensorLike, axis: Axes, keepDims: boolean): Tensor {
  let x = asFloats(value, undefined, how.name)
  const axes = normalizeAxes(axis, x.rank, how.name)
  const shape = x.shape.flatMap((d, i) => (!axes.includes(i) ? [d] : keepDims ? [1] : []))
  if (how !== SUM && x.size === 0 && sizeOf(shape) > 0) throw rangeError(`${how.name}: the largest or smallest of nothing is not defined`)
  for (let last = axes.length - 1; last >= 0; last--) {
    let first = last
    while (first > 0 && axes[first - 1] === axes[first] - 1) first--
    x = reduceRun(how, x, axes[first], axes[last])
    last = first
  }
  return reshape(x, shape)
}

/** Sum over axes (default: all). @example sum([[1, 2], [3, 4]], 0) // [4, 6] */
export function sum<X extends Operand, const A extends Axes = undefined, K extends boolean = false>(
  x: X,
  axis?: A,
  keepDims: K = false as K,
): Tensor<Reduced<ShapeOf<X>, A, K>> {
  return reduce(SUM, x, axis, keepDims)
}

/** @internal x summed over every axis along which `shape` was repeated: the gradient of a broadcast */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x
  const extra = x.rank - shape.length
  const axes = x.shape.map((_, i) => i).filter((i) => i < extra || (shape[i - extra] === 1 && x.shape[i] !== 1))
  return reshape(axes.length > 0 ? sum(x, axes, true) : x, shape)
}

/**
 * x repeated along new axes and along axes of length 1 up to `shape`.
 *
 * @example broadcastTo([1, 2], [2, 2]) // [[1, 2], [1, 2]]
 * @throws ShapeError
 */
export function broadcastTo<X extends Operand, const S extends Shape>(
  value: Unless<Equal<Broadcast<ShapeOf<X>, S>, S>, X, `${Text<ShapeOf<X>>} does not broadcast to ${Text<S>}`>,
  shape: S,
): Tensor<Given<S>> {
  const x = asFloats(value as TensorLike, undefined, 'broadcastTo')
  checkShape(shape, 'broadcastTo')
  if (sameShape(x.shape, shape)) return x
  const added = shape.length - x.rank
  if (added < 0 || x.shape.some((d, i) => d !== 1 && d !== shape[added + i]))
    throw new ShapeError(`broadcastTo: ${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}`)
  const one = Tensor.onHost(x.backend, [], Float32Array.of(1))
  return apply(
    [x],
    shape,
    (y, { kernels, heap }) => runBinary(kernels.mul, x, one, shape, y, heap.elementSize),
    () => ({ vjp: (g) => [sumTo(g, x.shape)] }),
  )
}
