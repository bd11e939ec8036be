/** Options of least squares, and their checks. */

import { typeError } from '../../common/errors.js'
import { withNewNames } from '../../common/renamed.js'
import { show } from '../../common/show.js'
import { type Allowed, checkName, checkOption, nonNegative, positive } from '../../optim/base/options.js'
import type { BoundOptions } from '../box.js'
import { checkObject } from '../start.js'
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
  /** `value` too: F ≤ this, good enough. Default 0. */
  target?: number
  /** Trials, rejected ones included. Default 100·(n + 1) (MINPACK). */
  maxIterations?: number
  /** Called after every trial, an accepted or a rejected one; false stops. */
  onIteration?: (progress: LeastSquaresProgress) => unknown
}

/** Options and their allowed values; null stands for a function. */
const ALLOWED: Readonly<Record<string, Allowed | null>> = {
  jacobian: null,
  gradientTolerance: nonNegative,
  stepTolerance: nonNegative,
  valueTolerance: nonNegative,
  target: nonNegative,
  maxIterations: { min: 0, max: Number.POSITIVE_INFINITY },
  onIteration: null,
  initialDamping: positive,
  scaling: ['none', 'marquardt'],
}

const RENAMES = { tolerance: 'gradientTolerance', targetValue: 'target', callback: 'onIteration' }

/** These are checked later, when the start is known. */
const BOUNDS = ['lower', 'upper']

/** @param also names that belong to the caller @returns the options, with names of today @internal */
export function checkOptions<O extends object>(owner: string, given: O, also: readonly string[] = []): O {
  const options = withNewNames(owner, given, RENAMES)
  checkObject(owner, options)
  for (const name in options) {
    if (also.includes(name) || BOUNDS.includes(name)) continue
    const value = (options as Record<string, unknown>)[name]
    const allowed = ALLOWED[name]
    if (allowed === undefined) checkName(owner, name, [...new Set([...Object.keys(ALLOWED), ...BOUNDS, ...also])])
    else if (value === undefined) continue
    else if (allowed !== null) checkOption(owner, name, value, 0, allowed)
    else if (typeof value !== 'function') throw typeError(`${owner}: ${name} wants a function, got ${show(value)}`)
  }
  return options
}
