/** Training with a learning rate and a schedule that are chosen by short trainings first. */
import { NonFiniteError, rangeError, typeError } from '../common/errors.js'
import { count, readOptions, type Schema } from '../common/options.js'
import type { Module } from '../nn/module.js'
import type { OptimizerLike } from '../optim/wrappers/wrapper.js'
import { CARRIED } from '../rows/carried.js'
import { cosine } from '../schedule/decay.js'
import { type Schedule, warmup } from '../schedule/schedule.js'
import type { Callback } from '../train/callbacks.js'
import { checkModel } from '../train/claim.js'
import { pickRows, type Rows } from '../train/data.js'
import { EarlyStopping } from '../train/early-stopping.js'
import { findLearningRate } from '../train/find-learning-rate.js'
import { fit } from '../train/fit.js'
import type { History } from '../train/history.js'
import { FIT, type FitOptions } from '../train/options.js'
import { planFit } from '../train/plan.js'
import { snapshot } from '../train/snapshot.js'
import { trainSteps } from '../train/steps.js'
import type { TrainingData } from '../train/training-data.js'
import { evaluateBuilt } from './built.js'

/** Options of {@link fitAuto}: the options of `fit`, without those that it decides. */
export interface FitAutoOptions extends Omit<FitOptions, 'optimizer' | 'schedule' | 'resume' | 'batchSize'> {
  /** Any optimizer with a learning rate. Its own rate does not matter, but groups keep the proportions of theirs. */
  optimizer: OptimizerLike
  /**
   * Rows of a step; 'full' for all, or 'auto' to try 32 and 8, which takes four times as many steps and two to three times as long an epoch. Default 32.
   */
  batchSize?: number | 'full' | 'auto'
}

/** One of the trainings of {@link fitAuto}, each from the same weights. */
export interface RateTrial {
  /** The highest rate of its schedule. */
  learningRate: number
  /** Rows of a step. */
  batchSize: number
  /** Steps that it was planned for. */
  steps: number
  /** Validation loss, of the best epoch in a full training; without validation data the training loss at the end. Infinity if it diverged. */
  loss: number
}

/** Result of {@link fitAuto}: the history of the best training, the rate and batch size that it was given, and all trainings. */
export interface AutoHistory extends History {
  /** The highest rate of the schedule. */
  learningRate: number
  /** Rows of a step. */
  batchSize: number
  /** The short trainings and the full ones, in order. */
  trials: RateTrial[]
}

const { schedule: _schedule, resume: _resume, ...OF_FIT } = FIT

export const FIT_AUTO = {
  ...OF_FIT,
  batchSize: { is: { min: 1, whole: true, or: ['full', 'auto'] }, default: 32 },
  epochs: { is: count, default: 1 },
} satisfies Schema<FitAutoOptions>

/** @internal How {@link fitAuto} searches; bench/auto-rate.ts measures others. */
export interface RateSearch {
  /** Length of the short trainings, as a share of the full one. */
  share: number
  schedule: (rate: number, steps: number) => Schedule
  /** True if a full training keeps its best epoch. */
  keepsBest: boolean
  /** Standard errors by which a higher rate must win. */
  errors: number
}

/** Batch sizes of 'auto', the first of which begins. */
const SIZES = [32, 8]

/** @internal */
export const RATE_SEARCH: RateSearch = { share: 1 / 8, schedule: warmupCosine, keepsBest: true, errors: 2 }

/**
 * Steps of a short training, at least: fewer are alike at every rate. In a training of fewer steps a warmup would leave out one of them, and the losses
 * of its steps say little, so that all rows are measured after it.
 */
const MIN_STEPS = 10

/** Up in a tenth of the steps, then down to 0 along a cosine. */
function warmupCosine(rate: number, steps: number): Schedule {
  if (steps < MIN_STEPS) return cosine(rate, { steps })
  return warmup(cosine(rate, { steps: 0.9 * steps }), { steps: 0.1 * steps })
}

/** Parts of the validation rows, whose losses tell how sure a difference is. */
const PARTS = 8

/** Further rates, a tenth of each other, if all full trainings diverged. */
const RETRIES = 3

/**
 * Trains a model like {@link fit}, with a learning rate that it finds itself: for nets whose rate nobody knows yet.
 *
 * All trainings start from the present weights. Each has a schedule with a peak η, over its n steps:
 * `schedules.warmup(schedules.cosine(η, { steps: 0.9 * n }), { steps: 0.1 * n })`, without the warmup if n < 10. A range test ({@link findLearningRate})
 * finds the highest useful rate. Five or more trainings over an eighth of the steps, at least ten, at rates a factor of √10 apart around it, choose where
 * to begin: the best one has a worse one on each side. Three full trainings follow: at that rate, at its better neighbor, and one further in the better
 * direction. The model keeps the best of them, and of its epochs the one with the least validation loss. A higher rate is better only by two standard
 * errors of the difference: few validation rows prefer rates that are too high. A training that diverges counts as the worst; if all do, lower rates
 * follow. The whole takes about four times as long as {@link fit}. When not: trainings that leave a plateau only late, which short trainings do not show;
 * compare rates by {@link compareLearningRates} then.
 *
 * Without validation data (`validation` or `validationFraction`), the training loss decides, which favors rates that overfit. Callbacks, metrics and
 * progress are for the full trainings, and see each of them from beginning to end. Smaller batches take more steps in the same epochs, and often reach a
 * lower loss in more time: `batchSize: 'auto'` tries them, too. The same seed gives the same run. A training cannot be resumed, and a `Checkpoint` is
 * refused.
 *
 * @returns the history of the best training, with its `learningRate`, and all `trials`
 * @example
 * const optimizer = new AdamW(model.parameters())
 * const { learningRate, trials } = await fitAuto(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, validationFraction: 0.2 })
 * trials.length >= 8 // true
 * trials.some((trial) => trial.learningRate === learningRate) // true
 * @throws RangeError, ShapeError, TypeError for data or options that do not fit; NonFiniteError if the first loss is not finite, or training diverges
 *   at every rate; the signal's reason if it ends the short trainings. The model is as before then.
 */
export function fitAuto(model: Module, options: FitAutoOptions): Promise<AutoHistory> {
  return fitBySearch(model, options, RATE_SEARCH)
}

/** The trainings of one batch size. */
interface Arm {
  batchSize: number
  /** Of a full training. */
  steps: number
  batchesPerEpoch: number
  /** The short trainings, by the power of {@link RATIO} of their rate. */
  short: Map<number, Judged>
}

/** A training as its validation rows judge it. */
interface Judged {
  loss: number
  /** Losses of parts of the validation rows; empty where other rows judge. */
  parts: readonly number[]
}

/** @internal {@link fitAuto} with another search */
export async function fitBySearch(model: Module, given: FitAutoOptions, search: RateSearch): Promise<AutoHistory> {
  checkModel('fitAuto', model)
  refuse(given)
  const options = readOptions('fitAuto', given, FIT_AUTO, CARRIED)
  const { optimizer, loss, signal, seed, shuffle, dropLast, replay, yieldEvery } = options
  if ('trainOn' in optimizer) throw typeError(`fitAuto: ${(optimizer as OptimizerLike).name} finds its steps itself; use fit`)
  const sizes = options.batchSize === 'auto' ? SIZES : [options.batchSize]
  const plans = sizes.map((batchSize) => planFit(model, { ...options, batchSize }))
  // few rows make one size of two
  const arms = plans
    .filter(({ batchSize }, i) => i === 0 || batchSize !== plans[0].batchSize)
    .map(
      ({ batchSize, epochs, batchesPerEpoch }): Arm => ({ batchSize, batchesPerEpoch, steps: epochs * batchesPerEpoch, short: new Map() }),
    )
  const [{ rows, validation, epochs }] = plans
  const shared = { ...dataOf(rows), loss, optimizer, seed, shuffle, dropLast, replay, yieldEvery }
  const trials: RateTrial[] = []
  const restore = snapshot(model, optimizer)

  const lossOf = (judged: Rows): number =>
    evaluateBuilt('fitAuto: validation', { model, optimizer }, judged, { loss })?.loss ?? Number.POSITIVE_INFINITY
  const parts = validation ? partsOf(validation) : []

  /** The loss after some steps of a training. */
  const shortTraining = async ({ batchSize, batchesPerEpoch }: Arm, learningRate: number, steps: number): Promise<Judged> => {
    const losses: number[] = []
    const schedule = search.schedule(learningRate, steps)
    for await (const step of trainSteps(model, { ...shared, batchSize, schedule, epochs: Math.ceil(steps / batchesPerEpoch) })) {
      signal?.throwIfAborted()
      if (losses.push(step.loss) === steps) break
    }
    optimizer.flush?.()
    const judged = validation ?? (steps < MIN_STEPS ? rows : null)
    if (judged) return { loss: lossOf(judged), parts: parts.map(lossOf) }
    const last = losses.slice(-Math.ceil(steps / 4))
    return { loss: last.reduce((sum, loss) => sum + loss, 0) / last.length, parts: [] }
  }

  let best: (Judged & { history: AutoHistory; restore: () => void }) | undefined
  /** A full training, by `fit` itself. */
  const fullTraining = async ({ batchSize }: Arm, learningRate: number, steps: number): Promise<Judged> => {
    const callbacks = [...(validation && search.keepsBest ? [new EarlyStopping({ patience: epochs })] : []), ...options.callbacks]
    const history = await fit(model, { ...given, batchSize, callbacks, schedule: search.schedule(learningRate, steps) })
    const losses = history.epochs.map(({ loss, validation }) => validation?.loss ?? loss)
    const last = validation === null && steps < MIN_STEPS ? lossOf(rows) : (losses.at(-1) ?? Number.POSITIVE_INFINITY)
    const found = { loss: validation && search.keepsBest ? Math.min(...losses) : last, parts: parts.map(lossOf) }
    const isHigher = best !== undefined && learningRate > best.history.learningRate
    if (!best || (isHigher ? excess(best, found) > search.errors : !(excess(found, best) > search.errors)))
      best = { ...found, history: { ...history, learningRate, batchSize, trials }, restore: snapshot(model, optimizer) }
    return found
  }

  let failure: NonFiniteError | undefined
  /** Runs a training, and brings the first weights back. @returns its loss */
  const attempt = async (training: typeof shortTraining, arm: Arm, position: number, steps: number): Promise<Judged> => {
    const learningRate = highest * RATIO ** position
    const trial = { learningRate, batchSize: arm.batchSize, steps, loss: Number.POSITIVE_INFINITY }
    trials.push(trial)
    let judged: Judged = { loss: Number.POSITIVE_INFINITY, parts: [] }
    try {
      judged = await training(arm, learningRate, steps)
      trial.loss = judged.loss
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error
      failure = error
    } finally {
      restore()
    }
    return judged
  }

  /** Tries short trainings until the best one has a worse one on each side. */
  const tryShort = async (arm: Arm, positions: readonly number[], share: number): Promise<void> => {
    const { short, steps } = arm
    const run = async (position: number) =>
      void short.set(position, await attempt(shortTraining, arm, position, Math.min(steps, Math.max(MIN_STEPS, Math.round(share * steps)))))
    for (const position of positions) await run(position)
    while (short.size < MAX_SHORT && (!short.has(leastOf(short) - 1) || !short.has(leastOf(short) + 1)))
      await run(short.has(leastOf(short) + 1) ? leastOf(short) - 1 : leastOf(short) + 1)
  }
  const full = (arm: Arm, position: number) => (best && signal?.aborted ? best : attempt(fullTraining, arm, position, arm.steps))

  const [arm, smaller] = arms
  const testSteps = Math.min(100, Math.max(20, Math.round(arm.steps / 4)))
  const highest = await highestRate(model, { ...shared, batchSize: arm.batchSize, steps: testSteps })
  await tryShort(arm, SHORT, search.share)
  const first = calmestOf(arm.short, search.errors)
  if (smaller) {
    // gradients of smaller batches have more noise: their rates are lower
    await tryShort(smaller, [first, first - 1, first - 2], search.share / 2)
    const calmest = calmestOf(smaller.short, search.errors)
    const [{ loss }, { loss: lossOfSmaller }] = [await full(arm, first), await full(smaller, calmest)]
    if (lossOfSmaller < loss) await full(smaller, calmest + betterSide(smaller.short, calmest))
    else await full(arm, first + betterSide(arm.short, first))
  } else {
    const side = betterSide(arm.short, first)
    const [center, neighbor] = [await full(arm, first), await full(arm, first + side)]
    await full(arm, neighbor.loss < center.loss ? first + 2 * side : first - side)
  }
  for (let i = 1; i <= RETRIES && best === undefined; i++) await full(arm, first - 2 * i - 1)
  if (best === undefined) throw failure
  best.restore()
  return best.history
}

const lossAt = (short: ReadonlyMap<number, Judged>, position: number) => short.get(position)?.loss ?? Number.POSITIVE_INFINITY

/** The best position; of equal losses, such as those of trainings that diverged, the lowest rate. */
function leastOf(short: ReadonlyMap<number, Judged>): number {
  return [...short.keys()].reduce((a, b) => {
    const [left, right] = [lossAt(short, a), lossAt(short, b)]
    return right < left || (right === left && b < a) ? b : a
  })
}

/** The lowest position that the best one does not surely surpass. */
function calmestOf(short: ReadonlyMap<number, Judged>, errors: number): number {
  const least = leastOf(short)
  const best = short.get(least) as Judged
  return Math.min(...[...short].flatMap(([position, judged]) => (position === least || excess(judged, best) <= errors ? [position] : [])))
}

/**
 * By how many standard errors a loss is above another, from the parts of the validation rows (the one-standard-error rule: Breiman et al. 1984, section
 * 3.4.3, with the error of the difference).
 */
function excess({ loss, parts }: Judged, other: Judged): number {
  const difference = loss - other.loss
  if (!Number.isFinite(loss) || parts.length < 2 || parts.length !== other.parts.length)
    return difference > 0 ? Number.POSITIVE_INFINITY : 0
  const each = parts.map((part, i) => part - other.parts[i])
  const mean = each.reduce((sum, d) => sum + d, 0) / each.length
  const error = Math.sqrt(each.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (each.length - 1) / each.length)
  return difference > 0 ? mean / error : 0
}

/** Some of the validation rows each: every eighth of those that count, so that the order of the rows does not matter. */
function partsOf(rows: Rows): Rows[] {
  const weights = rows.weights?.read()
  // rows of weight 0 alone have no loss
  const counted = Array.from({ length: rows.count }, (_, row) => row).filter((row) => weights?.[row] !== 0)
  const parts = Math.min(PARTS, counted.length)
  return Array.from({ length: parts }, (_, part) => pickRows(rows, Int32Array.from(counted.filter((_, i) => i % parts === part))))
}

/** The direction of the better neighbor of a position. */
function betterSide(short: ReadonlyMap<number, Judged>, position: number): 1 | -1 {
  return lossAt(short, position + 1) < lossAt(short, position - 1) ? 1 : -1
}

/** Factor between neighboring rates. */
const RATIO = Math.sqrt(10)
/** The first short trainings, as powers of {@link RATIO} times the rate of the range test. */
const SHORT = [1, 0, -1, -2, -3]
/** Short trainings at most. */
const MAX_SHORT = 16

/** @throws RangeError for options of `fit` that have no meaning here */
function refuse(given: Partial<Omit<FitOptions, 'batchSize'>> | undefined): void {
  const { schedule, resume, callbacks } = given ?? {}
  if (schedule !== undefined) throw rangeError('fitAuto: schedule is chosen by fitAuto; leave it out, or use fit')
  if (resume !== undefined) throw rangeError('fitAuto: resume is an option of fit; give it the schedule that fitAuto found')
  const saving = Array.isArray(callbacks) && callbacks.find((callback: Callback) => callback?.onEpochSaved ?? callback?.onBatchSaved)
  if (saving)
    throw rangeError(`fitAuto: callbacks: ${saving.name ?? 'one'} saves a training, and there are several here; save the model afterwards`)
}

/** The rate at the least loss of a range test, above which training soon diverges; ten times the optimizer's own if the loss never fell. */
async function highestRate(model: Module, options: Parameters<typeof findLearningRate>[1]): Promise<number> {
  const { learningRates, smoothed } = await findLearningRate(model, options)
  const at = smoothed.indexOf(Math.min(...smoothed))
  return at > 0 ? learningRates[at] : 10 * (options.optimizer.learningRate || 0.01)
}

function dataOf({ inputs, targets, weights }: Rows): TrainingData {
  return weights === null ? { inputs, targets } : { inputs, targets, weights }
}
