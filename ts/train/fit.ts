/** fit: train a model on data, with validation, metrics, callbacks, early stopping and progress. */
import { trapped } from '../backend/crash.js'
import { addCaller } from '../common/caller.js'
import { readOptions } from '../common/options.js'
import { Pacer } from '../common/pacer.js'
import { type Module, rememberModes } from '../nn/module.js'
import { CARRIED } from '../rows/carried.js'
import { claim } from './claim.js'
import type { History } from './history.js'
import { FIT, type FitOptions } from './options.js'
import { planFit } from './plan.js'
import { type ProgressLine, progressLine } from './progress-line.js'
import { TrainingRun } from './run.js'

/**
 * Trains a model, in training mode; afterwards its previous mode is restored. If an optimizer accumulates batches ({@link GradientAccumulation}), the
 * remaining batches at the end of an epoch make a step of their own.
 *
 * Other code may change the model between two steps (`loadState`, the step of a second optimizer, in a callback or while this waits): the next step
 * starts from the changed model, as in a hand-written loop. A second training of the model is an error.
 *
 * @returns the history: one record per epoch
 * @example
 * const history = await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, metrics: ['accuracy'] })
 * history.epochs[4].metrics.accuracy <= 1 // true
 * @throws RangeError, ShapeError for data or options that do not fit, before the first step; NonFiniteError as soon as a loss is NaN or infinite,
 *   before the update that would follow; also if a weight is NaN or infinite at the end of training or of an epoch with a callback, or if the
 *   validation loss is; Error if the model or a part of it is being trained already
 */
export async function fit(model: Module, given: FitOptions): Promise<History> {
  // the stack of this error becomes text only on demand, since that takes as long as a short training
  const caller = new Error()
  const release = claim('fit', model)
  const restore = rememberModes(model, true)
  let line: ProgressLine | undefined
  try {
    const options = readOptions('fit', given, FIT, CARRIED)
    line = options.verbose === false || options.onProgress ? undefined : progressLine.make?.(options.verbose)
    const pacer = new Pacer()
    if (pacer.isDue) await pacer.pause()
    const history = await new TrainingRun(planFit(model, options), line).train()
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
