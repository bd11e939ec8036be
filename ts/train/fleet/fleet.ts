/** Nets of one shape that are trained side by side, eight at a time. */
import type { FloatArray, Heap } from '../../backend/heap.js'
import { traitsOf } from '../../loss/loss.js'
import type { Batches } from '../batches.js'
import { stepFailed } from '../diverged.js'
import { EpochOrders } from '../orders.js'
import type { Pacer } from '../pacer.js'
import { checkTargets, type Plan } from '../plan.js'
import { NETS } from './batching-rules.js'
import { FleetProgram, type NetBuffers } from './fleet-program.js'
import { type Kind, makeKind, type Workspace } from './kind.js'
import { LossSums, NetBlock } from './loss-sums.js'
import type { Member, PlannedSteps } from './member.js'

/** What is done with a net that leaves its fleet before its last step. */
export interface LeaveHandlers {
  /** An error ended its training. */
  failed(member: Member, error: unknown): Promise<void>
  /** It is another net now, and goes on alone. */
  changed(member: Member): void
}

/** Up to eight nets that a program runs, and their next steps. */
interface FleetRun {
  kind: Kind
  program: FleetProgram
  nets: { member: Member; planned: PlannedSteps; buffers: NetBuffers }[]
  steps: number
}

/** Trains all members. They have one shape, one loss, optimizers of one class, and equally many rows. */
export class Fleet {
  readonly batches: Batches
  private readonly kinds = new Map<string, Kind>()
  /** Orders of the same seed are drawn once for all nets. */
  private readonly orders = new Map<string, EpochOrders>()
  /** Whether all see the same rows. */
  readonly isShared: boolean
  readonly keepsPredictions: boolean
  private readonly spansEpochs: boolean
  private readonly heap: Heap
  private readonly threads: number

  /** @throws CannotBatch where the nets cannot go side by side, OutOfMemoryError */
  constructor(
    private members: Member[],
    private readonly handlers: LeaveHandlers,
  ) {
    const [first] = members
    const { plan, run, parameters } = first
    this.batches = run.batches
    this.heap = parameters[0].backend.heap
    this.threads = parameters[0].backend.threads
    this.isShared = members.every(({ plan: { rows, options } }) => rows === plan.rows && orderOf(options) === orderOf(plan.options))
    this.keepsPredictions = run.keepsPredictions
    this.spansEpochs = members.every(({ run }) => run.limits.spansEpochs)
    try {
      this.kindOf(first)
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** Steps until each member is over, which `done` is told; gives way to other tasks when the pacer says. */
  async train(pacer: Pacer, done: (member: Member) => Promise<void>, report: () => void): Promise<void> {
    try {
      while (this.members.length > 0) {
        const over = this.members.filter((member) => member.isOver)
        if (over.length > 0) this.members = this.members.filter((member) => !member.isOver)
        for (const member of over) {
          member.returnGradients()
          await done(member)
        }
        this.forgetOrders()
        const groups = await this.groups()
        for (let from = 0, to = 0; from < groups.length; from = to) {
          const [{ isOver, step }] = groups[from]
          // a signal ends all, also those that have not had their turn
          if (isOver) break
          // rows may be laid out once for all, so that those at another step have to wait
          do to++
          while (to < Math.min(from + this.threads, groups.length) && groups[to][0].step === step)
          await this.advance(groups.slice(from, to))
          report()
          if (pacer.isDue) await pacer.pause()
        }
      }
    } finally {
      this.release()
    }
  }

  private release(): void {
    for (const kind of this.kinds.values()) kind.release()
    this.kinds.clear()
  }

  private ordersOf({ plan }: Member): EpochOrders {
    const key = orderOf(plan.options)
    let orders = this.orders.get(key)
    if (orders === undefined) this.orders.set(key, (orders = new EpochOrders(plan)))
    return orders
  }

  /** Those of epochs that all nets are past. */
  private forgetOrders(): void {
    if (this.members.length === 0) return
    const least = this.members.reduce((least, { step }) => Math.min(least, step), Number.POSITIVE_INFINITY)
    for (const orders of this.orders.values()) orders.forgetBefore(this.batches.epochOf(least))
  }

  /** Up to eight at a time, all at the same step and alike. */
  private async groups(): Promise<Member[][]> {
    const alike = new Map<string, Map<number, Member[]>>()
    for (const member of this.members) {
      try {
        if (!member.prepare()) {
          this.leave(member)
          continue
        }
      } catch (error) {
        await this.fail(member, error)
        continue
      }
      let byStep = alike.get(member.layout)
      if (byStep === undefined) alike.set(member.layout, (byStep = new Map()))
      const list = byStep.get(member.step)
      if (list === undefined) byStep.set(member.step, [member])
      else list.push(member)
    }
    const groups: Member[][] = []
    for (const byStep of alike.values())
      for (const list of byStep.values()) for (let i = 0; i < list.length; i += NETS) groups.push(list.slice(i, i + NETS))
    return groups
  }

  /** Takes the next steps of up to eight nets that are at the same step, of as many such groups as there are threads. */
  private async advance(groups: readonly (readonly Member[])[]): Promise<void> {
    const runs: FleetRun[] = []
    for (const members of groups) {
      // callbacks of nets that had their turn may have changed these
      const group = members.filter((member) => member.hasSameLayers)
      if (group.length === 0) continue
      const kind = this.kindOf(group[0])
      const run = await this.ready(group, kind, kind.workspaces[runs.length])
      if (run !== null) runs.push(run)
    }
    if (runs.length === 0) return
    FleetProgram.runAll(runs)
    for (const run of runs) await this.finish(run)
  }

  /** Plans the next steps and brings everything in that they need; null where no net can go on. */
  private async ready(group: readonly Member[], kind: Kind, { program, rows }: Workspace): Promise<FleetRun | null> {
    const [{ step }] = group
    let steps = this.batches.ahead(step, kind.capacity, this.spansEpochs)
    const nets: FleetRun['nets'] = []
    for (const member of group) {
      try {
        // no more than those before it
        const planned = member.planSteps(kind.tables, program.ratesOf(nets.length), kind.capacity, steps)
        steps = planned.steps
        nets.push({ member, planned, buffers: buffersOf(member, planned, kind) })
      } catch (error) {
        await this.fail(member, error)
      }
    }
    if (nets.length === 0) return null
    if (!rows.isStaged(step, steps)) {
      const sources = this.isShared ? nets.slice(0, 1) : nets
      try {
        rows.stage(
          step,
          steps,
          sources.map(({ member }) => ({ rows: member.plan.rows, ranges: this.batches.ranges(this.ordersOf(member), step, steps) })),
        )
      } catch (error) {
        const refused = nets.flatMap(({ member }) => refusedTargets(member))
        if (refused.length === 0) throw error
        for (const { member, error } of refused) await this.fail(member, error)
        // the others plan their next steps again
        return null
      }
    }
    program.loadNets(nets.map(({ buffers }) => buffers))
    return { kind, program, nets, steps }
  }

  /** Each net takes what became of it: all steps, or those before a loss that is not finite. */
  private async finish(run: FleetRun): Promise<void> {
    const { program, nets, steps } = run
    const [{ member }] = nets
    const losses = new LossSums(this.heap.floats, program.losses / 4, { first: member.step, steps, nets }, this.batches)
    const done = nets.map((_, net) => losses.finite(net))
    const allFinite = done.every((count) => count === steps)
    // callbacks may make the memory grow, which ends views of it
    if (this.keepsPredictions || !allFinite) losses.keep()
    program.storeNets(nets.map(({ buffers }, net) => (done[net] === steps ? buffers : null)))
    for (const net of nets.keys()) {
      if (done[net] < steps) continue
      const pending = this.accept(run, net, steps, losses)
      if (pending !== undefined) await pending
    }
    if (allFinite) return
    for (const net of nets.keys()) if (done[net] < steps) await this.rerunFiniteSteps(run, net, done[net], losses.losses)
  }

  /** A net whose loss is not finite takes the good steps again by itself, on the rows that are still there. */
  private async rerunFiniteSteps(run: FleetRun, net: number, done: number, losses: FloatArray): Promise<void> {
    const { program, kind } = run
    const { member, buffers } = run.nets[net]
    if (done > 0) {
      const alone = run.nets.map((_, i) => (i === net ? buffers : null))
      program.loadNets(alone)
      program.run(done)
      program.storeNets(alone)
    }
    const first = member.step
    await this.accept(run, net, done, new LossSums(losses, 0, { first, steps: done, nets: run.nets }, this.batches))
    // the step that failed had its forward pass
    for (const { generator, perStep } of kind.counters) member.generators[generator].counter += perStep
    if (!this.members.includes(member)) return
    member.setRate(0)
    await this.fail(member, stepFailed(member.plan, losses[NETS * done + net], this.batches.positionOf(first + done)))
  }

  /** Counts steps of a net; its training hears of them. A promise only where there is something to wait for. */
  private accept(run: FleetRun, net: number, done: number, losses: LossSums): Promise<void> | undefined {
    const { member, planned } = run.nets[net]
    const { tables, counters } = run.kind
    const first = member.step
    member.advance(planned, tables, done)
    for (const { generator, perStep } of counters) member.generators[generator].counter += perStep * done
    if (done === 0) return undefined
    try {
      const block = new NetBlock(member, first, done, this.batches.sizeOf(first), net, losses, run.program.outputs(net, done))
      return member.accept(block)?.catch((error) => this.fail(member, error))
    } catch (error) {
      return this.fail(member, error)
    }
  }

  private async fail(member: Member, error: unknown): Promise<void> {
    this.members = this.members.filter((other) => other !== member)
    member.returnGradients()
    await this.handlers.failed(member, error)
  }

  /** A net that is another now goes on alone. */
  private leave(member: Member): void {
    this.members = this.members.filter((other) => other !== member)
    member.returnGradients()
    this.handlers.changed(member)
  }

  /** What the next step of a member needs. */
  private kindOf(member: Member): Kind {
    const size = this.batches.sizeOf(member.step)
    const key = `${size} ${member.layout}`
    let kind = this.kinds.get(key)
    if (kind === undefined) this.kinds.set(key, (kind = makeKind(member, size, this)))
    return kind
  }
}

/** Whether a member has targets that its loss refuses, since a callback edited them: then the error that names the row. */
function refusedTargets(member: Member): { member: Member; error: unknown }[] {
  const { model, rows, options } = member.plan
  try {
    if (traitsOf(options.loss)?.checksTargets) checkTargets(model, rows, options.loss, 'fit: targets')
    return []
  } catch (error) {
    return [{ member, error }]
  }
}

/** What {@link EpochOrders} of equally many rows depend on. */
function orderOf({ shuffle = true, seed = 0 }: Plan['options']): string {
  return shuffle ? `seed ${seed}` : 'as given'
}

function buffersOf({ parameters, optimizer, generators }: Member, { table, rates }: PlannedSteps, { draws }: Kind): NetBuffers {
  return {
    ...{ parameters, optimizer, rates, hyper: table.address },
    draws: draws.map(({ generator, offset, rate }) => {
      const { seedLow, seedHigh, stream, counter } = generators[generator]
      return { low: seedLow, high: seedHigh, stream, counter: counter + offset, rate }
    }),
  }
}
