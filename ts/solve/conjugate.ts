/** Nonlinear conjugate gradients. */
import type { DirectionRule, StepTaken } from './direction.js'
import type { Point } from './objective.js'
import { addScaled, dot, norm, scaled } from './vector.js'
import type { Trial } from './wolfe.js'

/** How β is computed, see {@link conjugateBeta}. */
export type ConjugateFormula = 'PR+' | 'FR' | 'HS' | 'HZ'

/**
 * β of d ← −g + β·d, with y = g − g₋₁:
 *
 * - `PR+` (Polak & Ribière 1969, cut off by Powell): max(0, gᵀy / g₋₁ᵀg₋₁)
 * - `FR` (Fletcher & Reeves 1964): gᵀg / g₋₁ᵀg₋₁
 * - `HS` (Hestenes & Stiefel 1952): gᵀy / dᵀy
 * - `HZ` (Hager & Zhang 2005): max(η, (y − 2·d·yᵀy / dᵀy)ᵀg / dᵀy) with their η = −1 / (|d|·min(0.01, |g₋₁|))
 */
export function conjugateBeta(formula: ConjugateFormula, g: Float64Array, before: Float64Array, y: Float64Array, d: Float64Array): number {
  switch (formula) {
    case 'PR+':
      return Math.max(0, dot(g, y) / dot(before, before))
    case 'FR':
      return dot(g, g) / dot(before, before)
    case 'HS':
      return dot(g, y) / dot(d, y)
    case 'HZ': {
      const dy = dot(d, y)
      const beta = (dot(y, g) - (2 * dot(d, g) * dot(y, y)) / dy) / dy
      return Math.max(beta, -1 / (norm(d) * Math.min(0.01, norm(before))))
    }
  }
}

/** Restarts with −g every n steps, where β is not finite, and (by the loop) where d does not descend. @internal */
export class ConjugateRule implements DirectionRule {
  readonly search = 0.1
  /** The last direction; none after a restart. */
  last: Float64Array | null = null
  /** Directions since the last restart. */
  age = 0
  private beta = 0

  constructor(private readonly formula: ConjugateFormula) {}

  direction({ gradient }: Point, d: Float64Array): void {
    scaled(gradient, -1, d)
    if (this.last !== null && this.age < d.length && Number.isFinite(this.beta)) {
      addScaled(d, this.beta, this.last)
      if (dot(d, gradient) >= 0) scaled(gradient, -1, d)
      this.age++
    } else this.age = 1
    this.last = d.slice()
  }

  /** The length that would change the value as much as the last step, to first order. */
  firstTrial({ gradient }: Point, slope: number, last: (Trial & { startSlope: number }) | null): number {
    return last === null ? Math.min(1, 1 / norm(gradient)) : (last.t * last.startSlope) / slope
  }

  learn({ from, to, y }: StepTaken): void {
    if (this.last !== null) this.beta = conjugateBeta(this.formula, to.gradient, from.gradient, y, this.last)
  }

  reset(): void {
    this.last = null
    this.age = 0
  }
}
