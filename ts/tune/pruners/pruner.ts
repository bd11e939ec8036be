/** The interface of pruners, and their shared code. */

import type { Kind } from '../../common/options.js'

/** A trial as pruners see it; less is better, whatever the direction of the study. */
export interface ReportedTrial {
  readonly number: number
  /** True if it has run to its end. */
  readonly isComplete: boolean
  /** Reported losses by step. */
  readonly losses: ReadonlyMap<number, number>
}

/** Data for the decision of a pruner. */
export interface PrunerContext {
  /** The trial that has just reported. */
  readonly trial: ReportedTrial
  /** The last step that it reported. */
  readonly step: number
  /** All trials of the study except failed ones, including this one. */
  readonly trials: readonly ReportedTrial[]
}

/** Ends trials that are not worth continuing. A pruner of your own is an object with a name and a function. */
export interface Pruner {
  /** Name for reports and errors. */
  readonly name: string
  /** True if the trial should end after its last report. */
  shouldPrune(context: PrunerContext): boolean
}

/** @internal an option that is a pruner */
export const pruner: Kind = {
  wants: 'one such as median()',
  fits: (value) => typeof (value as Pruner | null)?.shouldPrune === 'function',
  remedy: (value) => (typeof value === 'function' ? '; call it' : ''),
}

/** @internal the least loss up to a step; NaN counts as the worst */
export function bestUpTo(losses: ReadonlyMap<number, number>, step: number): number {
  let best = Number.POSITIVE_INFINITY
  for (const [at, loss] of losses) if (at <= step && loss < best) best = loss
  return best
}

/** @internal the loss at the first report at or after a step; undefined if there is none */
export function lossFrom(losses: ReadonlyMap<number, number>, step: number): number | undefined {
  if (losses.has(step)) return losses.get(step)
  let first = Number.POSITIVE_INFINITY
  for (const at of losses.keys()) if (at >= step && at < first) first = at
  return losses.get(first)
}

/** @internal the last step */
export function lastStep(losses: ReadonlyMap<number, number>): number {
  let last = -1
  for (const step of losses.keys()) if (step > last) last = step
  return last
}
