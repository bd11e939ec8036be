/** Cumulative sums. */
import { apply } from '../autograd.js'
import { withOthers } from '../backend/families.js'
import { ShapeError } from '../common/errors.js'
import { normalizeAxes, sizeOf } from '../common/shape.js'
import { asFloats, type Operand, type ShapeOf, type Tensor } from '../tensor.js'

/**
 * The sum of all elements up to each along an axis, with that element, as `torch.cumsum`. Sums are computed in double precision. The gradient of an
 * element is the sum of the gradients from it to the end.
 *
 * @param axis default the last
 * @example
 * cumsum([1, 2, 3])            // [1, 3, 6]
 * cumsum([[1, 2], [3, 4]], 0) // [[1, 2], [4, 6]]
 * @throws RangeError for an axis that x does not have, ShapeError for a single number
 */
export function cumsum<X extends Operand>(value: X, axis = -1): Tensor<ShapeOf<X>> {
  const x: Tensor = asFloats(value, undefined, 'cumsum')
  if (x.rank === 0) throw new ShapeError('cumsum: wants an axis to add along, got a single number')
  const [at] = normalizeAxes(axis, x.rank, 'cumsum')
  return running(x, at, false) as Tensor<ShapeOf<X>>
}

/** The sums from the beginning or from the end; each is the gradient of the other. */
function running(x: Tensor, axis: number, backwards: boolean): Tensor {
  const [outer, length, inner] = [sizeOf(x.shape.slice(0, axis)), x.shape[axis], sizeOf(x.shape.slice(axis + 1))]
  return apply(
    [x],
    x.shape,
    (y, backend) => withOthers(backend).cumsum(x.address, y, outer, length, inner, backwards ? 1 : 0),
    () => ({ operation: 'cumsum', vjp: (g) => [running(g, axis, !backwards)] }),
  )
}
