import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import type { ParameterGroup } from './base/group.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { yogi } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { nonNegative } from './base/options.js'
import { adamStep } from './base/scalar-math.js'

/** Options of {@link Yogi}. */
export interface YogiOptions extends DecayOptions {
  /** Default 0.9. */
  beta1?: number
  /** Default 0.999. */
  beta2?: number
  /** Default 1e-3. */
  epsilon?: number
  /** First value of m and v. Default 1e-6. */
  initialAccumulator?: number
}

/**
 * Adam whose v moves by a bounded amount: it can grow fast but forgets slowly.
 *
 *     m ← β₁·m + (1 − β₁)·g
 *     v ← v − (1 − β₂)·sign(v − g²)·g²
 *     p ← p − η·m̂ / (√v̂ + ε)
 *
 * For sparse gradients: Adam's v decays between two of them, and the next step is too long.
 * When not: dense gradients, on which Adam does as well with the usual rate.
 * Defaults: optax and the authors' (learningRate 0.01, ε 1e-3). State: 8 bytes a parameter. Zaheer et al. 2018.
 *
 * @example
 * const optimizer = new Yogi(model.parameters())
 */
export class Yogi extends Optimizer<YogiOptions> {
  static override get name() {
    return 'Yogi'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 0.01,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-3,
    initialAccumulator: 1e-6,
    ...DECAY_DEFAULTS,
  }
  static override readonly allowed = { initialAccumulator: nonNegative }
  /** @internal */
  static override readonly rule = { kernel: 'yogi', part: UPDATES, slots: ['m', 'v'], numbers: yogi, scaledByRate: ['stepSize'] }

  protected override initialize(group: ParameterGroup<Required<YogiOptions>>): void {
    for (const j of [0, 1]) group.fillSlot(j, group.values.initialAccumulator)
  }

  protected override hyper(o: Required<YogiOptions>, t: number): readonly number[] {
    const { stepSize, epsilonHat } = adamStep(o.learningRate, o.beta1, o.beta2, o.epsilon, t)
    return yogi({ oneMinusBeta1: 1 - o.beta1, oneMinusBeta2: 1 - o.beta2, stepSize, epsilon: epsilonHat })
  }

  protected override update(
    p: FloatArray,
    g: FloatArray,
    [m, v]: FloatArray[],
    [oneMinusBeta1, oneMinusBeta2, stepSize, epsilon]: readonly number[],
  ): void {
    for (let i = 0; i < p.length; i++) {
      const square = g[i] * g[i]
      m[i] += oneMinusBeta1 * (g[i] - m[i])
      v[i] -= oneMinusBeta2 * Math.sign(v[i] - square) * square
      p[i] -= (stepSize * m[i]) / (Math.sqrt(v[i]) + epsilon)
    }
  }
}
