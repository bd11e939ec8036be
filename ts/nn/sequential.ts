/** Layers one after the other. */

import type { Backend } from '../backend/index.js'
import { ShapeError, typeError } from '../common/errors.js'
import { checkOptions } from '../common/options.js'
import type { Shape } from '../common/shape.js'
import type { Unless } from '../common/shape-types.js'
import { show } from '../common/show.js'
import { asTensor, type Operand, type ShapeOf, type Tensor, type TensorLike } from '../tensor.js'
import { Dense } from './dense.js'
import type { LayerShapes, OutputShape, WrongColumns } from './layer-shapes.js'
import { MODULE, Module, type ModuleOptions, outputOf, type PredictOptions } from './module.js'

/** The shape rule that a layer declares; `LayerShapes` for a layer that declares none. */
type ShapesIn<Layer> = Layer extends { readonly shapes?: infer Rule extends LayerShapes } ? Rule : LayerShapes

/**
 * The given layers, if each takes as many columns as the previous layer returns (`Columns`); else a sentence for the compiler to show, in the place
 * of the layer that does not fit. Widths that are not literal numbers are not checked.
 */
export type Chain<L extends readonly unknown[], Columns = unknown> = L extends readonly [infer H, ...infer T]
  ? Fits<Columns, ShapesIn<H>['InputColumns']> extends true
    ? readonly [H, ...Chain<T, ShapesIn<H>['OutputColumns'] extends 'same' ? Columns : ShapesIn<H>['OutputColumns']>]
    : readonly [
        `${ShapesIn<H>['Name']} wants ${ShapesIn<H>['InputColumns']} inputs, but the layer before it gives ${Columns & number}`,
        ...T,
      ]
  : L

type Fits<W, I extends number> = W extends number ? (number extends W ? true : number extends I ? true : W extends I ? true : false) : true

/** The output shape of layers for an input shape, as far as it is known. */
export type Output<L extends readonly unknown[], S extends Shape> = L extends readonly []
  ? S
  : L extends readonly [infer H, ...infer T]
    ? Output<T, OutputShape<ShapesIn<H>, S>>
    : Shape

/** An input that the layers take, or a sentence that says why they do not. */
export type Input<L extends readonly unknown[], X, S extends Shape> = Unless<Output<L, S>, X, Misfit<L, S>>
/** The message of the first layer that needs a certain number of columns. */
type Misfit<L extends readonly unknown[], S extends Shape> = L extends readonly [infer H, ...infer T]
  ? number extends ShapesIn<H>['InputColumns']
    ? Misfit<T, S>
    : WrongColumns<ShapesIn<H>['Name'], ShapesIn<H>['InputColumns'], S>
  : never

// biome-ignore-start lint/suspicious/noUnsafeDeclarationMerging: the interface below only adds types to a method of Module
/**
 * A model that feeds each layer's output into the next.
 *
 * @example
 * const model = new Sequential([new Dense(4, 16, { activation: 'tanh' }), new Dense(16, 3)], { seed: 1 })
 * model.predict([[5.1, 3.5, 1.4, 0.2]]).shape // [1, 3]
 * @throws TypeError for anything but modules, ShapeError for two neighbors if the second needs another number of columns than the first returns
 */
export class Sequential<const L extends readonly Module[] = readonly Module[]> extends Module {
  static override get name() {
    return 'Sequential'
  }

  readonly layers: L
  readonly #children: readonly (readonly [string, Module])[]
  readonly #isNested: boolean
  #backend: Backend | undefined

  constructor(layers: Chain<L> extends L ? L : Chain<L>, options: ModuleOptions = {}) {
    super(options)
    if (!Array.isArray(layers)) throw typeError(`Sequential: wants layers in an array, [new Dense(…), …], got ${show(layers)}`)
    checkOptions('Sequential', options, MODULE)
    this.layers = Object.freeze([...(layers as L)]) as unknown as L
    this.layers.forEach((layer, i) => {
      if (!(layer instanceof Module))
        throw typeError(
          `Sequential: layer ${i} wants a Module, got ${show(layer)}${typeof layer === 'function' ? "; new Activation('relu') is one, and new Lambda(f)" : ''}`,
        )
      const before = this.layers[i - 1]
      if (isDense(layer) && isDense(before) && layer.inputs !== before.outputs)
        throw new ShapeError(`Sequential: layer ${i} wants ${layer.inputs} inputs, but layer ${i - 1} gives ${before.outputs}`)
    })
    this.#children = Object.freeze(this.layers.map((layer, i) => [String(i), layer] as const))
    this.#isNested = this.layers.some((layer) => layer instanceof Sequential)
    this.build()
  }

  protected override children(): Iterable<readonly [string, Module]> {
    return this.#children
  }

  forward<X extends Operand>(input: Input<L, X, ShapeOf<X>>): Tensor<Output<L, ShapeOf<X>>>
  forward(input: TensorLike): Tensor {
    this.#backend ??= this.backend
    let x = asTensor(input, this.#backend, 'Sequential')
    if (this.#isNested) return throughNested(this.layers, x)
    for (const layer of this.layers) x = outputOf(layer, x)
    return x
  }
}

/** True for Dense itself. A subclass of Dense may do anything with its columns. */
function isDense(layer: Module | undefined): layer is Dense {
  return layer?.constructor === Dense
}

/** Runs models inside models without recursion, since they may be nested deeply. */
function throughNested(layers: readonly Module[], input: Tensor): Tensor {
  let x = input
  const pending = [...layers].reverse()
  for (let layer = pending.pop(); layer !== undefined; layer = pending.pop()) {
    if (layer instanceof Sequential && layer.forward === Sequential.prototype.forward) pending.push(...[...layer.layers].reverse())
    else x = outputOf(layer, x)
  }
  return x
}

export interface Sequential<L extends readonly Module[]> {
  /**
   * The output in evaluation mode, without recording, as {@link Module.predict} says.
   *
   * @example model.predict(inputs, { batchSize: 1000 }).toArray()
   * @throws ShapeError naming the layer that the input does not fit
   */
  predict<X extends Operand>(input: Input<L, X, ShapeOf<X>>, options?: PredictOptions): Tensor<Output<L, ShapeOf<X>>>
}
// biome-ignore-end lint/suspicious/noUnsafeDeclarationMerging: until here
