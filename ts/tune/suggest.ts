/** The parameters of the next trial of a study: fixed ones, and the rest from the sampler, subject to the constraint. */

import { rangeError, typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { Generator } from '../index.js'
import type { Observations } from './observations.js'
import { MAX_DRAWS, randomPoint, type Sampler } from './samplers/sampler.js'
import { type Axis, type Choice, valuesAt } from './space.js'

/** Prefix, before the name of a sampler, of the attribute with the index of the point that a trial has from it. */
const POINT = 'gradus:point:'

/** Number of the sampler's points that the constraint may forbid before random points are drawn instead. */
const OWN_DRAWS = 1000

/** Parameters of a trial, and the attributes that go with them. */
interface Suggestion {
  values: Record<string, Choice>
  attributes: Record<string, unknown>
}

/** @internal */
export class Suggester {
  /** Index of the sampler's first unused point. */
  private nextPoint = 0

  constructor(
    private readonly sampler: Sampler,
    private readonly axes: readonly Axis[],
    private readonly history: Observations,
    private readonly seed: number,
    private readonly objectives: number,
    private readonly constraint: ((params: never) => boolean) | undefined,
  ) {}

  /** Name of the sampler. */
  get name(): string {
    return this.sampler.name
  }

  get hasConstraint(): boolean {
    return this.constraint !== undefined
  }

  /** Number of points of the sampler. */
  get limit(): number {
    return this.sampler.limit?.(this.axes) ?? Number.POSITIVE_INFINITY
  }

  /** Notes the point of a trial, which another process may have made. */
  note(attributes: Readonly<Record<string, unknown>>): void {
    const point = attributes[POINT + this.sampler.name]
    if (typeof point === 'number') this.nextPoint = Math.max(this.nextPoint, point + 1)
  }

  /**
   * The parameters of a trial; undefined if the sampler has no more points. A trial with fixed parameters uses no point.
   * @throws RangeError if no drawn point satisfies the constraint
   */
  suggest(number: number, fixed: Readonly<Record<string, unknown>>): Suggestion | undefined {
    const { axes, sampler, seed, history, objectives, limit, nextPoint } = this
    const isFree = Object.keys(fixed).length === 0
    const isSequence = isFree && sampler.isSequence === true
    const valuesOf = (point: Float64Array) => (isFree ? valuesAt(axes, point) : this.withFixed(point, fixed))
    const isAllowed = (point: Float64Array) => this.constraint === undefined || this.isAllowed(valuesOf(point))
    const context = { axes, history, number, objectives, random: new Generator(seed, number), isAllowed, hasFixed: !isFree }
    const end = isSequence ? Math.min(limit, nextPoint + MAX_DRAWS) : nextPoint + OWN_DRAWS
    for (let point = nextPoint; point < end; point++) {
      const drawn = sampler.sample({ ...context, point })
      if (isAllowed(drawn)) return { values: valuesOf(drawn), attributes: isSequence ? { [POINT + sampler.name]: point } : {} }
    }
    if (!isSequence) return { values: valuesOf(randomPoint({ ...context, point: end })), attributes: {} }
    if (end === limit && nextPoint > 0) return undefined
    throw rangeError(
      `ask: of ${end - nextPoint} points of the sampler '${sampler.name}' none keeps the constraint; does it allow any? Narrow the ranges of the space to where it does`,
    )
  }

  /** True if the constraint allows a trial with these parameters. @throws TypeError for a constraint that returns neither true nor false */
  isAllowed(values: Readonly<Record<string, Choice>>): boolean {
    if (this.constraint === undefined) return true
    const answer: unknown = this.constraint(values as never)
    if (typeof answer === 'boolean') return answer
    throw typeError(`createStudy: constraint wants to return true or false, at once, got ${show(answer)}`)
  }

  /** The values at a point, with fixed values exactly as they were given. */
  private withFixed(drawn: Float64Array, fixed: Readonly<Record<string, unknown>>): Record<string, Choice> {
    const point = new Float64Array(this.axes.length).fill(Number.NaN)
    const given: Record<string, Choice> = {}
    this.axes.forEach((axis, i) => {
      if (!axis.isActive(point)) return
      const own = axis.name in fixed ? axis.coordinate(fixed[axis.name]) : drawn[i]
      point[i] = Number.isNaN(own) ? axis.coordinate(axis.value(axis.at(0.5))) : own
      if (axis.name in fixed && axis.has(fixed[axis.name])) given[axis.name] = fixed[axis.name] as Choice
    })
    return { ...valuesAt(this.axes, point), ...given }
  }
}
