/** The result of every solver, and its reason to stop. */

/**
 * The reason why a solver stopped.
 *
 * - `gradient`: no component of the gradient is larger than its tolerance (the usual end);
 * - `value`: the value no longer changes; `step`: the point no longer changes; both only if the gradient is small for the scale of the function, or
 *   the caller set the tolerance;
 * - `iterations`: the allowed iterations or evaluations are used up;
 * - `line-search`: the search is stuck although the gradient is not small: it found no lower point along the direction of descent (often because the
 *   gradient is wrong, the function is noisy, or double precision is exhausted);
 * - `not-finite`: the value or gradient at the start is NaN or infinite, or the function falls without bound;
 * - `singular`: a method without a damping of its own met a curvature matrix that is not positive definite: give it more damping; in least squares:
 *   the residuals no longer depend on a parameter, a plateau and no minimum;
 * - `callback`: the callback returned false; `error`: the function threw, see `error`.
 */
export type StopReason = 'gradient' | 'value' | 'step' | 'iterations' | 'line-search' | 'not-finite' | 'singular' | 'callback' | 'error'

/** The result of a minimization. `x` is always the best point seen, whatever the reason. */
export interface SolveResult {
  /** The lowest point seen. */
  x: Float64Array
  /** Value at `x`. */
  value: number
  /** Gradient at `x`. */
  gradient: Float64Array
  /** Steps taken. */
  iterations: number
  /** Calls of the function; a difference quotient counts each of its calls. */
  evaluations: number
  /**
   * True for the reasons `gradient`, `value` and `step`: at `x` the gradient is 0 as far as the tolerances and double precision go. That holds at a
   * saddle, too, and a lower minimum may be elsewhere; `inspectPoint` finds the kind of the point. False does not mean failure: `x` may be as good,
   * with a gradient that rounding keeps above the tolerance.
   */
  converged: boolean
  reason: StopReason
  /** The reason in a sentence. */
  message: string
  /** The error of the function, for the reason `error`. */
  error?: unknown
}

/** The reason of a stop, before it is combined with the point in a result. @internal */
export interface Stop {
  reason: StopReason
  message: string
}

/** @internal reasons that mean success */
export function isConverged(reason: StopReason): boolean {
  return reason === 'gradient' || reason === 'value' || reason === 'step'
}

/** An error of the user's function, on its way out of a solver. @internal */
export class FunctionError extends Error {
  override name = 'FunctionError'
  constructor(readonly thrown: unknown) {
    super(thrown instanceof Error ? thrown.message : String(thrown))
  }
}
