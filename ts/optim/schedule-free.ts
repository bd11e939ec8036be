import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { AveragingOptimizer } from './base/averaging.js'
import type { ParameterGroup } from './base/group.js'
import { GROUP_DEFAULTS, type GroupOptions } from './base/input.js'
import { nonNegative } from './base/options.js'
import { biasCorrection, power } from './base/scalar-math.js'
import type { ParameterSpan, Scalars } from './base/span.js'

/** Options that {@link ScheduleFreeSGD} and {@link ScheduleFreeAdamW} share. */
export interface ScheduleFreeOptions extends GroupOptions {
  /** Steps of linear warm-up. Default 0. */
  warmupSteps?: number
  /** Later iterates weigh step^averagePower more. Default 0. */
  averagePower?: number
  /** Iterates weigh (largest learning rate so far)^weightPower. Default 2. */
  weightPower?: number
}

/** Options of {@link ScheduleFreeSGD}. */
export interface ScheduleFreeSGDOptions extends ScheduleFreeOptions {
  /** β: where between z and the average gradients are taken. Default 0.9. */
  momentum?: number
}

/** Options of {@link ScheduleFreeAdamW}. */
export interface ScheduleFreeAdamWOptions extends ScheduleFreeOptions {
  /** β: where between z and the average gradients are taken. Default 0.9. */
  beta1?: number
  /** Default 0.999. */
  beta2?: number
  /** Default 1e-8. */
  epsilon?: number
}

const DEFAULTS = { warmupSteps: 0, averagePower: 0, weightPower: 2, ...GROUP_DEFAULTS }
const ALLOWED = { warmupSteps: nonNegative, averagePower: nonNegative, weightPower: nonNegative }
const SCALARS = { weightSum: 0, largestRate: 0 }
const Z_SLOTS = ['z'] as const
const ZV_SLOTS = ['z', 'v'] as const

/** The average x, the fast iterate z, and y between them, at which gradients are taken and which the parameters hold. */
abstract class ScheduleFree<O extends ScheduleFreeOptions> extends AveragingOptimizer<O> {
  /** @internal */
  static override readonly part = UPDATES
  protected abstract betaOf(options: Required<O>): number

  protected override initialScalars(): Scalars {
    return SCALARS
  }

  protected override begin(group: ParameterGroup<Required<O>>, span: ParameterSpan): void {
    group.backend.kernels.copy(span.p, group.slotOf(span, 0), span.n)
  }

  /** c: how much x moves to z; direct: what the new direction adds to y; rate: what it adds to z. */
  protected mixing(options: Required<O>, t: number, scalars: Scalars): [c: number, direct: number, rate: number] {
    const { learningRate, warmupSteps, averagePower, weightPower } = options as Required<ScheduleFreeOptions>
    const rate = t < warmupSteps ? (learningRate * t) / warmupSteps : learningRate
    scalars.largestRate = Math.max(scalars.largestRate, rate)
    const weight = power(t, averagePower) * power(scalars.largestRate, weightPower)
    scalars.weightSum += weight
    const c = scalars.weightSum > 0 ? weight / scalars.weightSum : 0
    return [c, rate * (this.betaOf(options) * (1 - c) - 1), rate]
  }

  /** x = z + (y − z)/β: what to evaluate and keep. */
  protected override averageOf(group: ParameterGroup<Required<O>>, i: number): FloatArray {
    const y = group.parameters[i].data()
    const z = group.slotView(i, 0)
    const share = 1 - 1 / this.betaOf(group.values as Required<O>)
    return y.map((value, k) => value + share * (z[k] - value)) as FloatArray
  }
}

/**
 * Descent that needs no schedule: it averages instead of lowering the learning rate.
 *
 *     u = g + λ·y,   c = weight/Σweights
 *     y ← y + c·(z − y) + η·(β·(1 − c) − 1)·u
 *     z ← z − η·u
 *     evaluate at x = z + (y − z)/β
 *
 * The parameters hold y while training; x, the average of all z, is the model: use {@link evaluate} and {@link averages}.
 * `fit` validates and calls onEpochEnd with x; when it ends the parameters hold y, ready to go on, unless EarlyStopping put the
 * best x there. Any time may be the last, so for runs of unknown length. Batch-norm statistics must be recomputed at x.
 * When not: nets with batch normalisation whose statistics are not recomputed at x; runs of known length with a tuned
 * schedule.
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

  static override readonly defaults: Readonly<Record<string, unknown>> = { learningRate: 1, momentum: 0.9, ...DEFAULTS }
  static override readonly allowed = { ...ALLOWED, momentum: { min: 0, max: 1, openMin: true } }

  protected override betaOf({ momentum }: Required<ScheduleFreeSGDOptions>): number {
    return momentum
  }

  protected override slots(): readonly string[] {
    return Z_SLOTS
  }

  protected override kernel(): string {
    return 'scheduleFreeSgd'
  }

  protected override hyper(o: Required<ScheduleFreeSGDOptions>, t: number, scalars: Scalars): readonly number[] {
    return this.mixing(o, t, scalars)
  }

  protected override update(y: FloatArray, g: FloatArray, [z]: FloatArray[], [c, direct, rate]: readonly number[]): void {
    for (let i = 0; i < y.length; i++) {
      y[i] += c * (z[i] - y[i]) + direct * g[i]
      z[i] -= rate * g[i]
    }
  }
}

/**
 * {@link ScheduleFreeSGD} with Adam's scaling.
 *
 *     v ← β₂·v + (1 − β₂)·g²
 *     u = g/(√v̂ + ε) + λ·y  in place of g + λ·y
 *
 * √v̂ is the typical size of the gradient; y, z and x as there.
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
    ...DEFAULTS,
  }
  static override readonly allowed = { ...ALLOWED, beta1: { min: 0, max: 1, openMin: true } }

  protected override betaOf({ beta1 }: Required<ScheduleFreeAdamWOptions>): number {
    return beta1
  }

  protected override slots(): readonly string[] {
    return ZV_SLOTS
  }

  protected override kernel(): string {
    return 'scheduleFreeAdamw'
  }

  protected override coupledDecay(): number {
    return 0
  }

  protected override hyper(o: Required<ScheduleFreeAdamWOptions>, t: number, scalars: Scalars): readonly number[] {
    const [c, direct, rate] = this.mixing(o, t, scalars)
    const sqrtCorrection2 = Math.sqrt(biasCorrection(o.beta2, t))
    return [
      c,
      sqrtCorrection2 * direct,
      sqrtCorrection2 * rate,
      o.beta2,
      1 - o.beta2,
      sqrtCorrection2 * o.epsilon,
      o.weightDecay / sqrtCorrection2,
    ]
  }

  protected override update(y: FloatArray, g: FloatArray, [z, v]: FloatArray[], hyper: readonly number[]): void {
    const [c, direct, rate, beta2, oneMinusBeta2, epsilon, weightDecay] = hyper
    for (let i = 0; i < y.length; i++) {
      v[i] = beta2 * v[i] + oneMinusBeta2 * g[i] * g[i]
      const u = g[i] / (Math.sqrt(v[i]) + epsilon) + weightDecay * y[i]
      y[i] += c * (z[i] - y[i]) + direct * u
      z[i] -= rate * u
    }
  }
}
