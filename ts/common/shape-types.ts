/**
 * Shapes as types: the compiler computes the shape of an operation's result from literal sizes.
 *
 * Unknown sizes are never wrong. A size of type `number` fits every size and `Shape` every shape; an unknown result is `Shape` again. An impossible
 * result is `never`, and {@link Unless} then puts a sentence in the place of the argument.
 */
import type { Shape } from './shape.js'

/** Sizes as the recursions below take them apart. */
type Sizes = readonly number[]

/** True if the number of axes is known; false for `any`, too. */
type IsKnown<S extends Sizes> = number extends S['length'] ? false : true

/**
 * The argument; or, if the result is never, a sentence that no argument fits, for the compiler to show. The test uses the parameter type of a
 * function, which accepts anything but never. In a function with a type parameter for a shape, the result is open. This form lets the compiler
 * conclude that the argument fits anyway; the first half of the pair keeps the question open.
 */
export type Unless<Result, Argument, Sentence> = [Result, Taking<Result>] extends [unknown, Taking<Anything>] ? Argument : Sentence
type Taking<T> = (taken: T) => void
// biome-ignore lint/suspicious/noExplicitAny: it is the type that fits all but never
type Anything = any

/** A shape in messages: `[64, 10]`; `[...]` if it is not known. */
export type Text<S extends Sizes> = IsKnown<S> extends true ? `[${Listed<S>}]` : '[...]'
type Listed<S extends Sizes> = S extends readonly [infer D extends number, ...infer Rest extends Sizes]
  ? `${number extends D ? 'number' : D}${Rest extends readonly [] ? '' : ', '}${Listed<Rest>}`
  : ''

/** A shape as it was given, without `readonly`. */
export type Given<S extends Sizes> = IsKnown<S> extends true ? Extract<[...S], Shape> : Shape

/** The shape of a number or of nested rows with a literal number of entries, `[2, 2]` for `[[1, 2], [3, 4]]`; else `Shape`. */
export type Nested<V> = [V] extends [number]
  ? 0 extends 1 & V
    ? Shape
    : []
  : Lengths<V> extends infer S extends Sizes
    ? HasLiteral<S> extends true
      ? Given<S>
      : Shape
    : Shape
type Lengths<V> = [V] extends [number]
  ? []
  : [V] extends [readonly []]
    ? [0]
    : [V] extends [ArrayBufferView]
      ? [number]
      : [V] extends [readonly [infer Row, ...unknown[]]]
        ? [V['length' & keyof V], ...Lengths<Row>]
        : [V] extends [readonly (infer Row)[]]
          ? [number, ...Lengths<Row>]
          : Sizes
type HasLiteral<S extends Sizes> = S extends readonly [infer D, ...infer Rest extends Sizes]
  ? number extends D
    ? HasLiteral<Rest>
    : true
  : false

// ---- two sizes, and two shapes ----

/** The common size of both; never if they differ. */
type Same<A extends number, B extends number> = number extends A ? B : number extends B ? A : A & B

/** The size that both broadcast to: one of them is 1, or they are the same. */
type Wider<A extends number, B extends number> = [A] extends [1]
  ? B
  : [B] extends [1]
    ? A
    : 1 extends Exclude<A | B, number extends A | B ? number : never>
      ? number
      : Same<A, B>

/** The shape to which two shapes broadcast, aligned at the last axis; never if they do not. */
export type Broadcast<A extends Sizes, B extends Sizes> = B extends readonly []
  ? A
  : A extends readonly []
    ? B
    : IsKnown<A> extends true
      ? IsKnown<B> extends true
        ? Aligned<A, B, []>
        : Shape
      : Shape
type Aligned<A extends Sizes, B extends Sizes, Done extends Sizes> = A extends readonly [
  ...infer AHead extends Sizes,
  infer ALast extends number,
]
  ? B extends readonly [...infer BHead extends Sizes, infer BLast extends number]
    ? [Wider<ALast, BLast>] extends [never]
      ? never
      : Aligned<AHead, BHead, [Wider<ALast, BLast>, ...Done]>
    : [...A, ...Done]
  : [...B, ...Done]

/** The common shape of both; never if they differ. */
export type Equal<A extends Sizes, B extends Sizes> =
  IsKnown<A> extends true ? (IsKnown<B> extends true ? Matched<A, B, []> : Given<A>) : Given<B>
type Matched<A extends Sizes, B extends Sizes, Done extends Sizes> = A extends readonly [
  infer AHead extends number,
  ...infer ATail extends Sizes,
]
  ? B extends readonly [infer BHead extends number, ...infer BTail extends Sizes]
    ? [Same<AHead, BHead>] extends [never]
      ? never
      : Matched<ATail, BTail, [...Done, Same<AHead, BHead>]>
    : never
  : B extends readonly []
    ? Done
    : never

/** The common shape of predictions and targets: equal shapes, or [n] for [n, 1]; never if neither fits. */
export type Compared<P extends Sizes, T extends Sizes> =
  | Equal<P, T>
  | (P extends readonly [...infer Rows extends Sizes, infer Last] ? (1 extends Last ? Equal<Rows, T> : never) : never)

/** The common rows of logits and targets (probabilities or class indices); never if neither fits. */
export type Classified<P extends Sizes, T extends Sizes> = P extends readonly [infer N extends number, number]
  ? Equal<P, T> | Equal<[N], T> | Equal<[N, 1], T> | Equal<[1, N], T> | (T extends readonly [] ? Equal<[N], [1]> : never)
  : Shape

// ---- matrices ----

/** The last two sizes in reverse order, if `T` is true; unknown ones if `T` is not known. */
export type Turned<S extends Sizes, T extends boolean> =
  IsKnown<S> extends true
    ? S extends readonly [...infer Stack extends Sizes, infer R extends number, infer C extends number]
      ? [T] extends [true]
        ? [...Stack, C, R]
        : [T] extends [false]
          ? S
          : [...Stack, number, number]
      : S
    : Shape

/** The shape of a·b; never if they are not (stacks of) matrices, their inner sizes differ, or their stacks do not broadcast. */
export type Product<A extends Sizes, B extends Sizes> =
  IsKnown<A> extends true
    ? A extends readonly [...infer StackA extends Sizes, infer M extends number, infer K extends number]
      ? IsKnown<B> extends true
        ? B extends readonly [...infer StackB extends Sizes, infer L extends number, infer N extends number]
          ? [Same<K, L>] extends [never]
            ? never
            : Stacking<Broadcast<StackA, StackB>, M, N>
          : never
        : Shape
      : never
    : IsKnown<B> extends true
      ? B extends readonly [...Sizes, number, number]
        ? Shape
        : never
      : Shape
type Stacking<Stack extends Sizes, M extends number, N extends number> = [Stack] extends [never] ? never : [...Stack, M, N]

/** The axes in another order; `Shape` if the order is not known. */
export type Permuted<S extends Sizes, Axes> =
  IsKnown<S> extends true
    ? Axes extends undefined
      ? Reversed<S>
      : Axes extends Sizes
        ? IsKnown<Axes> extends true
          ? Picked<S, Axes>
          : Shape
        : Shape
    : Shape
type Reversed<S extends Sizes> = S extends readonly [infer D extends number, ...infer Rest extends Sizes] ? [...Reversed<Rest>, D] : []
type Picked<S extends Sizes, Axes extends Sizes> = Axes extends readonly [infer At extends number, ...infer Rest extends Sizes]
  ? [SizeAt<S, At>, ...Picked<S, Rest>]
  : []
type SizeAt<S extends Sizes, At extends number> = `${At}` extends keyof S ? Extract<S[`${At}` & keyof S], number> : number

/** The shape with its last axis of length I changed to length O, as by a dense layer; never if it has another length. */
export type Through<S extends Sizes, I extends number, O extends number> =
  IsKnown<S> extends true
    ? S extends readonly [...infer Head extends Sizes, infer Last extends number]
      ? [Same<Last, I>] extends [never]
        ? never
        : [...Head, O]
      : never
    : Shape

// ---- axes ----

/** The shape with the sizes along `Axes` (a union) replaced by `To`, or removed. `Shape` if the axes are not known. */
export type Along<S extends Sizes, Axes extends number, To extends Sizes> = number extends Axes
  ? Shape
  : IsKnown<S> extends true
    ? Walked<S, Axes, To, []>
    : Shape
type Walked<Left extends Sizes, Axes extends number, To extends Sizes, Done extends Sizes> = Left extends readonly [
  infer D extends number,
  ...infer Rest extends Sizes,
]
  ? Walked<Rest, Axes, To, [...Done, D]> extends infer Tail extends Sizes
    ? IsChosen<Done['length'], Left['length'], Axes> extends true
      ? [...To, ...Tail]
      : [D, ...Tail]
    : never
  : []
/** True if `Axes` names this axis: it has `Before` axes before it, and is the `Last`th from the end. */
type IsChosen<Before extends number, Last extends number, Axes extends number> = Before extends Axes
  ? true
  : `-${Last}` extends `${Axes}`
    ? true
    : false

/** The shape of a sum over axes (default: all). */
export type Reduced<S extends Sizes, Axes, Keep extends boolean> = boolean extends Keep
  ? Shape
  : [Axes] extends [undefined]
    ? Keep extends true
      ? Ones<S>
      : []
    : [Axes] extends [number]
      ? Along<S, Axes, Keep extends true ? [1] : []>
      : [Axes] extends [Sizes]
        ? Along<S, Axes[number], Keep extends true ? [1] : []>
        : Shape
type Ones<S extends Sizes> = IsKnown<S> extends true ? Extract<{ -readonly [I in keyof S]: 1 }, Shape> : Shape

/** The shape of tensors joined end to end along an axis, whose length is left open; never if they differ elsewhere. */
export type Joined<All extends readonly unknown[], Axis extends number> = All extends readonly [infer First extends Sizes, ...infer Rest]
  ? Rest extends readonly []
    ? Along<First, Axis, [number]>
    : Equal<Along<First, Axis, [number]>, Joined<Rest, Axis>>
  : Along<Extract<All[number], Sizes>, Axis, [number]>

/** The shape of equal shapes stacked along a new first axis; never if they differ. */
export type Stacked<All extends readonly unknown[]> =
  AllEqual<All> extends infer S extends Sizes
    ? [S] extends [never]
      ? never
      : IsKnown<S> extends true
        ? [All['length'], ...S]
        : Shape
    : never
type AllEqual<All extends readonly unknown[]> = All extends readonly [infer First extends Sizes, ...infer Rest]
  ? Rest extends readonly []
    ? First
    : Equal<First, AllEqual<Rest>>
  : Extract<All[number], Sizes>

/** Several shapes in a sentence. */
export type Texts<All extends readonly unknown[]> = All extends readonly [infer First extends Sizes, ...infer Rest]
  ? `${Text<First>}${Rest extends readonly [] ? '' : ', '}${Texts<Rest>}`
  : ''

/** Rows of a table by indices. */
export type Gathered<Table extends Sizes, Index extends Sizes> =
  IsKnown<Index> extends true
    ? Table extends readonly [number, infer Columns extends number]
      ? [...Index, Columns]
      : [...Index, number]
    : Shape

// ---- numbers of elements ----

/** The requested shape; never if both numbers of elements are known, small, and different. −1 is an unknown size. */
export type Reshaped<From extends Sizes, To extends Sizes> =
  IsKnown<To> extends true ? (IsKnown<From> extends true ? (SameSize<From, To> extends false ? never : Freed<To>) : Freed<To>) : Shape
type Freed<S extends Sizes> = Extract<{ -readonly [I in keyof S]: S[I] extends -1 ? number : S[I] }, Shape>

/** `unknown` if a size is not known (or 0, which leaves the others open). A common beginning of both is left out. */
type SameSize<A extends Sizes, B extends Sizes> = number extends A[number] | B[number]
  ? unknown
  : [Extract<A[number] | B[number], 0 | -1>] extends [never]
    ? A extends readonly [infer H, ...infer ARest extends Sizes]
      ? B extends readonly [H, ...infer BRest extends Sizes]
        ? SameSize<ARest, BRest>
        : SameCount<Count<A>, Count<B>>
      : SameCount<Count<A>, Count<B>>
    : unknown
type SameCount<A, B> = A extends number ? (B extends number ? (A extends B ? true : false) : unknown) : unknown

/** The product of sizes, by the length of a tuple; `unknown` from five digits on, which would make the compiler slow. */
type Count<S extends Sizes, Done extends readonly unknown[] = [unknown]> = S extends readonly [
  infer D extends number,
  ...infer Rest extends Sizes,
]
  ? `${Done['length']}${D}` extends `${infer _1}${infer _2}${infer _3}${infer _4}${infer _5}${string}`
    ? unknown
    : Count<Rest, Times<Done, `${D}`>>
  : Done['length']
/** T repeated as often as the decimal number says. */
type Times<
  T extends readonly unknown[],
  Digits extends string,
  Done extends readonly unknown[] = [],
> = Digits extends `${infer D extends keyof Repeated<T>}${infer Rest}` ? Times<T, Rest, [...Tenfold<Done>, ...Repeated<T>[D]]> : Done
type Tenfold<T extends readonly unknown[]> = [...T, ...T, ...T, ...T, ...T, ...T, ...T, ...T, ...T, ...T]
interface Repeated<T extends readonly unknown[]> {
  '0': []
  '1': [...T]
  '2': [...T, ...T]
  '3': [...T, ...T, ...T]
  '4': [...T, ...T, ...T, ...T]
  '5': [...T, ...T, ...T, ...T, ...T]
  '6': [...T, ...T, ...T, ...T, ...T, ...T]
  '7': [...T, ...T, ...T, ...T, ...T, ...T, ...T]
  '8': [...T, ...T, ...T, ...T, ...T, ...T, ...T, ...T]
  '9': [...T, ...T, ...T, ...T, ...T, ...T, ...T, ...T, ...T]
}
