/**
 * Parameters: tensors that are trained. Values and gradients live in permanent blocks of the heap; parameters that are
 * updated together are laid end to end ({@link layOut}), so that an optimizer updates them in one kernel call.
 */

import { checkUnchanged, type GradientSink, recordedOperations } from './autograd.js'
import type { FloatArray, Heap } from './backend/heap.js'
import { type Backend, defaultBackend } from './backend/index.js'
import type { Ptr } from './backend/kernels.js'
import { ShapeError } from './common/errors.js'
import { anything, checkOptions, type Schema, text } from './common/options.js'
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from './common/shape.js'
import { asTensor, Tensor, type TensorLike } from './tensor.js'

/** `none`: absent. `ready`: the next backward() adds to it. `used`: readable, but the next backward() overwrites it. */
export type GradientState = 'none' | 'ready' | 'used'

export const PARAMETER = { name: { is: text }, shape: { is: anything }, backend: { is: anything } } satisfies Schema<ParameterOptions>

interface ParameterOptions {
  name?: string
  shape?: Shape
  backend?: Backend
}

/** Stands for zeros of any shape: a new block of memory is zero already. */
const ZEROS: readonly number[] = []

/** A block of the heap that parameters share; given back when the last of them is collected. */
export class ParameterBlock {
  readonly ptr: Ptr
  /** Earlier blocks whose weight ({@link Heap.weigh}) is attached to objects; their weight now counts for this block. */
  readonly before: ParameterBlock[] = []
  /** A private field (`#`), since printing a parameter must not print the memory. */
  readonly #heap: Heap

  constructor(
    heap: Heap,
    readonly bytes: number,
    /** Number of parameters in the block. Infinite once a parameter with a gradient has left, as that gradient may still be read. */
    public inhabitants: number,
  ) {
    this.#heap = heap
    this.ptr = heap.allocate(bytes, 'fresh')
    blocks.register(this, { heap, ptr: this.ptr }, this)
  }

  /** Removes a parameter; frees the memory if it was the last one. @returns true if it was */
  leave(): boolean {
    if (--this.inhabitants > 0) return false
    blocks.unregister(this)
    this.#heap.free(this.ptr)
    return true
  }
}

const blocks = new FinalizationRegistry<{ heap: Heap; ptr: Ptr }>(({ heap, ptr }) => heap.free(ptr))

/**
 * A trainable tensor. Layers make their own; make one yourself for a custom layer or to use an optimizer alone.
 *
 * @example
 * const w = new Parameter([1, 2, 3], { name: 'w' })
 * const optimizer = new Adam([w], { learningRate: 0.1 })
 * sum(square(w)).backward()
 * optimizer.step()
 */
export class Parameter extends Tensor implements GradientSink {
  static override get name() {
    return 'Parameter'
  }

  /** Name for error messages, groups and checkpoints, such as `0.weight`. */
  name: string
  /** @internal */
  gradientState: GradientState = 'none'
  /** @internal the rows in which the gradient may differ from 0, in any order and possibly repeated; null for any row */
  touchedRows: readonly Int32Array[] | null = null
  private gradientPtr: Ptr = 0
  /** Number of operations recorded when the values last changed. Gradients of earlier operations cannot use the values any more. */
  private changedAt = 0
  /** @internal held so that the block is freed only after its parameters */
  block: ParameterBlock | undefined = undefined

  /** @param values initial values: numbers, a typed array or a tensor; or a shape through {@link Parameter.ofShape} */
  constructor(values: TensorLike, options: { name?: string; shape?: Shape; backend?: Backend } = {}) {
    checkOptions('Parameter', options, PARAMETER)
    const { backend = values instanceof Tensor ? values.backend : defaultBackend(), name = 'parameter' } = options
    const initial = values === ZEROS ? undefined : asTensor(values, backend, `parameter '${name}'`)
    const shape = options.shape ?? initial?.shape ?? []
    checkShape(shape, `parameter '${name}'`)
    if (initial && sizeOf(shape) !== initial.size)
      throw new ShapeError(`parameter '${name}': ${initial.size} values do not fill shape ${formatShape(shape)}`)
    super(backend, shape, 'float', true, 0, 0, null)
    this.name = name
    layOut([this])
    if (initial) this.view().set(initial.read())
  }

  /** @internal The values are about to change, or have just changed: graphs that were recorded before belong to the old values. */
  markChanged(): void {
    this.changedAt = recordedOperations()
  }

  /** @internal @throws Error in a backward pass through an operation that read other values */
  override get address(): Ptr {
    checkUnchanged(this.name, this.changedAt)
    return super.address
  }

  /** @internal @throws Error as {@link address} */
  override read(): FloatArray | Int32Array {
    checkUnchanged(this.name, this.changedAt)
    return super.read()
  }

  /** A parameter of zeros. */
  static ofShape(shape: Shape, options: { name?: string; backend?: Backend } = {}): Parameter {
    return new Parameter(ZEROS, { ...options, shape })
  }

  /** The gradient of the last backward() since the last step; null if there is none. It is not a copy: use `keep()` to store it. */
  override get grad(): Tensor | null {
    return this.gradientState === 'none' ? null : Tensor.permanent(this.backend, this.shape, this.gradientPtr)
  }

  override set grad(value: TensorLike | null) {
    if (value === null) {
      this.gradientState = 'none'
      return
    }
    const wanted = asTensor(value, this.backend, `gradient of '${this.name}'`)
    if (wanted.size !== this.size)
      throw new ShapeError(
        `gradient of '${this.name}': wants ${this.size} numbers (shape ${formatShape(this.shape)}), got ${formatShape(wanted.shape)}`,
      )
    const values = wanted.read()
    this.gradientView().set(values)
  }

  /** @internal a copy: an optimizer may move the values, and a model that is collected gives their memory back */
  override withShape(shape: Shape): Tensor {
    return Tensor.onHost(this.backend, shape, this.read().slice())
  }

  /**
   * The values themselves, not a copy, for writing at once: earlier recorded results count as computed from other values, and their backward() is an
   * error. The view is valid until more memory is allocated (later writes to it are lost), so never store it. To read the values, use {@link data}.
   */
  view(): FloatArray {
    this.markChanged()
    this.backend.arena.noteRead()
    return this.backend.heap.view(this.address, this.size)
  }

  /**
   * The gradient's memory, not a copy, for gradients that you compute yourself; marks the gradient as present. The view is valid until more memory is
   * allocated (later writes to it are lost), so never store it: call this for each gradient.
   */
  gradientView(): FloatArray {
    this.backend.arena.noteRead()
    this.gradientState = 'ready'
    this.touchedRows = null
    return this.backend.heap.view(this.gradientPtr, this.size)
  }

  /** Replaces the values. @throws ShapeError if the shape differs */
  assign(values: TensorLike): this {
    const wanted = asTensor(values, this.backend, `parameter '${this.name}'`)
    const flat = !(values instanceof Tensor) && wanted.rank === 1 && wanted.size === this.size
    if (!flat && !sameShape(wanted.shape, this.shape))
      throw new ShapeError(`parameter '${this.name}': wants shape ${formatShape(this.shape)}, got ${formatShape(wanted.shape)}`)
    this.view().set(wanted.read())
    return this
  }

  /** @internal the address to which kernels write the gradient; pair with {@link claimGradient} */
  get gradientAddress(): Ptr {
    return this.gradientPtr
  }

  /** @internal announces a gradient about to be written in place: true if it must be added to the existing gradient */
  claimGradient(): boolean {
    const adds = this.gradientState === 'ready'
    this.gradientState = 'ready'
    this.touchedRows = null
    return adds
  }

  accumulate(gradient: Tensor): void {
    const { kernels } = this.backend
    const from = gradient.address
    if (this.claimGradient()) kernels.addScaled(from, this.gradientPtr, this.size, 1)
    else kernels.copy(from, this.gradientPtr, this.size)
  }

  /** @internal */
  moveInto(block: ParameterBlock, ptr: Ptr, gradientPtr: Ptr): void {
    this.block = block
    this.gradientPtr = gradientPtr
    this.relocate(ptr)
  }
}

/** @internal true if the values and gradients of these parameters lie end to end in this order */
export function isLaidOut(parameters: readonly Parameter[]): boolean {
  for (let i = 1; i < parameters.length; i++) {
    const [a, b] = [parameters[i - 1], parameters[i]]
    const bytes = a.size * a.backend.heap.elementSize
    if (a.address + bytes !== b.address || a.gradientAddress + bytes !== b.gradientAddress) return false
  }
  return true
}

/**
 * Moves parameters into one block, values end to end and gradients end to end, keeping both. A block that all its parameters have left is freed at
 * once; its weight is passed on to the new block.
 * @internal
 */
export function layOut(parameters: readonly Parameter[]): void {
  if (parameters.length === 0) return
  const { heap } = parameters[0].backend
  const floats = parameters.reduce((sum, p) => sum + p.size, 0)
  const block = new ParameterBlock(heap, 2 * floats * heap.elementSize, parameters.length)
  let ptr = block.ptr
  let gradientPtr = block.ptr + floats * heap.elementSize
  let weight = 0
  for (const p of parameters) {
    const bytes = p.size * heap.elementSize
    const before = p.block
    if (before) {
      heap.view(ptr, p.size).set(heap.view(p.address, p.size))
      if (p.gradientState !== 'none') {
        heap.view(gradientPtr, p.size).set(heap.view(p.gradientAddress, p.size))
        before.inhabitants = Infinity
      }
    }
    p.moveInto(block, ptr, gradientPtr)
    if (before?.leave()) {
      block.before.push(before)
      weight += before.bytes
    }
    ptr += bytes
    gradientPtr += bytes
  }
  if (weight < block.bytes) heap.weigh(block, block.bytes - weight)
}
