/** Fleets: nets of one step key ({@link stepKeyOf}), which are trained side by side, eight at a time. */

import type { Pacer } from '../../common/pacer.js'
import type { Batches } from '../batches.js'
import { EpochOrders } from '../orders.js'
import { NETS } from './batching-rules.js'
import { type CompiledStep, compileStep } from './compiled-step.js'
import { FleetProgram } from './fleet-program.js'
import { orderKeyOf } from './keys.js'
import type { Member } from './member.js'
import { Round, type RoundFleet } from './round.js'

/** Actions for a net that leaves its fleet. */
export interface LeaveHandlers {
  /** The net took its last step, or was stopped. */
  finished(member: Member): Promise<void>
  /** An error ended its training. */
  failed(member: Member, error: unknown): Promise<void>
  /** The net has changed, and continues alone. */
  changed(member: Member): void
}

export class Fleet implements RoundFleet {
  readonly batches: Batches
  readonly sharesRows: boolean
  readonly keepsPredictions: boolean
  readonly spansEpochs: boolean
  /** Compiled steps for members, by their number of rows and {@link Member.updateKey}. */
  private readonly compiled = new Map<string, CompiledStep>()
  /** The orders of rows, by {@link orderKeyOf}: the orders of one seed are drawn once for all nets. */
  private readonly orders = new Map<string, EpochOrders>()
  private readonly threads: number

  /** @throws CannotBatch if the nets cannot run side by side, OutOfMemoryError */
  constructor(
    private members: Member[],
    private readonly handlers: LeaveHandlers,
  ) {
    const [first] = members
    const { plan, training, parameters } = first
    const orderKey = orderKeyOf(plan.options)
    this.batches = training.batches
    this.threads = parameters[0].backend.threads
    this.sharesRows = members.every(({ plan: { rows, options } }) => rows === plan.rows && orderKeyOf(options) === orderKey)
    this.keepsPredictions = training.keepsPredictions
    this.spansEpochs = members.every(({ training }) => training.limits.spansEpochs)
    try {
      this.compiledFor(first)
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** Trains all members; lets other tasks run when the pacer says so. */
  async train(pacer: Pacer, report: () => void): Promise<void> {
    try {
      while (this.members.length > 0) {
        const over = this.members.filter((member) => member.isOver)
        if (over.length > 0) this.members = this.members.filter((member) => !member.isOver)
        for (const member of over) {
          member.returnGradients()
          await this.handlers.finished(member)
        }
        this.forgetOrders()
        const groups = await this.groups()
        for (let from = 0, to = 0; from < groups.length; from = to) {
          const [{ isOver, step }] = groups[from]
          // a signal ends all nets, including those that have not had their turn
          if (isOver) break
          // rows may be staged once for all nets, so nets at another step have to wait
          do to++
          while (to < Math.min(from + this.threads, groups.length) && groups[to][0].step === step)
          await this.takeRounds(groups.slice(from, to))
          report()
          if (pacer.isDue) await pacer.pause()
        }
      }
    } finally {
      this.release()
    }
  }

  ordersOf({ plan }: Member): EpochOrders {
    const key = orderKeyOf(plan.options)
    let orders = this.orders.get(key)
    if (orders === undefined) this.orders.set(key, (orders = new EpochOrders(plan)))
    return orders
  }

  has(member: Member): boolean {
    return this.members.includes(member)
  }

  async fail(member: Member, error: unknown): Promise<void> {
    this.remove(member)
    await this.handlers.failed(member, error)
  }

  private remove(member: Member): void {
    this.members = this.members.filter((other) => other !== member)
    member.returnGradients()
  }

  private release(): void {
    for (const compiled of this.compiled.values()) compiled.release()
    this.compiled.clear()
  }

  /** Forgets the orders of epochs that all nets are past. */
  private forgetOrders(): void {
    if (this.members.length === 0) return
    const least = this.members.reduce((least, { step }) => Math.min(least, step), Number.POSITIVE_INFINITY)
    for (const orders of this.orders.values()) orders.forgetBefore(this.batches.epochOf(least))
  }

  /** The members that can continue, in groups of up to eight with the same step and the same {@link Member.updateKey}. */
  private async groups(): Promise<Member[][]> {
    const byKey = new Map<string, Map<number, Member[]>>()
    for (const member of this.members) {
      try {
        if (!member.prepare()) {
          this.remove(member)
          this.handlers.changed(member)
          continue
        }
      } catch (error) {
        await this.fail(member, error)
        continue
      }
      let byStep = byKey.get(member.updateKey)
      if (byStep === undefined) byKey.set(member.updateKey, (byStep = new Map()))
      const list = byStep.get(member.step)
      if (list === undefined) byStep.set(member.step, [member])
      else list.push(member)
    }
    const groups: Member[][] = []
    for (const byStep of byKey.values())
      for (const list of byStep.values()) for (let i = 0; i < list.length; i += NETS) groups.push(list.slice(i, i + NETS))
    return groups
  }

  /** A round of each group, at once: there are no more groups than threads. */
  private async takeRounds(groups: readonly (readonly Member[])[]): Promise<void> {
    const rounds: Round[] = []
    for (const group of groups) {
      // callbacks of nets that have had their round may have changed the others
      const members = group.filter((member) => member.hasSameLayers)
      if (members.length === 0) continue
      const compiled = this.compiledFor(members[0])
      const round = await Round.plan(this, members, compiled, compiled.workspaces[rounds.length])
      if (round !== null) rounds.push(round)
    }
    if (rounds.length === 0) return
    FleetProgram.runAll(rounds)
    for (const round of rounds) await round.finish()
  }

  private compiledFor(member: Member): CompiledStep {
    const size = this.batches.sizeOf(member.step)
    const key = `${size} ${member.updateKey}`
    let compiled = this.compiled.get(key)
    if (compiled === undefined) this.compiled.set(key, (compiled = compileStep(member, size, this)))
    return compiled
  }
}
