/** The rule for the direction, which makes the line-search loop one method or another. */
import type { Point } from '../objective.js'

/** One accepted step. @internal */
export interface StepTaken {
  from: Point
  to: Point
  /** to.x − from.x */
  s: Float64Array
  /** Change of the gradient. */
  y: Float64Array
}

/** Length of the last accepted step along its direction, and the slope at its beginning; null at first. @internal */
export type LastStep = { t: number; startSlope: number } | null

/** A rule for search directions. @internal */
export interface DirectionRule {
  /** c₂ of the strong Wolfe conditions, or `armijo` if values have to suffice. */
  readonly search: number | 'armijo'
  /** d ← direction at a point; the loop falls back to −g if it does not descend. */
  direction(point: Point, d: Float64Array): void
  /** First trial of the line search. */
  firstTrial(point: Point, slope: number, last: LastStep): number
  learn(step: StepTaken): void
  /** Forgets the history: the next direction is −g. */
  reset(): void
}
