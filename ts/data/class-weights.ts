/** Weights of classes as weights of rows. */
import { rangeError, typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import type { Targets } from './dataset.js'

/**
 * Weights of rows by their class, for classes of different frequency or cost: `weights` of a data set for `fit` and `evaluateModel`. Their mean is 1,
 * so that the loss over all rows equals PyTorch's `CrossEntropyLoss(weight)`, which divides by the sum of the factors. Keras' `class_weight` does the
 * same without that division.
 *
 * @param targets the class of each row: a data set's `targets`, or an array of integers
 * @param factors a factor from 0 for each class, or `balanced`: the same total for each class, n / (classes · rows of the class)
 * @example
 * classWeights([0, 0, 0, 1], 'balanced') // Float64Array.of(0.666667, 0.666667, 0.666667, 2)
 * classWeights([0, 0, 0, 1], [1, 5]) // Float64Array.of(0.5, 0.5, 0.5, 2.5)
 * await fit(model, { inputs, targets, weights: classWeights(targets, [1, 1, 4]), loss: crossEntropy, optimizer })
 * @throws RangeError for targets that are not classes, and factors that are missing, negative, not finite, or 0 for all classes of the targets
 */
export function classWeights(targets: Targets | readonly number[], factors: 'balanced' | ArrayLike<number>): Float64Array {
  const counts = new Map<number, number>()
  targets.forEach((c: number, row: number) => {
    if (!(Number.isInteger(c) && c >= 0)) throw rangeError(`classWeights: wants classes from 0 as targets, got ${show(c)} at row ${row}`)
    counts.set(c, (counts.get(c) ?? 0) + 1)
  })
  const of = factors === 'balanced' ? (c: number) => targets.length / (counts.size * (counts.get(c) as number)) : checked(factors)
  let total = 0
  for (const [c, count] of counts) total += count * of(c)
  if (total === 0 && targets.length > 0) throw rangeError('classWeights: the factors of all classes there are are 0, so that no row counts')
  return Float64Array.from(targets as readonly number[], (c) => (of(c) * targets.length) / total)
}

function checked(factors: ArrayLike<number>): (c: number) => number {
  if (typeof factors === 'string' || !Number.isInteger(factors?.length))
    throw typeError(`classWeights: wants a factor for each class in an array, or 'balanced', got ${show(factors)}`)
  return (c) => {
    const factor = factors[c]
    if (!(factor >= 0 && factor < Infinity))
      throw rangeError(`classWeights: wants a finite factor from 0 for class ${c}, got ${show(factor)}`)
    return factor
  }
}
