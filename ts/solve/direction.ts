/** What turns the line-search loop into one method or another: a rule for the direction. */
import type { Point } from './objective.js'
import type { Trial } from './wolfe.js'

/** One accepted step. @internal */
export interface StepTaken {
  from: Point
  to: Point
  /** to.x − from.x */
  s: Float64Array
  /** Change of the gradient. */
  y: Float64Array
}

/** A rule for search directions. @internal */
export interface DirectionRule {
  /** c₂ of the strong Wolfe conditions, or `armijo` where values are to be enough. */
  readonly search: number | 'armijo'
  /** d ← direction at a point; the loop falls back to −g where it does not descend. */
  direction(point: Point, d: Float64Array): void
  /** First trial of the line search. */
  firstTrial(point: Point, slope: number, last: (Trial & { startSlope: number }) | null): number
  learn(step: StepTaken): void
  /** Forgets what was learnt: the next direction is −g. */
  reset(): void
}
