/** Checkpoints: a training saved to files, from which it can be resumed. */

import { clock } from '../common/clock.js'
import { plainError, rangeError, typeError } from '../common/errors.js'
import { anything, checkOptions, count, object, positive, type Read, readOptions, type Schema, text } from '../common/options.js'
import { savedCount } from '../common/saved.js'
import { show } from '../common/show.js'
import { warnOnce } from '../common/warn.js'
import { BestValue, type BestValueState, monitored } from '../train/best-value.js'
import type { Callback, Progress, Resume, Training } from '../train/callbacks.js'
import { bytesFrom, checkPath, earlierOf, type Files, filesHere, KEPT, type ModelSource, siblingOf } from './storage.js'
import { encodeTraining, restoreTraining, type StatefulPart } from './training-file.js'

/** Period of a {@link Checkpoint}; the end of the last epoch is always saved. */
export interface CheckpointPeriod {
  /** Saves at the end of every `epochs` epochs. Default 1; if `steps` is given, only at the last epoch. */
  epochs?: number
  /** Saves after every this many steps, counted from the start of training, also within epochs. Default: at the ends of epochs. */
  steps?: number
  /**
   * Saves once this many minutes have passed since the last file, also within epochs; with `epochs` or `steps`, at the first of their times
   * after that. Default: each time.
   */
  minutes?: number
}

/** Options of {@link Checkpoint}. */
export interface CheckpointOptions {
  /** Period of saving. Default: at the end of each epoch. */
  every?: CheckpointPeriod
  /** Number of earlier files that are kept: the one before `run.safetensors` is `run.1.safetensors`, and so on. Default 2. */
  keep?: number
  /**
   * Monitored value, named as for {@link EarlyStopping}: the epoch with the best value so far is also saved as `run.best.safetensors`. Default: none.
   */
  monitor?: string
  /** Direction of improvement. Default: `max` for accuracies, `min` for losses and errors; required for other values. */
  mode?: 'min' | 'max'
  /** Other objects of the training, under names of your own: a `Scheduler`, a `WeightAverage`, anything with state() and loadState(). Default: none. */
  parts?: Readonly<Record<string, StatefulPart>>
}

export const PERIOD = { epochs: { is: count }, steps: { is: count }, minutes: { is: positive } } satisfies Schema<CheckpointPeriod>

export const CHECKPOINT = {
  every: { is: anything, default: {}, holds: PERIOD },
  keep: { is: KEPT, default: 2 },
  monitor: { is: text },
  mode: { is: ['min', 'max'] },
  parts: { is: object, default: {} },
} satisfies Schema<CheckpointOptions>

/**
 * Saves a training to a file, at the ends of epochs or after a number of steps or minutes, so that it can be resumed, also within an epoch. The file
 * has model, optimizer, history, callbacks with a state, such as {@link EarlyStopping} with its best weights, the position within the epoch, and the
 * state of the random generators. A training that is stopped saves at once, except while a GradientAccumulation holds batches back; then the previous
 * file stays. A resumed training ends with the same bits as an uninterrupted one; in another runtime as well, with `load({ reproducible: true })`.
 *
 * As `resume` of `fit` it continues from the last intact file, or from the start if there is none: after a kill, just start the program again. Files
 * are written all or nothing, as by {@link saveModel}, and {@link loadModel} reads them: their model is the one that validation used.
 *
 * @example
 * const checkpoint = new Checkpoint('run.safetensors', { every: { epochs: 5 }, monitor: 'validation.loss' })
 * const options = { inputs, targets, loss: crossEntropy, optimizer, epochs: 20, validation: { inputs, targets } }
 * const history = await fit(model, { ...options, callbacks: [checkpoint], resume: checkpoint })
 * history.epochs.length // 20
 * const best = await loadModel('run.best.safetensors')
 * @throws TypeError, RangeError for an invalid path or option; `fit` throws Error if a file cannot be written, or if it belongs to another model,
 *   other data or other options
 */
export class Checkpoint implements Callback, Resume {
  readonly name = 'Checkpoint'
  private readonly options: Read<CheckpointOptions, typeof CHECKPOINT>
  private readonly every: CheckpointPeriod
  private readonly files: Files
  private readonly best: BestValue | null
  private isBest = false
  private lastSaved = clock.now()
  private lastStep = 0

  constructor(
    readonly path: string,
    options: CheckpointOptions = {},
  ) {
    checkPath('Checkpoint', path)
    this.options = readOptions('Checkpoint', options, CHECKPOINT)
    const { every, monitor, mode, parts } = this.options
    this.every = checkOptions('Checkpoint: every', every, PERIOD)
    if (mode !== undefined && monitor === undefined) throw rangeError('Checkpoint: mode says what is better of monitor, which is not given')
    for (const [name, part] of Object.entries(parts))
      if (typeof part?.state !== 'function' || typeof part.loadState !== 'function')
        throw typeError(`Checkpoint: parts wants what has state() and loadState(), got ${show(part)} for '${name}'`)
    this.best = monitor === undefined ? null : new BestValue('Checkpoint', monitor, mode)
    this.files = filesHere('Checkpoint')
  }

  onTrainBegin(): void {
    this.best?.reset()
    this.lastSaved = clock.now()
    this.lastStep = 0
  }

  /** @internal blocks of steps end at the steps after which it saves */
  get savesEvery(): number {
    return this.every.steps ?? Number.POSITIVE_INFINITY
  }

  onBatchSaved(progress: Progress, training: Training): Promise<void> | undefined {
    this.isBest = false
    return training.isStopped || this.isDue(progress, false) ? this.save(progress, training) : undefined
  }

  onEpochEnd(progress: Progress): void {
    const { best } = this
    this.isBest = best?.improvesBy(monitored(progress, best.monitor, 'Checkpoint'), progress.epoch) ?? false
  }

  async onEpochSaved(progress: Progress, training: Training): Promise<void> {
    const isDue = training.isStopped || this.isDue(progress, true)
    if (isDue || this.isBest) await this.save(progress, training, isDue)
  }

  private async save({ step }: Progress, training: Training, isDue = true): Promise<void> {
    const { path, files, options } = this
    const { keep, parts } = options
    const bytes = encodeTraining(training, parts)
    if (this.isBest) await files.write(siblingOf(path, 'best'), bytes, [])
    if (!isDue) return
    await files.write(path, bytes, earlierOf(path, keep))
    this.lastSaved = clock.now()
    this.lastStep = step
  }

  private isDue({ epoch, epochs, step }: Progress, isEnd: boolean): boolean {
    const { epochs: period, steps, minutes } = this.every
    if (isEnd && epoch === epochs) return true
    if (clock.now() - this.lastSaved < (minutes ?? 0) * 60_000) return false
    if (period === undefined && steps === undefined) return isEnd || minutes !== undefined
    const hasMultiple = steps !== undefined && Math.floor(step / steps) > Math.floor(this.lastStep / steps)
    return hasMultiple || (period !== undefined && isEnd && epoch % period === 0)
  }

  /** @internal the state of the checkpoint itself: the best value */
  state(): BestValueState {
    return this.best?.state() ?? { bestEpoch: 0, bestValue: Number.NaN }
  }

  /** @internal */
  loadState(state: BestValueState): void {
    savedCount(state?.bestEpoch, 'Checkpoint: bestEpoch')
    this.best?.loadState(state)
  }

  /** Restores model, optimizer and callbacks from the last intact file, if there is one; called by `fit` before the first step. */
  async restore(training: Training): Promise<void> {
    const { path, files, options } = this
    const { keep = 2, parts = {} } = options
    let failure: unknown
    for (const name of [path, ...earlierOf(path, keep)]) {
      const bytes = await files.read(name)
      if (bytes === undefined) continue
      try {
        restoreTraining(training, bytes, parts)
        this.lastStep = training.history.steps
      } catch (error) {
        // the error of an intact file is meant for the user: an earlier file of the same training would give the same error
        if (!isDamage(error)) throw named(name, error)
        failure ??= named(name, error)
        warnOnce(`${(error as Error).message}; going on from the file before it`)
        continue
      }
      return
    }
    if (failure !== undefined) throw failure
  }
}

/**
 * For `resume` of `fit`: resumes the training in a file that a {@link Checkpoint} saved, wherever the file is now.
 *
 * @param source as for {@link loadModel}: a path, a `URL`, a Blob or bytes
 * @param parts the parts of the Checkpoint. Default: none
 * @example
 * const options = { inputs, targets, loss: crossEntropy, optimizer }
 * await fit(model, { ...options, epochs: 3, callbacks: [new Checkpoint('run.safetensors')] })
 * const history = await fit(model, { ...options, epochs: 5, callbacks: [new Checkpoint('more.safetensors')], resume: resumeFrom('run.safetensors') })
 * history.epochs.length // 5
 * @throws in `fit`: Error for a file that does not exist, or that belongs to another model, other data or other options; RangeError for a damaged
 *   file
 */
export function resumeFrom(source: ModelSource, parts: Readonly<Record<string, StatefulPart>> = {}): Resume {
  return {
    async restore(training: Training): Promise<void> {
      const bytes = await bytesFrom('resumeFrom', source)
      try {
        restoreTraining(training, bytes, parts)
      } catch (error) {
        throw typeof source === 'string' || source instanceof URL ? named(String(source), error) : error
      }
    },
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof RangeError && /^decodeSafetensors: |is damaged: /.test(error.message)
}

function named(path: string, error: unknown): Error {
  return plainError(`'${path}': ${(error as Error).message}`, { cause: error })
}
