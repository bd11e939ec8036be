/** Training as an iterator of steps. `fit` is a thin layer over this loop. */
import { trapped } from '../backend/crash.js'
import { rangeError } from '../common/errors.js'
import { readOptions } from '../common/options.js'
import { Pacer } from '../common/pacer.js'
import type { Module } from '../nn/module.js'
import { CARRIED } from '../rows/carried.js'
import type { Tensor } from '../tensor.js'
import { Batches, type RowRange } from './batches.js'
import { claim } from './claim.js'
import { checkWeights, type Position, stepFailed } from './diverged.js'
import { FastSteps } from './fast/index.js'
import { FIT_ALONE, type ReadSteps, STEPS, type StepOptions } from './options.js'
import { EpochOrders } from './orders.js'
import { type Plan, planSteps, setLearningRate } from './plan.js'
import { closureStep, wholeStep } from './whole-step.js'
import { takesWholeSteps } from './whole-step-optimizer.js'

/** One finished step. Its tensors are valid until the next step. */
export interface Step {
  /** Number of the step, from 1, over all epochs. */
  step: number
  /** From 1. */
  epoch: number
  /** From 1. */
  batch: number
  /** The loss of this batch before its update. */
  loss: number
  prediction: Tensor
  /** The targets of the batch. Targets given as [n] have the prediction's shape if that is [n, 1]. */
  targets: Tensor
  /** Rows in this batch. */
  size: number
}

/**
 * Trains and reports after each step; leave the loop whenever you like. Lets other tasks of the page or server run every few milliseconds.
 *
 * @example
 * for await (const { step, loss } of trainSteps(model, { inputs, targets, loss: mse, optimizer, epochs: 10 })) {
 *   if (loss < 0.01) break
 * }
 * @throws RangeError, ShapeError for options or data that do not fit, before the first step; NonFiniteError as soon as a
 *   loss is NaN or infinite, before the update that would follow, also if a weight is NaN or infinite at the end of an epoch; Error
 *   if the model or a part of it is being trained by fit
 */
export async function* trainSteps(model: Module, options: StepOptions): AsyncGenerator<Step, void, void> {
  const release = claim('trainSteps', model)
  try {
    const undone = FIT_ALONE.find((name) => options?.[name as keyof StepOptions] !== undefined)
    if (undone !== undefined) throw rangeError(`trainSteps: ${undone} is an option of fit; a loop over steps does such things itself`)
    yield* stepsOf('trainSteps', model, readOptions('trainSteps', options, STEPS, [...CARRIED, ...FIT_ALONE]))
  } finally {
    release()
  }
}

/** @internal {@link trainSteps} for a model that is already claimed, with checked options */
export async function* stepsOf(who: string, model: Module, options: ReadSteps): AsyncGenerator<Step, void, void> {
  const plan = planSteps(who, model, options)
  const pacer = new Pacer(options.yieldEvery)
  if (pacer.isDue) await pacer.pause()
  const fast = new FastSteps(plan, true, 'collector')
  try {
    for (const step of steps(plan, fast)) {
      if (step.batch === plan.batchesPerEpoch) checkWeights(plan, step)
      yield step
      fast.userCodeRan()
      if (pacer.isDue) await pacer.pause()
    }
  } catch (error) {
    throw trapped(model.backend, error)
  }
}

/** @internal the steps of all epochs, each taken when the caller asks for it */
export function* steps(plan: Plan, fast: FastSteps): Generator<Step, void, void> {
  const { schedule } = plan.options
  const batches = new Batches(plan)
  const orders = new EpochOrders(plan)
  try {
    for (let step = plan.start; step < batches.total; step++) {
      orders.forgetBefore(batches.epochOf(step))
      const [range] = batches.ranges(orders, step, 1)
      if (schedule !== undefined) setLearningRate(plan, schedule(step))
      yield takeStep(plan, fast, range, batches.positionOf(step))
    }
  } finally {
    endSteps(plan, fast)
  }
}

/** @internal the end of training */
export function endSteps(plan: Plan, fast: FastSteps): void {
  expireUntrainedGradients(plan)
  fast.release()
}

/**
 * Drops gradients of parameters that the optimizer does not update: they must not add up from step to step. Until the next step another optimizer may
 * use them.
 */
function expireUntrainedGradients({ untrained }: Plan): void {
  for (const p of untrained) if (p.gradientState === 'ready') p.gradientState = 'used'
}

/** @internal Takes a step with the present learning rate. Without `isWatched`, the prediction is left out if it would need another forward pass. */
export function takeStep(plan: Plan, fast: FastSteps, range: RowRange, at: Position, isWatched = true): Step {
  const { optimizer } = plan.options
  const { order, from, to } = range
  expireUntrainedGradients(plan)
  let result: Pick<Step, 'prediction' | 'targets' | 'loss'>
  if (takesWholeSteps(optimizer)) {
    fast.countWrittenOut(`${optimizer.name} evaluates the loss itself`)
    result = wholeStep(plan, optimizer, order, from, to, isWatched)
    if (!Number.isFinite(result.loss)) throw stepFailed(plan, result.loss, at)
  } else if (optimizer.wantsClosure) {
    result = closureStep(optimizer, () => fast.evaluate(range, (loss) => stepFailed(plan, loss, at), isWatched), isWatched)
  } else {
    result = fast.evaluate(range, (loss) => stepFailed(plan, loss, at), isWatched)
    optimizer.step()
  }
  const { loss, prediction, targets } = result
  return { ...at, loss, prediction, targets, size: to - from }
}
