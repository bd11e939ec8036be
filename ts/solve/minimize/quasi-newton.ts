/** L-BFGS and BFGS: the inverse Hessian from the steps taken. */

import { addScaled, dot, norm, scaled } from '../../common/vector.js'
import type { Point } from '../objective.js'
import type { DirectionRule, LastStep, StepTaken } from './direction.js'
import { History } from './history.js'

class QuasiNewton {
  readonly search = 0.9

  /** The unit step. The first step, when the scale is unknown, has at most length one. */
  firstTrial({ gradient }: Point, _slope: number, last: LastStep): number {
    return last === null ? Math.min(1, 1 / norm(gradient)) : 1
  }
}

/** d = −H·g, H from the last `historySize` pairs: 16·n·historySize bytes. @internal */
export class LBFGSRule extends QuasiNewton implements DirectionRule {
  private readonly history: History

  constructor(historySize: number) {
    super()
    this.history = new History(historySize)
  }

  direction({ gradient }: Point, d: Float64Array): void {
    this.history.direction(gradient, d)
  }

  learn({ s, y }: StepTaken): void {
    this.history.learn(s, y, Number.EPSILON * dot(y, y))
  }

  reset(): void {
    this.history.clear()
  }
}

/**
 * d = −H·g with the whole of H, 8·n² bytes. After a step
 *
 *     H ← (I − ρ·s·yᵀ)·H·(I − ρ·y·sᵀ) + ρ·s·sᵀ,  ρ = 1 / yᵀs,
 *
 * and before the first update H = (yᵀs / yᵀy)·I (Nocedal & Wright 2006, 6.20). @internal
 */
export class BFGSRule extends QuasiNewton implements DirectionRule {
  /** Row-major; null before the first update. */
  h: Float64Array | null = null

  direction({ gradient }: Point, d: Float64Array): void {
    const { h } = this
    if (h === null) return scaled(gradient, -1, d)
    multiply(h, gradient, d)
    scaled(d, -1, d)
  }

  learn({ s, y }: StepTaken): void {
    const ys = dot(y, s)
    if (!(ys > Number.EPSILON * dot(y, y))) return
    const n = s.length
    if (this.h === null) {
      this.h = new Float64Array(n * n)
      for (let i = 0; i < n; i++) this.h[i * n + i] = ys / dot(y, y)
    }
    this.rankTwo(this.h, s, y, 1 / ys)
  }

  /** H ← H − ρ·(s·uᵀ + u·sᵀ) + (ρ + ρ²·yᵀu)·s·sᵀ with u = H·y */
  private rankTwo(h: Float64Array, s: Float64Array, y: Float64Array, rho: number): void {
    const n = s.length
    const u = new Float64Array(n)
    multiply(h, y, u)
    const square = rho + rho * rho * dot(y, u)
    for (let i = 0; i < n; i++) {
      const row = h.subarray(i * n, i * n + n)
      addScaled(row, square * s[i] - rho * u[i], s)
      addScaled(row, -rho * s[i], u)
    }
  }

  reset(): void {
    this.h = null
  }
}

/** out ← H·x */
function multiply(h: Float64Array, x: Float64Array, out: Float64Array): void {
  const n = x.length
  for (let i = 0, at = 0; i < n; i++) {
    let sum = 0
    for (let j = 0; j < n; j++, at++) sum += h[at] * x[j]
    out[i] = sum
  }
}
