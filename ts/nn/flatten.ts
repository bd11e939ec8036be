/** Many axes as one. */

import { reshape } from '../ops/shape.js'
import { asTensor, type Tensor } from '../tensor.js'
import { Module } from './module.js'

/**
 * All axes but the first as one: [n, 28, 28] becomes [n, 784].
 *
 * @example
 * new Flatten().predict(zeros([5, 28, 28])).shape // [5, 784]
 */
export class Flatten extends Module {
  /** @internal its steps depend on nothing but kernels and fields (train/fast/model-fields.ts); subclasses are asked for themselves */
  static readonly isReplayable = true

  override describe(): string {
    return 'Flatten'
  }

  forward(input: Tensor): Tensor {
    const x = asTensor(input)
    return reshape(x, [x.shape[0], x.shape.slice(1).reduce((product, d) => product * d, 1)])
  }
}
