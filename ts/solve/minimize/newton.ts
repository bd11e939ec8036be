/** Newton's method without the Hessian: conjugate gradients on H·d = −g, from products with H alone. */

import { addScaled, dot, norm, scaled } from '../../common/vector.js'
import type { Point } from '../objective.js'
import type { DirectionRule } from './direction.js'

/** H·v at a point. */
export type HessianProduct = (x: Float64Array, v: Float64Array) => ArrayLike<number>

/** Lends products with the Hessian at a point. @internal */
export type HessianAt = <T>(x: Float64Array, use: (product: (v: Float64Array) => ArrayLike<number>) => T) => T

/** Options of {@link newtonDirection}. */
export interface NewtonDirectionOptions {
  /** Stops at |r| ≤ this. Default min(½, √|g|)·|g|, which makes the convergence superlinear. */
  tolerance?: number
  /** Largest number of products. Default 20·n, as in SciPy. */
  maxProducts?: number
  /** λ of (H + λ·I)·d = −g. Default 0. */
  damping?: number
}

/**
 * d ← about −H⁻¹·g (Nocedal & Wright 2006, algorithm 7.1). At a direction without positive curvature it stops with the present d, or with −g if that
 * is the first. Returns the number of products.
 */
export function newtonDirection(
  g: Float64Array,
  product: (v: Float64Array) => ArrayLike<number>,
  d: Float64Array,
  options: NewtonDirectionOptions = {},
): number {
  const size = norm(g)
  const { tolerance = Math.min(0.5, Math.sqrt(size)) * size, maxProducts = 20 * g.length, damping = 0 } = options
  const r = g.slice()
  const p = new Float64Array(g.length)
  scaled(g, -1, p)
  d.fill(0)
  let rr = dot(r, r)
  for (let i = 0; i < maxProducts; i++) {
    if (Math.sqrt(rr) <= tolerance) return i
    const hp = Float64Array.from(product(p))
    if (damping !== 0) addScaled(hp, damping, p)
    const curvature = dot(p, hp)
    if (!(curvature > 3 * Number.EPSILON * dot(p, p))) {
      if (i === 0) scaled(g, -1, d)
      return i + 1
    }
    addScaled(d, rr / curvature, p)
    rr = nextConjugate(r, p, hp, rr / curvature, rr)
  }
  return maxProducts
}

/** r ← r + α·H·p, p ← −r + β·p; returns the new rᵀr. @internal */
export function nextConjugate(r: Float64Array, p: Float64Array, hp: Float64Array, alpha: number, rr: number): number {
  addScaled(r, alpha, hp)
  const next = dot(r, r)
  const beta = next / rr
  for (let j = 0; j < p.length; j++) p[j] = beta * p[j] - r[j]
  return next
}

/** @internal */
export class NewtonRule implements DirectionRule {
  readonly search = 0.9
  private steepest = false

  constructor(
    private readonly hessianAt: HessianAt,
    private readonly options: NewtonDirectionOptions = {},
  ) {}

  direction({ x, gradient }: Point, d: Float64Array): void {
    const { steepest } = this
    this.steepest = false
    if (steepest) return scaled(gradient, -1, d)
    this.hessianAt(x, (product) => newtonDirection(gradient, product, d, this.options))
  }

  firstTrial(): number {
    return 1
  }

  learn(): void {}

  reset(): void {
    this.steepest = true
  }
}
