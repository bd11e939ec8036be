import { withVectorSums } from '../backend/families.js'
import type { FloatArray } from '../backend/heap.js'
import { DESCENT, UPDATES } from '../backend/parts.js'
import { adamNumbers } from './adam.js'
import type { ParameterGroup } from './group.js'
import { GROUP_DEFAULTS, type GroupOptions } from './input.js'
import { Optimizer } from './optimizer.js'
import { nonNegative } from './options.js'
import type { Run } from './run.js'
import { descentRule, momentumRule } from './sgd.js'

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
  static override readonly part = DESCENT
  static override readonly allowed = { trustCoefficient: nonNegative }

  protected override get perTensor(): boolean {
    return true
  }

  protected override slots(): readonly string[] {
    return MOMENTUM_SLOTS
  }

  protected override kernel(): string {
    return 'momentum'
  }

  protected override hyper({ momentum, nesterov }: Required<LARSOptions>): readonly number[] {
    return nesterov ? [momentum, 1, 1, momentum] : [momentum, 1, 0, 1]
  }

  protected override applyToRun(group: ParameterGroup<Required<LARSOptions>>, run: Run, scale: number, hyper: readonly number[]): void {
    const { learningRate, weightDecay, trustCoefficient, epsilon, maximize } = group.values
    const kernels = withVectorSums(group.backend)
    const signed = maximize ? -scale : scale
    const squares = kernels.sumSquares(run.p, run.n)
    const along = weightDecay === 0 ? 0 : 2 * signed * weightDecay * kernels.dot(run.p, run.g, run.n)
    const size = Math.sqrt(Math.max(0, signed ** 2 * kernels.sumSquares(run.g, run.n) + along + weightDecay ** 2 * squares))
    const ratio = squares > 0 && size > 0 ? (trustCoefficient * Math.sqrt(squares)) / (size + epsilon) : 1
    const rate = learningRate * ratio
    this.pass(group, run, signed * rate, weightDecay * rate, 0, hyper, group.kernel, this.update)
  }

  protected override update(p: FloatArray, g: FloatArray, slots: FloatArray[], hyper: readonly number[]): void {
    momentumRule(p, g, slots, hyper)
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
    return 'lambDirection'
  }

  protected override hyper(o: Required<LAMBOptions>, t: number): readonly number[] {
    const [take1, beta2, take2, rate, epsilon] = adamNumbers(1, o.beta1, o.beta2, o.epsilon, t)
    return [take1, beta2, take2, rate, epsilon, o.decayInRatio ? o.weightDecay : 0]
  }

  protected override applyToRun(group: ParameterGroup<Required<LAMBOptions>>, run: Run, scale: number, hyper: readonly number[]): void {
    const { learningRate, weightDecay, decayInRatio, maximize } = group.values
    const { kernels } = group.backend
    this.pass(group, run, maximize ? -scale : scale, 0, 0, hyper, group.kernel, this.update)
    const direction = group.slotOf(run, 2)
    const squares = kernels.sumSquares(run.p, run.n)
    const steps = kernels.sumSquares(direction, run.n)
    const rate = squares > 0 && steps > 0 ? learningRate * Math.sqrt(squares / steps) : learningRate
    const decoupled = decayInRatio ? 0 : learningRate * weightDecay
    const { first, end, p, s, n, t, scalars } = run
    const along = { first, end, p, g: direction, s, n, t, scalars, views: null }
    this.pass(group, along, 1, 0, decoupled, [rate], group.backend.update('sgd', DESCENT), descentRule)
  }

  /** Leaves p alone: the step follows when its norm is known. */
  protected override update(p: FloatArray, g: FloatArray, [m, v, u]: FloatArray[], hyper: readonly number[]): void {
    const [take1, beta2, take2, rate, epsilon, weightDecay] = hyper
    for (let i = 0; i < p.length; i++) {
      m[i] += take1 * (g[i] - m[i])
      v[i] = beta2 * v[i] + take2 * g[i] * g[i]
      u[i] = (rate * m[i]) / (Math.sqrt(v[i]) + epsilon) + weightDecay * p[i]
    }
  }
}
