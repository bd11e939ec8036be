/** L-BFGS for training, step by step as PyTorch does it. */

import { along, difference, dot, maxAbs, scaled, sumAbs } from '../../common/vector.js'
import { nonNegative, positive } from '../../optim/base/options.js'
import { searchLine, type Trial } from '../line-search/wolfe.js'
import { History } from '../minimize/history.js'
import type { Point } from '../objective.js'
import { isConverged, type Stop } from '../result.js'
import { type Closure, ClosureOptimizer, type ClosureResult, type TrainingBatch } from './closure.js'
import { ClosureSource } from './descent-optimizer.js'

/** Options of {@link LBFGS}. */
export interface LBFGSOptions {
  /** First trial of a line search, or the fixed step. Default 1. */
  learningRate?: number
  /** Largest number of iterations per step(). Default 20. */
  maxIterations?: number
  /** Largest number of evaluations per step(). Default ⌊1.25·maxIterations⌋. */
  maxEvaluations?: number | null
  /** Stops at |g|∞ ≤ this. Default 1e-7. */
  gradientTolerance?: number
  /** Stops at |Δp|∞ ≤ or |Δloss| < this. Default 1e-9. */
  changeTolerance?: number
  /** Pairs remembered, 16 bytes an element each. Default 10 (PyTorch: 100). */
  historySize?: number
  /** Default `strong-wolfe`, which cannot diverge (PyTorch: none). */
  lineSearch?: 'strong-wolfe' | 'none'
}

interface TrialPoint extends Trial {
  point: Point
}

/** The state that is kept from one step() to the next. */
interface Memory {
  iterations: number
  d: Float64Array
  t: number
  /** Gradient and point of the last direction. */
  gradient: Float64Array
  x: Float64Array
}

/**
 * Limited-memory BFGS: quasi-Newton directions from the last steps (Nocedal 1980; Liu & Nocedal 1989).
 *
 *     d ← −H·g with H from the pairs s = Δp, y = Δg that have yᵀs > 1e-10, H₀ = (sᵀy / yᵀy)·I
 *     p ← p + t·d, t from a line search, or t = η; at the very first iteration t starts at min(1, 1/|g|₁)·η
 *
 * For full batches (or large ones, the same for all evaluations of a step). The iterates are PyTorch's. After a step with a line search the
 * parameters are at the lowest point seen. A loss that is not finite counts as a point too far out. If the closure throws, the parameters return to
 * the best point, and the error is rethrown.
 *
 * @example
 * const optimizer = new LBFGS(model.parameters())
 * const { loss, reason } = optimizer.step(() => crossEntropy(model.forward(x), y))
 */
export class LBFGS extends ClosureOptimizer<LBFGSOptions> {
  static override get name() {
    return 'LBFGS'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1,
    maxIterations: 20,
    maxEvaluations: null,
    gradientTolerance: 1e-7,
    changeTolerance: 1e-9,
    historySize: 10,
    lineSearch: 'strong-wolfe',
  }
  static override readonly allowed = {
    maxIterations: positive,
    gradientTolerance: nonNegative,
    changeTolerance: nonNegative,
    historySize: positive,
    lineSearch: ['strong-wolfe', 'none'],
  } as const

  private history: History
  private memory: Memory | null = null

  constructor(...[parameters, options]: ConstructorParameters<typeof ClosureOptimizer<LBFGSOptions>>) {
    super(parameters, options)
    this.history = new History(this.options.historySize)
  }

  override trainOn({ evaluate }: TrainingBatch): number {
    return this.step(evaluate).initialLoss
  }

  /** Up to `maxIterations` iterations. @throws errors of the closure; then the parameters are at the best point seen */
  step(closure: Closure): ClosureResult {
    this.stepCount++
    const search = new Search(this, (x) => this.evaluate(closure, x))
    const start = this.read()
    let best = start
    try {
      const stop = this.iterate(search, start)
      best = search.now.x
      return search.result(stop)
    } catch (error) {
      best = search.best?.x ?? start
      throw error
    } finally {
      this.write(best)
    }
  }

  private iterate(search: Search, start: Float64Array): Stop {
    const { options } = this
    search.now = search.first = search.at(start)
    if (!Number.isFinite(search.now.value)) return this.startIsNotFinite(search)
    if (search.isFlat()) return { reason: 'gradient', message: `the gradient at the start is within ${options.gradientTolerance}` }
    for (;;) {
      search.iterations++
      const memory = (this.memory = this.nextDirection(search.now))
      const slope = dot(search.now.gradient, memory.d)
      if (!(slope <= -options.changeTolerance)) return { reason: 'step', message: 'the slope along the direction is within the tolerance' }
      const before = search.now
      if (options.lineSearch === 'none') this.fixedStep(search, memory)
      else this.searchedStep(search, memory, slope)
      const stop = search.after(before, memory)
      if (stop?.reason === 'not-finite') this.forget()
      if (stop !== null) return stop
    }
  }

  /** The direction at a point, after learning from the step that led there. */
  private nextDirection({ x, gradient }: Point): Memory {
    const { history, memory } = this
    const d = new Float64Array(this.size)
    const rate = this.options.learningRate
    if (memory === null) {
      scaled(gradient, -1, d)
      return { iterations: 1, d, t: Math.min(1, 1 / sumAbs(gradient)) * rate, gradient, x }
    }
    const s = new Float64Array(this.size)
    scaled(memory.d, memory.t, s)
    history.learn(s, difference(gradient, memory.gradient))
    history.direction(gradient, d)
    return { iterations: memory.iterations + 1, d, t: rate, gradient, x }
  }

  /** Moves by t·d; evaluated only if another iteration follows. */
  private fixedStep(search: Search, { d, t }: Memory): void {
    const x = new Float64Array(this.size)
    along(search.now.x, t, d, x)
    search.now = search.iterations < this.options.maxIterations ? search.at(x) : { ...search.now, x }
  }

  private searchedStep(search: Search, memory: Memory, slope: number): void {
    const { d } = memory
    const { now } = search
    const phi = (t: number): TrialPoint => {
      const x = new Float64Array(this.size)
      along(now.x, t, d, x)
      const point = search.at(x)
      return { t, value: point.value, slope: dot(point.gradient, d), point }
    }
    const { point } = searchLine(phi, { t: 0, value: now.value, slope, point: now }, memory.t, {
      stepTolerance: this.options.changeTolerance,
      maxEvaluations: search.maxEvaluations - search.evaluations,
      directionSize: maxAbs(d),
    })
    memory.t = point.t
    if (point.value <= now.value) search.now = point.point
    else memory.t = 0
  }

  /** Undoes a step of fixed length to a point that is not finite, and forgets the pairs. */
  private startIsNotFinite(search: Search): Stop {
    if (this.memory !== null) search.now = { ...search.now, x: this.memory.x }
    const where = this.memory === null ? 'the start' : 'the end of the last step, which was undone'
    this.forget()
    return { reason: 'not-finite', message: `the loss or gradient is not finite at ${where}` }
  }

  private forget(): void {
    this.history.clear()
    this.memory = null
  }

  protected captured(): Record<string, unknown> {
    return { memory: this.memory, pairs: this.history.pairs, scale: this.history.scale }
  }

  protected restore({ memory, pairs, scale }: Record<string, unknown>): void {
    this.history = new History(this.options.historySize)
    this.history.pairs = pairs as History['pairs']
    this.history.scale = scale as number
    this.memory = memory as Memory | null
  }
}

/** The search of one call of step(). */
class Search extends ClosureSource {
  iterations = 0
  now!: Point
  first!: Point
  readonly maxEvaluations: number

  constructor(
    private readonly optimizer: LBFGS,
    evaluate: (x: Float64Array) => Point,
  ) {
    super(evaluate, optimizer.size)
    const { maxEvaluations, maxIterations } = optimizer.options
    this.maxEvaluations = maxEvaluations ?? Math.floor(1.25 * maxIterations)
  }

  isFlat(): boolean {
    return maxAbs(this.now.gradient) <= this.optimizer.options.gradientTolerance
  }

  /** The reason to stop, by PyTorch's conditions in its order. */
  after(before: Point, { d, t }: Memory): Stop | null {
    const { maxIterations, changeTolerance } = this.optimizer.options
    if (!Number.isFinite(this.now.value)) {
      this.now = this.best ?? before
      return { reason: 'not-finite', message: 'a fixed step led to a loss that is not finite; back at the best point of this step' }
    }
    const flat = this.isFlat()
    if (this.iterations >= maxIterations)
      return { reason: flat ? 'gradient' : 'iterations', message: `${this.iterations} iterations were made` }
    if (this.evaluations >= this.maxEvaluations)
      return { reason: flat ? 'gradient' : 'iterations', message: `${this.evaluations} evaluations were made` }
    if (flat) return { reason: 'gradient', message: 'the gradient is within the tolerance' }
    if (maxAbs(d) * t <= changeTolerance) return { reason: 'step', message: 'the last step is within the tolerance' }
    if (Math.abs(this.now.value - before.value) < changeTolerance)
      return { reason: 'value', message: 'the last change of the loss is within the tolerance' }
    return null
  }

  result({ reason, message }: Stop): ClosureResult {
    const { iterations, evaluations } = this
    return { initialLoss: this.first.value, loss: this.now.value, iterations, evaluations, converged: isConverged(reason), reason, message }
  }
}
