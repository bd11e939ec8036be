/** fit: train a model on data, with validation, metrics, callbacks, early stopping and progress. */
import { noGrad, scope } from '../autograd.js'
import type { FloatArray } from '../backend/heap.js'
import { NonFiniteError } from '../errors.js'
import type { Loss } from '../loss/loss.js'
import { kindOf } from '../names.js'
import { type Module, rememberModes } from '../nn/module.js'
import type { AveragingOptimizer } from '../optim/averaging.js'
import type { OptimizerWrapper } from '../optim/wrapper.js'
import { zeros } from '../tensor.js'
import { type Callback, checkCallbacks, type Progress, type TrainingControl } from './callbacks.js'
import { checkData, type DataSet, type Rows, rowsBetween, splitRows } from './data.js'
import { judge } from './judge.js'
import { type MetricsOption, type MetricValues, RunningMeans, resolveMetrics } from './metrics.js'
import { type Ends, type QuietSteps, quietSteps } from './quiet-steps.js'
import { isKnownLoss } from './replay.js'
import { OPTIONS, Pacer, type Place, type Plan, planSteps, type Step, type StepOptions, steps } from './steps.js'

/** Options of {@link fit}. */
export interface FitOptions extends StepOptions {
  /** Data to judge by after each epoch, never trained on. */
  validation?: DataSet
  /** Or: the share of the rows to set aside for it, from the end. */
  validationSplit?: number
  /** Names (`accuracy`, `meanAbsoluteError`, `rootMeanSquaredError`) or functions by name. Default: none. */
  metrics?: MetricsOption
  callbacks?: readonly Callback[]
  /** Stops training after the running batch; fit then returns what there is. */
  signal?: AbortSignal
  /** Called after each batch, at most every 100 ms, and after each epoch: for progress bars. */
  onProgress?: (progress: Progress) => void
}

/** One row of the history. */
export interface EpochRecord {
  epoch: number
  loss: number
  valLoss?: number
  /** Metrics of the training batches as they were trained on. */
  metrics: Record<string, number>
  valMetrics?: Record<string, number>
  learningRate: number
  seconds: number
}

/** What happened. */
export interface History {
  epochs: EpochRecord[]
  /** Steps taken. */
  steps: number
  seconds: number
  /** `completed`, `aborted`, or the reason a callback gave. */
  stopReason: string
}

const training = new WeakSet<Module>()

/**
 * Trains a model, in training mode; afterwards it is in the mode in which it was before.
 *
 * @returns the history: one record per epoch
 * @example
 * const history = await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, metrics: ['accuracy'] })
 * history.epochs[4].metrics.accuracy <= 1 // true
 * @throws RangeError, ShapeError for data or options that do not fit, before the first step; NonFiniteError as soon as a
 *   loss is NaN or infinite, before the update that would follow; Error if the model is being trained already
 */
export async function fit(model: Module, options: FitOptions): Promise<History> {
  if (training.has(model)) throw new Error('fit: this model is being trained already; wait for the first fit to end')
  const restore = rememberModes(model)
  training.add(model)
  model.train()
  try {
    return await new Run(model, options).run()
  } finally {
    training.delete(model)
    restore()
    model.backend.arena.end()
  }
}

class Run {
  private readonly plan: Plan
  private readonly validation: Rows | null
  private readonly metrics
  private readonly callbacks: readonly Callback[]
  private readonly watchesBatches: boolean
  private readonly watchesEpochs: boolean
  private readonly history: History = { epochs: [], steps: 0, seconds: 0, stopReason: 'completed' }
  private readonly started = performance.now()
  private epochStarted = performance.now()
  private stopReason: string | null = null
  private lastReport = 0
  private readonly options: FitOptions
  private readonly control: TrainingControl
  private means: RunningMeans
  private samples = 0

  constructor(model: Module, options: FitOptions) {
    const all = checkData(options, model.backend, 'fit', OPTIONS)
    if (options.validation !== undefined && options.validationSplit !== undefined) {
      throw new RangeError('fit: give validation or validationSplit, not both')
    }
    const [rows, held] = options.validationSplit === undefined ? [all, null] : splitRows(all, options.validationSplit)
    this.validation = options.validation ? checkData(options.validation, model.backend, 'fit: validation') : held
    checkHandlers(options)
    this.plan = planSteps(model, options, rows)
    if (this.validation !== null && isKnownLoss(options.loss)) checkTargets(model, this.validation, options.loss)
    this.metrics = resolveMetrics(options.metrics)
    this.callbacks = checkCallbacks(options.callbacks)
    this.watchesBatches = this.callbacks.some((c) => c.onBatchEnd !== undefined)
    this.watchesEpochs =
      this.validation !== null || options.onProgress !== undefined || this.callbacks.some((c) => c.onEpochEnd !== undefined)
    this.options = options
    this.means = new RunningMeans(this.metrics)
    this.control = { model, stop: (reason) => (this.stopReason = reason) }
  }

  async run(): Promise<History> {
    await this.call('onTrainBegin', (c) => c.onTrainBegin?.(this.control))
    try {
      if (!this.shouldStop()) {
        if (this.watchesBatches || this.metrics.length > 0) await this.each(steps(this.plan), (step) => this.afterStep(step))
        else await this.each(quietSteps(this.plan, this.ends), (taken) => this.afterSteps(taken))
      }
    } catch (error) {
      // the best weights so far are worth most where training came to a bad end
      if (error instanceof NonFiniteError) await this.end()
      throw error
    }
    await this.end()
    this.history.seconds = seconds(this.started)
    if (this.stopReason !== null) this.history.stopReason = this.stopReason
    return this.history
  }

  private end(): Promise<void> {
    return this.call('onTrainEnd', (c) => c.onTrainEnd?.(this.control))
  }

  /** Goes through steps, single or many, until one of the reasons to stop; other tasks get their turns. */
  private async each<T>(parts: Iterable<T>, after: (part: T) => Promise<void> | undefined): Promise<void> {
    const pacer = new Pacer(this.options)
    for (const part of parts) {
      // only what has to wait does: a promise per step would cost small nets as much as the step
      const pending = after(part)
      if (pending !== undefined) await pending
      if (this.shouldStop()) break
      if (pacer.isDue) await pacer.pause()
    }
  }

  private get ends(): Ends {
    return { spansEpochs: !this.watchesEpochs, isOver: () => this.shouldStop() }
  }

  private shouldStop(): boolean {
    if (this.options.signal?.aborted) this.stopReason ??= 'aborted'
    return this.stopReason !== null
  }

  private afterStep(step: Step): Promise<void> | undefined {
    this.history.steps = step.step
    this.samples += step.size
    this.means.add(step.loss, step.prediction, step.targets, step.size)
    const lastOfEpoch = step.batch === this.plan.batchesPerEpoch
    if (!lastOfEpoch) this.reportProgress(step)
    return lastOfEpoch || this.watchesBatches ? this.report(step, lastOfEpoch) : undefined
  }

  /** As {@link afterStep} for steps that nobody watches; epochs end among them only where nobody watches those either. */
  private afterSteps(taken: QuietSteps): Promise<void> | undefined {
    const { batchesPerEpoch } = this.plan
    const { first, count, size } = taken
    const epochs: EpochRecord[] = []
    let at: Place = { step: first, epoch: 0, batch: 0 }
    for (let i = 0; i < count; i++) {
      const step = first + i
      const batch = ((step - 1) % batchesPerEpoch) + 1
      at = { step, epoch: (step - batch) / batchesPerEpoch + 1, batch }
      this.samples += size
      this.means.addLoss(taken.loss(i), size)
      if (batch < batchesPerEpoch) continue
      if (this.watchesEpochs) break
      epochs.push({ epoch: at.epoch, loss: this.means.loss, metrics: {}, learningRate: taken.learningRate(i), seconds: 0 })
      this.beginEpoch()
    }
    this.history.steps = at.step
    this.keep(epochs)
    if (at.batch < batchesPerEpoch) this.reportProgress(at)
    else if (this.watchesEpochs) return this.endEpoch(at)
    return undefined
  }

  /** Adds the records of epochs that ended since the clock was last read, which share the time. */
  private keep(epochs: readonly EpochRecord[]): void {
    if (epochs.length === 0) return
    const each = seconds(this.epochStarted) / epochs.length
    for (const record of epochs) {
      record.seconds = each
      this.history.epochs.push(record)
    }
    this.epochStarted = performance.now()
  }

  private reportProgress(at: Place): void {
    if (!this.options.onProgress || performance.now() - this.lastReport < 100) return
    this.lastReport = performance.now()
    this.options.onProgress(this.progress(at))
  }

  private beginEpoch(): void {
    this.means = new RunningMeans(this.metrics)
    this.samples = 0
  }

  private async report(step: Step, lastOfEpoch: boolean): Promise<void> {
    if (this.watchesBatches) await this.call('onBatchEnd', (c) => c.onBatchEnd?.(this.progress(step), this.control))
    if (lastOfEpoch) await this.endEpoch(step)
  }

  private async endEpoch(step: Place): Promise<void> {
    const progress = this.progress(step)
    const restore = showAverages(this.options.optimizer)
    try {
      if (this.validation) progress.validation = evaluateRows(this.plan.model, this.validation, this.options.loss, this.options.metrics)
      this.history.epochs.push(this.record(progress))
      this.options.onProgress?.(progress)
      await this.call('onEpochEnd', (c) => c.onEpochEnd?.(progress, this.control))
    } finally {
      restore()
    }
    this.beginEpoch()
    this.plan.model.train()
    this.epochStarted = performance.now()
  }

  private record({ epoch, loss, metrics, validation, learningRate }: Progress): EpochRecord {
    const record: EpochRecord = { epoch, loss, metrics, learningRate, seconds: seconds(this.epochStarted) }
    if (validation) {
      const { loss: valLoss, ...valMetrics } = validation
      record.valLoss = valLoss
      record.valMetrics = valMetrics
    }
    return record
  }

  private progress({ step, epoch, batch }: Place): Progress {
    const { epochs, batchesPerEpoch } = this.plan
    const done = step / (epochs * batchesPerEpoch)
    return {
      epoch,
      epochs,
      step,
      batch,
      batchesPerEpoch,
      loss: this.means.loss,
      metrics: this.means.values,
      learningRate: this.options.optimizer.learningRate,
      samplesPerSecond: this.samples / seconds(this.epochStarted),
      secondsLeft: (seconds(this.started) / done) * (1 - done),
    }
  }

  private async call(hook: string, invoke: (callback: Callback) => void | Promise<void>): Promise<void> {
    for (const [i, callback] of this.callbacks.entries()) {
      try {
        const result = invoke(callback)
        if (result !== undefined) await result
      } catch (cause) {
        throw new Error(
          `fit: ${hook} of callback ${callback.name ?? i} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
          { cause },
        )
      }
    }
  }
}

/**
 * Where the model is an average of what is trained (ScheduleFreeAdamW, ASGD), puts it into the parameters, to be judged and kept.
 * @returns what puts the trained weights back
 */
function showAverages(optimizer: object): () => void {
  const { inner, groups } = optimizer as OptimizerWrapper
  if (!('averageOf' in optimizer)) return inner === undefined ? () => {} : showAverages(inner)
  const parameters = groups.flatMap((group) => group.parameters)
  const put = (values: readonly FloatArray[]) => parameters.forEach((p, i) => p.view().set(values[i]))
  const trained = parameters.map((p) => p.data())
  put((optimizer as unknown as AveragingOptimizer<object>).averages())
  return () => put(trained)
}

function checkHandlers({ signal, onProgress }: FitOptions): void {
  if (signal !== undefined && typeof signal?.aborted !== 'boolean')
    throw new TypeError(`fit: signal must be an AbortSignal, the signal of an AbortController, got ${kindOf(signal)}`)
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new TypeError(`fit: onProgress must be a function of the progress, got ${kindOf(onProgress)}`)
}

/** Finds targets that the loss refuses before the first step instead of after the first epoch: by the loss itself, of zeros. */
function checkTargets(model: Module, rows: Rows, loss: Loss): void {
  const [, ...outputs] = model.predict(rowsBetween(rows, 0, 1).inputs).shape
  for (let from = 0; from < rows.count; from += CHECKED_ROWS) {
    const { targets, count } = rowsBetween(rows, from, Math.min(from + CHECKED_ROWS, rows.count))
    try {
      noGrad(() => loss(zeros([count, ...outputs], { backend: model.backend }), targets))
    } catch (cause) {
      const { message } = cause as Error
      const Same = (cause as Error).constructor as ErrorConstructor
      throw new Same(`fit: validation, rows from ${from} on: ${message}`, { cause })
    }
  }
}

const CHECKED_ROWS = 1024

function seconds(since: number): number {
  return (performance.now() - since) / 1000
}

/** Options of {@link evaluateModel}. */
export interface EvaluateOptions<M extends MetricsOption = MetricsOption> extends DataSet {
  loss: Loss
  metrics?: M
  /** Rows per forward pass. Default 1024. */
  batchSize?: number
}

/**
 * Loss and metrics over a data set, in evaluation mode, without recording.
 * @example const { loss, accuracy } = evaluateModel(model, { inputs, targets, loss: crossEntropy, metrics: ['accuracy'] })
 */
export function evaluateModel<const M extends MetricsOption = readonly []>(
  model: Module,
  options: EvaluateOptions<M>,
): { loss: number } & MetricValues<M> {
  const { batchSize = 1024 } = options
  if (!(Number.isInteger(batchSize) && batchSize > 0))
    throw new RangeError(`evaluateModel: batchSize must be a whole number above 0, got ${batchSize}`)
  const rows = checkData(options, model.backend, 'evaluateModel', ['loss', 'metrics', 'batchSize'])
  if (typeof options.loss !== 'function')
    throw new TypeError(`evaluateModel: loss must be a function, such as mse, got ${kindOf(options.loss)}`)
  return evaluateRows(model, rows, options.loss, options.metrics, options.batchSize) as { loss: number } & MetricValues<M>
}

/** Loss and metrics batch by batch, each in a scope of its own. */
function evaluateRows(
  model: Module,
  rows: Rows,
  loss: Loss,
  metrics: MetricsOption | undefined,
  batchSize = 1024,
): { loss: number } & Record<string, number> {
  const means = new RunningMeans(resolveMetrics(metrics))
  const restore = rememberModes(model)
  model.evaluate()
  try {
    noGrad(() => {
      for (let from = 0; from < rows.count; from += batchSize) {
        const batch = rowsBetween(rows, from, Math.min(from + batchSize, rows.count))
        scope(model.backend, () => {
          const judged = judge(model, loss, batch)
          means.add(judged.loss.item(), judged.prediction, judged.targets, batch.count)
          return judged.loss
        })
      }
    })
  } finally {
    restore()
  }
  return { loss: means.loss, ...means.values }
}
