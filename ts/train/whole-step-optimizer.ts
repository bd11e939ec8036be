/** Optimizers that evaluate the loss themselves, as `fit` sees them. */
import type { Parameter } from '../parameter.js'
import type { TrainingBatch } from '../solve/optimizers/closure.js'

/** An optimizer that evaluates the loss itself, any number of times per step: the optimizers of ts/solve. */
export interface WholeStepOptimizer {
  readonly name: string
  readonly groups: readonly { readonly parameters: Iterable<Parameter> }[]
  learningRate: number
  readonly wholeBatch: boolean
  trainOn(batch: TrainingBatch): number
}

/** @internal */
export function takesWholeSteps(optimizer: object): optimizer is WholeStepOptimizer {
  return 'trainOn' in optimizer
}
