/** The options of `fit`, `trainSteps` and similar functions. A file without an engine, so that rooms may copy it. */
import {
  anything,
  array,
  atLeast0,
  countFrom0,
  flag,
  fraction,
  isFunction,
  type Kind,
  type Read,
  type Schema,
  seed,
  signal,
} from '../common/options.js'
import type { Loss } from '../loss/loss.js'
import type { OptimizerLike } from '../optim/wrappers/wrapper.js'
import type { Callback, Progress, Resume } from './callbacks.js'
import type { MetricsOption } from './metrics.js'
import { DATA, type TrainingData } from './training-data.js'
import type { WholeStepOptimizer } from './whole-step-optimizer.js'

/** Options of {@link trainSteps}; the options of `fit` include them. */
export interface StepOptions extends TrainingData {
  /** Such as `mse` or `crossEntropy`; or a function of yours, from predictions and targets of a batch to a tensor of one number. */
  loss: Loss
  /** An optimizer; or an optimizer with a closure (LBFGS, LevenbergMarquardt …), which takes whole steps and needs `batchSize: 'full'`. */
  optimizer: OptimizerLike | WholeStepOptimizer
  /** Passes over the data. Default 1. */
  epochs?: number
  /**
   * Rows per step, or all rows if there are fewer. 1 is stochastic, `full` is batch gradient descent, values between are mini-batches. The last batch
   * of an epoch may be shorter. Default 32.
   */
  batchSize?: number | 'full'
  /** A new order every epoch, drawn from `seed`. Default true. */
  shuffle?: boolean
  /** Seed of the shuffle, a whole number. The same seed gives the same orders: give each of several consecutive runs a seed of its own. Default 0. */
  seed?: number
  /** Leaves out the last batch of an epoch if it is shorter. Default false. */
  dropLast?: boolean
  /**
   * Learning rate of a step, counted from 0; set before each step. Default: the optimizer's own. If groups have rates of their own (or Muon a
   * `companionLearningRate`), it is the rate of the first group, and the others keep their proportion to it.
   *
   * `fit` calls it in advance if many steps run at once: in order, once for each step, with `optimizer.stepCount` and the previous rate as they are
   * at that step. So it may have a state. But code that looks at weights or losses, or sets other options, belongs into a callback (`onBatchEnd` sees
   * each step). The schedule overrides other code that sets the rate, such as ReduceOnPlateau.
   */
  schedule?: (step: number) => number
  /**
   * Allows steps to run from a recording of their kernel calls, which gives the same numbers faster; `history.execution` counts them. A forward
   * method or loss of your own is then not called at each step. gradus observes that it computes the same from the same input, fields and parameters:
   * code that reads numbers, draws random numbers, or changes a field is not replayed, and steps are recorded again after callbacks. Set false for
   * code that depends on something that it changes itself outside of the model, such as a count of calls in a variable. Default true.
   */
  replay?: boolean
  /** Milliseconds of work after which other tasks get a turn. Default 16. */
  yieldEvery?: number
}

/** Options of {@link fit}. */
export interface FitOptions extends StepOptions {
  /** Validation data, evaluated after each epoch and never trained on. */
  validation?: TrainingData
  /**
   * Alternatively, the fraction of the rows to hold out for validation: at random by `seed`, every class in proportion; the last rows if `shuffle` is
   * false, as for rows in the order of time. If a class is missing on one side, a warning says so.
   */
  validationFraction?: number
  /** Names, such as `accuracy`, `f1`, `auc`, `mse` or `r2`, and functions, in an array or under names of your own. Default: none. */
  metrics?: MetricsOption
  /** Objects with hooks, called in this order: EarlyStopping, Checkpoint, an XRay, or yours. */
  callbacks?: readonly Callback[]
  /** Stops training after the running batch; fit then returns the history so far. */
  signal?: AbortSignal
  /** Called after each batch, at most every 100 ms, and after each epoch: for progress bars. An error in it ends training. */
  onProgress?: (progress: Progress) => void
  /**
   * Resumes a training that a `Checkpoint` saved, as if it had not been stopped: pass that `Checkpoint`, which starts anew if there is no file yet,
   * or `resumeFrom(file)`. `epochs` includes the earlier epochs. Default: starts anew.
   */
  resume?: Resume
  /**
   * Shows progress in a line that is overwritten. Default: in Node, if the output is a terminal and there is no onProgress, for trainings longer than
   * half a second. True: also for other outputs and shorter trainings. Only Node and Bun show a line.
   */
  verbose?: boolean
}

/** @internal a loss, of this library or one's own */
export const lossFunction: Kind = {
  wants: 'a function, such as mse or crossEntropy',
  fits: isFunction,
  remedy: (value) => (typeof value === 'string' ? '; import it' : ''),
}
/** @internal an optimizer, or a wrapper of one */
export const optimizer: Kind = {
  wants: 'an Optimizer, such as new Adam(model.parameters())',
  fits: (value) => isFunction((value as OptimizerLike | null)?.step) && Array.isArray((value as OptimizerLike).groups),
  remedy: (value) => (value === 'auto' ? '; or use fitAuto' : ''),
}

export const STEPS = {
  ...DATA,
  loss: { is: lossFunction, required: true },
  optimizer: { is: optimizer, required: true },
  epochs: { is: countFrom0, default: 1 },
  batchSize: { is: { min: 1, whole: true, or: ['full'] }, default: 32 },
  shuffle: { is: flag, default: true },
  seed: { is: seed, default: 0 },
  dropLast: { is: flag, default: false },
  schedule: { is: { wants: 'a function of the step, such as schedules.cosine(0.1, { steps })', fits: isFunction } },
  replay: { is: flag, default: true },
  yieldEvery: { is: atLeast0, default: 16 },
} satisfies Schema<StepOptions>

export const FIT = {
  ...STEPS,
  validation: { is: anything },
  validationFraction: { is: fraction, aka: ['validationSplit'] },
  metrics: { is: anything },
  callbacks: { is: array, default: [] },
  signal: { is: signal },
  onProgress: { is: { wants: 'a function of the progress', fits: isFunction } },
  resume: { is: { wants: 'a Checkpoint, or resumeFrom(file)', fits: (value) => isFunction((value as Resume | null)?.restore) } },
  verbose: { is: flag },
} satisfies Schema<FitOptions>

/** @internal options of `fit` that loops over steps leave out */
export const FIT_ALONE: readonly string[] = Object.keys(FIT).filter((name) => !(name in STEPS))

/** @internal options of trainSteps after the check, with defaults */
export type ReadSteps = Read<StepOptions, typeof STEPS>
/** @internal */
export type ReadFit = Read<FitOptions, typeof FIT>
