import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import type { ParameterGroup } from './base/group.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { adagrad } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { nonNegative } from './base/options.js'

/** Options of {@link Adagrad}. */
export interface AdagradOptions extends DecayOptions {
  /** The learning rate of step t is η / (1 + (t − 1)·learningRateDecay). Default 0. */
  learningRateDecay?: number
  /** First value of the sum of squares. Default 0 (Keras, optax: 0.1). */
  initialAccumulator?: number
  /** Default 1e-10 (Keras, optax: 1e-7). */
  epsilon?: number
  /** Place of ε: added to the root (`outside`), or under it (`inside`: Keras, optax). Default `outside`. */
  epsilonPlacement?: 'outside' | 'inside'
}

/**
 * Gradient descent whose step shrinks with all gradients that a parameter has seen.
 *
 *     s ← s + g²
 *     p ← p − η·g / (√s + ε)
 *
 * Rare features keep large steps, frequent ones get small ones. s never forgets, so steps go to zero: right for convex
 * problems and sparse features, too early an end for deep nets (RMSProp and Adam forget).
 * When not: long runs on dense gradients: the sum only grows, so steps die out.
 * Defaults: PyTorch. State: 4 bytes a parameter. Duchi, Hazan & Singer 2011.
 *
 * @example
 * const optimizer = new Adagrad(model.parameters(), { learningRate: 0.05 })
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  static override get name() {
    return 'Adagrad'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 0.01,
    learningRateDecay: 0,
    initialAccumulator: 0,
    epsilon: 1e-10,
    epsilonPlacement: 'outside',
    ...DECAY_DEFAULTS,
  }
  static override readonly allowed = {
    learningRateDecay: nonNegative,
    initialAccumulator: nonNegative,
    epsilonPlacement: ['outside', 'inside'],
  }
  /** @internal */
  static override readonly rule = { kernel: 'adagrad', part: UPDATES, slots: ['sum'], numbers: adagrad, scaledByRate: ['stepSize'] }

  protected override initialize(group: ParameterGroup<Required<AdagradOptions>>): void {
    group.fillSlot(0, group.values.initialAccumulator)
  }

  protected override hyper(o: Required<AdagradOptions>, t: number): readonly number[] {
    const stepSize = o.learningRate * (1 / (1 + (t - 1) * o.learningRateDecay))
    const isInside = o.epsilonPlacement === 'inside'
    return adagrad({ stepSize, epsilon: isInside ? 0 : o.epsilon, epsilonRoot: isInside ? o.epsilon : 0 })
  }

  protected override update(p: FloatArray, g: FloatArray, [s]: FloatArray[], [stepSize, epsilon, epsilonRoot]: readonly number[]): void {
    for (let i = 0; i < p.length; i++) {
      s[i] += g[i] * g[i]
      p[i] -= (stepSize * g[i]) / (Math.sqrt(s[i] + epsilonRoot) + epsilon)
    }
  }
}
