import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { scheduleFreeSgd } from './base/numbers.js'
import { SCHEDULE_FREE_ALLOWED, SCHEDULE_FREE_DEFAULTS, ScheduleFree, type ScheduleFreeOptions } from './base/schedule-free.js'
import type { Scalars } from './base/span.js'

/** Options of {@link ScheduleFreeSGD}. */
export interface ScheduleFreeSGDOptions extends ScheduleFreeOptions {
  /** β: position between z and the average at which gradients are taken. Default 0.9. */
  momentum?: number
}

/**
 * Gradient descent without a schedule: it averages the weights instead of lowering the learning rate.
 *
 *     u = g + λ·y,   c = weight/Σweights
 *     y ← y + c·(z − y) + η·(β·(1 − c) − 1)·u
 *     z ← z − η·u
 *     evaluate at x = z + (y − z)/β
 *
 * The parameters hold y while training; x, the average of all z, is the model: use {@link evaluate} and {@link averages}. `fit` validates and calls
 * onEpochEnd with x; when it ends, the parameters hold y, ready to continue, unless EarlyStopping put the best x there. Training may stop at any
 * time, so it suits runs of unknown length. Batch-norm statistics must be recomputed at x.
 * When not: nets with batch normalization whose statistics are not recomputed at x; runs of known length with a tuned schedule.
 * Defaults: the authors' code (learningRate 1, momentum 0.9). State: 4 bytes a parameter. Defazio et al. 2024.
 *
 * @example
 * const optimizer = new ScheduleFreeSGD(model.parameters(), { learningRate: 1, warmupSteps: 100 })
 * const { loss } = optimizer.evaluate(() => evaluateModel(model, { inputs, targets, loss: crossEntropy }))
 */
export class ScheduleFreeSGD extends ScheduleFree<ScheduleFreeSGDOptions> {
  static override get name() {
    return 'ScheduleFreeSGD'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = { learningRate: 1, momentum: 0.9, ...SCHEDULE_FREE_DEFAULTS }
  static override readonly allowed = { ...SCHEDULE_FREE_ALLOWED, momentum: { min: 0, max: 1, openMin: true } }
  /** @internal */
  static override readonly rule = { kernel: 'scheduleFreeSgd', part: UPDATES, slots: ['z'], numbers: scheduleFreeSgd }

  protected override betaOf({ momentum }: Required<ScheduleFreeSGDOptions>): number {
    return momentum
  }

  protected override hyper(o: Required<ScheduleFreeSGDOptions>, t: number, scalars: Scalars): readonly number[] {
    return scheduleFreeSgd(this.mixing(o, t, scalars))
  }

  protected override update(y: FloatArray, g: FloatArray, [z]: FloatArray[], [c, gradientRate, rate]: readonly number[]): void {
    for (let i = 0; i < y.length; i++) {
      y[i] += c * (z[i] - y[i]) + gradientRate * g[i]
      z[i] -= rate * g[i]
    }
  }
}
