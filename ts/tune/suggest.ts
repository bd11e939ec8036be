/** The parameters of the next trial of a study: what is fixed, and the rest by the sampler, so that the constraint is kept. */

import { rangeError } from '../common/errors.js'
import { Generator } from '../index.js'
import type { Observations } from './observations.js'
import type { Sampler } from './samplers/sampler.js'
import { type Axis, type Choice, valuesAt } from './space.js'

/** With the name of a sampler: the attribute that says which of its points a trial has. */
const POINT = 'gradus:point:'

/** Points that are drawn before a constraint counts as never kept. */
const MAX_DRAWS = 10_000

/** Parameters of a trial, and the attributes that go with them. */
interface Suggestion {
  values: Record<string, Choice>
  attributes: Record<string, unknown>
}

/** @internal */
export class Suggester {
  /** The first point of the sampler that no trial has had. */
  private nextPoint = 0

  constructor(
    private readonly sampler: Sampler,
    private readonly axes: readonly Axis[],
    private readonly history: Observations,
    private readonly seed: number,
    private readonly objectives: number,
    private readonly constraint: ((params: never) => boolean) | undefined,
  ) {}

  /** Of the sampler. */
  get name(): string {
    return this.sampler.name
  }

  get hasConstraint(): boolean {
    return this.constraint !== undefined
  }

  /** How many points the sampler has. */
  get limit(): number {
    return this.sampler.limit?.(this.axes) ?? Number.POSITIVE_INFINITY
  }

  /** Notes the point of a trial, which another process may have made. */
  note(attributes: Readonly<Record<string, unknown>>): void {
    const point = attributes[POINT + this.sampler.name]
    if (typeof point === 'number') this.nextPoint = Math.max(this.nextPoint, point + 1)
  }

  /**
   * The parameters of a trial; undefined where the sampler has no more points. A trial with parameters that are fixed takes no point away.
   * @throws RangeError where nothing that is drawn keeps the constraint
   */
  suggest(number: number, fixed: Readonly<Record<string, unknown>>): Suggestion | undefined {
    const { axes, sampler, seed, history, constraint, objectives, limit, nextPoint } = this
    const isFree = Object.keys(fixed).length === 0
    const context = { axes, history, number, objectives, random: new Generator(seed, number) }
    const most = isFree && limit < Number.POSITIVE_INFINITY ? limit - nextPoint : MAX_DRAWS
    for (let point = nextPoint; point < nextPoint + most; point++) {
      const drawn = sampler.sample({ ...context, point })
      const values = valuesAt(axes, isFree ? drawn : this.withFixed(drawn, fixed))
      if (constraint !== undefined && !constraint(values as never)) continue
      return { values, attributes: isFree && sampler.isSequence ? { [POINT + sampler.name]: point } : {} }
    }
    if (isFree && limit < Number.POSITIVE_INFINITY && nextPoint > 0) return undefined
    throw rangeError(
      `ask: of ${most} points of the sampler '${sampler.name}' none keeps the constraint; is there any? A range with less around what is allowed is found faster`,
    )
  }

  private withFixed(drawn: Float64Array, fixed: Readonly<Record<string, unknown>>): Float64Array {
    const point = new Float64Array(this.axes.length).fill(Number.NaN)
    this.axes.forEach((axis, i) => {
      if (!axis.isActive(point)) return
      const own = axis.name in fixed ? axis.coordinate(fixed[axis.name]) : drawn[i]
      point[i] = Number.isNaN(own) ? axis.coordinate(axis.value(axis.at(0.5))) : own
    })
    return point
  }
}
