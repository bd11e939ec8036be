/** Backtracking: shorten the step until the value has fallen enough. Needs values only. */
import type { LineSearchResult, Trial } from './wolfe.js'

/** Options of {@link armijo}. */
export interface ArmijoOptions {
  /** Sufficient decrease, φ(t) ≤ φ(0) + c₁·t·φ′(0). Default 1e-4. */
  c1?: number
  /** Largest number of trials. Default 40. */
  maxEvaluations?: number
}

/**
 * Finds the first of the steps t, θ₁t, θ₂θ₁t … with φ(t) ≤ φ(0) + c₁·t·φ′(0); each θ minimizes the parabola through φ(0), φ′(0) and
 * the last value, kept within [0.1, 0.5] (Armijo 1966; Dennis & Schnabel 1983). A value that is not finite halves twice.
 * Returns the start, not satisfied, when no trial is low enough.
 *
 * @example
 * const phi = (t: number) => ({ t, value: (t - 3) ** 2, slope: 2 * (t - 3) })
 * armijo(phi, phi(0), 100).point.value < 9 // true
 */
export function armijo<T extends Trial>(phi: (t: number) => T, start: T, first: number, options: ArmijoOptions = {}): LineSearchResult<T> {
  const { c1 = 1e-4, maxEvaluations = 40 } = options
  let t = first
  for (let evaluations = 1; evaluations <= maxEvaluations; evaluations++) {
    const point = phi(t)
    if (point.value <= start.value + c1 * t * start.slope) return { point, evaluations, satisfied: true }
    t *= shortening(t * start.slope, point.value - start.value)
  }
  return { point: start, evaluations: maxEvaluations, satisfied: false }
}

/** Factor by which to shorten a step, if the slope promised a change of `promised`, and the value changed by `change`. @internal */
export function shortening(promised: number, change: number): number {
  if (!Number.isFinite(change)) return 0.25
  const theta = -promised / (2 * (change - promised))
  return Math.min(0.5, Math.max(0.1, theta))
}
