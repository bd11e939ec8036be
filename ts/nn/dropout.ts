/** Dropout as a layer. */

import { checkOptions, checkValue, decay } from '../common/options.js'
import { dropout } from '../ops/dropout.js'
import type { Generator } from '../random.js'
import type { Tensor } from '../tensor.js'
import { Layer } from './layer.js'
import type { KeepsShape } from './layer-shapes.js'
import { type BuildContext, MODULE, type ModuleOptions } from './module.js'

/**
 * Zeroes each element with probability `rate` while training and scales the others by 1 / (1 − rate); the identity in
 * evaluation mode (Srivastava et al. 2014).
 *
 * @example
 * new Sequential([new Dense(4, 16), new Dropout(0.2), new Dense(16, 3)])
 * @throws RangeError unless 0 ≤ rate < 1
 */
export class Dropout extends Layer {
  declare readonly shapes?: KeepsShape
  declare private generator: Generator

  constructor(
    readonly rate = 0.5,
    options: ModuleOptions = {},
  ) {
    super(options)
    checkOptions('Dropout', options, MODULE)
    checkValue('Dropout: rate', rate, decay)
  }

  protected override createParameters(context: BuildContext): void {
    this.generator = context.nextGenerator()
  }

  override describe(): string {
    return `Dropout(${this.rate})`
  }

  forward(x: Tensor): Tensor {
    const { training, rate, generator } = this.build()
    return training && rate > 0 ? dropout(x, rate, generator) : x
  }
}
