/** Shape rules of the layers of this room, for the compiler. Sizes along the image's directions are left open. */
import type { Shape } from '../common/shape.js'
import type { LayerShapes } from '../nn/layer-shapes.js'

/** True if the number of axes is known. */
type IsKnown<S extends Shape> = number extends S['length'] ? false : true
/** O if the sizes may be equal, else never. */
type If<C extends number, I extends number, O> = number extends C ? O : number extends I ? O : C extends I ? O : never

/** Images [rows, height, width, I] become [rows, number, number, O]. */
type Images<S extends Shape, I extends number, O extends number> =
  IsKnown<S> extends true
    ? S extends readonly [infer N extends number, number, number, infer C extends number]
      ? If<C, I, [N, number, number, O]>
      : never
    : Shape

/** Signals [rows, length, I] become [rows, number, O]. */
type Signals<S extends Shape, I extends number, O extends number> =
  IsKnown<S> extends true
    ? S extends readonly [infer N extends number, number, infer C extends number]
      ? If<C, I, [N, number, O]>
      : never
    : Shape

/** A convolution of images with I channels by O filters. */
export interface ImageShapes<Name extends string, I extends number, O extends number> extends LayerShapes {
  readonly Out: this['In'] extends infer S extends Shape ? Images<S, I, O> : Shape
  readonly Name: Name
  readonly InputColumns: I
  readonly OutputColumns: O
}

/** A convolution of signals with I channels by O filters. */
export interface SignalShapes<Name extends string, I extends number, O extends number> extends LayerShapes {
  readonly Out: this['In'] extends infer S extends Shape ? Signals<S, I, O> : Shape
  readonly Name: Name
  readonly InputColumns: I
  readonly OutputColumns: O
}

/** Images or signals with other lengths and the same channels. */
export interface PoolShapes<Name extends string> extends LayerShapes {
  readonly Out: this['In'] extends infer S extends Shape ? Pooled<S> : Shape
  readonly Name: Name
  readonly InputColumns: number
  readonly OutputColumns: 'same'
}
type Pooled<S extends Shape> =
  IsKnown<S> extends true
    ? S extends readonly [infer N extends number, number, number, infer C extends number]
      ? [N, number, number, C]
      : S extends readonly [infer N extends number, number, infer C extends number]
        ? [N, number, C]
        : never
    : Shape

/** Images or signals that become one row of channels each. */
export interface GlobalShapes<Name extends string> extends LayerShapes {
  readonly Out: this['In'] extends infer S extends Shape ? Averaged<S> : Shape
  readonly Name: Name
  readonly InputColumns: number
  readonly OutputColumns: 'same'
}
type Averaged<S extends Shape> =
  IsKnown<S> extends true
    ? S extends readonly [infer N extends number, number, number, infer C extends number]
      ? [N, C]
      : S extends readonly [infer N extends number, number, infer C extends number]
        ? [N, C]
        : never
    : Shape
