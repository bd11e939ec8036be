/**
 * Steps ahead: the updates of the next steps, with their hyper-parameters in rows, for a caller that runs many steps at once.
 *
 * Nothing is computed twice: the optimizer walks its groups as in step(), with a kernel that notes its arguments and a block
 * of hyper-parameters that is the next row.
 */
import type { Ptr, Update } from '../backend/kernels.js'
import { HYPER_FLOATS } from './group.js'
import { Optimizer } from './optimizer.js'
import type { Scalars } from './run.js'

/** One update of every step: the kernel and its arguments but the last, which is a row. */
export interface PlannedUpdate {
  kernel: Update
  args: readonly number[]
}

/** Floats from one row of hyper-parameters to the next. */
export const ROW = HYPER_FLOATS

/** What this file knows of an optimizer's inside. */
interface Inside {
  transforms: { isEmpty: boolean }
  mirrors: readonly unknown[]
  applyToGroups(scale: number): void
}

/** An optimizer that replaces one of these may read gradients, or pass over them more than once. */
const METHODS = ['step', 'applyToGroups', 'applyToGroup', 'applyToRun', 'pass'] as const

/**
 * Whether a step is nothing but one fused update for each run, with numbers that depend on options and the count of steps
 * alone: of the optimizers that are, {@link StepsAhead} knows the next steps.
 */
export function canPlan(optimizer: unknown): optimizer is Optimizer {
  if (!(optimizer instanceof Optimizer)) return false
  const { transforms, mirrors } = optimizer as unknown as Inside
  if (!transforms.isEmpty || mirrors.length > 0 || optimizer.groups.some((group) => group.kernel === undefined)) return false
  const [own, base] = [optimizer, Optimizer.prototype] as unknown as Record<string, unknown>[]
  return METHODS.every((method) => own[method] === base[method])
}

/** The next steps of an optimizer for which {@link canPlan}; its parameters have the gradients of the first of them. */
export class StepsAhead {
  /** The updates of each step. */
  updates: PlannedUpdate[] = []
  private readonly optimizer: Optimizer
  private before: { t: number; scalars: Scalars }[] = []

  constructor(optimizer: Optimizer) {
    this.optimizer = optimizer
  }

  /** How many updates a step has; 0 where one is the first of its parameters, or nothing has a gradient. */
  refresh(): number {
    const { groups } = this.optimizer
    for (const group of groups) group.refresh()
    const runs = groups.flatMap((group) => group.runs)
    return runs.every((run) => run.t > 0) ? runs.length : 0
  }

  /**
   * Takes up to `steps` steps but for the updates, whose rows of hyper-parameters go to `rows`; returns how many. `each` runs
   * before each of them, and a step at which it throws is left to be the first of the next plan, where it is an error.
   */
  plan(rows: Ptr, steps: number, each: (i: number) => void): number {
    const { groups } = this.optimizer
    this.before = groups.flatMap(({ runs }) => runs.map(({ t, scalars }) => ({ t, scalars: { ...scalars } })))
    const kernels = groups.map((group) => group.kernel)
    const blocks = groups.map((group) => group.h)
    try {
      return this.walk(rows, steps, each, kernels as Update[])
    } finally {
      groups.forEach((group, j) => {
        group.h = blocks[j]
        group.kernel = kernels[j]
      })
    }
  }

  /** Ends the plan: of its steps, `done` were run. Without the others, the optimizer is as it was before them. */
  finish(rows: Ptr, planned: number, done: number, each: (i: number) => void): void {
    const { groups } = this.optimizer
    if (done < planned) {
      this.restore()
      this.plan(rows, done, each)
    }
    this.optimizer.stepCount += done
    for (const group of groups) group.markUsed()
  }

  private walk(rows: Ptr, steps: number, each: (i: number) => void, kernels: readonly Update[]): number {
    const { groups } = this.optimizer
    const bytes = ROW * groups[0].backend.heap.elementSize
    const updates: PlannedUpdate[] = []
    let row = rows
    const next = () => groups.forEach((group) => (group.h = row))
    let first = true
    const notes = kernels.map(
      (kernel): Update =>
        (p, g, s, stride, n) => {
          if (first) updates.push({ kernel, args: [p, g, s, stride, n] })
          row += bytes
          next()
        },
    )
    this.updates = updates
    next()
    for (let i = 0; i < steps; i++) {
      try {
        each(i)
      } catch (error) {
        if (i === 0) throw error
        return i
      }
      // setting an option looks the kernel up anew
      for (let j = 0; j < groups.length; j++) groups[j].kernel = notes[j]
      ;(this.optimizer as unknown as Inside).applyToGroups(1)
      first = false
    }
    return steps
  }

  private restore(): void {
    const runs = this.optimizer.groups.flatMap((group) => group.runs)
    runs.forEach((run, i) => {
      run.t = this.before[i].t
      run.scalars = this.before[i].scalars
    })
  }
}
