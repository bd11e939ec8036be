import type { FloatArray } from '../../backend/heap.js'
import { typeError } from '../../common/errors.js'
import type { Parameter } from '../../parameter.js'
import type { ParameterGroup } from './group.js'
import { Optimizer } from './optimizer.js'

/** Method that `fit` calls if it is there. @internal */
export interface ShowsAverages {
  /** Puts averages into the parameters, for validation and saving. @returns a function that restores the trained weights */
  showAverages?(): (() => void) | undefined
}

/**
 * Optimizers whose best weights are an average of the weights that they train. Evaluate and save with {@link evaluate} or {@link averages}; training
 * continues with the weights in the parameters.
 */
export abstract class AveragingOptimizer<O extends object> extends Optimizer<O> {
  /** The averaged values of parameter i of a group, which has taken a step. */
  protected abstract averageOf(group: ParameterGroup<Required<O>>, i: number): FloatArray

  /** Copies of the averaged weights, in the order of the parameters. */
  averages(): FloatArray[] {
    // a parameter without steps, such as in a frozen layer, is its own average: it has no state yet
    const averageOf = (group: ParameterGroup<Required<O>>, p: Parameter, i: number) =>
      group.stepCountOf(i) === 0 ? p.data() : this.averageOf(group, i)
    return this.groups.flatMap((group) => group.parameters.map((p, i) => averageOf(group, p, i)))
  }

  /** @internal see {@link ShowsAverages} */
  showAverages(): () => void {
    const parameters = this.groups.flatMap((group) => group.parameters)
    return exchange(parameters, this.averages())
  }

  /** Runs fn with the averaged weights in the parameters, then restores the trained weights. */
  evaluate<T>(fn: () => T): T {
    const parameters = this.groups.flatMap((group) => group.parameters)
    return withWeights(parameters, this.averages(), fn)
  }
}

/**
 * Runs fn with other values in the parameters and restores them.
 *
 * @example withWeights(model.parameters(), new WeightAverage(optimizer).averages(), () => model.predict(x))
 * @throws TypeError if fn is asynchronous
 */
export function withWeights<T>(parameters: readonly Parameter[], values: readonly FloatArray[], fn: () => T): T {
  const restore = exchange(parameters, values)
  try {
    const result = fn()
    if (result instanceof Promise)
      throw typeError('evaluate: wants a function that is not asynchronous, got a Promise; use averages() instead')
    return result
  } finally {
    restore()
  }
}

/** @internal Puts values into parameters. @returns a function that restores the previous values */
export function exchange(parameters: readonly Parameter[], values: readonly FloatArray[]): () => void {
  const put = (all: readonly FloatArray[]) => parameters.forEach((p, i) => p.view().set(all[i]))
  const before = parameters.map((p) => p.data())
  put(values)
  return () => put(before)
}
