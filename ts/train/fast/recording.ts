/**
 * Recordings: a training step is written out once, while all its effects are noted, and is then repeated from the list of its kernel calls, with no
 * graph, no tensors and no allocation. The bits are the same as those of the written-out step.
 *
 * A recording has an arena of its own, so every address in it stays valid, and a step that is recorded again has the same addresses. {@link
 * Recording.obstacle} says whether the step has effects outside of the list.
 */
import { type ElementCheck, type GivenBackBy, StepArena } from '../../backend/arena.js'
import type { FloatArray } from '../../backend/heap.js'
import type { Backend } from '../../backend/index.js'
import type { Ptr } from '../../backend/kernels.js'
import { sizeOf } from '../../common/shape.js'
import type { Loss } from '../../loss/loss.js'
import type { Module } from '../../nn/module.js'
import type { Parameter } from '../../parameter.js'
import { Tensor } from '../../tensor.js'
import type { RowRange } from '../batches.js'
import { copyRows, type Rows } from '../data.js'
import { forwardLoss } from '../forward-loss.js'
import { observe, RecordingArena } from './observe.js'
import { type KernelCall, Program } from './program.js'
import {
  type Constant,
  haveSameDraws,
  isSameStep,
  parametersOf,
  type RecordedParameter,
  type RecordedStep,
  recordedParameters,
  withCounters,
} from './recorded-step.js'

/** The tensors that metrics read. */
export interface Outputs {
  prediction: Tensor
  targets: Tensor
}

/** The parts of a training that a recording needs. */
export interface Recorded {
  model: Module
  loss: Loss
  rows: Rows
  /** Who gives the memory of its arenas back. */
  givenBackBy: GivenBackBy
}

/** One tensor of the batch, inputs, targets or weights: rows of data, and their destination. */
export interface BatchTensor {
  rows: Tensor
  to: Tensor
  ptr: Ptr
  /** The checks that the step makes of these rows. */
  checks: ElementCheck[]
}

/** One kind of step: a number of rows and a list of kernels. */
export class Recording implements RecordedStep {
  /** The kernel calls of the step, in order. */
  calls: readonly KernelCall[] = []
  readonly batch: readonly BatchTensor[]
  parameters: readonly RecordedParameter[] = []
  constants: readonly Constant[] = []
  draws: RecordedStep['draws'] = []
  /** Prediction of the step that was recorded, over its memory. */
  prediction!: Tensor
  targets!: Tensor
  private value!: Tensor
  /** Address of the loss. */
  lossAddress: Ptr = 0
  /** Grows by one when the list changes: programs that were made of it are gone then. */
  version = 0
  /** The step as a program; null if none is possible, undefined if none was requested yet. */
  private program: Program | null | undefined = undefined
  private readonly backend: Backend
  /** The rows of each tensor of the batch, for checks: making a view in each step would take longer than the check. */
  private readonly views: (FloatArray | Int32Array)[] = []
  private viewsVersion = -1
  private readonly arena: RecordingArena
  /** Programs of the step, with their memory. */
  private programs: StepArena
  private readonly batchMemory: StepArena

  /** @throws OutOfMemoryError */
  constructor(
    private readonly recorded: Recorded,
    readonly size: number,
  ) {
    const { model, rows } = recorded
    const { heap } = (this.backend = model.backend)
    const given = [rows.inputs, rows.targets, ...(rows.weights === null ? [] : [rows.weights])]
    const shapes = given.map((t) => [size, ...t.shape.slice(1)])
    const starts = shapes.map(() => 0)
    let bytes = 0
    shapes.forEach((shape, i) => {
      starts[i] = bytes
      bytes += Math.ceil((sizeOf(shape) * heap.elementSize) / 16) * 16
    })
    this.batchMemory = new StepArena(heap, recorded.givenBackBy)
    const block = this.batchMemory.allocate(bytes)
    this.arena = new RecordingArena(heap, recorded.givenBackBy)
    this.programs = new StepArena(heap, recorded.givenBackBy)
    this.batch = given.map((from, i) => ({
      rows: from,
      to: Tensor.permanent(this.backend, shapes[i], block + starts[i], from.dtype),
      ptr: block + starts[i],
      checks: [],
    }))
  }

  /** Gives the memory back; the recording must not run again. */
  release(): void {
    for (const arena of [this.batchMemory, this.arena, this.programs]) arena.release()
  }

  /**
   * Writes the step out on these rows, forward, loss and backward, and records it.
   * @returns true if it did the same as in its last recording
   * @throws errors of the step
   */
  record(range: RowRange): boolean {
    const before = { calls: this.calls, constants: this.constants, parameters: this.parameters, draws: this.draws }
    this.fill(range)
    this.calls = []
    const candidates = this.recorded.model.parameters()
    const waiting = new Set(candidates.filter((p) => p.gradientState === 'ready'))
    this.arena.begin()
    const calls = observe(this.backend, this.arena, () => this.step())
    const reached = parametersOf(this.value)
    if (reached.some((p) => p.requiresGrad && !candidates.includes(p)))
      this.arena.obstacle ??= 'it trains a parameter that is not in the model'
    this.parameters = recordedParameters(new Set([...candidates, ...reached]), waiting)
    this.draws = [...this.arena.draws].map(([generator, first]) => [generator, generator.counter - first] as const)
    this.constants = this.arena.constants.map(({ ptr, bytes }) => ({ ptr, bytes: this.bytesAt(ptr, bytes) }))
    this.keepChecks()
    this.calls = withCounters(calls, this.draws)
    if (this.draws.some(([generator]) => !this.calls.some(({ counter }) => counter?.generator === generator)))
      this.arena.obstacle ??= 'it draws random numbers in a kernel that COUNTER_ARGUMENTS (ts/backend/kernels.ts) does not list'
    const isSame = isSameStep(this, before)
    if (!isSame) this.forgetPrograms()
    return isSame
  }

  private forgetPrograms(): void {
    this.program = undefined
    this.programs.release()
    this.programs = new StepArena(this.backend.heap, this.recorded.givenBackBy)
    this.version++
  }

  /** The reason why the list of calls does not describe the whole step, from the last recording; null if it does. */
  get obstacle(): string | null {
    return this.arena.obstacle
  }

  /** True if the step notes the rows of a table that it looks up, for optimizers that update only those. */
  get touchesRows(): boolean {
    return this.parameters.some(({ parameter, isTrained }) => isTrained && parameter.touchedRows !== null)
  }

  /** True if the parameters are unchanged for the step: same addresses, and gradients present or absent as before. */
  get isCurrent(): boolean {
    const { parameters, backend } = this
    backend.heap.check()
    for (let i = 0; i < parameters.length; i++) {
      const { parameter: p, address, gradientAddress, requiresGrad, accumulates } = parameters[i]
      if ((p.gradientState === 'ready') !== accumulates || p.address !== address) return false
      if (p.gradientAddress !== gradientAddress || p.requiresGrad !== requiresGrad) return false
    }
    return true
  }

  /** Runs the step on other rows, of the same number. @returns its loss; {@link markGradients} makes its gradients count
   * @throws RangeError for rows that the step refuses; nothing has changed then
   */
  run(range: RowRange): number {
    this.fill(range)
    this.check()
    if (this.program === undefined) this.program = this.makeProgram()
    if (this.program === null) runCalls(this.calls)
    else this.program.run(this.backend.heap.ints, 1)
    this.advanceCounters(1)
    return this.loss
  }

  /** The checks that the step makes of its rows. @throws RangeError */
  private check(): void {
    const { batch, backend, views } = this
    if (this.viewsVersion !== backend.heap.version) {
      this.viewsVersion = backend.heap.version
      views.length = 0
    }
    for (let i = 0; i < batch.length; i++) {
      const { to, checks } = batch[i]
      if (checks.length === 0) continue
      views[i] ??= to.read()
      for (let j = 0; j < checks.length; j++) checks[j](views[i])
    }
  }

  /** The loss of the step that ran last. */
  get loss(): number {
    const { floats, elementSize } = this.backend.heap
    return floats[this.lossAddress / elementSize]
  }

  /** Marks the gradients that the step computes as present. */
  markGradients(): void {
    const { parameters } = this
    for (let i = 0; i < parameters.length; i++) if (parameters[i].isTrained) parameters[i].parameter.claimGradient()
  }

  /** Runs fn with the gradients marked as present; they stay marked if it returns true, but not if it throws. */
  tryGradients(fn: () => boolean): boolean {
    const before = this.parameters.map(({ parameter }) => parameter.gradientState)
    this.markGradients()
    let keep = false
    try {
      keep = fn()
    } finally {
      if (!keep) this.parameters.forEach(({ parameter }, i) => (parameter.gradientState = before[i]))
    }
    return keep
  }

  /** Runs fn with the gradients marked as present and returns its result; afterwards the marks are as before. */
  ifGradients<T>(fn: () => T): T {
    let found: T | undefined
    this.tryGradients(() => {
      found = fn()
      return false
    })
    return found as T
  }

  /** Prediction and targets of the step that ran last, as tensors of a step that opens here; they are stale when the next step opens. */
  results(): { prediction: Tensor; targets: Tensor } {
    const { backend } = this
    backend.arena.enter(false)
    return { prediction: ofStep(backend, this.prediction), targets: ofStep(backend, this.targets) }
  }

  /** The parameters that the step has gradients for. */
  get trained(): Parameter[] {
    return this.parameters.filter((parameter) => parameter.isTrained).map(({ parameter }) => parameter)
  }

  /** True if this step trains the same parameters as another, and draws equally often. */
  continues(other: Recording): boolean {
    return this.parameters.every(({ isTrained }, i) => isTrained === other.parameters[i]?.isTrained) && haveSameDraws(this, other)
  }

  /** Advances the counters of the model's generators by the draws of this many steps. */
  advanceCounters(steps: number): void {
    const { draws } = this
    for (let i = 0; i < draws.length; i++) draws[i][0].counter += steps * draws[i][1]
  }

  private step(): void {
    const { model, loss } = this.recorded
    const [inputs, targets, weights] = this.batch.map(({ to }) => to)
    const result = forwardLoss(model, loss, { inputs, targets, weights })
    result.loss.backward()
    const fixed = (t: Tensor) => (t.isOnHost ? t : Tensor.permanent(model.backend, t.shape, t.address, t.dtype))
    this.prediction = fixed(result.prediction)
    this.targets = fixed(result.targets)
    this.value = fixed(result.loss)
    this.value.node = result.loss.node
    this.lossAddress = result.loss.address
  }

  private fill({ order, from, to }: RowRange): void {
    const { batch } = this
    for (let i = 0; i < batch.length; i++) copyRows(batch[i].rows, batch[i].ptr, order, from, to)
  }

  /** Checks of the batch are repeated for each batch; other checks look at results of kernels. */
  private keepChecks(): void {
    for (const tensor of this.batch) tensor.checks = []
    for (const { ptr, size, check } of this.arena.checks) {
      const tensor = this.batch.find(({ to }) => to.address === ptr && to.size === size)
      if (tensor !== undefined) tensor.checks.push(check)
      else this.arena.obstacle ??= 'it looks at numbers that it computes'
    }
  }

  private bytesAt(ptr: Ptr, bytes: number): Uint8Array {
    return new Uint8Array(this.backend.heap.floats.buffer, ptr, bytes).slice()
  }

  /** Allocates memory that lasts until the list of calls changes. @throws OutOfMemoryError */
  allocate(bytes: number): Ptr {
    return this.programs.allocate(bytes)
  }

  /** The calls as a program, which replaces many calls by one; null if none is possible. */
  private makeProgram(): Program | null {
    const program = Program.of(this.backend.kernels)
    if (program === null || !this.calls.every((call) => program.add(call))) return null
    program.place((bytes) => this.allocate(bytes), 0)
    return program
  }
}

/** A tensor of the step that just opened, over memory of the recording. */
function ofStep(backend: Backend, t: Tensor): Tensor {
  return t.isOnHost ? t : Tensor.inArena(backend, t.shape, t.address, false, t.dtype)
}

/** Calls kernels one by one: kernels of JavaScript, and kernels that threads share. Surplus arguments are ignored. */
function runCalls(calls: readonly KernelCall[]): void {
  for (let i = 0; i < calls.length; i++) {
    const { kernel, args: x, counter } = calls[i]
    if (counter === null) kernel(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], x[10], x[11], x[12], x[13], x[14], x[15])
    else kernel(...x.map((value, j) => (j === counter.argument ? counter.generator.counter + counter.offset : value)))
  }
}

/** A data set is copied as a whole if it has at most this many times the rows of a run. */
const MAX_PASSES = 4

/** True if a run of this many steps copies the whole data set, from which a kernel picks the rows, instead of single rows. */
export function copiesDataSet(batch: readonly BatchTensor[], steps: number): boolean {
  return batch.every(({ rows, to }) => rows.size <= MAX_PASSES * to.size * steps)
}
