/** The interface of samplers. */
import { rangeError } from '../../common/errors.js'
import type { Generator } from '../../index.js'
import type { Observations } from '../observations.js'
import type { Axis } from '../space.js'

/** Context in which a sampler makes a point for a trial. */
export interface SamplerContext {
  /** @internal */
  readonly axes: readonly Axis[]
  /** @internal */
  readonly history: Observations
  /** Number of the trial, from 0. */
  readonly number: number
  /** For a sequence sampler: the index of the next unused point, from 0. */
  readonly point: number
  /** Number of objectives. */
  readonly objectives: number
  /** Random numbers of this trial: they depend on the seed of the study and the number of the trial alone. */
  readonly random: Generator
  /**
   * True if the trial has parameters that were enqueued or given. @internal
   */
  readonly hasFixed: boolean
  /**
   * True if the constraint of the study allows a point. A point that is not allowed is drawn again, so only a sampler that chooses among several
   * points has to check. @internal
   */
  isAllowed(point: Float64Array): boolean
}

/**
 * Chooses the parameters of the next trial. Samplers of this library are made by `tpe()`, `random()` and others; a sampler of your own is an object
 * with a name and a function.
 */
export interface Sampler {
  /** Name for reports and errors. */
  readonly name: string
  /**
   * True for a sequence of points, such as a grid, from which each trial takes the next. Points that a constraint forbids are skipped, and trials
   * that are enqueued or added use no point. Default false.
   */
  readonly isSequence?: boolean
  /** Number of points of a sequence. Default: unlimited. */
  limit?(axes: readonly Axis[]): number
  /**
   * The next point: a coordinate for each axis, NaN if a parameter is absent. @internal
   */
  sample(context: SamplerContext): Float64Array
}

/** Number of forbidden points after which a constraint counts as allowing nothing; drawing them takes some tenths of a second. @internal */
export const MAX_DRAWS = 200_000
/** Number of draws after which points get a coordinate for every axis, if parameters are fixed. */
const FEW_DRAWS = 100

/** @internal a uniform point that the constraint allows; @throws RangeError if none of many is allowed */
export function randomPoint({ axes, random, isAllowed, hasFixed }: SamplerContext): Float64Array {
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const shares = random.uniforms(axes.length)
    // a fixed parent may switch on a parameter that the drawn point lacks; its default, the middle of its range, may be forbidden
    const isWhole = hasFixed && draw >= FEW_DRAWS
    const point = isWhole ? Float64Array.from(axes, (axis, i) => axis.coordinate(axis.value(axis.at(shares[i])))) : pointAt(axes, shares)
    if (isAllowed(point)) return point
  }
  throw rangeError(
    `ask: of ${MAX_DRAWS} random points none keeps the constraint; does it allow any? Narrow the ranges of the space to where it does`,
  )
}

/** @internal a point with uniform coordinates, from one number in [0, 1) for each axis */
export function pointAt(axes: readonly Axis[], shares: ArrayLike<number>): Float64Array {
  const point = new Float64Array(axes.length).fill(Number.NaN)
  axes.forEach((axis, i) => {
    if (axis.isActive(point)) point[i] = axis.coordinate(axis.value(axis.at(shares[i])))
  })
  return point
}
