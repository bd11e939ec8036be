/**
 * Steps that nobody looks at one by one: training in blocks, each as long as two milliseconds of work, in one call of
 * WebAssembly where that is possible ({@link StepProgram}) and step by step otherwise. The bits are the same.
 */

import { stepFailed } from '../diverged.js'
import { EpochOrders } from '../orders.js'
import { type Plan, type StepOptions, setLearningRate } from '../plan.js'
import type { Judged, Recording, RowRange } from './recording.js'
import { gradientsWait, MOST_STEPS, StepProgram } from './step-program.js'

/** Steps that were taken, all with as many rows. */
export interface StepBlock {
  /** The first of them, from 1, over all epochs. */
  first: number
  count: number
  /** Rows of each. */
  size: number
  /** Whether they ran as a program. */
  isProgram: boolean
  /** The loss of step first + i before its update. */
  loss(i: number): number
  /** The learning rate that it had. */
  learningRate(i: number): number
  /** Its prediction and targets, where they are asked for; valid until the next block. */
  judged?(i: number): Judged
}

/** When a block ends before it has taken as long as it may. */
export interface BlockLimits {
  /** Whether epochs may end within one. */
  spansEpochs: boolean
  /** Whether the step that was just asked for is to be the last, as where its schedule aborts training. */
  isOver: () => boolean
}

const BLOCK_MS = 2

/** How many steps take {@link BLOCK_MS}: an estimate from the last ones. */
class BlockSize {
  steps = 1

  measure(asked: number, fn: () => StepBlock): StepBlock {
    const start = performance.now()
    const taken = fn()
    // it ended for a program that there is now, and says nothing of how long that takes
    if (taken.count < asked && !taken.isProgram) return taken
    const each = (performance.now() - start) / taken.count
    const wanted = Math.min(BLOCK_MS / Math.max(each, 1e-6), 4 * this.steps, MOST_STEPS)
    this.steps = Math.max(1, Math.floor(wanted))
    return taken
  }
}

/** The program of a recording as it was, with one optimizer; null where there can be none. */
interface KnownProgram {
  version: number
  optimizer: unknown
  program: StepProgram | null
}

/** Where training is, and the way on. */
export class BlockRunner {
  /** Steps taken. */
  private at = 0
  private readonly total: number
  private readonly plan: Plan
  private readonly orders: EpochOrders
  private readonly schedule: ScheduleCache | null
  private readonly losses: number[] = []
  private readonly rates: number[] = []
  private readonly programs = new WeakMap<Recording, KnownProgram>()

  /**
   * @param recordingOf the recording for steps of so many rows, if they may be run from one now
   * @param takeOne takes a step by itself, from 0
   * @param isJudged whether predictions and targets are asked for
   */
  constructor(
    plan: Plan,
    private readonly limits: BlockLimits,
    private readonly recordingOf: (size: number) => Recording | null,
    private readonly takeOne: (step: number, range: RowRange) => Judged & { loss: number },
    private readonly isJudged: boolean,
  ) {
    const { options, epochs, batchesPerEpoch } = plan
    this.schedule = options.schedule ? new ScheduleCache(options.schedule) : null
    this.plan = this.schedule ? { ...plan, options: { ...options, schedule: this.schedule.of } } : plan
    this.total = epochs * batchesPerEpoch
    this.orders = new EpochOrders(plan)
  }

  /**
   * The steps of all epochs, in blocks that end where the number of rows changes and where the limits say.
   * @throws NonFiniteError as soon as a loss is not finite, before the update that would follow
   */
  *blocks(): globalThis.Generator<StepBlock, void, void> {
    const size = new BlockSize()
    while (this.at < this.total) {
      const count = this.ahead(size.steps)
      yield size.measure(count, () => this.take(count))
    }
  }

  /** How many of the next `most` steps have as many rows as the first of them. */
  private ahead(most: number): number {
    const { at, total, limits, plan } = this
    const size = this.sizeOf(at)
    const end = Math.min(at + most, limits.spansEpochs ? total : (this.epochOf(at) + 1) * plan.batchesPerEpoch)
    let next = at + 1
    while (next < end && this.sizeOf(next) === size) next++
    return next - at
  }

  private take(count: number): StepBlock {
    const { at } = this
    // what was drawn or asked ahead, and not used, is for the steps that come now
    this.orders.forgetBefore(this.epochOf(at))
    this.schedule?.forgetBefore(at)
    const size = this.sizeOf(at)
    const taken = this.takeProgram(count, size) ?? this.takeEach(count, size)
    this.at += taken.count
    return taken
  }

  private takeProgram(most: number, size: number): StepBlock | null {
    const { plan, at, limits } = this
    const { optimizer, schedule } = plan.options
    const program = most < 2 ? null : this.programOf(size)
    if (program === null) return null
    const count = Math.min(most, program.capacity)
    const before = (i: number) => {
      if (schedule !== undefined) setLearningRate(plan, schedule(at + i))
    }
    const result = program.run(this.ranges(count, size), count, { before, isOver: limits.isOver })
    if (result === null) return null
    const { done, loss, judged } = result
    if (result.failed) {
      before(done)
      throw stepFailed(plan, loss(done), this.placeOf(at + done))
    }
    const learningRate = schedule === undefined ? () => optimizer.learningRate : (i: number) => schedule(at + i)
    return { first: at + 1, count: done, size, isProgram: true, loss, learningRate, judged }
  }

  private takeEach(most: number, size: number): StepBlock {
    const { plan, losses, rates, at, limits, schedule, isJudged } = this
    let count = 0
    let step: ReturnType<typeof this.takeOne>
    do {
      if (schedule !== null) setLearningRate(plan, schedule.of(at + count))
      const [range] = this.ranges(1, size, at + count)
      step = this.takeOne(at + count, range)
      losses[count] = step.loss
      rates[count] = plan.options.optimizer.learningRate
      count++
      // once the first of them is recorded, there may be a program for the others
      // a prediction lasts until the next step
    } while (count < most && !isJudged && !limits.isOver() && (count > 1 || this.programOf(size) === null))
    const block: StepBlock = { first: at + 1, count, size, isProgram: false, loss: (i) => losses[i], learningRate: (i) => rates[i] }
    return isJudged ? { ...block, judged: () => step } : block
  }

  private programOf(size: number): StepProgram | null {
    const recording = this.recordingOf(size)
    if (recording === null) return null
    const { optimizer } = this.plan.options
    const { version } = recording
    let known = this.programs.get(recording)
    if (known?.optimizer !== optimizer || known.version !== version) {
      // a gradient that waits is used by a single step, after which there may be a program
      if (gradientsWait(optimizer)) return null
      known = { version, optimizer, program: StepProgram.of(recording, optimizer, this.isJudged) }
      this.programs.set(recording, known)
    }
    return known.program
  }

  /** The rows of the next `count` steps, a range for each epoch. */
  private ranges(count: number, size: number, at = this.at): RowRange[] {
    const { batchSize, batchesPerEpoch } = this.plan
    const out: RowRange[] = []
    for (let next = at; next < at + count; ) {
      const epoch = this.epochOf(next)
      const end = Math.min(at + count, (epoch + 1) * batchesPerEpoch)
      const from = (next % batchesPerEpoch) * batchSize
      out.push({ order: this.orders.of(epoch), from, to: from + (end - next) * size })
      next = end
    }
    return out
  }

  private epochOf(step: number): number {
    return Math.floor(step / this.plan.batchesPerEpoch)
  }

  private sizeOf(step: number): number {
    const { batchSize, batchesPerEpoch, rows } = this.plan
    return Math.min(batchSize, rows.count - (step % batchesPerEpoch) * batchSize)
  }

  private placeOf(step: number): { step: number; epoch: number; batch: number } {
    return { step: step + 1, epoch: this.epochOf(step) + 1, batch: (step % this.plan.batchesPerEpoch) + 1 }
  }
}

/** What a schedule said. */
type Answer = { rate: number } | { thrown: unknown }

/**
 * A schedule that is asked once for each step, however often a step is planned: what it answers or throws is kept while the
 * step is ahead.
 */
class ScheduleCache {
  private first = 0
  private readonly known: Answer[] = []

  constructor(private readonly schedule: NonNullable<StepOptions['schedule']>) {}

  readonly of = (step: number): number => {
    const answer = (this.known[step - this.first] ??= this.ask(step))
    if ('thrown' in answer) throw answer.thrown
    return answer.rate
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
