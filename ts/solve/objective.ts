/** The function to be minimized, as the solvers see it: value and gradient in one call, counted, the best point kept. */

import { rangeError, typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { allFinite } from '../common/vector.js'
import { Tensor } from '../tensor.js'
import type { Box } from './box.js'
import { FunctionError } from './result.js'

/** Value and gradient at a point. */
export interface Evaluation {
  value: number
  gradient: ArrayLike<number>
}

/** A plain function of a vector: its value, or its value and gradient. It must not keep or change `x`. */
export type PlainFunction = (x: Float64Array) => number | Evaluation

/** A point with value and gradient. @internal */
export interface Point {
  x: Float64Array
  value: number
  gradient: Float64Array
}

const CUBE_ROOT_EPSILON = Math.cbrt(Number.EPSILON)

/** Source of a solver's values and gradients. @internal */
export interface PointSource {
  readonly size: number
  readonly evaluations: number
  /** Value and gradient; a value of NaN if either is not finite. */
  at(x: Float64Array): Point
}

/** Counts and guards the calls of a user's function. @internal */
export class Objective implements PointSource {
  evaluations = 0
  /** Lowest finite point seen. */
  best: Point | null = null

  constructor(
    private readonly f: PlainFunction,
    private readonly gradientOf: ((x: Float64Array) => ArrayLike<number>) | undefined,
    readonly size: number,
    private readonly box: Box | null = null,
  ) {}

  /** Value and gradient; a value of NaN if either is not finite. @throws FunctionError if the function does */
  at(x: Float64Array): Point {
    const point = this.evaluate(x)
    if (!Number.isFinite(point.value) || !allFinite(point.gradient))
      return { ...point, value: point.value === -Infinity ? -Infinity : Number.NaN }
    if (this.best === null || point.value < this.best.value) this.best = point
    return point
  }

  /** Gradient at a point that is not a candidate for the minimum (for difference quotients). */
  gradientAt(x: Float64Array): Float64Array {
    return this.evaluate(x).gradient
  }

  private evaluate(x: Float64Array): Point {
    const at = x.slice()
    this.evaluations++
    const result = guard(() => this.f(x.slice()))
    if (typeof result === 'object' && typeof result?.value === 'number')
      return { x: at, value: result.value, gradient: this.checked(result.gradient) }
    if (typeof result !== 'number')
      throw new FunctionError(typeError(`minimize: the function wants to return ${ANSWER}, got ${hintFor(result) ?? show(result)}`))
    if (!Number.isFinite(result)) return { x: at, value: result, gradient: new Float64Array(x.length).fill(Number.NaN) }
    const { gradientOf } = this
    const gradient = gradientOf === undefined ? this.differences(at, result) : this.checked(guard(() => gradientOf(x.slice())))
    return { x: at, value: result, gradient }
  }

  private checked(gradient: ArrayLike<number>): Float64Array {
    if (gradient?.length === this.size) return Float64Array.from(gradient)
    throw new FunctionError(rangeError(`minimize: the gradient wants ${this.size} numbers, got ${gradient?.length ?? show(gradient)}`))
  }

  /**
   * Central differences, step ∛ε·max(1, |xᵢ|): about ten correct digits for 2n calls. At a bound both calls are on the other side
   * of xᵢ; the slope of a fixed parameter counts as 0.
   */
  private differences(x: Float64Array, value: number): Float64Array {
    const { box } = this
    const gradient = new Float64Array(x.length)
    for (let i = 0; i < x.length; i++) {
      const h = CUBE_ROOT_EPSILON * Math.max(1, Math.abs(x[i]))
      if (box?.fixes(i)) continue
      if (box === null || box.reach(i, x[i], h) >= h) gradient[i] = (this.shifted(x, i, h) - this.shifted(x, i, -h)) / (2 * h)
      else gradient[i] = this.oneSided(x, i, box.inward(i, x[i], h), value)
    }
    return gradient
  }

  /** f′ ≈ (4·f(x + h) − f(x + 2h) − 3·f(x)) / 2h, with a smaller h of the same sign if the box is narrower than 2h. */
  private oneSided(x: Float64Array, i: number, h: number, value: number): number {
    const room = (h > 0 ? this.box!.upper[i] : this.box!.lower[i]) - x[i]
    const step = Math.sign(h) * Math.min(Math.abs(h), Math.abs(room) / 2)
    return (4 * this.shifted(x, i, step) - this.shifted(x, i, 2 * step) - 3 * value) / (2 * step)
  }

  private shifted(x: Float64Array, i: number, h: number): number {
    const at = x.slice()
    at[i] += h
    this.evaluations++
    return guard(() => this.f(at)) as number
  }
}

const ANSWER = 'a number or { value, gradient }'

function hintFor(result: unknown): string | undefined {
  if (result instanceof Promise) return 'a promise: it must not be async'
  if (result instanceof Tensor) return 'a tensor: for a function of tensors give the start as a tensor, too'
  return undefined
}

/** Marks errors of the user's function. @internal */
export function guard<T>(fn: () => T): T {
  try {
    return fn()
  } catch (error) {
    throw new FunctionError(error)
  }
}
