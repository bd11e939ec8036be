/** Losses of tables that are made of operations. They import the public index alone: a room must not carry a second engine. */
import { type Loss, type LossOptions, mean, mul, reshape, sum, type Tensor } from '../../index.js'

/** A loss from the losses of elements [rows, …]: the mean, or the sum, of all, with the weight of each row. @param name for errors and histories */
export function lossOfElements(name: string, elements: (prediction: Tensor, target: Tensor) => Tensor): Loss {
  const loss = (prediction: Tensor, target: Tensor, { weights, reduction }: LossOptions = {}): Tensor => {
    const each = elements(prediction, target)
    const weighted = weights === undefined ? each : (mul(each, reshape(weights as Tensor, [each.shape[0], 1])) as Tensor)
    return (reduction === 'sum' ? sum(weighted) : mean(weighted)) as Tensor
  }
  return Object.defineProperty(loss, 'name', { value: name }) as Loss
}
