/** Models that are an average of what is trained: how `fit` shows them to those who judge and keep weights. */
import type { FloatArray } from '../backend/heap.js'
import type { AveragingOptimizer } from '../optim/averaging.js'
import type { OptimizerWrapper } from '../optim/wrapper.js'

/**
 * @internal where the model is an average of what is trained (ScheduleFreeAdamW, ASGD), puts it into the parameters, to be judged and kept.
 * @returns what puts the trained weights back
 */
export function showAverages(optimizer: object): () => void {
  const { inner, groups } = optimizer as OptimizerWrapper
  if (!('averageOf' in optimizer)) return inner === undefined ? () => {} : showAverages(inner)
  const parameters = groups.flatMap((group) => group.parameters)
  const put = (values: readonly FloatArray[]) => parameters.forEach((p, i) => p.view().set(values[i]))
  const trained = parameters.map((p) => p.data())
  put((optimizer as unknown as AveragingOptimizer<object>).averages())
  return () => put(trained)
}
