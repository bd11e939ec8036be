import type { FloatArray } from '../backend/heap.js'
import { DESCENT } from '../backend/wasm/parts.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { momentum } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { decay } from './base/options.js'
import { biasCorrection } from './base/scalar-math.js'
import type { UpdateRule } from './base/update-rule.js'

/** Options of {@link Momentum}. */
export interface MomentumOptions extends DecayOptions {
  /** β: gradients are remembered for about 1/(1 − β) steps. Default 0.9. */
  beta?: number
  /** `ema`: V ← βV + (1 − β)g. `classical`: V ← βV + g, whose steps are 1/(1 − β) times as long. Default `ema`. */
  form?: 'ema' | 'classical'
  /** Divides V by 1 − βᵗ, so that the first averages are not too small; for `ema`. Default false. */
  biasCorrection?: boolean
}

/** @internal */
export const MOMENTUM_RULE: UpdateRule = {
  kernel: 'momentum',
  part: DESCENT,
  slots: ['momentum'],
  numbers: momentum,
  scaledByRate: ['velocityRate'],
}

/**
 * Gradient descent with momentum, in the exponentially weighted form by default:
 *
 *     V ← β·V + (1 − β)·g        form 'classical':  V ← β·V + g
 *     p ← p − η·V                V starts at 0
 *
 * V averages gradients over about 1/(1 − β) steps (velocity with friction), so that oscillations cancel and common
 * directions add up. `ema` with η equals `classical` with η·(1 − β); {@link SGD} has PyTorch's dampened form.
 * Use it where plain descent zigzags; not where gradients are badly scaled between parameters (RMSProp, Adam).
 * When not: as SGD; and where gradients of successive steps are unrelated, so that their mean is noise.
 * Defaults: β 0.9 (the usual course value), learningRate 1e-3 (PyTorch). State: 4 bytes a parameter. Polyak 1964.
 *
 * @example
 * const optimizer = new Momentum(model.parameters(), { learningRate: 0.1, beta: 0.9 })
 */
export class Momentum extends Optimizer<MomentumOptions> {
  static override get name() {
    return 'Momentum'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-3,
    beta: 0.9,
    form: 'ema',
    biasCorrection: false,
    ...DECAY_DEFAULTS,
  }
  static override readonly allowed = { form: ['ema', 'classical'], beta: decay }
  /** @internal */
  static override readonly rule = MOMENTUM_RULE

  protected override hyper(
    { learningRate, beta, form, biasCorrection: isCorrected }: Required<MomentumOptions>,
    t: number,
  ): readonly number[] {
    const isMean = form === 'ema'
    const velocityRate = isMean && isCorrected ? learningRate * (1 / biasCorrection(beta, t)) : learningRate
    return momentum({ velocityDecay: beta, gradientWeight: isMean ? 1 - beta : 1, gradientRate: 0, velocityRate })
  }

  protected override update(p: FloatArray, g: FloatArray, slots: FloatArray[], hyper: readonly number[]): void {
    momentumRule(p, g, slots, hyper)
  }
}

/** v ← velocityDecay·v + gradientWeight·g;  p ← p − gradientRate·g − velocityRate·v @internal */
export function momentumRule(
  p: FloatArray,
  g: FloatArray,
  [v]: FloatArray[],
  [velocityDecay, gradientWeight, gradientRate, velocityRate]: readonly number[],
): void {
  for (let i = 0; i < p.length; i++) {
    v[i] = velocityDecay * v[i] + gradientWeight * g[i]
    p[i] -= gradientRate * g[i] + velocityRate * v[i]
  }
}
