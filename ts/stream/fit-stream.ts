/** fitStream: trains on rows that come one after the other and need not fit into memory. */
import { claimParts, lend } from '../common/claims.js'
import { clock } from '../common/clock.js'
import { ENCODED, type Encodable, PLAIN_ENCODERS } from '../common/encoded-rows.js'
import { rangeError, reword, typeError } from '../common/errors.js'
import { count, countFrom0, flag, isFunction, type Read, readOptions, type Schema } from '../common/options.js'
import { show } from '../common/show.js'
import { warnOnce } from '../common/warn.js'
import {
  type Callback,
  type EpochRecord,
  evaluateModel,
  type FitOptions,
  fit,
  type History,
  type MetricsOption,
  Module,
  NonFiniteError,
  type Progress,
  type Resume,
  type Training,
  type TrainingControl,
  type TrainingData,
} from '../index.js'
import type { OptimizerLike } from '../optim/wrappers/wrapper.js'
import { formatCount } from '../report/format.js'
import { givePrinted } from '../report/notebook.js'
import { callEach, checkCallbacks, recordEpoch } from '../train/callbacks.js'
import { historyText } from '../train/history-text.js'
import { FIT } from '../train/options.js'
import { takesWholeSteps } from '../train/whole-step-optimizer.js'
import { type BadRow, between, copyOf, dataOf, NumberReader, type Numbers, type RowEncoder, targetCheck } from './numbers.js'
import { StreamPosition } from './position.js'
import { Source, STREAM_DATA, type StreamData } from './source.js'
import { type StreamWindow, WindowFiller } from './windows.js'

/** Options of {@link fitStream}. */
export interface FitStreamOptions extends Pick<FitOptions, 'loss' | 'schedule' | 'replay' | 'yieldEvery'> {
  /**
   * Rows that come one after the other, in parts of any size: rows of a table, as `streamTable` of gradus/data gives them (with `encoder`); batches
   * `{ inputs, targets }` as `fit` takes them; or single rows `{ inputs, targets }`, whose target is one number. A function opens the source anew, for
   * each epoch, after a failure, and where a training is resumed. Anything else is read once, as it comes.
   */
  data: StreamData
  /** Makes numbers of rows of a table: the result of `encoderFromStream` or `fromTable`. Default: the rows are numbers. */
  encoder?: RowEncoder
  /** An optimizer that takes a step for each batch. */
  optimizer: OptimizerLike
  /** Epochs. Default 1. */
  epochs?: number
  /** Rows of an epoch, for sources that are long or never end: it may end within a pass over the source, or span several. Default: a pass. */
  epochRows?: number
  /** Rows per step; the last batch of an epoch may be shorter. Default 32. */
  batchSize?: number
  /**
   * Rows that are held in memory and mixed, rounded up to whole batches; as many again are read ahead. Default 65,536, or fewer of wide rows: as many
   * as take 16 MiB.
   */
  window?: number
  /** Mixes the rows of each window, in another order in each. Sorted sources, such as class after class, want to be mixed before. Default true. */
  shuffle?: boolean
  /** Seed of the order, a whole number. Default 0. */
  seed?: number
  /** Rows to judge by after each epoch, as numbers; never trained on. Default: none. */
  validation?: TrainingData
  /** Metrics of the validation rows. Default: none. */
  metrics?: MetricsOption
  /** As for `fit`. A `Checkpoint` also saves within an epoch, by its `every.steps` or `every.minutes`, and at once where the source fails. */
  callbacks?: readonly Callback[]
  /** Stops training after the running batch, or while it waits for rows. */
  signal?: AbortSignal
  /** Called at most every 100 ms, and after each epoch. An error in it ends training. */
  onProgress?: (progress: Progress) => void
  /**
   * Resumes a training that a `Checkpoint` saved, with the same bits: a function as `data` is read again from the start, up to the row (with `seeks`, it
   * begins there). What is read once goes on with its next row. Default: starts anew.
   */
  resume?: Resume
  /**
   * What a row does that cannot be read, such as a text in a column of numbers, NaN, or a class that the loss does not know: `error` ends training before
   * anything of its window is learnt, `skip` leaves the row out and counts it in `history.skipped`. A thousand in succession end training in any case.
   * Default `error`.
   */
  badRows?: 'error' | 'skip'
  /** Times that a source that fails is opened again at its row, without a row in between; needs a function as `data`. Default 0. */
  retries?: number
  /** Seconds without a row after which the source counts as failed. Default Infinity. */
  stallTime?: number
  /**
   * True if the function `data({ pass, row })` begins at the row that it is asked for, as a query with an offset can. Default false: rows before are read and
   * left out.
   */
  seeks?: boolean
  /**
   * A table in CSV, as `streamTable` reads it, is read in a worker while the net learns, where there are workers; the same rows, with the same bits. Other
   * sources are read in this thread. Default true.
   */
  worker?: boolean
}

export const FIT_STREAM = {
  data: { is: STREAM_DATA, required: true },
  encoder: {
    is: {
      wants: 'an encoder of rows, as encoderFromStream(…) gives it',
      fits: (value: unknown) => isFunction((value as RowEncoder | null)?.dataset),
    },
  },
  loss: FIT.loss,
  optimizer: FIT.optimizer,
  epochs: FIT.epochs,
  epochRows: { is: count },
  batchSize: { is: count, default: 32 },
  window: { is: count },
  shuffle: FIT.shuffle,
  seed: FIT.seed,
  schedule: FIT.schedule,
  validation: FIT.validation,
  metrics: FIT.metrics,
  callbacks: FIT.callbacks,
  signal: FIT.signal,
  onProgress: FIT.onProgress,
  resume: FIT.resume,
  badRows: { is: ['error', 'skip'], default: 'error' },
  retries: { is: countFrom0, default: 0 },
  stallTime: { is: { min: 0, openMin: true, or: [Infinity] }, default: Infinity },
  seeks: { is: flag, default: false },
  worker: { is: flag, default: true },
  replay: FIT.replay,
  yieldEvery: FIT.yieldEvery,
} satisfies Schema<FitStreamOptions>

/** The history of a training on a stream. */
export interface StreamHistory extends History {
  /** Rows that were learnt, over all epochs. */
  rows: number
  /** Rows that were skipped because they could not be read: their number, and the first ones of this run. */
  skipped: { count: number; first: BadRow[] }
  /** Rows that repeat rows before them, part by part: a source that began again where it should have gone on. */
  repeated: number
  /** Times that the source was opened again after a failure. */
  reopened: number
}

type Options = Read<FitStreamOptions, typeof FIT_STREAM>
/** Rows and bytes of a window by default. */
const WINDOW_ROWS = 1 << 16
const WINDOW_BYTES = 1 << 24
/** Rows by which a resumed training recognizes its source. */
const ROWS_SEEN = 64
/** Skipped rows that the history tells. */
const MAX_TOLD = 10
/** Stands for the unknown number of batches of an epoch in files of a {@link Checkpoint}. */
const UNKNOWN = Number.MAX_SAFE_INTEGER

/**
 * Trains a model on rows that come one after the other: from a file that is larger than memory, a database, a socket. The next rows are read while the
 * net learns those of the window before. With a window that holds all rows, an epoch is one of `fit` with the same seed, bit for bit.
 *
 * Where the source fails, or a row cannot be read, the error names the row, and the net has learnt whole windows of the rows before it, and nothing else.
 *
 * @returns the history: one record per epoch, and how the source behaved
 * @example
 * const file = new Blob(['x,kind\n1,a\n2,b\n3,b\n'])
 * const encoder = await encoderFromStream(streamTable(file), { target: 'kind' })
 * const net = new Sequential([new Dense(encoder.features, encoder.classes)])
 * const adam = new Adam(net.parameters())
 * const history = await fitStream(net, { data: () => streamTable(file), encoder, loss: crossEntropy, optimizer: adam, epochs: 5 })
 * history.rows // 15
 * @throws RangeError, TypeError for options or rows that do not fit, naming the row; Error if the source fails, naming the row; NonFiniteError as `fit`
 *   does; Error if the model or a part of it is being trained already
 */
export async function fitStream(model: Module, given: FitStreamOptions): Promise<StreamHistory> {
  if (!(model instanceof Module)) throw typeError(`fitStream: wants a model, such as a Sequential, got ${show(model)}`)
  const options = readOptions('fitStream', given, FIT_STREAM)
  checkTogether(options)
  const release = claimParts('fitStream', model)
  let run: StreamRun | undefined
  try {
    run = new StreamRun(model, options, release)
    return await run.train()
  } finally {
    release()
    await run?.close()
  }
}

function checkTogether({ data, epochs, epochRows, retries, seeks, optimizer, validation, metrics, callbacks }: Options): void {
  const opens = isFunction(data)
  if (epochs > 1 && !opens && epochRows === undefined)
    throw rangeError(`fitStream: ${epochs} epochs want a function as data, which opens the source anew, or epochRows`)
  for (const [name, isSet] of [
    ['retries', retries > 0],
    ['seeks', seeks],
  ] as const)
    if (isSet && !opens) throw rangeError(`fitStream: ${name} wants a function as data, which opens the source anew, got ${show(data)}`)
  if (takesWholeSteps(optimizer) && optimizer.wholeBatch)
    throw rangeError(`fitStream: ${optimizer.name} compares losses of steps, so each must see all rows; take Adam, or fit`)
  if (metrics !== undefined && validation === undefined)
    throw rangeError('fitStream: metrics are those of the validation rows; give validation, too')
  checkCallbacks('fitStream', callbacks)
}

/** One training. To a Checkpoint it is what a training by `fit` is. */
class StreamRun implements Training {
  readonly callbacks: readonly Callback[]
  readonly history: StreamHistory
  readonly control: TrainingControl
  readonly plan: { -readonly [K in keyof Training['plan']]: Training['plan'][K] }
  private readonly position: StreamPosition
  private readonly source: Source
  private readonly filler: WindowFiller
  /** Ends all waiting for rows. */
  private readonly end = new AbortController()
  private readonly started = clock.now()
  private epochStarted = clock.now()
  private lastReport = clock.now()
  private rowsBefore = 0
  private stopReason: string | null = null
  /** An error in a callback, which the training of the window wraps in its own. */
  private failure: unknown
  /** Batches of the epoch before. */
  private batchesPerEpoch = Number.POSITIVE_INFINITY

  constructor(
    private readonly model: Module,
    private readonly options: Options,
    /** The claim of the model, which `fit` of a window shares. */
    private readonly release: () => void,
  ) {
    const { badRows, encoder, retries, stallTime, seeks, batchSize, epochs, epochRows, loss, optimizer, shuffle, seed, callbacks } = options
    options.signal?.addEventListener('abort', this.abort)
    if (options.signal?.aborted) this.abort()
    const { signal } = this.end
    const state = encoder && PLAIN_ENCODERS.has(encoder.dataset) ? encoder.state?.() : undefined
    const encodes = state && ((source: Encodable) => source[ENCODED](state, options.worker))
    this.source = new Source(options.data, { retries, stallTime, seeks, signal, areTables: encoder !== undefined, encodes })
    const skips = badRows === 'skip'
    const checkTargets = skips ? targetCheck(model, options.loss) : undefined
    const reader = new NumberReader({ who: 'fitStream', model, encoder, skips, takesRagged: true, checkTargets })
    this.filler = new WindowFiller(this.source, reader, (first) => this.windowFor(first))
    const position = new StreamPosition(epochRows ?? 0)
    this.position = position
    this.callbacks = [...callbacks, position]
    this.control = { model, stop: (reason = 'stopped') => void (this.stopReason ??= reason) }
    const { source, filler } = this
    this.history = {
      epochs: [],
      get steps() {
        return position.steps + position.batches
      },
      seconds: 0,
      execution: { programs: 0, fleet: 0, replayed: 0, writtenOut: 0 },
      stopReason: 'completed',
      get rows() {
        return position.rows + position.windowRows
      },
      skipped: { count: 0, first: [] },
      get repeated() {
        return filler.repeated
      },
      get reopened() {
        return source.reopened
      },
    }
    givePrinted(
      this.history,
      (history) => `StreamHistory: ${formatCount(history.rows)} ${history.rows === 1 ? 'row' : 'rows'}, ${historyText(history)}`,
    )
    const plan = { model, epochs, batchSize, batchesPerEpoch: UNKNOWN, validation: null, options: { loss, optimizer, shuffle, seed } }
    this.plan = { ...plan, rows: this.seen(NOTHING) }
  }

  /** Trains until the last epoch ends, or somebody stops it. */
  async train(): Promise<StreamHistory> {
    const { history, options } = this
    await this.callEach('onTrainBegin', (c) => c.onTrainBegin?.(this.control, this))
    this.validate()
    try {
      for (let window = await this.begin(); window !== null && !this.isStopped; ) window = await this.after(window)
    } catch (error) {
      if (error instanceof NonFiniteError) await this.callTrainEnd()
      if (options.signal?.aborted !== true) throw error
    }
    await this.callTrainEnd()
    history.seconds += this.secondsSoFar
    if (this.isStopped) history.stopReason = this.stopReason as string
    return history
  }

  /** Closes the source. */
  async close(): Promise<void> {
    this.options.signal?.removeEventListener('abort', this.abort)
    this.end.abort()
    await this.source.close()
  }

  private readonly abort = () => this.end.abort(this.options.signal?.reason)

  /** The first window, or that in which a saved training was; null if there is nothing left to do. */
  private async begin(): Promise<StreamWindow | null> {
    const { options, history, position, source, filler } = this
    if (options.epochs === 0) return null
    const first = await this.fill()
    if (source.repeats) this.plan.rows = this.seen(first.numbers)
    if (options.resume === undefined) return first
    await options.resume.restore(this)
    this.rowsBefore = history.rows
    history.skipped.count = position.skipped
    if (history.epochs.length === options.epochs) return null
    if (!source.repeats) {
      // the rest of its window is lost, and others come in its place
      position.leaveWindow()
      return first
    }
    if (position.steps + position.batches === 0) return first
    await filler.moveTo(position.place)
    return this.fill()
  }

  /** Learns a window. @returns the next one, or null after the last one */
  private async after(window: StreamWindow): Promise<StreamWindow | null> {
    const { position, history, options } = this
    const { count } = window.numbers
    const isLast = window.endsPass || position.epochRows + count === options.epochRows
    const next = isLast ? null : this.fill(count)
    // its error waits until this window is learnt
    next?.catch(() => {})
    await this.learn(window)
    if (this.isStopped) return null
    position.endWindow(window)
    const following = next && (await this.orSave(next))
    if (following !== null && following.numbers.count > 0) return following
    if (following !== null) {
      this.count(following)
      position.skipped += following.bad.length
    }
    await this.endEpoch()
    if (history.epochs.length === options.epochs || this.isStopped) return null
    const isOver = (following ?? window).endsPass && !this.source.repeats
    const first = isOver ? null : await this.orSave(this.fill())
    if (first !== null && first.numbers.count > 0) return first
    this.stopReason = 'the stream ended'
    return null
  }

  /** @param ahead rows that are held, and not learnt yet */
  private fill(ahead = 0): Promise<StreamWindow> {
    const { epochRows } = this.options
    if (epochRows === undefined) return this.filler.fill()
    return this.filler.fill(epochRows - this.position.epochRows - ahead, true)
  }

  /** Waits for rows; where they do not come, the training is saved as it is. */
  private async orSave<T>(rows: Promise<T>): Promise<T> {
    try {
      return await rows
    } catch (error) {
      if (!this.isStopped) this.stopReason = 'the source failed'
      await this.saveBatches()
      throw error
    }
  }

  private async learn(window: StreamWindow): Promise<void> {
    const { model, options, position, history } = this
    const { numbers } = window
    const { loss, optimizer, batchSize, shuffle, seed, schedule, replay, yieldEvery, onProgress, signal } = options
    this.count(window)
    if (position.batches * batchSize >= numbers.count) return
    const { steps } = position
    let inner: Training | undefined
    const follow = () => {
      if (inner === undefined) return
      position.batches = inner.history.steps
      position.windowRows = inner.means.samples
      position.windowLossSum = inner.means.lossSum
      if (this.isStopped) inner.control.stop(this.stopReason as string)
    }
    const resume: Resume = {
      restore: (training) => {
        inner = training
        training.goOnAfter([], 0, position.batches)
        training.means.samples = position.windowRows
        training.means.lossSum = position.windowLossSum
      },
    }
    const report = () => {
      follow()
      return clock.now() - this.lastReport < 100 ? undefined : this.tell(this.progress())
    }
    try {
      const { execution } = await lend(this.release, () =>
        fit(model, {
          ...dataOf(model, numbers),
          ...{ loss, optimizer, batchSize, shuffle, replay, yieldEvery, resume, verbose: false },
          seed: (seed + position.window) % Number.MAX_SAFE_INTEGER,
          callbacks: this.hooksFor(follow),
          ...(schedule && { schedule: (step: number) => schedule(steps + step) }),
          ...(onProgress && { onProgress: report }),
          ...(signal && { signal }),
        }),
      )
      for (const way of ['programs', 'replayed', 'writtenOut'] as const) history.execution[way] += execution[way]
      if (execution.reason !== undefined) history.execution.reason ??= execution.reason
    } catch (error) {
      if (this.failure !== undefined) throw this.failure
      throw this.placed(error, window)
    }
    follow()
    // a shorter window is the last one of its epoch, which is saved at its end, or of ragged rows, whose next window is saved
    if (numbers.count % batchSize === 0 && position.batches * batchSize >= numbers.count) await this.saveBatches()
  }

  /** Callbacks for `fit` of a window, which call those of this training. @param follow takes over what `fit` has done so far */
  private hooksFor(follow: () => void): Callback[] {
    const hooks: Callback[] = []
    if (this.has('onBatchEnd'))
      hooks.push({
        onBatchEnd: async () => {
          follow()
          await this.callEach('onBatchEnd', (c) => c.onBatchEnd?.(this.progress(), this.control))
          follow()
        },
      })
    const { callbacks, position } = this
    if (this.has('onBatchSaved') || this.has('onPause'))
      hooks.push({
        /** The next step of the window that is a multiple in the stream. */
        get savesEvery() {
          follow()
          const { steps, batches } = position
          return batches + Math.min(...callbacks.map(({ savesEvery: every = Infinity }) => every - ((steps + batches) % every)))
        },
        onPause: () => {
          follow()
          return this.callEach('onPause', (c) => c.onPause?.(this.progress(), this))
        },
        onBatchSaved: () => this.saveBatches(),
      })
    return hooks
  }

  private count({ bad }: StreamWindow): void {
    const { skipped } = this.history
    skipped.count = this.position.skipped + bad.length
    const isFirst = skipped.first.length === 0 && bad.length > 0
    skipped.first.push(...bad.slice(0, MAX_TOLD - skipped.first.length))
    if (isFirst)
      warnOnce(`fitStream: ${bad[0].message}; the row is skipped, and so are others that cannot be read: history.skipped counts them`)
  }

  private async endEpoch(): Promise<void> {
    const { options, position, batchesOfEpoch } = this
    const progress = this.progress()
    await recordEpoch(this, progress)
    this.batchesPerEpoch = batchesOfEpoch
    if (options.epochRows === undefined && this.filler.nextPass()) position.place = { pass: this.source.pass, row: 0 }
    position.endEpoch()
    await this.callEach('onEpochSaved', (c) => c.onEpochSaved?.(progress, this))
    this.epochStarted = clock.now()
  }

  /** Loss and metrics of the validation rows; before the first step, it finds what is wrong with them. */
  validate(): Progress['validation'] {
    const { validation, loss, metrics } = this.options
    if (validation === undefined) return undefined
    try {
      return evaluateModel(this.model, { ...validation, loss, ...(metrics && { metrics }) })
    } catch (error) {
      if (error instanceof Error) reword(error, () => error.message.replace(/^evaluateModel: /, 'fitStream: validation: '))
      throw error
    }
  }

  get isStopped(): boolean {
    if (this.options.signal?.aborted) this.stopReason ??= 'aborted'
    return this.stopReason !== null
  }

  get secondsSoFar(): number {
    return (clock.now() - this.started) / 1000
  }

  get secondsOfEpoch(): number {
    return (clock.now() - this.epochStarted) / 1000
  }

  get batchesOfEpoch(): number {
    return this.position.epochBatches + this.position.batches
  }

  get means(): Training['means'] {
    const { epochRows, windowRows, lossSum, windowLossSum } = this.position
    return { samples: epochRows + windowRows, lossSum: lossSum + windowLossSum, sums: [], kept: null }
  }

  goOnAfter(epochs: readonly EpochRecord[], seconds: number, _batches = 0, secondsOfEpoch = 0): void {
    this.history.epochs.push(...epochs)
    this.history.seconds = seconds
    this.epochStarted = clock.now() - 1000 * secondsOfEpoch
  }

  private windowFor({ inputs, targets, count }: Numbers): number {
    const { window, batchSize } = this.options
    const bytes = (inputs.byteLength + targets.byteLength) / count
    // ragged rows keep the size that the first ones gave, so that a resumed training has the same
    if (this.position.size > 0) return this.position.size
    const rows = window ?? Math.min(WINDOW_ROWS, Math.floor(WINDOW_BYTES / bytes))
    this.position.size = Math.max(1, Math.ceil(rows / batchSize)) * batchSize
    return this.position.size
  }

  /** Rows by which a resumed training recognizes its source: copies, as a window is filled again. */
  private seen(numbers: Numbers): Training['plan']['rows'] {
    const count = Math.min(numbers.count, ROWS_SEEN)
    const { inputs, targets } = dataOf(this.model, copyOf(between({ ...numbers, weights: null }, 0, count)))
    return { inputs, targets, weights: null, count } as Training['plan']['rows']
  }

  private progress(): Progress {
    const { options, history, batchesPerEpoch, batchesOfEpoch: batch } = this
    const { steps, rows } = history
    const { epochs, epochRows, batchSize, optimizer } = options
    const samplesPerSecond = (rows - this.rowsBefore) / this.secondsSoFar
    const perEpoch = epochRows === undefined ? batchesPerEpoch : Math.ceil(epochRows / batchSize)
    const epoch = history.epochs.length + 1
    return {
      ...{ epoch, epochs, step: steps, batch, batchesPerEpoch: perEpoch, loss: this.position.epochLoss, metrics: {} },
      ...{ learningRate: optimizer.learningRate, samplesPerSecond },
      secondsLeft: (((epochs - epoch + 1) * perEpoch - batch) * batchSize) / samplesPerSecond,
    }
  }

  tell(progress: Progress): unknown {
    this.lastReport = clock.now()
    return this.options.onProgress?.(progress)
  }

  /** Offers the training to callbacks that save it; undefined if none of them has to be waited for. */
  private saveBatches(): Promise<void> | undefined {
    if (!this.has('onBatchSaved') || this.batchesOfEpoch === 0) return undefined
    return this.callEach('onBatchSaved', (c) => c.onBatchSaved?.(this.progress(), this))
  }

  private has(hook: keyof Callback): boolean {
    return this.callbacks.some((callback) => callback[hook] !== undefined)
  }

  private callTrainEnd(): Promise<void> | undefined {
    return this.callEach('onTrainEnd', (c) => c.onTrainEnd?.(this.control))
  }

  /** @returns undefined if none of them has to be waited for */
  callEach(hook: keyof Callback, invoke: (callback: Callback) => void | Promise<void>): Promise<void> | undefined {
    let done = 0
    const called = callEach('fitStream', this.callbacks, hook, invoke, (isDone) => (done += Number(isDone)))
    if (done === this.callbacks.length) return undefined
    return called.catch((error) => {
      throw (this.failure ??= error)
    })
  }

  /** An error in a window, with places in the stream. */
  private placed(error: unknown, { rowOf, numbers }: StreamWindow): unknown {
    if (!(error instanceof Error)) return error
    const { position, history } = this
    const rows = `in rows ${rowOf(0)} to ${rowOf(numbers.count - 1)}`
    const text = error.message
      .replace(/^fit: /, 'fitStream: ')
      .replace(/^fitStream: targets, row (\d+):/, (_, row) => `fitStream: row ${rowOf(Number(row))}: targets:`)
      .replace(/\bstep (\d+)/g, (_, step) => `step ${Number(step) + position.steps}`)
      .replace(
        /\bepoch 1, batch (\d+)/,
        (_, batch) => `epoch ${history.epochs.length + 1}, batch ${Number(batch) + position.epochBatches}, ${rows}`,
      )
    reword(error, () => text)
    return error
  }
}

const NOTHING: Numbers = {
  inputs: new Float32Array(1),
  targets: new Float32Array(1),
  weights: null,
  count: 1,
  shape: [],
  targetShape: [],
  ragged: false,
}
