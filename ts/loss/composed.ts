/** Shared code of losses that are made of operations: fit runs them from a recording, like user-defined losses. */
import { plainError, ShapeError } from '../common/errors.js'
import { checkOptions } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { mul } from '../ops/elementwise.js'
import { mean } from '../ops/reduce.js'
import { reshape } from '../ops/shape.js'
import { sum } from '../ops/sum.js'
import { asFloats, type Tensor } from '../tensor.js'
import { COMMON, type LossOptions } from './loss.js'

/**
 * @internal the loss from the losses of elements [rows, …]: multiplies each row by its weight and takes the mean or sum
 * @throws ShapeError for an empty prediction, or weights that are not one for each row
 */
export function reduced(name: string, elements: Tensor, options: LossOptions, takes = COMMON): Tensor<[]> {
  checkOptions(name, options, takes)
  const { weights, reduction = 'mean' } = options
  if (elements.size === 0) throw new ShapeError(`${name}: the prediction is empty, shape ${formatShape(elements.shape)}`)
  const weighted = weights === undefined ? elements : mul(elements, weightsFor(name, elements, weights))
  return (reduction === 'sum' ? sum(weighted) : mean(weighted)) as Tensor<[]>
}

function weightsFor(name: string, { shape, backend }: Tensor, given: NonNullable<LossOptions['weights']>): Tensor {
  const weights = asFloats(given, backend, `${name}: weights`)
  const [rows = 1, ...others] = shape
  if (weights.size !== rows)
    throw new ShapeError(`${name}: wants one weight for each of ${rows} rows, got shape ${formatShape(weights.shape)}`)
  if (weights.requiresGrad) throw plainError(`${name}: the weights require a gradient, which losses do not compute; detach() them`)
  return reshape(weights, [rows, ...others.map(() => 1)])
}

/** @internal a target without gradient. @throws Error */
export function withoutGradient(name: string, target: Tensor): Tensor {
  if (target.requiresGrad) throw plainError(`${name}: the target requires a gradient, which losses do not compute; detach() it`)
  return target
}

/** @internal a loss with a name of its own, since minifiers rename functions */
export function named<F>(name: string, loss: F): F {
  return Object.defineProperty(loss, 'name', { value: name })
}
