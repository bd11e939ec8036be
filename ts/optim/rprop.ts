import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import type { ParameterGroup } from './base/group.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { rprop } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { positive } from './base/options.js'
import type { ParameterSpan } from './base/span.js'

/** Options of {@link Rprop}. */
export interface RpropOptions extends DecayOptions {
  /** Factor on the step after the gradient changed its sign. Default 0.5. */
  etaMinus?: number
  /** Factor on the step after the gradient kept its sign. Default 1.2. */
  etaPlus?: number
  /** Shortest step. Default 1e-6. */
  minimumStep?: number
  /** Longest step. Default 50. */
  maximumStep?: number
}

/**
 * Resilient backpropagation (iRprop⁻): only the sign of the gradient counts, each parameter has its own step length.
 *
 *     s = sign(g·g₋₁):   step ← step·η⁺ if s > 0,  step·η⁻ if s < 0,  within its limits
 *     g ← 0 where s < 0
 *     p ← p − sign(g)·step,   g₋₁ = g        (the first step is learningRate)
 *
 * Fast and hard to mistune on the gradient of all data, small nets above all.
 * When not: mini-batches: the sign of a noisy gradient means little.
 * Defaults: PyTorch. State: 8 bytes a parameter. Riedmiller & Braun 1993; Igel & Hüsken 2000.
 *
 * @example
 * const optimizer = new Rprop(model.parameters()) // one step for each pass over all data
 */
export class Rprop extends Optimizer<RpropOptions> {
  static override get name() {
    return 'Rprop'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 0.01,
    etaMinus: 0.5,
    etaPlus: 1.2,
    minimumStep: 1e-6,
    maximumStep: 50,
    ...DECAY_DEFAULTS,
  }
  static override readonly allowed = {
    etaMinus: { min: 0, max: 1, openMin: true, openMax: true },
    etaPlus: { min: 1, max: Infinity, openMin: true, openMax: true },
    minimumStep: positive,
    maximumStep: positive,
  }
  /** @internal */
  static override readonly rule = { kernel: 'rprop', part: UPDATES, slots: ['previous', 'step'], numbers: rprop, scaledByRate: [] }

  protected override begin(group: ParameterGroup<Required<RpropOptions>>, span: ParameterSpan): void {
    group.backend.kernels.fill(group.slotOf(span, 1), span.n, group.values.learningRate)
  }

  protected override hyper(o: Required<RpropOptions>): readonly number[] {
    return rprop({ etaMinus: o.etaMinus, etaPlus: o.etaPlus, minimum: o.minimumStep, maximum: o.maximumStep })
  }

  protected override update(p: FloatArray, g: FloatArray, [previous, step]: FloatArray[], hyper: readonly number[]): void {
    const [etaMinus, etaPlus, minimum, maximum] = hyper
    for (let i = 0; i < p.length; i++) {
      const same = Math.sign(g[i]) * Math.sign(previous[i])
      const factor = same > 0 ? etaPlus : same < 0 ? etaMinus : 1
      step[i] = Math.min(Math.max(step[i] * factor, minimum), maximum)
      previous[i] = same < 0 ? 0 : g[i]
      p[i] -= Math.sign(previous[i]) * step[i]
    }
  }
}
