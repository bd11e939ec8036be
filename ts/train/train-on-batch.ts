/** trainOnBatch: one immediate training step on the given rows, for servers and streams. */
import { rangeError } from '../common/errors.js'
import { readOptions, type Schema } from '../common/options.js'
import type { Loss } from '../loss/loss.js'
import { type Module, rememberModes } from '../nn/module.js'
import type { OptimizerLike } from '../optim/wrappers/wrapper.js'
import { CARRIED } from '../rows/carried.js'
import { checkUnclaimed } from './claim.js'
import { checkData } from './data.js'
import { checkEvaluation } from './diverged.js'
import { forwardLoss } from './forward-loss.js'
import { lossFunction, optimizer } from './options.js'
import { DATA, type TrainingData } from './training-data.js'
import { takesWholeSteps, type WholeStepOptimizer } from './whole-step-optimizer.js'

/** Options of {@link trainOnBatch}. */
export interface TrainOnBatchOptions extends TrainingData {
  loss: Loss
  optimizer: OptimizerLike | WholeStepOptimizer
}

export const TRAIN_ON_BATCH = {
  ...DATA,
  loss: { is: lossFunction, required: true },
  optimizer: { is: optimizer, required: true },
} satisfies Schema<TrainOnBatchOptions>

/**
 * Takes one training step on all of these rows before it returns: forward pass, loss, gradients, update. For rows that arrive one after the other,
 * as in a server, from a stream, or from a game: `fit` is for data that exist from the start, and prepares for many steps. The model is in training
 * mode meanwhile; afterwards its previous mode is restored.
 *
 * @returns the loss of the batch before the update
 * @example
 * const before = trainOnBatch(model, { inputs, targets, loss: crossEntropy, optimizer })
 * for (let i = 0; i < 20; i++) trainOnBatch(model, { inputs, targets, loss: crossEntropy, optimizer })
 * trainOnBatch(model, { inputs, targets, loss: crossEntropy, optimizer }) < before // true
 * @throws RangeError, TypeError, ShapeError for data or options that do not fit; NonFiniteError if the loss is NaN or infinite, before the update;
 *   Error if the model or a part of it is being trained by fit
 */
export function trainOnBatch(model: Module, given: TrainOnBatchOptions): number {
  checkUnclaimed('trainOnBatch', model)
  const restore = rememberModes(model, true)
  try {
    const options = readOptions('trainOnBatch', given, TRAIN_ON_BATCH, CARRIED)
    const { loss, optimizer } = options
    const rows = checkData(options, model.backend, 'trainOnBatch')
    if (trained.get(optimizer) !== model) checkOwner(model, optimizer)
    const evaluate = () => forwardLoss(model, loss, rows).loss
    if (takesWholeSteps(optimizer)) {
      const { inputs, targets, weights } = rows
      return optimizer.trainOn({ inputs, targets, weights: weights ?? undefined, loss, evaluate })
    }
    let first: number | undefined
    const closure = () => {
      const result = evaluate()
      const value = result.item()
      checkEvaluation('trainOnBatch', model, value, rows.count === 1 ? 'this row' : `this batch of ${rows.count} rows`)
      first ??= value
      result.backward()
    }
    if (optimizer.wantsClosure) (optimizer as unknown as { step(closure: () => void): void }).step(closure)
    else {
      closure()
      optimizer.step()
    }
    return first as unknown as number
  } finally {
    restore()
  }
}

/** The model that each optimizer trained last, so that the pair is checked only once. */
const trained = new WeakMap<object, Module>()

function checkOwner(model: Module, optimizer: OptimizerLike | WholeStepOptimizer): void {
  const own = new Set(model.parameters())
  if (!optimizer.groups.some(({ parameters }) => [...parameters].some((p) => own.has(p))))
    throw rangeError(
      `trainOnBatch: optimizer ${optimizer.name} has none of this model's parameters; make one with model.parameters(), once, and keep it`,
    )
  trained.set(optimizer, model)
}
