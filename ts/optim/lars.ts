import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { GROUP_DEFAULTS, type GroupOptions } from './base/input.js'
import { lars } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { nonNegative } from './base/options.js'

/** Options of {@link LARS}. */
export interface LARSOptions extends GroupOptions {
  /** Default 0.9. */
  momentum?: number
  /** Default false. */
  nesterov?: boolean
  /** Length of a step as a share of ‖p‖. Default 1e-3. */
  trustCoefficient?: number
  /** Default 0. */
  epsilon?: number
}

/**
 * Momentum with steps proportional to the norm of each layer's parameters.
 *
 *     u = g + λ·p,   r = trustCoefficient·‖p‖ / (‖u‖ + ε)   (1 where a norm is 0)
 *     v ← μ·v + η·r·u,   p ← p − v        nesterov: p ← p − (η·r·u + μ·v)
 *
 * For image models with very large batches; leave biases and normalization out with a group of plain SGD.
 * When not: usual batch sizes (below some thousands), where SGD with momentum does as well and is simpler.
 * Defaults: optax and the paper. State: 4 bytes a parameter. You, Gitman & Ginsburg 2017.
 *
 * @example
 * const optimizer = new LARS(model.parameters(), { learningRate: 1, weightDecay: 1e-4 })
 */
export class LARS extends Optimizer<LARSOptions> {
  static override get name() {
    return 'LARS'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-3,
    momentum: 0.9,
    nesterov: false,
    trustCoefficient: 1e-3,
    epsilon: 0,
    ...GROUP_DEFAULTS,
  }
  static override readonly allowed = { trustCoefficient: nonNegative }
  /** @internal */
  static override readonly rule = { kernel: 'lars', part: UPDATES, slots: ['momentum'], numbers: lars }
  static override readonly perTensor = true

  /** No decay through gradients before the update: it is part of u. */
  protected override coupledDecay(): number {
    return 0
  }

  protected override hyper(o: Required<LARSOptions>): readonly number[] {
    const { learningRate, weightDecay, momentum, nesterov, trustCoefficient, epsilon } = o
    const [gradientRate, velocityRate] = nesterov ? [1, momentum] : [0, 1]
    const velocityDecay = momentum
    return lars({ velocityDecay, gradientWeight: 1, gradientRate, velocityRate, learningRate, weightDecay, trustCoefficient, epsilon })
  }

  protected override update(p: FloatArray, g: FloatArray, [v]: FloatArray[], hyper: readonly number[]): void {
    const [velocityDecay, gradientWeight, gradientRate, velocityRate, learningRate, weightDecay, trustCoefficient, epsilon] = hyper
    let parameterSquares = 0
    let gradientSquares = 0
    for (let i = 0; i < p.length; i++) {
      parameterSquares += p[i] ** 2
      gradientSquares += (g[i] + weightDecay * p[i]) ** 2
    }
    const trustRatio =
      parameterSquares > 0 && gradientSquares > 0
        ? (trustCoefficient * Math.sqrt(parameterSquares)) / (Math.sqrt(gradientSquares) + epsilon)
        : 1
    const rate = learningRate * trustRatio
    for (let i = 0; i < p.length; i++) {
      const u = rate * (g[i] + weightDecay * p[i])
      v[i] = velocityDecay * v[i] + gradientWeight * u
      p[i] -= gradientRate * u + velocityRate * v[i]
    }
  }
}
