/**
 * Rounds: steps that up to eight nets take together. A round interleaves the parameters and states of its nets, runs several steps as one program,
 * and copies the results back, so that between rounds each net is in the same state as in `fit`.
 */
import type { FloatArray } from '../../backend/heap.js'
import { traitsOf } from '../../loss/loss.js'
import { stepFailed } from '../diverged.js'
import type { EpochOrders } from '../orders.js'
import { checkTargets } from '../plan.js'
import { NETS } from './batching-rules.js'
import type { CompiledStep, FleetTraits, Workspace } from './compiled-step.js'
import type { FleetProgram, NetBuffers } from './fleet-program.js'
import { LossSums, NetBlock } from './loss-sums.js'
import type { Member, PlannedSteps } from './member.js'

/** Properties of a fleet that a round needs. */
export interface RoundFleet extends FleetTraits {
  /** True if a round may continue beyond the end of an epoch. */
  readonly spansEpochs: boolean
  ordersOf(member: Member): EpochOrders
  has(member: Member): boolean
  /** An error ends the training of a member. */
  fail(member: Member, error: unknown): Promise<void>
}

/** A net of a round. */
interface RoundNet {
  member: Member
  planned: PlannedSteps
  buffers: NetBuffers
}

export class Round {
  readonly program: FleetProgram
  readonly steps: number
  private readonly fleet: RoundFleet
  private readonly compiled: CompiledStep
  private readonly nets: readonly RoundNet[]

  private constructor(fleet: RoundFleet, compiled: CompiledStep, program: FleetProgram, nets: readonly RoundNet[], steps: number) {
    this.fleet = fleet
    this.compiled = compiled
    this.program = program
    this.nets = nets
    this.steps = steps
  }

  /** Plans the next steps of members that are all at the same step, and loads everything that they need; null if no net can continue. */
  static async plan(
    fleet: RoundFleet,
    members: readonly Member[],
    compiled: CompiledStep,
    { program, rows }: Workspace,
  ): Promise<Round | null> {
    const { batches } = fleet
    const { capacity, tables } = compiled
    const [{ step }] = members
    let steps = batches.ahead(step, capacity, fleet.spansEpochs)
    const nets: RoundNet[] = []
    for (const member of members) {
      try {
        // a net plans at most as many steps as the earlier nets
        const planned = member.planSteps(tables, program.ratesOf(nets.length), capacity, steps)
        steps = planned.steps
        nets.push({ member, planned, buffers: buffersOf(member, planned, compiled) })
      } catch (error) {
        await fleet.fail(member, error)
      }
    }
    if (nets.length === 0) return null
    if (!rows.isStaged(step, steps)) {
      const sources = fleet.sharesRows ? nets.slice(0, 1) : nets
      try {
        rows.stage(
          step,
          steps,
          sources.map(({ member }) => ({ rows: member.plan.rows, ranges: batches.ranges(fleet.ordersOf(member), step, steps) })),
        )
      } catch (error) {
        const refused = nets.flatMap(({ member }) => refusedTargets(member))
        if (refused.length === 0) throw error
        for (const { member, error } of refused) await fleet.fail(member, error)
        // the refused nets have left their fleet, so the others form new groups of eight
        return null
      }
    }
    program.loadNets(nets.map(({ buffers }) => buffers))
    return new Round(fleet, compiled, program, nets, steps)
  }

  /** Each net takes its results: all steps, or the steps before a loss that is not finite. */
  async finish(): Promise<void> {
    const { fleet, program, nets, steps } = this
    const [{ member }] = nets
    const { floats } = member.parameters[0].backend.heap
    const losses = new LossSums(floats, program.losses / 4, { first: member.step, steps, nets }, fleet.batches)
    const done = nets.map((_, net) => losses.finite(net))
    const allFinite = done.every((count) => count === steps)
    // callbacks may make the memory grow, which invalidates views of it
    if (fleet.keepsPredictions || !allFinite) losses.keep()
    program.storeNets(nets.map(({ buffers }, net) => (done[net] === steps ? buffers : null)))
    for (const net of nets.keys()) {
      if (done[net] < steps) continue
      const pending = this.accept(net, steps, losses)
      if (pending !== undefined) await pending
    }
    if (allFinite) return
    for (const net of nets.keys()) if (done[net] < steps) await this.rerunFiniteSteps(net, done[net], losses.losses)
  }

  /** A net whose loss is not finite repeats the good steps alone, on the rows that are still staged, and its training fails. */
  private async rerunFiniteSteps(net: number, done: number, losses: FloatArray): Promise<void> {
    const { fleet, program, compiled, nets } = this
    const { member, buffers } = nets[net]
    if (done > 0) {
      const alone = nets.map((_, i) => (i === net ? buffers : null))
      program.loadNets(alone)
      program.run(done)
      program.storeNets(alone)
    }
    const first = member.step
    await this.accept(net, done, new LossSums(losses, 0, { first, steps: done, nets }, fleet.batches))
    // the failed step has run its forward pass, which drew random numbers
    for (const { generator, perStep } of compiled.counters) member.generators[generator].counter += perStep
    if (!fleet.has(member)) return
    member.setRate(0)
    await fleet.fail(member, stepFailed(member.plan, losses[NETS * done + net], fleet.batches.positionOf(first + done)))
  }

  /** Counts steps of a net and reports them to its training. Returns a promise only if there is something to wait for. */
  private accept(net: number, done: number, losses: LossSums): Promise<void> | undefined {
    const { fleet, program } = this
    const { member, planned } = this.nets[net]
    const { tables, counters } = this.compiled
    const first = member.step
    member.advance(planned, tables, done)
    for (const { generator, perStep } of counters) member.generators[generator].counter += perStep * done
    if (done === 0) return undefined
    try {
      const block = new NetBlock(member, first, done, fleet.batches.sizeOf(first), net, losses, program.outputs(net, done))
      return member.accept(block)?.catch((error) => fleet.fail(member, error))
    } catch (error) {
      return fleet.fail(member, error)
    }
  }
}

function buffersOf({ parameters, optimizer, generators }: Member, { table, rates }: PlannedSteps, { draws }: CompiledStep): NetBuffers {
  return {
    ...{ parameters, optimizer, rates, hyper: table.address },
    draws: draws.map(({ generator, offset, rate }) => {
      const { seedLow, seedHigh, stream, counter } = generators[generator]
      return { low: seedLow, high: seedHigh, stream, counter: counter + offset, rate }
    }),
  }
}

/** Finds members with targets that their loss refuses, because a callback changed them: then the error names the row. */
function refusedTargets(member: Member): { member: Member; error: unknown }[] {
  const { model, rows, options } = member.plan
  try {
    if (traitsOf(options.loss)?.checksTargets) checkTargets(model, rows, options.loss, 'fit: targets')
    return []
  } catch (error) {
    return [{ member, error }]
  }
}
