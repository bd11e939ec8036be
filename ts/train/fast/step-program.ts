/**
 * Step programs: many replayed steps in one call of WebAssembly.
 *
 * A small net's step takes less than calling its kernels from JS does. So the calls of a {@link Recording} and the updates of the optimizer become a
 * {@link Program}: the rows of all its batches are copied in beforehand, the hyper-parameters of each step are a row of a table (computed in doubles,
 * as always), and the losses come back in another. Kernels, arguments and order are the same, so the bits are those of single steps.
 */
import type { Kernels, Ptr } from '../../backend/kernels.js'
import { OutOfMemoryError } from '../../common/errors.js'
import type { Optimizer } from '../../optim/base/optimizer.js'
import type { PlainCall, SecondEvaluation, StepScheme } from '../../optim/base/step-scheme.js'
import type { Parameter } from '../../parameter.js'
import { Tensor } from '../../tensor.js'
import type { RowRange } from '../batches.js'
import { copyRows } from '../data.js'
import { type KernelCall, onOneThread, Program } from './program.js'
import { type BatchTensor, copiesDataSet, type Outputs, type Recording } from './recording.js'
import { canPlan, ROW, type StepHooks, StepPlanner } from './step-planner.js'

/** The largest number of steps in one call, and of bytes that differ between them: they should stay in a second-level cache. */
export const MAX_STEPS = 256
export const MAX_BYTES = 1 << 19
/** The outcome of a run of many steps. */
interface ProgramResult {
  done: number
  /** The loss of the next step, or of its second evaluation, if it was not finite; else null. */
  failed: number | null
  /** The loss of step i. */
  loss(i: number): number
  /** Prediction and targets of step i, if the program keeps them. */
  outputs?(i: number): Outputs
}

/** Memory for a copy of the data set, one table for each tensor of the batch, and for the indices of the rows that a run picks. */
interface DataSetCopy {
  readonly tables: readonly Ptr[]
  readonly indices: Ptr
}

/**
 * The steps of one kind with one optimizer, as a program. It is run once for each update of the parameters, which is once for each step, or once for
 * the several steps whose gradients the optimizer adds up ({@link StepScheme}).
 */
export class StepProgram {
  private readonly planner: StepPlanner
  private readonly recording: Recording
  private readonly optimizer: Optimizer
  private readonly staged: readonly Ptr[]
  /** Null if the data set is too large to be copied. */
  private readonly dataSet: DataSetCopy | null
  private readonly hyper: Ptr
  private readonly losses: Ptr
  /** Addresses of the predictions and targets of the steps; null if they are not requested. */
  private readonly kept: { readonly prediction: Ptr; readonly targets: Ptr } | null
  /** Views of these predictions and targets, made anew when the memory has grown: new views in each step would cost small nets a tenth of the step. */
  private outputs: Outputs[] = []
  private outputsVersion = -1
  private readonly secondEvaluation: SecondEvaluation | null
  /** Number of tested floats per update: the losses, and with a second evaluation also {@link SecondEvaluation.isSkipped}. */
  private readonly finiteTests: number

  private constructor(
    /** A recording of the step, and a recording of a step that adds to existing gradients, if the optimizer has such steps. */
    private readonly recordings: readonly Recording[],
    readonly scheme: StepScheme,
    private readonly program: Program,
    /** Kernel calls of an update: one for each span of parameters. */
    private readonly updateCalls: number,
    /** Largest number of steps of one run. */
    readonly capacity: number,
    keepsPredictions: boolean,
  ) {
    const recording = (this.recording = recordings[0])
    this.optimizer = scheme.optimizer as Optimizer
    this.planner = new StepPlanner(this.optimizer, scheme.batches, scheme.gradientScale)
    this.staged = recording.batch.map(({ to }) => recording.allocate(4 * to.size * capacity))
    this.dataSet = copiesDataSet(recording.batch, capacity)
      ? {
          tables: recording.batch.map(({ rows }) => recording.allocate(4 * rows.size)),
          indices: recording.allocate(4 * recording.size * capacity),
        }
      : null
    this.secondEvaluation = scheme.secondEvaluation?.(recording.trained, (bytes) => recording.allocate(bytes)) ?? null
    this.finiteTests = scheme.batches + (this.secondEvaluation === null ? 0 : 2)
    this.hyper = recording.allocate(4 * ROW * updateCalls * capacity)
    this.losses = recording.allocate(4 * this.finiteTests * capacity)
    const allSteps = ({ size }: Tensor) => recording.allocate(4 * size * capacity)
    const { prediction, targets } = recording
    this.kept = keepsPredictions ? { prediction: allSteps(prediction), targets: allSteps(targets) } : null
  }

  /** Null if WebAssembly cannot run the steps alone, or memory is short. */
  static of(recordings: readonly Recording[], scheme: StepScheme, keepsPredictions: boolean): StepProgram | null {
    const { optimizer, batches, secondEvaluation } = scheme
    const [recording] = recordings
    if (!canPlan(optimizer)) return null
    if (keepsPredictions && (recording.prediction.isOnHost || recording.targets.isOnHost)) return null
    const program = Program.of(optimizer.groups[0].backend.kernels)
    const updateCalls = program === null ? 0 : updateCallsOf(recording, optimizer)
    const capacity = capacityOf(recording, updateCalls, keepsPredictions)
    if (program === null || updateCalls === 0 || capacity < Math.max(2, batches)) return null
    try {
      const made = new StepProgram(recordings, scheme, program, updateCalls, capacity, keepsPredictions)
      return made.write() && (made.secondEvaluation === null) === (secondEvaluation === undefined) ? made : null
    } catch (error) {
      if (error instanceof OutOfMemoryError) return null
      throw error
    }
  }

  /** Writes the program without the updates; false if it has a call that programs cannot make. */
  private write(): boolean {
    const { recording, recordings, program, secondEvaluation: second } = this
    const { batches } = this.scheme
    for (let j = 0; j < batches; j++) if (!this.writeStep(recordings[Math.min(j, recordings.length - 1)], j)) return false
    if (second !== null) {
      if (!this.addCalls(second.before)) return false
      this.addFiniteTest(second.isSkipped, 1)
      if (!this.addCalls(this.evaluation(recording, 1)) || !this.addCalls(second.after)) return false
      this.addFiniteTest(recording.lossAddress, 2)
    }
    const after = this.scheme.after?.() ?? []
    if (after.some(({ kernel, args }) => onOneThread(kernel, args) === null)) return false
    program.place((bytes) => recording.allocate(bytes), this.updateCalls + after.length)
    return true
  }

  /** Step j of an update. */
  private writeStep(recording: Recording, j: number): boolean {
    const { program, staged, kept } = this
    const { kernels } = this.optimizer.groups[0].backend
    const { batches } = this.scheme
    recording.batch.forEach(({ to: { address, size } }, i) => {
      program.addMoving('copy', kernels.copy, [staged[i] + 4 * size * j, address, size], [[0, 4 * size * batches]])
    })
    if (!this.addCalls(this.evaluation(recording, j))) return false
    for (const key of kept === null ? [] : (['prediction', 'targets'] as const)) {
      const { address, size } = recording[key]
      program.addMoving(
        'copy',
        kernels.copy,
        [address, (kept as NonNullable<typeof kept>)[key] + 4 * size * j, size],
        [[1, 4 * size * batches]],
      )
    }
    this.addFiniteTest(recording.lossAddress, j)
    return true
  }

  private addCalls(calls: readonly PlainCall[]): boolean {
    return calls.every((call) => this.program.add(call))
  }

  /** Ends the run if the float at an address is not finite, and keeps it as number i of its update. */
  private addFiniteTest(address: Ptr, i: number): void {
    this.program.addFiniteTest(address, this.losses + 4 * i, 4 * this.finiteTests)
  }

  /** The calls of evaluation i of an update, whose draws follow those of earlier evaluations. */
  private evaluation({ calls }: Recording, i: number): readonly KernelCall[] {
    const all = this.secondEvaluation === null ? this.scheme.batches : 2
    if (all === 1) return calls
    return calls.map((call) => {
      if (call.counter === null) return call
      const { offset, perStep } = call.counter
      return { ...call, counter: { ...call.counter, offset: offset + i * perStep, perStep: all * perStep } }
    })
  }

  /**
   * Runs the steps of all rows in the ranges; null if it cannot. Runs fewer steps if the plan ends ({@link StepHooks}), or if a loss is not finite.
   * @throws errors of `before` at the first step; then nothing has changed
   */
  run(ranges: readonly RowRange[], steps: number, hooks: StepHooks): ProgramResult | null {
    const { recording, planner, hyper, optimizer, scheme, secondEvaluation, finiteTests, losses } = this
    const { batches } = scheme
    if (!canPlan(optimizer) || !recording.isCurrent || gradientsWait(optimizer)) return null
    let planned = 0
    const canRun = recording.tryGradients(() => {
      if (planner.refresh() !== this.updateCalls) return false
      if (!this.stage(ranges, steps)) return false
      planned = planner.plan(hyper, steps / batches, hooks)
      return planned > 0
    })
    if (!canRun) return null
    secondEvaluation?.refresh()
    const updates = this.execute(planned)
    planner.finish(hyper, planned, updates, hooks)
    const { arena, heap } = optimizer.groups[0].backend
    let done = updates * batches
    let evaluations = secondEvaluation === null ? done : 2 * done
    let failed: number | null = null
    if (updates < planned) {
      // the run ended at one of the floats that are tested before the next update
      const { floats } = heap
      const first = losses / 4 + finiteTests * updates
      const failedTest = floats.subarray(first, first + finiteTests).findIndex((value) => !Number.isFinite(value))
      // the failed step has run its forward pass, which drew random numbers
      evaluations += secondEvaluation === null ? failedTest + 1 : Math.max(1, failedTest)
      // there is no second evaluation, for example if the gradients are zero: the update follows at once
      if (secondEvaluation !== null && failedTest === 1) {
        recording.markGradients()
        hooks.before(done++)
        optimizer.step()
      } else {
        failed = floats[first + failedTest]
        if (secondEvaluation === null) done += failedTest
      }
    }
    scheme.updated?.(updates)
    recording.advanceCounters(evaluations)
    recording.results()
    arena.end()
    // read where the memory is then: a step arena that is made anew may have moved it since
    const loss = (i: number) => heap.floats[losses / 4 + finiteTests * Math.floor(i / batches) + (i % batches)]
    const result: ProgramResult = { done, failed, loss }
    if (this.kept === null) return result
    if (this.outputsVersion !== heap.version) this.viewOutputs(this.kept)
    return { ...result, outputs: (i) => this.outputs[i] }
  }

  private viewOutputs(kept: NonNullable<typeof this.kept>): void {
    const { recording, capacity } = this
    const { heap } = this.optimizer.groups[0].backend
    const view = (key: keyof Outputs, step: number) => {
      const { backend, shape, size, dtype } = recording[key]
      const address = kept[key] + 4 * size * step
      return Tensor.onHost(backend, shape, dtype === 'int32' ? heap.intView(address, size) : heap.view(address, size))
    }
    this.outputs = Array.from({ length: capacity }, (_, i) => ({ prediction: view('prediction', i), targets: view('targets', i) }))
    this.outputsVersion = heap.version
  }

  private execute(updates: number): number {
    const { program, hyper, planner, optimizer, scheme } = this
    program.setUpdates(planner.updateCalls, hyper, 4 * ROW, scheme.after?.())
    return program.run(optimizer.groups[0].backend.heap.ints, updates)
  }

  /** Copies the rows of all steps in; false if the step would refuse some of them. */
  private stage(ranges: readonly RowRange[], steps: number): boolean {
    const { recording, staged, dataSet } = this
    // many short ranges are epochs of one step: a kernel picks their rows faster than they are copied one by one
    const isPicked = dataSet !== null && (ranges[0].order !== null || ranges.length > 4)
    if (isPicked) this.writeRowIndices(ranges, dataSet.indices)
    return recording.batch.every((tensor, i) => {
      if (isPicked) this.pickRows(tensor, dataSet, i, steps)
      else {
        let address = staged[i]
        for (const { order, from, to } of ranges) {
          copyRows(tensor.rows, address, order, from, to)
          address += ((4 * tensor.to.size) / recording.size) * (to - from)
        }
      }
      return this.areAccepted(tensor, staged[i], steps)
    })
  }

  /** Writes the indices of the rows that the steps see, one after the other. */
  private writeRowIndices(ranges: readonly RowRange[], indices: Ptr): void {
    const { ints } = this.optimizer.groups[0].backend.heap
    let word = indices / 4
    for (const { order, from, to } of ranges) for (let i = from; i < to; i++) ints[word++] = order === null ? i : order[i]
  }

  /** Copies all rows of the data set, as it is now, and picks the rows of the steps from the copy. */
  private pickRows({ rows, to }: BatchTensor, { tables, indices }: DataSetCopy, i: number, steps: number): void {
    // programs exist only with WebAssembly, whose core has this kernel
    const { gatherRows } = this.optimizer.groups[0].backend.kernels as Kernels
    const { size } = this.recording
    copyRows(rows, tables[i], null, 0, rows.shape[0])
    gatherRows(tables[i], indices, this.staged[i], steps * size, to.size / size)
  }

  /** True if the checks of the step accept the rows of all steps. If the rows cover the data set more than once, the data set is checked instead. */
  private areAccepted({ rows, to, checks }: BatchTensor, staged: Ptr, steps: number): boolean {
    if (checks.length === 0) return true
    const { heap } = this.optimizer.groups[0].backend
    const floats = to.dtype === 'int32' ? heap.ints : heap.floats
    const elements = rows.size <= steps * to.size ? rows.read() : floats.subarray(staged / 4, staged / 4 + steps * to.size)
    try {
      for (const check of checks) check(elements)
      return true
    } catch {
      // the refused step is run as written after the earlier steps, and throws the error
      return false
    }
  }
}

/** Number of steps that fit into memory: each has the rows of its batch, a row of hyper-parameters for each update call, and a loss. */
function capacityOf({ batch, prediction, targets }: Recording, updateCalls: number, keepsPredictions: boolean): number {
  const outputs = keepsPredictions ? 4 * (prediction.size + targets.size) : 0
  const bytes = batch.reduce((sum, { to }) => sum + 4 * to.size, outputs + 4 + 4 * ROW * updateCalls)
  return Math.min(MAX_STEPS, Math.floor(MAX_BYTES / bytes))
}

/** True if there are gradients that no recording made: a single step would use them up. */
export function gradientsWait({ groups }: { readonly groups: readonly { readonly parameters: Iterable<Parameter> }[] }): boolean {
  for (const { parameters } of groups) for (const p of parameters) if (p.gradientState === 'ready') return true
  return false
}

/** Number of kernel calls of an update; 0 if they are not known in advance, leave a gradient unused, or are work for several threads. */
function updateCallsOf(recording: Recording, optimizer: Optimizer): number {
  const known = new Set(optimizer.groups.flatMap(({ parameters }) => parameters))
  if (!recording.trained.every((p) => known.has(p))) return 0
  const updateCalls = recording.ifGradients(() => new StepPlanner(optimizer).refresh())
  if (optimizer.groups.some(({ kernel, spans }) => spans.some(({ n }) => onOneThread(kernel, [0, 0, 0, 0, n, 0]) === null))) return 0
  return updateCalls
}
