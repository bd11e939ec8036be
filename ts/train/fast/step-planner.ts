/**
 * Steps ahead: the updates of the next steps, with their hyper-parameters in rows, for a caller that runs many steps at once.
 *
 * Nothing is computed twice: the optimizer walks its groups as in step(), with a kernel that notes its arguments and a block
 * of hyper-parameters that is the next row.
 */
import type { Ptr, Update } from '../../backend/kernels.js'
import { HYPER_FLOATS, type ParameterGroup } from '../../optim/base/group.js'
import { Optimizer } from '../../optim/base/optimizer.js'
import type { Scalars } from '../../optim/base/span.js'
import type { UpdateCall } from './program.js'

/** Floats from one row of hyper-parameters to the next. */
export const ROW = HYPER_FLOATS

/** What this file knows of an optimizer's inside. */
interface Inside {
  transforms: { isEmpty: boolean }
  bindings: readonly unknown[]
  applyToGroups(scale: number): void
  begin: unknown
}

/** What happens at the steps of a plan. */
export interface StepHooks {
  /** Called before step i is planned; one at which it throws is left to be the first of the next plan, where it is an error. */
  before(i: number): void
  /** Asked after it: whether that step is the last. */
  isOver(): boolean
}

/** An optimizer that replaces one of these may read gradients, or pass over them more than once. */
const METHODS = ['step', 'applyToGroups', 'applyToGroup', 'applyToSpan', 'pass'] as const
/** Those that give a kernel its numbers must be the ones it was written with: others may look at more than options and counts. */
const NUMBERS = ['hyper', 'coupledDecay', 'decoupledDecay', 'begin'] as const

/**
 * Whether a step is nothing but one fused update for each span of parameters, with numbers that depend on options and the count of steps
 * alone: of the optimizers that are, {@link StepPlanner} knows the next steps.
 */
export function canPlan(optimizer: unknown): optimizer is Optimizer {
  if (!(optimizer instanceof Optimizer)) return false
  const { transforms, bindings } = optimizer as unknown as Inside
  if (!transforms.isEmpty || bindings.length > 0 || optimizer.groups.some((group) => group.kernel === undefined)) return false
  const [own, base, named] = [optimizer, Optimizer.prototype, whoseKernel(optimizer)] as unknown as Record<string, unknown>[]
  return METHODS.every((method) => own[method] === base[method]) && NUMBERS.every((method) => own[method] === named[method])
}

/** The prototype, or the optimizer itself, that names the kernel. */
function whoseKernel(optimizer: object): object {
  return Object.hasOwn(optimizer, 'kernel') ? optimizer : whoseKernel(Object.getPrototypeOf(optimizer))
}

/** The next steps of an optimizer for which {@link canPlan}; its parameters have the gradients of the first of them. */
export class StepPlanner {
  /** The updates of each step; where their hyper-parameters are is a row. */
  updates: UpdateCall[] = []
  private readonly optimizer: Optimizer
  private before: { stepCount: number; spans: { t: number; scalars: Scalars }[] } = { stepCount: 0, spans: [] }

  constructor(optimizer: Optimizer) {
    this.optimizer = optimizer
  }

  /**
   * How many updates a step has; 0 where nothing has a gradient, or where one is the first of its parameters, unless `takesFirst` and the
   * optimizer does nothing at the beginning.
   */
  refresh(takesFirst = false): number {
    const { groups } = this.optimizer
    for (const group of groups) group.refresh()
    const beginsSilently = (this.optimizer as unknown as Inside).begin === (Optimizer.prototype as unknown as Inside).begin
    const spans = groups.flatMap((group) => group.spans)
    return spans.every(({ t }) => t > 0 || (takesFirst && beginsSilently)) ? spans.length : 0
  }

  /** Takes up to `steps` steps but for the updates, whose rows of hyper-parameters go to `rows`; returns how many. */
  plan(rows: Ptr, steps: number, each: StepHooks): number {
    const { groups, stepCount } = this.optimizer
    this.before = { stepCount, spans: groups.flatMap(({ spans }) => spans.map(({ t, scalars }) => ({ t, scalars: { ...scalars } }))) }
    const blocks = groups.map((group) => group.h)
    const notes = new UpdateRecorder(groups, rows)
    this.updates = notes.updates
    try {
      return this.walk(notes, steps, each)
    } finally {
      notes.leave()
      groups.forEach((group, j) => (group.h = blocks[j]))
    }
  }

  /** BlockLimits the plan: of its steps, `done` were run. Without the others, the optimizer is as it was before them. */
  finish(rows: Ptr, planned: number, done: number, each: StepHooks): void {
    if (done < planned) {
      this.restore()
      this.plan(rows, done, { ...each, isOver: () => false })
    }
    for (const group of this.optimizer.groups) group.markUsed()
  }

  private walk(notes: UpdateRecorder, steps: number, { before, isOver }: StepHooks): number {
    for (let i = 0; i < steps; i++) {
      try {
        before(i)
      } catch (error) {
        if (i === 0) throw error
        return i
      }
      // an option that is set there may choose another kernel: that step begins the next plan
      if (!notes.enter()) return i
      ;(this.optimizer as unknown as Inside).applyToGroups(1)
      notes.next()
      this.optimizer.stepCount++
      if (isOver()) return i + 1
    }
    return steps
  }

  private restore(): void {
    const { stepCount, spans: before } = this.before
    this.optimizer.stepCount = stepCount
    const spans = this.optimizer.groups.flatMap((group) => group.spans)
    spans.forEach((span, i) => {
      span.t = before[i].t
      span.scalars = before[i].scalars
    })
  }
}

/** Kernels that stand in for those of the groups and note what they are called with; the numbers go from row to row. */
class UpdateRecorder {
  readonly updates: UpdateCall[] = []
  private readonly kernels: ParameterGroup['kernel'][]
  private readonly notes: Update[]
  private isFirst = true

  constructor(
    private readonly groups: readonly ParameterGroup[],
    private row: Ptr,
  ) {
    this.kernels = groups.map((group) => group.kernel)
    this.notes = groups.map((_, j) => this.noteFor(j))
    this.useRow()
  }

  /** Puts them in; false where a kernel is missing, or not that of the steps before. */
  enter(): boolean {
    const { groups, kernels, notes } = this
    for (let j = 0; j < groups.length; j++) {
      const { kernel } = groups[j]
      if (kernel !== notes[j] && kernel !== kernels[j]) {
        if (!this.isFirst) return false
        kernels[j] = kernel
      }
      if (kernel === undefined) return false
      groups[j].kernel = notes[j]
    }
    return true
  }

  /** A step is noted. */
  next(): void {
    this.isFirst = false
  }

  leave(): void {
    this.groups.forEach((group, j) => {
      if (group.kernel === this.notes[j]) group.kernel = this.kernels[j]
    })
  }

  private noteFor(j: number): Update {
    const bytes = ROW * this.groups[0].backend.heap.elementSize
    return (p, g, s, stride, n) => {
      if (this.isFirst) this.updates.push({ kernel: this.kernels[j] as Update, args: [p, g, s, stride, n] })
      this.row += bytes
      this.useRow()
    }
  }

  private useRow(): void {
    for (const group of this.groups) group.h = this.row
  }
}
