/** Targets as numbers. */
import { ShapeError } from '../common/errors.js'
import { formatShape } from '../common/shape.js'
import { asTensor, type Tensor, type TensorLike } from '../tensor.js'

/** @internal as many as predictions, or `rows`. @throws ShapeError */
export function valuesOf(target: TensorLike, who: string, { size, shape }: Tensor, rows = size) {
  const targets = asTensor(target)
  if (targets.size === size || targets.size === rows) return targets.read()
  throw new ShapeError(`${who}: prediction has shape ${formatShape(shape)}, target ${formatShape(targets.shape)}`)
}
