/** One training by `fit`. */
import { clock } from '../common/clock.js'
import { NonFiniteError } from '../common/errors.js'
import { Pacer } from '../common/pacer.js'
import { stepSchemeOf } from '../optim/base/step-scheme.js'
import type { OptimizerLike } from '../optim/wrappers/wrapper.js'
import { Batches, type RowRange } from './batches.js'
import { type Callback, callEach, type Progress, recordEpoch, type TrainingControl } from './callbacks.js'
import { checkWeights, type Position } from './diverged.js'
import { evaluateRows } from './evaluate.js'
import { type BlockLimits, FastSteps, type StepBlock } from './fast/index.js'
import { type EpochRecord, type History, NewHistory } from './history.js'
import { areMeans, RunningMeans } from './metrics.js'
import type { FitPlan } from './plan.js'
import type { ProgressLine } from './progress-line.js'
import { endSteps, type Step, steps, takeStep } from './steps.js'

/** @internal The training of one model by `fit`: its history, callbacks, metrics and validation, no matter who takes the steps. */
export class TrainingRun {
  readonly batches: Batches
  readonly callbacks: readonly Callback[]
  private readonly watchesBatches: boolean
  private readonly savesBatches: boolean
  readonly watchesEpochs: boolean
  readonly history: History
  readonly fast: FastSteps
  private readonly started = clock.now()
  private epochStarted = clock.now()
  private stopReason: string | null = null
  private lastReport = clock.now()
  /** Start of the measurement of speed, and the steps before it: the first step, which compiles, is not representative. */
  private pace = { since: clock.now(), step: 0 }
  private failure: { cause: unknown } | null = null
  private isOver = false
  readonly control: TrainingControl
  readonly means: RunningMeans

  /** @param line shows progress without a callback */
  constructor(
    readonly plan: FitPlan,
    private readonly line?: ProgressLine,
  ) {
    this.batches = new Batches(plan)
    this.callbacks = plan.callbacks
    this.watchesBatches = this.callbacks.some((c) => c.onBatchEnd !== undefined)
    this.savesBatches = this.callbacks.some((c) => (c.onBatchSaved ?? c.onPause) !== undefined)
    this.watchesEpochs =
      plan.validation !== null ||
      plan.onProgress !== undefined ||
      this.callbacks.some((c) => (c.onEpochEnd ?? c.onEpochSaved) !== undefined)
    this.fast = new FastSteps(plan, this.watchesBatches, 'owner')
    this.history = new NewHistory(this.fast.execution)
    this.means = new RunningMeans(plan.metrics)
    this.control = { model: plan.model, stop: (reason = 'stopped') => (this.stopReason = reason) }
  }

  /** Runs the whole training. */
  async train(): Promise<History> {
    await this.begin()
    const { resume } = this.plan
    if (resume !== undefined) {
      await resume.restore(this)
      this.fast.userCodeRan()
    }
    return this.goOn(this.plan.start)
  }

  /** Takes the steps from number `from` on, and ends the training. */
  async goOn(from: number): Promise<History> {
    try {
      if (!this.isStopped) {
        const { plan, fast } = this
        if (this.watchesSteps) await this.forEach(steps(plan, fast), (step) => this.afterStep(step))
        else await this.trainInBlocks(from)
      }
      // remaining gradients are used before callbacks restore the best weights
      this.flush()
    } catch (error) {
      return this.fail(error)
    }
    return this.finish()
  }

  /** Tells callbacks that training begins; to be called before the first step. */
  begin(): Promise<void> {
    return this.callEach('onTrainBegin', (c) => c.onTrainBegin?.(this.control, this))
  }

  /** Ends a training after its last step: checks the weights, calls callbacks, and completes the history. */
  async finish(): Promise<History> {
    const { steps } = this.history
    try {
      if (steps > 0) checkWeights(this.plan, this.batches.positionOf(steps - 1))
    } catch (error) {
      return this.fail(error)
    }
    await this.callTrainEnd()
    this.checkFailure()
    this.isOver = true
    this.history.seconds += this.secondsSoFar
    if (this.stopReason !== null) this.history.stopReason = this.stopReason
    return this.history
  }

  get secondsSoFar(): number {
    return seconds(this.started)
  }

  /** Continues an earlier training: its epochs, and batches of the next one, with their seconds. */
  goOnAfter(epochs: readonly EpochRecord[], seconds: number, batches = 0, secondsOfEpoch = 0): void {
    const { history, plan } = this
    history.epochs.push(...epochs)
    history.seconds = seconds
    history.steps = plan.start = epochs.length * plan.batchesPerEpoch + batches
    this.epochStarted = clock.now() - 1000 * secondsOfEpoch
  }

  get secondsOfEpoch(): number {
    return seconds(this.epochStarted)
  }

  get batchesOfEpoch(): number {
    return this.history.steps - this.history.epochs.length * this.plan.batchesPerEpoch
  }

  /** Ends a training after an error, which is thrown again. */
  async fail(error: unknown): Promise<never> {
    // the next training must not add to the gradients of batches that this one has accumulated
    if (this.optimizer.accumulates) this.optimizer.zeroGrad()
    // callbacks restore the best weights, also after an error
    if (error instanceof NonFiniteError) await this.callTrainEnd()
    throw error
  }

  /** True if callbacks, or metrics that are not means over rows, need each step. */
  get watchesSteps(): boolean {
    return this.watchesBatches || !areMeans(this.plan.metrics)
  }

  /** True if predictions are needed. */
  get keepsPredictions(): boolean {
    return this.plan.metrics.length > 0
  }

  /** Adds steps that a fleet ran to the history, and calls callbacks for epochs that ended among them. */
  accept(block: StepBlock): Promise<void> | undefined {
    const pending = this.afterBlock(block)
    if (pending !== undefined) return pending.then(() => this.checkFailure())
    this.checkFailure()
    return undefined
  }

  private async trainInBlocks(from: number): Promise<void> {
    const { plan, fast } = this
    const { keepsPredictions } = this
    const runStep = (i: number, range: RowRange) => {
      const step = takeStep(plan, fast, range, this.batches.positionOf(i), keepsPredictions)
      // done at once: the next step of the block belongs to the next epoch, and its gradients must not be mixed with the remaining ones
      if (step.batch === plan.batchesPerEpoch) this.flush()
      return step
    }
    try {
      await this.forEach(fast.blocks(this.limits, runStep, keepsPredictions, from), (block) => this.afterBlock(block))
    } finally {
      endSteps(plan, fast)
    }
  }

  /** Makes an update from accumulated gradients that still wait for more batches, at the end of an epoch or of training. */
  private flush(): void {
    this.optimizer.flush?.()
  }

  /** The optimizer, if it can accumulate batches (GradientAccumulation). Optimizers that take whole steps cannot. */
  private get optimizer(): Partial<OptimizerLike> & Pick<OptimizerLike, 'zeroGrad'> {
    return this.plan.options.optimizer as OptimizerLike
  }

  private callTrainEnd(): Promise<void> {
    return this.callEach('onTrainEnd', (c) => c.onTrainEnd?.(this.control))
  }

  /** Runs single steps or blocks of steps until training stops, and yields to other tasks of the event loop in between. */
  private async forEach<T>(taken: Iterable<T>, after: (steps: T) => Promise<void> | undefined): Promise<void> {
    const pacer = new Pacer(this.plan.options.yieldEvery)
    for (const steps of taken) {
      // awaits only if there is something to wait for: a promise per step would cost small nets as much as the step
      const pending = after(steps)
      if (pending !== undefined) await pending
      this.checkFailure()
      const scheduleIsAhead = (steps as Partial<StepBlock>).scheduleIsAhead
      if (this.savesBatches && !scheduleIsAhead) await this.saveBatches()
      if (this.isStopped && !scheduleIsAhead) break
      if (!pacer.isDue) continue
      await pacer.pause()
      this.fast.userCodeRan()
    }
  }

  /** Calls callbacks that look or save within epochs, unless gradients of this batch wait for others. */
  private async saveBatches(): Promise<void> {
    const position = this.batches.positionOf(this.history.steps - 1)
    if (!stepSchemeOf(this.plan.options.optimizer).isComplete) return
    await this.callEach('onPause', (c) => c.onPause?.(this.progressAt(position), this), true)
    if (position.batch === this.plan.batchesPerEpoch) return
    await this.callEach('onBatchSaved', (c) => c.onBatchSaved?.(this.progressAt(position), this), true)
  }

  get limits(): BlockLimits {
    const { optimizer } = this
    // if batches never wait for others at the end of an epoch, there is nothing to flush
    const each = optimizer.flush === undefined ? 1 : (optimizer.stepScheme?.().batches ?? Infinity)
    const spansEpochs = !this.watchesEpochs && this.plan.batchesPerEpoch % each === 0
    const untilPause = (step: number) => Math.min(...this.callbacks.map(({ savesEvery = Infinity }) => savesEvery - (step % savesEvery)))
    return { spansEpochs, untilPause, isOver: () => this.isStopped }
  }

  /** True if there is a reason to stop before the last step. */
  get isStopped(): boolean {
    if (this.plan.signal?.aborted) this.stopReason ??= 'aborted'
    return this.stopReason !== null
  }

  private afterStep(step: Step): Promise<void> | undefined {
    this.countSteps(step.step)
    if (step.batch === 1) this.beginEpoch()
    this.means.add(step.loss, step.prediction, step.targets, step.size)
    const lastOfEpoch = step.batch === this.plan.batchesPerEpoch
    if (lastOfEpoch) this.flush()
    else this.reportProgress(step)
    return lastOfEpoch || this.watchesBatches ? this.endBatch(step, lastOfEpoch) : undefined
  }

  /** {@link afterStep} for steps that no callback watches; epochs end among them only if no callback watches epochs, either. */
  private afterBlock(taken: StepBlock): Promise<void> | undefined {
    const { batchesPerEpoch } = this.plan
    const { first, count, size } = taken
    const epochs: EpochRecord[] = []
    // splits the block at the ends of epochs
    for (let done = 0; done < count; ) {
      const { epoch, batch } = this.batches.positionOf(first + done)
      if (batch === 1) this.beginEpoch()
      const end = Math.min(count, done + batchesPerEpoch - batch + 1)
      const endsEpoch = end - done === batchesPerEpoch - batch + 1
      if (taken.sumLosses !== undefined && taken.outputs === undefined) {
        this.means.addLosses(taken.sumLosses(done, end, this.means.lossSum), (end - done) * size)
        done = end
      }
      for (; done < end; done++) {
        const outputs = taken.outputs?.(done)
        if (outputs === undefined) this.means.addLoss(taken.loss(done), size)
        else this.means.add(taken.loss(done), outputs.prediction, outputs.targets, size)
      }
      if (!endsEpoch) break
      // a block never crosses the end of an epoch that callbacks or metrics watch
      if (this.watchesEpochs) break
      epochs.push({ epoch, loss: this.means.loss, metrics: this.means.values, learningRate: taken.learningRate(end - 1), seconds: 0 })
    }
    const last = this.batches.positionOf(first + count - 1)
    this.countSteps(last.step)
    this.addEpochs(epochs)
    if (last.batch === batchesPerEpoch && this.watchesEpochs) return this.endEpoch(this.progressAt(last))
    this.reportProgress(last)
    return undefined
  }

  private countSteps(steps: number): void {
    if (this.history.steps === 0) this.pace = { since: clock.now(), step: steps }
    this.history.steps = steps
  }

  /** Adds the records of epochs that ended since the clock was last read, which share the time. */
  private addEpochs(epochs: readonly EpochRecord[]): void {
    if (epochs.length === 0) return
    const each = seconds(this.epochStarted) / epochs.length
    for (const record of epochs) {
      record.seconds = each
      this.history.epochs.push(record)
    }
    this.epochStarted = clock.now()
  }

  private reportProgress(position: Position): void {
    if (!(this.plan.onProgress ?? this.line) || clock.now() - this.lastReport < 100) return
    this.lastReport = clock.now()
    this.tell(this.progressAt(position))
  }

  /** @internal An error in onProgress ends training, even if it is asynchronous and comes later. */
  tell(progress: Progress): void {
    this.line?.show(progress)
    if (this.plan.onProgress === undefined) return
    const answer: unknown = this.plan.onProgress(progress)
    this.fast.userCodeRan()
    if (!(answer instanceof Promise)) return
    answer.catch((cause) => {
      // training is over, so no code waits for the error: the runtime reports it as an unhandled rejection
      if (this.isOver) throw cause
      this.failure ??= { cause }
    })
  }

  private checkFailure(): void {
    if (this.failure !== null) throw this.failure.cause
  }

  private beginEpoch(): void {
    this.means.reset()
  }

  private async endBatch(step: Step, lastOfEpoch: boolean): Promise<void> {
    const progress = this.progressAt(step)
    if (this.watchesBatches) await this.callEach('onBatchEnd', (c) => c.onBatchEnd?.(progress, this.control))
    if (lastOfEpoch) await this.endEpoch(progress)
  }

  private async endEpoch(progress: Progress): Promise<void> {
    checkWeights(this.plan, progress)
    await recordEpoch(this, progress)
    this.plan.model.train()
    await this.callEach('onEpochSaved', (c) => c.onEpochSaved?.(progress, this))
    this.epochStarted = clock.now()
  }

  /** @internal */
  validate({ epoch, step }: Progress): Progress['validation'] {
    const { model, options, metrics, validation } = this.plan
    return validation
      ? evaluateRows(`fit: validation after epoch ${epoch} (step ${step})`, model, validation, { loss: options.loss, metrics })
      : undefined
  }

  private progressAt({ step, epoch, batch }: Position): Progress {
    const { epochs, batchesPerEpoch } = this.plan
    const { loss } = this.means
    const values = this.means.valuesLater()
    let metrics: Record<string, number> | undefined
    const { since, step: first } = step > this.pace.step ? this.pace : { since: this.started, step: this.plan.start }
    const stepsPerSecond = (step - first) / seconds(since)
    return {
      epoch,
      epochs,
      step,
      batch,
      batchesPerEpoch,
      loss,
      // computed on demand, since a metric may go through the whole epoch so far
      get metrics() {
        metrics ??= values()
        return metrics
      },
      learningRate: this.plan.options.optimizer.learningRate,
      samplesPerSecond: stepsPerSecond * this.plan.batchSize,
      secondsLeft: (this.batches.total - step) / stepsPerSecond,
    }
  }

  /** @internal @param mayIdle true for hooks that return undefined if they did nothing, so that recorded steps stay valid */
  callEach(hook: keyof Callback, invoke: (callback: Callback) => void | Promise<void>, mayIdle = false): Promise<void> {
    return callEach('fit', this.callbacks, hook, invoke, (returnedNothing) => {
      if (!mayIdle || !returnedNothing) this.fast.userCodeRan()
    })
  }
}

function seconds(since: number): number {
  return (clock.now() - since) / 1000
}
