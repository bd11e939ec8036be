/** Checks of the arguments of solvers. */
import { rangeError, typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { copied } from '../common/vector.js'
import { Tensor } from '../tensor.js'

/** The numbers of a start, copied. @throws TypeError for anything but numbers, RangeError for an empty start @internal */
export function startOf(owner: string, x0: ArrayLike<number> | Tensor): Float64Array {
  const values = x0 instanceof Tensor ? x0.data() : x0
  const n: unknown = (values as ArrayLike<number> | undefined)?.length
  if (typeof values !== 'object' || typeof n !== 'number') throw typeError(`${owner}: the start wants an array of numbers, got ${show(x0)}`)
  if (n === 0) throw rangeError(`${owner}: the start has no numbers`)
  checkNumbers(`${owner}: the start`, values)
  return copied(values)
}

/** @throws TypeError for an element that is not a number @internal */
export function checkNumbers(what: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (typeof values[i] !== 'number') throw typeError(`${what} wants numbers, element ${i} is ${show(values[i])}`)
  }
}
