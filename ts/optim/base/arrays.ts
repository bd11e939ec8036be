/** Optimizers on arrays of the user: a parameter represents each pair of arrays, which are copied in before a step and back after it. */

import type { FloatArray } from '../../backend/heap.js'
import { type Backend, defaultBackend } from '../../backend/index.js'
import { rangeError } from '../../common/errors.js'
import { formatShape, type Shape, sizeOf } from '../../common/shape.js'
import { Parameter } from '../../parameter.js'

/**
 * Values and their gradient in typed arrays that you keep; an optimizer's step() updates `value` in place. Both are copied into the memory
 * of the backend before a step, and the values back after it: a {@link Parameter} whose {@link Parameter.gradientView} you fill needs no copies.
 */
export interface ArrayParameter {
  value: FloatArray
  gradient: FloatArray
  /** Name for error messages. */
  name?: string
  /** Shape, for methods that treat matrices as matrices. Default: one dimension. */
  shape?: Shape
}

/** @internal an array pair and the parameter that stands for it */
export interface ArrayBinding {
  array: ArrayParameter
  parameter: Parameter
}

export function isArrayParameter(value: unknown): value is ArrayParameter {
  const { value: values, gradient } = (value ?? {}) as ArrayParameter
  return isFloats(values) && isFloats(gradient)
}

/** @throws RangeError if value, gradient and shape differ in size */
export function bindArray(array: ArrayParameter, index: number, backend: Backend = defaultBackend()): ArrayBinding {
  const { value, gradient, name = `array ${index}`, shape = [value.length] } = array
  if (value.length !== gradient.length)
    throw rangeError(`parameter '${name}': value has ${value.length} elements, gradient has ${gradient.length}`)
  if (sizeOf(shape) !== value.length)
    throw rangeError(`parameter '${name}': ${value.length} values do not fill shape ${formatShape(shape)}`)
  return { array, parameter: new Parameter(value, { name, shape, backend }) }
}

export function copyIn(bindings: readonly ArrayBinding[]): void {
  for (const { array, parameter } of bindings) {
    parameter.view().set(array.value)
    parameter.gradientView().set(array.gradient)
  }
}

export function copyOut(bindings: readonly ArrayBinding[]): void {
  for (const { array, parameter } of bindings) array.value.set(parameter.view())
}

function isFloats(value: unknown): value is FloatArray {
  return value instanceof Float32Array || value instanceof Float64Array
}
