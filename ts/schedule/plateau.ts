/** The learning rate goes down when a metric stops improving. */

import { rangeError, typeError } from '../common/errors.js'
import { atLeast0, fraction, readOptions, type Schema } from '../common/options.js'
import { savedCount } from '../common/saved.js'
import { show } from '../common/show.js'

/** The object that a scheduler changes: anything with groups of options, such as an optimizer. */
export interface Driven {
  readonly groups: readonly { readonly options: object }[]
}

/** Options of {@link ReduceOnPlateau}. */
export interface ReduceOnPlateauOptions {
  /** Direction of improvement: `min` for a loss, `max` for an accuracy. Default `min`. */
  mode?: 'min' | 'max'
  /** New learning rate = factor · old. Default 0.1. */
  factor?: number
  /** Number of calls without improvement that are tolerated; one more reduces the rate. Default 10. */
  patience?: number
  /** Least change that counts as an improvement. Default 1e-4. */
  threshold?: number
  /** `relative`: better by threshold·|best|; `absolute`: better by threshold. Default `relative`. */
  thresholdMode?: 'relative' | 'absolute'
  /** Number of calls after a reduction that are not counted. Default 0. */
  cooldown?: number
  /** Lowest learning rate. Default 0. */
  minimum?: number
  /** Smallest change of the learning rate: smaller ones are not made. Default 1e-8. */
  epsilon?: number
}

export const REDUCE_ON_PLATEAU = {
  mode: { is: ['min', 'max'], default: 'min' },
  factor: { is: fraction, default: 0.1 },
  patience: { is: atLeast0, default: 10 },
  threshold: { is: atLeast0, default: 1e-4 },
  thresholdMode: { is: ['relative', 'absolute'], default: 'relative' },
  cooldown: { is: atLeast0, default: 0 },
  minimum: { is: atLeast0, default: 0 },
  epsilon: { is: atLeast0, default: 1e-8 },
} satisfies Schema<ReduceOnPlateauOptions>

/**
 * Reduces the learning rate of all groups when a metric has not improved for more than `patience` calls. PyTorch's rules, except that a relative
 * threshold refers to |best|, so that negative metrics work. NaN never improves. As a callback of `fit` it watches the validation loss, or the
 * training loss without validation data.
 *
 * @example
 * const plateau = new ReduceOnPlateau(optimizer, { factor: 0.5, patience: 3 })
 * for (let epoch = 0; epoch < 10; epoch++) plateau.step(evaluateModel(model, { inputs, targets, loss: crossEntropy }).loss)
 * optimizer.learningRate // 0.00025: no better after three epochs, nor after three more
 *
 * await fit(model, { inputs, targets, loss: crossEntropy, optimizer, validationFraction: 0.2, callbacks: [new ReduceOnPlateau(optimizer)] })
 */
export class ReduceOnPlateau {
  /** Best metric so far. */
  best: number
  /** Number of calls since the best metric, without calls during a cooldown. */
  badSteps = 0
  /** Remaining calls of the cooldown. */
  cooldownLeft = 0
  readonly options: Required<ReduceOnPlateauOptions>
  private readonly optimizer: Driven

  /** @throws RangeError for a factor outside (0, 1), negative counts or thresholds, unknown modes */
  constructor(optimizer: Driven, options: ReduceOnPlateauOptions = {}) {
    if (!Array.isArray(optimizer?.groups)) throw typeError(`ReduceOnPlateau: wants an optimizer, got ${show(optimizer)}`)
    this.optimizer = optimizer
    this.options = readOptions('ReduceOnPlateau', options, REDUCE_ON_PLATEAU)
    this.best = this.worst
  }

  /** Takes the metric of another epoch into account; true if the learning rate went down. */
  step(metric: number): boolean {
    if (this.improves(metric)) {
      this.best = metric
      this.badSteps = 0
    } else this.badSteps++
    if (this.cooldownLeft > 0) {
      this.cooldownLeft--
      this.badSteps = 0
    }
    if (this.badSteps <= this.options.patience) return false
    this.cooldownLeft = this.options.cooldown
    this.badSteps = 0
    return this.reduce()
  }

  /** The callback of `fit`. @throws RangeError for mode 'max', as it watches a loss */
  onEpochEnd({ loss, validation = { loss } }: { loss: number; validation?: { loss: number } }): void {
    if (this.options.mode === 'max') throw rangeError("ReduceOnPlateau: a callback of fit watches the loss, which wants mode 'min'")
    this.step(validation.loss)
  }

  /** The state for {@link loadState}. */
  state(): { best: number; badSteps: number; cooldownLeft: number } {
    const { best, badSteps, cooldownLeft } = this
    return { best, badSteps, cooldownLeft }
  }

  /** @throws TypeError for anything but a saved state, RangeError for invalid counts; nothing is changed then */
  loadState(state: { best: number; badSteps: number; cooldownLeft: number }): void {
    if (typeof state?.badSteps !== 'number')
      throw typeError(`ReduceOnPlateau.loadState(): wants { best, badSteps, cooldownLeft }, got ${show(state)}`)
    // before the first step the best is infinite, which JSON writes as null
    const best: unknown = state.best ?? this.worst
    if (typeof best !== 'number') throw typeError(`ReduceOnPlateau.loadState(): best wants a number, got ${show(best)}`)
    const badSteps = savedCount(state.badSteps, 'ReduceOnPlateau.loadState(): badSteps')
    this.cooldownLeft = savedCount(state.cooldownLeft, 'ReduceOnPlateau.loadState(): cooldownLeft')
    this.badSteps = badSteps
    this.best = best
  }

  private get worst(): number {
    return this.options.mode === 'min' ? Infinity : -Infinity
  }

  private improves(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.options
    if (this.best === this.worst) return metric === metric && metric !== this.worst
    const margin = thresholdMode === 'absolute' ? threshold : threshold * Math.abs(this.best)
    return mode === 'min' ? metric < this.best - margin : metric > this.best + margin
  }

  private reduce(): boolean {
    const { factor, minimum, epsilon } = this.options
    let changed = false
    for (const { options } of this.optimizer.groups as readonly { options: { learningRate: number } }[]) {
      const next = Math.max(options.learningRate * factor, minimum)
      if (options.learningRate - next <= epsilon) continue
      options.learningRate = next
      changed = true
    }
    return changed
  }
}
