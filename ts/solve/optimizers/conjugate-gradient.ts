/** Nonlinear conjugate gradients for training. */
import { type ConjugateFormula, ConjugateRule } from '../minimize/conjugate-gradient.js'
import type { Closure, ClosureResult } from './closure.js'
import { DescentOptimizer, type DescentOptions } from './descent-optimizer.js'

/** Options of {@link ConjugateGradient}. */
export interface ConjugateGradientOptions extends DescentOptions {
  /** β, see {@link conjugateBeta}. Default `PR+`. */
  conjugate?: ConjugateFormula
}

/**
 * Nonlinear conjugate gradients with a strong Wolfe line search (c₂ = 0.1): d ← −g + β·d, restarted every n iterations and whenever d does not
 * descend (Nocedal & Wright 2006, chapter 5). Needs three vectors of memory only; usually slower than {@link LBFGS}. For full batches.
 *
 * @example
 * const optimizer = new ConjugateGradient(model.parameters(), { conjugate: 'HZ' })
 * const { loss, reason } = optimizer.step(() => mse(model.forward(x), y))
 */
export class ConjugateGradient extends DescentOptimizer<ConjugateGradientOptions> {
  static override get name() {
    return 'ConjugateGradient'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    ...DescentOptimizer.defaults,
    conjugate: 'PR+',
  }
  static override readonly allowed = {
    ...DescentOptimizer.allowed,
    conjugate: ['PR+', 'FR', 'HS', 'HZ'],
  } as const

  private rule: ConjugateRule | null = null

  /** Up to `maxIterations` iterations. @throws errors of the closure; then the parameters are at the best point seen */
  step(closure: Closure): ClosureResult {
    if (this.rule?.formula !== this.options.conjugate) this.rule = new ConjugateRule(this.options.conjugate)
    return this.run(closure, this.rule)
  }

  protected captured(): Record<string, unknown> {
    return { memory: this.rule?.memory ?? null, last: this.last }
  }

  protected restore({ memory, last }: Record<string, unknown>): void {
    this.rule = new ConjugateRule(this.options.conjugate)
    if (memory !== null) this.rule.memory = memory as ConjugateRule['memory']
    this.last = last as typeof this.last
  }
}
