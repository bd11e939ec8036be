/** Buffers: numbers that a layer keeps from step to step, and that are saved with the model, but not trained. */

import type { FloatArray } from '../backend/heap.js'
import type { Backend } from '../backend/index.js'
import { ShapeError } from '../common/errors.js'
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from '../common/shape.js'
import { ParameterBlock } from '../parameter.js'
import { asTensor, Tensor, type TensorLike } from '../tensor.js'

/**
 * A tensor that belongs to a model's state without being trained, such as the running mean of {@link BatchNorm}. It has no gradient, and no
 * optimizer sees it; `state()` saves it and `loadState()` sets it. A layer makes its own with `makeBuffer`.
 *
 * Its memory stays where it is, so a kernel may update it in place, and a recorded training step may be replayed.
 *
 * @example
 * const [mean] = new Sequential([new BatchNorm(3)]).buffers()
 * mean.name      // '0.runningMean'
 * mean.toArray() // [0, 0, 0]
 */
export class BufferTensor extends Tensor {
  /** Path in its model, such as `0.runningMean`. */
  name: string
  /** Holds the memory for as long as the buffer is in use. */
  private readonly block: ParameterBlock

  /** @internal layers use `makeBuffer`; all elements are `value` at first */
  constructor(shape: Shape, options: { name: string; backend: Backend; value: number }) {
    const { name, backend, value } = options
    checkShape(shape, `buffer '${name}'`)
    const block = new ParameterBlock(backend.heap, sizeOf(shape) * backend.heap.elementSize, 1)
    super(backend, shape, 'float', false, 0, 0, null)
    this.name = name
    this.block = block
    this.relocate(block.ptr)
    this.view().fill(value)
  }

  /** @internal a copy, since the values change while the model is trained */
  override withShape(shape: Shape): Tensor {
    return Tensor.onHost(this.backend, shape, this.read().slice())
  }

  /** The values themselves, not a copy. The view is valid until more memory is allocated, so never store it. */
  view(): FloatArray {
    this.backend.arena.noteRead()
    return this.backend.heap.view(this.block.ptr, this.size)
  }

  /** Replaces the values. @throws ShapeError if the shape differs */
  assign(values: TensorLike): this {
    const wanted = asTensor(values, this.backend, `buffer '${this.name}'`)
    if (!sameShape(wanted.shape, this.shape))
      throw new ShapeError(`buffer '${this.name}': wants shape ${formatShape(this.shape)}, got ${formatShape(wanted.shape)}`)
    this.view().set(wanted.read())
    return this
  }
}
