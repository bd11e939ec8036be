/** A callback that ends a training which no longer gets better. */

import { typeError } from '../common/errors.js'
import { atLeast0, countFrom0, flag, readOptions, type Schema, text } from '../common/options.js'
import { savedCount } from '../common/saved.js'
import { show } from '../common/show.js'
import { BestValue, type BestValueState, monitored } from './best-value.js'
import type { Callback, Progress, TrainingControl } from './callbacks.js'
import type { MetricName } from './metrics.js'

/** Options of {@link EarlyStopping}. */
export interface EarlyStoppingOptions {
  /**
   * `loss`, `validation.loss` (or Keras' name for it, `valLoss`), or a metric: `validation.accuracy`, or `accuracy`, which is the validation data's
   * if there are any, else the training data's. Default `validation.loss`.
   */
  monitor?: 'loss' | 'validation.loss' | MetricName | (string & Record<never, never>)
  /** Number of epochs without improvement after which training ends. Default 5. */
  patience?: number
  /** Smallest change that counts as an improvement. Default 0. */
  minDelta?: number
  /** Direction of improvement. Default: `max` for accuracies, `min` for losses and errors; required for other values. */
  mode?: 'min' | 'max'
  /** Restores the weights of the best epoch at the end. Default true. */
  restoreBest?: boolean
}

export const EARLY_STOPPING = {
  patience: { is: countFrom0, default: 5 },
  monitor: { is: text, default: 'validation.loss' },
  minDelta: { is: atLeast0, default: 0 },
  mode: { is: ['min', 'max'] },
  restoreBest: { is: flag, default: true },
} satisfies Schema<EarlyStoppingOptions>

/**
 * Stops when a value has not improved for `patience` epochs, and restores the best weights, even if training diverges. With an averaging optimizer
 * (ScheduleFreeAdamW, ASGD) these are the averages: the model is then ready to use, and `optimizer.evaluate` is not needed.
 * @example
 * const callbacks = [new EarlyStopping({ patience: 3 })]
 * await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 100, validationFraction: 0.2, callbacks })
 */
export class EarlyStopping implements Callback {
  readonly name = 'EarlyStopping'
  private readonly best: BestValue
  private waited = 0
  private bestState: Record<string, Float32Array | Float64Array> | null = null
  private readonly options: Required<Pick<EarlyStoppingOptions, 'monitor' | 'patience' | 'restoreBest'>>

  constructor(options: EarlyStoppingOptions = {}) {
    const { monitor, patience, minDelta, restoreBest, mode } = readOptions('EarlyStopping', options, EARLY_STOPPING)
    this.best = new BestValue('EarlyStopping', monitor, mode, minDelta)
    this.options = { monitor, patience, restoreBest }
  }

  /** The epoch with the best value so far, 0 before the first. */
  get bestEpoch(): number {
    return this.best.epoch
  }

  /** NaN before the first epoch. */
  get bestValue(): number {
    return this.best.value
  }

  onTrainBegin(): void {
    this.best.reset()
    this.waited = 0
    this.bestState = null
  }

  onEpochEnd(progress: Progress, control: TrainingControl): void {
    const { monitor, restoreBest } = this.options
    if (this.best.improvesBy(monitored(progress, monitor, 'EarlyStopping'), progress.epoch)) {
      this.waited = 0
      if (restoreBest) this.bestState = control.model.state()
    } else {
      this.waited++
      this.stopWhenOver(control)
    }
  }

  private stopWhenOver(control: TrainingControl): void {
    const { waited, bestValue, bestEpoch } = this
    const { monitor, patience } = this.options
    if (waited < Math.max(patience, 1)) return
    control.stop(
      `${monitor} has not improved on ${bestValue.toPrecision(4)} (epoch ${bestEpoch}) for ${waited} epoch${waited === 1 ? '' : 's'}`,
    )
  }

  onTrainEnd(control: TrainingControl): void {
    if (this.bestState !== null) control.model.loadState(this.bestState)
    this.bestState = null
  }

  /** The state that {@link Checkpoint} saves: progress and best weights. */
  state(): EarlyStoppingState {
    return { ...this.best.state(), waited: this.waited, bestState: this.bestState }
  }

  /** @throws TypeError, RangeError for anything but a saved state; nothing is changed then */
  loadState(state: EarlyStoppingState, control: TrainingControl): void {
    const { waited, bestState } = state ?? {}
    savedCount(waited, 'EarlyStopping.loadState(): waited')
    if (typeof bestState !== 'object') throw typeError(`EarlyStopping.loadState(): bestState wants weights, got ${show(bestState)}`)
    this.best.loadState(state)
    this.waited = waited
    this.bestState = bestState
    this.stopWhenOver(control)
  }
}

/** The state of an {@link EarlyStopping}. */
export interface EarlyStoppingState extends BestValueState {
  waited: number
  bestState: Record<string, Float32Array | Float64Array> | null
}
