/** A layer that joins axes. */

import { checkOptions } from '../common/options.js'
import { reshape } from '../ops/shape.js'
import { asTensor, type Tensor } from '../tensor.js'
import { Layer } from './layer.js'
import { MODULE, type ModuleOptions } from './module.js'

/** Joins all axes but the first into one: [n, 28, 28] becomes [n, 784].
 *
 * @example
 * new Flatten().predict(zeros([5, 28, 28])).shape // [5, 784]
 */
export class Flatten extends Layer {
  constructor(options: ModuleOptions = {}) {
    super(options)
    checkOptions('Flatten', options, MODULE)
  }

  override describe(): string {
    return 'Flatten'
  }

  forward(input: Tensor): Tensor {
    const x = asTensor(input)
    return reshape(x, [x.shape[0], x.shape.slice(1).reduce((product, d) => product * d, 1)])
  }
}
