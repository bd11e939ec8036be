import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { adaBelief } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { nonNegative } from './base/options.js'
import { adamStep } from './base/scalar-math.js'

/** Options of {@link AdaBelief}. */
export interface AdaBeliefOptions extends DecayOptions {
  /** Default 0.9. */
  beta1?: number
  /** Default 0.999. */
  beta2?: number
  /** ε beside the root. Default 1e-16. */
  epsilon?: number
  /** Added to the state s at every step. Default 1e-16. */
  epsilonRoot?: number
}

/**
 * Adam that divides by the difference between gradients and their running mean, instead of by their size.
 *
 *     m ← β₁·m + (1 − β₁)·g
 *     s ← β₂·s + (1 − β₂)·(g − m)² + ε_root
 *     p ← p − η·m̂ / (√ŝ + ε)
 *
 * Steps are long for steady gradients and short for surprising ones. Sensitive to ε; try it where SGD generalizes better than Adam.
 * When not: an ε much larger than 1e-16 under the root: it becomes the step size.
 * Defaults: the paper's and optax' (1e-3, 0.9, 0.999, 1e-16). State: 8 bytes a parameter. Zhuang et al. 2020.
 *
 * @example
 * const optimizer = new AdaBelief(model.parameters())
 */
export class AdaBelief extends Optimizer<AdaBeliefOptions> {
  static override get name() {
    return 'AdaBelief'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-16,
    epsilonRoot: 1e-16,
    ...DECAY_DEFAULTS,
  }
  static override readonly allowed = { epsilonRoot: nonNegative }
  /** @internal */
  static override readonly rule = { kernel: 'adaBelief', part: UPDATES, slots: ['m', 's'], numbers: adaBelief, scaledByRate: ['stepSize'] }

  protected override hyper(o: Required<AdaBeliefOptions>, t: number): readonly number[] {
    const { stepSize, epsilonHat } = adamStep(o.learningRate, o.beta1, o.beta2, o.epsilon, t)
    return adaBelief({
      oneMinusBeta1: 1 - o.beta1,
      beta2: o.beta2,
      oneMinusBeta2: 1 - o.beta2,
      epsilonRoot: o.epsilonRoot,
      stepSize,
      epsilon: epsilonHat,
    })
  }

  protected override update(p: FloatArray, g: FloatArray, [m, s]: FloatArray[], hyper: readonly number[]): void {
    const [oneMinusBeta1, beta2, oneMinusBeta2, epsilonRoot, stepSize, epsilon] = hyper
    for (let i = 0; i < p.length; i++) {
      m[i] += oneMinusBeta1 * (g[i] - m[i])
      const surprise = g[i] - m[i]
      s[i] = beta2 * s[i] + oneMinusBeta2 * surprise * surprise + epsilonRoot
      p[i] -= (stepSize * m[i]) / (Math.sqrt(s[i]) + epsilon)
    }
  }
}
