/** Steepest descent with backtracking. */

import { norm, scaled } from '../../common/vector.js'
import type { Point } from '../objective.js'
import type { DirectionRule, LastStep } from './direction.js'

/** d = −g. The first trial is twice the last accepted step, so that the step can grow again. @internal */
export class GradientDescentRule implements DirectionRule {
  readonly search = 'armijo'

  direction({ gradient }: Point, d: Float64Array): void {
    scaled(gradient, -1, d)
  }

  firstTrial({ gradient }: Point, _slope: number, last: LastStep): number {
    return last === null ? Math.min(1, 1 / norm(gradient)) : 2 * last.t
  }

  learn(): void {}

  reset(): void {}
}
