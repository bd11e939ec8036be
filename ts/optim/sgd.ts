import type { FloatArray } from '../backend/heap.js'
import { DESCENT } from '../backend/wasm/parts.js'
import { rangeError } from '../common/errors.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { momentum, sgd } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { type Allowed, nonNegative } from './base/options.js'
import type { UpdateRule } from './base/update-rule.js'
import { MOMENTUM_RULE, momentumRule } from './momentum.js'

/** Options of {@link SGD}. */
export interface SGDOptions extends DecayOptions {
  /** μ: fraction of the last step that is added to the next; 0 is plain gradient descent. Default 0. */
  momentum?: number
  /** Reduction of a new gradient's weight relative to older ones. Default 0. */
  dampening?: number
  /** Looks ahead along the momentum. Default false. */
  nesterov?: boolean
  /** Keras' form v ← μv − ηg, p ← p + v: the velocity keeps old learning rates. Default false. */
  learningRateInside?: boolean
}

const DESCENT_RULE: UpdateRule = { kernel: 'sgd', part: DESCENT, slots: [], numbers: sgd, scaledByRate: ['learningRate'] }
const VELOCITY_RULE: UpdateRule = { ...MOMENTUM_RULE, scaledByRate: ['velocityRate', 'gradientRate'] }
/** The rule where the rate is part of the velocity. */
const RATE_INSIDE_RULE: UpdateRule = { ...MOMENTUM_RULE, scaledByRate: ['gradientWeight', 'gradientRate'] }

/**
 * Gradient descent, with or without momentum: p ← p − η·g. With the gradient of all data it is batch gradient descent, of one sample stochastic, of a
 * few samples mini-batch: your batch size decides.
 *
 *     v ← μ·v + (1 − dampening)·g        (the first v is g)
 *     p ← p − η·v                        nesterov: p ← p − η·(g + μ·v)
 *
 * η scales the step; μ accelerates where gradients agree and damps where they alternate. Use it with momentum 0.9 and a schedule for image models,
 * and whenever the best final result is worth tuning η; not for sparse or badly scaled gradients, which the Adam family handles with less care.
 * When not: gradients of very different sizes across parameters (embeddings, attention), for which no single rate fits; take an adaptive method.
 * Defaults: PyTorch (learningRate 1e-3, the rest 0). State: 0 bytes a parameter, 4 with momentum. Robbins & Monro 1951; Polyak 1964; Sutskever et al.
 * 2013.
 *
 * @example
 * const optimizer = new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 })
 */
export class SGD extends Optimizer<SGDOptions> {
  static override get name() {
    return 'SGD'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-3,
    momentum: 0,
    dampening: 0,
    nesterov: false,
    learningRateInside: false,
    ...DECAY_DEFAULTS,
  }
  static override readonly allowed: Readonly<Record<string, Allowed>> = { dampening: nonNegative }
  /** @internal */
  static override readonly rule = ({ momentum, learningRateInside }: Required<SGDOptions>): UpdateRule =>
    momentum === 0 ? DESCENT_RULE : learningRateInside ? RATE_INSIDE_RULE : VELOCITY_RULE

  protected override checkOptions({ nesterov, momentum, dampening }: Required<SGDOptions>): void {
    if (nesterov && (momentum === 0 || dampening !== 0))
      throw rangeError(`${this.name}: nesterov wants momentum > 0 and dampening 0, got momentum ${momentum} and dampening ${dampening}`)
  }

  protected override hyper(o: Required<SGDOptions>, t: number): readonly number[] {
    const { learningRate, dampening, nesterov, learningRateInside } = o
    if (o.momentum === 0) return sgd({ learningRate })
    const [gradientScale, velocityScale] = learningRateInside ? [learningRate, 1] : [1, learningRate]
    const [velocityDecay, gradientWeight] = t === 1 ? [0, gradientScale] : [o.momentum, gradientScale * (1 - dampening)]
    const [gradientRate, velocityRate] = nesterov ? [learningRate, velocityScale * o.momentum] : [0, velocityScale]
    return momentum({ velocityDecay, gradientWeight, gradientRate, velocityRate })
  }

  protected override update(p: FloatArray, g: FloatArray, slots: FloatArray[], hyper: readonly number[]): void {
    if (slots.length === 0) descentRule(p, g, slots, hyper)
    else momentumRule(p, g, slots, hyper)
  }
}

/** p ← p − η·g @internal */
export function descentRule(p: FloatArray, g: FloatArray, _slots: FloatArray[], [learningRate]: readonly number[]): void {
  for (let i = 0; i < p.length; i++) p[i] -= learningRate * g[i]
}
