/**
 * Shape rules of layers, for the compiler. A layer declares its rule in a member `shapes`, which has no value at run time. `Sequential` reads the
 * rule there, so that a new layer needs no change in `Sequential`.
 */
import type { Shape } from '../common/shape.js'
import type { Text, Through, Unless } from '../common/shape-types.js'
import type { Tensor } from '../tensor.js'

/** The shape rule of a layer, for the compiler. An interface that extends it gives `Out` in terms of `this['In']`. */
export interface LayerShapes {
  /** The shape of the input. `OutputShape` sets it when it applies the rule. */
  readonly In: unknown
  /** The shape of the output; `Shape` if it is not known, `never` if the layer does not take the input. */
  readonly Out: unknown
  /** The layer's name in messages of the compiler. */
  readonly Name: string
  /** Columns (entries along the last axis) that the input must have; `number` for any. */
  readonly InputColumns: number
  /** Columns of the output: a number, `'same'` for the number of the input, `unknown` if not known. */
  readonly OutputColumns: unknown
}

/** The shape of a layer's output for an input of shape S. */
export type OutputShape<Rule extends LayerShapes, S extends Shape> = (Rule & { readonly In: S })['Out'] extends infer Out extends Shape
  ? Out
  : Shape

/** A layer whose output has the shape of its input, such as an activation. */
export interface KeepsShape extends LayerShapes {
  readonly Out: this['In'] extends infer S extends Shape ? S : Shape
  readonly OutputColumns: 'same'
}

/** A layer that turns the last axis of length I into one of length O, such as a dense layer. */
export interface LastAxis<Name extends string, I extends number, O extends number> extends LayerShapes {
  readonly Out: this['In'] extends infer S extends Shape ? Through<S, I, O> : Shape
  readonly Name: Name
  readonly InputColumns: I
  readonly OutputColumns: O
}

/** A layer of an ensemble: the last axis of length I becomes one of length O, and an axis of members may come in front. */
export interface EnsembleAxis<Name extends string, I extends number, O extends number> extends LayerShapes {
  readonly Out: Shape
  readonly Name: Name
  readonly InputColumns: I
  readonly OutputColumns: O
}

/** The compiler's message about an input that a layer cannot take. */
export type WrongColumns<Name extends string, I extends number, S extends Shape> = `${Name} wants ${I} columns, got ${Text<S>}`

/** The argument of a layer: a tensor of a valid shape, or the compiler's message. */
export type InputFor<Rule extends LayerShapes, S extends Shape> = Unless<
  OutputShape<Rule, S>,
  Tensor<S>,
  WrongColumns<Rule['Name'], Rule['InputColumns'], S>
>
