/**
 * Tensors: a shape over floats that live in one of three places.
 *
 * - *host*: an ordinary typed array that the garbage collector owns (data, results of predict, of plain arithmetic);
 * - *step*: the step arena of a backend (everything that was recorded for backpropagation); gone with the next step;
 * - *permanent*: a block of the heap (parameters and their gradients).
 *
 * An operation asks for {@link Tensor.address}; a host tensor is then copied into the arena. Every operation makes a new copy ({@link
 * Tensor.forgetCopy}), as the owner of the array may have changed it since. A backward pass uses the copy of its operation ({@link Tensor.useCopy}),
 * even if the array has changed.
 */

import type { ElementCheck } from './backend/arena.js'
import type { FloatArray } from './backend/heap.js'
import { type Backend, defaultBackend } from './backend/index.js'
import type { Ptr } from './backend/kernels.js'
import { COPY } from './common/copies.js'
import { plainError, rangeError, ShapeError, StaleTensorError, typeError } from './common/errors.js'
import { anything, checkOptions, flag, type Schema } from './common/options.js'
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from './common/shape.js'
import type { Given, Nested } from './common/shape-types.js'
import { show } from './common/show.js'

/** Data for operations: numbers nested to any depth, typed arrays, also as rows, or a tensor. */
export type TensorLike = Tensor | Numbers
type Numbers = number | FloatArray | Int32Array | Uint8Array | readonly Numbers[]
/** A number, or arrays of numbers nested to one depth. */
export type NestedNumbers = number | readonly NestedNumbers[]

/** Numbers nested to the depth of a shape; to any depth if that is not known. */
export type NestedOf<S extends Shape> = number extends S['length']
  ? // biome-ignore lint/suspicious/noExplicitAny: an index of it is to compile, as with JSON.parse
    any
  : S extends readonly [number, ...infer Rest extends Shape]
    ? NestedOf<Rest>[]
    : number

/** The type of operands for type parameters of operations: it lets the compiler infer the lengths of literal rows. */
export type Operand = TensorLike | Rows
type Rows = Exclude<Numbers, readonly Numbers[]> | readonly Rows[] | []

/** The shape of data as far as the compiler knows it: of a tensor, of a number (`[]`), of literal rows; else `Shape`. */
export type ShapeOf<T> = [T] extends [Tensor<infer S>] ? S : Nested<T>
/** The shapes of several pieces of data. */
export type ShapesOf<T extends readonly unknown[]> = Extract<{ [I in keyof T]: ShapeOf<T[I]> }, readonly unknown[]>

/** A function of one tensor. */
export type TensorFunction = (x: Tensor) => Tensor

/** Element type: floats of the backend's own precision, or whole numbers that index something. */
export type TensorDType = 'float' | 'int32'

/** Options of {@link Tensor.backward}. */
export interface BackwardOptions {
  /** Keeps the recorded operations so that backward can run again. Default false. */
  retainGraph?: boolean
}

/** The graph node that autograd attaches to a recorded tensor. @internal */
export interface GraphNode {
  backpropagate(root: Tensor, seed: Tensor | undefined, options: BackwardOptions): void
}

/** A value that `structuredClone` refuses, with this text in the error: a clone would be an object without methods or numbers. */
const NOT_CLONEABLE = Symbol('a Tensor: send its data() and shape')

const PERMANENT = 0
const HOST = -1

/** Number of running backward passes; they read the copies of their forward passes, not the arrays themselves. */
let backwardPasses = 0

/** @internal runs fn as a part of a backward pass */
export function inBackwardPass<T>(fn: () => T): T {
  backwardPasses++
  try {
    return fn()
  } finally {
    backwardPasses--
  }
}

/** Address of the copy of a host tensor, and the generation of the arena in which it is valid. @internal */
export interface HostCopy {
  ptr: Ptr
  generation: number
}

/**
 * Numbers in the shape of a grid of any rank. Made by {@link tensor}, {@link zeros}, {@link ones}, {@link full} and by every operation; never changed
 * afterwards.
 *
 * `Tensor<[2, 3]>` is a tensor whose shape the compiler knows, `Tensor<[number, 3]>` has any number of rows, `Tensor` any shape. Types of tensors are
 * compatible unless both shapes are known and differ.
 *
 * @example
 * const x = tensor([[1, 2], [3, 4]])
 * x.shape      // [2, 2]
 * x.toArray()  // [[1, 2], [3, 4]]
 */
export class Tensor<S extends Shape = Shape> {
  static get name() {
    return 'Tensor'
  }

  /** @internal */
  readonly notCloneable: unknown = NOT_CLONEABLE
  /** @internal the recorded operation that made this tensor */
  node: GraphNode | null = null
  /** @internal the number that all elements equal, if known (lets a loss skip multiplying by one) */
  constant: number | undefined = undefined
  private leafGradient: Tensor<S> | null = null
  /** A private field (`#`), so that printing a tensor does not print the engine. */
  readonly #backend: Backend

  /**
   * The shape for the compiler; it does not exist at run time. It is a method, since parameters of methods are compared in both directions, so that
   * known and unknown shapes are compatible with each other.
   */
  protected isOfShape?(shape: S): void

  /** @internal use the factories */
  constructor(
    backend: Backend,
    readonly shape: Shape,
    readonly dtype: TensorDType,
    /** True if operations on this tensor are recorded. */
    public requiresGrad: boolean,
    private ptr: Ptr,
    private generation: number,
    private host: FloatArray | Int32Array | null,
    /** Number of elements. */
    readonly size: number = sizeOf(shape),
  ) {
    this.#backend = backend
  }

  /** @internal a tensor of the running step or scope */
  static inArena(backend: Backend, shape: Shape, ptr: Ptr, requiresGrad = false, dtype: TensorDType = 'float'): Tensor {
    return new Tensor(backend, shape, dtype, requiresGrad, ptr, backend.arena.current, null)
  }

  /** @internal a tensor over memory that outlives it, such as a parameter's gradient or the arena of a recording */
  static permanent(backend: Backend, shape: Shape, ptr: Ptr, dtype: TensorDType = 'float'): Tensor {
    return new Tensor(backend, shape, dtype, false, ptr, PERMANENT, null)
  }

  /** @internal a tensor over an ordinary array, not copied */
  static onHost(backend: Backend, shape: Shape, values: FloatArray | Int32Array, requiresGrad = false): Tensor {
    return new Tensor(backend, shape, values instanceof Int32Array ? 'int32' : 'float', requiresGrad, 0, HOST, values)
  }

  /** @internal */
  get gradusCopy(): object {
    return COPY
  }

  /** The backend that the tensor belongs to. */
  get backend(): Backend {
    return this.#backend
  }

  /** Gradient of a leaf with `requiresGrad` after backward(), else null. Set it to null to forget it. */
  get grad(): Tensor<S> | null {
    return this.leafGradient
  }

  set grad(value: Tensor<S> | null) {
    this.leafGradient = value
  }

  /** Number of axes; 0 for a single number. */
  get rank(): number {
    return this.shape.length
  }

  /** @internal true for ordinary arrays, which nothing reuses */
  get isOnHost(): boolean {
    return this.host !== null
  }

  /** @internal true for a tensor, such as a parameter, whose memory outlives the step, and may move or change in the meantime */
  get isPermanent(): boolean {
    return this.generation === PERMANENT
  }

  /** @internal true for results in the step arena that are still valid: using one of them continues the step */
  get isInStep(): boolean {
    return this.host === null && this.generation > 0 && this.generation === this.backend.arena.generation
  }

  /** @internal The address of the elements, which are copied into the arena if need be. @throws StaleTensorError */
  get address(): Ptr {
    const { arena } = this.backend
    if (this.generation === PERMANENT || arena.isAlive(this.generation)) return this.ptr
    if (this.host === null) throw this.stale()
    this.ptr = this.copyIn(this.host)
    this.generation = arena.current
    return this.ptr
  }

  /** @internal Called when an operation begins: a host tensor is then read as it is now, not from an earlier copy. */
  forgetCopy(): void {
    if (this.host !== null && backwardPasses === 0) this.generation = HOST
  }

  /** @internal the copy whose address {@link address} returned, for {@link useCopy} */
  get copy(): HostCopy {
    return { ptr: this.address, generation: this.generation }
  }

  /** @internal Called when the gradient of an operation begins: it reads the copy that the operation read. */
  useCopy({ ptr, generation }: HostCopy): void {
    this.ptr = ptr
    this.generation = generation
  }

  /** @internal sets the address of a permanent tensor, whose memory has moved */
  protected relocate(ptr: Ptr): void {
    this.ptr = ptr
  }

  /** A copy of the elements in row-major order. @throws StaleTensorError for a tensor of an earlier step */
  data(): FloatArray {
    return this.read().slice() as FloatArray
  }

  /** The only element of a tensor of size 1. */
  item(): number {
    if (this.size !== 1) throw new ShapeError(`item(): wants a tensor with one element, got shape ${formatShape(this.shape)}`)
    return this.read()[0]
  }

  /**
   * The elements as arrays nested like the shape; a number for a scalar. The compiler knows the depth if it knows the shape.
   * @example tensor([[1, 2], [3, 4]]).toArray()[0][1] // 2
   */
  toArray(): NestedOf<S> {
    const values = this.read()
    let at = 0
    const build = (axis: number): NestedNumbers =>
      axis === this.rank ? values[at++] : Array.from({ length: this.shape[axis] }, () => build(axis + 1))
    return build(0) as NestedOf<S>
  }

  /** A lasting copy, outside the step and outside the graph. */
  keep(): Tensor<S> {
    return Tensor.onHost(this.backend, this.shape, this.read().slice())
  }

  /** The same elements, cut off from the graph: no gradient flows through the result. A copy for a parameter. */
  detach(): Tensor<S> {
    return this.withShape(this.shape)
  }

  /**
   * Backpropagation: adds the gradient of this tensor to `grad` of every leaf that it was computed from.
   *
   * @param seed gradient of the final result with respect to this tensor; may be left out for a single number
   * @throws Error if nothing was recorded, or if the graph was already used (see `retainGraph`), TypeError for a seed that is not a tensor
   * @example
   * const w = tensor([2, 3], { requiresGrad: true })
   * sum(square(w)).backward()
   * w.grad?.toArray() // [4, 6]
   */
  backward(seed?: Tensor, options: BackwardOptions = {}): void {
    checkOptions('backward', options, BACKWARD)
    if (this.node === null)
      throw plainError('backward(): this tensor was not computed from anything with requiresGrad (or was made under noGrad, or detached)')
    this.node.backpropagate(this, seed, options)
  }

  /** @internal the same elements under another shape of the same size, outside the graph */
  withShape(shape: Shape): Tensor {
    return new Tensor(this.backend, shape, this.dtype, false, this.ptr, this.generation, this.host)
  }

  /** A text for messages: the kind, the shape, and the values of small tensors. */
  toString(): string {
    const values = this.size <= 8 ? ` ${JSON.stringify(this)}` : ''
    return `Tensor(${this.dtype} ${formatShape(this.shape)}${values})`
  }

  /** @internal refuses JavaScript's operators, such as `a + b`, which would give NaN. @throws TypeError unless a text is asked for */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString()
    throw typeError('a Tensor is not a number: use add, sub, mul, div or pow, or item() for the number in it')
  }

  /** @internal the numbers along the first axis, for `[...x]` and for tests that compare. @throws TypeError where they would lose a gradient */
  [Symbol.iterator](): Iterator<NestedNumbers> {
    if (this.requiresGrad || this.node !== null)
      throw typeError('a Tensor with a gradient is no array: use split, slice, toArray() or data()')
    return [this.toArray()].flat()[Symbol.iterator]()
  }

  /** The value for JSON.stringify: the elements as nested arrays. */
  toJSON(): NestedNumbers {
    return this.toArray()
  }

  /** @internal the elements without a copy: valid until the next operation */
  read(): FloatArray | Int32Array {
    if (this.host === null) this.backend.arena.noteRead()
    return this.elements()
  }

  /** @internal runs a check of the elements that throws if they are wrong; a replayed step repeats it on its own rows */
  check(check: ElementCheck): void {
    check(this.elements())
    if (this.host === null) this.backend.arena.noteCheck(this.ptr, this.size, check)
  }

  /** @internal @throws StaleTensorError for a tensor of an earlier step */
  checkAlive(): void {
    this.elements()
  }

  private elements(): FloatArray | Int32Array {
    const { heap, arena } = this.backend
    if (this.host !== null && (backwardPasses === 0 || !arena.isAlive(this.generation))) return this.checkLength(this.host)
    if (this.generation !== PERMANENT && !arena.isAlive(this.generation)) throw this.stale()
    return this.dtype === 'int32' ? heap.intView(this.ptr, this.size) : heap.view(this.ptr, this.size)
  }

  private copyIn(values: FloatArray | Int32Array): Ptr {
    const { heap, arena } = this.backend
    this.checkLength(values)
    const bytes = this.size * (this.dtype === 'int32' ? 4 : heap.elementSize)
    const ptr = arena.allocate(bytes)
    arena.noteCopy(ptr, bytes)
    if (this.dtype === 'int32') heap.ints.set(values, ptr / 4)
    else heap.floats.set(values, ptr / heap.elementSize)
    return ptr
  }

  /** @throws Error if the caller has transferred the array's memory (postMessage, transfer) or resized it */
  private checkLength<T extends FloatArray | Int32Array>(values: T): T {
    if (values.length !== this.size) throw this.gone(values.length)
    // V8 as of Node 20: optimized code may still use the length that an array had before its buffer was transferred
    if (values[0] === undefined && this.size > 0) throw this.gone(0)
    return values
  }

  private gone(length: number): Error {
    return plainError(
      `a tensor of shape ${formatShape(this.shape)} is over an array of ${this.size} numbers that has ${length} now: its buffer was ` +
        'transferred (postMessage) or resized; make the tensor from a copy, array.slice()',
    )
  }

  private stale(): StaleTensorError {
    return new StaleTensorError(
      `a tensor of shape ${formatShape(this.shape)} was used after its training step, whose memory is reused; keep() it during the step`,
    )
  }
}

/** Options of {@link tensor}, {@link zeros}, {@link ones} and {@link full}. */
export interface TensorOptions {
  /** Records operations on this tensor. Default false. */
  requiresGrad?: boolean
  /** The backend of the tensor. Default: the one chosen by load(). */
  backend?: Backend
}

export const TENSOR = { requiresGrad: { is: flag }, backend: { is: anything } } satisfies Schema<TensorOptions>
export const BACKWARD = { retainGraph: { is: flag } } satisfies Schema<BackwardOptions>

/**
 * A tensor from numbers: nested arrays (shape inferred), whose rows may be typed arrays, or a flat array with a shape. A Float32Array (Float64Array
 * in double precision) or Int32Array is used as it is, not copied: if you write to it, later operations see the new numbers, while gradients belong
 * to the numbers that each operation read. Anything else is copied. By default the shape follows from the nesting.
 *
 * @example
 * tensor([[1, 2], [3, 4]])                       // shape [2, 2]
 * tensor(new Float32Array(6), [2, 3])
 * tensor(Int32Array.of(0, 2, 1))                 // class indices
 * @throws ShapeError for ragged nesting or a shape that does not fit, TypeError for anything but numbers
 */
export function tensor<V extends Rows>(values: V, options?: TensorOptions): Tensor<Nested<V>>
export function tensor<const S extends Shape>(values: Numbers, shape: S | undefined, options?: TensorOptions): Tensor<Given<S>>
export function tensor(values: Numbers, shape?: Shape | TensorOptions, options: TensorOptions = {}): Tensor {
  const bare = shape !== undefined && !Array.isArray(shape)
  const given = bare ? (shape as TensorOptions) : options
  checkOptions('tensor', given, TENSOR)
  return fromData(values, bare ? undefined : (shape as Shape | undefined), given, 'tensor')
}

function fromData(values: Numbers, shape: Shape | undefined, options: TensorOptions, op: string): Tensor {
  const { requiresGrad = false, backend = defaultBackend() } = options
  if (ArrayBuffer.isView(values) && !('length' in values)) throw wrongElements(op, values)
  const inferred = ArrayBuffer.isView(values) ? [values.length] : nestedShape(values as NestedNumbers)
  const wanted = shape ?? inferred
  checkShape(wanted, op)
  // nested rows have a shape already: only a flat row of numbers may be given another one
  if (sizeOf(wanted) !== sizeOf(inferred) || (inferred.length > 1 && !sameShape(wanted, inferred))) {
    if (inferred.length > 1)
      throw new ShapeError(`${op}: arrays nested as ${formatShape(inferred)} are not of shape ${formatShape(wanted)}`)
    throw new ShapeError(`${op}: ${sizeOf(inferred)} values do not fill shape ${formatShape(wanted)}`)
  }
  const elements = ArrayBuffer.isView(values) ? toElements(values, backend, op) : flatten(values as NestedNumbers, inferred, backend, op)
  if (requiresGrad && elements instanceof Int32Array) throw typeError(`${op}: whole numbers (Int32Array) have no gradient`)
  return Tensor.onHost(backend, wanted, elements, requiresGrad)
}

/** A tensor with every element `value`. @example full([2, 2], 7) // [[7, 7], [7, 7]] */
export function full<const S extends Shape>(shape: S, value: number, options: TensorOptions = {}): Tensor<Given<S>> {
  if (typeof value !== 'number') throw typeError(`full: value wants a number, got ${show(value)}`)
  return filled('full', shape, value, options)
}

function filled<const S extends Shape>(who: string, shape: S, value: number, options: TensorOptions): Tensor<Given<S>> {
  checkShape(shape, who)
  checkOptions(who, options, TENSOR)
  const backend = options.backend ?? defaultBackend()
  return Tensor.onHost(backend, shape, floatArray(backend, sizeOf(shape)).fill(value), options.requiresGrad)
}

/** A tensor of zeros. @example zeros([2, 1]) // [[0], [0]] */
export function zeros<const S extends Shape>(shape: S, options: TensorOptions = {}): Tensor<Given<S>> {
  return filled('zeros', shape, 0, options)
}

/** A tensor of ones. @example ones([2]) // [1, 1] */
export function ones<const S extends Shape>(shape: S, options: TensorOptions = {}): Tensor<Given<S>> {
  return filled('ones', shape, 1, options)
}

/**
 * The numbers from `start` in steps of `step` up to, but not including, `stop`; with one argument, from 0 up to that number, exclusive.
 *
 * @example
 * arange(4) // [0, 1, 2, 3]
 * arange(1, 2, 0.25) // [1, 1.25, 1.5, 1.75]
 * @throws RangeError for numbers that are not finite, or a step of 0
 */
export function arange(start: number, stop?: number, step = 1, options: TensorOptions = {}): Tensor<[number]> {
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  if (![from, to, step].every(Number.isFinite) || step === 0)
    throw rangeError(`arange: wants finite numbers and a step that is not 0, got ${show(start)}, ${show(stop)}, ${show(step)}`)
  checkOptions('arange', options, TENSOR)
  const backend = options.backend ?? defaultBackend()
  const count = Math.max(0, Math.ceil((to - from) / step))
  const values = floatArray(backend, count).map((_, i) => from + i * step)
  return Tensor.onHost(backend, [count], values, options.requiresGrad)
}

/**
 * The identity matrix. `columns` cuts it, or fills it up with zero columns; by default there are as many columns as rows.
 *
 * @example
 * eye(2) // [[1, 0], [0, 1]]
 * eye(2, 3) // [[1, 0, 0], [0, 1, 0]]
 * @throws RangeError unless rows and columns are whole numbers
 */
export function eye<const N extends number>(rows: N, options?: TensorOptions): Tensor<Given<readonly [N, N]>>
export function eye<const N extends number, const M extends number>(
  rows: N,
  columns: M,
  options?: TensorOptions,
): Tensor<Given<readonly [N, M]>>
export function eye(rows: number, columns: number | TensorOptions = rows, options: TensorOptions = {}): Tensor {
  const [width, given] = typeof columns === 'object' ? [rows, columns] : [columns, options]
  const shape = [rows, width]
  checkShape(shape, 'eye')
  checkOptions('eye', given, TENSOR)
  const backend = given.backend ?? defaultBackend()
  const values = floatArray(backend, rows * width)
  for (let i = 0; i < Math.min(rows, width); i++) values[i * (width + 1)] = 1
  return Tensor.onHost(backend, shape, values, given.requiresGrad)
}

/** @internal data as a tensor of the given backend; tensors pass through. @throws Error for a tensor of another backend */
export function asTensor(value: TensorLike, backend?: Backend, op = 'tensor'): Tensor {
  if (!(value instanceof Tensor)) return fromData(value, undefined, { backend }, op)
  if (backend !== undefined && value.backend !== backend)
    throw plainError(
      `${op}: tensors of two backends do not mix, '${value.backend.variant}' and '${backend.variant}'. Call load() once, before ` +
        'all else, or pass the same `backend` to all; or load one copy of gradus',
    )
  return value
}

/** @internal {@link asTensor}, with integers turned into floats: the input of every operation but a lookup */
export function asFloats(value: TensorLike, backend?: Backend, op = 'tensor'): Tensor {
  const t = asTensor(value, backend, op)
  if (t.dtype === 'float') return t
  const floats = floatArray(t.backend, t.size)
  floats.set(t.read())
  return Tensor.onHost(t.backend, t.shape, floats)
}

/** @internal n zeroed floats of the backend's precision */
export function floatArray(backend: Backend, n: number): FloatArray {
  return backend.dtype === 'float64' ? new Float64Array(n) : new Float32Array(n)
}

function toElements(values: ArrayBufferView, backend: Backend, op: string): FloatArray | Int32Array {
  if (values instanceof Int32Array) return values
  const Floats = backend.dtype === 'float64' ? Float64Array : Float32Array
  if (values instanceof Floats) return values
  if (values instanceof Float32Array || values instanceof Float64Array || values instanceof Uint8Array) return Floats.from(values)
  throw wrongElements(op, values)
}

function wrongElements(op: string, values: ArrayBufferView): TypeError {
  return typeError(`${op}: wants numbers, a Float32Array, Float64Array, Int32Array or Uint8Array, got ${show(values)}`)
}

function nestedShape(values: NestedNumbers): number[] {
  const shape: number[] = []
  let level: NestedNumbers = values
  while (isRow(level)) {
    shape.push(level.length)
    if (level.length === 0) break
    level = level[0]
  }
  return shape
}

function flatten(values: NestedNumbers, shape: Shape, backend: Backend, op: string): FloatArray {
  const out = floatArray(backend, sizeOf(shape))
  const last = shape.length - 1
  let at = 0
  const put = (value: NestedNumbers, path: string, i?: number): void => {
    if (typeof value !== 'number')
      throw typeError(
        `${op}: wants ${i === undefined ? 'a tensor, a number or nested arrays of numbers' : `a number at ${path}[${i}]`}, got ${show(value)}`,
      )
    out[at++] = value
  }
  const visit = (row: NestedNumbers, axis: number, path: string): void => {
    if (!isRow(row) || row.length !== shape[axis])
      throw new ShapeError(`${op}: ragged nesting: wants ${shape[axis]} entries at ${path || 'the top'}, got ${show(row)}`)
    // no path is kept for each number, as a string for each one took longer than the copy
    for (let i = 0; i < row.length; i++) axis < last ? visit(row[i], axis + 1, `${path}[${i}]`) : put(row[i], path, i)
  }
  if (last < 0) put(values, '')
  else visit(values, 0, '')
  return out
}

/** True for an array or a typed array. */
function isRow(value: unknown): value is readonly NestedNumbers[] {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)
}
