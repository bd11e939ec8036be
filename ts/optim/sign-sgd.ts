import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { signSgd } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'

/**
 * Steps of the same length in every parameter.
 *
 *     p ← p − η·sign(g),   sign(0) = 0
 *
 * Independent of the scale of gradients; distributed training can send one bit per gradient. Needs a falling learning rate to settle. {@link Signum}
 * averages first and is nearly always better.
 * When not: small batches, whose noise decides the sign; a rate that does not fall.
 * Defaults: learningRate 1e-3. State: none. Bernstein et al. 2018.
 *
 * @example
 * const optimizer = new SignSGD(model.parameters(), { learningRate: 1e-3 })
 */
export class SignSGD extends Optimizer<DecayOptions> {
  static override get name() {
    return 'SignSGD'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = { learningRate: 1e-3, ...DECAY_DEFAULTS }
  /** @internal */
  static override readonly rule = { kernel: 'signSgd', part: UPDATES, slots: [], numbers: signSgd, scaledByRate: ['learningRate'] }

  protected override hyper({ learningRate }: Required<DecayOptions>): readonly number[] {
    return signSgd({ learningRate })
  }

  protected override update(p: FloatArray, g: FloatArray, _slots: FloatArray[], [learningRate]: readonly number[]): void {
    for (let i = 0; i < p.length; i++) p[i] -= learningRate * Math.sign(g[i])
  }
}
