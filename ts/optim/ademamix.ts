import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { GROUP_DEFAULTS, type GroupOptions } from './base/input.js'
import { ademamix } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { nonNegative } from './base/options.js'
import { biasCorrection } from './base/scalar-math.js'

/** Options of {@link AdEMAMix}. */
export interface AdEMAMixOptions extends GroupOptions {
  /** Decay of the fast mean. Default 0.9. */
  beta1?: number
  /** Decay of the mean square. Default 0.999. */
  beta2?: number
  /** Decay of the slow mean. Default 0.9999. */
  beta3?: number
  /** Weight of the slow mean. Default 5. */
  alpha?: number
  /** Default 1e-8. */
  epsilon?: number
}

/**
 * Adam with a second, very slow mean of gradients.
 *
 *     m₁ ← EMA_β₁(g),  m₂ ← EMA_β₃(g),  v ← EMA_β₂(g²)
 *     p ← (1 − η·λ)·p − η·(m̂₁ + α·m₂) / (√v̂ + ε)
 *
 * Old gradients stay useful for tens of thousands of steps. For long runs; let α and β₃ grow with a `Scheduler` in
 * the first part of training, as the paper does.
 * When not: short runs: the slow mean needs thousands of steps to know anything.
 * Defaults: the paper (α 5, β₃ 0.9999). State: 12 bytes a parameter. Pagliardini et al. 2024.
 *
 * @example
 * const optimizer = new AdEMAMix(model.parameters())
 * const warm = new Scheduler(optimizer, { alpha: schedules.linear(0, 5, 10_000) })
 */
export class AdEMAMix extends Optimizer<AdEMAMixOptions> {
  static override get name() {
    return 'AdEMAMix'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    beta3: 0.9999,
    alpha: 5,
    epsilon: 1e-8,
    ...GROUP_DEFAULTS,
    decoupledWeightDecay: true,
  }
  static override readonly allowed = { alpha: nonNegative, decoupledWeightDecay: [true] }
  /** @internal */
  static override readonly rule = {
    kernel: 'ademamix',
    part: UPDATES,
    slots: ['fast', 'slow', 'v'],
    numbers: ademamix,
    scaledByRate: ['stepSize', 'slowStepSize'],
  }

  protected override hyper(o: Required<AdEMAMixOptions>, t: number): readonly number[] {
    const { learningRate, beta1, beta2, beta3, alpha, epsilon } = o
    const sqrtCorrection2 = Math.sqrt(biasCorrection(beta2, t))
    const stepSize = learningRate * (sqrtCorrection2 / biasCorrection(beta1, t))
    const slowStepSize = learningRate * (sqrtCorrection2 * alpha)
    const [oneMinusBeta1, oneMinusBeta2, oneMinusBeta3] = [1 - beta1, 1 - beta2, 1 - beta3]
    return ademamix({ oneMinusBeta1, oneMinusBeta3, beta2, oneMinusBeta2, stepSize, slowStepSize, epsilon: sqrtCorrection2 * epsilon })
  }

  protected override update(p: FloatArray, g: FloatArray, [fast, slow, v]: FloatArray[], hyper: readonly number[]): void {
    const [oneMinusBeta1, oneMinusBeta3, beta2, oneMinusBeta2, stepSize, slowStepSize, epsilon] = hyper
    for (let i = 0; i < p.length; i++) {
      fast[i] += oneMinusBeta1 * (g[i] - fast[i])
      slow[i] += oneMinusBeta3 * (g[i] - slow[i])
      v[i] = beta2 * v[i] + oneMinusBeta2 * g[i] * g[i]
      p[i] -= (stepSize * fast[i] + slowStepSize * slow[i]) / (Math.sqrt(v[i]) + epsilon)
    }
  }
}
