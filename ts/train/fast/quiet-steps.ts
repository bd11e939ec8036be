/**
 * Steps that nobody looks at one by one: training in stretches, each as long as two milliseconds of work, in one call of
 * WebAssembly where that is possible ({@link Stretch}) and step by step otherwise. The bits are the same.
 */
import { Generator } from '../../random.js'
import { type Plan, type StepOptions, setLearningRate } from '../plan.js'
import { type Place, releaseRecordings, stepFailed, trainStep } from '../steps.js'
import type { Recording } from './recording.js'
import { gradientsWait, MOST_STEPS, type Piece, Stretch } from './stretch.js'

/** Steps that were taken, all with as many rows. */
export interface QuietSteps {
  /** The first of them, from 1, over all epochs. */
  first: number
  count: number
  /** Rows of each. */
  size: number
  /** The loss of step first + i before its update. */
  loss(i: number): number
  /** The learning rate that it had. */
  learningRate(i: number): number
}

/** When a stretch ends before it has taken as long as it may. */
export interface Ends {
  /** Whether epochs may end within one. */
  spansEpochs: boolean
  /** Whether the step that was just asked for is to be the last, as where its schedule aborts training. */
  isOver: () => boolean
}

const STRETCH_MS = 2

/**
 * @internal the steps of all epochs in stretches that end where the number of rows changes and where `ends` says
 * @throws NonFiniteError as soon as a loss is not finite, before the update that would follow
 */
export function* quietSteps(plan: Plan, ends: Ends): globalThis.Generator<QuietSteps, void, void> {
  const walk = new Walk(plan, ends)
  const pace = new Pace()
  const { recordings } = plan
  try {
    while (!walk.isDone) {
      const count = walk.ahead(pace.steps)
      const taken = pace.measure(() => walk.take(count))
      yield taken
    }
  } finally {
    releaseRecordings(plan, recordings)
  }
}

/** How many steps take {@link STRETCH_MS}: an estimate from the last ones. */
class Pace {
  steps = 1

  measure(fn: () => QuietSteps): QuietSteps {
    const start = performance.now()
    const taken = fn()
    const each = (performance.now() - start) / taken.count
    const wanted = Math.min(STRETCH_MS / Math.max(each, 1e-6), 4 * this.steps, MOST_STEPS)
    this.steps = Math.max(1, Math.floor(wanted))
    return taken
  }
}

/** Where training is, and the way on. */
class Walk {
  /** Steps taken. */
  private at = 0
  private readonly total: number
  private readonly plan: Plan
  private readonly orders: Orders
  private readonly schedule: AskedOnce | null
  private readonly losses: number[] = []
  private readonly rates: number[] = []
  private readonly stretches = new WeakMap<Recording, { optimizer: unknown; stretch: Stretch | null }>()

  constructor(
    plan: Plan,
    private readonly ends: Ends,
  ) {
    const { options, epochs, batchesPerEpoch } = plan
    this.schedule = options.schedule ? new AskedOnce(options.schedule) : null
    this.plan = this.schedule ? { ...plan, options: { ...options, schedule: this.schedule.of } } : plan
    this.total = epochs * batchesPerEpoch
    this.orders = new Orders(plan)
  }

  get isDone(): boolean {
    return this.at >= this.total
  }

  /** How many of the next `most` steps have as many rows as the first of them. */
  ahead(most: number): number {
    const { at, total, ends, plan } = this
    const size = this.sizeOf(at)
    const end = Math.min(at + most, ends.spansEpochs ? total : (this.epochOf(at) + 1) * plan.batchesPerEpoch)
    let next = at + 1
    while (next < end && this.sizeOf(next) === size) next++
    return next - at
  }

  take(count: number): QuietSteps {
    const { at } = this
    // what was drawn or asked ahead, and not used, is for the steps that come now
    this.orders.forgetBefore(this.epochOf(at))
    this.schedule?.forgetBefore(at)
    const size = this.sizeOf(at)
    const taken = this.takeAtOnce(count, size) ?? this.takeEach(count, size)
    this.at += taken.count
    return taken
  }

  private takeAtOnce(most: number, size: number): QuietSteps | null {
    const { plan, at, ends } = this
    const { optimizer, schedule } = plan.options
    const stretch = this.stretchOf(size)
    if (stretch === null || most < 2) return null
    const count = Math.min(most, stretch.capacity)
    const before = (i: number) => {
      if (schedule !== undefined) setLearningRate(plan, schedule(at + i))
    }
    const result = stretch.run(this.pieces(count, size), size, count, { before, isOver: ends.isOver })
    if (result === null) return null
    const { done, loss } = result
    if (result.failed) {
      before(done)
      throw stepFailed(plan, loss(done), this.placeOf(at + done))
    }
    const learningRate = schedule === undefined ? () => optimizer.learningRate : (i: number) => schedule(at + i)
    return { first: at + 1, count: done, size, loss, learningRate }
  }

  private takeEach(most: number, size: number): QuietSteps {
    const { plan, losses, rates, at, ends } = this
    let count = 0
    do {
      const [{ order, from, to }] = this.pieces(1, size, at + count)
      losses[count] = trainStep(plan, order, from, to, this.placeOf(at + count), false).loss
      rates[count] = plan.options.optimizer.learningRate
      count++
    } while (count < most && !ends.isOver())
    return { first: at + 1, count, size, loss: (i) => losses[i], learningRate: (i) => rates[i] }
  }

  private stretchOf(size: number): Stretch | null {
    const recording = this.plan.recordings?.get(size)
    if (recording === undefined) return null
    const { optimizer } = this.plan.options
    let known = this.stretches.get(recording)
    if (known?.optimizer !== optimizer) {
      // a gradient that waits is used by a single step, after which there may be a stretch
      if (gradientsWait(optimizer)) return null
      known = { optimizer, stretch: Stretch.of(recording, optimizer) }
      this.stretches.set(recording, known)
    }
    return known.stretch
  }

  /** The rows of the next `count` steps, a piece for each epoch. */
  private pieces(count: number, size: number, at = this.at): Piece[] {
    const { batchSize, batchesPerEpoch } = this.plan
    const out: Piece[] = []
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

  private placeOf(step: number): Place {
    return { step: step + 1, epoch: this.epochOf(step) + 1, batch: (step % this.plan.batchesPerEpoch) + 1 }
  }
}

/** The order of the rows in each epoch, from epoch 0 on. */
class Orders {
  private readonly generator: Generator | null
  private readonly kept = new Map<number, Int32Array>()
  private drawn = 0
  private readonly rows: number

  constructor({ rows, options: { shuffle = true, seed = 0 } }: Plan) {
    this.generator = shuffle ? new Generator(seed) : null
    this.rows = rows.count
  }

  of(epoch: number): Int32Array | null {
    if (this.generator === null) return null
    while (this.drawn <= epoch) this.kept.set(this.drawn++, this.generator.permutation(this.rows))
    return this.kept.get(epoch) as Int32Array
  }

  forgetBefore(epoch: number): void {
    for (const known of this.kept.keys()) if (known < epoch) this.kept.delete(known)
  }
}

/** What a schedule said. */
type Answer = { rate: number } | { thrown: unknown }

/**
 * A schedule that is asked once for each step, however often a step is planned: what it answers or throws is kept while the
 * step is ahead.
 */
class AskedOnce {
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
