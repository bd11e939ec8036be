/** What a sampler is. */
import { rangeError } from '../../common/errors.js'
import type { Generator } from '../../index.js'
import type { Observations } from '../observations.js'
import type { Axis } from '../space.js'

/** What a sampler is told of the trial that it makes a point for. */
export interface SamplerContext {
  /** @internal */
  readonly axes: readonly Axis[]
  /** @internal */
  readonly history: Observations
  /** Number of the trial, from 0. */
  readonly number: number
  /** Of a sampler that is a sequence which of its points it is to be, from 0: the next that no trial has had. */
  readonly point: number
  /** How many objectives there are. */
  readonly objectives: number
  /** Random numbers of this trial: they depend on the seed of the study and the number of the trial alone. */
  readonly random: Generator
  /**
   * Whether the trial has parameters that were enqueued or asked for with values.
   * @internal
   */
  readonly hasFixed: boolean
  /**
   * Whether the constraint of the study allows a point. A point that is not allowed is drawn again, so only a sampler that chooses among several
   * points has to ask.
   * @internal
   */
  isAllowed(point: Float64Array): boolean
}

/**
 * Chooses the parameters of the next trial. Samplers of this library are made by `tpe()`, `random()` and others; one of your own has a name
 * and a function.
 */
export interface Sampler {
  /** For reports and errors. */
  readonly name: string
  /**
   * Whether it is a list of points, such as a grid, of which each trial has the next. A point that a constraint forbids is left out, and
   * trials that are enqueued or added take none away. Default false.
   */
  readonly isSequence?: boolean
  /** How many points a sequence has. Default: as many as are asked for. */
  limit?(axes: readonly Axis[]): number
  /**
   * The next point: a coordinate for each axis, NaN where a parameter is not there.
   * @internal
   */
  sample(context: SamplerContext): Float64Array
}

/** Points that a constraint may forbid before it counts as one that allows nothing: some tenths of a second. @internal */
export const MAX_DRAWS = 200_000
/** Draws after which points have a coordinate for every axis, where parameters are fixed. */
const FEW_DRAWS = 100

/** @internal a uniform point that the constraint allows; @throws RangeError where none of many is allowed */
export function randomPoint({ axes, random, isAllowed, hasFixed }: SamplerContext): Float64Array {
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const shares = random.uniforms(axes.length)
    // a fixed parent may switch on a parameter that the point lacks, and whose middle is forbidden
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
