import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { scheduleFreeAdamw } from './base/numbers.js'
import { biasCorrection } from './base/scalar-math.js'
import { SCHEDULE_FREE_ALLOWED, SCHEDULE_FREE_DEFAULTS, ScheduleFree, type ScheduleFreeOptions } from './base/schedule-free.js'
import type { Scalars } from './base/span.js'

/** Options of {@link ScheduleFreeAdamW}. */
export interface ScheduleFreeAdamWOptions extends ScheduleFreeOptions {
  /** β: position between z and the average at which gradients are taken. Default 0.9. */
  beta1?: number
  /** Default 0.999. */
  beta2?: number
  /** Default 1e-8. */
  epsilon?: number
}

/**
 * {@link ScheduleFreeSGD} with Adam's scaling.
 *
 *     v ← β₂·v + (1 − β₂)·g²
 *     u = g/(√v̂ + ε) + λ·y  in place of g + λ·y
 *
 * √v̂ is the typical size of the gradient; y, z and x are as in ScheduleFreeSGD.
 * Won the self-tuning track of AlgoPerf. Warm-up is needed; learning rates up to 10 times AdamW's.
 * When not: as {@link ScheduleFreeSGD}; and without warm-up.
 * Defaults: the authors' code (2.5e-3, 0.9, 0.999, λ 0). State: 8 bytes a parameter. Defazio et al. 2024.
 *
 * @example
 * const optimizer = new ScheduleFreeAdamW(model.parameters(), { warmupSteps: 100 })
 * const { loss } = optimizer.evaluate(() => evaluateModel(model, { inputs, targets, loss: crossEntropy }))
 */
export class ScheduleFreeAdamW extends ScheduleFree<ScheduleFreeAdamWOptions> {
  static override get name() {
    return 'ScheduleFreeAdamW'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 2.5e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    ...SCHEDULE_FREE_DEFAULTS,
  }
  static override readonly allowed = { ...SCHEDULE_FREE_ALLOWED, beta1: { min: 0, max: 1, openMin: true } }
  /** @internal */
  static override readonly rule = { kernel: 'scheduleFreeAdamw', part: UPDATES, slots: ['z', 'v'], numbers: scheduleFreeAdamw }

  protected override betaOf({ beta1 }: Required<ScheduleFreeAdamWOptions>): number {
    return beta1
  }

  protected override coupledDecay(): number {
    return 0
  }

  protected override hyper(o: Required<ScheduleFreeAdamWOptions>, t: number, scalars: Scalars): readonly number[] {
    const { c, gradientRate, rate } = this.mixing(o, t, scalars)
    const sqrtCorrection2 = Math.sqrt(biasCorrection(o.beta2, t))
    return scheduleFreeAdamw({
      c,
      gradientRate: sqrtCorrection2 * gradientRate,
      beta2: o.beta2,
      oneMinusBeta2: 1 - o.beta2,
      epsilon: sqrtCorrection2 * o.epsilon,
      weightDecay: o.weightDecay / sqrtCorrection2,
      rate: sqrtCorrection2 * rate,
    })
  }

  protected override update(y: FloatArray, g: FloatArray, [z, v]: FloatArray[], hyper: readonly number[]): void {
    const [c, gradientRate, beta2, oneMinusBeta2, epsilon, weightDecay, rate] = hyper
    for (let i = 0; i < y.length; i++) {
      v[i] = beta2 * v[i] + oneMinusBeta2 * g[i] * g[i]
      const u = g[i] / (Math.sqrt(v[i]) + epsilon) + weightDecay * y[i]
      y[i] += c * (z[i] - y[i]) + gradientRate * u
      z[i] -= rate * u
    }
  }
}
