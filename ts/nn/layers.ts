/** Layers without parameters, as modules for {@link Sequential}. */

import type { Activation as ActivationName } from '../backend/kernels.js'
import { checkNames } from '../common/names.js'
import { show } from '../common/show.js'
import { activate, activationNumber } from '../ops/activation.js'
import { dropout } from '../ops/dropout.js'
import { reshape } from '../ops/shape.js'
import type { Generator } from '../random.js'
import { asTensor, type Tensor } from '../tensor.js'
import { type BuildContext, Module, type ModuleOptions } from './module.js'

/**
 * An activation function as a layer. In a dense layer the option `activation` does the same in fewer passes.
 *
 * @example new Activation('relu').predict([[-1, 2]]) // [[0, 2]]
 */
export class Activation extends Module {
  /** @internal nothing but kernels depends on the data (train/replay.ts); subclasses are asked for themselves */
  static readonly isReplayable = true

  constructor(readonly activation: ActivationName) {
    super()
    activationNumber(activation, 'Activation')
  }

  forward(x: Tensor): Tensor {
    return activate(x, this.activation)
  }
}

/**
 * Zeroes each element with probability `rate` while training and scales the others by 1 / (1 − rate); the identity in
 * evaluation mode (Srivastava et al. 2014).
 * @example new Sequential([new Dense(4, 16), new Dropout(0.2), new Dense(16, 3)])
 * @throws RangeError unless 0 ≤ rate < 1
 */
export class Dropout extends Module {
  private generator!: Generator

  constructor(
    readonly rate = 0.5,
    options: ModuleOptions = {},
  ) {
    super(options)
    checkNames('Dropout', options, ['seed', 'backend'])
    if (!(rate >= 0 && rate < 1)) throw new RangeError(`Dropout: rate must be at least 0 and below 1, got ${show(rate)}`)
  }

  protected override createParameters(context: BuildContext): void {
    this.generator = context.nextGenerator()
  }

  forward(x: Tensor): Tensor {
    this.build()
    return this.training && this.rate > 0 ? dropout(x, this.rate, this.generator) : x
  }
}

/** All axes but the first as one: [n, 28, 28] becomes [n, 784]. @example new Flatten().predict(zeros([5, 28, 28])).shape // [5, 784] */
export class Flatten extends Module {
  /** @internal nothing but kernels depends on the data (train/replay.ts); subclasses are asked for themselves */
  static readonly isReplayable = true

  forward(input: Tensor): Tensor {
    const x = asTensor(input)
    return reshape(x, [x.shape[0], x.shape.slice(1).reduce((product, d) => product * d, 1)])
  }
}

/** Any function of one tensor as a layer. @example new Lambda((x) => mul(x, 2)) @throws TypeError for anything but a function */
export class Lambda extends Module {
  constructor(readonly fn: (x: Tensor) => Tensor) {
    super()
    if (typeof fn !== 'function') throw new TypeError(`Lambda: wants a function of a tensor, got ${show(fn)}`)
  }

  forward(x: Tensor): Tensor {
    return this.fn(x)
  }
}
