/** Levenberg-Marquardt for regression nets. */

import type { Backend } from '../../backend/index.js'
import { ShapeError, typeError } from '../../common/errors.js'
import { formatShape } from '../../common/shape.js'
import { show } from '../../common/show.js'
import { allFinite, dot, norm } from '../../common/vector.js'
import { mse } from '../../loss/regression.js'
import type { Module } from '../../nn/module.js'
import { sub } from '../../ops/elementwise.js'
import { reshape } from '../../ops/shape.js'
import { nonNegative, positive } from '../../optim/base/options.js'
import type { Parameter } from '../../parameter.js'
import { asTensor, Tensor, type TensorLike } from '../../tensor.js'
import { DampedLeastSquares, type LeastSquaresProblem } from '../least-squares/damped.js'
import { equationsFor, type Frozen, type NormalEquations } from '../least-squares/equations.js'
import { rowsOf } from '../least-squares/residuals.js'
import { ClosureOptimizer, type ClosureResult, checkOwnLoss, type TrainingBatch } from '../optimizers/closure.js'
import { isConverged, type Stop } from '../result.js'
import { type LayerPlan, planOf } from './dense-net.js'
import { checkNetData, chunksOf, NetProblem } from './net-problem.js'

/** Options of {@link LevenbergMarquardt}. */
export interface LevenbergMarquardtOptions {
  /** Largest number of trials per step(). Default 20. */
  maxIterations?: number
  /** μ₀ = this · max diag JᵀJ. Default 1e-3. */
  initialDamping?: number
  /** See {@link DampingOptions}. Default `none`. */
  scaling?: 'none' | 'marquardt'
  /** `gauss-newton`: no damping, a line search instead. Default `levenberg-marquardt`. */
  method?: 'levenberg-marquardt' | 'gauss-newton'
  /** Stops at a mean squared error ≤ this. Default 0. */
  target?: number
  /** Stops at |Jᵀr|∞ ≤ this. Default 1e-10. */
  gradientTolerance?: number
  /** Stops at |h| ≤ this·(|p| + this). Default 1e-12. */
  stepTolerance?: number
}

/** Result of {@link LevenbergMarquardt.step}; losses are mean squared errors. */
export interface LevenbergMarquardtResult extends ClosureResult {
  /** Trials that lowered the loss. */
  accepted: number
  /** μ for the next step. */
  damping: number
}

/**
 * The fastest way to a small error for regression nets of up to about 1,500 parameters: each trial solves
 *
 *     (JᵀJ + μ·I)·h = −Jᵀr,  r = prediction − target over all rows and outputs
 *
 * with Nielsen's damping, as {@link levenbergMarquardt}. For a model of dense layers and activations the Jacobian is computed row by row in one
 * backward sweep in double precision, whatever the backend of the model; for any other model, or a closure that returns residuals, by one backward
 * pass per row. Minimizes the mean squared error over exactly the given rows: use the full set. The damping carries over from step to step.
 *
 * Parameters end at the best point. Values that are not finite are rejected trials. If the closure throws, the parameters are restored.
 *
 * @example
 * const model = new Sequential([new Dense(1, 20, { activation: 'tanh' }), new Dense(20, 1)], { seed: 1 })
 * const optimizer = new LevenbergMarquardt(model)
 * for (let i = 0; i < 10; i++) optimizer.step([[0], [1], [2]], [0, 1, 4])
 * optimizer.step([[0], [1], [2]], [0, 1, 4]).loss < 1e-6 // true
 */
export class LevenbergMarquardt extends ClosureOptimizer<LevenbergMarquardtOptions> {
  static override get name() {
    return 'LevenbergMarquardt'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    maxIterations: 20,
    initialDamping: 1e-3,
    scaling: 'none',
    method: 'levenberg-marquardt',
    target: 0,
    gradientTolerance: 1e-10,
    stepTolerance: 1e-12,
  }
  static override readonly allowed = {
    maxIterations: positive,
    initialDamping: positive,
    target: nonNegative,
    gradientTolerance: nonNegative,
    stepTolerance: nonNegative,
    scaling: ['none', 'marquardt'],
    method: ['levenberg-marquardt', 'gauss-newton'],
  } as const

  private readonly model: Module | null
  private mu: number | undefined
  private nu = 2
  /** The parameters in full precision after the last step; the model's own may be rounded to single. */
  private exact: Float64Array | null = null

  /** @param target a model; or parameters, for closures that return residuals */
  constructor(target: Module | Iterable<Parameter>, options: LevenbergMarquardtOptions = {}) {
    const isModel = typeof (target as Module | undefined)?.parameters === 'function'
    super(isModel ? (target as Module).parameters() : (target as Iterable<Parameter>), options)
    this.model = isModel ? (target as Module) : null
  }

  /**
   * Up to `maxIterations` trials on inputs and targets, or on a closure that returns the tensor of residuals.
   * @throws ShapeError for data that does not fit, errors of the closure
   */
  step(inputs: TensorLike, targets: TensorLike): LevenbergMarquardtResult
  step(closure: () => Tensor): LevenbergMarquardtResult
  step(data: TensorLike | (() => Tensor), targets?: TensorLike): LevenbergMarquardtResult {
    const [problem, rows] = this.problem(data, targets)
    this.stepCount++
    const start = this.start()
    let best = start
    try {
      const state = new DampedLeastSquares(problem, start, this.options, this.mu)
      state.nu = this.nu
      const initialLoss = (2 * state.value) / rows()
      const end = this.iterate(state, rows(), (x) => (best = x))
      if (Number.isFinite(state.value)) [this.mu, this.nu] = [state.mu, state.nu]
      return { ...end, initialLoss, loss: (2 * state.value) / rows(), damping: state.mu, evaluations: state.evaluations }
    } finally {
      problem.release()
      this.write(best)
      this.exact = best
    }
  }

  override trainOn(batch: TrainingBatch): number {
    checkOwnLoss(this.name, batch, mse, 'pass loss: mse')
    return this.step(batch.inputs, batch.targets).initialLoss
  }

  private iterate(
    state: DampedLeastSquares,
    rows: number,
    improved: (x: Float64Array) => void,
  ): Stop & Pick<LevenbergMarquardtResult, 'converged' | 'iterations' | 'accepted'> {
    const { maxIterations, method } = this.options
    let iterations = 0
    let accepted = 0
    let stop = this.reached(state, rows)
    while (stop === null && iterations < maxIterations) {
      iterations++
      const outcome = method === 'gauss-newton' ? state.gaussNewtonTrial() : state.trial()
      if (outcome === 'accepted') {
        accepted++
        improved(state.x)
        stop = this.reached(state, rows)
      }
      if (outcome === 'exhausted') stop = { reason: 'line-search', message: 'no step lowers the loss any more' }
      else stop ??= this.isSmall(state, outcome === 'rejected')
    }
    stop ??= { reason: 'iterations', message: `${iterations} trials were made` }
    return { ...stop, converged: isConverged(stop.reason), iterations, accepted }
  }

  private reached(state: DampedLeastSquares, rows: number): Stop | null {
    const { target, gradientTolerance } = this.options
    if (2 * state.value <= target * rows) return { reason: 'value', message: `the mean squared error is within ${target}` }
    if (!state.isUsable) return { reason: 'not-finite', message: 'the residuals or the Jacobian are not finite' }
    return state.slope <= gradientTolerance ? { reason: 'gradient', message: 'Jᵀr is within the tolerance' } : null
  }

  private isSmall(state: DampedLeastSquares, wasRejected: boolean): Stop | null {
    const tolerance = this.options.stepTolerance
    if (norm(state.step) > tolerance * (norm(state.x) + tolerance)) return null
    if (wasRejected && state.isStuck) return { reason: 'line-search', message: 'no step lowers the loss, though the Jacobian promises it' }
    return { reason: 'step', message: 'the last step is within the tolerance' }
  }

  /** The parameters, in full precision if they have not changed since the last step. */
  private start(): Float64Array {
    const now = this.read()
    const { exact } = this
    if (exact === null) return now
    this.write(exact)
    const rounded = this.read()
    if (rounded.every((value, i) => value === now[i])) return exact
    this.write(now)
    return now
  }

  private problem(data: TensorLike | (() => Tensor), targets?: TensorLike): [LeastSquaresProblem, rows: () => number] {
    if (typeof data === 'function') return this.closureProblem(data)
    const { model } = this
    if (model === null) throw typeError('LevenbergMarquardt.step(): made from parameters, it wants a closure that answers with residuals')
    if (targets === undefined) throw typeError('LevenbergMarquardt.step(): wants inputs and targets')
    const { backend } = model
    const x = asTensor(data, backend, 'LevenbergMarquardt')
    const y = asTensor(targets, backend, 'LevenbergMarquardt')
    const plan = planOf(model)
    if (plan !== null && x.rank === 2) return netProblem(backend, plan, this.size, x, y, this.frozen)
    return this.closureProblem(() => residualsOf(model, x, y))
  }

  private closureProblem(closure: () => Tensor): [LeastSquaresProblem, rows: () => number] {
    const problem = new ResidualClosure(this.parameters, (x) => this.write(x), closure, equationsFor(this.size), this.frozen)
    return [problem, () => problem.rows]
  }

  protected captured(): Record<string, unknown> {
    return { mu: this.mu ?? null, nu: this.nu, exact: this.exact }
  }

  protected restore({ mu, nu, exact }: Record<string, unknown>): void {
    this.mu = (mu as number | null) ?? undefined
    this.nu = nu as number
    this.exact = exact as Float64Array | null
  }
}

function netProblem(
  backend: Backend,
  plan: LayerPlan[],
  size: number,
  x: Tensor,
  y: Tensor,
  frozen: readonly Frozen[],
): [LeastSquaresProblem, () => number] {
  checkNetData('LevenbergMarquardt', plan, x, y)
  const rows = y.size
  const chunks = chunksOf(plan, size * plan[plan.length - 1].outputs, x.read(), y.read())
  return [new NetProblem(backend, plan, size, chunks, frozen), () => rows]
}

function residualsOf(model: Module, x: Tensor, y: Tensor): Tensor {
  const prediction = model.forward(x)
  if (prediction.size !== y.size)
    throw new ShapeError(`LevenbergMarquardt: predictions ${formatShape(prediction.shape)} do not fit targets ${formatShape(y.shape)}`)
  return sub(prediction, reshape(y, prediction.shape))
}

/** A least-squares problem whose residuals come from a closure over tensors. */
class ResidualClosure implements LeastSquaresProblem {
  rows = 1
  private latest: Tensor | null = null
  private residuals = new Float64Array(0)

  constructor(
    private readonly parameters: readonly Parameter[],
    private readonly write: (x: Float64Array) => void,
    private readonly closure: () => Tensor,
    readonly equations: NormalEquations,
    private readonly frozen: readonly Frozen[],
  ) {}

  get size(): number {
    return this.equations.size
  }

  value(x: Float64Array): number {
    this.write(x)
    this.latest = this.closure()
    if (!(this.latest instanceof Tensor))
      throw typeError(`LevenbergMarquardt: the closure wants to return the tensor of residuals, got ${show(this.latest)}`)
    this.residuals = Float64Array.from(this.latest.read())
    this.rows = this.residuals.length
    this.latest.backend.arena.end()
    return allFinite(this.residuals) ? 0.5 * dot(this.residuals, this.residuals) : Number.NaN
  }

  linearize(): void {
    const { rows: m, size: n, residuals, equations } = this
    const rows = rowsOf(this.latest!, this.parameters)
    this.latest!.backend.arena.end()
    const columns = new Float64Array(n * m)
    for (let i = 0, at = 0; i < m; i++) for (let j = 0; j < n; j++, at++) columns[j * m + i] = rows[at]
    equations.clear()
    equations.add(columns, m, residuals)
    equations.finish(this.frozen)
  }

  release(): void {
    this.equations.release()
  }
}
