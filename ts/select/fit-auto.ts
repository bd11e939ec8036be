/** Training with a learning rate and a schedule that are chosen by short trainings first. */
import { NonFiniteError, rangeError, typeError } from '../common/errors.js'
import { count, readOptions, type Schema } from '../common/options.js'
import { warnOnce } from '../common/warn.js'
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
export interface FitAutoOptions extends Omit<FitOptions, 'optimizer' | 'schedule' | 'resume'> {
  /** Any optimizer with a learning rate. Its own rate does not matter, but groups keep the proportions of theirs. */
  optimizer: OptimizerLike
  /**
   * Rows of a step, or 'full' for all. With a rate of its own, a smaller batch rarely ends at a higher loss after the same epochs, and often at a lower
   * one. But an epoch of 8 rows a step takes 1.5 to 3 times as long as one of 32. Default 8.
   */
  batchSize?: number | 'full'
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
  batchSize: { ...FIT.batchSize, default: 8 },
  epochs: { is: count, default: 1 },
} satisfies Schema<FitAutoOptions>

/** Rows of a step of the range test, at least: the noise of fewer hides the descent. */
const TEST_ROWS = 32
/** Factor between neighboring rates, whose powers are the positions below. */
const RATIO = 10 ** (1 / 4)
/** Positions of the first short trainings, from the rate of the range test. */
const FIRST = [2, -1, -4]
/** Distance between them. */
const SPACING = 3
/** First short trainings, at most. */
const MAX_FIRST = 16
/** Lengths of the short trainings, as shares of the full one. */
const [SHORT, LONGER] = [1 / 16, 1 / 8]
/** Parts of the validation rows, whose losses say how sure a difference is. */
const PARTS = 8
/**
 * From this position on, a rate must win a short training by these standard errors: few validation rows prefer rates that are too high. Below, such a rule
 * would prefer rates that are too low.
 */
const [HIGH, ERRORS] = [-1, 2]
/** Relative difference of losses of floats that are equal but for rounding. */
const ROUNDING = 1e-6
/** Further full trainings, a tenth of the rate each, if all diverged. */
const RETRIES = 3

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

/** A training as its validation rows judge it. */
interface Judged {
  loss: number
  /** Losses of parts of the validation rows; empty where other rows judge. */
  parts: readonly number[]
}

/** Trainings by the position of their rate. */
type Tried = Map<number, Judged>

/**
 * Trains a model like {@link fit}, with a learning rate that it finds itself: for nets whose rate nobody knows yet.
 *
 * All trainings start from the present weights. Each has a schedule with a peak η, over its n steps:
 * `schedules.warmup(schedules.cosine(η, { steps: 0.9 * n }), { steps: 0.1 * n })`, without the warmup if n < 10. A range test ({@link findLearningRate})
 * finds the highest useful rate. Then the trainings become longer, and their rates closer. Three or more take a sixteenth of the steps, at least ten, at
 * rates a factor of 5.6 apart, until the best rate has a worse one on each side. Three take an eighth, at this rate, and at 1.8 times more and less. Three
 * take all steps: at the best rate so far; at a third of it, since long trainings often want lower rates than short ones; and, whichever of these was
 * better, at a tenth or at 1.8 times it. The model keeps the best of the three, and of its epochs the one with the least validation loss. A training that
 * diverges counts as the worst; if all full ones do, lower rates follow. Rates near or above that of the range test must win a short training by two
 * standard errors of the difference, since few validation rows prefer rates that are too high. The whole takes 3.8 times as long as {@link fit} with the
 * same batch size, and longer below 160 steps. When not: trainings that leave a plateau only late, which short trainings do not show; compare rates by
 * {@link compareLearningRates} then.
 *
 * Without validation data (`validation` or `validationFraction`), the training loss decides, which favors rates that overfit; unless `verbose` is false, a
 * warning says so. Very few validation rows decide by chance. Callbacks, metrics and progress are for the full trainings, and see each of them from
 * beginning to end. The same seed gives the same run. A training cannot be resumed, and a `Checkpoint` is refused.
 *
 * @returns the history of the best training, with its `learningRate`, and all `trials`
 * @example
 * const optimizer = new AdamW(model.parameters())
 * const { learningRate, trials } = await fitAuto(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, validationFraction: 0.2 })
 * trials.length >= 9 // true
 * trials.some((trial) => trial.learningRate === learningRate) // true
 * @throws RangeError, ShapeError, TypeError for data or options that do not fit; RangeError if the loss is the same at every rate, as that of an optimizer
 *   that sets its steps without it; NonFiniteError if the first loss is not finite, or training diverges at every rate; the signal's reason if it ends the
 *   short trainings. The model is as before then.
 */
export async function fitAuto(model: Module, given: FitAutoOptions): Promise<AutoHistory> {
  checkModel('fitAuto', model)
  refuse(given)
  const options = readOptions('fitAuto', given, FIT_AUTO, CARRIED)
  const { optimizer, loss, signal, seed, shuffle, dropLast, replay, yieldEvery, verbose } = options
  if ('trainOn' in optimizer) throw typeError(`fitAuto: ${(optimizer as OptimizerLike).name} finds its steps itself; use fit`)
  const { rows, validation, epochs, batchSize, batchesPerEpoch } = planFit(model, options)
  if (validation === null && verbose !== false)
    warnOnce(
      'fitAuto: without validation rows the training loss chooses the learning rate, which favors rates that overfit; give validationFraction: 0.2, or ' +
        'verbose: false where the training loss is what counts',
    )
  const fullSteps = epochs * batchesPerEpoch
  const shared = { ...dataOf(rows), loss, optimizer, batchSize, seed, shuffle, dropLast, replay, yieldEvery }
  const trials: RateTrial[] = []
  const restore = snapshot(model, optimizer)

  const lossOf = (judged: Rows): number =>
    evaluateBuilt('fitAuto: validation', { model, optimizer }, judged, { loss })?.loss ?? Number.POSITIVE_INFINITY
  const parts = validation ? partsOf(validation) : []

  /** The loss after some steps of a training. */
  const shortTraining = async (learningRate: number, steps: number): Promise<Judged> => {
    const losses: number[] = []
    const schedule = warmupCosine(learningRate, steps)
    for await (const step of trainSteps(model, { ...shared, schedule, epochs: Math.ceil(steps / batchesPerEpoch) })) {
      signal?.throwIfAborted()
      if (losses.push(step.loss) === steps) break
    }
    optimizer.flush?.()
    const judged = validation ?? (steps < MIN_STEPS ? rows : null)
    if (judged) return { loss: lossOf(judged), parts: parts.map(lossOf) }
    const last = losses.slice(-Math.ceil(steps / 4))
    return { loss: last.reduce((sum, loss) => sum + loss, 0) / last.length, parts: [] }
  }

  let best: { loss: number; history: AutoHistory; restore: () => void } | undefined
  /** A full training, by `fit` itself. */
  const fullTraining = async (learningRate: number, steps: number): Promise<Judged> => {
    const callbacks = [...(validation ? [new EarlyStopping({ patience: epochs })] : []), ...options.callbacks]
    const history = await fit(model, { ...given, batchSize, callbacks, schedule: warmupCosine(learningRate, steps) })
    const losses = history.epochs.map(({ loss, validation }) => validation?.loss ?? loss)
    const last = validation === null && steps < MIN_STEPS ? lossOf(rows) : (losses.at(-1) ?? Number.POSITIVE_INFINITY)
    const loss = validation ? Math.min(...losses) : last
    if (!best || loss <= best.loss)
      best = { loss, history: { ...history, learningRate, batchSize, trials }, restore: snapshot(model, optimizer) }
    return { loss, parts: [] }
  }

  let failure: NonFiniteError | undefined
  /** Runs a training, and brings the first weights back. */
  const attempt = async (training: typeof shortTraining, position: number, share: number): Promise<Judged> => {
    const steps = Math.min(fullSteps, Math.max(MIN_STEPS, Math.round(share * fullSteps)))
    const trial = { learningRate: highest * RATIO ** position, batchSize, steps, loss: Number.POSITIVE_INFINITY }
    trials.push(trial)
    let judged: Judged = { loss: Number.POSITIVE_INFINITY, parts: [] }
    try {
      judged = await training(trial.learningRate, steps)
      trial.loss = judged.loss
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error
      failure = error
    } finally {
      restore()
    }
    return judged
  }
  const highest = await highestRate(model, shared, fullSteps)
  await searchRates({
    short: (position, share) => attempt(shortTraining, position, share),
    full: async (position) => (best && signal?.aborted ? best : await attempt(fullTraining, position, 1)).loss,
    haveAllDiverged: () => best === undefined,
  })
  if (best === undefined) throw failure
  best.restore()
  return best.history
}

/** Trainings by the position of their rate. */
interface Trainings {
  short(position: number, share: number): Promise<Judged>
  /** @returns the loss */
  full(position: number): Promise<number>
  /** True if no full training has ended. */
  haveAllDiverged(): boolean
}

/** Lengthens trainings, and brings their rates closer: the plan in the comment of {@link fitAuto}. */
async function searchRates({ short, full, haveAllDiverged }: Trainings): Promise<void> {
  const first: Tried = new Map()
  for (const position of FIRST) first.set(position, await short(position, SHORT))
  while (first.size < MAX_FIRST) {
    const least = leastOf(first)
    const beside = [least + SPACING, least - SPACING].find((position) => !first.has(position))
    if (beside === undefined) break
    first.set(beside, await short(beside, SHORT))
  }
  const least = leastOf(first)
  if (least === Math.max(...first.keys()) && isFlat(first))
    throw rangeError(
      `fitAuto: the loss of short trainings is ${first.get(least)?.loss} at every learning rate; use fit for an optimizer that sets its steps without one, such as Rprop, and look whether the model has parameters that may change`,
    )
  const center = cautiousOf(first)
  const second: Tried = new Map()
  for (const position of [center, center - 1, center + 1]) second.set(position, await short(position, LONGER))
  const start = cautiousOf(second)
  const isLowerBetter = (await full(start)) >= (await full(start - 2))
  await full(isLowerBetter ? start - 4 : start + 1)
  for (let i = 2; i <= RETRIES + 1 && haveAllDiverged(); i++) await full(start - 4 * i)
}

/** The position of the least loss. Of equal ones the highest, since rates that are too low change nothing; the lowest if all diverged, or none has a loss. */
function leastOf(tried: Tried): number {
  const least = Math.min(...[...tried.values()].map(({ loss }) => loss))
  const positions = [...tried].flatMap(([position, { loss }]) => (loss <= least + ROUNDING * Math.abs(least) ? [position] : []))
  return Number.isFinite(least) && least !== 0 ? Math.max(...positions) : Math.min(...positions)
}

/** True if no loss differs from the others. */
function isFlat(tried: Tried): boolean {
  const losses = [...tried.values()].map(({ loss }) => loss)
  const least = Math.min(...losses)
  return Math.max(...losses) <= least + ROUNDING * Math.abs(least)
}

/** The position of the least loss; a lower one of the high ones near it if the least does not surely surpass it. */
function cautiousOf(tried: Tried): number {
  const least = leastOf(tried)
  const best = tried.get(least) as Judged
  const from = Math.max(HIGH, least - SPACING)
  return Math.min(
    least,
    ...[...tried].flatMap(([position, judged]) => (position >= from && excess(judged, best) <= ERRORS ? [position] : [])),
  )
}

/**
 * By how many standard errors a loss is above the least one, from the parts of the validation rows (the one-standard-error rule: Breiman et al. 1984,
 * section 3.4.3, with the error of the difference). Infinity without parts.
 */
function excess({ parts }: Judged, least: Judged): number {
  if (parts.length < 2 || parts.length !== least.parts.length) return Number.POSITIVE_INFINITY
  const each = parts.map((part, i) => part - least.parts[i])
  const mean = each.reduce((sum, d) => sum + d, 0) / each.length
  return mean / Math.sqrt(each.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (each.length - 1) / each.length)
}

/** Some of the validation rows each: every eighth of those that count, so that the order of the rows does not matter. */
function partsOf(rows: Rows): Rows[] {
  const weights = rows.weights?.read()
  // rows of weight 0 alone have no loss
  const counted = Array.from({ length: rows.count }, (_, row) => row).filter((row) => weights?.[row] !== 0)
  const parts = Math.min(PARTS, counted.length)
  return Array.from({ length: parts }, (_, part) => pickRows(rows, Int32Array.from(counted.filter((_, i) => i % parts === part))))
}

/** @throws RangeError for options of `fit` that have no meaning here */
function refuse(given: (Partial<FitOptions> & { learningRate?: unknown }) | undefined): void {
  const { resume, callbacks } = given ?? {}
  for (const name of ['schedule', 'learningRate'] as const)
    if (given?.[name] !== undefined) throw rangeError(`fitAuto: ${name} is chosen by fitAuto; leave it out, or use fit`)
  if (resume !== undefined) throw rangeError('fitAuto: resume is an option of fit; give it the schedule that fitAuto found')
  const saving = Array.isArray(callbacks) && callbacks.find((callback: Callback) => callback?.onEpochSaved ?? callback?.onBatchSaved)
  if (saving)
    throw rangeError(`fitAuto: callbacks: ${saving.name ?? 'one'} saves a training, and there are several here; save the model afterwards`)
}

/** The rate at the least loss of a range test, above which training soon diverges; ten times the optimizer's own if the loss never fell. */
async function highestRate(
  model: Module,
  options: Parameters<typeof findLearningRate>[1] & { batchSize: number },
  fullSteps: number,
): Promise<number> {
  const batchSize = Math.max(TEST_ROWS, options.batchSize)
  const steps = Math.min(100, Math.max(20, Math.round((fullSteps * options.batchSize) / batchSize / 4)))
  const { learningRates, smoothed } = await findLearningRate(model, { ...options, batchSize, steps })
  const at = smoothed.indexOf(Math.min(...smoothed))
  return at > 0 ? learningRates[at] : 10 * (options.optimizer.learningRate || 0.01)
}

function dataOf({ inputs, targets, weights }: Rows): TrainingData {
  return weights === null ? { inputs, targets } : { inputs, targets, weights }
}
