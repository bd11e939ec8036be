/** Elements by index: rows of a table, the lookup of an embedding; elements along an axis; and rows that are an index. */

import { apply } from '../autograd.js'
import { withOthers } from '../backend/families.js'
import { checkCount } from '../common/checks.js'
import { rangeError, ShapeError, typeError } from '../common/errors.js'
import { formatShape, normalizeAxes, type Shape, sizeOf } from '../common/shape.js'
import type { Gathered } from '../common/shape-types.js'
import { show } from '../common/show.js'
import { Parameter } from '../parameter.js'
import { asFloats, asTensor, floatArray, type Operand, type ShapeOf, Tensor, type TensorLike } from '../tensor.js'
import { reshape } from './shape.js'

/** @internal whole numbers within 0..limit-1 as an int32 tensor. @throws RangeError naming the first that is not */
export function asIndices(values: TensorLike, limit: number, what: string, backend: Tensor['backend']): Tensor {
  const given = asTensor(values, backend, what)
  given.check((numbers) => {
    for (let i = 0; i < numbers.length; i++) {
      const value = numbers[i]
      if (!Number.isInteger(value) || value < 0 || value >= limit)
        throw rangeError(`${what}: wants whole numbers from 0 to ${limit - 1}, got ${value} at position ${i}`)
    }
  })
  return given.dtype === 'int32' ? given : Tensor.onHost(backend, given.shape, Int32Array.from(given.read()))
}

/**
 * Elements by index, in one of two forms. The gradient of an element that is gathered several times is the sum of its copies' gradients.
 *
 * - `gather(table, index)`: rows of a table [rows, cols], `table[index[i], :]` for every index; shape [...index.shape, cols].
 * - `gather(x, axis, index)`: one element along the axis for every index, as `torch.gather`. For axis 1 of a matrix `y[i, j] = x[i, index[i, j]]`.
 *   The index has as many axes as x; only `axis` may be longer than in x; the result has the shape of the index.
 *
 * @example
 * gather(tensor([[1, 2], [3, 4]]), [1, 0, 1]) // [[3, 4], [1, 2], [3, 4]]
 * gather([[1, 2], [3, 4]], 1, [[1], [0]]) // [[2], [3]]
 * @throws RangeError for an index outside of the table or of the axis, ShapeError for an index of another rank or longer axes
 */
export function gather<T extends Shape, I extends Operand>(table: Tensor<T>, index: I): Tensor<Gathered<T, ShapeOf<I>>>
export function gather<I extends Operand>(x: Operand, axis: number, index: I): Tensor<ShapeOf<I>>
export function gather(x: TensorLike, ...given: [index: TensorLike] | [axis: number, index: TensorLike]): Tensor {
  return given.length === 2 ? alongAxis(x, ...given) : lookUp(x as Tensor, given[0], 'gather')
}

/** @internal rows of a table, after checking both. @throws as {@link gather} */
export function lookUp(table: Tensor, index: TensorLike, name: string): Tensor {
  if (!(table instanceof Tensor)) throw typeError(`${name}: wants a table as a Tensor, got ${show(table)}`)
  if (table.rank !== 2) throw new ShapeError(`${name}: wants a table of shape [rows, cols], got ${formatShape(table.shape)}`)
  return rowsAt(table, asIndices(index, table.shape[0], name, table.backend), name)
}

/** The elements of x are rows of length 1, looked up by their place in x. */
function alongAxis(value: TensorLike, axis: number, index: TensorLike): Tensor {
  const x = asFloats(value, undefined, 'gather')
  if (x.rank === 0) throw new ShapeError('gather: wants an axis to gather along, got a single number')
  const [at] = normalizeAxes(axis, x.rank, 'gather')
  const indices = asIndices(index, x.shape[at], 'gather: index', x.backend)
  const { shape } = indices
  if (shape.length !== x.rank || shape.some((d, i) => i !== at && d > x.shape[i])) {
    const hint = shape.length === x.rank ? '' : '; expandDims adds an axis'
    throw new ShapeError(
      `gather: index wants ${x.rank} axes that are no longer than those of ${formatShape(x.shape)}, but for axis ${at}, got ${formatShape(shape)}${hint}`,
    )
  }
  const table = reshape(x, [x.size, 1]) as Tensor
  const places = Tensor.onHost(x.backend, [indices.size], placesAlong(x.shape, at, indices))
  return reshape(rowsAt(table, places, 'gather'), shape) as Tensor
}

/** The place in a tensor of this shape of every element that the index names. */
function placesAlong(shape: Shape, at: number, index: Tensor): Int32Array {
  const strides = shape.map((_, i) => sizeOf(shape.slice(i + 1)))
  return Int32Array.from(index.read(), (chosen, position) => {
    let [place, rest] = [chosen * strides[at], position]
    for (let i = shape.length - 1; i >= 0; i--) {
      if (i !== at) place += (rest % index.shape[i]) * strides[i]
      rest = Math.floor(rest / index.shape[i])
    }
    return place
  })
}

/**
 * @internal a column of rows [n, stride] as indices, which the caller has checked
 * @param x whole numbers
 */
export function indicesIn(x: Tensor, column: number): Tensor {
  const { backend } = x
  const [rows, stride] = x.shape
  if (!backend.arena.keepsResults) {
    const values = x.read()
    const indices = Int32Array.from({ length: rows }, (_, row) => values[row * stride + column])
    return Tensor.onHost(backend, [rows], indices)
  }
  x.forgetCopy()
  const from = x.address + column * backend.heap.elementSize
  const y = backend.arena.allocate(4 * rows)
  withOthers(backend).toIndices(from, y, rows, stride)
  return Tensor.inArena(backend, [rows], y, false, 'int32')
}

/** @internal {@link lookUp} for indices that are checked */
export function rowsAt(table: Tensor, indices: Tensor, name: string): Tensor {
  const [rows, cols] = table.shape
  return apply(
    [table, indices],
    [...indices.shape, cols],
    (y, backend) => withOthers(backend).gatherRows(table.address, indices.address, y, indices.size, cols),
    () => ({
      operation: name,
      vjp: (g) => [scatter(g, indices, rows, cols), null],
      fused: (g, direct) => {
        if (!direct || !(table instanceof Parameter)) return [scatter(g, indices, rows, cols), null]
        scatterInto(table, g, indices)
        return [null, null]
      },
    }),
  )
}

function scatter(g: Tensor, indices: Tensor, rows: number, cols: number): Tensor {
  return apply(
    [g, indices],
    [rows, cols],
    (y, backend) => {
      const kernels = withOthers(backend)
      kernels.fill(y, rows * cols, 0)
      kernels.scatterAddRows(g.address, indices.address, y, sizeOf(indices.shape), cols)
    },
    () => ({ vjp: (gg) => [rowsAt(gg, indices, 'gather'), null] }),
  )
}

/**
 * {@link Parameter.claimGradient} for a gradient that is 0 except in some rows. It is set to 0 first, unless a gradient is already there to add to.
 */
function claimRows(table: Parameter, rows: Int32Array): void {
  const before = table.gradientState === 'ready' ? table.touchedRows : []
  if (!table.claimGradient()) table.backend.kernels.fill(table.gradientAddress, table.size, 0)
  table.touchedRows = before && [...before, rows]
}

function scatterInto(table: Parameter, g: Tensor, indices: Tensor): void {
  const [from, index] = [g.address, indices.address]
  claimRows(table, table.backend.heap.intView(index, indices.size).slice())
  withOthers(table.backend).scatterAddRows(from, index, table.gradientAddress, indices.size, table.shape[1])
}

/**
 * Class indices [n] as rows that are 1 at the class and 0 elsewhere, shape [n, classes].
 *
 * @example oneHot([2, 0], 3) // [[0, 0, 1], [1, 0, 0]]
 * @throws RangeError for a label that is not a class, or an invalid number of classes
 */
export function oneHot(labels: TensorLike, classes: number): Tensor {
  checkCount('oneHot: classes', classes)
  const given = asTensor(labels, undefined, 'oneHot')
  const indices = asIndices(given, classes, 'oneHot', given.backend).read()
  const out = floatArray(given.backend, indices.length * classes)
  for (let i = 0; i < indices.length; i++) out[i * classes + indices[i]] = 1
  return Tensor.onHost(given.backend, [indices.length, classes], out)
}
