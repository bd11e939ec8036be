import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { adadelta } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { decay } from './base/options.js'

/** Options of {@link Adadelta}. */
export interface AdadeltaOptions extends DecayOptions {
  /** ρ, the decay of both running means. Default 0.9. */
  rho?: number
  /** Default 1e-6. */
  epsilon?: number
}

/**
 * Steps in the unit of the parameter: the root mean square of past steps over that of gradients.
 *
 *     v ← ρ·v + (1 − ρ)·g²
 *     d = √(u + ε) / √(v + ε) · g
 *     u ← ρ·u + (1 − ρ)·d²
 *     p ← p − η·d
 *
 * With η = 1 there is no learning rate to choose; u starts at 0, so the first steps are about √ε and training warms up slowly. A curiosity today;
 * Adam with a schedule is the better choice if training time matters.
 * When not: a first try: slower than Adam on nearly everything, kept for the results that used it.
 * Defaults: PyTorch and the paper. State: 8 bytes a parameter. Zeiler 2012.
 *
 * @example
 * const optimizer = new Adadelta(model.parameters())
 */
export class Adadelta extends Optimizer<AdadeltaOptions> {
  static override get name() {
    return 'Adadelta'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = { learningRate: 1, rho: 0.9, epsilon: 1e-6, ...DECAY_DEFAULTS }
  static override readonly allowed = { rho: decay }
  /** @internal */
  static override readonly rule = {
    kernel: 'adadelta',
    part: UPDATES,
    slots: ['square', 'delta'],
    numbers: adadelta,
    scaledByRate: ['learningRate'],
  }

  protected override hyper({ learningRate, rho, epsilon }: Required<AdadeltaOptions>): readonly number[] {
    return adadelta({ rho, oneMinusRho: 1 - rho, epsilon, learningRate })
  }

  protected override update(
    p: FloatArray,
    g: FloatArray,
    [v, u]: FloatArray[],
    [rho, oneMinusRho, epsilon, learningRate]: readonly number[],
  ): void {
    for (let i = 0; i < p.length; i++) {
      v[i] = rho * v[i] + oneMinusRho * g[i] * g[i]
      const d = Math.sqrt((u[i] + epsilon) / (v[i] + epsilon)) * g[i]
      u[i] = rho * u[i] + oneMinusRho * d * d
      p[i] -= learningRate * d
    }
  }
}
