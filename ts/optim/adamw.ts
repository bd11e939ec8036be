import { Adam, type AdamOptions } from './adam.js'
import type { OptimizerInput, SharedOptions } from './base/input.js'

/** Options of {@link AdamW}. */
export type AdamWOptions = Omit<AdamOptions, 'decoupledWeightDecay'>

/**
 * {@link Adam} with decoupled weight decay: parameters shrink independently of their gradients.
 *
 *     p ← (1 − η·λ)·p,  then Adam's update
 *
 * Decay through the gradient (L2) is divided by √v̂ like the rest of it, so that busy parameters hardly decay; here all decay alike. The decay
 * follows the learning rate, schedules included. The usual choice for transformers and wherever weight decay is wanted; leave biases out with a group
 * of their own.
 * When not: small nets on clean data in one batch, which LBFGS or Levenberg–Marquardt train in a fraction of the steps.
 * Defaults: PyTorch (Adam's, λ 0.01). State: 8 bytes a parameter, 12 with amsgrad. Loshchilov & Hutter 2019.
 *
 * @example
 * const optimizer = new AdamW(model.parameters(), { learningRate: 3e-4, weightDecay: 0.05 })
 */
export class AdamW extends Adam {
  static override get name() {
    return 'AdamW'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = { ...Adam.defaults, weightDecay: 0.01, decoupledWeightDecay: true }
  static override readonly allowed = { ...Adam.allowed, decoupledWeightDecay: [true] }

  constructor(parameters: OptimizerInput<AdamWOptions>, options?: AdamWOptions & SharedOptions) {
    super(parameters, options)
  }
}
