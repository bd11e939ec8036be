/** Nonlinear least squares: Levenberg-Marquardt and Gauss-Newton for plain functions of a vector. */
import { typeError } from '../../common/errors.js'
import { checkOptions } from '../../common/options.js'
import { show } from '../../common/show.js'
import { Tensor, type TensorFunction } from '../../tensor.js'
import { type Box, boxOf } from '../box.js'
import { FunctionError, isConverged, type SolveResult, type Stop } from '../result.js'
import { startOf } from '../start.js'
import { DampedLeastSquares, type DampingOptions, type TrialOutcome } from './damped.js'
import { afterTrial, flat, GOOD_ENOUGH, onPlateau, usable } from './endings.js'
import { LEAST_SQUARES, type LeastSquaresOptions, type LeastSquaresProgress } from './options.js'
import { FunctionProblem, type Jacobian, type Residuals, tensorProblem } from './residuals.js'

/** Result of a least-squares solver: `value` is ½·Σ rᵢ², `gradient` Jᵀr. */
export interface LeastSquaresResult extends SolveResult {
  /** Residuals at `x`. */
  residuals: Float64Array
  /** JᵀJ at `x`, row-major n×n. Like the gradient, it is NaN if the function was not finite or threw before it could be computed at `x`. */
  normalMatrix: Float64Array
  /** Last damping μ. */
  damping: number
}

/**
 * Minimizes F(x) = ½·Σ rᵢ(x)² (Levenberg 1944; Marquardt 1963) with Nielsen's damping (1999; Madsen, Nielsen & Tingleff 2004, algorithm 3.16). Each
 * iteration is one trial: solve (JᵀJ + μ·I)·h = −Jᵀr by Cholesky in double precision,
 *
 *     ϱ = (F(x) − F(x + h)) / ½hᵀ(μh − Jᵀr)
 *     ϱ > 0: x ← x + h, μ ← μ·max(⅓, 1 − (2ϱ − 1)³), ν ← 2;  else μ ← μ·ν, ν ← 2ν;  μ₀ = 1e-3·max diag JᵀJ, ν₀ = 2
 *
 * With bounds (`lower`, `upper`) steps are cut to the box, and a parameter at a bound that the gradient holds there is left out of the equations
 * (Kanzow, Yamashita & Fukushima 2004); `gradient` then means the components that are free.
 *
 * Costs m·n²/2 + n³/6 multiplications; for n up to about 1,500. A singular JᵀJ (parameters that the data cannot distinguish) is no obstacle, since
 * the damping makes it regular. Residuals that are not finite count as a step too far. `x` is always the best point seen.
 *
 * @param residuals plain function; when `x0` is a tensor, a function of a tensor, differentiated automatically
 * @throws errors of `residuals` at `x0`; RangeError for a bad option or sizes that do not fit
 * @example
 * const rosenbrock = ([x, y]: Float64Array) => [1 - x, 10 * (y - x * x)]
 * levenbergMarquardt(rosenbrock, [-1.2, 1]).x // [1, 1]
 */
export function levenbergMarquardt(residuals: TensorFunction, x0: Tensor, options?: LeastSquaresOptions): LeastSquaresResult
export function levenbergMarquardt(residuals: Residuals, x0: ArrayLike<number>, options?: LeastSquaresOptions): LeastSquaresResult
export function levenbergMarquardt(
  residuals: Residuals | TensorFunction,
  x0: ArrayLike<number> | Tensor,
  given: LeastSquaresOptions = {},
): LeastSquaresResult {
  const options = checkOptions('levenbergMarquardt', given, LEAST_SQUARES)
  return solve('levenbergMarquardt', residuals, x0, options, ownOf(options), damped)
}

/**
 * Minimizes ½·Σ rᵢ(x)² by Gauss-Newton with a line search: JᵀJ·h = −Jᵀr, h halved until F falls enough. Fewer iterations
 * than Levenberg-Marquardt near a solution with small residuals; less robust far away. Options and result as for
 * {@link levenbergMarquardt}; the least damping that makes a singular JᵀJ regular is added.
 *
 * @example
 * gaussNewton((x) => [x[0] - 1, x[1] ** 2 - 4], [0, 1]).x // [1, 2]
 */
export function gaussNewton(residuals: TensorFunction, x0: Tensor, options?: LeastSquaresOptions): LeastSquaresResult
export function gaussNewton(residuals: Residuals, x0: ArrayLike<number>, options?: LeastSquaresOptions): LeastSquaresResult
export function gaussNewton(
  residuals: Residuals | TensorFunction,
  x0: ArrayLike<number> | Tensor,
  given: LeastSquaresOptions = {},
): LeastSquaresResult {
  const options = checkOptions('gaussNewton', given, LEAST_SQUARES)
  if (options.lower !== undefined || options.upper !== undefined) throw typeError('gaussNewton: knows no bounds; levenbergMarquardt does')
  return solve('gaussNewton', residuals, x0, options, ownOf(options), searched)
}

type SolverOptions = Omit<LeastSquaresOptions, 'jacobian'>
type Advance = (state: DampedLeastSquares) => TrialOutcome
const damped: Advance = (state) => state.trial()
const withinRegion: Advance = (state) => state.regionTrial()
const searched: Advance = (state) => state.gaussNewtonTrial()

const ownOf = ({ jacobian }: LeastSquaresOptions): Own => ({ jacobian, initialDamping: 1e-3, scaling: 'none', valueOnly: false })

/** Additions to the options of {@link dampedLeastSquares}. */
interface Own {
  jacobian: Jacobian | undefined
  /** The defaults of `initialDamping` and `scaling`. */
  initialDamping: number
  scaling: 'none' | 'marquardt'
  /** True to leave out the Jacobian at the end; results that depend on it stay empty. */
  valueOnly: boolean
}

/**
 * Levenberg-Marquardt for checked options: with a damping, as {@link levenbergMarquardt}, if the options mention one, else with a trust region in
 * scaled variables. @internal
 */
export function fittedLeastSquares(
  owner: string,
  f: Residuals,
  x0: ArrayLike<number>,
  options: SolverOptions,
  own: Own,
): LeastSquaresResult {
  const isDamped = options.initialDamping !== undefined || options.scaling !== undefined
  return solve(owner, f, x0, options, own, isDamped ? damped : withinRegion)
}

function solve(
  owner: string,
  f: Residuals | TensorFunction,
  x0: ArrayLike<number> | Tensor,
  options: SolverOptions,
  own: Own,
  advance: Advance,
): LeastSquaresResult {
  if (typeof f !== 'function') throw typeError(`${owner}: the residuals want a function, got ${show(f)}`)
  const start = startOf(owner, x0)
  const box = boxOf(owner, options, start)
  const problem = problemOf(owner, f, x0, own.jacobian, box)
  try {
    const state = atStart(problem, start, dampingOf(options, own), box)
    return resultOf(state, problem, iterate(state, problem, options, advance, own.valueOnly), own.valueOnly)
  } finally {
    problem.release()
  }
}

const NOTHING = new Float64Array(0)

const unknown = (n: number) => new Float64Array(n).fill(Number.NaN)

/** Written out property by property: copying with spread syntax would take longer than a small problem. */
function resultOf(state: DampedLeastSquares, problem: FunctionProblem, end: Ending, valueOnly: boolean): LeastSquaresResult {
  const { isLinearized } = state
  const n = state.x.length
  const result: LeastSquaresResult = {
    x: state.x,
    value: state.value,
    gradient: valueOnly ? NOTHING : isLinearized ? problem.equations.gradient : unknown(n),
    iterations: end.iterations,
    evaluations: problem.evaluations,
    converged: isConverged(end.reason),
    reason: end.reason,
    message: end.message,
    residuals: state.isAhead ? problem.latest : problem.accepted,
    normalMatrix: valueOnly ? NOTHING : isLinearized ? problem.equations.matrix() : unknown(n * n),
    damping: state.mu,
  }
  if (end.error !== undefined) result.error = end.error
  return result
}

function problemOf(
  owner: string,
  f: Residuals | TensorFunction,
  x0: ArrayLike<number> | Tensor,
  jacobian: Jacobian | undefined,
  box: Box | null,
): FunctionProblem {
  if (x0 instanceof Tensor) return tensorProblem(owner, f as TensorFunction, x0, jacobian)
  return new FunctionProblem(owner, f as Residuals, jacobian, x0.length, box)
}

/** Written out property by property, as {@link resultOf}. */
function dampingOf({ initialDamping, scaling }: SolverOptions, own: Own): DampingOptions {
  return { initialDamping: initialDamping ?? own.initialDamping, scaling: scaling ?? own.scaling }
}

/** @throws errors of the function at the start */
function atStart(problem: FunctionProblem, start: Float64Array, options: DampingOptions, box: Box | null): DampedLeastSquares {
  try {
    return new DampedLeastSquares(problem, start, options, undefined, box)
  } catch (error) {
    throw error instanceof FunctionError ? error.thrown : error
  }
}

interface Ending extends Stop {
  iterations: number
  error?: unknown
}

function iterate(
  state: DampedLeastSquares,
  problem: FunctionProblem,
  options: SolverOptions,
  advance: Advance,
  valueOnly: boolean,
): Ending {
  const { maxIterations = 100 * (state.x.length + 1) } = options
  state.flatAt = (options.gradientTolerance ?? 1e-10) * Math.min(1, state.slope || 1)
  let iterations = 0
  let stop = usable(state, options)
  try {
    for (;;) {
      if (stop !== null && isConverged(stop.reason) && stop !== GOOD_ENOUGH && problem.refine(state.x, state.value)) {
        state.linearize()
        stop = flat(state)
      }
      if (stop !== null && isConverged(stop.reason) && stop !== GOOD_ENOUGH) stop = onPlateau(state) ?? stop
      if (stop === null && iterations >= maxIterations) stop = { reason: 'iterations', message: `${iterations} trials were made` }
      if (stop !== null) {
        if (!valueOnly) state.refresh()
        return { iterations, reason: stop.reason, message: stop.message }
      }
      iterations++
      const before = state.value
      const outcome = advance(state)
      stop = afterTrial(state, before, outcome, options)
      if (options.onIteration?.(progress(state, iterations, outcome)) === false)
        stop = { reason: 'callback', message: `onIteration stopped after trial ${iterations}` }
    }
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error
    return { iterations, reason: 'error', message: `the function threw: ${error.message}`, error: error.thrown }
  }
}

function progress({ x, value, mu }: DampedLeastSquares, iteration: number, outcome: TrialOutcome): LeastSquaresProgress {
  return { iteration, x: x.slice(), value, damping: mu, accepted: outcome === 'accepted' }
}
