/** Layers one after the other. */
import type { Backend } from '../backend/index.js'
import { layOut } from '../parameter.js'
import { asTensor, type Tensor, type TensorLike } from '../tensor.js'
import { Module, type ModuleOptions } from './module.js'

/**
 * A model that feeds each layer's output into the next.
 *
 * @example
 * const model = new Sequential([new Dense(4, 16, { activation: 'tanh' }), new Dense(16, 3)], { seed: 1 })
 * model.predict([[5.1, 3.5, 1.4, 0.2]]).shape // [1, 3]
 * @throws TypeError for anything but modules
 */
export class Sequential extends Module {
  private readonly home: Backend | undefined

  constructor(
    readonly layers: readonly Module[],
    options: ModuleOptions = {},
  ) {
    super(options)
    layers.forEach((layer, i) => {
      if (!(layer instanceof Module)) throw new TypeError(`Sequential: layer ${i} is not a Module, got ${String(layer)}`)
    })
    const parameters = this.parameters()
    layOut(parameters)
    this.home = parameters[0]?.backend
  }

  protected override *children(): Generator<[string, Module]> {
    for (const [i, layer] of this.layers.entries()) yield [String(i), layer]
  }

  forward(input: TensorLike): Tensor {
    let x = asTensor(input, this.home, 'Sequential')
    for (const layer of this.layers) x = layer.forward(x)
    return x
  }
}
