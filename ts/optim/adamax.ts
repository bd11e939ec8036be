import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { adamax } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { biasCorrection } from './base/scalar-math.js'

/** Options of {@link Adamax}. */
export interface AdamaxOptions extends DecayOptions {
  /** Default 0.9. */
  beta1?: number
  /** Default 0.999. */
  beta2?: number
  /** Default 1e-8. */
  epsilon?: number
  /** ε added to |g| under the maximum (PyTorch, optax) or to u in the quotient (Keras). Default `inside`. */
  epsilonPlacement?: 'inside' | 'outside'
}

/**
 * Adam with the largest recent gradient in place of the root mean square.
 *
 *     m ← β₁·m + (1 − β₁)·g
 *     u ← max(β₂·u, |g| + ε)
 *     p ← p − η/(1 − β₁ᵗ) · m/u
 *
 * u is not biased, no root is taken, and a step is never longer than η. For gradients with rare large values, such as
 * embeddings; otherwise Adam.
 * When not: gradients with rare outliers, which hold steps down for 1/(1 − β₂) steps.
 * Defaults: PyTorch. State: 8 bytes a parameter. Kingma & Ba 2015, section 7.
 *
 * @example
 * const optimizer = new Adamax(model.parameters())
 */
export class Adamax extends Optimizer<AdamaxOptions> {
  static override get name() {
    return 'Adamax'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 2e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    epsilonPlacement: 'inside',
    ...DECAY_DEFAULTS,
  }
  static override readonly allowed = { epsilonPlacement: ['inside', 'outside'] }
  /** @internal */
  static override readonly rule = { kernel: 'adamax', part: UPDATES, slots: ['m', 'u'], numbers: adamax, scaledByRate: ['stepSize'] }

  protected override hyper(o: Required<AdamaxOptions>, t: number): readonly number[] {
    const stepSize = o.learningRate * (1 / biasCorrection(o.beta1, t))
    const isInside = o.epsilonPlacement === 'inside'
    const [epsilonInside, epsilonOutside] = isInside ? [o.epsilon, 0] : [0, o.epsilon]
    return adamax({ beta2: o.beta2, epsilonInside, oneMinusBeta1: 1 - o.beta1, epsilonOutside, stepSize })
  }

  protected override update(
    p: FloatArray,
    g: FloatArray,
    [m, u]: FloatArray[],
    [beta2, epsilonInside, oneMinusBeta1, epsilonOutside, stepSize]: readonly number[],
  ): void {
    for (let i = 0; i < p.length; i++) {
      m[i] += oneMinusBeta1 * (g[i] - m[i])
      u[i] = Math.max(beta2 * u[i], Math.abs(g[i]) + epsilonInside)
      p[i] -= (stepSize * m[i]) / (u[i] + epsilonOutside)
    }
  }
}
