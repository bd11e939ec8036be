/** Softmax and its logarithm over the last axis. */

import { apply } from '../autograd.js'
import { withOthers, withSoftmax } from '../backend/families.js'
import { ShapeError } from '../common/errors.js'
import { asFloats, type Operand, type ShapeOf, type Tensor } from '../tensor.js'
import { exp, mul, sub } from './elementwise.js'
import { sum } from './reduce.js'

function rowsAndCols(x: Tensor, op: string): [number, number] {
  if (x.rank === 0) throw new ShapeError(`${op}: wants at least one axis, got a single number`)
  const cols = x.shape[x.rank - 1]
  return [cols === 0 ? 0 : x.size / cols, cols]
}

/** eˣ / Σ eˣ over the last axis, without overflow. @example softmax([0, 0, Math.log(2)]) // [0.25, 0.25, 0.5] */
export function softmax<X extends Operand>(value: X): Tensor<ShapeOf<X>> {
  const x = asFloats(value, undefined, 'softmax')
  const [rows, cols] = rowsAndCols(x, 'softmax')
  return apply(
    [x],
    x.shape,
    (y, backend) => withSoftmax(backend).softmax(x.address, y, rows, cols),
    (y) => ({
      vjp: (g) => [mul(y, sub(g, sum(mul(g, y), -1, true)))],
      fused: (g) => [apply([g, y], g.shape, (dx, backend) => withSoftmax(backend).softmaxBackward(y.address, g.address, dx, rows, cols))],
    }),
  )
}

/** x − log Σ eˣ over the last axis, without overflow. @example logSoftmax([0, 0]) // [-0.693147, -0.693147] */
export function logSoftmax<X extends Operand>(value: X): Tensor<ShapeOf<X>> {
  const x = asFloats(value, undefined, 'logSoftmax')
  const [rows, cols] = rowsAndCols(x, 'logSoftmax')
  return apply(
    [x],
    x.shape,
    (y, backend) => withOthers(backend).logSoftmax(x.address, y, rows, cols),
    (y) => ({
      vjp: (g) => [sub(g, mul(exp(y), sum(g, -1, true)))],
      fused: (g) => [apply([g, y], g.shape, (dx, backend) => withOthers(backend).logSoftmaxBackward(y.address, g.address, dx, rows, cols))],
    }),
  )
}
