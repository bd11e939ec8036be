/** Facts about the trials of a study without a pass over all of them: counts by state, the best trial, and the views of samplers and pruners. */

import { type Observation, Observations } from './observations.js'
import { lastStep, type ReportedTrial } from './pruners/pruner.js'
import { type Axis, pointOf } from './space.js'
import type { StoredTrial, TrialState } from './storage/journal.js'
import { isLoss, lossOf, violationOf } from './trial-record.js'

/** @internal */
export class TrialIndex {
  /** The trials as samplers see them. */
  readonly history: Observations
  readonly running = new Map<number, StoredTrial>()
  readonly counts: Record<TrialState, number> = { running: 0, complete: 0, pruned: 0, failed: 0, waiting: 0 }
  /** The best of all complete, feasible trials, including trials of another program whose parameters are not a point of this space. */
  best: StoredTrial | undefined
  /** The trials as the pruner sees them: by number, without failed or waiting ones. Empty if there is no pruner. */
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

  /** Number of trials that are over. */
  get finished(): number {
    return this.counts.complete + this.counts.pruned + this.counts.failed
  }

  has({ number }: StoredTrial): boolean {
    return this.states[number] !== undefined
  }

  /** Updates the index by the present state of a trial. */
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
    // Optuna counts a trial with an infinitely good value as complete
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

  /** Updates the index by the reports of a trial. */
  updateReports({ number, state, reports }: StoredTrial): void {
    if (!this.hasPruner) return
    const [direction] = this.directions
    const losses = direction === 'minimize' ? reports : new Map([...reports].map(([step, value]) => [step, lossOf(value, direction)]))
    if (state === 'failed' || state === 'waiting') this.reported.delete(number)
    else this.reported.set(number, { number, isComplete: state === 'complete', losses })
  }

  /** True if a trial is better than the best so far; among equal ones the first wins. */
  private isBest(trial: StoredTrial): boolean {
    if (trial.state !== 'complete' || violationOf(trial) > 0) return false
    const [own] = this.lossesOf(trial)
    if (!isLoss(own)) return false
    if (this.best === undefined) return true
    const [best] = this.lossesOf(this.best)
    return own < best || (own === best && trial.number < this.best.number)
  }

  /** A loss for each objective; empty unless the trial is complete. */
  private lossesOf({ state, values }: StoredTrial): number[] {
    return state === 'complete' ? (values ?? []).map((value, i) => lossOf(Number(value), this.directions[i])) : []
  }
}
