import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { GROUP_DEFAULTS, type GroupOptions } from './base/input.js'
import { lion } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'

/** Options of {@link Lion}. */
export interface LionOptions extends GroupOptions {
  /** β₁ of the direction. Default 0.9. */
  beta1?: number
  /** β₂ of the memory. Default 0.99. */
  beta2?: number
}

/**
 * Evolved sign momentum: the direction gives the new gradient more weight than the stored average does.
 *
 *     p ← (1 − η·λ)·p − η·sign(β₁·m + (1 − β₁)·g)
 *     m ← β₂·m + (1 − β₂)·g
 *
 * Half of Adam's state, no root, no quotient. For large batches; choose η 3–10 times smaller and λ 3–10 times larger than for AdamW. Not for small
 * batches, where signs are noise.
 * When not: batches below about 64, or small tables of data: the signs of noisy gradients are noise.
 * Defaults: the authors' code (1e-4, 0.9, 0.99, λ 0). State: 4 bytes a parameter. Chen et al. 2023.
 *
 * @example
 * const optimizer = new Lion(model.parameters(), { learningRate: 1e-4, weightDecay: 0.1 })
 */
export class Lion extends Optimizer<LionOptions> {
  static override get name() {
    return 'Lion'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-4,
    beta1: 0.9,
    beta2: 0.99,
    ...GROUP_DEFAULTS,
    decoupledWeightDecay: true,
  }
  static override readonly allowed = { decoupledWeightDecay: [true] }
  /** @internal */
  static override readonly rule = { kernel: 'lion', part: UPDATES, slots: ['m'], numbers: lion, scaledByRate: ['learningRate'] }

  protected override hyper({ learningRate, beta1, beta2 }: Required<LionOptions>): readonly number[] {
    return lion({ beta1, oneMinusBeta1: 1 - beta1, beta2, oneMinusBeta2: 1 - beta2, learningRate })
  }

  protected override update(
    p: FloatArray,
    g: FloatArray,
    [m]: FloatArray[],
    [beta1, oneMinusBeta1, beta2, oneMinusBeta2, learningRate]: readonly number[],
  ): void {
    for (let i = 0; i < p.length; i++) {
      p[i] -= learningRate * Math.sign(beta1 * m[i] + oneMinusBeta1 * g[i])
      m[i] = beta2 * m[i] + oneMinusBeta2 * g[i]
    }
  }
}
