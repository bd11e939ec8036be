/** Any function as a layer. */

import { typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import type { Tensor } from '../tensor.js'
import { Module } from './module.js'

/**
 * Any function of one tensor as a layer.
 *
 * @example
 * new Lambda((x) => mul(x, 2)).predict([1, 2]) // [2, 4]
 * @throws TypeError for anything but a function
 */
export class Lambda extends Module {
  constructor(readonly fn: (x: Tensor) => Tensor) {
    super()
    if (typeof fn !== 'function') throw typeError(`Lambda: wants a function of a tensor, got ${show(fn)}`)
  }

  override describe(): string {
    return 'Lambda'
  }

  forward(x: Tensor): Tensor {
    return this.fn(x)
  }
}
