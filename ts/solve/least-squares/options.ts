/** Options of least squares, and their checks. */

import { anything, atLeast0, handler, nonNegative, positive, type Schema } from '../../common/options.js'
import type { BoundOptions } from '../box.js'
import type { DampingOptions } from './damped.js'
import type { Jacobian } from './residuals.js'

/** State after a trial, for callbacks. */
export interface LeastSquaresProgress {
  iteration: number
  x: Float64Array
  /** ½·Σ rᵢ² */
  value: number
  damping: number
  accepted: boolean
}

/** Options of {@link levenbergMarquardt} and {@link gaussNewton}. */
export interface LeastSquaresOptions extends DampingOptions, BoundOptions {
  /**
   * Default: forward differences (n calls), then central differences (2n) for the last digits once those have converged; for functions of tensors
   * backpropagation, row by row.
   */
  jacobian?: Jacobian
  /** `gradient`: |Jᵀr|∞ ≤ this tolerance, times its size at the start if that is below 1, since residuals may have any unit. Default 1e-10. */
  gradientTolerance?: number
  /** `step`: |h| ≤ this·(|x| + this); with the scaling of Marquardt |D½h| ≤ this·|D½x|. Default 1e-12. */
  stepTolerance?: number
  /** `value`: the decrease of an accepted step ≤ this·F. Default 1e-14. */
  valueTolerance?: number
  /** `value` is also the reason at F ≤ this, which is good enough. Default 0. */
  target?: number
  /** Largest number of trials, including rejected ones. Default 100·(n + 1) (MINPACK). */
  maxIterations?: number
  /** Called after every trial, an accepted or a rejected one; false stops. */
  onIteration?: (progress: LeastSquaresProgress) => unknown
}

export const LEAST_SQUARES = {
  jacobian: { is: handler },
  gradientTolerance: { is: nonNegative, aka: ['tolerance'] },
  stepTolerance: { is: nonNegative },
  valueTolerance: { is: nonNegative },
  target: { is: nonNegative },
  maxIterations: { is: atLeast0, aka: ['maxiter'] },
  onIteration: { is: handler, aka: ['callback'] },
  initialDamping: { is: positive },
  scaling: { is: ['none', 'marquardt'] },
  // these are checked later, where the start is known
  lower: { is: anything },
  upper: { is: anything },
} satisfies Schema<LeastSquaresOptions>
