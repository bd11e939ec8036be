/** Code that the layers of this library share. */

import type { Backend } from '../backend/index.js'
import { ShapeError } from '../common/errors.js'
import { formatShape, type Shape } from '../common/shape.js'
import { asFloats, type Tensor } from '../tensor.js'
import type { InputFor, LayerShapes, OutputShape } from './layer-shapes.js'
import { Module } from './module.js'

/**
 * A layer of this library: its `forward` depends on nothing but its input, kernels, and the fields of the layer. Training relies on that
 * (train/fast/model-fields.ts) and watches modules of any other class more closely. A class of yours extends {@link Module}.
 */
export abstract class Layer extends Module {
  /** @internal a class with this of its own is no layer yet: the classes that extend it are */
  static readonly isBase = true

  /** @internal the input as floats. @throws ShapeError if its last axis has another length */
  protected withFeatures(input: Tensor, count: number, backend: Backend): Tensor {
    const name = this.label(this.describe())
    const x = asFloats(input, backend, name)
    if (x.shape.at(-1) !== count) throw new ShapeError(`${name}: wants inputs of shape [..., ${count}], got shape ${formatShape(x.shape)}`)
    return x
  }
}

/** A layer with a shape rule, by which the compiler knows the shape of its output. */
export abstract class ShapedLayer<Rule extends LayerShapes> extends Layer {
  /** @internal */
  static override readonly isBase = true
  /** The rule, for the compiler. It has no value. */
  declare readonly shapes?: Rule

  forward<S extends Shape>(x: InputFor<Rule, S>): Tensor<OutputShape<Rule, S>>
  forward(x: Tensor): Tensor {
    return this.compute(x)
  }

  /** @internal the output, by operations on tensors alone */
  protected abstract compute(x: Tensor): Tensor
}

/** @internal true if a module is exactly a layer of this library: a subclass, or an object with a `forward` of its own, may do more */
export function isLayer(module: Module): boolean {
  return Object.hasOwn(Object.getPrototypeOf(module.constructor), 'isBase') && !Object.hasOwn(module, 'forward')
}
