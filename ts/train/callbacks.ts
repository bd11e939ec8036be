/** Callbacks: what to do besides training, at the end of each batch and epoch. */

import { checkChoice, checkCount } from '../common/checks.js'
import { plainError, rangeError, typeError } from '../common/errors.js'
import { checkNames, list } from '../common/names.js'
import { show } from '../common/show.js'
import type { Module } from '../nn/module.js'
import type { MetricName } from './metrics.js'

/** Where training is. Numbers that people read: epochs and batches count from 1. */
export interface Progress {
  epoch: number
  epochs: number
  /** Steps since the start of training. */
  step: number
  batch: number
  batchesPerEpoch: number
  /** Mean over the epoch so far. */
  loss: number
  /** Means over the epoch so far, by name. */
  metrics: Record<string, number>
  /** Only in onEpochEnd, where there is validation data. */
  validation?: { loss: number } & Record<string, number>
  learningRate: number
  samplesPerSecond: number
  /** Estimated seconds until the last epoch ends. */
  secondsLeft: number
}

/** What a callback can do. */
export interface TrainingControl {
  readonly model: Module
  /** Ends training after this batch; `reason` is kept in the history. Default `stopped`. */
  stop(reason?: string): void
}

/** Hooks; all optional, each may be asynchronous. An error in one stops training and names it. */
export interface Callback {
  /** The name of the callback in error messages. */
  name?: string
  onTrainBegin?(control: TrainingControl): void | Promise<void>
  onBatchEnd?(progress: Progress, control: TrainingControl): void | Promise<void>
  /** The model holds the weights that validation saw: averages of the optimizers that have them, such as ScheduleFreeAdamW. */
  onEpochEnd?(progress: Progress, control: TrainingControl): void | Promise<void>
  /** It is also called before a NonFiniteError is thrown, when training diverged. */
  onTrainEnd?(control: TrainingControl): void | Promise<void>
}

const HOOKS = ['onTrainBegin', 'onBatchEnd', 'onEpochEnd', 'onTrainEnd'] as const

/** @internal @throws TypeError for what is no list of objects with hooks */
export function checkCallbacks(callbacks: readonly Callback[] = []): readonly Callback[] {
  if (!Array.isArray(callbacks)) throw typeError(`fit: callbacks wants an array, got ${show(callbacks)}`)
  callbacks.forEach((callback, i) => {
    if (!HOOKS.some((hook) => typeof callback?.[hook] === 'function'))
      throw typeError(`fit: callbacks[${i}] wants an object with ${list(HOOKS)}, got ${show(callback)}`)
  })
  return callbacks
}

/** Options of {@link EarlyStopping}. */
export interface EarlyStoppingOptions {
  /**
   * `loss`, `validation.loss` (or Keras' name for it, `valLoss`), or a metric: `validation.accuracy` of the validation data, `accuracy` of them
   * if there are any, else of training. Default `validation.loss`.
   */
  monitor?: 'loss' | 'validation.loss' | MetricName | (string & Record<never, never>)
  /** So many epochs without improvement end training. Default 5. */
  patience?: number
  /** Smallest change that counts as an improvement. Default 0. */
  minDelta?: number
  /** Whether less or more is better. Default: `max` for accuracies, `min` for losses and errors; of other values it has to be said. */
  mode?: 'min' | 'max'
  /** Put the weights of the best epoch back at the end. Default true. */
  restoreBest?: boolean
}

/**
 * Stops when a value has not improved for `patience` epochs, and puts the best weights back: also when training diverges. Of an
 * optimizer that trains other weights than it judges by (ScheduleFreeAdamW, ASGD) these are the averages: the model is ready as it
 * is then, and `optimizer.evaluate` not needed.
 * @example
 * const callbacks = [new EarlyStopping({ patience: 3 })]
 * await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 100, validationSplit: 0.2, callbacks })
 */
export class EarlyStopping implements Callback {
  readonly name = 'EarlyStopping'
  /** The epoch with the best value so far, 0 before the first. */
  bestEpoch = 0
  bestValue = Number.NaN
  private waited = 0
  private bestState: Record<string, Float32Array | Float64Array> | null = null
  private readonly options: Required<EarlyStoppingOptions>

  constructor(options: EarlyStoppingOptions = {}) {
    checkNames('EarlyStopping', options, ['patience', 'monitor', 'minDelta', 'mode', 'restoreBest'])
    const { monitor = 'validation.loss', patience = 5, minDelta = 0, restoreBest = true } = options
    checkCount('EarlyStopping: patience', patience, 0)
    if (!(minDelta >= 0)) throw rangeError(`EarlyStopping: minDelta wants a number ≥ 0, got ${show(minDelta)}`)
    const mode = options.mode ?? usualMode(monitor)
    checkChoice('EarlyStopping: mode', mode, ['min', 'max'])
    this.options = { monitor, patience, minDelta, mode, restoreBest }
  }

  onTrainBegin(): void {
    this.bestEpoch = 0
    this.bestValue = Number.NaN
    this.waited = 0
    this.bestState = null
  }

  onEpochEnd(progress: Progress, control: TrainingControl): void {
    const { monitor, patience, restoreBest } = this.options
    const value = monitored(progress, monitor, 'EarlyStopping')
    if (this.improves(value)) {
      this.bestEpoch = progress.epoch
      this.bestValue = value
      this.waited = 0
      if (restoreBest) this.bestState = control.model.state()
    } else if (++this.waited >= Math.max(patience, 1)) {
      control.stop(
        `${monitor} has not improved on ${this.bestValue.toPrecision(4)} (epoch ${this.bestEpoch}) for ${this.waited} epoch${this.waited === 1 ? '' : 's'}`,
      )
    }
  }

  onTrainEnd(control: TrainingControl): void {
    if (this.bestState !== null) control.model.loadState(this.bestState)
    this.bestState = null
  }

  /** Whether a value is an improvement. NaN never is. */
  private improves(value: number): boolean {
    if (Number.isNaN(value)) return false
    const { mode, minDelta } = this.options
    return Number.isNaN(this.bestValue) || (mode === 'min' ? value < this.bestValue - minDelta : value > this.bestValue + minDelta)
  }
}

function usualMode(monitor: string): 'min' | 'max' {
  if (/accuracy|auc|f1|r2|precision|recall/i.test(monitor)) return 'max'
  if (/loss|error|mse|mae|mape|brier/i.test(monitor)) return 'min'
  throw rangeError(`EarlyStopping: say whether more of '${monitor}' is better, mode: 'max', or less, mode: 'min'`)
}

/**
 * Stops as soon as the (validation) loss is below a threshold.
 *
 * @example await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, callbacks: [new TargetLoss(0.01)] })
 */
export class TargetLoss implements Callback {
  readonly name = 'TargetLoss'
  private readonly target: number
  private readonly monitor: string

  constructor(target: number, monitor = 'loss') {
    if (!Number.isFinite(target)) throw rangeError(`TargetLoss: target wants a finite number, got ${show(target)}`)
    this.target = target
    this.monitor = monitor
  }

  onEpochEnd(progress: Progress, control: TrainingControl): void {
    const value = monitored(progress, this.monitor, 'TargetLoss')
    if (value <= this.target) control.stop(`${this.monitor} ${value.toPrecision(4)} reached the target ${this.target}`)
  }
}

/** @internal a value of the progress by name. @throws Error naming the values there are */
function monitored(progress: Progress, name: string, who: string): number {
  const { loss, metrics, validation } = progress
  if (name === 'loss') return loss
  const judged = name === 'valLoss' ? 'loss' : /^validation\.(.*)/.exec(name)?.[1]
  const value = judged === undefined ? (validation?.[name] ?? metrics[name]) : validation?.[judged]
  if (value !== undefined) return value
  const known = ['loss', ...Object.keys(metrics), ...Object.keys(validation ?? {}).map((key) => `validation.${key}`)].join(', ')
  throw plainError(
    `${who}: there is no '${name}' to watch, only ${known}${judged && !validation ? '; give fit validation data or a validationSplit' : ''}`,
  )
}
