/**
 * How layers change shapes, for the compiler. A layer says it in a member `shapes`, which is only declared: there is nothing of it at
 * run time. `Sequential` reads it there, so that a new layer changes nothing in `Sequential`.
 */
import type { Shape } from '../common/shape.js'
import type { Text, Through, Unless } from '../common/shape-types.js'
import type { Tensor } from '../tensor.js'

/** What the compiler knows of a layer. An interface that extends it gives `Out` in terms of `this['In']`. */
export interface LayerShapes {
  /** The shape of the input, put in where the rule is applied, by `OutputShape`. */
  readonly In: unknown
  /** The shape of the output; `Shape` where it is not known, `never` where the layer does not take the input. */
  readonly Out: unknown
  /** How the layer writes itself in what the compiler says. */
  readonly Name: string
  /** How many columns (entries along the last axis) the input has to have; `number` where any will do. */
  readonly InputColumns: number
  /** How many columns the output has; `'same'` as many as the input; `unknown` where that is not known. */
  readonly OutputColumns: unknown
}

/** The shape that a layer makes of an input of shape S. */
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

/** What the compiler says to an input that a layer cannot take. */
export type WrongColumns<Name extends string, I extends number, S extends Shape> = `${Name} wants ${I} columns, got ${Text<S>}`

/** The argument of a layer: a tensor of a shape that it takes, or what the compiler says instead. */
export type InputFor<Rule extends LayerShapes, S extends Shape> = Unless<
  OutputShape<Rule, S>,
  Tensor<S>,
  WrongColumns<Rule['Name'], Rule['InputColumns'], S>
>
