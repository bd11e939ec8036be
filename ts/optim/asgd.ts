import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { AveragingOptimizer } from './base/averaging.js'
import type { ParameterGroup } from './base/group.js'
import { GROUP_DEFAULTS, type GroupOptions } from './base/input.js'
import { asgd } from './base/numbers.js'
import { nonNegative } from './base/options.js'
import { power } from './base/scalar-math.js'

/** Options of {@link ASGD}. */
export interface ASGDOptions extends GroupOptions {
  /** Shrinks parameters by 1 − lambda·ηₜ a step. Default 1e-4. */
  lambda?: number
  /** Exponent of the decay of the learning rate. Default 0.75. */
  power?: number
  /** Step at which averaging starts. Default 1e6. */
  averageFrom?: number
}

/**
 * Stochastic descent with averaged weights.
 *
 *     ηₜ = η / (1 + λ·η·(t − 1))^power,   μₜ = 1/max(1, t − 1 − averageFrom)
 *     p ← (1 − λ·ηₜ)·p − ηₜ·g
 *     average ← average + μₜ·(p − average)
 *
 * The average of the late weights has less noise than any of them: optimal for convex problems. For nets see
 * {@link WeightAverage}, which works with every optimizer.
 * When not: deep nets, where the last weights of a schedule or an EMA (WeightAverage) do better.
 * Defaults: PyTorch (averaging starts at 1e6: set averageFrom). State: 4 bytes a parameter. Polyak & Juditsky 1992; Xu 2011.
 *
 * @example
 * const optimizer = new ASGD(model.parameters(), { learningRate: 0.05, averageFrom: 1000 })
 * const { loss } = optimizer.evaluate(() => evaluateModel(model, { inputs, targets, loss: crossEntropy }))
 */
export class ASGD extends AveragingOptimizer<ASGDOptions> {
  static override get name() {
    return 'ASGD'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 0.01,
    lambda: 1e-4,
    power: 0.75,
    averageFrom: 1e6,
    ...GROUP_DEFAULTS,
  }
  static override readonly allowed = { lambda: nonNegative, averageFrom: nonNegative }
  /** @internal */
  static override readonly rule = { kernel: 'asgd', part: UPDATES, slots: ['average'], numbers: asgd }

  protected override averageOf(group: ParameterGroup<Required<ASGDOptions>>, i: number): FloatArray {
    return group.slotView(i, 0).slice()
  }

  protected override decoupledDecay({ lambda }: Required<ASGDOptions>, [eta]: readonly number[]): number {
    return lambda * eta
  }

  protected override hyper(o: Required<ASGDOptions>, t: number): readonly number[] {
    const eta = o.learningRate / power(1 + o.lambda * o.learningRate * (t - 1), o.power)
    const mu = 1 / Math.max(1, t - 1 - o.averageFrom)
    return asgd({ eta, oneMinusMu: 1 - mu, mu })
  }

  protected override update(p: FloatArray, g: FloatArray, [average]: FloatArray[], [eta, oneMinusMu, mu]: readonly number[]): void {
    for (let i = 0; i < p.length; i++) {
      p[i] -= eta * g[i]
      average[i] = oneMinusMu * average[i] + mu * p[i]
    }
  }
}
