/** Callbacks: what to do besides training, at the end of each batch and epoch. */

import { checkChoice, checkCount } from '../common/checks.js'
import { plainError, rangeError, typeError } from '../common/errors.js'
import { checkNames, list } from '../common/names.js'
import { savedCount } from '../common/saved.js'
import { show } from '../common/show.js'
import type { Module } from '../nn/module.js'
import type { OptimizerLike } from '../optim/wrappers/wrapper.js'
import type { Rows } from './data.js'
import type { EpochRecord, History } from './history.js'
import type { MetricName, RunningMeans } from './metrics.js'
import type { WholeStepOptimizer } from './whole-step-optimizer.js'

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
  /** After onEpochEnd of all callbacks, for what saves the training: the model holds the weights that are trained again. */
  onEpochSaved?(progress: Progress, training: Training): void | Promise<void>
  /** It is also called before a NonFiniteError is thrown, when training diverged. */
  onTrainEnd?(control: TrainingControl): void | Promise<void>
  /**
   * Within epochs, for what saves the training there: after each batch that is not the last one of its epoch or, where nobody watches batches,
   * after those of a few milliseconds. Not while batches wait for others whose gradients are added to theirs.
   * What changes the model here returns a promise; there is none where nothing was done.
   */
  onBatchSaved?(progress: Progress, training: Training): void | Promise<void>
  /** {@link onBatchSaved} follows each step whose number is a multiple of this. Default: it comes when it suits. */
  readonly savesEvery?: number
  /** What the callback remembers from epoch to epoch: saved with the training by {@link Checkpoint}. */
  state?(): object
  /** Goes on from a state, in the midst of a training. */
  loadState?(state: never, control: TrainingControl): void
}

/** A training between two batches: what saves it reads, and what goes on with it sets. */
export interface Training {
  /** @internal what is trained, and on what */
  readonly plan: {
    readonly model: Module
    readonly rows: Rows
    readonly epochs: number
    readonly batchSize: number
    readonly batchesPerEpoch: number
    readonly options: { readonly optimizer: OptimizerLike | WholeStepOptimizer; readonly shuffle?: boolean; readonly seed?: number }
  }
  readonly callbacks: readonly Callback[]
  readonly history: History
  readonly control: TrainingControl
  /** Whether training ends here. */
  readonly isStopped: boolean
  /** Since `fit` was called. */
  readonly secondsSoFar: number
  /** @internal of the batches of the epoch so far, its losses and metrics */
  readonly means: RunningMeans
  /** Since the epoch began. */
  readonly secondsOfEpoch: number
  /** Goes on after these epochs, which took so many seconds, and after so many batches of the next one. */
  goOnAfter(epochs: readonly EpochRecord[], seconds: number, batches?: number, secondsOfEpoch?: number): void
}

/** Where a training goes on: {@link Checkpoint}, or what {@link resumeFrom} gives. */
export interface Resume {
  /** Puts model, optimizer and callbacks where they were; called before the first step. */
  restore(training: Training): void | Promise<void>
}

const HOOKS = ['onTrainBegin', 'onBatchEnd', 'onBatchSaved', 'onEpochEnd', 'onEpochSaved', 'onTrainEnd'] as const

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
  private readonly best: BestValue
  private waited = 0
  private bestState: Record<string, Float32Array | Float64Array> | null = null
  private readonly options: Required<Pick<EarlyStoppingOptions, 'monitor' | 'patience' | 'restoreBest'>>

  constructor(options: EarlyStoppingOptions = {}) {
    checkNames('EarlyStopping', options, ['patience', 'monitor', 'minDelta', 'mode', 'restoreBest'])
    const { monitor = 'validation.loss', patience = 5, minDelta = 0, restoreBest = true } = options
    checkCount('EarlyStopping: patience', patience, 0)
    this.best = new BestValue('EarlyStopping', monitor, options.mode, minDelta)
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

  /** What {@link Checkpoint} saves: how far it is, with the best weights. */
  state(): EarlyStoppingState {
    return { ...this.best.state(), waited: this.waited, bestState: this.bestState }
  }

  /** @throws TypeError, RangeError for what is no state of one; then nothing was changed */
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

/** What an {@link EarlyStopping} remembers. */
export interface EarlyStoppingState extends BestValueState {
  waited: number
  bestState: Record<string, Float32Array | Float64Array> | null
}

/** The best of a value so far. */
export interface BestValueState {
  /** 0 before the first. */
  bestEpoch: number
  /** NaN before the first. */
  bestValue: number
}

/** @internal the best of a monitored value so far */
export class BestValue {
  epoch = 0
  value = Number.NaN
  private readonly mode: 'min' | 'max'

  /** @throws RangeError where nobody says what is better */
  constructor(
    private readonly who: string,
    readonly monitor: string,
    mode: 'min' | 'max' | undefined,
    private readonly minDelta = 0,
  ) {
    if (!(minDelta >= 0)) throw rangeError(`${who}: minDelta wants a number ≥ 0, got ${show(minDelta)}`)
    this.mode = mode ?? usualMode(who, monitor)
    checkChoice(`${who}: mode`, this.mode, ['min', 'max'])
  }

  reset(): void {
    this.epoch = 0
    this.value = Number.NaN
  }

  /** Takes a value into account: whether it is the best so far. NaN never is. */
  improvesBy(value: number, epoch: number): boolean {
    const { mode, minDelta } = this
    const isBetter = mode === 'min' ? value < this.value - minDelta : value > this.value + minDelta
    if (!(isBetter || (Number.isNaN(this.value) && !Number.isNaN(value)))) return false
    this.value = value
    this.epoch = epoch
    return true
  }

  state(): BestValueState {
    return { bestEpoch: this.epoch, bestValue: this.value }
  }

  /** @throws TypeError, RangeError for what is no state of one */
  loadState({ bestEpoch, bestValue }: BestValueState): void {
    savedCount(bestEpoch, `${this.who}.loadState(): bestEpoch`)
    if (typeof bestValue !== 'number') throw typeError(`${this.who}.loadState(): bestValue wants a number, got ${show(bestValue)}`)
    this.epoch = bestEpoch
    this.value = bestValue
  }
}

function usualMode(who: string, monitor: string): 'min' | 'max' {
  if (/accuracy|auc|f1|r2|precision|recall/i.test(monitor)) return 'max'
  if (/loss|error|mse|mae|mape|brier/i.test(monitor)) return 'min'
  throw rangeError(`${who}: say whether more of '${monitor}' is better, mode: 'max', or less, mode: 'min'`)
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
  private last = Number.NaN

  constructor(target: number, monitor = 'loss') {
    if (!Number.isFinite(target)) throw rangeError(`TargetLoss: target wants a finite number, got ${show(target)}`)
    this.target = target
    this.monitor = monitor
  }

  onEpochEnd(progress: Progress, control: TrainingControl): void {
    const value = monitored(progress, this.monitor, 'TargetLoss')
    this.last = value
    this.stopWhenOver(control)
  }

  private stopWhenOver(control: TrainingControl): void {
    const { last, monitor, target } = this
    if (last <= target) control.stop(`${monitor} ${last.toPrecision(4)} reached the target ${target}`)
  }

  /** What {@link Checkpoint} saves. */
  state(): { last: number } {
    return { last: this.last }
  }

  /** @throws TypeError for what is no state of one */
  loadState(state: { last: number }, control: TrainingControl): void {
    if (typeof state?.last !== 'number') throw typeError(`TargetLoss.loadState(): last wants a number, got ${show(state?.last)}`)
    this.last = state.last
    this.stopWhenOver(control)
  }
}

/** @internal a value of the progress by name. @throws Error naming the values there are */
export function monitored(progress: Progress, name: string, who: string): number {
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
