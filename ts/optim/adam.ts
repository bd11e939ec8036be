import type { FloatArray } from '../backend/heap.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { adam } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import type { Allowed } from './base/options.js'
import { adamStep, biasCorrection } from './base/scalar-math.js'
import type { UpdateRule } from './base/update-rule.js'

/** Place of Adam's ε: beside the root of the corrected v, under that root, or beside the root of the uncorrected v (Keras' ε-hat). */
export type EpsilonPlacement = 'outside' | 'inside' | 'hat'

/** Options of {@link Adam}. */
export interface AdamOptions extends DecayOptions {
  /** β₁ of the mean of gradients. Default 0.9. */
  beta1?: number
  /** β₂ of the mean of squares. Default 0.999. */
  beta2?: number
  /** Keeps the quotient finite. Default 1e-8. */
  epsilon?: number
  /** Default `outside` (PyTorch, the paper). For vanishing gradients, `inside` with 1e-8 acts like 1e-4 outside. */
  epsilonPlacement?: EpsilonPlacement
  /** Divide by the largest v so far. Default false. */
  amsgrad?: boolean
  /** The v whose maximum AMSGrad takes: before bias correction (PyTorch, Keras) or after it (optax). Default `raw`. */
  amsgradMaximum?: 'raw' | 'corrected'
}

const RULE: UpdateRule = { kernel: 'adam', slots: ['m', 'v'], numbers: adam, scaledByRate: ['stepSize'] }
const RULE_INSIDE: UpdateRule = { ...RULE, kernel: 'adamInside' }
const RULE_AMSGRAD: UpdateRule = { ...RULE, kernel: 'amsgrad', slots: ['m', 'v', 'vMax'] }

/**
 * Momentum and RMSProp together, with bias correction:
 *
 *     m ← β₁·m + (1 − β₁)·g          v ← β₂·v + (1 − β₂)·g²
 *     p ← p − η · m̂ / (√v̂ + ε),     m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)
 *     epsilonPlacement 'inside':  √(v̂ + ε);   'hat':  ε/√(1 − β₂ᵗ) for ε
 *     amsgrad:  the largest v so far in place of v
 *
 * m̂ is the direction, √v̂ the typical size of the gradient: steps are about η whatever the scale of the loss. Bias correction makes up for m and v
 * starting at 0. The default choice for nearly everything; with weight decay prefer {@link AdamW}, for the last half percent on image models tune
 * {@link SGD}.
 * When not: weight decay that should act on all parameters alike (AdamW), or memory for less than 8 bytes a parameter (Lion, Adafactor).
 * Defaults: PyTorch and the paper (1e-3, 0.9, 0.999, 1e-8). State: 8 bytes a parameter, 12 with amsgrad. Kingma & Ba 2015; Reddi et al. 2018.
 *
 * @example
 * const optimizer = new Adam(model.parameters(), { learningRate: 1e-3 })
 */
export class Adam extends Optimizer<AdamOptions> {
  static override get name() {
    return 'Adam'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    epsilonPlacement: 'outside',
    amsgrad: false,
    amsgradMaximum: 'raw',
    ...DECAY_DEFAULTS,
  }
  static override readonly allowed: Readonly<Record<string, Allowed>> = {
    epsilonPlacement: ['outside', 'inside', 'hat'],
    amsgradMaximum: ['raw', 'corrected'],
  }
  /** @internal */
  static override readonly rule = ({ amsgrad, epsilonPlacement }: Required<AdamOptions>): UpdateRule =>
    amsgrad ? RULE_AMSGRAD : epsilonPlacement === 'inside' ? RULE_INSIDE : RULE

  /**
   * The bias corrections go into the step size and into ε, so that the loop needs none (end of section 2 of the paper). Because √v̂ = √v / √(1 −
   * β₂ᵗ):
   *
   *     η·m̂ / (√v̂ + ε)  =  αₜ·m / (√v + ε̂)     with αₜ = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ),  ε̂ = ε·√(1 − β₂ᵗ)
   *
   * Only AMSGrad's `corrected` maximum corrects v itself, before it takes the maximum. A step of a small net takes half a microsecond, including this
   * function: further arrays or closures would slow it down noticeably.
   */
  protected override hyper(o: Required<AdamOptions>, t: number): readonly number[] {
    const { learningRate, beta1, beta2, epsilon, epsilonPlacement, amsgrad, amsgradMaximum } = o
    const correction1 = biasCorrection(beta1, t)
    const correction2 = biasCorrection(beta2, t)
    const sqrtCorrection2 = Math.sqrt(correction2)
    const isCorrectedFirst = amsgrad && amsgradMaximum === 'corrected'

    const rootLeft = isCorrectedFirst ? 1 : sqrtCorrection2 // the part of the correction that step size and ε contain
    let epsilonHat = 0
    let epsilonInRoot = 0
    if (epsilonPlacement === 'outside') epsilonHat = epsilon * rootLeft
    else if (epsilonPlacement === 'hat') epsilonHat = isCorrectedFirst ? epsilon / sqrtCorrection2 : epsilon
    else epsilonInRoot = isCorrectedFirst ? epsilon : epsilon * correction2
    return adam({
      epsilonHat,
      oneMinusBeta1: 1 - beta1,
      beta2,
      oneMinusBeta2: 1 - beta2,
      stepSize: learningRate * (rootLeft / correction1),
      epsilonInRoot,
      correctionBeforeMaximum: isCorrectedFirst ? 1 / correction2 : 1,
    })
  }

  protected override update(p: FloatArray, g: FloatArray, slots: FloatArray[], hyper: readonly number[]): void {
    adamRule(p, g, slots, hyper)
  }
}

/** The numbers of Adam at step t with ε outside the root, for methods that contain Adam. @internal */
export function adamHyper(learningRate: number, beta1: number, beta2: number, epsilon: number, t: number): number[] {
  const { stepSize, epsilonHat } = adamStep(learningRate, beta1, beta2, epsilon, t)
  const [oneMinusBeta1, oneMinusBeta2] = [1 - beta1, 1 - beta2]
  return adam({ epsilonHat, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, epsilonInRoot: 0, correctionBeforeMaximum: 1 })
}

/** Adam's loop; {@link Adam.hyper} explains the step size αₜ and ε̂. @internal */
export function adamRule(p: FloatArray, g: FloatArray, [m, v, vMax]: FloatArray[], hyper: readonly number[]): void {
  const [epsilonHat, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, epsilonInRoot, correctionBeforeMaximum] = hyper
  // AMSGrad has a loop of its own: a test at each element would take twice as long.
  if (vMax === undefined) {
    for (let i = 0; i < p.length; i++) {
      m[i] += oneMinusBeta1 * (g[i] - m[i])
      v[i] = beta2 * v[i] + oneMinusBeta2 * g[i] * g[i]
      p[i] -= (stepSize * m[i]) / (Math.sqrt(v[i] + epsilonInRoot) + epsilonHat)
    }
    return
  }
  for (let i = 0; i < p.length; i++) {
    m[i] += oneMinusBeta1 * (g[i] - m[i])
    v[i] = beta2 * v[i] + oneMinusBeta2 * g[i] * g[i]
    vMax[i] = Math.max(vMax[i], v[i] * correctionBeforeMaximum)
    p[i] -= (stepSize * m[i]) / (Math.sqrt(vMax[i] + epsilonInRoot) + epsilonHat)
  }
}
