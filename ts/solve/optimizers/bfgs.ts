/** BFGS with a full matrix for training. */
import { BFGSRule } from '../minimize/quasi-newton.js'
import type { Closure, ClosureResult } from './closure.js'
import { DescentOptimizer, type DescentOptions } from './descent-optimizer.js'

/**
 * BFGS: quasi-Newton directions from an approximation of the inverse Hessian that learns from every step (Nocedal & Wright 2006, chapter 6), with a
 * strong Wolfe line search.
 *
 *     d ← −H·g,  H ← (I − ρ·s·yᵀ)·H·(I − ρ·y·sᵀ) + ρ·s·sᵀ,  ρ = 1 / yᵀs,  s = Δp, y = Δg
 *
 * H has 8·n² bytes: for up to about 2,000 parameters, {@link LBFGS} beyond. For full batches. H carries over from step to step. A model in double
 * precision is worth it here, because the method learns from differences of gradients.
 *
 * @example
 * const optimizer = new BFGS(model.parameters(), { maxIterations: 50 })
 * const { loss, reason } = optimizer.step(() => mse(model.forward(x), y))
 */
export class BFGS extends DescentOptimizer<DescentOptions> {
  static override get name() {
    return 'BFGS'
  }

  private readonly rule = new BFGSRule()

  /** Up to `maxIterations` iterations. @throws errors of the closure; then the parameters are at the best point seen */
  step(closure: Closure): ClosureResult {
    return this.run(closure, this.rule)
  }

  protected captured(): Record<string, unknown> {
    return { h: this.rule.h, last: this.last }
  }

  protected restore({ h, last }: Record<string, unknown>): void {
    this.rule.h = h as Float64Array | null
    this.last = last as typeof this.last
  }
}
