/** Batches of rows: cut from a tensor, and joined again. */

import { NonFiniteError, ShapeError } from '../common/errors.js'
import { formatShape, sameShape } from '../common/shape.js'
import { Tensor } from '../tensor.js'

/** @internal rows from..to (exclusive) of a tensor on the host as a view: a slice would copy the whole of it into the arena */
export function rowsOf(t: Tensor, from: number, to: number): Tensor {
  const width = t.size / t.shape[0]
  return Tensor.onHost(t.backend, [to - from, ...t.shape.slice(1)], t.read().subarray(from * width, to * width))
}

/** @internal rows of batches as one tensor. @throws ShapeError if their shapes differ */
export function joinRows(what: string, parts: readonly Tensor[]): Tensor {
  const [first] = parts
  const { backend, shape } = first
  const Values = first.read().constructor as Float32ArrayConstructor
  const values = new Values(parts.reduce((size, part) => size + part.size, 0))
  let [at, rows] = [0, 0]
  for (const part of parts) {
    if (part.rank === 0 || !sameShape(part.shape.slice(1), shape.slice(1)))
      throw new ShapeError(`${what}: batches of shapes ${formatShape(shape)} and ${formatShape(part.shape)} are not rows of one table`)
    values.set(part.read(), at)
    at += part.size
    rows += part.shape[0]
  }
  return Tensor.onHost(backend, [rows, ...shape.slice(1)], values)
}

/** @internal @throws NonFiniteError naming the first row of an output that is not finite, and saying whether its input is finite */
export function checkFiniteRows(what: string, output: Tensor, input: Tensor): void {
  const at = output.read().findIndex((value) => !Number.isFinite(value))
  if (at < 0) return
  const row = Math.floor((at * output.shape[0]) / output.size)
  const inputs = (input.isOnHost ? input : input.keep()).read()
  const width = inputs.length / output.shape[0]
  const isGood = inputs.slice(row * width, (row + 1) * width).every(Number.isFinite)
  throw new NonFiniteError(
    `${what}: row ${row} gives ${output.read()[at]}; look at ${isGood ? 'the weights' : 'its inputs, which are not finite'}`,
  )
}
