/** Rounding to integers. */
import { apply } from '../autograd.js'
import { asFloats, type Operand, type ShapeOf, type Tensor } from '../tensor.js'
import { mul } from './elementwise.js'

/** The largest whole number that is not above x; its derivative is 0. @example floor([1.7, -1.2]) // [1, -2] */
export const floor = <X extends Operand>(x: X): Tensor<ShapeOf<X>> => each('floor', x, Math.floor)

/** The smallest whole number that is not below x; its derivative is 0. @example ceil([1.2, -1.7]) // [2, -1] */
export const ceil = <X extends Operand>(x: X): Tensor<ShapeOf<X>> => each('ceil', x, Math.ceil)

/** The nearest whole number, of two the even one, as in IEEE 754, PyTorch and JAX; its derivative is 0. @example round([0.6, 1.5, 2.5]) // [1, 2, 2] */
export const round = <X extends Operand>(x: X): Tensor<ShapeOf<X>> => each('round', x, toEven)

function toEven(x: number): number {
  return Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)
}

function each<X extends Operand>(name: string, value: X, f: (x: number) => number): Tensor<ShapeOf<X>> {
  const x = asFloats(value, undefined, name)
  const whole = x.data().map(f)
  const write = (y: number, { heap }: Tensor['backend']) => heap.floats.set(whole, y / heap.elementSize)
  return apply([x], x.shape, write, () => ({ vjp: (g) => [mul(g, 0)] })) as Tensor<ShapeOf<X>>
}
