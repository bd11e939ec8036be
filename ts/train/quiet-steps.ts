/**
 * Steps that nobody looks at one by one: training in stretches, each as long as two milliseconds of work, in one call of
 * WebAssembly where that is possible ({@link Stretch}) and step by step otherwise. The bits are the same.
 */
import { Generator } from '../random.js'
import type { Recording } from './replay.js'
import { type Place, type Plan, releaseRecordings, stepFailed, trainStep } from './steps.js'
import { type Piece, Stretch } from './stretch.js'

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

const STRETCH_MS = 2
const MOST_STEPS = 256

/**
 * @internal the steps of all epochs in stretches that end where the number of rows changes and, unless `spansEpochs`, where an
 * epoch does
 * @throws NonFiniteError as soon as a loss is not finite, before the update that would follow
 */
export function* quietSteps(plan: Plan, spansEpochs: boolean): globalThis.Generator<QuietSteps, void, void> {
  const walk = new Walk(plan, spansEpochs)
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
  private readonly orders: Orders
  private readonly losses: number[] = []
  private readonly rates: number[] = []
  private readonly stretches = new WeakMap<Recording, { optimizer: unknown; stretch: Stretch | null }>()

  constructor(
    private readonly plan: Plan,
    private readonly spansEpochs: boolean,
  ) {
    this.total = plan.epochs * plan.batchesPerEpoch
    this.orders = new Orders(plan)
  }

  get isDone(): boolean {
    return this.at >= this.total
  }

  /** How many of the next `most` steps have as many rows as the first of them. */
  ahead(most: number): number {
    const { at, total, spansEpochs, plan } = this
    const size = this.sizeOf(at)
    const end = Math.min(at + most, spansEpochs ? total : (this.epochOf(at) + 1) * plan.batchesPerEpoch)
    let next = at + 1
    while (next < end && this.sizeOf(next) === size) next++
    return next - at
  }

  take(count: number): QuietSteps {
    const size = this.sizeOf(this.at)
    const taken = this.takeAtOnce(count, size) ?? this.takeEach(count, size)
    this.at += taken.count
    return taken
  }

  private takeAtOnce(most: number, size: number): QuietSteps | null {
    const { plan, rates } = this
    const { optimizer, schedule } = plan.options
    const stretch = this.stretchOf(size)
    if (stretch === null || most < 2) return null
    const count = Math.min(most, stretch.capacity)
    const first = this.at + 1
    const each = (i: number) => {
      if (schedule !== undefined) optimizer.learningRate = rates[i] = schedule(first - 1 + i)
    }
    const result = stretch.run(this.pieces(count, size), size, count, each)
    if (result === null) return null
    const { done, loss } = result
    if (result.failed) {
      each(done)
      throw stepFailed(plan, loss(done), this.placeOf(this.at + done))
    }
    const learningRate = schedule === undefined ? () => optimizer.learningRate : (i: number) => rates[i]
    return { first, count: done, size, loss, learningRate }
  }

  private takeEach(count: number, size: number): QuietSteps {
    const { plan, losses, rates, at } = this
    for (let i = 0; i < count; i++) {
      const [{ order, from, to }] = this.pieces(1, size, at + i)
      losses[i] = trainStep(plan, order, from, to, this.placeOf(at + i)).loss
      rates[i] = plan.options.optimizer.learningRate
    }
    return { first: at + 1, count, size, loss: (i) => losses[i], learningRate: (i) => rates[i] }
  }

  private stretchOf(size: number): Stretch | null {
    const recording = this.plan.recordings?.get(size)
    if (recording === undefined) return null
    const { optimizer } = this.plan.options
    let known = this.stretches.get(recording)
    if (known?.optimizer !== optimizer) {
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
    this.orders.forgetBefore(this.epochOf(at + count))
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
