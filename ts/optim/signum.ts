import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { signum } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'

/** Options of {@link Signum}. */
export interface SignumOptions extends DecayOptions {
  /** Default 0.9. */
  beta?: number
}

/**
 * The sign of averaged gradients.
 *
 *     m ← β·m + (1 − β)·g
 *     p ← p − η·sign(m)
 *
 * Adam without its second moment, with half the state. Comparable with Adam for language models when tuned; choose η
 * 3–10 times smaller than Adam's.
 * When not: small batches, and convolutional nets, where SGD with momentum wins.
 * Defaults: β 0.9, learningRate 1e-3. State: 4 bytes a parameter. Bernstein et al. 2018.
 *
 * @example
 * const optimizer = new Signum(model.parameters(), { learningRate: 3e-4 })
 */
export class Signum extends Optimizer<SignumOptions> {
  static override get name() {
    return 'Signum'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = { learningRate: 1e-3, beta: 0.9, ...DECAY_DEFAULTS }
  /** @internal */
  static override readonly rule = { kernel: 'signum', part: UPDATES, slots: ['m'], numbers: signum, scaledByRate: ['learningRate'] }

  protected override hyper({ learningRate, beta }: Required<SignumOptions>): readonly number[] {
    return signum({ beta, oneMinusBeta: 1 - beta, learningRate })
  }

  protected override update(p: FloatArray, g: FloatArray, [m]: FloatArray[], [beta, oneMinusBeta, learningRate]: readonly number[]): void {
    for (let i = 0; i < p.length; i++) {
      m[i] = beta * m[i] + oneMinusBeta * g[i]
      p[i] -= learningRate * Math.sign(m[i])
    }
  }
}
