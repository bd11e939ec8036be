/**
 * Tables of the hyper-parameters of the next steps' updates, such as step sizes with their bias correction. An optimizer's own methods give
 * them, in doubles; nets that differ in nothing but their learning rate share a table ({@link UpdateRule.scaledByRate}), and the rate of each is multiplied
 * in by a kernel (crate/abi/fleet.rs).
 */
import type { Heap } from '../../backend/heap.js'
import { type Ptr, SHARED_HYPER } from '../../backend/kernels.js'
import type { GroupOptions } from '../../optim/base/input.js'
import type { OptimizerInternals } from '../../optim/base/internals.js'
import type { Optimizer } from '../../optim/base/optimizer.js'
import type { Scalars } from '../../optim/base/span.js'
import { atUnitRate, DECOUPLED, type MemberOptimizer, type OptionValues, type UpdateSpec } from './member-optimizer.js'

/** The hyper-parameters of the updates of some steps, a row for each step. Lists with an entry per update have the order of the updates. */
export interface HyperTable {
  /** The {@link MemberOptimizer.hyperKey} of the nets that can use the table; null for a table that no other net shares. */
  hyperKey: string | null
  /** An optimizer with these options, whose methods compute the numbers. */
  optimizer: Optimizer | null
  /** The options of each of its groups. */
  values: OptionValues[]
  /** Number of earlier updates before the first row, for each update. */
  counts: number[]
  /** The scalars before the first row, for each update. */
  scalars: Scalars[]
  /** Number of rows. */
  steps: number
  /** The scalars after the last row. */
  after: Scalars[]
  /** The scalars after each row; empty if the optimizer has no scalars. */
  afterEach: Scalars[][]
  address: Ptr
  /** The number of the last request for this table. */
  lastUsed: number
}

/** Tables for members with equal updates ({@link UpdateSpec}). */
export class HyperTables {
  private readonly tables: HyperTable[]
  private readonly offsets: number[] = []
  private requests = 0

  /** @param tables at least the number of nets that run at once, eight on each thread */
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

  /** Address of the hyper-parameters of update i in a table. */
  addressOf(table: Ptr, i: number): Ptr {
    return table + this.offsets[i]
  }

  /** A table for the next steps of an optimizer: one that another net made, or else the least recently used one, refilled. */
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

  /** An empty table for a net that shares none; {@link addStep} fills it. */
  empty(optimizer: Optimizer): HyperTable {
    const table = this.tables.reduce((oldest, other) => (other.lastUsed < oldest.lastUsed ? other : oldest))
    this.start(table, optimizer)
    table.lastUsed = ++this.requests
    return table
  }

  /** The scalars of a table after the given number of its steps, at least one. */
  scalarsAfter({ after, afterEach }: HyperTable, steps: number): readonly Scalars[] {
    return afterEach[steps - 1] ?? after
  }

  /** Empties a table, whose first row will be the next step of an optimizer. */
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

  /** Adds the row of one more step: with the options of the table, or with an optimizer's present options. */
  addStep(table: HyperTable, live?: Optimizer): void {
    const { doubles } = this.heap
    const { values, counts, after, steps } = table
    const internals = table.optimizer as unknown as OptimizerInternals
    for (let i = 0; i < this.updates.length; i++) {
      const { group, count } = this.updates[i]
      // one group of an optimizer may have its rate multiplied in later, while another does not
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

/** True if a table begins at the next step of an optimizer with the same options. */
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
