/**
 * Tables of the hyper-parameters of the next steps' updates, such as step sizes with their bias correction. An optimizer's own methods give
 * them, in doubles; nets that differ in nothing but their learning rate share a table ({@link Optimizer.scaledByRate}), and the rate of each is multiplied
 * in by a kernel (crate/abi/fleet.rs).
 */
import type { Heap } from '../../backend/heap.js'
import { type Ptr, SHARED_HYPER } from '../../backend/kernels.js'
import type { GroupOptions } from '../../optim/base/input.js'
import type { OptimizerInternals } from '../../optim/base/internals.js'
import { Optimizer } from '../../optim/base/optimizer.js'
import type { ParameterSpan, Scalars } from '../../optim/base/span.js'
import { isTrueOfNumbers } from '../fast/step-planner.js'

type Values = Readonly<Record<string, unknown>>

/** The index of the decoupled decay among the hyper-parameters that all kernels have. */
const DECOUPLED = 2

/** One update of a step: the span of parameters of an optimizer that it covers, and the kernel that does it. */
export interface UpdateSpec {
  group: number
  span: number
  /** Name of the kernel for one net. */
  kernel: string
  /** How many hyper-parameters it takes, with those that all kernels have. */
  count: number
  /** A bit for each hyper-parameter that is to be multiplied by the learning rate. */
  scaledByRate: number
}

/** The optimizer of a member, as a fleet sees it: which updates it makes, whether that has changed, and how many were made. */
export class MemberOptimizer {
  /** Options, kernels and spans of when {@link updates} was asked last. */
  private known: { values: [name: string, value: unknown][]; kernel: unknown; spans: readonly ParameterSpan[] }[] = []
  /** The options that hyper-parameters are computed from, as text, without a learning rate that is multiplied in later: where it is equal, nets share a table. */
  hyperKey = ''

  constructor(readonly optimizer: Optimizer) {}

  /** Whether options other than the learning rate, and what has a gradient, are what they were when {@link updates} was asked. */
  isUnchanged(): boolean {
    const { groups } = this.optimizer
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]
      group.refresh()
      const { values, kernel, spans } = this.known[i]
      if (group.kernel !== kernel || group.spans !== spans) return false
      for (let j = 0; j < values.length; j++) if ((group.values as Values)[values[j][0]] !== values[j][1]) return false
    }
    return true
  }

  /** The updates of its next step. */
  updates(): UpdateSpec[] {
    const internals = this.optimizer as unknown as OptimizerInternals
    for (const group of this.optimizer.groups) group.refresh()
    this.known = this.optimizer.groups.map(({ values, kernel, spans }) => ({
      values: Object.entries(values).filter(([name]) => name !== 'learningRate'),
      ...{ kernel, spans },
    }))
    this.hyperKey = JSON.stringify(this.optimizer.groups.map(({ values }) => Object.entries(atUnitRate(this.optimizer, values))))
    return this.optimizer.groups.flatMap(({ values, spans }, group) => {
      const scaledByRate = scaledByRateOf(this.optimizer, values)
      const names = internals.hyperNames(values)
      return spans.map(({ t, scalars }, span) => ({
        group,
        span,
        kernel: internals.kernel(values) ?? '',
        count: SHARED_HYPER + internals.hyper(values, t + 1, { ...scalars }).length,
        scaledByRate: (scaledByRate ?? []).reduce(
          (bits, name) => bits | (1 << (SHARED_HYPER + names.indexOf(name))),
          scaledByRate === null ? 0 : 1 << DECOUPLED,
        ),
      }))
    })
  }

  /** Whether it does something before the first update of a parameter. */
  get begins(): boolean {
    return (this.optimizer as unknown as OptimizerInternals).begin !== (Optimizer.prototype as unknown as OptimizerInternals).begin
  }

  /** What it does then. */
  begin(): void {
    for (const group of this.optimizer.groups)
      for (const span of group.spans) if (span.t === 0) (this.optimizer as unknown as OptimizerInternals).begin(group, span)
  }

  /** Counts steps that were taken; scalars are what they are after them. */
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

/** The hyper-parameters of some steps: of which options and counts they are, where they are, and which scalars come after them. */
export interface HyperTable {
  /** {@link MemberOptimizer.hyperKey}; null for a table that no other net shares. */
  hyperKey: string | null
  optimizer: Optimizer | null
  values: Values[]
  counts: number[]
  scalars: Scalars[]
  steps: number
  /** Scalars after the last of the steps, and after each; none where there are no scalars. */
  after: Scalars[]
  afterEach: Scalars[][]
  address: Ptr
  /** The number of the last request for it. */
  lastUsed: number
}

/** Tables for nets that are alike in their {@link UpdateSpec}. */
export class HyperTables {
  private readonly tables: HyperTable[]
  private readonly offsets: number[] = []
  private requests = 0

  /** @param tables at least as many as nets go on at once, eight on each thread */
  constructor(
    private readonly heap: Heap,
    private readonly updates: readonly UpdateSpec[],
    capacity: number,
    tables: number,
    allocate: (bytes: number) => Ptr,
  ) {
    let bytes = 0
    for (const { count } of updates) {
      this.offsets.push(bytes)
      bytes += 8 * count * capacity
    }
    this.tables = Array.from({ length: tables }, () => ({
      ...{ hyperKey: null, optimizer: null, values: [], counts: [], scalars: [], steps: 0, after: [], afterEach: [], lastUsed: 0 },
      address: allocate(bytes),
    }))
  }

  /** Bytes that one step adds: its row of a table, and the learning rate of each update. */
  static bytesOf(updates: readonly UpdateSpec[]): number {
    return updates.reduce((sum, { count }) => sum + 8 * (count + 1), 0)
  }

  /** Where the hyper-parameters of update i are in a table. */
  addressOf(table: Ptr, i: number): Ptr {
    return table + this.offsets[i]
  }

  /** A table for the next steps of an optimizer: one that is there, or a new one. */
  forSteps({ optimizer, hyperKey }: MemberOptimizer, steps: number): HyperTable {
    const now = ++this.requests
    let oldest = this.tables[0]
    for (const table of this.tables) {
      if (table.hyperKey === hyperKey && table.steps >= steps && beginsAtNextStep(table, optimizer)) {
        table.lastUsed = now
        return table
      }
      if (table.lastUsed < oldest.lastUsed) oldest = table
    }
    this.start(oldest, optimizer)
    oldest.hyperKey = hyperKey
    oldest.lastUsed = now
    while (oldest.steps < steps) this.addStep(oldest)
    return oldest
  }

  /** An empty table for a net whose options another may not share; {@link addStep} fills it. */
  empty(optimizer: Optimizer): HyperTable {
    const table = this.tables.reduce((oldest, other) => (other.lastUsed < oldest.lastUsed ? other : oldest))
    this.start(table, optimizer)
    table.lastUsed = ++this.requests
    return table
  }

  /** The scalars after so many of its steps, at least one. */
  scalarsAfter({ after, afterEach }: HyperTable, steps: number): readonly Scalars[] {
    return afterEach[steps - 1] ?? after
  }

  private start(table: HyperTable, optimizer: Optimizer): void {
    table.optimizer = optimizer
    table.hyperKey = null
    table.steps = 0
    table.values = optimizer.groups.map(({ values }) => atUnitRate(optimizer, values))
    table.counts = optimizer.groups.flatMap(({ spans }) => spans.map(({ t }) => t))
    table.scalars = copies(optimizer.groups.flatMap(({ spans }) => spans.map(({ scalars }) => scalars)))
    table.after = copies(table.scalars)
    table.afterEach = []
  }

  /** The hyper-parameters of one step more: by the options as they are in the table, or as an optimizer has them now. */
  addStep(table: HyperTable, live?: Optimizer): void {
    const { doubles } = this.heap
    const { values, counts, after, steps } = table
    const internals = table.optimizer as unknown as OptimizerInternals
    for (let i = 0; i < this.updates.length; i++) {
      const { group, count } = this.updates[i]
      // a group of an optimizer may be one whose rate is multiplied in later, beside one where it is not
      const own = live === undefined ? values[group] : atUnitRate(live, live.groups[group].values)
      const hyper = internals.hyper(own, counts[i] + 1 + steps, after[i])
      const row = this.addressOf(table.address, i) / 8 + steps * count
      doubles[row] = (own as GroupOptions).maximize ? -1 : 1
      doubles[row + 1] = internals.coupledDecay(own)
      doubles[row + DECOUPLED] = internals.decoupledDecay(own, hyper)
      for (let k = 0; k < hyper.length; k++) doubles[row + SHARED_HYPER + k] = hyper[k]
    }
    table.steps++
    if (after.some((scalars) => Object.keys(scalars).length > 0)) table.afterEach.push(copies(after))
  }
}

function copies(scalars: readonly Scalars[]): Scalars[] {
  return scalars.map((scalars) => ({ ...scalars }))
}

/** Which hyper-parameters are proportional to the learning rate; null where it is not known. */
export function scaledByRateOf(optimizer: Optimizer, values: object): readonly string[] | null {
  return isTrueOfNumbers('scaledByRate', optimizer) ? (optimizer as unknown as OptimizerInternals).scaledByRate(values) : null
}

/** The options at a learning rate of 1, where the hyper-parameters at any other can be had from those at 1. */
function atUnitRate(optimizer: Optimizer, values: object): Values {
  return { ...values, ...(scaledByRateOf(optimizer, values) === null ? {} : { learningRate: 1 }) }
}

/** Whether a table begins at the next step of an optimizer with the same options. */
function beginsAtNextStep({ counts, scalars }: HyperTable, { groups }: Optimizer): boolean {
  let i = 0
  for (let j = 0; j < groups.length; j++) {
    for (const span of groups[j].spans) {
      if (counts[i] !== span.t) return false
      const known = scalars[i++]
      for (const name in span.scalars) if (known[name] !== span.scalars[name]) return false
    }
  }
  return true
}
