import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { DECAY_DEFAULTS, type DecayOptions, GROUP_DEFAULTS, type GroupOptions } from './base/input.js'
import { Optimizer } from './base/optimizer.js'

const M_SLOTS = ['m'] as const

/**
 * Steps of the same length in every parameter.
 *
 *     p ← p − η·sign(g),   sign(0) = 0
 *
 * Indifferent to the scale of gradients; compresses to one bit where gradients are sent around. Needs a falling learning
 * rate to settle. {@link Signum} averages first and is nearly always better.
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

  /** @internal */
  static override readonly part = UPDATES
  static override readonly defaults: Readonly<Record<string, unknown>> = { learningRate: 1e-3, ...DECAY_DEFAULTS }

  protected override kernel(): string {
    return 'signSgd'
  }

  protected override hyper({ learningRate }: Required<DecayOptions>): readonly number[] {
    return [learningRate]
  }

  protected override update(p: FloatArray, g: FloatArray, _slots: FloatArray[], [learningRate]: readonly number[]): void {
    for (let i = 0; i < p.length; i++) p[i] -= learningRate * Math.sign(g[i])
  }
}

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
 * Adam without its second moment, at half the state. Comparable with Adam for language models when tuned; choose η
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

  /** @internal */
  static override readonly part = UPDATES
  static override readonly defaults: Readonly<Record<string, unknown>> = { learningRate: 1e-3, beta: 0.9, ...DECAY_DEFAULTS }

  protected override slots(): readonly string[] {
    return M_SLOTS
  }

  protected override kernel(): string {
    return 'signum'
  }

  protected override hyper({ learningRate, beta }: Required<SignumOptions>): readonly number[] {
    return [beta, 1 - beta, learningRate]
  }

  protected override update(p: FloatArray, g: FloatArray, [m]: FloatArray[], [beta, oneMinusBeta, learningRate]: readonly number[]): void {
    for (let i = 0; i < p.length; i++) {
      m[i] = beta * m[i] + oneMinusBeta * g[i]
      p[i] -= learningRate * Math.sign(m[i])
    }
  }
}

/** Options of {@link Lion}. */
export interface LionOptions extends GroupOptions {
  /** β₁ of the direction. Default 0.9. */
  beta1?: number
  /** β₂ of the memory. Default 0.99. */
  beta2?: number
}

/**
 * Evolved sign momentum: the direction weighs the new gradient more than the memory does.
 *
 *     p ← (1 − η·λ)·p − η·sign(β₁·m + (1 − β₁)·g)
 *     m ← β₂·m + (1 − β₂)·g
 *
 * Half of Adam's state, no root, no quotient. For large batches; choose η 3–10 times smaller and λ 3–10 times larger
 * than for AdamW. Not for small batches, where signs are noise.
 * When not: batches below about 64, or small tables of data: signs of noise are noise.
 * Defaults: the authors' code (1e-4, 0.9, 0.99, λ 0). State: 4 bytes a parameter. Chen et al. 2023.
 *
 * @example
 * const optimizer = new Lion(model.parameters(), { learningRate: 1e-4, weightDecay: 0.1 })
 */
export class Lion extends Optimizer<LionOptions> {
  static override get name() {
    return 'Lion'
  }

  /** @internal */
  static override readonly part = UPDATES
  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-4,
    beta1: 0.9,
    beta2: 0.99,
    ...GROUP_DEFAULTS,
    decoupledWeightDecay: true,
  }
  static override readonly allowed = { decoupledWeightDecay: [true] }

  protected override slots(): readonly string[] {
    return M_SLOTS
  }

  protected override kernel(): string {
    return 'lion'
  }

  protected override hyper({ learningRate, beta1, beta2 }: Required<LionOptions>): readonly number[] {
    return [beta1, 1 - beta1, beta2, 1 - beta2, learningRate]
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
