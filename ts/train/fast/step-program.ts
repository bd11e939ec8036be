/**
 * Step programs: many replayed steps in one call of WebAssembly.
 *
 * A small net's step takes less than calling its kernels from JS does. So the calls of a {@link Recording} and the updates of
 * the optimizer become a {@link Program}: the rows of all its batches are copied in beforehand, the hyper-parameters of each
 * step are a row of a table (in doubles up to there, as always), and the losses come back in another. Same kernels, same
 * arguments, same order: the bits are those of single steps.
 */
import type { Ptr } from '../../backend/kernels.js'
import { OutOfMemoryError } from '../../common/errors.js'
import type { Optimizer } from '../../optim/base/optimizer.js'
import type { Parameter } from '../../parameter.js'
import { copyRows } from '../data.js'
import { onOneThread, Program } from './program.js'
import type { Recording, RowRange } from './recording.js'
import { canPlan, ROW, type StepHooks, StepPlanner } from './step-planner.js'

/** Most steps in one call, and most bytes of what differs between them: they should stay in a second-level cache. */
export const MOST_STEPS = 256
const MOST_BYTES = 1 << 19

/** What a run of many steps did. */
interface ProgramResult {
  done: number
  /** Whether the loss of the next one was not finite. */
  failed: boolean
  /** The loss of step i, also of the one that failed. */
  loss(i: number): number
}

/** The steps of one recording with one optimizer, as a program. */
export class StepProgram {
  private readonly planner: StepPlanner
  private readonly staged: readonly Ptr[]
  private readonly hyper: Ptr
  private readonly losses: Ptr

  private constructor(
    private readonly recording: Recording,
    readonly optimizer: Optimizer,
    private readonly program: Program,
    /** Updates of a step. */
    private readonly updates: number,
    /** Most steps of one run. */
    readonly capacity: number,
  ) {
    this.planner = new StepPlanner(optimizer)
    this.staged = recording.batch.map(({ to }) => recording.allocate(4 * to.size * capacity))
    this.hyper = recording.allocate(4 * ROW * updates * capacity)
    this.losses = recording.allocate(4 * capacity)
  }

  /** Null where the steps cannot be run by WebAssembly alone, or there is no memory for it. */
  static of(recording: Recording, optimizer: object): StepProgram | null {
    if (!canPlan(optimizer)) return null
    const program = Program.of(optimizer.groups[0].backend.kernels)
    const updates = program === null ? 0 : updatesOf(recording, optimizer)
    const capacity = capacityOf(recording, updates)
    if (program === null || updates === 0 || capacity < 2) return null
    try {
      const made = new StepProgram(recording, optimizer, program, updates, capacity)
      return made.write() ? made : null
    } catch (error) {
      if (error instanceof OutOfMemoryError) return null
      throw error
    }
  }

  /** Writes the program but for the updates; false if it has a call that programs lack. */
  private write(): boolean {
    const { recording, optimizer, program } = this
    const { kernels } = optimizer.groups[0].backend
    recording.batch.forEach(({ to }, i) => program.addCopy(kernels.copy, this.staged[i], to.address, to.size))
    if (!recording.calls.every((call) => program.add(call))) return false
    program.addLoss(recording.lossAddress, this.losses)
    program.place((bytes) => recording.allocate(bytes), this.updates)
    return true
  }

  /**
   * Runs the steps of all rows in the ranges; null where it cannot. Fewer steps are done than asked for where the plan ends
   * ({@link StepHooks}), or a loss is not finite.
   * @throws what `before` throws at the first step; nothing has changed then
   */
  run(ranges: readonly RowRange[], steps: number, hooks: StepHooks): ProgramResult | null {
    const { recording, planner, hyper } = this
    if (!canPlan(this.optimizer) || !recording.isCurrent || gradientsWait(this.optimizer)) return null
    let planned = 0
    const canRun = recording.tryGradients(() => {
      if (planner.refresh() !== this.updates) return false
      if (!this.stage(ranges, steps)) return false
      planned = planner.plan(hyper, steps, hooks)
      return planned > 0
    })
    if (!canRun) return null
    const done = this.execute(planned)
    const failed = done < planned
    planner.finish(hyper, planned, done, hooks)
    // a step that failed had its forward pass
    recording.advanceCounters(failed ? done + 1 : done)
    recording.results()
    const { arena, heap } = this.optimizer.groups[0].backend
    arena.end()
    const { floats } = heap
    return { done, failed, loss: (i) => floats[this.losses / 4 + i] }
  }

  private execute(steps: number): number {
    const { program, hyper } = this
    program.setUpdates(this.planner.updates, hyper, 4 * ROW)
    return program.run(this.optimizer.groups[0].backend.heap.ints, steps)
  }

  /** Copies the rows of all steps in; false where the step would refuse some of them. */
  private stage(ranges: readonly RowRange[], steps: number): boolean {
    const { batch, size } = this.recording
    for (let i = 0; i < batch.length; i++) {
      const { rows, to, checks } = batch[i]
      const width = to.size / size
      let at = this.staged[i]
      for (const { order, from, to: end } of ranges) {
        copyRows(rows, at, order, from, end)
        at += 4 * width * (end - from)
      }
      if (checks.length === 0) continue
      const { heap } = this.optimizer.groups[0].backend
      const elements = (to.dtype === 'int32' ? heap.ints : heap.floats).subarray(this.staged[i] / 4, this.staged[i] / 4 + steps * to.size)
      try {
        for (const check of checks) check(elements)
      } catch {
        // the step that it is says so itself, after those before it
        return false
      }
    }
    return true
  }
}

/** Steps for which there is room: the rows of a batch, the hyper-parameters of so many updates and a loss each. */
function capacityOf({ batch }: Recording, updates: number): number {
  const bytes = batch.reduce((sum, { to }) => sum + 4 * to.size, 4 + 4 * ROW * updates)
  return Math.min(MOST_STEPS, Math.floor(MOST_BYTES / bytes))
}

/** Whether gradients wait that are of no recording: a step would use them once. */
export function gradientsWait({ groups }: { readonly groups: readonly { readonly parameters: Iterable<Parameter> }[] }): boolean {
  for (const { parameters } of groups) for (const p of parameters) if (p.gradientState === 'ready') return true
  return false
}

/** Updates of a step; 0 where they are not known ahead, leave a gradient unused, or are work for several threads. */
function updatesOf(recording: Recording, optimizer: Optimizer): number {
  const known = new Set(optimizer.groups.flatMap(({ parameters }) => parameters))
  if (!recording.trained.every((p) => known.has(p))) return 0
  let updates = 0
  recording.tryGradients(() => {
    updates = new StepPlanner(optimizer).refresh()
    return false
  })
  if (optimizer.groups.some(({ kernel, spans }) => spans.some(({ n }) => onOneThread(kernel, [0, 0, 0, 0, n, 0]) === null))) return 0
  return updates
}
