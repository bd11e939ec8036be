/** Minimization of plain functions of a vector, in the manner of SciPy. */

import { doubleBackend } from '../../backend/index.js'
import { rangeError, typeError } from '../../common/errors.js'
import { anything, atLeast0, handler, positive, type Read, readOptions, type Schema } from '../../common/options.js'
import { show } from '../../common/show.js'
import { maxAbs } from '../../common/vector.js'
import { Tensor, type TensorFunction } from '../../tensor.js'
import { type BoundOptions, type Box, boxOf } from '../box.js'
import { guard, Objective, type PlainFunction, type Point } from '../objective.js'
import { FunctionError, isConverged, type SolveResult, type Stop } from '../result.js'
import { startOf } from '../start.js'
import { confirmed, type StopOptions, Stopping } from '../stop.js'
import { automatic } from './automatic.js'
import { descendWithin } from './bounded.js'
import { type ConjugateFormula, ConjugateRule } from './conjugate-gradient.js'
import { descend } from './descent.js'
import type { DirectionRule } from './direction.js'
import { GradientDescentRule } from './gradient-descent.js'
import { type HessianAt, type HessianProduct, NewtonRule } from './newton.js'
import { BFGSRule, LBFGSRule } from './quasi-newton.js'
import { type TrustRegionOptions, trustRegion } from './trust-region.js'

/** Methods of {@link minimize}. */
export type MinimizeMethod = 'lbfgs' | 'bfgs' | 'cg' | 'newton-cg' | 'trust-ncg' | 'gradient-descent'

/** Options of {@link minimize}. */
export interface MinimizeOptions extends StopOptions, TrustRegionOptions, BoundOptions {
  /** Default `lbfgs`. */
  method?: MinimizeMethod
  /** Gradient, if the function returns only its value. Default: central differences (2n calls). */
  gradient?: (x: Float64Array) => ArrayLike<number>
  /** H·v for the Newton methods. Default: exact for functions of tensors, else central differences of the gradient. */
  hessianProduct?: HessianProduct
  /** Pairs that `lbfgs` remembers. Default 10 (SciPy's maxcor). */
  historySize?: number
  /** β of `cg`. Default `PR+`. */
  conjugate?: ConjugateFormula
}

export const MINIMIZE = {
  method: { is: ['lbfgs', 'bfgs', 'cg', 'newton-cg', 'trust-ncg', 'gradient-descent'], default: 'lbfgs' },
  gradient: { is: handler },
  hessianProduct: { is: handler },
  historySize: { is: positive, default: 10 },
  conjugate: { is: ['PR+', 'FR', 'HS', 'HZ'], default: 'PR+' },
  initialRadius: { is: positive, default: 1 },
  maxRadius: { is: positive, default: 1000 },
  eta: { is: atLeast0, default: 0.15 },
  lower: { is: anything },
  upper: { is: anything },
  gradientTolerance: { is: atLeast0, default: 1e-5, aka: ['tolerance'] },
  // no default here, so that a tolerance that the caller sets can be distinguished: meeting it always counts as convergence, see `confirmed`
  valueTolerance: { is: atLeast0 },
  stepTolerance: { is: atLeast0 },
  maxIterations: { is: atLeast0, aka: ['maxiter'] },
  maxEvaluations: { is: atLeast0, default: Infinity },
  onIteration: { is: handler, aka: ['callback'] },
} satisfies Schema<MinimizeOptions>

type ReadMinimize = Read<MinimizeOptions, typeof MINIMIZE>

/**
 * Finds a local minimum of a function of n numbers.
 *
 * | method | for | memory | per iteration |
 * |---|---|---|---|
 * | `lbfgs` | the default, n up to millions | 16·n·historySize bytes | about one evaluation |
 * | `bfgs` | n up to about 2,000 | 8·n² bytes | about one evaluation |
 * | `cg` | little memory | 4 vectors | two or three evaluations |
 * | `newton-cg`, `trust-ncg` | high accuracy, bad conditioning, saddles | a few vectors | one evaluation and some H·v |
 * | `gradient-descent` | to see why the others exist | 2 vectors | one or two evaluations |
 *
 * `f` is a plain function of a Float64Array that returns its value or `{ value, gradient }`; or, if `x0` is a tensor, a function of a tensor, which
 * is differentiated automatically in double precision, whatever the default backend.
 *
 * With bounds (`lower`, `upper`; `lbfgs` only) no point outside of them is evaluated, and the search ends where the projected gradient, P(x − g) − x,
 * vanishes: at a bound the gradient may point outwards.
 *
 * After the start it never throws: a value of NaN counts as a point too far out, an exception ends the search with reason `error`; `x` is the best
 * point seen in any case.
 *
 * @param x0 start
 * @throws errors of `f` at `x0`; RangeError for a bad option or an empty start
 * @example
 * minimize((x) => (x[0] - 3) ** 2, [0]).x // [3]
 * minimize((x) => (x[0] - 3) ** 2, [0], { upper: 2 }).x // [2]
 * minimize((x) => sum(square(sub(x, 3))), tensor([0, 0]), { method: 'newton-cg' }).x // [3, 3]
 */
export function minimize(f: TensorFunction, x0: Tensor, options?: MinimizeOptions): SolveResult
export function minimize(f: PlainFunction, x0: ArrayLike<number>, options?: MinimizeOptions): SolveResult
export function minimize(f: PlainFunction | TensorFunction, x0: ArrayLike<number> | Tensor, given: MinimizeOptions = {}): SolveResult {
  const options = readOptions('minimize', given, MINIMIZE)
  const { method, lower, upper } = options
  if (method !== 'lbfgs' && (lower ?? upper) !== undefined)
    throw rangeError(`minimize: lower and upper are for the method 'lbfgs', got ${show(method)}`)
  if (typeof f !== 'function') throw typeError(`minimize: the first argument wants a function, got ${show(f)}`)
  const start = startOf('minimize', x0)
  if (x0 instanceof Tensor) return minimizeTensor(f as TensorFunction, x0, options)
  const box = boxOf('minimize', options, start)
  const objective = new Objective(f as PlainFunction, options.gradient, start.length, box)
  const stopping = new Stopping(options, objective, box)
  const point = atStart(objective, start)
  const { error, ...end } = runMethod(objective, point, stopping, options, box)
  const best = objective.best ?? point
  const { x, value, gradient } = best
  const stop = confirmed(end, best, options, box)
  return {
    x,
    value,
    gradient,
    iterations: stopping.iterations,
    evaluations: objective.evaluations,
    converged: isConverged(stop.reason),
    ...stop,
    ...(error === undefined ? {} : { error }),
  }
}

function minimizeTensor(f: TensorFunction, x0: Tensor, options: MinimizeOptions): SolveResult {
  const backend = x0.backend.dtype === 'float64' ? x0.backend : doubleBackend()
  const { evaluate, hessianProduct } = automatic(f, x0.shape, backend)
  return minimize(evaluate, Float64Array.from(x0.data()), { hessianProduct, ...options })
}

function atStart(objective: Objective, start: Float64Array): Point {
  try {
    return objective.at(start)
  } catch (error) {
    throw error instanceof FunctionError ? error.thrown : error
  }
}

function runMethod(
  objective: Objective,
  start: Point,
  stopping: Stopping,
  options: ReadMinimize,
  box: Box | null,
): Stop & { error?: unknown } {
  try {
    if (box !== null) return descendWithin(objective, box, options.historySize, start, stopping)
    if (options.method === 'trust-ncg') {
      const region = { radius: options.initialRadius }
      return trustRegion(objective, hessianOf(objective, options), start, stopping, options, region)
    }
    return descend(objective, ruleOf(objective, options), start, stopping)
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error
    return { reason: 'error', message: `the function threw: ${error.message}`, error: error.thrown }
  }
}

function ruleOf(objective: Objective, options: ReadMinimize): DirectionRule {
  switch (options.method) {
    case 'bfgs':
      return new BFGSRule()
    case 'cg':
      return new ConjugateRule(options.conjugate)
    case 'newton-cg':
      return new NewtonRule(hessianOf(objective, options))
    case 'gradient-descent':
      return new GradientDescentRule()
    default:
      return new LBFGSRule(options.historySize)
  }
}

const CUBE_ROOT_EPSILON = Math.cbrt(Number.EPSILON)

/** H·v as given, or (g(x + h·v) − g(x − h·v)) / 2h with h·|v|∞ = ∛ε·max(1, |x|∞). */
function hessianOf(objective: Objective, { hessianProduct }: MinimizeOptions): HessianAt {
  const product: HessianProduct = (x, v) => {
    if (hessianProduct !== undefined) return guard(() => hessianProduct(x.slice(), v.slice()))
    const h = (CUBE_ROOT_EPSILON * Math.max(1, maxAbs(x))) / (maxAbs(v) || 1)
    const plus = objective.gradientAt(x.map((xi, i) => xi + h * v[i]))
    const minus = objective.gradientAt(x.map((xi, i) => xi - h * v[i]))
    return plus.map((p, i) => (p - minus[i]) / (2 * h))
  }
  return (x, use) => use((v) => product(x, v))
}
