/**
 * Blocks: steps that no callback watches one by one. A block is about two milliseconds of work, in one call of WebAssembly if possible ({@link
 * StepProgram}) and step by step otherwise. The bits are the same.
 */

import { clock } from '../../common/clock.js'
import { type StepScheme, stepSchemeOf } from '../../optim/base/step-scheme.js'
import { Batches, type RowRange } from '../batches.js'
import { stepFailed } from '../diverged.js'
import type { StepOptions } from '../options.js'
import { EpochOrders } from '../orders.js'
import { type Plan, setLearningRate } from '../plan.js'
import type { Outputs, Recording } from './recording.js'
import { gradientsWait, MAX_STEPS, StepProgram } from './step-program.js'

/** Consecutive finished steps, all with the same number of rows. */
export interface StepBlock {
  /** Number of the first step, from 0, over all epochs. */
  first: number
  count: number
  /** Rows of each step. */
  size: number
  /** True if they ran as a program. */
  isProgram: boolean
  /** The loss of step first + i before its update. */
  loss(i: number): number
  /** The learning rate of step first + i. */
  learningRate(i: number): number
  /** `sum` plus the losses of steps first + i to first + end − 1, each times `size`, added in their order. */
  sumLosses?(i: number, end: number, sum: number): number
  /** Prediction and targets of step i, if requested; valid until the next block. */
  outputs?(i: number): Outputs
  /**
   * The schedule was asked for later steps before training was stopped: these are still run, so that a schedule that counts its calls stays
   * in step.
   */
  scheduleIsAhead?: boolean
}

/** Conditions under which a block ends early. */
export interface BlockLimits {
  /** Allows epochs to end within a block. */
  spansEpochs: boolean
  /** The most steps of a block that begins after so many steps. */
  untilPause: (steps: number) => number
  /** True after a step that must be the last, for example because its schedule aborts training. */
  isOver: () => boolean
}

const BLOCK_MS = 2

/** Number of steps that take {@link BLOCK_MS}: an estimate from recent steps. */
class BlockSize {
  steps = 1

  measure(asked: number, fn: () => StepBlock): StepBlock {
    const start = clock.now()
    const taken = fn()
    // this block ended early because a program is ready. The steps of a program take a different time, so this block is not measured.
    if (taken.count < asked && !taken.isProgram) return taken
    const each = (clock.now() - start) / taken.count
    const wanted = Math.min(BLOCK_MS / Math.max(each, 1e-6), 4 * this.steps, MAX_STEPS)
    this.steps = Math.max(1, Math.floor(wanted))
    return taken
  }
}

/** The program of a recording with one optimizer, kept for reuse; null if none is possible. */
interface KnownProgram {
  version: number
  optimizer: unknown
  batches: number
  program: StepProgram | null
}

/** Runs the steps of a training in blocks. */
export class BlockRunner {
  /** The first step of the next block, from 0. */
  private first = 0
  private readonly plan: Plan
  private readonly batches: Batches
  private readonly orders: EpochOrders
  private readonly schedule: ScheduleCache | null
  private readonly losses: number[] = []
  private readonly rates: number[] = []
  private readonly programs = new WeakMap<Recording, KnownProgram>()

  /**
   * @param recordingsOf the recordings for steps of this number of rows, if they may run now; with `adds` there is a second one, for steps that add
   * their gradients to earlier ones
   * @param runStep takes a single step, from 0
   * @param keepsPredictions true if predictions and targets are requested
   */
  constructor(
    plan: Plan,
    private readonly limits: BlockLimits,
    private readonly recordingsOf: (size: number, adds: boolean) => readonly Recording[] | null,
    private readonly runStep: (step: number, range: RowRange) => Outputs & { loss: number },
    private readonly keepsPredictions: boolean,
  ) {
    const { options } = plan
    this.schedule = options.schedule ? new ScheduleCache(options.schedule) : null
    this.plan = this.schedule ? { ...plan, options: { ...options, schedule: this.schedule.of } } : plan
    this.batches = new Batches(plan)
    this.orders = new EpochOrders(plan)
  }

  /**
   * The steps from `from` on, in blocks that end when the number of rows changes or the limits say so.
   * @throws NonFiniteError as soon as a loss is not finite, before the update that would follow
   */
  *blocks(from: number): globalThis.Generator<StepBlock, void, void> {
    const { batches, limits } = this
    this.first = from
    const size = new BlockSize()
    while (this.first < batches.total) {
      const scheme = this.schemeAt(this.first)
      const most = Math.min(Math.max(size.steps, scheme?.batches ?? 1), limits.untilPause(this.first))
      const count = batches.ahead(this.first, most, limits.spansEpochs && scheme !== null)
      yield size.measure(count, () => this.take(count))
    }
  }

  /** The update that begins at a step; null if batches wait there, or would wait at the end of an epoch. */
  private schemeAt(step: number): StepScheme | null {
    const scheme = stepSchemeOf(this.plan.options.optimizer)
    const { batches, isComplete } = scheme
    return isComplete && (!this.limits.spansEpochs || step % batches === 0) ? scheme : null
  }

  private take(count: number): StepBlock {
    const { first, batches, limits } = this
    // orders and learning rates of finished steps are forgotten; those that were computed ahead but not used serve the next steps
    this.orders.forgetBefore(batches.epochOf(first))
    this.schedule?.forgetBefore(first)
    const size = batches.sizeOf(first)
    const taken = this.runAsProgram(count, size) ?? this.runOneByOne(count, size)
    this.first += taken.count
    taken.scheduleIsAhead = this.schedule !== null && this.schedule.end > this.first && limits.isOver()
    return taken
  }

  private runAsProgram(most: number, size: number): StepBlock | null {
    const { plan, batches, orders, first, limits } = this
    const { optimizer, schedule } = plan.options
    const program = most < 2 ? null : this.programAt(first, size)
    if (program === null) return null
    const asked = Math.min(most, program.capacity)
    const count = asked - (asked % program.scheme.batches)
    if (count === 0) return null
    const before = (i: number) => {
      if (schedule !== undefined) setLearningRate(plan, schedule(first + i))
    }
    const result = program.run(batches.ranges(orders, first, count), count, { before, isOver: limits.isOver })
    if (result === null) return null
    const { done, loss, outputs } = result
    if (result.failed !== null) {
      before(done)
      throw stepFailed(plan, result.failed, batches.positionOf(first + done))
    }
    const learningRate = schedule === undefined ? () => optimizer.learningRate : (i: number) => schedule(first + i)
    return { first, count: done, size, isProgram: true, loss, learningRate, outputs }
  }

  private runOneByOne(most: number, size: number): StepBlock {
    const { plan, batches, orders, losses, rates, first, limits, schedule, keepsPredictions } = this
    let count = 0
    let step: ReturnType<typeof this.runStep>
    const mayGoOn = () => {
      if (count >= most || limits.isOver()) return false
      // the next step would overwrite the prediction
      if (keepsPredictions) return false
      // the first step was recorded, so a program may be able to run the others
      return count > 1 || this.programAt(first + count, size) === null
    }
    do {
      if (schedule !== null) setLearningRate(plan, schedule.of(first + count))
      const [range] = batches.ranges(orders, first + count, 1)
      step = this.runStep(first + count, range)
      losses[count] = step.loss
      rates[count] = plan.options.optimizer.learningRate
      count++
    } while (mayGoOn())
    const block: StepBlock = { first, count, size, isProgram: false, loss: (i) => losses[i], learningRate: (i) => rates[i] }
    return keepsPredictions ? { ...block, outputs: () => step } : block
  }

  /** The program for steps of this number of rows at the beginning of an update. */
  private programAt(step: number, size: number): StepProgram | null {
    const scheme = this.schemeAt(step)
    const recordings = scheme && this.recordingsOf(size, scheme.batches > 1)
    if (scheme === null || recordings === null) return null
    const [recording] = recordings
    const { optimizer, batches } = scheme
    const version = recordings.reduce((sum, { version }) => sum + version, 0)
    let known = this.programs.get(recording)
    if (known?.optimizer !== optimizer || known.version !== version || known.batches !== batches) {
      // a gradient from before this call is used by a single step, after which there may be a program
      if (gradientsWait(this.plan.options.optimizer)) return null
      known = { version, optimizer, batches, program: StepProgram.of(recordings, scheme, this.keepsPredictions) }
      this.programs.set(recording, known)
    }
    return known.program
  }
}

/** Result of a schedule for a step: a rate or an error. */
type Answer = { rate: number } | { thrown: unknown }

/** A schedule that is called once per step, even if a step is planned several times: its result or error is kept until the step is over. */
export class ScheduleCache {
  private first = 0
  private readonly known: Answer[] = []

  constructor(private readonly schedule: NonNullable<StepOptions['schedule']>) {}

  readonly of = (step: number): number => {
    const answer = (this.known[step - this.first] ??= this.ask(step))
    if ('thrown' in answer) throw answer.thrown
    return answer.rate
  }

  /** The first step for which the schedule has not been called. */
  get end(): number {
    return this.first + this.known.length
  }

  forgetBefore(step: number): void {
    this.known.splice(0, step - this.first)
    this.first = step
  }

  private ask(step: number): Answer {
    try {
      return { rate: this.schedule(step) }
    } catch (thrown) {
      return { thrown }
    }
  }
}
