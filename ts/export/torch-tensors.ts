/** Tensors by PyTorch's names, as rooms read them into their layers. */
import { plainError, ShapeError, typeError } from '../common/errors.js'
import { list } from '../common/names.js'
import { object } from '../common/options.js'
import { formatShape, type Shape, sameShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { asFloats, type Tensor, type TensorLike } from '../tensor.js'

/** @internal the array as a tensor beside `like`, if it has the shape. @throws ShapeError, TypeError naming it */
export function tensorOfShape(who: string, name: string, value: TensorLike, shape: Shape, like: Tensor): Tensor {
  const t = asFloats(value, like.backend, `${who}: ${name}`)
  if (!sameShape(t.shape, shape)) throw new ShapeError(`${who}: ${name} wants shape ${formatShape(shape)}, got ${formatShape(t.shape)}`)
  return t
}

/** @internal @throws TypeError for anything but tensors by name */
export function checkNamed(who: string, tensors: Readonly<Record<string, TensorLike>>): void {
  if (!object.fits(tensors))
    throw typeError(`${who}: tensors wants an object of tensors by name, as decodeSafetensors returns it, got ${show(tensors)}`)
}

/** @internal the error for a missing tensor. @param see the options that decide about the names */
export function noTensor(who: string, name: string, tensors: Readonly<Record<string, TensorLike>>, see: string): Error {
  return plainError(`${who}: no tensor '${name}' among ${list(Object.keys(tensors).slice(0, 8).map(show))}; see ${see}`)
}
