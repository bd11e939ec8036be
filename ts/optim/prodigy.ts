import type { FloatArray } from '../backend/heap.js'
import type { Update } from '../backend/kernels.js'
import { UPDATES } from '../backend/wasm/parts.js'
import type { ParameterGroup } from './base/group.js'
import { GROUP_DEFAULTS, type GroupOptions } from './base/input.js'
import { prodigyMoments, prodigyStep } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { positive } from './base/options.js'
import { biasCorrection } from './base/scalar-math.js'
import type { ParameterSpan } from './base/span.js'

/** Options of {@link Prodigy}. */
export interface ProdigyOptions extends GroupOptions {
  /** Default 0.9. */
  beta1?: number
  /** Default 0.999. */
  beta2?: number
  /** Default 1e-8. */
  epsilon?: number
  /** First estimate of the distance. Default 1e-6. */
  initialDistance?: number
  /** Factor on estimates. Default 1. */
  distanceFactor?: number
  /** Adam's bias correction (optax); off in the authors' default. Default false. */
  biasCorrection?: boolean
}

/**
 * Adam that finds its learning rate: d estimates the distance from the start to the solution.
 *
 *     a = d·η·(bias correction),  r ← √β₂·r + (d/d₀)·a·⟨g, p₀ − p⟩,  s ← √β₂·s + (d/d₀)·a·g
 *     m ← β₁·m + (1 − β₁)·d·g,  v ← β₂·v + (1 − β₂)·d²·g²
 *     d ← max(d, factor·r/‖s‖₁)
 *     p ← (1 − a·λ)·p − a·m / (√v + d·ε)
 *
 * Leave η at 1, or let a schedule without a scale of its own drive it. Good if you cannot tune; a tuned AdamW is slightly better. Needs two passes.
 * When not: a schedule that restarts, or tight memory: 16 bytes a parameter.
 * Defaults: the authors' code. State: 16 bytes a parameter. Mishchenko & Defazio 2023.
 *
 * @example
 * const optimizer = new Prodigy(model.parameters())
 */
export class Prodigy extends Optimizer<ProdigyOptions> {
  static override get name() {
    return 'Prodigy'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    initialDistance: 1e-6,
    distanceFactor: 1,
    biasCorrection: false,
    ...GROUP_DEFAULTS,
    decoupledWeightDecay: true,
  }
  static override readonly allowed = { initialDistance: positive, distanceFactor: positive, decoupledWeightDecay: [true] }
  /** @internal */
  static override readonly rule = { kernel: 'prodigyMoments', part: UPDATES, slots: ['m', 'v', 's', 'start'], numbers: prodigyMoments }

  /** The present estimate of the distance, which scales all steps. */
  get distance(): number {
    return this.globals.distance ?? this.groups[0].values.initialDistance
  }

  /** The kernel of the second pass, kept after the first request: all groups have the same backend. */
  private stepKernel: Update | undefined

  protected override begin(group: ParameterGroup<Required<ProdigyOptions>>, span: ParameterSpan): void {
    group.backend.kernels.copy(span.p, group.slotOf(span, 3), span.n)
  }

  /** The numbers of {@link moments}. */
  protected override hyper(o: Required<ProdigyOptions>, t: number): readonly number[] {
    const d = this.distance
    const [weightM, weightV] = [(1 - o.beta1) * d, (1 - o.beta2) * d * d]
    const weightS = (d / o.initialDistance) * rateOf(o, d, t)
    return prodigyMoments({ beta1: o.beta1, weightM, beta2: o.beta2, weightV, beta3: Math.sqrt(o.beta2), weightS })
  }

  protected override applyToGroups(scale: number): void {
    const d = this.distance
    const size = this.estimate(scale)
    if (size === 0) return
    const { groups, globals } = this
    globals.distance = Math.max(d, (groups[0].values.distanceFactor * globals.correlation) / size)
    const epsilon = globals.distance
    for (let i = 0; i < groups.length; i++) this.move(groups[i], d, epsilon)
  }

  /** First pass, over all parameters: state and r. @returns ‖s‖₁ */
  private estimate(scale: number): number {
    const { groups, globals } = this
    let size = 0
    let correlation = 0
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]
      const { values, spans, kernel } = group
      const signed = values.maximize ? -scale : scale
      for (let j = 0; j < spans.length; j++) {
        const span = spans[j]
        if (++span.t === 1) this.begin(group, span)
        const hyper = this.hyper(values, span.t)
        this.pass(group, span, signed, 0, 0, hyper, kernel, this.moments)
        const isSummed = kernel !== undefined
        correlation += hyper[5] * signed * (isSummed ? group.sumAt(0) : alongOf(group, span))
        size += isSummed ? group.sumAt(1) : group.backend.kernels.sumAbs(group.slotOf(span, 2), span.n)
      }
    }
    globals.correlation = Math.sqrt(groups[0].values.beta2) * (globals.correlation ?? 0) + correlation
    return size
  }

  /** Second pass, with the estimated distance before and after this step. */
  private move(group: ParameterGroup<Required<ProdigyOptions>>, before: number, distance: number): void {
    const { values, spans, backend } = group
    const kernel = group.kernel && (this.stepKernel ??= backend.update('prodigyStep', UPDATES))
    for (let j = 0; j < spans.length; j++) {
      const rate = rateOf(values, before, spans[j].t)
      const hyper = prodigyStep({ stepSize: rate, epsilon: distance * values.epsilon })
      this.pass(group, spans[j], 1, 0, rate * values.weightDecay, hyper, kernel, this.update)
    }
  }

  /** First pass: state only. */
  protected moments(_p: FloatArray, g: FloatArray, [m, v, s]: FloatArray[], hyper: readonly number[]): void {
    const [beta1, weightM, beta2, weightV, beta3, weightS] = hyper
    for (let i = 0; i < g.length; i++) {
      m[i] = beta1 * m[i] + weightM * g[i]
      v[i] = beta2 * v[i] + weightV * g[i] * g[i]
      s[i] = beta3 * s[i] + weightS * g[i]
    }
  }

  /** Second pass: the step. */
  protected override update(p: FloatArray, _g: FloatArray, [m, v]: FloatArray[], [stepSize, epsilon]: readonly number[]): void {
    for (let i = 0; i < p.length; i++) p[i] -= (stepSize * m[i]) / (Math.sqrt(v[i]) + epsilon)
  }
}

/** ⟨g, p₀ − p⟩, which the kernel of the first pass computes as well. */
function alongOf(group: ParameterGroup<Required<ProdigyOptions>>, span: ParameterSpan): number {
  const { p, g, slots } = group.viewsOf(span)
  let along = 0
  for (let i = 0; i < p.length; i++) along += g[i] * (slots[3][i] - p[i])
  return along
}

function rateOf({ learningRate, beta1, beta2, biasCorrection: isCorrected }: Required<ProdigyOptions>, d: number, t: number): number {
  return d * learningRate * (isCorrected ? Math.sqrt(biasCorrection(beta2, t)) / biasCorrection(beta1, t) : 1)
}
