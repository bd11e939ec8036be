/** Layers one after the other. */

import type { Backend } from '../backend/index.js'
import { show } from '../show.js'
import { asTensor, type Tensor, type TensorLike } from '../tensor.js'
import type { Dense } from './dense.js'
import type { Activation, Dropout } from './layers.js'
import { Module, type ModuleOptions, outputOf } from './module.js'

/**
 * Layers as they were given where each dense layer has as many inputs as the one before has outputs; else a sentence in
 * place of the layer that does not fit, for the compiler to show. Widths that are not literal numbers are not judged.
 */
export type Chain<L extends readonly unknown[], W = unknown> = L extends readonly [infer H, ...infer T]
  ? H extends Dense<infer I, infer O>
    ? Fits<W, I> extends true
      ? readonly [H, ...Chain<T, O>]
      : readonly [`Dense(${I}, ${O}) wants ${I} inputs, but the layer before it gives ${W & number}`, ...T]
    : readonly [H, ...Chain<T, H extends Activation | Dropout ? W : unknown>]
  : L

type Fits<W, I extends number> = W extends number ? (number extends W ? true : number extends I ? true : W extends I ? true : false) : true

/**
 * A model that feeds each layer's output into the next.
 *
 * @example
 * const model = new Sequential([new Dense(4, 16, { activation: 'tanh' }), new Dense(16, 3)], { seed: 1 })
 * model.predict([[5.1, 3.5, 1.4, 0.2]]).shape // [1, 3]
 * @throws TypeError for anything but modules
 */
export class Sequential<const L extends readonly Module[] = readonly Module[]> extends Module {
  readonly layers: L
  private home: Backend | undefined

  constructor(layers: Chain<L> extends L ? L : Chain<L>, options: ModuleOptions = {}) {
    super(options)
    if (!Array.isArray(layers)) throw new TypeError('Sequential: wants an array of layers, new Sequential([a, b])')
    this.layers = Object.freeze([...(layers as L)]) as unknown as L
    this.layers.forEach((layer, i) => {
      if (!(layer instanceof Module)) throw new TypeError(`Sequential: layer ${i} is not a Module, got ${show(layer)}`)
    })
    this.build()
  }

  protected override children(): Iterable<[string, Module]> {
    return this.layers.map((layer, i): [string, Module] => [String(i), layer])
  }

  forward(input: TensorLike): Tensor {
    this.home ??= this.backend
    let x = asTensor(input, this.home, 'Sequential')
    for (const layer of this.layers) x = outputOf(layer, x)
    return x
  }
}
