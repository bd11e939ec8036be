/** An activation function as a layer. */

import type { Activation as ActivationName } from '../backend/kernels.js'
import { activate, activationNumber } from '../ops/activation.js'
import type { Tensor } from '../tensor.js'
import { Layer } from './layer.js'
import type { KeepsShape } from './layer-shapes.js'

/**
 * An activation function as a layer. In a dense layer the option `activation` does the same in fewer passes.
 *
 * @example
 * new Activation('relu').predict([[-1, 2]]) // [[0, 2]]
 */
export class Activation extends Layer {
  declare readonly shapes?: KeepsShape

  constructor(readonly activation: ActivationName) {
    super()
    activationNumber(activation, 'Activation')
  }

  override describe(): string {
    return `Activation(${this.activation})`
  }

  forward(x: Tensor): Tensor {
    return activate(x, this.activation)
  }
}
