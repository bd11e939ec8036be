/** The optimizer of a member, as a fleet sees it: its updates, and the numbers that other nets may share. */
import { SHARED_HYPER } from '../../backend/kernels.js'
import type { OptimizerInternals } from '../../optim/base/internals.js'
import { Optimizer } from '../../optim/base/optimizer.js'
import type { ParameterSpan, Scalars } from '../../optim/base/span.js'
import type { UpdateRule } from '../../optim/base/update-rule.js'
import { isTrueOfNumbers } from '../fast/step-planner.js'

/** The options of a group of parameters, by name. */
export type OptionValues = Readonly<Record<string, unknown>>

/** The index of the decoupled decay among the hyper-parameters that all kernels have. */
export const DECOUPLED = 2

/** One update of a step: the span of parameters of an optimizer that it covers, and the kernel that does it. */
export interface UpdateSpec {
  group: number
  span: number
  /** Name of the kernel for one net. */
  kernel: string
  /** Number of its hyper-parameters, including those that all kernels have. */
  count: number
  /** A bit for each hyper-parameter that is multiplied by the learning rate. */
  scaledByRate: number
}

/** Lists the updates of an optimizer, detects changes of the list, and counts the updates that a program made. */
export class MemberOptimizer {
  /** The options, kernels and spans at the last call of {@link updates}. */
  private known: { values: [name: string, value: unknown][]; kernel: unknown; spans: readonly ParameterSpan[] }[] = []
  /**
   * The options from which hyper-parameters are computed, as text, without the learning rate if it is multiplied in later: nets with equal texts
   * share a table.
   */
  hyperKey = ''

  constructor(readonly optimizer: Optimizer) {}

  /** True if options other than the learning rate, and the set of gradients, are the same as at the last call of {@link updates}. */
  isUnchanged(): boolean {
    const { groups } = this.optimizer
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]
      group.refresh()
      const { values, kernel, spans } = this.known[i]
      if (group.kernel !== kernel || group.spans !== spans) return false
      for (let j = 0; j < values.length; j++) if ((group.values as OptionValues)[values[j][0]] !== values[j][1]) return false
    }
    return true
  }

  /** The updates of the optimizer's next step. */
  updates(): UpdateSpec[] {
    const internals = this.optimizer as unknown as OptimizerInternals
    for (const group of this.optimizer.groups) group.refresh()
    this.known = this.optimizer.groups.map(({ values, kernel, spans }) => ({
      values: Object.entries(values).filter(([name]) => name !== 'learningRate'),
      ...{ kernel, spans },
    }))
    this.hyperKey = JSON.stringify(this.optimizer.groups.map(({ values }) => Object.entries(atUnitRate(this.optimizer, values))))
    return this.optimizer.groups.flatMap(({ values, spans }, group) => {
      const { kernel, numbers } = internals.rule(values) as UpdateRule
      const names = scaledByRateOf(this.optimizer, values)
      const isScaled = numbers(Object.fromEntries((names ?? []).map((name) => [name, 1])) as never)
      const scaledByRate = isScaled.reduce((bits, is, i) => bits | ((is ?? 0) << (SHARED_HYPER + i)), names === null ? 0 : 1 << DECOUPLED)
      return spans.map(({ t, scalars }, span) => {
        const count = SHARED_HYPER + internals.hyper(values, t + 1, { ...scalars }).length
        return { group, span, kernel, count, scaledByRate }
      })
    })
  }

  /** True if the optimizer has work before the first update of a parameter. */
  get begins(): boolean {
    return (this.optimizer as unknown as OptimizerInternals).begin !== (Optimizer.prototype as unknown as OptimizerInternals).begin
  }

  /** Lets the optimizer do this work for parameters that have had no update. */
  begin(): void {
    for (const group of this.optimizer.groups)
      for (const span of group.spans) if (span.t === 0) (this.optimizer as unknown as OptimizerInternals).begin(group, span)
  }

  /** Counts taken steps; `scalars` are the values after them. */
  advance(steps: number, scalars: readonly Scalars[]): void {
    const { optimizer } = this
    optimizer.stepCount += steps
    let i = 0
    for (const group of optimizer.groups) {
      for (const span of group.spans) {
        span.t += steps
        const after = scalars[i++]
        for (const name in after) span.scalars[name] = after[name]
      }
      group.markUsed()
    }
  }
}

/** The hyper-parameters that are proportional to the learning rate; null if they are not known. */
export function scaledByRateOf(optimizer: Optimizer, values: object): readonly string[] | null {
  return (isTrueOfNumbers(optimizer) && (optimizer as unknown as OptimizerInternals).rule(values)?.scaledByRate) || null
}

/** The options at a learning rate of 1, if the hyper-parameters at any other rate follow from those at 1. */
export function atUnitRate(optimizer: Optimizer, values: object): OptionValues {
  return { ...values, ...(scaledByRateOf(optimizer, values) === null ? {} : { learningRate: 1 }) }
}
