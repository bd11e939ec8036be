/** The loss of an ensemble whose members are trained together. */
import { ShapeError, typeError } from '../common/errors.js'
import { formatShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { add, mul } from '../ops/elementwise.js'
import { reshape, slice } from '../ops/shape.js'
import type { Tensor } from '../tensor.js'
import { asColumn, builtIn, checkPrediction, type Loss, type LossOptions, traitsOf } from './loss.js'

/**
 * The mean of the members' losses, for predictions [members, rows, …] of a net of {@link EnsembleDense} layers: each member learns by itself. The loss
 * of the mean prediction would make members alike (TabM: Gorishniy, Kotelnikov & Babenko 2025, arXiv 2410.24210). A prediction [rows, …] or [rows] is
 * one answer, such as that of {@link EnsembleMean} in evaluation mode: its loss is returned, so validation and early stopping judge the ensemble.
 * Weights of rows and other options go to the loss of each member.
 *
 * @param loss the loss of one member
 * @example
 * const loss = ensembleLoss(mse)
 * loss(tensor([[[1], [2]], [[3], [2]]]), tensor([[1], [2]])).item() // 1: the mean of 0 and 2
 * @throws TypeError for anything but a loss function; the loss throws ShapeError for predictions of no members
 */
export function ensembleLoss(loss: Loss): Loss {
  if (typeof loss !== 'function') throw typeError(`ensembleLoss: wants a loss, such as mse, got ${show(loss)}`)
  const traits = traitsOf(loss)
  const ofEach = (prediction: Tensor, target: Tensor, options?: LossOptions): Tensor => {
    const { rank, shape } = checkPrediction('ensembleLoss', prediction)
    const [members, ...one] = shape
    if (rank < 3) return loss(prediction, target, options)
    if (members === 0) throw new ShapeError(`ensembleLoss: wants predictions [members, rows, …], got shape ${formatShape(shape)}`)
    const losses = Array.from({ length: members }, (_, i) => {
      const own = reshape(slice(prediction, i, i + 1), one) as Tensor
      return loss(own, traits?.labels ? target : asColumn(target, own), options)
    })
    const total = losses.reduce((sum, next) => add(sum, next) as Tensor)
    return mul(total, 1 / members) as Tensor
  }
  return traits === undefined ? ofEach : builtIn(`ensembleLoss of ${loss.name || 'loss'}`, ofEach, traits)
}
