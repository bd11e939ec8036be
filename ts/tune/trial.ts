/** A trial: one set of parameters and its result. */

import type { Params, Space } from './space.js'
import type { TrialState } from './storage/journal.js'

/** A read-only record of a trial, which may be over or still run somewhere. */
export interface TrialRecord<S extends Space = Space> {
  /** Number of the trial, from 0, in the order of creation. */
  readonly number: number
  readonly state: TrialState
  readonly params: Params<S>
  /** The result of the objective; for several objectives the first. Undefined unless the trial is complete. */
  readonly value: number | undefined
  /** The results of the objectives; empty unless the trial is complete. */
  readonly values: readonly number[]
  /** Values that were reported on the way, by step. */
  readonly reports: ReadonlyMap<number, number>
  /** Constraints by name; a trial with a value above 0 is infeasible and never the best. */
  readonly constraints: Readonly<Record<string, number>>
  /** Notes of the program about the trial. */
  readonly attributes: Readonly<Record<string, unknown>>
  /** Seconds from `ask` to `tell`; undefined while the trial runs. */
  readonly seconds: number | undefined
  /** Why it failed. */
  readonly error: string | undefined
}

/** The second argument of an objective; the first is the parameters. */
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
  /** True if the pruner recommends to end the trial at this step. */
  shouldPrune(): boolean
  /** Ends the trial as pruned, by throwing an error that the study understands. */
  prune(): never
  /** Notes a constraint: the trial is feasible if no value is above 0. */
  constrain(name: string, value: number): void
  /** Notes anything that JSON has, for people and reports. */
  setAttribute(name: string, value: unknown): void
}

/** A function of the parameters that returns how good they are: a number, or one for each objective. */
export type Objective<S extends Space = Space> = (
  params: Params<S>,
  trial: Trial<S>,
) => number | readonly number[] | Promise<number | readonly number[]>

/** Outcome of a trial without a value. */
export interface Outcome {
  state: 'pruned' | 'failed'
  /** Why it failed, for reports. */
  error?: string
}

/**
 * Error that ends a trial as pruned if an objective throws it; `trial.prune()` throws it.
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

/** @internal true for an error that means a pruned trial, also from another copy of this module or another thread */
export function isPruning(error: unknown): boolean {
  // an error in a callback of fit becomes the cause of another error
  for (let e = error as Error | undefined; e; e = e.cause as Error | undefined) if (e.name === 'TrialPruned') return true
  return false
}
