/**
 * Replay: a training step of a known kind is recorded once as the list of its kernel calls and then run from the list,
 * with no graph, no tensors and no allocation. The bits are those of the step that was recorded.
 *
 * A recording has an arena of its own, so every address in it stays valid. It is made only where nothing but kernels
 * depends on the data: dense layers, activations and flattening in a {@link Sequential}, with a loss of this library.
 * Everything else (dropout, models and losses of one's own) runs as it is written.
 */
import { StepArena } from '../../backend/arena.js'
import type { Backend } from '../../backend/index.js'
import type { Kernels, Ptr } from '../../backend/kernels.js'
import { sizeOf } from '../../common/shape.js'
import { asColumn, type Loss, traitsOf } from '../../loss/loss.js'
import type { Module } from '../../nn/module.js'
import { Sequential } from '../../nn/sequential.js'
import type { Parameter } from '../../parameter.js'
import { Tensor } from '../../tensor.js'
import { copyRows, type Rows } from '../data.js'
import type { KernelCall } from './program.js'

/** @internal whether steps on these rows depend on their data through kernels alone */
export function isReplayable(model: Module, loss: Loss, { targets }: Rows): boolean {
  // A subclass may do more than its base, as may an object with a forward of its own.
  if (Object.getPrototypeOf(model) !== Sequential.prototype || Object.hasOwn(model, 'forward')) return false
  const isKnown = (layer: Module) => Object.hasOwn(layer.constructor, 'isReplayable') && !Object.hasOwn(layer, 'forward')
  // Targets of the other kind are converted by the loss, outside the kernels.
  return (model as Sequential).layers.every(isKnown) && traitsOf(loss)?.takes(targets) === true
}

/** Where a parameter was when a step was recorded. */
interface Place {
  parameter: Parameter
  address: Ptr
  gradientAddress: Ptr
  requiresGrad: boolean
}

/** One kind of step: so many rows through the same kernels. */
export class Recording {
  /** The kernel calls of the step, in order. */
  readonly calls: KernelCall[] = []
  private readonly bound: (() => void)[]
  private readonly inputs: Tensor
  private readonly targets: Tensor
  private readonly weights: Tensor | null
  private prediction!: Tensor
  private value!: Tensor
  private readonly places: readonly Place[]
  private readonly rows: Rows
  private readonly backend: Backend
  private readonly arena: StepArena

  /**
   * Runs the step on the rows order[from..to] and records it: forward, loss and backward, not the optimizer.
   * @throws whatever the step throws; nothing is kept then
   */
  constructor(model: Module, loss: Loss, rows: Rows, order: Int32Array | null, from: number, to: number) {
    this.backend = model.backend
    this.rows = rows
    this.places = model.parameters().map(placeOf)
    this.arena = new StepArena(this.backend.heap, true)
    try {
      this.arena.enter(false)
      const size = to - from
      this.inputs = this.place(rows.inputs, size)
      this.targets = this.place(rows.targets, size)
      this.weights = rows.weights && this.place(rows.weights, size)
      this.fill(order, from, to)
      // As in a backward pass, what is not recorded for a gradient stays in the arena: a copy would not be in the list.
      withArena(this.backend, this.arena, () =>
        this.arena.duringBackward(() => recordCalls(this.backend, this.calls, () => this.step(model, loss))),
      )
      this.bound = this.calls.map(bind)
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** Whether the list has all that the step does: nothing was copied in besides. */
  get isComplete(): boolean {
    return this.arena.copies === 0
  }

  /** Gives the memory back; the recording must not run again. */
  release(): void {
    this.arena.release()
  }

  /** Prediction and targets of the step that ran last, as tensors of a step that opens here: stale when the next one does. */
  results(): { prediction: Tensor; targets: Tensor } {
    const { backend } = this
    backend.arena.enter(false)
    const ofStep = (t: Tensor) => Tensor.inArena(backend, t.shape, t.address, false, t.dtype)
    const prediction = ofStep(this.prediction)
    return { prediction, targets: asColumn(ofStep(this.targets), prediction) }
  }

  private place(t: Tensor, rows: number): Tensor {
    const shape = [rows, ...t.shape.slice(1)]
    return Tensor.permanent(this.backend, shape, this.arena.allocate(sizeOf(shape) * this.backend.heap.elementSize), t.dtype)
  }

  /** Whether the step would still be the same: every parameter where it was, and none waiting to be added to. */
  get isCurrent(): boolean {
    const { places } = this
    for (let i = 0; i < places.length; i++) {
      const { parameter: p, address, gradientAddress, requiresGrad } = places[i]
      if (p.gradientState === 'ready' || p.address !== address) return false
      if (p.gradientAddress !== gradientAddress || p.requiresGrad !== requiresGrad) return false
    }
    return true
  }

  /** The step on other rows, as many. @returns its loss; {@link markGradients} makes its gradients count */
  run(order: Int32Array | null, from: number, to: number): number {
    this.fill(order, from, to)
    const { bound } = this
    for (let i = 0; i < bound.length; i++) bound[i]()
    return this.loss
  }

  /** The loss of the step that ran last. */
  get loss(): number {
    return this.value.item()
  }

  markGradients(): void {
    const { places } = this
    for (let i = 0; i < places.length; i++) if (places[i].requiresGrad) places[i].parameter.claimGradient()
  }

  /** Runs fn as if the gradients counted, and for good where it returns true; not where it throws. */
  tryGradients(fn: () => boolean): boolean {
    const before = this.places.map(({ parameter }) => parameter.gradientState)
    this.markGradients()
    let keep = false
    try {
      keep = fn()
    } finally {
      if (!keep) this.places.forEach(({ parameter }, i) => (parameter.gradientState = before[i]))
    }
    return keep
  }

  /** What a run of many steps copies in at each: rows of data, and where they go. */
  get batches(): readonly { rows: Tensor; to: Tensor }[] {
    const { rows, inputs, targets, weights } = this
    const given = [
      { rows: rows.inputs, to: inputs },
      { rows: rows.targets, to: targets },
    ]
    return rows.weights === null || weights === null ? given : [...given, { rows: rows.weights, to: weights }]
  }

  /** The parameters that the step has gradients for. */
  get trained(): Parameter[] {
    return this.places.filter((place) => place.requiresGrad).map(({ parameter }) => parameter)
  }

  /** Where the loss is written. */
  get lossAddress(): Ptr {
    return this.value.address
  }

  /** Memory that lasts as long as the recording. @throws OutOfMemoryError */
  allocate(bytes: number): Ptr {
    return this.arena.allocate(bytes)
  }

  private step(model: Module, loss: Loss): void {
    const prediction = model.forward(this.inputs)
    const value = loss(prediction, this.targets, this.weights ? { weights: this.weights } : undefined)
    value.backward()
    const fixed = (t: Tensor) => Tensor.permanent(model.backend, t.shape, t.address)
    this.prediction = fixed(prediction)
    this.value = fixed(value)
  }

  private fill(order: Int32Array | null, from: number, to: number): void {
    const { inputs, targets, weights } = this.rows
    copyRows(inputs, this.inputs.address, order, from, to)
    copyRows(targets, this.targets.address, order, from, to)
    if (weights !== null && this.weights !== null) copyRows(weights, this.weights.address, order, from, to)
  }
}

function placeOf(parameter: Parameter): Place {
  const { address, gradientAddress, requiresGrad } = parameter
  return { parameter, address, gradientAddress, requiresGrad }
}

/** Runs fn with another arena in the backend's place. */
function withArena<T>(backend: Backend, arena: StepArena, fn: () => T): T {
  const before = backend.arena
  const open = backend as { arena: StepArena }
  open.arena = arena
  try {
    return fn()
  } finally {
    open.arena = before
  }
}

/** Runs fn with kernels that also write down what they were called with. */
function recordCalls<T>(backend: Backend, calls: KernelCall[], fn: () => T): T {
  const before = backend.kernels
  const open = backend as { kernels: Kernels }
  // The exports of a module are frozen, so the proxy stands before an empty object.
  open.kernels = new Proxy({} as Kernels, {
    get(_, name: string) {
      const kernel = before[name as keyof Kernels] as ((...args: number[]) => number | undefined) | undefined
      if (kernel === undefined) return undefined
      return (...args: number[]) => {
        calls.push({ name, kernel, args })
        return kernel(...args)
      }
    },
    set: (_, name, kernel) => Reflect.set(before, name, kernel),
  })
  try {
    return fn()
  } finally {
    open.kernels = before
  }
}

/** A call with its arguments in local variables: several times as fast as spreading an array. */
function bind({ kernel, args }: KernelCall): () => void {
  const [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = args
  switch (args.length) {
    case 3:
      return () => void kernel(a, b, c)
    case 4:
      return () => void kernel(a, b, c, d)
    case 9:
      return () => void kernel(a, b, c, d, e, f, g, h, i)
    case 10:
      return () => void kernel(a, b, c, d, e, f, g, h, i, j)
    case 14:
      return () => void kernel(a, b, c, d, e, f, g, h, i, j, k, l, m, n)
    default:
      return () => void kernel(...args)
  }
}
