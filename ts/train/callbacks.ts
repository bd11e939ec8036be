/** Callbacks: actions besides training, at the end of each batch and epoch. */

import { plainError, typeError } from '../common/errors.js'
import { list } from '../common/names.js'
import { show } from '../common/show.js'
import type { Loss } from '../loss/loss.js'
import type { Module } from '../nn/module.js'
import type { ShowsAverages } from '../optim/base/averaging.js'
import type { OptimizerLike } from '../optim/wrappers/wrapper.js'
import type { Rows } from './data.js'
import type { EpochRecord, History } from './history.js'
import type { RunningMeans } from './metrics.js'
import type { WholeStepOptimizer } from './whole-step-optimizer.js'

/** Position of the training. These numbers are for people: epochs and batches count from 1. */
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
  /** Only in onEpochEnd, with validation data. */
  validation?: { loss: number } & Record<string, number>
  learningRate: number
  samplesPerSecond: number
  /** Estimated seconds until the last epoch ends. */
  secondsLeft: number
}

/** Actions that a callback can request. */
export interface TrainingControl {
  readonly model: Module
  /** Ends training after this batch; `reason` is kept in the history. Default `stopped`. */
  stop(reason?: string): void
}

/** Hooks; all optional, each may be asynchronous. An error in one stops training and names it. */
export interface Callback {
  /** The name of the callback in error messages. */
  name?: string
  onTrainBegin?(control: TrainingControl, training: Training): void | Promise<void>
  onBatchEnd?(progress: Progress, control: TrainingControl): void | Promise<void>
  /** The model holds the weights that validation saw: averages of the optimizers that have them, such as ScheduleFreeAdamW. */
  onEpochEnd?(progress: Progress, control: TrainingControl): void | Promise<void>
  /** Called after onEpochEnd of all callbacks, to save the training: the model then holds the trained weights again. */
  onEpochSaved?(progress: Progress, training: Training): void | Promise<void>
  /** Called at the end of training, also when training diverged, before the NonFiniteError is thrown. */
  onTrainEnd?(control: TrainingControl): void | Promise<void>
  /**
   * Called within epochs, to save the training: after each batch except the last one of its epoch or, if no callback watches batches, every few
   * milliseconds. Not called while batches wait for others whose gradients are added to theirs. If it changes the model it must return a promise; if
   * it did nothing it returns undefined.
   */
  onBatchSaved?(progress: Progress, training: Training): void | Promise<void>
  /**
   * Called at the same steps as {@link onBatchSaved}, and after the last batch of an epoch, to look at the training. It must leave the model as it
   * is: steps before and after it may run in one recording.
   */
  onPause?(progress: Progress, training: Training): void
  /**
   * {@link onBatchSaved} and {@link onPause} are called after each step whose number is a multiple of this, which may change from call to call.
   * Default: whenever a block of steps ends.
   */
  readonly savesEvery?: number
  /** The callback's state from epoch to epoch, which {@link Checkpoint} saves with the training. */
  state?(): object
  /** Restores a state, in the middle of a training. */
  loadState?(state: never, control: TrainingControl): void
}

/** A training between two batches, for code that saves or resumes it. */
export interface Training {
  /** @internal the trained objects and the data */
  readonly plan: {
    readonly model: Module
    readonly rows: Rows
    readonly epochs: number
    readonly batchSize: number
    readonly batchesPerEpoch: number
    readonly validation: Rows | null
    readonly options: {
      readonly loss: Loss
      readonly optimizer: OptimizerLike | WholeStepOptimizer
      readonly shuffle: boolean
      readonly seed: number
    }
  }
  readonly callbacks: readonly Callback[]
  readonly history: History
  readonly control: TrainingControl
  /** True if training ends here. */
  readonly isStopped: boolean
  /** Seconds since `fit` was called. */
  readonly secondsSoFar: number
  /** @internal means of losses and metrics over the batches of the epoch so far */
  readonly means: Pick<RunningMeans, 'samples' | 'lossSum' | 'sums' | 'kept'>
  /** Seconds since the epoch began. */
  readonly secondsOfEpoch: number
  /** Batches of the unfinished epoch so far; 0 between two epochs. */
  readonly batchesOfEpoch: number
  /** Continues after these epochs, which took `seconds`, and after `batches` batches of the next one. */
  goOnAfter(epochs: readonly EpochRecord[], seconds: number, batches?: number, secondsOfEpoch?: number): void
}

/** The source of a resumed training: {@link Checkpoint}, or the result of {@link resumeFrom}. */
export interface Resume {
  /** Restores model, optimizer and callbacks; called before the first step. */
  restore(training: Training): void | Promise<void>
}

const HOOKS = ['onTrainBegin', 'onBatchEnd', 'onBatchSaved', 'onPause', 'onEpochEnd', 'onEpochSaved', 'onTrainEnd'] as const

/**
 * @internal
 * @throws TypeError for anything but objects with hooks
 */
export function checkCallbacks(who: string, callbacks: readonly Callback[]): readonly Callback[] {
  callbacks.forEach((callback, i) => {
    if (!HOOKS.some((hook) => typeof callback?.[hook] === 'function'))
      throw typeError(`${who}: callbacks[${i}] wants an object with ${list(HOOKS)}, got ${show(callback)}`)
  })
  return callbacks
}

/** @internal the parts of a training that the end of an epoch concerns */
interface EndsEpochs extends Pick<Training, 'plan' | 'history' | 'control' | 'secondsOfEpoch' | 'callbacks'> {
  validate(progress: Progress): Progress['validation']
  /** Reports progress. */
  tell(progress: Progress): unknown
  callEach(hook: keyof Callback, invoke: (callback: Callback) => void | Promise<void>): unknown
}

/** @internal validates at the end of an epoch, and adds its record to the history */
export async function recordEpoch(run: EndsEpochs, progress: Progress): Promise<void> {
  // if the optimizer trains an average (ScheduleFreeAdamW, ASGD), the average is evaluated and kept
  const restore = (run.plan.options.optimizer as ShowsAverages).showAverages?.()
  try {
    const validation = run.validate(progress)
    const { epoch, loss, metrics, learningRate } = progress
    const record: EpochRecord = { epoch, loss, metrics, learningRate, seconds: run.secondsOfEpoch }
    if (validation) progress.validation = record.validation = validation
    run.history.epochs.push(record)
    await run.tell(progress)
    await run.callEach('onEpochEnd', (c) => c.onEpochEnd?.(progress, run.control))
  } finally {
    restore?.()
  }
}

/** @internal calls a hook of each callback. @param ran is called after each of them, with true if it returned nothing */
export async function callEach(
  who: string,
  callbacks: readonly Callback[],
  hook: keyof Callback,
  invoke: (callback: Callback) => void | Promise<void>,
  ran: (returnedNothing: boolean) => void,
): Promise<void> {
  for (const [i, callback] of callbacks.entries()) {
    try {
      const result = invoke(callback)
      if (result !== undefined) await result
      ran(result === undefined)
    } catch (cause) {
      throw callbackError(who, hook, callback.name ?? i, cause)
    }
  }
}

/** The error of a callback, with the name of the callback. */
function callbackError(who: string, hook: string, name: string | number, cause: unknown): Error {
  return plainError(`${who}: ${hook} of callback ${name} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}
