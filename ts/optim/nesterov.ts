import type { DecayOptions, OptimizerInput, SharedOptions } from './base/input.js'
import type { Allowed } from './base/options.js'
import { SGD } from './sgd.js'

/** Options of {@link Nesterov}. */
export interface NesterovOptions extends DecayOptions {
  /** μ. Default 0.9. */
  momentum?: number
}

/**
 * Nesterov's accelerated gradient: momentum that looks ahead along its next step.
 *
 *     v ← μ·v + g        (the first v is g)
 *     p ← p − η·(g + μ·v)
 *
 * The term μ·v is the step that momentum will take anyway; correcting for it early makes larger μ stable. Use it instead of {@link Momentum} for
 * smooth problems and large μ; the difference is small for noisy gradients.
 * When not: very noisy gradients, whose noise looking ahead amplifies.
 * Defaults: PyTorch's SGD with nesterov, μ 0.9. State: 4 bytes a parameter. Nesterov 1983; Sutskever et al. 2013.
 *
 * @example
 * const optimizer = new Nesterov(model.parameters(), { learningRate: 0.05 })
 */
export class Nesterov extends SGD {
  static override get name() {
    return 'Nesterov'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = { ...SGD.defaults, momentum: 0.9, nesterov: true }
  static override readonly allowed: Readonly<Record<string, Allowed>> = { ...SGD.allowed, nesterov: [true], dampening: [0] }

  constructor(parameters: OptimizerInput<NesterovOptions>, options?: NesterovOptions & SharedOptions) {
    super(parameters, options)
  }
}
