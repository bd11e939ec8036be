/** Cautious steps: an optimizer moves only where its step agrees with the gradient. */
import type { FloatArray } from '../../backend/heap.js'
import { typeError } from '../../common/errors.js'
import type { Parameter } from '../../parameter.js'
import type { Tensor } from '../../tensor.js'
import { AveragingOptimizer } from '../base/averaging.js'
import type { DecayOptions, GroupOptions } from '../base/input.js'
import { type OptimizerLike, OptimizerWrapper } from './wrapper.js'

/** Least share of agreeing elements that the scale of a step counts with. */
const MIN_SHARE = 1e-3

/**
 * Leaves out the elements of a step that would go uphill by the gradient of this batch, and scales the others up in return.
 *
 *     u = the step of the inner optimizer,   mask = 1 where u·g > 0, else 0
 *     p ← (1 − η·λ)·p − η·u·mask/max(mean(mask), 0.001)
 *
 * For optimizers whose step averages gradients: Adam, AdamW, Lion, Momentum, Adan. The mean is over each parameter by itself. Decoupled weight decay
 * stays outside of the mask, as in the authors' code. A step takes a copy of the weights and a loop in JavaScript, so that steps run one by one.
 * When not: small nets, which it trains no better than a tuned AdamW; plain SGD, whose steps always agree; averages of weights such as
 * ScheduleFreeAdamW's, which are refused.
 * Defaults: the authors' (0.001); the wrapper has no options. State: none. Liang et al. 2024.
 *
 * @example
 * const optimizer = new Cautious(new AdamW(model.parameters(), { learningRate: 1e-3 }))
 * @throws TypeError for an optimizer that averages weights
 */
export class Cautious extends OptimizerWrapper {
  static override get name() {
    return 'Cautious'
  }

  constructor(inner: OptimizerLike) {
    super(inner)
    if (this.wantsClosure)
      throw typeError(`Cautious: ${inner.name} steps with another gradient than it was given; put Cautious inside of it`)
    for (let at: unknown = inner; at !== undefined; at = (at as { inner?: unknown }).inner)
      if (at instanceof AveragingOptimizer)
        throw typeError(`Cautious: ${at.name} averages weights, which a changed step would leave behind`)
  }

  /** Masks the step that the inner optimizer takes, if it takes one. */
  protected override around(inner: () => void): void {
    const { stepCount } = this
    const steps = this.groups.flatMap(({ parameters, options }) =>
      parameters.filter((p) => p.gradientState === 'ready' && p.requiresGrad).map((p) => ({ p, options, start: p.data() })),
    )
    inner()
    if (this.stepCount !== stepCount) for (const { p, options, start } of steps) maskStep(p, start, options)
  }

  protected extra(): Record<string, unknown> {
    return {}
  }

  protected loadExtra(): () => void {
    return () => {}
  }
}

/** Masks the step of a parameter from `start` to its present values. */
function maskStep(p: Parameter, start: FloatArray, options: GroupOptions & DecayOptions): void {
  const { learningRate = 0, weightDecay = 0, decoupledWeightDecay, maximize } = options
  const decay = decoupledWeightDecay ? learningRate * weightDecay : 0
  const [values, g, uphill] = [p.view(), (p.grad as Tensor).read(), maximize ? -1 : 1]
  const kept = 1 - decay
  let dropped = 0
  // false for a NaN, which stays visible
  for (let k = 0; k < g.length; k++) if (uphill * (values[k] - kept * start[k]) * g[k] >= 0) dropped++
  if (dropped === 0) return
  const scale = 1 / Math.max(1 - dropped / g.length, MIN_SHARE)
  for (let k = 0; k < g.length; k++) {
    const step = values[k] - kept * start[k]
    values[k] = kept * start[k] + (uphill * step * g[k] >= 0 ? 0 : scale * step)
  }
}
