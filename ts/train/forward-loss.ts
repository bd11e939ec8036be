/** Forward pass and loss of a batch, for every training loop: user-defined losses and forward methods are checked here. */

import type { Node } from '../autograd.js'
import { plainError, ShapeError, typeError } from '../common/errors.js'
import { formatShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { warnOnce } from '../common/warn.js'
import { asColumn, type Loss, traitsOf } from '../loss/loss.js'
import { type Module, outputOf } from '../nn/module.js'
import { Parameter } from '../parameter.js'
import { Tensor } from '../tensor.js'

/** The result of a forward pass, and its loss. */
export interface ForwardLoss {
  prediction: Tensor
  /** The targets as the loss and metrics receive them. */
  targets: Tensor
  loss: Tensor
}

/**
 * @internal prediction and loss of a batch. Targets [n] reach losses and metrics as [n, 1] if the prediction is [n, 1].
 * @throws TypeError, ShapeError for a loss that is not a single number, Error for a loss that ignores weights
 */
export function forwardLoss(
  model: Module,
  loss: Loss,
  { inputs, targets: given, weights }: { inputs: Tensor; targets: Tensor; weights?: Tensor | null },
): ForwardLoss {
  const prediction = outputOf(model, inputs)
  if (prediction.node !== null && !checked.has(model)) warnOfHidden(model, prediction)
  const targets = targetsFor(loss, given, prediction)
  let isWeighted = !weights
  const options = weights && {
    get weights() {
      isWeighted = true
      return weights
    },
  }
  const value: unknown = loss(prediction, targets, options ?? undefined)
  const name = loss.name || 'loss'
  if (!(value instanceof Tensor)) throw typeError(`the loss '${name}' wants to return a Tensor with one element, got ${show(value)}`)
  if (value.size !== 1)
    throw new ShapeError(
      `the loss '${name}' wants to return one number for the batch, got shape ${formatShape(value.shape)}; take its mean()`,
    )
  if (!isWeighted)
    throw plainError(`the loss '${name}' takes no notice of the weights of rows: they are in its third argument, { weights }`)
  return { prediction, targets, loss: value }
}

/** Models whose first recorded prediction was searched for hidden parameters. */
const checked = new WeakSet<Module>()

/** Warns of parameters that a prediction comes from and that the model does not list, as those of a layer in a private field: no optimizer gets them. */
function warnOfHidden(model: Module, prediction: Tensor): void {
  checked.add(model)
  const known = new Set<Tensor>(model.parameters())
  const pending = [prediction]
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (known.has(tensor)) continue
    known.add(tensor)
    if (tensor.node !== null) pending.push(...(tensor.node as Node).inputs)
    else if (tensor instanceof Parameter)
      return warnOnce(
        `${model.describe()}: forward uses parameter '${tensor.name}' ${formatShape(tensor.shape)}, which parameters() does not list, so it is not trained or saved; hold its layer in a plain property: a private field (#) or a variable outside hides it. If it is not to learn here, set requiresGrad = false`,
      )
  }
}

/** @internal labels stay as they are, one for each row */
export function targetsFor(loss: Loss, targets: Tensor, prediction: Tensor): Tensor {
  return traitsOf(loss)?.labels ? targets : asColumn(targets, prediction)
}
