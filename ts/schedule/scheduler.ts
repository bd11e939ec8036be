/** Schedules at work: they set options of an optimizer step by step. */

import { checkCount } from '../common/checks.js'
import { rangeError, typeError } from '../common/errors.js'
import { anything, flag, readOptions, type Schema } from '../common/options.js'
import { show } from '../common/show.js'
import type { Driven } from './plateau.js'
import type { Schedule } from './schedule.js'

/** Options of {@link Scheduler}. */
export interface SchedulerOptions {
  /** Index of the group to drive. Default: every group. */
  group?: number
  /**
   * True if schedules return factors. Each is multiplied by the option's value at construction (or in a loaded state), which may differ between
   * groups. Default false.
   */
  relative?: boolean
}

/** The state for {@link Scheduler.loadState}. */
export interface SchedulerState {
  stepCount: number
  /** Factors on the schedules: in a relative scheduler the option values at its construction. Default when loading: unchanged. */
  bases?: readonly number[]
}

export const SCHEDULER = { group: { is: anything }, relative: { is: flag, default: false } } satisfies Schema<SchedulerOptions>

/**
 * Lets schedules drive options of an optimizer: the learning rate, or any options by name. It sets the values for the
 * first step at once; call step() after each optimizer.step() (or each epoch, for schedules that count epochs).
 *
 * @example
 * const { warmup, cosine, oneCycle, oneCycleMomentum } = schedules
 * const scheduler = new Scheduler(optimizer, warmup(cosine(1e-3, { steps: 900 }), { steps: 100 }))
 * const both = new Scheduler(optimizer, { learningRate: oneCycle(0.1, { steps: 1000 }), beta1: oneCycleMomentum({ steps: 1000 }) })
 * optimizer.step()
 * scheduler.step()
 */
export class Scheduler {
  /** Steps taken. */
  stepCount = 0
  private readonly targets: { options: Record<string, number>; name: string; schedule: Schedule; base: number }[]

  /** @throws RangeError for a group or an option that the optimizer does not have, TypeError for anything but an optimizer or a schedule */
  constructor(optimizer: Driven, schedule: Schedule | Readonly<Record<string, Schedule>>, settings: SchedulerOptions = {}) {
    const { group, relative } = readOptions('Scheduler', settings, SCHEDULER)
    if (!Array.isArray(optimizer?.groups)) throw typeError(`Scheduler: wants an optimizer, got ${show(optimizer)}`)
    if (typeof schedule !== 'function' && (typeof schedule !== 'object' || schedule === null))
      throw typeError(`Scheduler: wants a schedule, or schedules by the name of an option, got ${show(schedule)}`)
    const schedules = typeof schedule === 'function' ? { learningRate: schedule } : schedule
    for (const [name, value] of Object.entries(schedules))
      if (typeof value !== 'function') throw typeError(`Scheduler: '${name}' wants a schedule, a function of the step, got ${show(value)}`)
    const groups = group === undefined ? optimizer.groups : [optimizer.groups[group]]
    if (groups[0] === undefined) throw rangeError(`Scheduler: the optimizer has ${optimizer.groups.length} groups, no group ${group}`)
    this.targets = groups.flatMap((driven) => {
      const options = driven.options as Record<string, number>
      return Object.entries(schedules).map(([name, schedule]) => {
        if (typeof options[name] !== 'number') {
          const numbers = Object.keys(options).filter((option) => typeof options[option] === 'number')
          throw rangeError(`Scheduler: the optimizer has no number '${name}' to drive; it has ${numbers.join(', ')}`)
        }
        return { options, name, schedule, base: relative ? options[name] : 1 }
      })
    })
    this.assign(0, this.bases)
  }

  /** Advances to the next step: sets every driven option to its schedule's next value. */
  step(): void {
    this.assign(++this.stepCount, this.bases)
  }

  /** Values that the schedules give now, of the first driven group. */
  get values(): Record<string, number> {
    return Object.fromEntries(this.targets.map(({ name, options }) => [name, options[name]]))
  }

  /** The state for {@link loadState}. */
  state(): SchedulerState {
    return { stepCount: this.stepCount, bases: this.bases }
  }

  /**
   * @throws TypeError for a value that is not a scheduler's state, RangeError for a state with other options or with an invalid value; then nothing
   * was changed
   */
  loadState(state: SchedulerState): void {
    if (typeof state?.stepCount !== 'number') throw typeError(`Scheduler.loadState(): wants { stepCount }, got ${show(state)}`)
    const { targets } = this
    const { stepCount, bases = this.bases } = state
    if (bases?.length !== targets.length)
      throw rangeError(
        `Scheduler.loadState(): the state is of a scheduler of ${bases?.length ?? 'no'} options, this one drives ${targets.length}`,
      )
    checkCount('Scheduler.loadState(): stepCount', stepCount, 0)
    const odd = bases.find((base) => !Number.isFinite(base))
    if (odd !== undefined) throw rangeError(`Scheduler.loadState(): bases want finite numbers, got ${show(odd)}`)
    const before = targets.map(({ options, name }) => options[name])
    try {
      this.assign(stepCount, bases)
    } catch (error) {
      targets.forEach(({ options, name }, i) => (options[name] = before[i]))
      throw error
    }
    this.stepCount = stepCount
    targets.forEach((target, i) => (target.base = bases[i]))
  }

  private get bases(): number[] {
    return this.targets.map(({ base }) => base)
  }

  private assign(stepCount: number, bases: readonly number[]): void {
    for (const [i, { options, name, schedule }] of this.targets.entries()) options[name] = bases[i] * schedule(stepCount)
  }
}
