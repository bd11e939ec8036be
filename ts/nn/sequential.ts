/** Layers one after the other. */
import type { Backend } from '../backend/index.js'
import { checkNames } from '../common/names.js'
import type { Shape } from '../common/shape.js'
import type { Through, Unless } from '../common/shape-types.js'
import { show } from '../common/show.js'
import { asTensor, type Operand, type ShapeOf, type Tensor, type TensorLike } from '../tensor.js'
import type { Dense, WrongColumns } from './dense.js'
import type { Activation, Dropout } from './layers.js'
import { Module, type ModuleOptions, outputOf, type PredictOptions } from './module.js'

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

/** The shape that layers make of one, as far as it is known: through dense layers and those that keep it. */
export type Output<L extends readonly unknown[], S extends Shape> = L extends readonly []
  ? S
  : L extends readonly [infer H, ...infer T]
    ? H extends Dense<infer I, infer O>
      ? Output<T, Through<S, I, O>>
      : H extends Activation | Dropout
        ? Output<T, S>
        : Shape
    : Shape

/** An input that the first dense layer takes, or a sentence that says why it does not. */
export type Input<L extends readonly unknown[], X, S extends Shape> = Unless<Output<L, S>, X, Misfit<L, S>>
type Misfit<L extends readonly unknown[], S extends Shape> = L extends readonly [infer H, ...infer T]
  ? H extends Dense<infer I, infer O>
    ? WrongColumns<I, O, S>
    : Misfit<T, S>
  : never

// biome-ignore-start lint/suspicious/noUnsafeDeclarationMerging: the interface below only says more of a method that Module has
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
    if (!Array.isArray(layers)) throw new TypeError(`Sequential: wants layers in an array, [new Dense(…), …], got ${show(layers)}`)
    checkNames('Sequential', options, ['seed', 'backend'])
    this.layers = Object.freeze([...(layers as L)]) as unknown as L
    this.layers.forEach((layer, i) => {
      if (!(layer instanceof Module)) throw new TypeError(`Sequential: layer ${i} is not a Module, got ${show(layer)}`)
    })
    this.build()
  }

  protected override children(): Iterable<[string, Module]> {
    return this.layers.map((layer, i): [string, Module] => [String(i), layer])
  }

  forward<X extends Operand>(input: Input<L, X, ShapeOf<X>>): Tensor<Output<L, ShapeOf<X>>>
  forward(input: TensorLike): Tensor {
    this.home ??= this.backend
    let x = asTensor(input, this.home, 'Sequential')
    for (const layer of this.layers) x = outputOf(layer, x)
    return x
  }
}

export interface Sequential<L extends readonly Module[]> {
  predict<X extends Operand>(input: Input<L, X, ShapeOf<X>>, options?: PredictOptions): Tensor<Output<L, ShapeOf<X>>>
}
// biome-ignore-end lint/suspicious/noUnsafeDeclarationMerging: until here
