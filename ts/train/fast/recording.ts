/**
 * Recordings: a training step is run as it is written, while everything that it does is noted down, and run again from the list
 * of its kernel calls, with no graph, no tensors and no allocation. The bits are those of the step that was recorded.
 *
 * A recording has an arena of its own, so every address in it stays valid, and a step that is recorded again has the same
 * addresses. Whether the list is all that the step does is observed: see {@link Recording.obstacle}.
 */
import { type ElementCheck, StepArena } from '../../backend/arena.js'
import type { FloatArray } from '../../backend/heap.js'
import type { Backend } from '../../backend/index.js'
import type { BasicKernels, Ptr } from '../../backend/kernels.js'
import { sizeOf } from '../../common/shape.js'
import type { Loss } from '../../loss/loss.js'
import type { Module } from '../../nn/module.js'
import { Parameter } from '../../parameter.js'
import { type Generator, hostDraws } from '../../random.js'
import { Tensor } from '../../tensor.js'
import type { RowRange } from '../batches.js'
import { copyRows, type Rows } from '../data.js'
import { forwardLoss } from '../forward-loss.js'
import { type KernelCall, Program } from './program.js'

/** The tensors that metrics read. */
export interface Outputs {
  prediction: Tensor
  targets: Tensor
}

/** What a recording needs to know of a training. */
export interface Recorded {
  model: Module
  loss: Loss
  rows: Rows
}

/** The state of a parameter when a step was recorded: its addresses, and what the step did with its gradient. */
interface RecordedParameter {
  parameter: Parameter
  address: Ptr
  gradientAddress: Ptr
  requiresGrad: boolean
  /** Whether its gradient was there already, and was added to. */
  accumulates: boolean
  /** Whether the step computes its gradient. */
  isTrained: boolean
}

/** One input of the batch: rows of data, and where they go. */
export interface BatchPart {
  rows: Tensor
  to: Tensor
  ptr: Ptr
  /** The checks that the step makes of these rows. */
  checks: ElementCheck[]
}

/** An array that was copied in from the host. */
interface Constant {
  ptr: Ptr
  bytes: Uint8Array
}

/** One kind of step: so many rows through the same kernels. */
export class Recording {
  /** The kernel calls of the step, in order. */
  calls: readonly KernelCall[] = []
  readonly batch: readonly BatchPart[]
  private parameters: readonly RecordedParameter[] = []
  private constants: readonly Constant[] = []
  private draws: readonly (readonly [Generator, number])[] = []
  /** Prediction of the step that was recorded, over its memory. */
  prediction!: Tensor
  targets!: Tensor
  private value!: Tensor
  /** Where the loss is written. */
  lossAddress: Ptr = 0
  /** Grows by one when the list changes: programs that were made of it are gone then. */
  version = 0
  /** The step as a program; null where there can be none, undefined where none was asked for yet. */
  private program: Program | null | undefined = undefined
  private readonly backend: Backend
  /** The rows of each part of the batch, for checks: to make a view for each step takes longer than to check it. */
  private readonly views: (FloatArray | Int32Array)[] = []
  private viewsVersion = -1
  private readonly arena: RecordingArena
  /** Programs of the step, and what they run on. */
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
    this.batchMemory = new StepArena(heap, true)
    const block = this.batchMemory.allocate(bytes)
    this.arena = new RecordingArena(heap, true)
    this.programs = new StepArena(heap, true)
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
   * Runs the step on these rows as it is written, forward, loss and backward, and records it.
   * @returns whether it did the same as when it was recorded before
   * @throws whatever the step throws
   */
  record(range: RowRange): boolean {
    const before = { calls: this.calls, constants: this.constants, parameters: this.parameters, draws: this.draws }
    this.fill(range)
    this.calls = []
    const candidates = this.recorded.model.parameters()
    const waiting = new Set(candidates.filter((p) => p.gradientState === 'ready'))
    this.arena.begin()
    const draws = hostDraws.count
    const calls: KernelCall[] = []
    const asked = watchRandom(() =>
      withArena(this.backend, this.arena, () =>
        // as in a backward pass, what is not recorded for a gradient stays in the arena: a copy would not be in the list
        this.arena.duringBackward(() => recordCalls(this.backend, this.arena, calls, () => this.step())),
      ),
    )
    if (asked || hostDraws.count !== draws) this.arena.obstacle ??= 'it draws random numbers in JavaScript'
    const reached = parametersOf(this.value)
    if (reached.some((p) => p.requiresGrad && !candidates.includes(p)))
      this.arena.obstacle ??= 'it trains a parameter that is not in the model'
    this.parameters = recordedParameters(new Set([...candidates, ...reached]), waiting)
    this.draws = [...this.arena.draws].map(([generator, first]) => [generator, generator.counter - first] as const)
    this.constants = this.arena.constants.map(({ ptr, bytes }) => ({ ptr, bytes: this.bytesAt(ptr, bytes) }))
    this.keepChecks()
    this.calls = this.withCounters(calls)
    const isSame = this.isSameAs(before)
    if (!isSame) this.forgetPrograms()
    return isSame
  }

  private forgetPrograms(): void {
    this.program = undefined
    this.programs.release()
    this.programs = new StepArena(this.backend.heap, true)
    this.version++
  }

  /** Why the list of calls is not all that the step does, as it was last recorded; null where it is all. */
  get obstacle(): string | null {
    return this.arena.obstacle
  }

  /** Whether the step looks up rows of a table and notes which, for optimizers that update those alone. */
  get touchesRows(): boolean {
    return this.parameters.some(({ parameter, isTrained }) => isTrained && parameter.touchedRows !== null)
  }

  /** Whether the step would still be the same as far as parameters are concerned: each where it was, gradients there or not as they were. */
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

  /**
   * The step on other rows, as many. @returns its loss; {@link markGradients} makes its gradients count
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

  /** The gradients that the step computes are there. */
  markGradients(): void {
    const { parameters } = this
    for (let i = 0; i < parameters.length; i++) if (parameters[i].isTrained) parameters[i].parameter.claimGradient()
  }

  /** Runs fn as if the gradients counted, and for good where it returns true; not where it throws. */
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

  /** Prediction and targets of the step that ran last, as tensors of a step that opens here: stale when the next one does. */
  results(): { prediction: Tensor; targets: Tensor } {
    const { backend } = this
    backend.arena.enter(false)
    return { prediction: ofStep(backend, this.prediction), targets: ofStep(backend, this.targets) }
  }

  /** The parameters that the step has gradients for. */
  get trained(): Parameter[] {
    return this.parameters.filter((parameter) => parameter.isTrained).map(({ parameter }) => parameter)
  }

  /** Whether this step trains the same parameters as another, and draws as often. */
  continues(other: Recording): boolean {
    return (
      this.parameters.every(({ isTrained }, i) => isTrained === other.parameters[i]?.isTrained) &&
      sameLists(this.draws, other.draws, (a, b) => a[0] === b[0] && a[1] === b[1])
    )
  }

  /** Moves the counters of the model's generators on by the draws of this many steps. */
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

  /** Checks of the batch are repeated for each; those of anything else look at what kernels computed. */
  private keepChecks(): void {
    for (const part of this.batch) part.checks = []
    for (const { ptr, size, check } of this.arena.checks) {
      const part = this.batch.find(({ to }) => to.address === ptr && to.size === size)
      if (part !== undefined) part.checks.push(check)
      else this.arena.obstacle ??= 'it looks at numbers that it computes'
    }
  }

  /** The calls, each with its generator's counter if it draws random numbers. */
  private withCounters(calls: readonly KernelCall[]): KernelCall[] {
    return calls.map((call) => {
      const argument = COUNTERS[call.name]
      if (argument === undefined) return call
      const [low, high, stream] = call.args.slice(argument - 3)
      const found = this.draws.find(([g]) => g.seedLow === low && g.seedHigh === high && g.stream === stream)
      if (found === undefined) return call
      const [generator, perStep] = found
      const offset = call.args[argument] - (generator.counter - perStep)
      return { ...call, counter: { argument, generator, offset, perStep } }
    })
  }

  private bytesAt(ptr: Ptr, bytes: number): Uint8Array {
    return new Uint8Array(this.backend.heap.floats.buffer, ptr, bytes).slice()
  }

  private isSameAs(before: {
    calls: readonly KernelCall[]
    constants: readonly Constant[]
    parameters: readonly RecordedParameter[]
    draws: readonly (readonly [Generator, number])[]
  }): boolean {
    return (
      sameLists(this.calls, before.calls, isSameCall) &&
      sameLists(this.constants, before.constants, (a, b) => a.ptr === b.ptr && sameLists(a.bytes, b.bytes, Object.is)) &&
      sameLists(this.parameters, before.parameters, isSameParameter) &&
      sameLists(this.draws, before.draws, (a, b) => a[0] === b[0] && a[1] === b[1])
    )
  }

  /** Memory that lasts until the list changes. @throws OutOfMemoryError */
  allocate(bytes: number): Ptr {
    return this.programs.allocate(bytes)
  }

  /** The calls as a program, which takes one call in the place of many; null where there can be none. */
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

/** Which argument of a kernel is the counter of the generator whose seed and stream come before. */
const COUNTERS: Readonly<Record<string, number>> = { dropout: 6 }

/** The arena of a recording, which listens to what the kernels do not do. */
class RecordingArena extends StepArena {
  obstacle: string | null = null
  constants: { ptr: Ptr; bytes: number }[] = []
  checks: { ptr: Ptr; size: number; check: ElementCheck }[] = []
  /** Generators that kernels drew from, with their counters before. */
  draws = new Map<Generator, number>()

  begin(): void {
    this.rewind({ chunk: 0, top: 0 })
    this.obstacle = null
    this.constants = []
    this.checks = []
    this.draws = new Map()
  }

  override noteCopy(ptr: Ptr, bytes: number): void {
    this.constants.push({ ptr, bytes })
  }

  override noteRead(): void {
    this.obstacle ??= 'it reads numbers of a tensor in JavaScript (item, data, toArray, view, or whole numbers taken for floats)'
  }

  override noteCheck(ptr: Ptr, size: number, check: ElementCheck): void {
    this.checks.push({ ptr, size, check })
  }

  override drew(generator: Generator): void {
    super.drew(generator)
    if (!this.draws.has(generator)) this.draws.set(generator, generator.counter)
  }

  protected override reset(merges = true): void {
    if (merges) this.obstacle ??= 'it opens a step of its own, such as a gradient within the loss'
    super.reset(false)
  }
}

/** The parameters that a result was computed from. */
function parametersOf(result: Tensor): Parameter[] {
  const found = new Set<Parameter>()
  const seen = new Set<unknown>()
  const nodes = [result.node as unknown as { inputs: readonly Tensor[] } | null]
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (node === null || seen.has(node)) continue
    seen.add(node)
    for (const input of node.inputs) {
      if (input instanceof Parameter) found.add(input)
      nodes.push(input.node as typeof node | null)
    }
  }
  result.node = null
  return [...found]
}

function recordedParameters(parameters: ReadonlySet<Parameter>, waiting: ReadonlySet<Parameter>): RecordedParameter[] {
  return Array.from(parameters, (parameter) => {
    const { address, gradientAddress, requiresGrad, gradientState } = parameter
    const isTrained = gradientState === 'ready'
    return { parameter, address, gradientAddress, requiresGrad, accumulates: waiting.has(parameter), isTrained }
  })
}

function isSameParameter(a: RecordedParameter, b: RecordedParameter): boolean {
  return (Object.keys(a) as (keyof RecordedParameter)[]).every((key) => a[key] === b[key])
}

function isSameCall(a: KernelCall, b: KernelCall): boolean {
  if (a.name !== b.name || a.kernel !== b.kernel || a.args.length !== b.args.length) return false
  for (let i = 0; i < a.args.length; i++) {
    // a counter is as many draws after the step's first one
    if (a.counter?.argument === i && b.counter?.argument === i) continue
    if (!Object.is(a.args[i], b.args[i])) return false
  }
  const [p, q] = [a.counter, b.counter]
  return p?.generator === q?.generator && p?.offset === q?.offset && p?.perStep === q?.perStep
}

function sameLists<T>(a: ArrayLike<T>, b: ArrayLike<T>, isSame: (x: T, y: T) => boolean): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!isSame(a[i], b[i])) return false
  return true
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
function recordCalls(backend: Backend, arena: RecordingArena, calls: KernelCall[], fn: () => void): void {
  const before = backend.kernels
  const open = backend as { kernels: BasicKernels }
  // The exports of a module are frozen, so the proxy stands before an empty object.
  open.kernels = new Proxy({} as BasicKernels, {
    get(_, name: string) {
      const kernel = before[name as keyof BasicKernels] as ((...args: number[]) => number | undefined) | undefined
      if (kernel === undefined) return undefined
      return (...args: number[]) => {
        calls.push({ name, kernel, args, counter: null })
        const result = kernel(...args)
        // JavaScript may read what a kernel returns, which a list of calls does not record
        if (result !== undefined) arena.noteRead()
        return result
      }
    },
    set: (_, name, kernel) => Reflect.set(before, name, kernel),
  })
  try {
    fn()
  } finally {
    open.kernels = before
  }
}

/** Runs fn. @returns whether it called Math.random */
function watchRandom(fn: () => void): boolean {
  const { random } = Math
  let asked = false
  Math.random = () => {
    asked = true
    return random()
  }
  try {
    fn()
  } finally {
    Math.random = random
  }
  return asked
}

/** Calls kernels one by one: those of JavaScript, and those that threads share. Arguments that a kernel does not have are ignored. */
function runCalls(calls: readonly KernelCall[]): void {
  for (let i = 0; i < calls.length; i++) {
    const { kernel, args: x, counter } = calls[i]
    if (counter === null) kernel(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], x[10], x[11], x[12], x[13], x[14], x[15])
    else kernel(...x.map((value, j) => (j === counter.argument ? counter.generator.counter + counter.offset : value)))
  }
}
