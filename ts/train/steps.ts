/** Training as an iterator of steps: the loop that `fit` is a thin layer on. */
import { NonFiniteError } from '../common/errors.js'
import type { Module } from '../nn/module.js'
import type { OptimizerLike } from '../optim/wrappers/wrapper.js'
import { Generator } from '../random.js'
import type { Tensor } from '../tensor.js'
import { checkModel } from './claim.js'
import { stepBatch } from './data.js'
import { Recording } from './fast/recording.js'
import { judge } from './judge.js'
import { Pacer } from './pacer.js'
import { FIT_ALONE, type FitOptions, type Plan, planSteps, type Recordings, type StepOptions, setLearningRate } from './plan.js'
import { closureStep, takesWholeSteps, type WholeStepOptimizer, wholeStep } from './whole-step.js'

/** One finished step. Tensors are valid until the next one. */
export interface Step {
  /** From 1, over all epochs. */
  step: number
  /** From 1. */
  epoch: number
  /** From 1. */
  batch: number
  /** The loss of this batch before its update. */
  loss: number
  prediction: Tensor
  /** Of the prediction's shape where it is [n, 1] and they were given as [n]. */
  targets: Tensor
  /** Rows in this batch. */
  size: number
}

/**
 * Trains and reports after each step; leave the loop whenever you like. Gives way to other tasks of the page or server
 * every few milliseconds.
 *
 * @example
 * for await (const { step, loss } of trainSteps(model, { inputs, targets, loss: mse, optimizer, epochs: 10 })) {
 *   if (loss < 0.01) break
 * }
 * @throws RangeError, ShapeError for options or data that do not fit, before the first step; NonFiniteError as soon as a
 *   loss is NaN or infinite, before the update that would follow
 */
export async function* trainSteps(model: Module, options: StepOptions): AsyncGenerator<Step, void, void> {
  checkModel('trainSteps', model)
  const undone = FIT_ALONE.find((name) => (options as Partial<FitOptions>)?.[name] !== undefined)
  if (undone !== undefined) throw new RangeError(`trainSteps: ${undone} is an option of fit; a loop over steps does such things itself`)
  const plan = planSteps(model, options)
  const pacer = new Pacer(options)
  if (pacer.isDue) await pacer.pause()
  for (const step of steps(plan)) {
    yield step
    if (pacer.isDue) await pacer.pause()
  }
}

/** @internal the steps of all epochs, each taken when it is asked for */
export function* steps(plan: Plan): Generator_<Step, void, void> {
  const { rows, options, epochs, batchSize, batchesPerEpoch } = plan
  const { shuffle = true, seed = 0 } = options
  const generator = shuffle ? new Generator(seed) : null
  const recorded = plan.recordings
  let step = 0
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const order = generator?.permutation(rows.count) ?? null
      for (let batch = 1; batch <= batchesPerEpoch; batch++) {
        const from = (batch - 1) * batchSize
        yield trainStep(plan, order, from, Math.min(from + batchSize, rows.count), { step: ++step, epoch, batch })
      }
    }
  } finally {
    releaseRecordings(plan, recorded)
  }
}

/** What this optimizer does not update is not added up from step to step; until the next one it is there for another optimizer. */
function forgetIdle({ idle }: Plan): void {
  for (const p of idle) if (p.gradientState === 'ready') p.gradientState = 'used'
}

/** @internal the end of training: gives the memory of all recordings back */
export function releaseRecordings(plan: Plan, recordings: Recordings | null): void {
  const { model } = plan
  forgetIdle(plan)
  for (const recording of recordings?.values() ?? []) recording.release()
  // the last step's tensors were in that memory
  if (recordings !== null && recordings.size > 0) model.backend.arena.discard()
}

type Generator_<T, R, N> = globalThis.Generator<T, R, N>

/**
 * @internal Forward, loss, backward, update: from a recording where there is one that still fits. Who does not watch gets no prediction
 * where that takes a forward pass more.
 */
export function trainStep(plan: Plan, order: Int32Array | null, from: number, to: number, at: Place, isWatched = true): Step {
  const { optimizer, schedule } = plan.options
  forgetIdle(plan)
  if (schedule !== undefined) setLearningRate(plan, schedule(at.step - 1))
  let result: Result
  if (takesWholeSteps(optimizer)) {
    result = wholeStep(plan, optimizer, order, from, to, isWatched)
    checkFinite(plan, result.loss, at)
  } else if (optimizer.wantsClosure) result = closureStep(plan, optimizer, order, from, to, (loss) => checkFinite(plan, loss, at))
  else {
    result = plan.recordings === null ? eagerStep(plan, order, from, to, at) : replayedStep(plan, plan.recordings, order, from, to, at)
    optimizer.step()
  }
  const { loss, prediction, targets } = result
  return { ...at, loss, prediction, targets, size: to - from }
}

/** @internal which step it is, as people count */
export interface Place {
  step: number
  epoch: number
  batch: number
}

type Result = Pick<Step, 'prediction' | 'targets' | 'loss'>

function eagerStep({ model, rows, options }: Plan, order: Int32Array | null, from: number, to: number, at: Place): Result {
  const { prediction, targets, loss } = judge(model, options.loss, stepBatch(rows, order, from, to))
  const value = loss.item()
  if (!Number.isFinite(value)) throw diverged(value, at, options.optimizer)
  loss.backward()
  return { prediction, targets, loss: value }
}

function replayedStep(plan: Plan, recordings: Recordings, order: Int32Array | null, from: number, to: number, at: Place): Result {
  const { model, rows, options } = plan
  const known = recordings.get(to - from)
  if (known?.isCurrent) {
    const loss = known.run(order, from, to)
    return finished(plan, known, loss, at)
  }
  // Gradients that others are to be added to belong to no recording.
  if (model.parameters().some((p) => p.gradientState === 'ready')) return eagerStep(plan, order, from, to, at)
  known?.release()
  recordings.delete(to - from)
  const made = new Recording(model, options.loss, rows, order, from, to)
  recordings.set(to - from, made)
  // What is not all in the list is run as it is written from the next step on.
  if (!made.isComplete) plan.recordings = null
  return finished(plan, made, made.loss, at)
}

/** @internal the error for a loss that is not finite, which leaves no gradient behind */
export function stepFailed({ model, options }: Plan, loss: number, at: Place): NonFiniteError {
  for (const p of model.parameters()) p.grad = null
  return diverged(loss, at, options.optimizer)
}

function checkFinite(plan: Plan, loss: number, at: Place): void {
  if (!Number.isFinite(loss)) throw stepFailed(plan, loss, at)
}

function finished(plan: Plan, recording: Recording, loss: number, at: Place): Result {
  checkFinite(plan, loss, at)
  recording.markGradients()
  return { ...recording.results(), loss }
}

function diverged(value: number, { step, epoch, batch }: Place, optimizer: OptimizerLike | WholeStepOptimizer): NonFiniteError {
  const broken = optimizer.groups.flatMap((g) => [...g.parameters]).find((p) => !p.view().every(Number.isFinite))
  const where = broken ? `; the first parameter that is not finite is '${broken.name}'` : ''
  return new NonFiniteError(
    `loss is ${value} at step ${step} (epoch ${epoch}, batch ${batch})${where}. ` +
      `Lower the learning rate (now ${optimizer.learningRate}), clip the gradient (clipNorm), or look at the data of that batch`,
  )
}
