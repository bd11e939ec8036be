/** A trial: one set of parameters and what came of it. */

import type { Params, Space } from './space.js'
import type { TrialState } from './storage/journal.js'

/** A trial that is over, or is running somewhere, to read. */
export interface TrialRecord<S extends Space = Space> {
  /** From 0, in the order in which trials were asked for. */
  readonly number: number
  readonly state: TrialState
  readonly params: Params<S>
  /** What the objective returned; of several objectives the first. Undefined unless the trial is complete. */
  readonly value: number | undefined
  /** What the objectives returned; empty unless the trial is complete. */
  readonly values: readonly number[]
  /** Values that were reported on the way, by step. */
  readonly reports: ReadonlyMap<number, number>
  /** By name what must not be above 0; a trial with one above 0 is never the best. */
  readonly constraints: Readonly<Record<string, number>>
  /** What the program noted about the trial. */
  readonly attributes: Readonly<Record<string, unknown>>
  /** From asking to telling; undefined while it runs. */
  readonly seconds: number | undefined
  /** Why it failed. */
  readonly error: string | undefined
}

/** What an objective is given beside the parameters. */
export interface Trial<S extends Space = Space> {
  readonly number: number
  readonly params: Params<S>
  /** Aborted when the study stops: hand it to `fit`. */
  readonly signal: AbortSignal
  /**
   * Notes how good the trial is so far, so that a pruner may end it. Wait for it before you ask {@link shouldPrune}.
   * @param value in the direction of the study, such as the loss on validation data. NaN is the worst, and so is a value that is infinitely good
   * @param step whole number that grows, such as the epoch
   */
  report(value: number, step: number): Promise<void>
  /** Whether trials that did as this one does at this step are not worth going on. */
  shouldPrune(): boolean
  /** Ends the trial as pruned, by throwing what the study understands. */
  prune(): never
  /** Notes a constraint: the trial is feasible where no value is above 0. */
  constrain(name: string, value: number): void
  /** Notes anything that JSON has, for people and reports. */
  setAttribute(name: string, value: unknown): void
}

/** A function of the parameters that returns how good they are: a number, or one for each objective. */
export type Objective<S extends Space = Space> = (
  params: Params<S>,
  trial: Trial<S>,
) => number | readonly number[] | Promise<number | readonly number[]>

/** What came of a trial that has no value. */
export interface Outcome {
  state: 'pruned' | 'failed'
  /** Why it failed, for reports. */
  error?: string
}

/**
 * What to throw in an objective to end the trial as pruned; `trial.prune()` throws it.
 * @example
 * const study = await createStudy({ space: { x: float(0, 1) } })
 * const objective = ({ x }: { x: number }) => {
 *   if (x > 0.5) throw new TrialPruned()
 *   return x
 * }
 * await study.optimize(objective, { trials: 10 })
 * study.trials.every(({ state, params }) => (state === 'pruned') === params.x > 0.5) // true
 */
export class TrialPruned extends Error {
  override name = 'TrialPruned'
  constructor() {
    super('this trial is pruned')
  }
}

/** @internal whether an error says that a trial is pruned, also one from another copy of this module or another thread */
export function isPruning(error: unknown): boolean {
  // what a callback of fit throws comes out as the cause of another error
  for (let e = error as Error | undefined; e; e = e.cause as Error | undefined) if (e.name === 'TrialPruned') return true
  return false
}
