import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { radam } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { biasCorrection } from './base/scalar-math.js'

/** Options of {@link RAdam}. */
export interface RAdamOptions extends DecayOptions {
  /** Default 0.9. */
  beta1?: number
  /** Default 0.999. */
  beta2?: number
  /** Default 1e-8. */
  epsilon?: number
  /** ε beside the root of the uncorrected v (PyTorch) or of the corrected one (optax). Default `hat`. */
  epsilonPlacement?: 'hat' | 'outside'
}

/**
 * Factor that makes the root negligible compared with 1 in single precision. The factor is not 0, because 0·√v would be NaN if v overflowed. (In
 * double precision a √v of 1e11 affects the last digits.)
 */
const NEGLIGIBLE = 1e-27

/**
 * Adam that ignores v until enough gradients have been averaged: the first steps are plain momentum, then a factor r warms up.
 *
 *     ρ∞ = 2/(1 − β₂) − 1,   ρₜ = ρ∞ − 2t·β₂ᵗ/(1 − β₂ᵗ)
 *     ρₜ > 5:  p ← p − η·r·m̂ / √v̂ (with ε),   r = √((ρₜ−4)(ρₜ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρₜ))
 *     else:    p ← p − η·m̂
 *
 * It replaces a learning-rate warm-up. With β₂ = 0.999 the first five steps are not normalized: they blow up on steep losses, where Adam with
 * `schedules.warmup` is safer.
 * When not: with a scheduled warm-up, which makes it equal to Adam.
 * Defaults: PyTorch. State: 8 bytes a parameter. Liu et al. 2020.
 *
 * @example
 * const optimizer = new RAdam(model.parameters())
 */
export class RAdam extends Optimizer<RAdamOptions> {
  static override get name() {
    return 'RAdam'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    epsilonPlacement: 'hat',
    ...DECAY_DEFAULTS,
  }
  static override readonly allowed = { epsilonPlacement: ['hat', 'outside'] }
  /** @internal */
  static override readonly rule = { kernel: 'radam', part: UPDATES, slots: ['m', 'v'], numbers: radam, scaledByRate: ['stepSize'] }

  /** The quotient is m / (rootScale·√v + offset); without normalization rootScale is negligible and offset is 1. */
  protected override hyper(o: Required<RAdamOptions>, t: number): readonly number[] {
    const correction2 = biasCorrection(o.beta2, t)
    const rhoInfinity = 2 / (1 - o.beta2) - 1
    const rho = rhoInfinity - (2 * t * (1 - correction2)) / correction2
    const inverse1 = 1 / biasCorrection(o.beta1, t)
    const { beta2, learningRate } = o
    const [oneMinusBeta1, oneMinusBeta2] = [1 - o.beta1, 1 - beta2]
    if (rho <= 5) return radam({ oneMinusBeta1, beta2, oneMinusBeta2, stepSize: learningRate * inverse1, rootScale: NEGLIGIBLE, offset: 1 })
    const rectification = Math.sqrt(((rho - 4) * (rho - 2) * rhoInfinity) / ((rhoInfinity - 4) * (rhoInfinity - 2) * rho))
    const isOutside = o.epsilonPlacement === 'outside'
    const stepSize = learningRate * (isOutside ? inverse1 * rectification : inverse1 * rectification * Math.sqrt(correction2))
    const rootScale = isOutside ? 1 / Math.sqrt(correction2) : 1
    return radam({ oneMinusBeta1, beta2, oneMinusBeta2, stepSize, rootScale, offset: o.epsilon })
  }

  protected override update(p: FloatArray, g: FloatArray, [m, v]: FloatArray[], hyper: readonly number[]): void {
    const [oneMinusBeta1, beta2, oneMinusBeta2, stepSize, rootScale, offset] = hyper
    for (let i = 0; i < p.length; i++) {
      m[i] += oneMinusBeta1 * (g[i] - m[i])
      v[i] = beta2 * v[i] + oneMinusBeta2 * g[i] * g[i]
      p[i] -= (stepSize * m[i]) / (rootScale * Math.sqrt(v[i]) + offset)
    }
  }
}
