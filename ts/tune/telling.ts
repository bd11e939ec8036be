/** Reports of a trial during its run, and its result. */
import { rangeError, typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { constrained, type Ended, ending, faulty, isPruneAsked, noted, pruneRequest, reported } from './entries.js'
import { lastStep } from './pruners/pruner.js'
import type { Pulse } from './pulse.js'
import type { TrialOwner } from './running-trial.js'
import { isOver, type NewEntry } from './storage/journal.js'
import type { StoredTrials } from './stored-trials.js'
import type { Outcome } from './trial.js'
import { isLoss, lossOf } from './trial-record.js'

export class Telling implements TrialOwner {
  /** Notes of running trials, which are written together with their results. */
  private readonly notes = new Map<number, NewEntry[]>()

  constructor(
    private readonly trials: StoredTrials,
    private readonly pulse: Pulse,
  ) {}

  /** @throws RangeError for a trial that is over already, or does not exist */
  async tell(number: number, ended: Ended): Promise<void> {
    const { trials } = this
    try {
      await trials.journal.write(() => {
        const stored = trials.all[number]
        if (stored === undefined)
          throw rangeError(`tell: wants a trial that ask() gave, got ${show(number)}; the study has ${trials.all.length} trials, from 0`)
        if (isOver(stored.state))
          throw rangeError(`tell: trial ${number} is over already: it is ${stored.state}; add() takes what came of another`)
        return [...(this.notes.get(number) ?? []), ...ending(stored, ended, trials.parts.directions.length)]
      })
    } finally {
      // another process may have been faster
      if (isOver(trials.all[number]?.state)) {
        this.forget(number)
        this.pulse.end(number)
      }
    }
  }

  /** Forgets notes of a trial that is handed back. */
  forget(number: number): void {
    this.notes.delete(number)
  }

  async report(number: number, value: number, step: number): Promise<void> {
    if (typeof value !== 'number') throw typeError(`trial ${number}: report wants a number, got ${show(value)}`)
    if (!Number.isSafeInteger(step) || step < 0)
      throw rangeError(`trial ${number}: report wants a step from 0, a whole number, got ${show(step)}`)
    // a reported value of −∞, which no other could beat, is treated as NaN
    const useful = isLoss(lossOf(value, this.trials.parts.directions[0])) ? value : Number.NaN
    await this.trials.journal.write(() => {
      const trial = this.trials.all[number]
      return isOver(trial.state) ? [] : [reported(trial, step, useful)]
    })
  }

  shouldPrune(number: number): boolean {
    const { parts, all, index } = this.trials
    if (parts.pruner === undefined || all[number].reports.size === 0) return false
    const trial = index.reported.get(number)
    if (trial === undefined) return false
    return parts.pruner.shouldPrune({ trial, step: lastStep(trial.losses), trials: [...index.reported.values()] })
  }

  /** Asks the process that runs a trial to end it. */
  async askToPrune(number: number): Promise<void> {
    const trial = this.trials.all[number]
    await this.trials.journal.write(() => [pruneRequest(trial)])
  }

  /** True if another process asked this one to end the trial as pruned. */
  isPruneAsked(number: number): boolean {
    return isPruneAsked(this.trials.all[number])
  }

  /** Notes that a trial fails by an error of its objective. */
  noteFault(number: number): void {
    const notes = this.notes.get(number) ?? []
    this.notes.set(number, notes)
    notes.push(faulty(this.trials.all[number]))
  }

  note(number: number, kind: 'constraint' | 'attribute', name: string, value: unknown): void {
    const trial = this.trials.all[number]
    const notes = this.notes.get(number) ?? []
    this.notes.set(number, notes)
    if (kind === 'attribute') notes.push(noted(trial, name, value))
    else if (typeof value === 'number' && !Number.isNaN(value)) notes.push(constrained(trial, name, value))
    else throw rangeError(`trial ${number}: constraint '${name}' wants a number, at most 0 where it is kept, got ${show(value)}`)
  }
}

/**
 * The outcome of a trial, checked. A value that is NaN, or that no other value can beat, is a failure.
 * @throws TypeError for an invalid value
 */
export function endedWith(
  number: number,
  outcome: number | readonly number[] | Outcome,
  directions: readonly ('minimize' | 'maximize')[],
): Ended {
  if (typeof outcome === 'object' && outcome !== null && !Array.isArray(outcome)) {
    const { state, error } = outcome as Outcome
    if (state !== 'pruned' && state !== 'failed')
      throw typeError(`tell: wants a value, or { state: 'pruned' } or { state: 'failed' }, got state ${show(state)}`)
    return { state, values: null, ...(error !== undefined && { error }) }
  }
  const objectives = directions.length
  const values = (Array.isArray(outcome) ? outcome : [outcome]) as number[]
  const wrong = values.find((value) => typeof value !== 'number')
  if (wrong !== undefined || values.length !== objectives || values.includes(undefined as unknown as number)) {
    const wanted = objectives === 1 ? 'a number' : `an array of ${objectives} numbers`
    throw typeError(`trial ${number}: the objective wants to return ${wanted}, got ${show(outcome)}; did it forget to return?`)
  }
  const useless = values.find((value, i) => !isLoss(lossOf(value, directions[i])))
  if (useless !== undefined) {
    const why = Number.isNaN(useless) ? '' : ', which no other trial could beat; did the objective divide by 0?'
    return { state: 'failed', values: null, error: `the value is ${useless}${why}` }
  }
  return { state: 'complete', values }
}
