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
import type { Rows, TrainingData } from '../train/data.js'
import { EarlyStopping } from '../train/early-stopping.js'
import { findLearningRate } from '../train/find-learning-rate.js'
import { fit } from '../train/fit.js'
import type { History } from '../train/history.js'
import { FIT, type FitOptions, planFit } from '../train/plan.js'
import { snapshot } from '../train/snapshot.js'
import { trainSteps } from '../train/steps.js'
import { evaluateBuilt } from './built.js'

/** Options of {@link fitAuto}: the options of `fit`, without those that it decides. */
export interface FitAutoOptions extends Omit<FitOptions, 'optimizer' | 'schedule' | 'resume'> {
  /** Any optimizer with a learning rate. Its own rate does not matter, but groups keep the proportions of theirs. */
  optimizer: OptimizerLike
}

/** One of the trainings of {@link fitAuto}, each from the same weights. */
export interface RateTrial {
  /** The highest rate of its schedule. */
  learningRate: number
  /** Steps that it was planned for. */
  steps: number
  /** Validation loss, of the best epoch in a full training; without validation data the training loss at the end. Infinity if it diverged. */
  loss: number
}

/** Result of {@link fitAuto}: the history of the best training, the rate that it was given, and all trainings. */
export interface AutoHistory extends History {
  /** The highest rate of the schedule. */
  learningRate: number
  /** The short trainings and the full ones, in order. */
  trials: RateTrial[]
}

const { schedule: _schedule, resume: _resume, ...OF_FIT } = FIT

export const FIT_AUTO = { ...OF_FIT, epochs: { is: count, default: 1 } } satisfies Schema<FitAutoOptions>

/** @internal How {@link fitAuto} searches; bench/auto-rate.ts measures others. */
export interface RateSearch {
  /** Length of the short trainings, as a share of the full one. */
  share: number
  schedule: (rate: number, steps: number) => Schedule
  /** True if a full training keeps its best epoch. */
  keepsBest: boolean
}

/** @internal */
export const RATE_SEARCH: RateSearch = { share: 1 / 8, schedule: warmupCosine, keepsBest: true }

/** Up in a tenth of the steps, then down to 0 along a cosine. */
function warmupCosine(rate: number, steps: number): Schedule {
  return warmup(cosine(rate, { steps: 0.9 * steps }), { steps: 0.1 * steps })
}

/** Further rates, a tenth of each other, if all full trainings diverged. */
const RETRIES = 3

/**
 * Trains a model like {@link fit}, with a learning rate that it finds itself: for nets whose rate nobody knows yet.
 *
 * All trainings start from the present weights. Each has a schedule with a peak η, over its n steps:
 * `schedules.warmup(schedules.cosine(η, { steps: 0.9 * n }), { steps: 0.1 * n })`. A range test ({@link findLearningRate}) finds the highest useful
 * rate. Five or more trainings over an eighth of the steps, at rates a factor of √10 apart around it, choose where to begin: the best one has a worse
 * one on each side. Three full trainings follow: at that rate, at its better neighbor, and one further in the better direction. The model keeps the best
 * of them, and of its epochs the one with the least validation loss. A training that diverges counts as the worst; if all do, lower rates follow. The
 * whole takes about four times as long as {@link fit}. When not: trainings that leave a plateau only late, which short trainings do not show; compare
 * rates by {@link compareLearningRates} then.
 *
 * Without validation data (`validation` or `validationFraction`), the training loss decides, which favors rates that overfit. Callbacks, metrics and
 * progress are for the full trainings, and see each of them from beginning to end. `batchSize` is yours: smaller batches take more steps in the same
 * epochs, and often reach a lower loss in more time. The same seed gives the same run. A training cannot be resumed, and a `Checkpoint` is refused.
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

/** @internal {@link fitAuto} with another search */
export async function fitBySearch(model: Module, given: FitAutoOptions, search: RateSearch): Promise<AutoHistory> {
  checkModel('fitAuto', model)
  refuse(given)
  const options = readOptions('fitAuto', given, FIT_AUTO, CARRIED)
  const { optimizer, loss, signal, seed, batchSize, shuffle, dropLast, replay, yieldEvery } = options
  if ('trainOn' in optimizer) throw typeError(`fitAuto: ${(optimizer as OptimizerLike).name} finds its steps itself; use fit`)
  const { rows, validation, epochs, batchesPerEpoch } = planFit(model, options)
  const shared = { ...dataOf(rows), loss, optimizer, seed, batchSize, shuffle, dropLast, replay, yieldEvery }
  const steps = epochs * batchesPerEpoch
  const trials: RateTrial[] = []
  const restore = snapshot(model, optimizer)

  /** The loss after some steps of a training. */
  const shortTraining = async (learningRate: number, steps: number): Promise<number> => {
    const losses: number[] = []
    const schedule = search.schedule(learningRate, steps)
    for await (const step of trainSteps(model, { ...shared, schedule, epochs: Math.ceil(steps / batchesPerEpoch) })) {
      signal?.throwIfAborted()
      if (losses.push(step.loss) === steps) break
    }
    optimizer.flush?.()
    if (validation)
      return evaluateBuilt('fitAuto: validation', { model, optimizer }, validation, { loss })?.loss ?? Number.POSITIVE_INFINITY
    const last = losses.slice(-Math.ceil(steps / 4))
    return last.reduce((sum, loss) => sum + loss, 0) / last.length
  }

  let best: { loss: number; history: AutoHistory; restore: () => void } | undefined
  /** A full training, by `fit` itself. */
  const fullTraining = async (learningRate: number): Promise<number> => {
    const callbacks = [...(validation && search.keepsBest ? [new EarlyStopping({ patience: epochs })] : []), ...options.callbacks]
    const history = await fit(model, { ...given, callbacks, schedule: search.schedule(learningRate, steps) })
    const losses = history.epochs.map(({ loss, validation }) => validation?.loss ?? loss)
    const found = (validation && search.keepsBest ? Math.min(...losses) : losses.at(-1)) ?? Number.POSITIVE_INFINITY
    if (!(best && best.loss <= found))
      best = { loss: found, history: { ...history, learningRate, trials }, restore: snapshot(model, optimizer) }
    return found
  }

  let failure: NonFiniteError | undefined
  /** Runs a training, and brings the first weights back. @returns its loss */
  const attempt = async (training: typeof shortTraining, learningRate: number, steps: number): Promise<number> => {
    const trial = { learningRate, steps, loss: Number.POSITIVE_INFINITY }
    trials.push(trial)
    try {
      trial.loss = await training(learningRate, steps)
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error
      failure = error
    } finally {
      restore()
    }
    return trial.loss
  }

  const highest = await highestRate(model, { ...shared, steps: Math.min(100, Math.max(20, Math.round(steps / 4))) })
  const rateOf = (position: number) => highest * RATIO ** position
  const short = new Map<number, number>()
  const shortLoss = (position: number) => short.get(position) ?? Number.POSITIVE_INFINITY
  const tryShort = async (position: number) =>
    short.set(position, await attempt(shortTraining, rateOf(position), Math.max(1, Math.round(search.share * steps))))
  /** Of equal losses, such as those of trainings that diverged, the lowest rate. */
  const least = () => [...short.keys()].reduce((a, b) => (shortLoss(b) < shortLoss(a) || (shortLoss(b) === shortLoss(a) && b < a) ? b : a))
  for (const position of SHORT) await tryShort(position)
  while (short.size < MAX_SHORT && (!short.has(least() - 1) || !short.has(least() + 1)))
    await tryShort(short.has(least() + 1) ? least() - 1 : least() + 1)
  const full = (position: number) => (best && signal?.aborted ? Number.POSITIVE_INFINITY : attempt(fullTraining, rateOf(position), steps))
  const first = least()
  const side = shortLoss(first + 1) < shortLoss(first - 1) ? 1 : -1
  const [center, neighbor] = [await full(first), await full(first + side)]
  await full(neighbor < center ? first + 2 * side : first - side)
  for (let i = 1; i <= RETRIES && best === undefined; i++) await full(first - 2 * i - 1)
  if (best === undefined) throw failure
  best.restore()
  return best.history
}

/** Factor between neighboring rates. */
const RATIO = Math.sqrt(10)
/** The first short trainings, as powers of {@link RATIO} times the rate of the range test. */
const SHORT = [1, 0, -1, -2, -3]
/** Short trainings at most. */
const MAX_SHORT = 16

/** @throws RangeError for options of `fit` that have no meaning here */
function refuse(given: Partial<FitOptions> | undefined): void {
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
