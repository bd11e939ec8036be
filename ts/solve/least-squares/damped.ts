/** A trial of Levenberg-Marquardt: solves for a step, compares the values, and accepts the step or increases the damping. */
import { allFinite, along, dot, maxAbs, scaled } from '../../common/vector.js'
import type { Box } from '../box.js'
import type { NormalEquations } from './equations.js'
import { ScaledRegion } from './region.js'

/** A sum of squares F = ½·Σ rᵢ², as the solver sees it. */
export interface LeastSquaresProblem {
  /** Number of parameters. */
  readonly size: number
  /** JᵀJ and Jᵀr of the last {@link linearize}. */
  readonly equations: NormalEquations
  /** F at x; keeps data that {@link linearize} may need. Not finite if x is out of bounds. */
  value(x: Float64Array): number
  /** The equations at x, the point of the last {@link value}. */
  linearize(x: Float64Array): void
  /** Gives memory back. */
  release(): void
}

/** Options of the damping. */
export interface DampingOptions {
  /** First damping μ₀ = this · max diag JᵀJ. Default 1e-3 (Nielsen). */
  initialDamping?: number
  /** `none`: JᵀJ + μ·I. `marquardt`: JᵀJ + μ·diag(JᵀJ), which does not depend on the units of parameters. Default `none`. */
  scaling?: 'none' | 'marquardt'
}

/** Result of one trial: the step was taken; or the value was not lower, and the damping was increased; or there is nothing more to try. */
export type TrialOutcome = 'accepted' | 'rejected' | 'exhausted'

/** The first damping, relative to the largest diagonal element, or to 1. */
const LARGEST_DAMPING = 1e100

/** Dampings that Gauss-Newton tries, relative to the largest diagonal element. */
const GAUSS_NEWTON_DAMPING = [0, 1e-12, 1e-9, 1e-6, 1e-3, 1]

/** A relative decrease of F that rounding of the residuals can hide. */
const ROUNDING = 1e-14

/** Factor on the largest damping for a parameter that a bound holds: the parameter does not move. */
const HELD = 1e100

/**
 * A parameter has lost its influence (a sum of squared derivatives) below this fraction of the largest it ever had, that is with derivatives below
 * 1e-15 of their former size.
 */
const LOST = 1e-30

/** The first radius of a region: as long as the start itself, in the units of D; for a start of zeros as large as the residuals. */
function firstRadius(x: Float64Array, scale: Float64Array, value: number): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += scale[i] * x[i] * x[i]
  return Math.sqrt(sum) || Math.sqrt(2 * value)
}

/** State of the method at a point. @internal */
export class DampedLeastSquares {
  value: number
  /** Last trial step. */
  readonly step: Float64Array
  mu: number
  nu = 2
  evaluations = 1
  /** Decrease that the last trial promised. */
  promised = 0
  /** True if the equations are not up to date at x: after a step they are computed only on demand. */
  private stale = true
  /** True if the problem still holds the data of value() at x. */
  private isFresh = true
  /** D, the diagonal scaling; null for ones. */
  private readonly scale: Float64Array | null
  /** The largest diagonal of JᵀJ so far: the largest influence of each parameter. */
  private readonly influence: Float64Array
  /** The trust region of {@link regionTrial}; null before the first trial. */
  private region: ScaledRegion | null = null
  private candidate: Float64Array

  /** @param x starting point; belongs to the state from now on and is replaced, not overwritten, by a step */
  constructor(
    private readonly problem: LeastSquaresProblem,
    public x: Float64Array,
    options: DampingOptions = {},
    mu?: number,
    private readonly box: Box | null = null,
  ) {
    const n = problem.size
    this.step = new Float64Array(n)
    this.influence = new Float64Array(n)
    this.scale = options.scaling === 'marquardt' ? new Float64Array(n) : null
    this.candidate = new Float64Array(n)
    this.value = problem.value(x)
    this.refresh()
    if (this.stale) problem.equations.gradient.fill(Number.NaN)
    this.mu = mu ?? (options.initialDamping ?? 1e-3) * (this.scale === null ? this.largestDiagonal() : 1)
  }

  /** Limit of |Jᵀr|∞ below which the gradient counts as 0. */
  flatAt = 0

  get isScaled(): boolean {
    return this.scale !== null
  }

  /** Jᵀr at x */
  get gradient(): Float64Array {
    this.refresh()
    return this.problem.equations.gradient
  }

  /** True if the equations belong to x; false if x is out of bounds or the problem threw. */
  get isLinearized(): boolean {
    return !this.stale
  }

  /** True if linearization at x has not even begun. */
  get isAhead(): boolean {
    return this.isFresh
  }

  /** Updates the equations to x, if they exist there. */
  refresh(): void {
    if (this.stale && Number.isFinite(this.value)) this.linearize()
  }

  /** Recomputes JᵀJ and Jᵀr at x, from the problem's last value. */
  linearize(): void {
    const { scale, influence, problem } = this
    this.isFresh = false
    problem.linearize(this.x)
    this.stale = false
    const { diagonal } = problem.equations
    for (let i = 0; i < influence.length; i++) if (diagonal[i] > influence[i]) influence[i] = diagonal[i]
    if (scale === null) return
    // A parameter without any influence gets a scale of 1, as in MINPACK: any other value would depend on the units of other parameters.
    for (let i = 0; i < scale.length; i++) scale[i] = influence[i] || 1
  }

  /** The first parameter on which the residuals no longer depend, although they did earlier; −1 if there is none. */
  get lostParameter(): number {
    const { diagonal } = this.problem.equations
    for (let i = 0; i < diagonal.length; i++) if (diagonal[i] < LOST * this.influence[i] && this.box?.fixes(i) !== true) return i
    return -1
  }

  private largestDiagonal(): number {
    let max = 0
    const { diagonal } = this.problem.equations
    for (let i = 0; i < diagonal.length; i++) max = Math.max(max, diagonal[i])
    return max
  }

  /** |Jᵀr|∞ over the parameters that no bound holds; NaN if any element is NaN. */
  get slope(): number {
    const { gradient, box, x } = this
    if (box === null) return maxAbs(gradient)
    return maxAbs(gradient.map((g, i) => (box.holds(x, gradient, i) ? 0 : g)))
  }

  /**
   * True if the last step, which was rejected, promised a decrease above rounding. Then no step helps because the Jacobian is wrong or the residuals
   * are not smooth, and not because this is the minimum.
   */
  get isStuck(): boolean {
    return this.promised > ROUNDING * this.value
  }

  /** Size of the last step relative to x, in the units of D. */
  get relativeStep(): number {
    const { step, x, scale } = this
    let [h, all] = [0, 0]
    for (let i = 0; i < step.length; i++) {
      const d = scale === null ? 1 : scale[i]
      h += d * step[i] * step[i]
      all += d * x[i] * x[i]
    }
    return Math.sqrt(h) / Math.sqrt(all)
  }

  /** True if the linearization is finite; otherwise nothing can be done. */
  get isUsable(): boolean {
    return Number.isFinite(this.value) && allFinite(this.gradient)
  }

  /**
   * Solves (JᵀJ + μ·D)·h = −Jᵀr and compares: ϱ = (F(x) − F(x + h)) / ½hᵀ(μDh − g). For ϱ > 0 the step is taken and
   * μ ← μ·max(⅓, 1 − (2ϱ − 1)³), ν ← 2; else μ ← μ·ν, ν ← 2ν (Nielsen 1999). A singular matrix counts as a rejection.
   */
  trial(): TrialOutcome {
    this.refresh()
    const { equations } = this.problem
    if (!(this.mu < LARGEST_DAMPING * Math.max(1, this.scale === null ? this.largestDiagonal() : 1))) return 'exhausted'
    if (!equations.factor(this.mu, this.damping())) return this.reject()
    const { step, candidate, x } = this
    scaled(this.gradient, -1, step)
    equations.solve(step)
    along(x, 1, step, candidate)
    const clamped = this.box?.clamp(candidate) === true
    const value = this.problem.value(candidate)
    this.evaluations++
    const predicted = clamped ? this.predictedTo(candidate) : this.predicted()
    this.promised = predicted
    const ratio = predicted > 0 ? (this.value - value) / predicted : -1
    return ratio > 0 ? this.accept(value, ratio) : this.reject()
  }

  /** D; parameters that a bound holds are damped out of the system. */
  private damping(): Float64Array | null {
    const { box, scale, x, gradient, mu } = this
    if (box === null) return scale
    const held = HELD * Math.max(1, this.largestDiagonal() / mu)
    return gradient.map((_, i) => (box.holds(x, gradient, i) ? held : (scale?.[i] ?? 1)))
  }

  /** −gᵀs − ½·sᵀJᵀJs for the step s to a point that is not the solution. */
  private predictedTo(candidate: Float64Array): number {
    const { x, gradient } = this
    const h = this.problem.equations.matrix()
    const n = x.length
    let sum = 0
    for (let i = 0; i < n; i++) {
      let product = 0
      for (let j = 0; j < n; j++) product += h[i * n + j] * (candidate[j] - x[j])
      sum -= (candidate[i] - x[i]) * (gradient[i] + 0.5 * product)
    }
    return sum
  }

  /** ½·hᵀ(μ·D·h − g) */
  private predicted(): number {
    const { step, gradient, scale, mu } = this
    let sum = 0
    for (let i = 0; i < step.length; i++) sum += step[i] * (mu * (scale === null ? 1 : scale[i]) * step[i] - gradient[i])
    return 0.5 * sum
  }

  private accept(value: number, ratio: number): TrialOutcome {
    this.moveTo(value)
    this.mu *= Math.max(1 / 3, 1 - (2 * ratio - 1) ** 3)
    this.nu = 2
    return 'accepted'
  }

  /** Makes the candidate the current point. */
  private moveTo(value: number): void {
    this.x = this.candidate
    this.candidate = new Float64Array(this.x.length)
    this.value = value
    this.stale = this.isFresh = true
  }

  /**
   * One trial of Moré's method (1978), with D = the running maximum of diag(JᵀJ): the step within |D½h| ≤ radius. The radius depends on how much of
   * the promised decrease was achieved. Needs Marquardt's scaling.
   */
  regionTrial(): TrialOutcome {
    this.refresh()
    const { step, candidate, x, gradient } = this
    this.region ??= new ScaledRegion(this.problem.equations, this.scale!, firstRadius(x, this.scale!, this.value))
    if (!this.region.solve(gradient, this.heldScale(), step)) return 'exhausted'
    this.mu = this.region.damping
    along(x, 1, step, candidate)
    const clamped = this.box?.clamp(candidate) === true
    const value = this.problem.value(candidate)
    this.evaluations++
    this.promised = clamped ? this.predictedTo(candidate) : this.predicted()
    const isEnough = this.region.update({ before: this.value, after: value, promised: this.promised, slope: dot(gradient, step), step })
    if (!isEnough) return 'rejected'
    this.moveTo(value)
    return 'accepted'
  }

  /** D, with weights so large for parameters held by a bound that they do not move; null without bounds. */
  private heldScale(): Float64Array | null {
    const { box, scale, x, gradient } = this
    if (box === null) return null
    const held = HELD * Math.max(1, this.largestDiagonal())
    return scale!.map((d, i) => (box.holds(x, gradient, i) ? held : d))
  }

  private reject(): TrialOutcome {
    // After μ = 0 (no damping requested, or no parameter with influence), μ needs a first value that can be multiplied.
    this.mu = this.mu > 0 ? this.mu * this.nu : 1e-15 * (this.largestDiagonal() || 1)
    this.nu *= 2
    return 'rejected'
  }

  /**
   * One Gauss-Newton step: JᵀJ·h = −Jᵀr, halved until F falls (Armijo). If JᵀJ is singular, or nearly so that the step would shrink to nothing, a
   * damping is added: the smallest of a few that helps.
   */
  gaussNewtonTrial(): TrialOutcome {
    this.refresh()
    const largest = this.largestDiagonal() || 1
    for (const relative of GAUSS_NEWTON_DAMPING) {
      this.mu = relative * largest
      if (!this.problem.equations.factor(this.mu, this.scale)) continue
      const shortest = relative === 1 ? 1e-12 : 1 / 32
      if (this.searchAlongStep(shortest)) return 'accepted'
    }
    return 'exhausted'
  }

  private searchAlongStep(shortest: number): boolean {
    const { step, gradient, x } = this
    scaled(gradient, -1, step)
    this.problem.equations.solve(step)
    const slope = dot(gradient, step)
    if (!(slope < 0)) return false
    for (let t = 1; t >= shortest; t /= 2) {
      along(x, t, step, this.candidate)
      const value = this.problem.value(this.candidate)
      this.evaluations++
      if (!(value < this.value + 1e-4 * t * slope)) continue
      scaled(step, t, step)
      this.accept(value, 1)
      return true
    }
    return false
  }
}
