import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { GROUP_DEFAULTS, type GroupOptions } from './base/input.js'
import { adan } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { biasCorrection } from './base/scalar-math.js'
import type { UpdateRule } from './base/update-rule.js'

/** Options of {@link Adan}. */
export interface AdanOptions extends GroupOptions {
  /** Decay of the mean gradient. Default 0.98 (1 − the paper's β). */
  beta1?: number
  /** Decay of the mean difference. Default 0.92. */
  beta2?: number
  /** Decay of the mean square. Default 0.99. */
  beta3?: number
  /** Default 1e-8. */
  epsilon?: number
  /** `proximal`: p ← p/(1 + ηλ) after the update; `decoupled`: p ← (1 − ηλ)p before it. Default `proximal`. */
  weightDecayForm?: 'proximal' | 'decoupled'
}

const RULE: UpdateRule = { kernel: 'adan', part: UPDATES, slots: ['m', 'difference', 'n', 'previous'], numbers: adan }
/** The rule for forms of weight decay with which the other numbers are proportional to the rate. */
const RULE_BY_RATE: UpdateRule = { ...RULE, scaledByRate: ['stepSizeM', 'stepSizeW'] }

/**
 * Adam with Nesterov momentum made of gradient differences.
 *
 *     d = g − g₋₁   (0 at the first step)
 *     m ← EMA_β₁(g),  w ← EMA_β₂(d),  n ← EMA_β₃((g + β₂·d)²)
 *     p ← p − η·(m̂ + β₂·ŵ) / (√n̂ + ε)
 *
 * Stands larger learning rates (5–10 times AdamW's) at twice the state. For vision transformers and large batches.
 * When not: tight memory: 16 bytes a parameter, twice Adam’s.
 * Defaults: the authors' code. State: 16 bytes a parameter. Xie et al. 2022. (optax 0.2.8 has a wrong coefficient here.)
 *
 * @example
 * const optimizer = new Adan(model.parameters(), { learningRate: 5e-3, weightDecay: 0.02 })
 */
export class Adan extends Optimizer<AdanOptions> {
  static override get name() {
    return 'Adan'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 1e-3,
    beta1: 0.98,
    beta2: 0.92,
    beta3: 0.99,
    epsilon: 1e-8,
    weightDecayForm: 'proximal',
    ...GROUP_DEFAULTS,
  }
  static override readonly allowed = { weightDecayForm: ['proximal', 'decoupled'] }
  /** @internal */
  static override readonly rule = ({ weightDecay, weightDecayForm }: Required<AdanOptions>): UpdateRule =>
    weightDecay === 0 || weightDecayForm === 'decoupled' ? RULE_BY_RATE : RULE

  protected override coupledDecay(): number {
    return 0
  }

  /** (p − step)/(1 + η·λ) is p − δ·p − (1 − δ)·step with δ = η·λ/(1 + η·λ). */
  protected override decoupledDecay({ learningRate, weightDecay, weightDecayForm }: Required<AdanOptions>): number {
    const decay = learningRate * weightDecay
    return weightDecayForm === 'decoupled' ? decay : decay / (1 + decay)
  }

  protected override hyper(o: Required<AdanOptions>, t: number): readonly number[] {
    const { learningRate, beta1, beta2, beta3 } = o
    const shrink = o.weightDecayForm === 'proximal' ? 1 / (1 + learningRate * o.weightDecay) : 1
    const sqrtCorrection3 = Math.sqrt(biasCorrection(beta3, t))
    const size = sqrtCorrection3 * shrink
    const stepSizeM = learningRate * (size / biasCorrection(beta1, t))
    const stepSizeW = learningRate * ((size * beta2) / biasCorrection(beta2, t))
    // at the first step there is no previous gradient for a difference
    const [oneMinusBeta2, differenceWeight] = t === 1 ? [0, 0] : [1 - beta2, beta2]
    const [oneMinusBeta1, oneMinusBeta3, epsilon] = [1 - beta1, 1 - beta3, sqrtCorrection3 * o.epsilon]
    return adan({ oneMinusBeta1, beta2, oneMinusBeta2, beta3, oneMinusBeta3, differenceWeight, stepSizeM, stepSizeW, epsilon })
  }

  protected override update(p: FloatArray, g: FloatArray, [m, w, n, previous]: FloatArray[], hyper: readonly number[]): void {
    const [oneMinusBeta1, beta2, oneMinusBeta2, beta3, oneMinusBeta3, differenceWeight, stepSizeM, stepSizeW, epsilon] = hyper
    for (let i = 0; i < p.length; i++) {
      const d = g[i] - previous[i]
      const lookahead = g[i] + differenceWeight * d
      m[i] += oneMinusBeta1 * (g[i] - m[i])
      w[i] = beta2 * w[i] + oneMinusBeta2 * d
      n[i] = beta3 * n[i] + oneMinusBeta3 * lookahead * lookahead
      p[i] -= (stepSizeM * m[i] + stepSizeW * w[i]) / (Math.sqrt(n[i]) + epsilon)
      previous[i] = g[i]
    }
  }
}
