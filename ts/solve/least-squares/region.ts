/**
 * The trust region of Levenberg-Marquardt in the units of its parameters (Moré 1978, the method of MINPACK): h minimizes ½|r + J·h|² within |D½h| ≤
 * radius, which is (JᵀJ + μ·D)·h = −Jᵀr for some μ, found by iteration. The first radius limits the first step. MINPACK's 100 times the size of the
 * start sends two problems of NIST's Statistical Reference Datasets to points where no parameter matters any more; with the size of the start itself,
 * all 54 starts end in the solution.
 */
import { dot, scaled } from '../../common/vector.js'
import type { NormalEquations } from './equations.js'

/** Outcome of a trial step. */
export interface TrialResult {
  /** ½Σr² before and after; after may be NaN. */
  before: number
  after: number
  /** Decrease that the linear model promised. */
  promised: number
  /** gᵀh */
  slope: number
  step: Float64Array
}

/** Relative precision to which the length of a step meets the radius. */
const CLOSE = 0.1
/** Largest number of dampings to try for a radius: one or two are nearly always enough. */
const MAX_DAMPINGS = 10
/** Least share of the promised decrease that makes a step worth taking. */
const WORTH_TAKING = 1e-4
/**
 * Dampings so small that they count as none; the first that makes the equations regular is taken. They are needed for parameters that are held by
 * bounds, whose large D the damping multiplies.
 */
const FOR_REGULAR = [0, 1e-14, 1e-12, 1e-10, 1e-8]
const FOR_HELD = [1e-30, ...FOR_REGULAR.slice(1)]

/** @internal */
export class ScaledRegion {
  /** μ of the last step. */
  damping = 0
  private isFirst = true
  /** True if the last step needed no damping to limit its length. */
  private isInside = false

  /** @param scale D, which changes during the search */
  constructor(
    private readonly equations: NormalEquations,
    private readonly scale: Float64Array,
    private radius: number,
  ) {}

  /**
   * step ← h, whose length equals the radius to a tenth, or is shorter if no damping is needed; false if there is none.
   * @param held D for the equations, with parameters held by bounds; null for the scale itself
   */
  solve(gradient: Float64Array, held: Float64Array | null, step: Float64Array): boolean {
    const { radius } = this
    if (!(radius > 0)) return false
    const at = (mu: number) => this.solveAt(mu, gradient, held, step)
    const least = (held === null ? FOR_REGULAR : FOR_HELD).find(at)
    if (least === undefined) return false
    const undamped = this.lengthOf(step)
    const before = this.damping
    this.damping = least
    this.isInside = undamped <= (1 + CLOSE) * radius
    if (this.isInside) return true
    let lower = least + this.correction(undamped, step)
    let upper = this.lengthOfInverse(gradient) / radius
    let mu = Math.min(Math.max(before, lower), upper) || 1e-3 * upper
    for (let k = 0; k < MAX_DAMPINGS; k++) {
      const isSolved = at(mu)
      const length = isSolved ? this.lengthOf(step) : Number.POSITIVE_INFINITY
      this.damping = mu
      if (Math.abs(length - radius) <= CLOSE * radius) return true
      if (length > radius) lower = Math.max(lower, mu)
      else upper = Math.min(upper, mu)
      mu = isSolved ? Math.max(lower, mu + this.correction(length, step)) : Math.min(10 * mu, Math.sqrt(mu * upper))
    }
    return at(mu)
  }

  /** Changes the radius by the outcome of the step; true if the step is to be taken. */
  update({ before, after, promised, slope, step }: TrialResult): boolean {
    const length = this.lengthOf(step)
    // a value far above the previous one, or NaN, only says that the step was too long
    const decrease = after < 100 * before ? before - after : -before
    const ratio = promised > 0 ? decrease / promised : -1
    if (this.isFirst) this.radius = Math.min(this.radius, length)
    this.isFirst = false
    if (ratio <= 0.25) {
      const factor = decrease >= 0 ? 0.5 : Math.max(0.1, (0.5 * slope) / (slope + decrease))
      const shrunk = decrease > -before ? factor : 0.1
      this.radius = shrunk * Math.min(this.radius, 10 * length)
      this.damping /= shrunk
    } else if (this.isInside || ratio >= 0.75) {
      this.radius = 2 * length
      this.damping /= 2
    }
    return ratio >= WORTH_TAKING
  }

  private solveAt(mu: number, gradient: Float64Array, held: Float64Array | null, step: Float64Array): boolean {
    if (!this.equations.factor(mu, held ?? this.scale)) return false
    scaled(gradient, -1, step)
    this.equations.solve(step)
    return true
  }

  /** Newton's step for μ on |D½h(μ)| = radius, by Hebden's rational model, with the equations as they are factored. */
  private correction(length: number, step: Float64Array): number {
    const q = step.map((h, i) => (this.scale[i] * h) / length)
    const solved = q.slice()
    this.equations.solve(solved)
    return (length - this.radius) / (this.radius * dot(q, solved))
  }

  /** |D½h| */
  private lengthOf(h: Float64Array): number {
    let sum = 0
    for (let i = 0; i < h.length; i++) sum += this.scale[i] * h[i] * h[i]
    return Math.sqrt(sum)
  }

  /** |D^−½·g|, over the radius the largest damping that may be needed. */
  private lengthOfInverse(g: Float64Array): number {
    let sum = 0
    for (let i = 0; i < g.length; i++) sum += (g[i] * g[i]) / this.scale[i]
    return Math.sqrt(sum)
  }
}
