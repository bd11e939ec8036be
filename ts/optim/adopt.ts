import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { adopt } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { power } from './base/scalar-math.js'

/** Options of {@link ADOPT}. */
export interface ADOPTOptions extends DecayOptions {
  /** Default 0.9. */
  beta1?: number
  /** Default 0.9999. */
  beta2?: number
  /** Lower bound of √v. Default 1e-6. */
  epsilon?: number
  /** Clip normalized gradients to (t − 1)^¼. Default true. */
  clip?: boolean
}

/**
 * Adam in an order for which convergence can be proved with any β₂: normalize by the old v, then average.
 *
 *     first step:  v = g², nothing else
 *     u = clip(g / max(√v, ε), ±(t − 1)^¼)
 *     m ← β₁·m + (1 − β₁)·u
 *     p ← p − η·m
 *     v ← β₂·v + (1 − β₂)·g²
 *
 * For problems where Adam with a small β₂ is unstable; otherwise about as good.
 * When not: where Adam is stable already: it gains nothing there.
 * Defaults: the authors' code. State: 8 bytes a parameter. Taniguchi et al. 2024.
 *
 * @example
 * const optimizer = new ADOPT(model.parameters(), { weightDecay: 0.01, decoupledWeightDecay: true })
 */
export class ADOPT extends Optimizer<ADOPTOptions> {
  static override get name() {
    return 'ADOPT'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.9999,
    epsilon: 1e-6,
    clip: true,
    ...DECAY_DEFAULTS,
  }
  /** @internal */
  static override readonly rule = { kernel: 'adopt', part: UPDATES, slots: ['m', 'v'], numbers: adopt, scaledByRate: ['learningRate'] }

  /** At the first step the bound is 0, which leaves m and p alone, and v takes g² whole. */
  protected override hyper(o: Required<ADOPTOptions>, t: number): readonly number[] {
    const { beta1, epsilon, learningRate } = o
    const beta2 = t === 1 ? 0 : o.beta2
    const bound = t === 1 ? 0 : o.clip ? power(t - 1, 0.25) : Infinity
    return adopt({ beta1, oneMinusBeta1: 1 - beta1, beta2, oneMinusBeta2: 1 - beta2, epsilon, bound, learningRate })
  }

  /** No decay at the first step, which only sets v. */
  protected override decoupledDecay(o: Required<ADOPTOptions>, hyper: readonly number[]): number {
    return o.decoupledWeightDecay && hyper[3] !== 1 ? o.learningRate * o.weightDecay : 0
  }

  protected override update(p: FloatArray, g: FloatArray, [m, v]: FloatArray[], hyper: readonly number[]): void {
    const [beta1, oneMinusBeta1, beta2, oneMinusBeta2, epsilon, bound, learningRate] = hyper
    for (let i = 0; i < p.length; i++) {
      const u = Math.min(Math.max(g[i] / Math.max(Math.sqrt(v[i]), epsilon), -bound), bound)
      m[i] = beta1 * m[i] + oneMinusBeta1 * u
      p[i] -= learningRate * m[i]
      v[i] = beta2 * v[i] + oneMinusBeta2 * g[i] * g[i]
    }
  }
}
