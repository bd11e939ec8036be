/** OnlineLearner: learns from rows that never end, a few at a time, beside rows that it remembers. */
import { rangeError, reword, typeError } from '../common/errors.js'
import { count, countFrom0, type Read, readOptions, type Schema, seed } from '../common/options.js'
import { RandomStream } from '../common/random-stream.js'
import { savedCount } from '../common/saved.js'
import { show } from '../common/show.js'
import { evaluateModel, Module, trainOnBatch } from '../index.js'
import { takesWholeSteps } from '../train/whole-step-optimizer.js'
import { type Drift, DriftDetector } from './drift.js'
import { FIT_STREAM, type FitStreamOptions } from './fit-stream.js'
import {
  arraysLike,
  type BadRow,
  between,
  copyOf,
  copyRows,
  dataOf,
  NONE,
  NumberReader,
  type Numbers,
  type Segment,
  targetCheck,
} from './numbers.js'
import { rowsOf, type StreamItem } from './source.js'

/** Options of {@link OnlineLearner}. */
export interface OnlineOptions extends Pick<FitStreamOptions, 'loss' | 'optimizer' | 'encoder'> {
  /** New rows per step; as many remembered ones are learnt again beside them. Default 32. */
  batchSize?: number
  /** Rows that are remembered, a random sample of those before: 0 for none. Default 1000. */
  memory?: number
  /** Rows after which half of the remembered ones are others. Default: all rows are equally likely to be remembered, however old. */
  halfLife?: number
  /** What happens to remembered rows when a drift is noticed: `keep` or `forget`. Default `keep`. */
  afterDrift?: 'keep' | 'forget'
  /** What a row does that cannot be read: `error` refuses the call, and nothing is learnt; `skip` leaves the row out. Default `error`. */
  badRows?: 'error' | 'skip'
  /** Seed of the sample, a whole number. Default 0. */
  seed?: number
}

export const ONLINE = {
  loss: FIT_STREAM.loss,
  optimizer: FIT_STREAM.optimizer,
  encoder: FIT_STREAM.encoder,
  batchSize: { is: count, default: 32 },
  memory: { is: countFrom0, default: 1000 },
  halfLife: { is: count },
  afterDrift: { is: ['keep', 'forget'], default: 'keep' },
  badRows: { is: ['error', 'skip'], default: 'error' },
  seed: { is: seed, default: 0 },
} satisfies Schema<OnlineOptions>

/** What {@link OnlineLearner.partialFit} says about its rows. */
export interface PartialFit {
  /** Rows that were learnt. */
  rows: number
  /** Mean loss of these rows before they were learnt: an honest estimate of the error on the next ones. NaN without rows. */
  loss: number
  /** The drift that was noticed among these rows, or null. */
  drift: Drift | null
  /** Rows that were skipped; their numbers count from the start. */
  skipped: readonly BadRow[]
}

/** State of an {@link OnlineLearner}: plain objects and typed arrays, for `encodeState` or the parts of a `Checkpoint`. */
export interface OnlineState {
  rows: number
  learnt: number
  steps: number
  /** Remembered rows, perhaps none, with the shapes that further rows want; null before the first rows. */
  remembered: Numbers | null
  drift: Record<string, number>
}

/**
 * Learns from rows that never end, as they come: from a socket, a queue, the clicks of a user. Each call of `partialFit` first judges its rows, then
 * takes a step for each batch of them, with as many rows that it remembers: so it does not forget what comes rarely. Remembered rows are a random
 * sample of all rows so far (reservoir), or one in which older rows fade (`halfLife`). A loss that rises for good is told as a drift.
 *
 * @example
 * const net = new Sequential([new Dense(2, 1)], { seed: 1 })
 * const learner = new OnlineLearner(net, { loss: mse, optimizer: new Adam(net.parameters(), { learningRate: 0.05 }) })
 * for (let i = 0; i < 400; i++) {
 *   const [a, b] = [Math.sin(i), Math.cos(3 * i)]
 *   learner.partialFit({ inputs: [[a, b]], targets: [a - 2 * b] })
 * }
 * learner.partialFit({ inputs: [[0.5, 0.5]], targets: [-0.5] }).loss < 0.01 // true
 * learner.rows // 401
 * @throws RangeError, TypeError for options or rows that do not fit, naming the row: nothing of the call is learnt then; NonFiniteError if the loss is
 *   NaN or infinite, before the update; Error if the model is being trained by fit
 */
export class OnlineLearner {
  /** Rows so far, also skipped ones. */
  rows = 0
  /** Rows that were learnt. */
  private learnt = 0
  private steps = 0
  private readonly options: Read<OnlineOptions, typeof ONLINE>
  private readonly detector = new DriftDetector()
  private readonly reader: NumberReader
  /** Remembered rows, with room for as many as there may be. */
  private memory: Numbers | null = null
  private remembered = 0

  constructor(
    readonly model: Module,
    options: OnlineOptions,
  ) {
    if (!(model instanceof Module)) throw typeError(`OnlineLearner: wants a model, such as a Sequential, got ${show(model)}`)
    this.options = readOptions('OnlineLearner', options, ONLINE)
    const { encoder, badRows, optimizer } = this.options
    if (takesWholeSteps(optimizer) && optimizer.wholeBatch)
      throw rangeError(`OnlineLearner: ${optimizer.name} compares losses of steps, so each must see all rows; take Adam`)
    this.reader = new NumberReader({
      who: 'partialFit',
      model,
      encoder,
      skips: badRows === 'skip',
      takesRagged: false,
      checkTargets: targetCheck(model, this.options.loss),
    })
  }

  /**
   * Judges these rows, and learns them.
   *
   * @param rows a batch `{ inputs, targets }` as `fit` takes it, one row whose target is one number, or rows of a table for the encoder
   */
  partialFit(rows: StreamItem): PartialFit {
    const { options, model } = this
    const known = this.reader.first
    const count = rowsOf('partialFit', rows, this.rows, options.encoder !== undefined)
    let sum = 0
    let learnt = 0
    let drift: Drift | null = null
    let skipped: BadRow[] = []
    try {
      const { segments, bad } = this.reader.read({ item: rows, rows: count, skip: 0, row: this.rows })
      skipped = bad
      const { numbers, numberOf } = joined(segments)
      for (let from = 0; from < numbers.count; from += options.batchSize) {
        const batch = between(numbers, from, Math.min(from + options.batchSize, numbers.count))
        const { loss } = evaluateModel(model, { ...dataOf(model, batch), loss: options.loss })
        this.learn(batch)
        sum += loss * batch.count
        learnt += batch.count
        const found = this.detector.add(loss, batch.count)
        if (found === null) continue
        drift = { row: numberOf[learnt - 1], ...found }
        if (options.afterDrift === 'forget') this.remembered = 0
      }
    } catch (error) {
      // the first rows were none that can be learnt, so others may have another shape
      if (learnt === 0) this.reader.first = known
      if (error instanceof Error && !error.message.startsWith('partialFit: ')) {
        const text = error.message.replace(/^(evaluateModel|trainOnBatch): /, '')
        reword(error, () => `partialFit: rows ${this.rows} to ${this.rows + count - 1}: ${text}`)
      }
      throw error
    }
    this.rows += count
    return { rows: learnt, loss: sum / learnt, drift, skipped }
  }

  state(): OnlineState {
    const { rows, learnt, steps, remembered, detector } = this
    // also without memory the shapes of rows
    const kept = this.memory ?? this.reader.first
    return { rows, learnt, steps, remembered: kept && copyOf(between(kept, 0, remembered)), drift: detector.state() }
  }

  /** @throws TypeError, RangeError for anything but a state of a learner with such rows */
  loadState(state: OnlineState): void {
    const rows = savedCount(state?.rows, 'OnlineLearner: rows')
    const learnt = savedCount(state.learnt, 'OnlineLearner: learnt rows')
    const steps = savedCount(state.steps, 'OnlineLearner: steps')
    const kept = state.remembered
    let memory: Numbers | null = null
    if (kept !== null) {
      if (!areNumbers(kept)) throw typeError(`OnlineLearner: remembered wants rows as state() gives them, or null, got ${show(kept)}`)
      const { count: saved } = kept
      savedCount(saved, 'OnlineLearner: remembered rows')
      if (saved > this.options.memory)
        throw rangeError(`OnlineLearner: ${saved} remembered rows are more than memory: ${this.options.memory}`)
      const whole = arraysLike(kept, saved)
      for (const name of ['inputs', 'targets', 'weights'] as const)
        if (whole[name]?.length !== kept[name]?.length)
          throw rangeError(`OnlineLearner: ${show(kept[name])} are no ${name} of ${saved} remembered rows`)
      memory = arraysLike(kept, this.options.memory)
      copyRows(kept, 0, saved, memory, 0)
    }
    this.detector.loadState(state.drift)
    Object.assign(this, { rows, learnt, steps, memory, remembered: kept?.count ?? 0 })
    if (kept !== null) this.reader.first = between(kept, 0, 1)
  }

  /** A step on new rows and as many remembered ones. */
  private learn(batch: Numbers): void {
    const { model, options, memory } = this
    const random = new RandomStream((options.seed + this.steps) % Number.MAX_SAFE_INTEGER)
    const again = memory === null || this.remembered === 0 ? 0 : batch.count
    const both = arraysLike(this.reader.first ?? batch, batch.count + again)
    copyRows(batch, 0, batch.count, both, 0)
    for (let i = 0; i < again; i++) copyRows(memory as Numbers, Math.floor(random.uniform() * this.remembered), 1, both, batch.count + i)
    trainOnBatch(model, { ...dataOf(model, both), loss: options.loss, optimizer: options.optimizer })
    this.steps++
    if (options.memory > 0) this.remember(batch, random)
  }

  /**
   * Takes rows into the sample. Without a half-life, row n replaces a remembered one with the probability size/n (Vitter 1985, algorithm R). With one, a
   * row enters with the probability p and replaces one of `size` at random, so that after n rows a share (1 − p/size)ⁿ is left (Aggarwal 2006).
   */
  private remember(batch: Numbers, random: RandomStream): void {
    const { memory: most, halfLife } = this.options
    this.memory ??= arraysLike(this.reader.first ?? batch, most)
    // a short half-life has no use for many rows: each new one replaces one of so few
    const size = halfLife === undefined ? most : Math.max(1, Math.min(most, Math.round(halfLife / Math.LN2)))
    const enters = halfLife === undefined ? 1 : Math.min(1, size * (1 - 2 ** (-1 / halfLife)))
    for (let i = 0; i < batch.count; i++) {
      this.learnt++
      const place = this.remembered < size ? this.remembered : this.placeFor(size, enters, random)
      if (place < 0) continue
      copyRows(batch, i, 1, this.memory, place)
      this.remembered = Math.max(this.remembered, place + 1)
    }
  }

  private placeFor(size: number, enters: number, random: RandomStream): number {
    if (this.options.halfLife === undefined) {
      const place = Math.floor(random.uniform() * this.learnt)
      return place < size ? place : -1
    }
    return random.uniform() < enters ? Math.floor(random.uniform() * size) : -1
  }
}

/** True for arrays with the shapes of their rows. */
function areNumbers(kept: unknown): boolean {
  const { inputs, targets, shape, targetShape } = Object(kept) as Partial<Numbers>
  return [inputs, targets].every(ArrayBuffer.isView) && [shape, targetShape].every(Array.isArray)
}

/** The rows of a call side by side, so that its batches are those of a call without the rows that were skipped; and their numbers from the start. */
function joined(segments: readonly Segment[]): { numbers: Numbers; numberOf: number[] } {
  const numberOf = segments.flatMap(({ numbers, row }) => Array.from({ length: numbers.count }, (_, i) => row + i))
  if (segments.length < 2) return { numbers: segments[0]?.numbers ?? NONE, numberOf }
  const all = arraysLike(segments[0].numbers, numberOf.length)
  let at = 0
  for (const { numbers } of segments) {
    copyRows(numbers, 0, numbers.count, all, at)
    at += numbers.count
  }
  return { numbers: all, numberOf }
}
