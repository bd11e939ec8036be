import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { GROUP_DEFAULTS, type GroupOptions } from './base/input.js'
import { lamb } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { adamStep } from './base/scalar-math.js'

/** Options of {@link LAMB}. */
export interface LAMBOptions extends GroupOptions {
  /** Default 0.9. */
  beta1?: number
  /** Default 0.999. */
  beta2?: number
  /** Default 1e-6. */
  epsilon?: number
  /** Weight decay inside the trust ratio (the paper, optax) or outside of it (Keras). Default true. */
  decayInRatio?: boolean
}

/**
 * Adam with steps proportional to the norm of each layer's parameters.
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
  static override get name() {
    return 'LAMB'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-6,
    decayInRatio: true,
    ...GROUP_DEFAULTS,
  }
  /** @internal */
  static override readonly rule = { kernel: 'lamb', part: UPDATES, slots: ['m', 'v', 'direction'], numbers: lamb }
  static override readonly perTensor = true

  /** No decay before the update: it is part of u, or of the step. */
  protected override coupledDecay(): number {
    return 0
  }

  protected override hyper(o: Required<LAMBOptions>, t: number): readonly number[] {
    const { learningRate, beta2, weightDecay, decayInRatio } = o
    const { stepSize, epsilonHat } = adamStep(1, o.beta1, beta2, o.epsilon, t)
    const [oneMinusBeta1, oneMinusBeta2] = [1 - o.beta1, 1 - beta2]
    const [directionDecay, parameterDecay] = decayInRatio ? [weightDecay, 0] : [0, learningRate * weightDecay]
    return lamb({ oneMinusBeta1, beta2, oneMinusBeta2, stepSize, epsilonHat, directionDecay, learningRate, parameterDecay })
  }

  protected override update(p: FloatArray, g: FloatArray, [m, v, u]: FloatArray[], hyper: readonly number[]): void {
    const [oneMinusBeta1, beta2, oneMinusBeta2, stepSize, epsilonHat, directionDecay, learningRate, parameterDecay] = hyper
    let parameterSquares = 0
    let directionSquares = 0
    for (let i = 0; i < p.length; i++) {
      m[i] += oneMinusBeta1 * (g[i] - m[i])
      v[i] = beta2 * v[i] + oneMinusBeta2 * g[i] * g[i]
      u[i] = (stepSize * m[i]) / (Math.sqrt(v[i]) + epsilonHat) + directionDecay * p[i]
      parameterSquares += p[i] ** 2
      directionSquares += u[i] ** 2
    }
    const hasNorms = parameterSquares > 0 && directionSquares > 0
    const rate = hasNorms ? learningRate * Math.sqrt(parameterSquares / directionSquares) : learningRate
    for (let i = 0; i < p.length; i++) p[i] -= parameterDecay * p[i] + rate * u[i]
  }
}
