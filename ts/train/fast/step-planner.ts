/**
 * Steps ahead: the updates of the next steps, with their hyper-parameters in rows, for a caller that runs many steps at once.
 *
 * The optimizer's own methods compute the numbers, as in step(); only the loop over groups and spans is repeated here, and writes them into rows.
 * That is correct for optimizers that do not override that loop ({@link canPlan}).
 */
import type { Ptr } from '../../backend/kernels.js'
import { HYPER_FLOATS, type ParameterGroup } from '../../optim/base/group.js'
import type { GroupOptions } from '../../optim/base/input.js'
import type { OptimizerInternals } from '../../optim/base/internals.js'
import { Optimizer } from '../../optim/base/optimizer.js'
import type { ParameterSpan, Scalars } from '../../optim/base/span.js'
import type { UpdateCall } from './program.js'

/** Floats from one row of hyper-parameters to the next. */
export const ROW = HYPER_FLOATS

/** Hooks at the steps of a plan. */
export interface StepHooks {
  /** Called before step i is planned; if it throws, step i becomes the first of the next plan, where the error is thrown. */
  before(i: number): void
  /** Called after step i was planned; returns true if it is the last. */
  isOver(): boolean
}

/** Methods that must be the base class's: an optimizer that overrides one may read gradients, or pass over them more than once. */
const METHODS = ['step', 'applyToGroups', 'applyToGroup', 'applyToSpan', 'pass'] as const
/** Methods that give the numbers of an update. */
const NUMBERS = ['hyper', 'coupledDecay', 'decoupledDecay', 'begin'] as const

/**
 * True if a step is just one fused update for each span of parameters, with numbers that depend only on options and the count of steps: then {@link
 * StepPlanner} can compute the next steps in advance.
 */
export function canPlan(optimizer: unknown): optimizer is Optimizer {
  if (!(optimizer instanceof Optimizer)) return false
  const { transforms, bindings } = optimizer as unknown as OptimizerInternals
  if (!transforms.isEmpty || bindings.length > 0 || optimizer.groups.some((group) => group.kernel === undefined)) return false
  return METHODS.every((method) => isSameMethod(optimizer, Optimizer.prototype, method)) && isTrueOfNumbers(optimizer)
}

/**
 * True if the `static rule` of this optimizer describes the numbers of its updates. A subclass that overrides a method that computes these numbers,
 * but not `rule`, may let them depend on anything.
 */
export function isTrueOfNumbers(optimizer: object): boolean {
  let owner = optimizer.constructor
  while (!Object.hasOwn(owner, 'rule')) owner = Object.getPrototypeOf(owner)
  return NUMBERS.every((method) => isSameMethod(optimizer, owner.prototype, method))
}

function isSameMethod(a: object, b: object, name: string): boolean {
  return (a as Record<string, unknown>)[name] === (b as Record<string, unknown>)[name]
}

/** Plans the next updates of an optimizer that {@link canPlan}; its parameters have the gradients for the first of them. */
export class StepPlanner {
  /** The kernel calls of each update, without the addresses of their hyper-parameters: each call has its row. */
  updateCalls: UpdateCall[] = []
  private readonly optimizer: Optimizer
  private before: { stepCount: number; spans: { t: number; scalars: Scalars }[] } = { stepCount: 0, spans: [] }

  /**
   * @param batches batches per update, each of which is a step of {@link StepHooks}
   * @param gradientScale factor for gradients
   */
  constructor(
    optimizer: Optimizer,
    private readonly batches = 1,
    private readonly gradientScale = 1,
  ) {
    this.optimizer = optimizer
  }

  /** Number of kernel calls of an update; 0 if no parameter has a gradient, or if a parameter has its first update. */
  refresh(): number {
    const { groups } = this.optimizer
    for (const group of groups) group.refresh()
    const spans = groups.flatMap((group) => group.spans)
    return spans.every(({ t }) => t > 0) ? spans.length : 0
  }

  /**
   * Plans up to `updates` next updates: calls the hooks before each, and writes hyper-parameters from `rows` on, a row for each kernel call. Returns
   * the number of planned updates.
   */
  plan(rows: Ptr, updates: number, each: StepHooks): number {
    const { groups, stepCount } = this.optimizer
    this.before = { stepCount, spans: groups.flatMap(({ spans }) => spans.map(({ t, scalars }) => ({ t, scalars: { ...scalars } }))) }
    this.updateCalls = []
    let kernels: ParameterGroup['kernel'][] = []
    let row = rows
    for (let i = 0; i < updates; i++) {
      let isLast = false
      for (let j = 0; j < this.batches; j++) {
        // a step whose gradients are added to those of later steps is run as a single step
        if (isLast) return i
        try {
          each.before(i * this.batches + j)
        } catch (error) {
          if (i === 0 && j === 0) throw error
          return i
        }
        isLast = each.isOver()
      }
      // an option that was set just now may have chosen another kernel: that step begins the next plan
      for (let j = 0; j < groups.length; j++) if (groups[j].kernel === undefined || (i > 0 && groups[j].kernel !== kernels[j])) return i
      if (i === 0) {
        kernels = groups.map((group) => group.kernel)
        this.updateCalls = groups.flatMap((group) => group.spans.map((span) => updateOf(group, span)))
      }
      row = this.writeStep(row)
      this.optimizer.stepCount++
      if (isLast) return i + 1
    }
    return updates
  }

  /** The hyper-parameters of one step, as {@link Optimizer} writes them before it calls its kernel; returns the address of the next row. */
  private writeStep(row: Ptr): Ptr {
    const optimizer = this.optimizer as unknown as OptimizerInternals
    const { groups } = optimizer
    const rowBytes = ROW * groups[0].backend.heap.elementSize
    for (let j = 0; j < groups.length; j++) {
      const group = groups[j]
      const { values, spans } = group
      for (let i = 0; i < spans.length; i++) {
        const span = spans[i]
        if (++span.t === 1) optimizer.begin(group, span)
        const hyper = optimizer.hyper(values, span.t, span.scalars)
        const scale = (values as GroupOptions).maximize ? -this.gradientScale : this.gradientScale
        group.writeHyper(scale, optimizer.coupledDecay(values), optimizer.decoupledDecay(values, hyper), hyper, row)
        row += rowBytes
      }
    }
    return row
  }

  /** Ends the plan after `done` of its steps were run. The optimizer is then as if the other steps had not been planned. */
  finish(rows: Ptr, planned: number, done: number, each: StepHooks): void {
    if (done < planned) {
      this.restore()
      this.plan(rows, done, { ...each, isOver: () => false })
    }
    for (const group of this.optimizer.groups) group.markUsed()
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

/** The update of a span, without the address of its hyper-parameters. */
function updateOf({ kernel, stride }: ParameterGroup, { p, g, s, n }: ParameterSpan): UpdateCall {
  return { kernel, args: [p, g, s, stride, n] }
}
