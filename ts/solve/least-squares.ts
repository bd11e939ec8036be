/** Nonlinear least squares: Levenberg-Marquardt and Gauss-Newton for plain functions of a vector. */

import { gradients } from '../autograd.js'
import { checkName, checkOption, nonNegative, positive } from '../optim/options.js'
import type { TensorFunction } from '../tensor.js'
import { Tensor } from '../tensor.js'
import { doubleBackend } from './automatic.js'
import { DampedLeastSquares, type DampingOptions, type LeastSquaresProblem } from './damped.js'
import { addGram, addProduct } from './normal.js'
import { FunctionError, isConverged, type SolveResult, type Stop } from './result.js'
import { dot, isFinite, maxAbs, norm } from './vector.js'

/** Residuals at a point. The function must not keep or change `x`. */
export type Residuals = (x: Float64Array) => ArrayLike<number>

/** The Jacobian ∂rᵢ/∂xⱼ, as rows or as one row-major array of m·n numbers. */
export type Jacobian = (x: Float64Array) => ArrayLike<number> | ArrayLike<ArrayLike<number>>

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
export interface LeastSquaresOptions extends DampingOptions {
  /**
   * Default: forward differences (n calls), and central ones (2n) for the last digits once those have converged; for
   * functions of tensors by backpropagation, row by row.
   */
  jacobian?: Jacobian
  /** `gradient`: |Jᵀr|∞ ≤ this. Default 1e-10. */
  tolerance?: number
  /** `step`: |h| ≤ this·(|x| + this). Default 1e-12. */
  stepTolerance?: number
  /** `value`: the decrease of an accepted step ≤ this·F. Default 1e-14. */
  valueTolerance?: number
  /** Trials, rejected ones included. Default 100·(n + 1) (MINPACK). */
  maxIterations?: number
  /** Called after every trial; false stops. */
  callback?: (progress: LeastSquaresProgress) => unknown
}

/** Result of a least-squares solver: `value` is ½·Σ rᵢ², `gradient` Jᵀr. */
export interface LeastSquaresResult extends SolveResult {
  /** Residuals at `x`. */
  residuals: Float64Array
  /** JᵀJ at `x`, row-major n×n. */
  normalMatrix: Float64Array
  /** Last damping μ. */
  damping: number
}

const NAMES = ['jacobian', 'tolerance', 'stepTolerance', 'valueTolerance', 'maxIterations', 'callback', 'initialDamping', 'scaling']

/**
 * Minimizes F(x) = ½·Σ rᵢ(x)² (Levenberg 1944; Marquardt 1963) with Nielsen's damping (1999; Madsen, Nielsen & Tingleff
 * 2004, algorithm 3.16). Each iteration is one trial: solve (JᵀJ + μ·I)·h = −Jᵀr by Cholesky in double precision,
 *
 *     ϱ = (F(x) − F(x + h)) / ½hᵀ(μh − Jᵀr)
 *     ϱ > 0: x ← x + h, μ ← μ·max(⅓, 1 − (2ϱ − 1)³), ν ← 2;  else μ ← μ·ν, ν ← 2ν;  μ₀ = 1e-3·max diag JᵀJ, ν₀ = 2
 *
 * Costs m·n²/2 + n³/6 multiplications; for n up to about 1,500. A singular JᵀJ (parameters that cannot be told apart) is
 * no obstacle, the damping makes it regular; residuals that are not finite are a step too far. `x` is the best point seen
 * for every reason to stop.
 *
 * @param residuals plain function; when `x0` is a tensor, a function of a tensor, differentiated automatically
 * @throws what `residuals` throws at `x0`; RangeError for a bad option or sizes that do not fit
 * @example
 * const rosenbrock = ([x, y]: Float64Array) => [1 - x, 10 * (y - x * x)]
 * levenbergMarquardt(rosenbrock, [-1.2, 1]).x // [1, 1]
 */
export function levenbergMarquardt(residuals: TensorFunction, x0: Tensor, options?: LeastSquaresOptions): LeastSquaresResult
export function levenbergMarquardt(residuals: Residuals, x0: ArrayLike<number>, options?: LeastSquaresOptions): LeastSquaresResult
export function levenbergMarquardt(
  residuals: Residuals | TensorFunction,
  x0: ArrayLike<number> | Tensor,
  options: LeastSquaresOptions = {},
): LeastSquaresResult {
  return solve('levenbergMarquardt', residuals, x0, options, (state) => state.trial())
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
  options: LeastSquaresOptions = {},
): LeastSquaresResult {
  return solve('gaussNewton', residuals, x0, options, (state) => state.gaussNewtonTrial())
}

type Advance = (state: DampedLeastSquares) => 'accepted' | 'rejected' | 'exhausted'

function solve(
  owner: string,
  f: Residuals | TensorFunction,
  x0: ArrayLike<number> | Tensor,
  options: LeastSquaresOptions,
  advance: Advance,
): LeastSquaresResult {
  checkOptions(owner, options)
  const problem =
    x0 instanceof Tensor
      ? tensorProblem(owner, f as TensorFunction, x0, options)
      : new FunctionProblem(owner, f as Residuals, options.jacobian, x0.length)
  const start = Float64Array.from(x0 instanceof Tensor ? x0.data() : x0)
  if (start.length === 0) throw new RangeError(`${owner}: the start has no numbers`)
  let state: DampedLeastSquares
  try {
    state = new DampedLeastSquares(problem, start, options)
  } catch (error) {
    throw error instanceof FunctionError ? error.thrown : error
  }
  const { iterations, error, ...stop } = iterate(state, problem, options, advance)
  return {
    x: state.x,
    value: state.value,
    gradient: state.gradient,
    iterations,
    evaluations: problem.evaluations,
    converged: isConverged(stop.reason),
    ...stop,
    ...(error === undefined ? {} : { error }),
    residuals: problem.accepted,
    normalMatrix: symmetric(state.h, start.length),
    damping: state.mu,
  }
}

interface Ending extends Stop {
  iterations: number
  error?: unknown
}

function iterate(state: DampedLeastSquares, problem: FunctionProblem, options: LeastSquaresOptions, advance: Advance): Ending {
  const { maxIterations = 100 * (state.x.length + 1), callback } = options
  let iterations = 0
  let stop = atStart(state, options)
  try {
    for (;;) {
      if (stop !== null && isConverged(stop.reason) && problem.refine(state.x, state.value)) {
        state.linearize()
        stop = flat(state, options.tolerance ?? 1e-10)
      }
      if (stop !== null) return { iterations, ...stop }
      if (iterations >= maxIterations) return { iterations, reason: 'iterations', message: `${iterations} trials were made` }
      iterations++
      const before = state.value
      const outcome = advance(state)
      stop = afterTrial(state, before, outcome, options)
      const progress = {
        iteration: iterations,
        x: state.x.slice(),
        value: state.value,
        damping: state.mu,
        accepted: outcome === 'accepted',
      }
      if (callback?.(progress) === false) stop = { reason: 'callback', message: `the callback stopped after trial ${iterations}` }
    }
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error
    return { iterations, reason: 'error', message: `the function threw: ${error.message}`, error: error.thrown }
  }
}

function atStart(state: DampedLeastSquares, { tolerance = 1e-10 }: LeastSquaresOptions): Stop | null {
  if (!state.isUsable) return { reason: 'not-finite', message: 'the residuals or the Jacobian are not finite at the start' }
  return flat(state, tolerance)
}

function flat(state: DampedLeastSquares, tolerance: number): Stop | null {
  const size = maxAbs(state.gradient)
  return size <= tolerance
    ? { reason: 'gradient', message: `the largest component of Jᵀr, ${size.toExponential(1)}, is within ${tolerance}` }
    : null
}

function afterTrial(state: DampedLeastSquares, before: number, outcome: ReturnType<Advance>, options: LeastSquaresOptions): Stop | null {
  const { tolerance = 1e-10, stepTolerance = 1e-12, valueTolerance = 1e-14 } = options
  if (outcome === 'exhausted') return { reason: 'line-search', message: 'no step lowers the sum of squares any more' }
  if (outcome === 'accepted') {
    if (!state.isUsable) return { reason: 'not-finite', message: 'the Jacobian is not finite at the last step' }
    const end = flat(state, tolerance)
    if (end !== null) return end
    if (before - state.value <= valueTolerance * before)
      return { reason: 'value', message: 'the last decrease of the sum of squares is within the tolerance' }
  }
  const small = norm(state.step) <= stepTolerance * (norm(state.x) + stepTolerance)
  return small ? { reason: 'step', message: 'the last step is within the tolerance' } : null
}

/** Fills the upper triangle. */
function symmetric(h: Float64Array, n: number): Float64Array {
  const out = h.slice()
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[j * n + i] = out[i * n + j]
  return out
}

const ROOT_EPSILON = Math.sqrt(Number.EPSILON)
const CUBE_ROOT_EPSILON = Math.cbrt(Number.EPSILON)

/** Part of the first sum of squares that counts as nothing. */
const NOTHING = 1e-14

/** A sum of squares of a user's function. */
class FunctionProblem implements LeastSquaresProblem {
  evaluations = 0
  /** Residuals at the last linearization. */
  accepted: Float64Array = new Float64Array(0)
  private latest: Float64Array = new Float64Array(0)
  private columns = new Float64Array(0)
  private rows = -1
  /** F at the start. */
  private first = Number.NaN
  private central = false
  /** What the user's function receives: it may do with it what it likes. */
  private readonly lent: Float64Array

  constructor(
    private readonly owner: string,
    private readonly f: Residuals,
    private readonly jacobian: Jacobian | undefined,
    readonly size: number,
  ) {
    this.lent = new Float64Array(size)
  }

  value(x: Float64Array): number {
    this.latest = this.call(x)
    const sum = dot(this.latest, this.latest)
    if (Number.isNaN(this.first)) this.first = 0.5 * sum
    return Number.isFinite(sum) ? 0.5 * sum : Number.NaN
  }

  private call(x: Float64Array): Float64Array {
    this.evaluations++
    this.lent.set(x)
    const r = this.guarded(this.f)
    if (this.rows < 0) this.rows = r.length
    if (r.length !== this.rows || !(r.length > 0)) {
      throw new FunctionError(
        new RangeError(`${this.owner}: wants at least one residual and always as many: got ${r.length} after ${this.rows}`),
      )
    }
    return copyOf(r)
  }

  private guarded<T>(f: (x: Float64Array) => T): T {
    try {
      return f(this.lent)
    } catch (error) {
      throw new FunctionError(error)
    }
  }

  linearize(x: Float64Array, h: Float64Array, g: Float64Array): void {
    const { rows: m, size: n } = this
    const residuals = this.latest
    if (this.columns.length !== n * m) this.columns = new Float64Array(n * m)
    if (this.jacobian !== undefined) this.given(x, this.jacobian)
    else if (this.central) this.centralDifferences(x)
    else this.forwardDifferences(x, residuals)
    this.accepted = residuals
    addGram(this.columns, n, m, m, h)
    addProduct(this.columns, n, m, m, residuals, g)
  }

  /**
   * From now on central differences; false if there is nothing to gain: when the residuals have shrunk to nothing, errors
   * of the Jacobian have too. Leaves the residuals at x.
   */
  refine(x: Float64Array, value: number): boolean {
    if (this.jacobian !== undefined || this.central || value <= NOTHING * this.first) return false
    this.central = true
    this.value(x)
    return true
  }

  private given(x: Float64Array, jacobian: Jacobian): void {
    const { rows: m, size: n, columns } = this
    this.lent.set(x)
    const rows = this.guarded(jacobian)
    const flatten = typeof rows[0] === 'number' ? (rows as ArrayLike<number>) : flattened(rows as ArrayLike<ArrayLike<number>>)
    if (flatten.length !== m * n)
      throw new FunctionError(new RangeError(`${this.owner}: the Jacobian must have ${m}·${n} numbers, got ${flatten.length}`))
    for (let i = 0, at = 0; i < m; i++) for (let j = 0; j < n; j++, at++) columns[j * m + i] = flatten[at]
  }

  /** √ε steps: half of the digits for n calls, which is all that the way to the minimum takes. */
  private forwardDifferences(x: Float64Array, r: Float64Array): void {
    const { rows: m, size: n, columns } = this
    const at = x.slice()
    for (let j = 0; j < n; j++) {
      at[j] = x[j] + ROOT_EPSILON * Math.max(Math.abs(x[j]), 1e-3)
      const h = at[j] - x[j]
      const plus = this.call(at)
      at[j] = x[j]
      for (let i = 0; i < m; i++) columns[j * m + i] = (plus[i] - r[i]) / h
      if (!isFinite(plus)) this.centralColumn(at, j, columns)
    }
  }

  /** ∛ε steps: two thirds of the digits for 2n calls. */
  private centralDifferences(x: Float64Array): void {
    const at = x.slice()
    for (let j = 0; j < this.size; j++) this.centralColumn(at, j, this.columns)
  }

  private centralColumn(at: Float64Array, j: number, columns: Float64Array): void {
    const m = this.rows
    const xj = at[j]
    const h = CUBE_ROOT_EPSILON * Math.max(Math.abs(xj), 1e-3)
    at[j] = xj + h
    const plus = this.call(at)
    at[j] = xj - h
    const minus = this.call(at)
    at[j] = xj
    for (let i = 0; i < m; i++) columns[j * m + i] = (plus[i] - minus[i]) / (2 * h)
  }
}

/** Float64Array.from takes the way through iterators, which is slow. */
function copyOf(r: ArrayLike<number>): Float64Array {
  const out = new Float64Array(r.length)
  for (let i = 0; i < out.length; i++) out[i] = r[i]
  return out
}

function flattened(rows: ArrayLike<ArrayLike<number>>): number[] {
  const out: number[] = []
  for (let i = 0; i < rows.length; i++) for (let j = 0; j < rows[i].length; j++) out.push(rows[i][j])
  return out
}

/** Residuals of a function of a tensor, their Jacobian by one backward pass a row. */
function tensorProblem(owner: string, f: TensorFunction, x0: Tensor, { jacobian }: LeastSquaresOptions): FunctionProblem {
  const backend = x0.backend.dtype === 'float64' ? x0.backend : doubleBackend()
  const run = <T>(x: Float64Array, use: (r: Tensor, at: Tensor) => T): T => {
    const at = Tensor.onHost(backend, x0.shape, x.slice(), true)
    const r = f(at)
    if (!(r instanceof Tensor)) throw new TypeError('a function of a tensor must answer with a tensor')
    const result = use(r, at)
    backend.arena.end()
    return result
  }
  const rows = (x: Float64Array) => run(x, (r, at) => rowsOf(r, [at]))
  return new FunctionProblem(owner, (x) => run(x, (r) => Float64Array.from(r.data())), jacobian ?? rows, x0.size)
}

/** The Jacobian of r by rows, row-major, with respect to `inputs` end to end; by backpropagation, once per row. @internal */
export function rowsOf(r: Tensor, inputs: readonly Tensor[]): Float64Array {
  const n = inputs.reduce((sum, input) => sum + input.size, 0)
  const out = new Float64Array(r.size * n)
  if (!r.requiresGrad) return out
  for (let i = 0, at = 0; i < r.size; i++) {
    const seed = r.backend.dtype === 'float64' ? new Float64Array(r.size) : new Float32Array(r.size)
    seed[i] = 1
    for (const gradient of gradients(r, inputs, { seed: Tensor.onHost(r.backend, r.shape, seed), retainGraph: true })) {
      out.set(gradient.data(), at)
      at += gradient.size
    }
  }
  return out
}

function checkOptions(owner: string, options: LeastSquaresOptions): void {
  for (const [name, value] of Object.entries(options)) {
    checkName(owner, name, NAMES)
    if (value === undefined) continue
    if (name === 'scaling') checkOption(owner, name, value, 'none', ['none', 'marquardt'])
    else if (name === 'maxIterations') checkOption(owner, name, value, 0, { min: 0, max: Number.POSITIVE_INFINITY })
    else if (name === 'initialDamping') checkOption(owner, name, value, 0, positive)
    else if (/olerance$/.test(name)) checkOption(owner, name, value, 0, nonNegative)
    else if (typeof value !== 'function') throw new TypeError(`${owner}: ${name} must be a function, got ${String(value)}`)
  }
}
