/**
 * Shapes as types: what the compiler can tell of an operation from sizes that are literal.
 *
 * Nothing is claimed that is not known. A size of type `number` fits every size and `Shape` every shape; a result of which nothing
 * is known is `Shape` again. What cannot be is `never`, and {@link Unless} then puts a sentence in the place of the argument.
 */
import type { Shape } from './shape.js'

/** Sizes as the recursions below take them apart. */
type Sizes = readonly number[]

/** Whether the number of axes is known; false for `any`, too. */
type IsKnown<S extends Sizes> = number extends S['length'] ? false : true

/**
 * The argument; or, where the result is never, a sentence that no argument fits, for the compiler to show. Asked by what a function
 * takes: anything fits that but never. In a function with a type parameter for a shape, where the answer is open, the compiler finds
 * by this that the argument always fits; the first half of the pair is what leaves it open.
 */
export type Unless<Result, Argument, Sentence> = [Result, Taking<Result>] extends [unknown, Taking<Anything>] ? Argument : Sentence
type Taking<T> = (taken: T) => void
// biome-ignore lint/suspicious/noExplicitAny: it is the type that fits all but never
type Anything = any

/** A shape as messages write it: `[64, 10]`; `[...]` where it is not known. */
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

/** The one size that both are; never where they differ. */
type Same<A extends number, B extends number> = number extends A ? B : number extends B ? A : A & B

/** The size that both broadcast to: one of them is 1, or they are the same. */
type Wider<A extends number, B extends number> = [A] extends [1]
  ? B
  : [B] extends [1]
    ? A
    : 1 extends Exclude<A | B, number extends A | B ? number : never>
      ? number
      : Same<A, B>

/** The shape that two broadcast to, aligned at the last axis; never where they do not. */
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

/** The one shape that both are; never where they differ. */
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

/** What predictions and targets share: their shape, or [n] for [n, 1]; never where neither fits. */
export type Compared<P extends Sizes, T extends Sizes> =
  | Equal<P, T>
  | (P extends readonly [...infer Rows extends Sizes, infer Last] ? (1 extends Last ? Equal<Rows, T> : never) : never)

/** The rows that logits and targets share, probabilities or the numbers of classes; never where neither fits. */
export type Classified<P extends Sizes, T extends Sizes> = P extends readonly [infer N extends number, number]
  ? Equal<P, T> | Equal<[N], T> | Equal<[N, 1], T> | Equal<[1, N], T> | (T extends readonly [] ? Equal<[N], [1]> : never)
  : Shape

// ---- matrices ----

/** Both sizes of a matrix the other way round, if `T` is true; where it is not known, nothing is known of the sizes. */
export type Turned<S extends Sizes, T extends boolean> =
  IsKnown<S> extends true
    ? S extends readonly [infer R extends number, infer C extends number]
      ? [T] extends [true]
        ? [C, R]
        : [T] extends [false]
          ? [R, C]
          : [number, number]
      : S
    : Shape

/** The shape of a·b; never where they are no matrices or their inner sizes differ. */
export type Product<A extends Sizes, B extends Sizes> =
  IsKnown<A> extends true
    ? A extends readonly [infer M extends number, infer K extends number]
      ? IsKnown<B> extends true
        ? B extends readonly [infer L extends number, infer N extends number]
          ? [Same<K, L>] extends [never]
            ? never
            : [M, N]
          : never
        : [M, number]
      : never
    : IsKnown<B> extends true
      ? B extends readonly [number, infer N extends number]
        ? [number, N]
        : never
      : Shape

/** The axes in another order; `Shape` where that is not known. */
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

/** The last axis of length I turned into one of length O, as a dense layer does; never where it has another length. */
export type Through<S extends Sizes, I extends number, O extends number> =
  IsKnown<S> extends true
    ? S extends readonly [...infer Head extends Sizes, infer Last extends number]
      ? [Same<Last, I>] extends [never]
        ? never
        : [...Head, O]
      : never
    : Shape

// ---- axes ----

/** What becomes of the sizes along `Axes` (a union): `To` in their place, or nothing. `Shape` where the axes are not known. */
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
/** The axis with `Before` axes before it, and itself the `Last`th from the end. */
type IsChosen<Before extends number, Last extends number, Axes extends number> = Before extends Axes
  ? true
  : `-${Last}` extends `${Axes}`
    ? true
    : false

/** The shape of a sum over axes: all of them where none are named. */
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

/** Shapes end to end along an axis, whose length is left open; never where they differ elsewhere. */
export type Joined<All extends readonly unknown[], Axis extends number> = All extends readonly [infer First extends Sizes, ...infer Rest]
  ? Rest extends readonly []
    ? Along<First, Axis, [number]>
    : Equal<Along<First, Axis, [number]>, Joined<Rest, Axis>>
  : Along<Extract<All[number], Sizes>, Axis, [number]>

/** Shapes that are all the same, as entries of a new first axis; never where they differ. */
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

/** The shape that was asked for; never where both numbers of elements are known, small, and differ. −1 is a size that is not known. */
export type Reshaped<From extends Sizes, To extends Sizes> =
  IsKnown<To> extends true ? (IsKnown<From> extends true ? (SameSize<From, To> extends false ? never : Freed<To>) : Freed<To>) : Shape
type Freed<S extends Sizes> = Extract<{ -readonly [I in keyof S]: S[I] extends -1 ? number : S[I] }, Shape>

/** `unknown` where a size is not known (or 0, which leaves the others open). What both begin with is left out. */
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

/** The product of sizes, by the length of a tuple; `unknown` from five digits on, which the compiler would be slow with. */
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
