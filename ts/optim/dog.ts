import type { FloatArray } from '../backend/heap.js'
import { DESCENT, UPDATES } from '../backend/wasm/parts.js'
import type { ParameterGroup } from './base/group.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { sgd } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { nonNegative } from './base/options.js'
import type { ParameterSpan } from './base/span.js'
import { descentRule } from './sgd.js'

/** Options of {@link DoG}. */
export interface DoGOptions extends DecayOptions {
  /** Default 1e-8. */
  epsilon?: number
  /** First distance; 0 means 1e-6·(1 + ‖p₀‖). Default 0. */
  initialDistance?: number
}

/** A mean square below this may have lost digits, or all of them, in single precision. */
const SMALL = 1e-30

/**
 * Distance over gradients: gradient descent without a learning rate to choose.
 *
 *     r ← max(r, ‖p − p₀‖),   G ← G + ‖g‖²      (over all parameters)
 *     p ← p − η·r/√(G + ε) · g
 *
 * Leave η at 1. Works best with averaged weights ({@link WeightAverage}) and for fine-tuning.
 * When not: training from scratch without averaging, and several groups that want different rates.
 * Defaults: the authors' code. State: 4 bytes a parameter. Ivgi, Hinder & Carmon 2023.
 *
 * @example
 * const optimizer = new DoG(model.parameters())
 */
export class DoG extends Optimizer<DoGOptions> {
  static override get name() {
    return 'DoG'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1,
    epsilon: 1e-8,
    initialDistance: 0,
    ...DECAY_DEFAULTS,
  }
  static override readonly allowed = { initialDistance: nonNegative }
  /** @internal */
  static override readonly rule = { kernel: 'sgd', part: DESCENT, slots: ['start'], numbers: sgd }

  protected override begin(group: ParameterGroup<Required<DoGOptions>>, span: ParameterSpan): void {
    group.backend.kernels.copy(span.p, group.slotOf(span, 0), span.n)
  }

  protected override hyper({ learningRate, epsilon }: Required<DoGOptions>): readonly number[] {
    return sgd({ learningRate: (learningRate * this.globals.distance) / Math.sqrt(this.globals.squares + epsilon) })
  }

  protected override applyToGroups(scale: number): void {
    const { globals, groups } = this
    let travelled = 0
    let squares = 0
    for (const group of groups) {
      const sums = group.backend.update('dogSums', UPDATES)
      for (const span of group.spans) {
        if (span.t === 0) this.begin(group, span)
        if (sums !== undefined) {
          sums(span.p, span.g, span.s, group.stride, span.n, group.h)
          travelled += group.sumAt(0)
          const sum = group.sumAt(1)
          // a sum outside of the range of floats is computed again in doubles
          squares += sum > SMALL * span.n && sum < Infinity ? sum : group.backend.kernels.sumSquares(span.g, span.n)
        } else {
          const { p, slots } = group.viewsOf(span)
          for (let i = 0; i < p.length; i++) travelled += (p[i] - slots[0][i]) ** 2
          squares += group.backend.kernels.sumSquares(span.g, span.n)
        }
      }
    }
    globals.distance = Math.max(globals.distance ?? this.firstDistance(), Math.sqrt(travelled))
    globals.squares = (globals.squares ?? 0) + squares * scale * scale
    for (const group of groups) for (const span of group.spans) this.move(group, span, scale)
  }

  /** The distance before the first step, when parameters are at their start. */
  private firstDistance(): number {
    const { initialDistance } = this.groups[0].values
    if (initialDistance > 0) return initialDistance
    let size = 0
    for (const { spans, backend } of this.groups) for (const { p, n } of spans) size += backend.kernels.sumSquares(p, n)
    return 1e-6 * (1 + Math.sqrt(size))
  }

  private move(group: ParameterGroup<Required<DoGOptions>>, span: ParameterSpan, scale: number): void {
    span.t++
    this.applyToSpan(group, span, scale, this.hyper(group.values))
  }

  protected override update(p: FloatArray, g: FloatArray, slots: FloatArray[], hyper: readonly number[]): void {
    descentRule(p, g, slots, hyper)
  }
}
