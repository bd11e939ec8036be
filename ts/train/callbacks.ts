/** Callbacks: what to do besides training, at the end of each batch and epoch. */

import { typeError } from '../common/errors.js'
import { list } from '../common/names.js'
import { show } from '../common/show.js'
import type { Module } from '../nn/module.js'
import type { OptimizerLike } from '../optim/wrappers/wrapper.js'
import type { Rows } from './data.js'
import type { EpochRecord, History } from './history.js'
import type { RunningMeans } from './metrics.js'
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
  /** @internal means of losses and metrics over the batches of the epoch so far */
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
