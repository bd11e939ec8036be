import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { nadam } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { atLeast0 } from './base/options.js'
import { biasCorrection, expNonPositive } from './base/scalar-math.js'
import type { Scalars } from './base/span.js'

/** Options of {@link NAdam}. */
export interface NAdamOptions extends DecayOptions {
  /** Default 0.9. */
  beta1?: number
  /** Default 0.999. */
  beta2?: number
  /** Default 1e-8. */
  epsilon?: number
  /** Rate at which μ warms up. Default 4e-3 (PyTorch); 1 is Keras, Infinity is optax: no warm-up. */
  momentumDecay?: number
}

/** ln 0.96 */
const LOG_096 = -0.040821994520255166
const SCALARS = { product: 1 }

/**
 * Adam with Nesterov's look-ahead.
 *
 *     μₜ = β₁·(1 − ½·0.96^(t·momentumDecay)),   P = Π μ up to t,   P′ = P·μₜ₊₁
 *     m ← β₁·m + (1 − β₁)·g          v ← β₂·v + (1 − β₂)·g²
 *     p ← p − η·( (1 − μₜ)/(1 − P)·g + μₜ₊₁/(1 − P′)·m ) / (√v̂ + ε)
 *
 * The new gradient counts at once, not only through m. Tuned, it is among the best first-order methods in benchmarks
 * (Schmidt 2021, AlgoPerf); the difference from Adam is small.
 * When not: very noisy gradients, and rates that are tuned already: it is seldom better than AdamW by more than their noise.
 * Defaults: PyTorch. State: 8 bytes a parameter. Dozat 2016.
 *
 * @example
 * const optimizer = new NAdam(model.parameters(), { learningRate: 1e-3 })
 */
export class NAdam extends Optimizer<NAdamOptions> {
  static override get name() {
    return 'NAdam'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 2e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    momentumDecay: 4e-3,
    ...DECAY_DEFAULTS,
  }
  static override readonly allowed = { momentumDecay: atLeast0 }
  /** @internal */
  static override readonly rule = {
    kernel: 'nadam',
    part: UPDATES,
    slots: ['m', 'v'],
    numbers: nadam,
    scaledByRate: ['gradientStepSize', 'momentStepSize'],
  }

  private lastPower = { t: 0, momentumDecay: 0, value: 1 }

  protected override initialScalars(): Scalars {
    return SCALARS
  }

  protected override hyper(o: Required<NAdamOptions>, t: number, scalars: Scalars): readonly number[] {
    const mu = o.beta1 * (1 - 0.5 * this.decayPower(t, o.momentumDecay))
    const nextMu = o.beta1 * (1 - 0.5 * this.decayPower(t + 1, o.momentumDecay))
    scalars.product *= mu
    // The product is negligible compared with 1 long before it becomes a subnormal number, with which processors take a hundred times as long.
    if (scalars.product < 1e-200) scalars.product = 0
    const sqrtCorrection2 = Math.sqrt(biasCorrection(o.beta2, t))
    const gradientStepSize = o.learningRate * ((sqrtCorrection2 * (1 - mu)) / (1 - scalars.product))
    const momentStepSize = o.learningRate * ((sqrtCorrection2 * nextMu) / (1 - scalars.product * nextMu))
    const epsilon = sqrtCorrection2 * o.epsilon
    return nadam({ oneMinusBeta1: 1 - o.beta1, beta2: o.beta2, oneMinusBeta2: 1 - o.beta2, epsilon, gradientStepSize, momentStepSize })
  }

  /** 0.96^(t·decay). Each value is needed twice, first for the next step and then for the current one, so the last value is kept. */
  private decayPower(t: number, momentumDecay: number): number {
    const { lastPower } = this
    if (lastPower.t !== t || lastPower.momentumDecay !== momentumDecay)
      this.lastPower = { t, momentumDecay, value: expNonPositive(LOG_096 * t * momentumDecay) }
    return this.lastPower.value
  }

  protected override update(p: FloatArray, g: FloatArray, [m, v]: FloatArray[], hyper: readonly number[]): void {
    const [oneMinusBeta1, beta2, oneMinusBeta2, epsilon, gradientStepSize, momentStepSize] = hyper
    for (let i = 0; i < p.length; i++) {
      m[i] += oneMinusBeta1 * (g[i] - m[i])
      v[i] = beta2 * v[i] + oneMinusBeta2 * g[i] * g[i]
      p[i] -= (gradientStepSize * g[i] + momentStepSize * m[i]) / (Math.sqrt(v[i]) + epsilon)
    }
  }
}
