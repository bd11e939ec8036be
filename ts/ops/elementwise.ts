/** Element-wise arithmetic with broadcasting, and the gradient of each operation beside it. */

import { apply, type Differentiable } from '../autograd.js'
import { withChoices, withOperations, withOthers } from '../backend/families.js'
import type { With } from '../backend/family.js'
import type { BINARY_KERNELS, UNARY_KERNELS } from '../backend/kernels.js'
import { rangeError } from '../common/errors.js'
import { broadcastShapes } from '../common/shape.js'
import type { Broadcast, Text, Texts, Unless } from '../common/shape-types.js'
import { asFloats, type Operand, type ShapeOf, type ShapesOf, Tensor, type TensorLike } from '../tensor.js'
import { runBinary } from './broadcast.js'
import { broadcastTo, sumTo } from './sum.js'

export { broadcastTo } from './sum.js'

type BinaryName = (typeof BINARY_KERNELS)[number]
type UnaryName = (typeof UNARY_KERNELS)[number]
type BinaryRule = (a: Tensor, b: Tensor, y: Tensor, g: Tensor) => [() => Tensor, () => Tensor]

/** The shape that two arguments broadcast to. */
export type Broadcasted<A, B> = Broadcast<ShapeOf<A>, ShapeOf<B>>
/** The second of two arguments that broadcast; a sentence if their shapes cannot. */
export type Broadcastable<A, B> = Unless<Broadcasted<A, B>, B, `shapes ${Text<ShapeOf<A>>} and ${Text<ShapeOf<B>>} do not broadcast`>

/** @param kernelsOf returns the kernels of a backend, including the one of this name */
function binary<Name extends BinaryName>(
  kernelsOf: With<Name>,
  name: Name,
  left: TensorLike,
  right: TensorLike | string,
  rule?: BinaryRule,
): Tensor {
  const backend = left instanceof Tensor ? left.backend : right instanceof Tensor ? right.backend : undefined
  const a = asFloats(left, backend, name)
  const b = asFloats(right as TensorLike, a.backend, name)
  const shape = broadcastShapes(a.shape, b.shape, name)
  const gradient =
    rule &&
    ((y: Tensor): Differentiable => ({
      operation: name,
      vjp: (g) => {
        const [da, db] = rule(a, b, y, g)
        return [a.requiresGrad ? sumTo(da(), a.shape) : null, b.requiresGrad ? sumTo(db(), b.shape) : null]
      },
    }))
  return apply([a, b], shape, (y, backend) => runBinary(kernelsOf(backend)[name], a, b, shape, y, backend.heap.elementSize), gradient)
}

/** a + b @example add([1, 2], [3, 4]) // [4, 6] */
export function add<A extends Operand, B extends Operand>(a: A, b: Broadcastable<A, B>): Tensor<Broadcasted<A, B>> {
  return binary(withOperations, 'add', a, b, (_a, _b, _y, g) => [() => g, () => g])
}

/** a − b @example sub([3, 4], 1) // [2, 3] */
export function sub<A extends Operand, B extends Operand>(a: A, b: Broadcastable<A, B>): Tensor<Broadcasted<A, B>> {
  return binary(withOperations, 'sub', a, b, (_a, _b, _y, g) => [() => g, () => neg(g)])
}

/** a · b, element by element @example mul([1, 2], [[1], [10]]) // [[1, 2], [10, 20]] */
export function mul<A extends Operand, B extends Operand>(a: A, b: Broadcastable<A, B>): Tensor<Broadcasted<A, B>> {
  return binary(withOperations, 'mul', a, b, (a, b, _y, g) => [() => mul(g, b), () => mul(g, a)])
}

/** a / b @example div([1, 2], 4) // [0.25, 0.5] */
export function div<A extends Operand, B extends Operand>(a: A, b: Broadcastable<A, B>): Tensor<Broadcasted<A, B>> {
  return binary(withOperations, 'div', a, b, (_a, b, y, g) => [() => div(g, b), () => neg(div(mul(g, y), b))])
}

/**
 * a to the power of b, as IEEE 754: 1 to any power is 1. The gradient for b is 0 where a = 0 and b ≥ 0, as the limit for b > 0; −∞ below.
 * @example pow([1, 2, 3], 2) // [1, 4, 9]
 */
export function pow<A extends Operand, B extends Operand>(a: A, b: Broadcastable<A, B>): Tensor<Broadcasted<A, B>> {
  return binary(withOthers, 'pow', a, b, (a, b, y, g) => [
    () => mul(g, b.requiresGrad ? baseSlope(a, b) : mul(b, pow(a, sub(b, sub(1, equal(b, 0)))))),
    () => mul(g, mul(y, log(add(a, mul(equal(a, 0), greaterEqual(b, 0)))))),
  ])
}

/** b·a^(b−1). If b = 0 and a has no logarithm it is b/a, which has the right derivative with respect to b, or 0 if a is 0 or nearly 0. */
function baseSlope(a: Tensor, b: Tensor): Tensor {
  const isInverse = mul(equal(b, 0), sub(1, greater(a, NEARLY_ZERO)))
  const inverse = reciprocal(where(greater(abs(a), NEARLY_ZERO), a, Infinity))
  return mul(b, where(isInverse, inverse, pow(where(isInverse, 1, a), sub(b, 1))))
}

/** Numbers below may have an infinite reciprocal in single precision. */
const NEARLY_ZERO = 1e-37

/** The larger of a and b, NaN if either is NaN. At a tie each side gets half of the gradient. @example maximum([1, 5], 3) // [3, 5] */
export function maximum<A extends Operand, B extends Operand>(a: A, b: Broadcastable<A, B>): Tensor<Broadcasted<A, B>> {
  return binary(withChoices, 'maximum', a, b, (a, b, _y, g) => [() => mul(g, wins(a, b)), () => mul(g, wins(b, a))])
}

/** The smaller of a and b, NaN if either is NaN. At a tie each side gets half of the gradient. @example minimum([1, 5], 3) // [1, 3] */
export function minimum<A extends Operand, B extends Operand>(a: A, b: Broadcastable<A, B>): Tensor<Broadcasted<A, B>> {
  return binary(withChoices, 'minimum', a, b, (a, b, _y, g) => [() => mul(g, wins(b, a)), () => mul(g, wins(a, b))])
}

/** 0 where a < b, ½ at a tie, else 1. If one side is NaN it is 1 for both sides, as in PyTorch */
function wins(a: Tensor, b: Tensor): Tensor {
  return sub(sub(1, greater(b, a)), mul(0.5, equal(a, b)))
}

/** 1 where a > b, else 0; no gradient @example greater([1, 3, 5], 3) // [0, 0, 1] */
export function greater<A extends Operand, B extends Operand>(a: A, b: Broadcastable<A, B>): Tensor<Broadcasted<A, B>> {
  return binary(withOperations, 'greater', a, b)
}

/** 1 where a ≥ b, else 0; no gradient @example greaterEqual([1, 3, 5], 3) // [0, 1, 1] */
export function greaterEqual<A extends Operand, B extends Operand>(a: A, b: Broadcastable<A, B>): Tensor<Broadcasted<A, B>> {
  return binary(withChoices, 'greaterEqual', a, b)
}

/** 1 where a < b, else 0; no gradient @example less([1, 3, 5], 3) // [1, 0, 0] */
export function less<A extends Operand, B extends Operand>(a: A, b: Broadcastable<A, B>): Tensor<Broadcasted<A, B>> {
  return greater(b as Operand, a as never) as Tensor<Broadcasted<A, B>>
}

/** 1 where a ≤ b, else 0; no gradient @example lessEqual([1, 3, 5], 3) // [1, 1, 0] */
export function lessEqual<A extends Operand, B extends Operand>(a: A, b: Broadcastable<A, B>): Tensor<Broadcasted<A, B>> {
  return greaterEqual(b as Operand, a as never) as Tensor<Broadcasted<A, B>>
}

/** 1 where a = b, else 0; no gradient @example equal([1, 3, 5], 3) // [0, 1, 0] */
export function equal<A extends Operand, B extends Operand>(a: A, b: Broadcastable<A, B>): Tensor<Broadcasted<A, B>> {
  return binary(withChoices, 'equal', a, b)
}

type UnaryRule = (x: Tensor, y: Tensor, g: Tensor) => Tensor

/** @param kernelsOf returns the kernels of a backend, including the one of this name */
function unary<Name extends UnaryName>(kernelsOf: With<Name>, name: Name, value: TensorLike, rule?: UnaryRule): Tensor {
  const x = asFloats(value, undefined, name)
  return apply(
    [x],
    x.shape,
    (y, backend) => kernelsOf(backend)[name](x.address, y, x.size),
    rule && ((y) => ({ operation: name, vjp: (g) => [rule(x, y, g)] })),
  )
}

/** −x @example neg([1, -2]) // [-1, 2] */
export function neg<X extends Operand>(x: X): Tensor<ShapeOf<X>> {
  return unary(withOperations, 'neg', x, (_x, _y, g) => neg(g))
}

/** |x|, gradient 0 at 0 @example abs([1, -2]) // [1, 2] */
export function abs<X extends Operand>(x: X): Tensor<ShapeOf<X>> {
  return unary(withOthers, 'abs', x, (x, _y, g) => mul(g, sign(x)))
}

/** −1, 0 or 1; no gradient @example sign([3, 0, -2]) // [1, 0, -1] */
export function sign<X extends Operand>(x: X): Tensor<ShapeOf<X>> {
  return unary(withOthers, 'sign', x)
}

/** eˣ @example exp([0, 1]) // [1, 2.718282] */
export function exp<X extends Operand>(x: X): Tensor<ShapeOf<X>> {
  return unary(withOperations, 'exp', x, (_x, y, g) => mul(g, y))
}

/** Natural logarithm; −∞ at 0, NaN below. @example log([1, Math.E]) // [0, 1] */
export function log<X extends Operand>(x: X): Tensor<ShapeOf<X>> {
  return unary(withOthers, 'log', x, (x, _y, g) => div(g, x))
}

/** Square root; NaN below 0. @example sqrt([4, 9]) // [2, 3] */
export function sqrt<X extends Operand>(x: X): Tensor<ShapeOf<X>> {
  return unary(withOthers, 'sqrt', x, (_x, y, g) => div(g, mul(2, y)))
}

/** x² @example square([2, -3]) // [4, 9] */
export function square<X extends Operand>(x: X): Tensor<ShapeOf<X>> {
  return unary(withOperations, 'square', x, (x, _y, g) => mul(mul(2, g), x))
}

/** 1 / x @example reciprocal([2, 4]) // [0.5, 0.25] */
export function reciprocal<X extends Operand>(x: X): Tensor<ShapeOf<X>> {
  return unary(withOthers, 'reciprocal', x, (_x, y, g) => neg(mul(g, square(y))))
}

/** Sine, in radians. @example sin([0, Math.PI / 2]) // [0, 1] */
export function sin<X extends Operand>(x: X): Tensor<ShapeOf<X>> {
  return unary(withOthers, 'sin', x, (x, _y, g) => mul(g, cos(x)))
}

/** Cosine, in radians. @example cos([0, Math.PI]) // [1, -1] */
export function cos<X extends Operand>(x: X): Tensor<ShapeOf<X>> {
  return unary(withOthers, 'cos', x, (x, _y, g) => neg(mul(g, sin(x))))
}

/** The error function 2/√π ∫₀ˣ e^(−t²) dt. @example erf([0, 1]) // [0, 0.842701] */
export function erf<X extends Operand>(x: X): Tensor<ShapeOf<X>> {
  return unary(withOthers, 'erf', x, (x, _y, g) => mul(g, mul(2 / Math.sqrt(Math.PI), exp(neg(square(x))))))
}

/**
 * min(max(x, low), high); gradient 1 strictly between the bounds, else 0, as torch 2.15.
 *
 * @example clip([-2, 0.5, 3], 0, 1) // [0, 0.5, 1]
 * @throws RangeError if low > high
 */
export function clip<X extends Operand>(value: X, low: number, high: number): Tensor<ShapeOf<X>> {
  if (!(low <= high)) throw rangeError(`clip: wants low ≤ high, got ${low} and ${high}`)
  const x = asFloats(value, undefined, 'clip')
  return apply(
    [x],
    x.shape,
    (y, { kernels }) => kernels.clip(x.address, y, x.size, low, high),
    () => ({ vjp: (g) => [mul(g, mul(greater(x, low), greater(high, x)))] }),
  )
}

/**
 * a where condition is not 0, else b. The side that is not chosen passes on neither NaN nor gradient.
 *
 * @example where([1, 0], [1, 2], [10, 20]) // [1, 20]
 */
export function where<C extends Operand, A extends Operand, B extends Operand>(
  condition: C,
  a: A,
  b: Unless<Chosen<C, A, B>, B, `shapes ${Texts<ShapesOf<[C, A, B]>>} do not broadcast`>,
): Tensor<Chosen<C, A, B>> {
  const backend = [condition, a, b].find((t) => t instanceof Tensor)?.backend
  const c = asFloats(condition, backend, 'where')
  const [x, z] = [asFloats(a, c.backend, 'where'), asFloats(b as TensorLike, c.backend, 'where')]
  const shape = broadcastShapes(broadcastShapes(c.shape, x.shape, 'where'), z.shape, 'where')
  const [mask, yes, no] = [c, x, z].map((t) => broadcastTo(t, shape))
  return apply(
    [mask, yes, no],
    shape,
    (y, { heap }) => select(y, heap, [mask, yes, no]),
    () => ({
      vjp: (g) => {
        const zero = Tensor.onHost(g.backend, [], new Float32Array(1))
        return [null, yes.requiresGrad ? where(mask, g, zero) : null, no.requiresGrad ? where(mask, zero, g) : null]
      },
    }),
  )
}

type Chosen<C, A, B> = Broadcast<ShapeOf<C>, Broadcasted<A, B>>

function select(y: number, heap: Tensor['backend']['heap'], [mask, yes, no]: Tensor[]): void {
  const at = [mask, yes, no].map((t) => t.address / heap.elementSize)
  const { floats } = heap
  const out = y / heap.elementSize
  for (let i = 0; i < mask.size; i++) floats[out + i] = floats[at[0] + i] !== 0 ? floats[at[1] + i] : floats[at[2] + i]
}
