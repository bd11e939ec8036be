/** Stopping conditions of least squares. The messages contain no numbers: formatting a number takes as long as a trial of a small problem. */
import { norm } from '../../common/vector.js'
import type { Stop } from '../result.js'
import type { DampedLeastSquares, TrialOutcome } from './damped.js'
import type { LeastSquaresOptions } from './options.js'

/** @internal */
export const GOOD_ENOUGH: Stop = { reason: 'value', message: 'the sum of squares is within the target' }
const STUCK: Stop = {
  reason: 'line-search',
  message: 'no step lowers the sum of squares, though the Jacobian promises it: the Jacobian is wrong or the residuals are not smooth',
}
const SMALL: Stop = { reason: 'step', message: 'the last step is within the tolerance' }
const FLAT: Stop = { reason: 'gradient', message: 'the largest component of Jᵀr is within the tolerance' }

/** A reason to stop at the start, if there is one. @internal */
export function usable(state: DampedLeastSquares, options: LeastSquaresOptions): Stop | null {
  if (!state.isUsable) return { reason: 'not-finite', message: 'the residuals or the Jacobian are not finite at the start' }
  return goodEnough(state, options) ?? flat(state)
}

function goodEnough(state: DampedLeastSquares, { target = 0 }: LeastSquaresOptions): Stop | null {
  return state.value <= target ? GOOD_ENOUGH : null
}

/** @internal */
export function flat(state: DampedLeastSquares): Stop | null {
  return state.slope <= state.flatAt ? FLAT : null
}

/**
 * No convergence, although the value no longer falls: the residuals no longer depend on a parameter, as e^(−b·x) for large b, so that the gradient is
 * zero far from any minimum. @internal
 */
export function onPlateau(state: DampedLeastSquares): Stop | null {
  const lost = state.lostParameter
  if (lost < 0) return null
  const hint = 'start nearer to the solution, or give bounds'
  return { reason: 'singular', message: `the residuals no longer depend on parameter ${lost}, a plateau far from a minimum; ${hint}` }
}

/** @internal */
export function afterTrial(state: DampedLeastSquares, before: number, outcome: TrialOutcome, options: LeastSquaresOptions): Stop | null {
  const { stepTolerance = 1e-12, valueTolerance = 1e-14 } = options
  if (outcome === 'exhausted') return { reason: 'line-search', message: 'no step lowers the sum of squares any more' }
  if (outcome === 'accepted') {
    const enough = goodEnough(state, options)
    if (enough !== null) return enough
    if (!state.isUsable) return { reason: 'not-finite', message: 'the Jacobian is not finite at the last step' }
    const end = flat(state)
    if (end !== null) return end
    if (before - state.value <= valueTolerance * before)
      return { reason: 'value', message: 'the last decrease of the sum of squares is within the tolerance' }
  }
  if (!isSmallStep(state, stepTolerance)) return null
  return outcome === 'rejected' && state.isStuck ? STUCK : SMALL
}

/** |h| ≤ tolerance·(|x| + tolerance), in the units of the damping if it has some. */
function isSmallStep(state: DampedLeastSquares, tolerance: number): boolean {
  if (state.isScaled) return state.relativeStep <= tolerance
  return norm(state.step) <= tolerance * (norm(state.x) + tolerance)
}
