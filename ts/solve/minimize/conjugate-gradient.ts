/** Nonlinear conjugate gradients. */

import { addScaled, dot, norm, scaled } from '../../common/vector.js'
import type { Point } from '../objective.js'
import type { DirectionRule, LastStep, StepTaken } from './direction.js'

/** Formula of β, see {@link conjugateBeta}. */
export type ConjugateFormula = 'PR+' | 'FR' | 'HS' | 'HZ'

/**
 * β of d ← −g + β·d, with y = g − g₋₁:
 *
 * - `PR+` (Polak & Ribière 1969, cut off by Powell): max(0, gᵀy / g₋₁ᵀg₋₁)
 * - `FR` (Fletcher & Reeves 1964): gᵀg / g₋₁ᵀg₋₁
 * - `HS` (Hestenes & Stiefel 1952): gᵀy / dᵀy
 * - `HZ` (Hager & Zhang 2005): max(η, (y − 2·d·yᵀy / dᵀy)ᵀg / dᵀy) with their η = −1 / (|d|·min(0.01, |g₋₁|))
 *
 * @example conjugateBeta('FR', Float64Array.of(2), Float64Array.of(1), Float64Array.of(1), Float64Array.of(-1)) // 4
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

/** The state that is kept from one direction to the next. @internal */
export interface ConjugateMemory {
  /** The last direction; null after a restart. */
  d: Float64Array | null
  /** Directions since the last restart. */
  age: number
  beta: number
}

/** Restarts with −g every n steps, if β is not finite, and if d does not descend. @internal */
export class ConjugateRule implements DirectionRule {
  readonly search = 0.1
  memory: ConjugateMemory = { d: null, age: 0, beta: 0 }

  constructor(readonly formula: ConjugateFormula) {}

  direction({ gradient }: Point, d: Float64Array): void {
    const { memory } = this
    scaled(gradient, -1, d)
    if (memory.d !== null && memory.age < d.length && Number.isFinite(memory.beta)) {
      addScaled(d, memory.beta, memory.d)
      if (dot(d, gradient) >= 0) scaled(gradient, -1, d)
      memory.age++
    } else memory.age = 1
    memory.d = d.slice()
  }

  /** The length that would change the value as much as the last step, to first order. */
  firstTrial({ gradient }: Point, slope: number, last: LastStep): number {
    return last === null ? Math.min(1, 1 / norm(gradient)) : (last.t * last.startSlope) / slope
  }

  learn({ from, to, y }: StepTaken): void {
    const { memory, formula } = this
    if (memory.d !== null) memory.beta = conjugateBeta(formula, to.gradient, from.gradient, y, memory.d)
  }

  reset(): void {
    this.memory = { d: null, age: 0, beta: 0 }
  }
}
