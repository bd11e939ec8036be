/** Values as they were saved, on their way back into a model. */

import { ShapeError } from '../common/errors.js'
import { checkSaved, type SavedNumbers, savedNumbers } from '../common/saved.js'
import { formatShape, type Shape, sameShape } from '../common/shape.js'
import type { Tensor } from '../tensor.js'

/** Saved values of a parameter: a flat list, or values with a shape, as tensors have. */
export type SavedValues =
  | ArrayLike<number>
  | { readonly shape: Shape; readonly data: ArrayLike<number | bigint> | (() => ArrayLike<number>) }

type WithShape = Partial<Exclude<SavedValues, ArrayLike<number>>>

/** @internal the values as a flat list. @throws TypeError for values that are not numbers, RangeError for infinite ones in JSON */
export function listOf(saved: SavedValues, name: string): ArrayLike<number> {
  const { data = saved } = (saved ?? {}) as WithShape
  return savedNumbers((typeof data === 'function' ? data.call(saved) : data) as SavedNumbers, `loadState: '${name}'`)
}

/** @internal the values for a parameter or buffer. @throws ShapeError if they do not fit */
export function valuesFor(p: Tensor, name: string, saved: SavedValues): ArrayLike<number> {
  const { shape = p.shape } = (saved ?? {}) as WithShape
  const values = listOf(saved, name)
  if (sameShape(shape, p.shape) && values.length === p.size && typeof values[0] !== 'bigint') {
    checkSaved(`loadState: '${name}'`, p, values)
    return values
  }
  const kind = typeof values[0] === 'bigint' ? ' of 64-bit integers' : ''
  const got = sameShape(shape, p.shape) ? values.length : `shape ${formatShape(shape)}`
  throw new ShapeError(`loadState: '${name}' has shape ${formatShape(p.shape)} (${p.size} values), got ${got}${kind}`)
}

/**
 * @internal a hint where a missing name may be instead: one level deeper, in the state of an optimizer, or at another layer number because a Dropout
 * counts as a layer
 */
export function hintFor(name: string, state: object): string {
  const { format, optimizer } = state as { format?: unknown; optimizer?: unknown }
  if (typeof format === 'string' && typeof optimizer === 'string') return `; this is the state of an optimizer, ${optimizer}`
  const [inside] = Object.entries(state).find(([, value]) => Object.hasOwn(Object(value), name)) ?? []
  if (inside !== undefined) return `; did you mean what is under '${inside}'?`
  return Object.keys(state).some((key) => /^\d/.test(key)) ? '; Dropout counts as a layer' : ''
}
