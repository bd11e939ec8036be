import type { FloatArray } from '../../backend/heap.js'
import { AveragingOptimizer } from './averaging.js'
import type { ParameterGroup } from './group.js'
import { GROUP_DEFAULTS, type GroupOptions } from './input.js'
import { nonNegative } from './options.js'
import { power } from './scalar-math.js'
import type { ParameterSpan, Scalars } from './span.js'

/** Options that ScheduleFreeSGD and ScheduleFreeAdamW share. */
export interface ScheduleFreeOptions extends GroupOptions {
  /** Steps of linear warm-up. Default 0. */
  warmupSteps?: number
  /** Iterates are weighted by step^averagePower, so that later ones count more. Default 0. */
  averagePower?: number
  /** Iterates are also weighted by (largest learning rate so far)^weightPower. Default 2. */
  weightPower?: number
}

/** Their usual values. */
export const SCHEDULE_FREE_DEFAULTS = { warmupSteps: 0, averagePower: 0, weightPower: 2, ...GROUP_DEFAULTS }
/** Allowed values of these options. */
export const SCHEDULE_FREE_ALLOWED = { warmupSteps: nonNegative, averagePower: nonNegative, weightPower: nonNegative }
const SCALARS = { weightSum: 0, largestRate: 0 }

/**
 * The base of schedule-free methods (Defazio et al. 2024): the average x, the fast iterate z, and y between them. The parameters hold y, and
 * gradients are taken at y. z is the first slot.
 */
export abstract class ScheduleFree<O extends ScheduleFreeOptions> extends AveragingOptimizer<O> {
  protected abstract betaOf(options: Required<O>): number

  protected override initialScalars(): Scalars {
    return SCALARS
  }

  protected override begin(group: ParameterGroup<Required<O>>, span: ParameterSpan): void {
    group.backend.kernels.copy(span.p, group.slotOf(span, 0), span.n)
  }

  /** c: fraction by which x moves to z; gradientRate: factor of the new direction in y; rate: factor of the new direction in z. */
  protected mixing(options: Required<O>, t: number, scalars: Scalars): { c: number; gradientRate: number; rate: number } {
    const { learningRate, warmupSteps, averagePower, weightPower } = options as Required<ScheduleFreeOptions>
    const rate = t < warmupSteps ? (learningRate * t) / warmupSteps : learningRate
    scalars.largestRate = Math.max(scalars.largestRate, rate)
    const weight = power(t, averagePower) * power(scalars.largestRate, weightPower)
    scalars.weightSum += weight
    const c = scalars.weightSum > 0 ? weight / scalars.weightSum : 0
    return { c, gradientRate: rate * (this.betaOf(options) * (1 - c) - 1), rate }
  }

  /** x = z + (y − z)/β: the weights to evaluate and save. */
  protected override averageOf(group: ParameterGroup<Required<O>>, i: number): FloatArray {
    const y = group.parameters[i].data()
    const z = group.slotView(i, 0)
    const share = 1 - 1 / this.betaOf(group.values as Required<O>)
    return y.map((value, k) => value + share * (z[k] - value)) as FloatArray
  }
}
