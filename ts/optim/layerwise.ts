import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { adamNumbers } from './adam.js'
import { GROUP_DEFAULTS, type GroupOptions } from './base/input.js'
import { Optimizer } from './base/optimizer.js'
import { nonNegative } from './base/options.js'

/** Options of {@link LARS}. */
export interface LARSOptions extends GroupOptions {
  /** Default 0.9. */
  momentum?: number
  /** Default false. */
  nesterov?: boolean
  /** Share of ‖p‖ that a step may be. Default 1e-3. */
  trustCoefficient?: number
  /** Default 0. */
  epsilon?: number
}

const MOMENTUM_SLOTS = ['momentum'] as const

/**
 * Momentum whose steps are in proportion to the parameters of each layer.
 *
 *     u = g + λ·p,   r = trustCoefficient·‖p‖ / (‖u‖ + ε)   (1 where a norm is 0)
 *     v ← μ·v + η·r·u,   p ← p − v        nesterov: p ← p − (η·r·u + μ·v)
 *
 * For image models with very large batches; leave biases and normalisation out with a group of plain SGD.
 * When not: usual batch sizes (below some thousands), where SGD with momentum does as well and is simpler.
 * Defaults: optax and the paper. State: 4 bytes a parameter. You, Gitman & Ginsburg 2017.
 *
 * @example
 * const optimizer = new LARS(model.parameters(), { learningRate: 1, weightDecay: 1e-4 })
 */
export class LARS extends Optimizer<LARSOptions> {
  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-3,
    momentum: 0.9,
    nesterov: false,
    trustCoefficient: 1e-3,
    epsilon: 0,
    ...GROUP_DEFAULTS,
  }
  static override readonly part = UPDATES
  static override readonly allowed = { trustCoefficient: nonNegative }

  protected override get perTensor(): boolean {
    return true
  }

  protected override slots(): readonly string[] {
    return MOMENTUM_SLOTS
  }

  protected override kernel(): string {
    return 'lars'
  }

  /** None through gradients beforehand: it is part of u. */
  protected override coupledDecay(): number {
    return 0
  }

  protected override hyper(o: Required<LARSOptions>): readonly number[] {
    const { learningRate, weightDecay, momentum, nesterov, trustCoefficient, epsilon } = o
    return [momentum, 1, nesterov ? 1 : 0, nesterov ? momentum : 1, learningRate, weightDecay, trustCoefficient, epsilon]
  }

  protected override update(p: FloatArray, g: FloatArray, [v]: FloatArray[], hyper: readonly number[]): void {
    const [keep, take, direct, carried, learningRate, weightDecay, trustCoefficient, epsilon] = hyper
    let squares = 0
    let steps = 0
    for (let i = 0; i < p.length; i++) {
      squares += p[i] ** 2
      steps += (g[i] + weightDecay * p[i]) ** 2
    }
    const ratio = squares > 0 && steps > 0 ? (trustCoefficient * Math.sqrt(squares)) / (Math.sqrt(steps) + epsilon) : 1
    const rate = learningRate * ratio
    for (let i = 0; i < p.length; i++) {
      const u = rate * (g[i] + weightDecay * p[i])
      v[i] = keep * v[i] + take * u
      p[i] -= direct * u + carried * v[i]
    }
  }
}

/** Options of {@link LAMB}. */
export interface LAMBOptions extends GroupOptions {
  /** Default 0.9. */
  beta1?: number
  /** Default 0.999. */
  beta2?: number
  /** Default 1e-6. */
  epsilon?: number
  /** Weight decay inside the trust ratio (the paper, optax) or beside it (Keras). Default true. */
  decayInRatio?: boolean
}

const LAMB_SLOTS = ['m', 'v', 'direction'] as const

/**
 * Adam whose steps are in proportion to the parameters of each layer.
 *
 *     u = m̂ / (√v̂ + ε) + λ·p,   r = ‖p‖ / ‖u‖   (1 where a norm is 0)
 *     p ← p − η·r·u
 *
 * For transformers with very large batches; at usual batch sizes AdamW does as well.
 * When not: usual batch sizes (below some thousands).
 * Defaults: the paper and optax. State: 12 bytes a parameter (4 of them hold u between the passes). You et al. 2020.
 *
 * @example
 * const optimizer = new LAMB(model.parameters(), { learningRate: 2e-3, weightDecay: 0.01 })
 */
export class LAMB extends Optimizer<LAMBOptions> {
  /** @internal */
  static override readonly part = UPDATES
  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-6,
    decayInRatio: true,
    ...GROUP_DEFAULTS,
  }

  protected override get perTensor(): boolean {
    return true
  }

  protected override slots(): readonly string[] {
    return LAMB_SLOTS
  }

  protected override kernel(): string {
    return 'lamb'
  }

  /** None beforehand: it is part of u, or of the step. */
  protected override coupledDecay(): number {
    return 0
  }

  protected override hyper(o: Required<LAMBOptions>, t: number): readonly number[] {
    const { learningRate, weightDecay, decayInRatio } = o
    const [take1, beta2, take2, rate, epsilon] = adamNumbers(1, o.beta1, o.beta2, o.epsilon, t)
    const [inside, beside] = decayInRatio ? [weightDecay, 0] : [0, learningRate * weightDecay]
    return [take1, beta2, take2, rate, epsilon, inside, learningRate, beside]
  }

  protected override update(p: FloatArray, g: FloatArray, [m, v, u]: FloatArray[], hyper: readonly number[]): void {
    const [take1, beta2, take2, rate, epsilon, inside, learningRate, beside] = hyper
    let squares = 0
    let steps = 0
    for (let i = 0; i < p.length; i++) {
      m[i] += take1 * (g[i] - m[i])
      v[i] = beta2 * v[i] + take2 * g[i] * g[i]
      u[i] = (rate * m[i]) / (Math.sqrt(v[i]) + epsilon) + inside * p[i]
      squares += p[i] ** 2
      steps += u[i] ** 2
    }
    const along = squares > 0 && steps > 0 ? learningRate * Math.sqrt(squares / steps) : learningRate
    for (let i = 0; i < p.length; i++) p[i] -= beside * p[i] + along * u[i]
  }
}
