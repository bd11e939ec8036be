/** Choice of the next trial and its parameters. */
import { plainError, rangeError } from '../common/errors.js'
import { show, showNames } from '../common/show.js'
import { beginning, createdWith, creation, type Ended, fixedOf, ownedBy, waitingWith, withFixed } from './entries.js'
import type { Pulse } from './pulse.js'
import { Axis, type Choice, describeRange } from './space.js'
import { isOver, type StoredTrial } from './storage/journal.js'
import { NOBODY } from './storage/owner.js'
import type { StoredTrials } from './stored-trials.js'
import type { Suggester } from './suggest.js'

type Values = Readonly<Record<string, unknown>>

export class Asking {
  constructor(
    private readonly trials: StoredTrials,
    private readonly suggester: Suggester,
    private readonly pulse: Pulse,
  ) {}

  /**
   * The number of the next trial, which this process runs from now on: first a trial whose process ended, then an enqueued trial, then a new one.
   * @param most limit of started trials, including those of other processes: beyond it, or if the sampler has no more points, the result is undefined
   * @throws RangeError if a sampler has no more points and `most` is not given
   */
  async next(most?: number): Promise<number | undefined> {
    const { trials, suggester, pulse } = this
    const { journal, index } = trials
    let number: number | undefined
    await journal.write(() => {
      // called again if another process was faster
      number = undefined
      if (trials.isDeleted) throw plainError(`ask: the study '${trials.parts.name}' was deleted from ${journal.store.place}`)
      // checked here, with no other call in between: otherwise several simultaneous calls would see the same last place
      if (most !== undefined && trials.begun >= most) return []
      const [orphan] = trials.orphans
      if (orphan) {
        number = orphan.number
        return [...pulse.first, ownedBy(orphan, journal.worker)]
      }
      const waiting = index.counts.waiting > 0 ? trials.all.find(({ state }) => state === 'waiting') : undefined
      const chosen = suggester.suggest(waiting?.number ?? trials.all.length, fixedOf(waiting))
      if (chosen === undefined) {
        if (most !== undefined) return []
        throw rangeError(
          `ask: the sampler '${suggester.name}' has ${suggester.limit} points, and all have been asked for${suggester.hasConstraint ? ' that keep the constraint' : ''}; give it more, or take tpe()`,
        )
      }
      number = waiting?.number ?? trials.all.length
      const created = this.creation(chosen.values, chosen.attributes)
      return [...pulse.first, ...(waiting ? beginning(waiting, created) : [created])]
    })
    if (number !== undefined) pulse.begin(number)
    return number
  }

  /** The number of a new trial with these parameters, which this process runs. Waiting trials keep waiting. */
  async nextWith(params: Values): Promise<number> {
    const { trials, suggester } = this
    let number = -1
    await trials.journal.write(() => {
      number = trials.all.length
      const chosen = suggester.suggest(number, params)
      if (chosen === undefined) throw rangeError(`ask: the sampler '${suggester.name}' has no point left`)
      return [...this.pulse.first, withFixed(this.creation(chosen.values, chosen.attributes), params)]
    })
    this.pulse.begin(number)
    return number
  }

  /** Hands back a trial that was stopped without a result: it runs again, with the same parameters, before new ones. */
  async leave(trial: StoredTrial): Promise<void> {
    this.pulse.end(trial.number)
    await this.trials.journal.write(() => (isOver(trial.state) ? [] : [ownedBy(trial, NOBODY)]))
  }

  /**
   * Adds a trial that waits to be run.
   * @throws RangeError for a value that is not in its range, a parameter that is not in the space, or values that the constraint forbids
   */
  async enqueue(params: Values): Promise<void> {
    const { axes } = this.trials.parts
    for (const [name, value] of Object.entries(params)) {
      const axis = axes.find((a) => a.name === name)
      if (!axis) throw rangeError(`enqueue: there is no parameter '${name}' in the space; it has ${showNames(axes.map((a) => a.name))}`)
      if (!axis.has(value)) throw rangeError(`enqueue: ${name} wants a value of ${describeRange(axis.range)}, got ${show(value)}`)
    }
    const whole = valuesOf(axes, params)
    if (!(whole instanceof Axis)) this.checkAllowed('enqueue', whole)
    else if (this.suggester.hasConstraint) this.checkCompletable(params)
    const entry = waitingWith(this.creation({}), params)
    await this.trials.journal.write(() => [entry])
  }

  /** Adds a trial that was run elsewhere. @throws RangeError for parameters that are missing, not in their ranges, or forbidden by the constraint */
  async add(params: Values, ended: Ended): Promise<void> {
    const values = valuesOf(this.trials.parts.axes, params)
    if (values instanceof Axis)
      throw rangeError(`add: ${values.name} wants a value of ${describeRange(values.parameter)}, got ${show(params[values.name])}`)
    this.checkAllowed('add', values)
    const entry = createdWith(this.creation(values), ended)
    await this.trials.journal.write(() => [entry])
  }

  private checkAllowed(who: string, values: Record<string, Choice>): void {
    if (!this.suggester.isAllowed(values)) throw rangeError(`${who}: the constraint of the study forbids ${show(values)}`)
  }

  /** A trial that no values of the other parameters complete would be the next one for ever. */
  private checkCompletable(params: Values): void {
    try {
      this.suggester.suggest(this.trials.all.length, params)
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      throw rangeError(`enqueue: with ${show(params)} as given, no values of the other parameters keep the constraint of the study`, {
        cause,
      })
    }
  }

  private creation(values: Parameters<typeof creation>[2], attributes?: Values) {
    return creation(this.trials.study?.id, this.trials.parts.axes, values, attributes)
  }
}

/** Values of all parameters of a point, as they were given; or the axis of the first parameter that is missing or out of range. */
function valuesOf(axes: readonly Axis[], params: Values): Record<string, Choice> | Axis {
  const point = new Float64Array(axes.length).fill(Number.NaN)
  const values: Record<string, Choice> = {}
  for (const [i, axis] of axes.entries()) {
    if (!axis.isActive(point)) continue
    const value = params[axis.name]
    if (!axis.has(value)) return axis
    point[i] = axis.coordinate(value)
    values[axis.name] = value as Choice
  }
  return values
}
