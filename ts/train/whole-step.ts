/** Steps of optimizers that evaluate the loss themselves: the optimizers of ts/solve, any number of times, and SAM, twice. */
import { noGrad } from '../autograd.js'
import { outputOf } from '../nn/module.js'
import { type Rows, stepBatch } from './data.js'
import type { Evaluation } from './fast/index.js'
import { forwardLoss, targetsFor } from './forward-loss.js'
import type { Plan } from './plan.js'
import type { WholeStepOptimizer } from './whole-step-optimizer.js'

type Batch = Pick<Rows, 'inputs' | 'targets' | 'weights'>

/**
 * @internal The optimizer's own step and the loss before it. If `isWatched`, also the prediction before it, by another forward pass; otherwise the
 *   inputs stand in for the prediction.
 */
export function wholeStep(
  { model, rows, options: { loss } }: Plan,
  optimizer: WholeStepOptimizer,
  order: Int32Array | null,
  from: number,
  to: number,
  isWatched: boolean,
): Evaluation {
  const batch = batchOf(rows, order, from, to)
  const { inputs, targets, weights } = batch
  const prediction = isWatched ? noGrad(() => outputOf(model, inputs)).keep() : inputs
  const evaluate = () => forwardLoss(model, loss, batch).loss
  const value = optimizer.trainOn({ inputs, targets, weights: weights ?? undefined, loss, evaluate })
  return { loss: value, prediction, targets: targetsFor(loss, targets, prediction) }
}

/** The batch outside of the arena, since each evaluation is a step of the arena of its own. */
function batchOf(rows: Rows, order: Int32Array | null, from: number, to: number): Batch {
  return to - from === rows.count ? rows : batchOnHost(rows, order, from, to)
}

/**
 * @internal The step of an optimizer that asks for loss and gradients more than once, such as SAM. Returns the loss and gradients of the first
 *   evaluation.
 */
export function closureStep(optimizer: object, evaluate: () => Evaluation, isWatched: boolean): Evaluation {
  let first: Evaluation | undefined
  const closure = (): void => {
    const { prediction, targets, loss } = evaluate()
    first ??= isWatched ? { loss, prediction: prediction.keep(), targets: targets.keep() } : { loss, prediction, targets }
  }
  ;(optimizer as { step(closure: () => void): void }).step(closure)
  return first as unknown as Evaluation
}

/** A batch whose tensors outlive the step. */
function batchOnHost(rows: Rows, order: Int32Array | null, from: number, to: number): Batch {
  const { inputs, targets, weights } = stepBatch(rows, order, from, to)
  return { inputs: inputs.keep(), targets: targets.keep(), weights: weights?.keep() ?? null }
}
