/** fit: train a model on data, with validation, metrics, callbacks, early stopping and progress. */
import { trapped } from '../backend/crash.js'
import { addCaller } from '../common/caller.js'
import { withNewNames } from '../common/renamed.js'
import { type Module, rememberModes } from '../nn/module.js'
import { claim } from './claim.js'
import type { History } from './history.js'
import { Pacer } from './pacer.js'
import { type FitOptions, RENAMED } from './plan.js'
import { progressLine } from './progress-line.js'
import { TrainingRun } from './run.js'

/**
 * Trains a model, in training mode; afterwards it is in the mode in which it was before. Where an optimizer accumulates batches
 * ({@link GradientAccumulation}), those left over at the end of an epoch make a step of their own.
 *
 * What others do to the model between two steps (`loadState`, the step of a second optimizer, in a callback or while this waits) is what the next
 * step begins with, as in a loop by hand; a second training of it is an error.
 *
 * @returns the history: one record per epoch
 * @example
 * const history = await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, metrics: ['accuracy'] })
 * history.epochs[4].metrics.accuracy <= 1 // true
 * @throws RangeError, ShapeError for data or options that do not fit, before the first step; NonFiniteError as soon as a
 *   loss is NaN or infinite, before the update that would follow, where a weight is at the end of training or of an epoch that a
 *   callback hears of, or where the loss of validation is; Error if the model or a part of it is being trained already
 */
export async function fit(model: Module, given: FitOptions): Promise<History> {
  const options = withNewNames('fit', given, RENAMED)
  // its stack is made into text where it is asked for, which takes as long as a short training
  const caller = new Error()
  const release = claim('fit', model)
  const restore = rememberModes(model, true)
  let line = options?.verbose === false || options?.onProgress ? undefined : progressLine.make?.(options?.verbose)
  try {
    const pacer = new Pacer()
    if (pacer.isDue) await pacer.pause()
    const history = await new TrainingRun(model, options, undefined, line).train()
    line?.end(history)
    line = undefined
    return history
  } catch (thrown) {
    const error = trapped(model.backend, thrown)
    if (error instanceof Error) addCaller(error, caller.stack ?? '')
    throw error
  } finally {
    line?.end()
    release()
    restore()
    model.backend.arena.end()
  }
}
