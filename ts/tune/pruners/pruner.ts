/** What a pruner is, and what pruners share. */

/** A trial as pruners see it; less is better, whatever the direction of the study. */
export interface ReportedTrial {
  readonly number: number
  /** Whether it has come to its end. */
  readonly isComplete: boolean
  /** Reported losses by step. */
  readonly losses: ReadonlyMap<number, number>
}

/** What a pruner decides by. */
export interface PrunerContext {
  /** The trial that has just reported. */
  readonly trial: ReportedTrial
  /** The last step that it reported. */
  readonly step: number
  /** All trials of the study but those that failed, this one among them. */
  readonly trials: readonly ReportedTrial[]
}

/** Ends trials that are not worth going on. One of your own has a name and a function. */
export interface Pruner {
  /** For reports and errors. */
  readonly name: string
  /** Whether the trial is to end after its last report. */
  shouldPrune(context: PrunerContext): boolean
}

/** @internal the least loss up to a step; NaN counts as the worst */
export function bestUpTo(losses: ReadonlyMap<number, number>, step: number): number {
  let best = Number.POSITIVE_INFINITY
  for (const [at, loss] of losses) if (at <= step && loss < best) best = loss
  return best
}

/** @internal the loss at the first report at or behind a step; undefined where there is none */
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
