/** What a study knows of its trials without going through all of them: how many there are of each state, which is best, what samplers and pruners see. */

import { type Observation, Observations } from './observations.js'
import { lastStep, type ReportedTrial } from './pruners/pruner.js'
import { type Axis, pointOf } from './space.js'
import type { StoredTrial, TrialState } from './storage/journal.js'
import { violationOf } from './trial-record.js'

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
    if (trial.state === 'failed') this.history.remove(trial.number)
    if (trial.state === 'failed' || trial.state === 'waiting') return
    const point = pointOf(this.axes, trial.parameters)
    if (point === null) return
    const step = lastStep(trial.reports)
    this.history.add({
      number: trial.number,
      point,
      state: trial.state as Observation['state'],
      losses: trial.state === 'complete' ? (trial.values ?? []).map((value, i) => this.sign(i) * Number(value)) : [],
      violation: violationOf(trial),
      step,
      stepLoss: this.sign(0) * (trial.reports.get(step) ?? Number.NaN),
    })
  }

  /** Takes into account what a trial has reported. */
  updateReports({ number, state, reports }: StoredTrial): void {
    if (!this.hasPruner) return
    const losses = this.sign(0) === 1 ? reports : new Map([...reports].map(([step, value]) => [step, -value]))
    if (state === 'failed' || state === 'waiting') this.reported.delete(number)
    else this.reported.set(number, { number, isComplete: state === 'complete', losses })
  }

  /** Whether a trial is better than the best so far; of equal ones the first is. */
  private isBest(trial: StoredTrial): boolean {
    if (trial.state !== 'complete' || violationOf(trial) > 0) return false
    if (this.best === undefined) return true
    const [own, best] = [trial, this.best].map(({ values }) => this.sign(0) * Number(values?.[0]))
    return own < best || (own === best && trial.number < this.best.number)
  }

  /** What makes a loss of a value of objective i. */
  private sign(i: number): 1 | -1 {
    return this.directions[i] === 'minimize' ? 1 : -1
  }
}
