/** What a study knows of its trials without going through all of them: how many there are of each state, which is best, what samplers and pruners see. */

import { type Observation, Observations } from './observations.js'
import { lastStep, type ReportedTrial } from './pruners/pruner.js'
import { type Axis, pointOf } from './space.js'
import type { StoredTrial, TrialState } from './storage/journal.js'
import { isLoss, lossOf, violationOf } from './trial-record.js'

/** @internal */
export class TrialIndex {
  /** What samplers see. */
  readonly history: Observations
  readonly running = new Map<number, StoredTrial>()
  readonly counts: Record<TrialState, number> = { running: 0, complete: 0, pruned: 0, failed: 0, waiting: 0 }
  /** Of all complete, feasible trials, also of those by another program whose parameters are no point of this space. */
  best: StoredTrial | undefined
  /** What the pruner sees: trials by number, without those that failed or wait. Empty where there is no pruner. */
  readonly reported = new Map<number, ReportedTrial>()
  /** The state of each trial as it was counted. */
  private readonly states: TrialState[] = []

  constructor(
    private readonly axes: readonly Axis[],
    private readonly directions: readonly ('minimize' | 'maximize')[],
    private readonly hasPruner: boolean,
  ) {
    this.history = new Observations(axes)
  }

  /** How many trials are over. */
  get finished(): number {
    return this.counts.complete + this.counts.pruned + this.counts.failed
  }

  has({ number }: StoredTrial): boolean {
    return this.states[number] !== undefined
  }

  /** Takes a trial as it is now into account. */
  update(trial: StoredTrial): void {
    const before = this.states[trial.number]
    if (before !== undefined) this.counts[before]--
    this.states[trial.number] = trial.state
    this.counts[trial.state]++
    if (trial.state === 'running') this.running.set(trial.number, trial)
    else this.running.delete(trial.number)
    this.updateReports(trial)
    if (this.isBest(trial)) this.best = trial
    const losses = this.lossesOf(trial)
    // Optuna keeps trials as complete that are infinitely good
    const isFailed = trial.state === 'failed' || !losses.every(isLoss)
    if (isFailed) this.history.remove(trial.number)
    if (isFailed || trial.state === 'waiting') return
    const point = pointOf(this.axes, trial.parameters)
    if (point === null) return
    const step = lastStep(trial.reports)
    this.history.add({
      number: trial.number,
      point,
      state: trial.state as Observation['state'],
      losses,
      violation: violationOf(trial),
      step,
      stepLoss: lossOf(trial.reports.get(step) ?? Number.NaN, this.directions[0]),
    })
  }

  /** Takes into account what a trial has reported. */
  updateReports({ number, state, reports }: StoredTrial): void {
    if (!this.hasPruner) return
    const [direction] = this.directions
    const losses = direction === 'minimize' ? reports : new Map([...reports].map(([step, value]) => [step, lossOf(value, direction)]))
    if (state === 'failed' || state === 'waiting') this.reported.delete(number)
    else this.reported.set(number, { number, isComplete: state === 'complete', losses })
  }

  /** Whether a trial is better than the best so far; of equal ones the first is. */
  private isBest(trial: StoredTrial): boolean {
    if (trial.state !== 'complete' || violationOf(trial) > 0) return false
    const [own] = this.lossesOf(trial)
    if (!isLoss(own)) return false
    if (this.best === undefined) return true
    const [best] = this.lossesOf(this.best)
    return own < best || (own === best && trial.number < this.best.number)
  }

  /** One for each objective; empty unless the trial is complete. */
  private lossesOf({ state, values }: StoredTrial): number[] {
    return state === 'complete' ? (values ?? []).map((value, i) => lossOf(Number(value), this.directions[i])) : []
  }
}
