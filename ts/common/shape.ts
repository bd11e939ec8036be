/** Shapes: the lengths of a tensor along its axes, and broadcasting of two shapes. */

import { rangeError, ShapeError, typeError } from './errors.js'
import { show } from './show.js'

// an interface and not a type, since the compiler shows interfaces by name: Tensor<Shape>, not Tensor<readonly number[]>
/** Lengths along each axis; [] for a single number. Any array of numbers is one. */
export interface Shape extends ReadonlyArray<number> {}

/** The number of elements. 1 for a scalar, whose shape is []. */
export function sizeOf(shape: Shape): number {
  let size = 1
  for (let i = 0; i < shape.length; i++) size *= shape[i]
  return size
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Messages show no more than this many dimensions of a shape. */
const LONGEST_SHAPE = 16

/** '[64, 10]' */
export function formatShape(shape: Shape): string {
  if (shape.length > LONGEST_SHAPE) return `[${shape.slice(0, 4).join(', ')}, … ${shape.length} dimensions in all]`
  return `[${shape.join(', ')}]`
}

/** @throws RangeError unless every dimension is a whole number ≥ 0 and the product is addressable */
export function checkShape(shape: Shape, what: string): void {
  if (!Array.isArray(shape)) throw typeError(`${what}: shape wants an array of whole numbers, got ${show(shape)}`)
  for (const d of shape) {
    if (!Number.isInteger(d) || d < 0) throw rangeError(`${what}: every dimension wants a whole number ≥ 0, got ${formatShape(shape)}`)
  }
  if (sizeOf(shape) > 2 ** 30) throw rangeError(`${what}: ${formatShape(shape)} has more than 2³⁰ elements`)
}

/** The shape that a and b broadcast to, aligned at the last axis; each axis equal or 1. @throws ShapeError */
export function broadcastShapes(a: Shape, b: Shape, op: string): Shape {
  if (sameShape(a, b)) return a
  const rank = Math.max(a.length, b.length)
  const out = new Array<number>(rank)
  for (let i = 0; i < rank; i++) {
    const da = a[a.length - rank + i] ?? 1
    const db = b[b.length - rank + i] ?? 1
    if (da !== db && da !== 1 && db !== 1)
      throw new ShapeError(`${op}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast (axis ${i}: ${da} against ${db})`)
    out[i] = da === 1 ? db : da
  }
  return out
}

/** Axes as whole numbers in 0..rank-1, ascending; undefined means all. @throws RangeError */
export function normalizeAxes(axis: number | readonly number[] | undefined, rank: number, op: string): number[] {
  if (axis === undefined) return Array.from({ length: rank }, (_, i) => i)
  const axes = [axis].flat().map((a) => {
    if (typeof a !== 'number') throw typeError(`${op}: axis wants a whole number, or several in an array, got ${show(a)}`)
    if (!Number.isInteger(a) || a < -rank || a >= rank) throw rangeError(`${op}: axis ${a} is out of range for rank ${rank}`)
    return a < 0 ? a + rank : a
  })
  axes.sort((x, y) => x - y)
  for (let i = 1; i < axes.length; i++) if (axes[i] === axes[i - 1]) throw rangeError(`${op}: axis ${axes[i]} is given twice`)
  return axes
}
