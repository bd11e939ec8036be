import type { FloatArray } from '../backend/heap.js'
import { UPDATES } from '../backend/wasm/parts.js'
import { rangeError } from '../common/errors.js'
import { DECAY_DEFAULTS, type DecayOptions } from './base/input.js'
import { rmsprop, rmspropMomentum } from './base/numbers.js'
import { Optimizer } from './base/optimizer.js'
import { biasCorrection } from './base/scalar-math.js'
import type { UpdateRule } from './base/update-rule.js'

/** Options of {@link RMSProp}. */
export interface RMSPropOptions extends DecayOptions {
  /** β of the mean of squares. Default 0.99 (PyTorch's alpha; Hinton's slides: 0.9). */
  beta?: number
  /** Keeps the quotient finite. Default 1e-8. */
  epsilon?: number
  /** Place of ε: added to the root (`outside`), or under it (`inside`: Keras, TensorFlow, optax). Default `outside`. */
  epsilonPlacement?: 'outside' | 'inside'
  /** μ: momentum on the scaled gradient. Default 0. */
  momentum?: number
  /** Looks ahead along the momentum. Default false. */
  nesterov?: boolean
  /** Subtracts the squared mean, so that gradients are divided by their standard deviation. Default false. */
  centered?: boolean
  /** Divides the averages by 1 − βᵗ. Default false. */
  biasCorrection?: boolean
  /** Keras' and optax' form: the learning rate goes into the momentum. Default false. */
  learningRateInside?: boolean
}

const RULE: UpdateRule = { kernel: 'rmsprop', part: UPDATES, slots: ['square'], numbers: rmsprop, scaledByRate: ['learningRate'] }
const CENTERED: UpdateRule = { ...RULE, kernel: 'rmspropCentered', slots: ['square', 'mean'] }
const MOMENTUM = { part: UPDATES, numbers: rmspropMomentum }
const WITH_MOMENTUM = { ...MOMENTUM, kernel: 'rmspropMomentum', slots: ['square', 'momentum'] }
const CENTERED_WITH_MOMENTUM = { ...MOMENTUM, kernel: 'rmspropCenteredMomentum', slots: ['square', 'mean', 'momentum'] }
const SCALED = ['velocityRate', 'directionRate']
/** The numbers that are proportional to the rate if the rate is part of the momentum. */
const SCALED_INSIDE = ['directionWeight', 'directionRate']

/**
 * Gradient descent with a step of its own for every parameter: the gradient over its root mean square.
 *
 *     s ← β·s + (1 − β)·g²
 *     p ← p − η·g / (√s + ε)
 *     centered:  m ← β·m + (1 − β)·g,  √(s − m²) for √s
 *     momentum:  b ← μ·b + g/(√s + ε),  p ← p − η·b
 *
 * √s evens out scales, so that steep directions do not set the learning rate for flat ones. s starts at 0 uncorrected: the first step is η/√(1 − β)
 * long whatever the gradient, 10 η with the defaults. Use it for recurrent nets and non-stationary losses; Adam is the safer default elsewhere. s −
 * m² is clamped at 0; without that, rounding makes PyTorch return NaN.
 * When not: a first try: Adam is this with momentum and bias correction, and no harder to tune.
 * Defaults: PyTorch. State: 4 bytes a parameter, 4 more each for momentum and centered. Hinton 2012; Graves 2013.
 *
 * @example
 * const optimizer = new RMSProp(model.parameters(), { learningRate: 1e-3, beta: 0.9 })
 */
export class RMSProp extends Optimizer<RMSPropOptions> {
  static override get name() {
    return 'RMSProp'
  }

  static override readonly defaults: Readonly<Record<string, unknown>> = {
    learningRate: 0.01,
    beta: 0.99,
    epsilon: 1e-8,
    epsilonPlacement: 'outside',
    momentum: 0,
    nesterov: false,
    centered: false,
    biasCorrection: false,
    learningRateInside: false,
    ...DECAY_DEFAULTS,
  }
  static override readonly allowed = { epsilonPlacement: ['outside', 'inside'] }
  /** @internal */
  static override readonly rule = ({ centered, momentum, learningRateInside }: Required<RMSPropOptions>): UpdateRule => {
    if (momentum === 0) return centered ? CENTERED : RULE
    return { ...(centered ? CENTERED_WITH_MOMENTUM : WITH_MOMENTUM), scaledByRate: learningRateInside ? SCALED_INSIDE : SCALED }
  }

  protected override checkOptions({ nesterov, momentum }: Required<RMSPropOptions>): void {
    if (nesterov && momentum === 0) throw rangeError(`${this.name}: nesterov wants momentum > 0, got momentum ${momentum}`)
  }

  protected override hyper(o: Required<RMSPropOptions>, t: number): readonly number[] {
    const { learningRate, beta, epsilon, epsilonPlacement, momentum, nesterov, biasCorrection: isCorrected, learningRateInside } = o
    const correction = isCorrected ? biasCorrection(beta, t) : 1
    const sqrtCorrection = Math.sqrt(correction)
    const [directionWeight, velocityScale] = learningRateInside ? [learningRate, 1] : [1, learningRate]
    const [directionRate, velocityRate] = nesterov ? [learningRate, velocityScale * momentum] : [0, velocityScale]
    const [epsilonOut, epsilonIn] = epsilonPlacement === 'outside' ? [sqrtCorrection * epsilon, 0] : [0, correction * epsilon]
    const [oneMinusBeta, inverseCorrection] = [1 - beta, 1 / correction]
    if (momentum === 0)
      return rmsprop({ beta, oneMinusBeta, inverseCorrection, epsilonOut, epsilonIn, learningRate: sqrtCorrection * learningRate })
    return rmspropMomentum({
      beta,
      oneMinusBeta,
      inverseCorrection,
      epsilonOut,
      epsilonIn,
      momentum,
      directionWeight: sqrtCorrection * directionWeight,
      directionRate: sqrtCorrection * directionRate,
      velocityRate,
    })
  }

  protected override update(p: FloatArray, g: FloatArray, slots: FloatArray[], hyper: readonly number[]): void {
    const hasVelocity = hyper.length === 9
    const centered = slots.length === (hasVelocity ? 3 : 2)
    const s = slots[0]
    const m = centered ? slots[1] : undefined
    const b = slots[centered ? 2 : 1]
    const [beta, oneMinusBeta, inverseCorrection, epsilonOut, epsilonIn] = hyper
    const [momentum, directionWeight, directionRate, velocityRate] = hasVelocity ? hyper.slice(5) : [0, 0, hyper[5], 0]
    for (let i = 0; i < p.length; i++) {
      s[i] = beta * s[i] + oneMinusBeta * g[i] * g[i]
      let variance = s[i]
      if (m !== undefined) {
        m[i] += oneMinusBeta * (g[i] - m[i])
        variance = Math.max(0, variance - inverseCorrection * m[i] * m[i])
      }
      const d = g[i] / (Math.sqrt(variance + epsilonIn) + epsilonOut)
      p[i] -= directionRate * d
      if (b !== undefined) {
        b[i] = momentum * b[i] + directionWeight * d
        p[i] -= velocityRate * b[i]
      }
    }
  }
}
