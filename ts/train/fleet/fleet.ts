/** Nets of one shape that are trained side by side, eight at a time. */
import type { FloatArray, Heap } from '../../backend/heap.js'
import type { Ptr } from '../../backend/kernels.js'
import { traitsOf } from '../../loss/loss.js'
import type { Batches } from '../batches.js'
import { stepFailed } from '../diverged.js'
import type { StepBlock } from '../fast/index.js'
import { Recording } from '../fast/recording.js'
import { EpochOrders } from '../orders.js'
import type { Pacer } from '../pacer.js'
import { checkTargets, type Plan } from '../plan.js'
import { CannotBatch, NETS, onlyDenseTakes } from './batching-rules.js'
import { FleetProgram, type Passenger } from './fleet-program.js'
import type { Member, Planned } from './member.js'
import { NumberTables } from './numbers.js'
import { StagedRows } from './staged-rows.js'

/**
 * Most steps of a run, and most bytes of what differs between them, which is read once, in order. Before and after a run there is work in
 * JavaScript for each net: a few long runs take less of it than many short ones.
 */
const MAX_STEPS = 4096
const MAX_BYTES = 1 << 21

/** What becomes of a net that leaves its fleet before its last step. */
export interface Departures {
  /** An error ended its training. */
  failed(member: Member, error: unknown): Promise<void>
  /** It is another net now, and goes on alone. */
  changed(member: Member): void
}

/** Steps of so many rows, by nets whose parameters and updates are alike. */
interface Kind {
  recording: Recording
  tables: NumberTables
  /** Most steps of a run. */
  capacity: number
  /** One for each thread. */
  workspaces: readonly Workspace[]
  /** The generator that each dropout of the step draws from, by its number in a net, and how many draws came before. */
  draws: readonly { generator: number; offset: number; rate: number }[]
  /** Each of these generators once, and how often the step draws from it. */
  counters: readonly { generator: number; perStep: number }[]
  release(): void
}

/** Eight places for nets, and the rows that the nets in them see. */
interface Workspace {
  program: FleetProgram
  rows: StagedRows
}

/** Nets in the places of a program, and their next steps. */
interface Run {
  kind: Kind
  program: FleetProgram
  nets: { member: Member; planned: Planned; passenger: Passenger }[]
  steps: number
}

/** Trains all members. They have one shape, one loss, optimizers of one class, and equally many rows. */
export class Fleet {
  private readonly batches: Batches
  private readonly kinds = new Map<string, Kind>()
  /** Orders of the same seed are drawn once for all nets. */
  private readonly orders = new Map<string, EpochOrders>()
  /** Whether all see the same rows. */
  private readonly isShared: boolean
  private readonly keepsPredictions: boolean
  private readonly spansEpochs: boolean
  private readonly heap: Heap
  private readonly threads: number

  /** @throws CannotBatch where the nets cannot go side by side, OutOfMemoryError */
  constructor(
    private members: Member[],
    private readonly departures: Departures,
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
          const [{ isOver, at }] = groups[from]
          // a signal ends all, also those that have not had their turn
          if (isOver) break
          // rows may be laid out once for all, so that those at another step have to wait
          do to++
          while (to < Math.min(from + this.threads, groups.length) && groups[to][0].at === at)
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
    const least = this.members.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY)
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
      const list = byStep.get(member.at)
      if (list === undefined) byStep.set(member.at, [member])
      else list.push(member)
    }
    const groups: Member[][] = []
    for (const byStep of alike.values())
      for (const list of byStep.values()) for (let i = 0; i < list.length; i += NETS) groups.push(list.slice(i, i + NETS))
    return groups
  }

  /** Takes the next steps of up to eight nets that are at the same step, of as many such groups as there are threads. */
  private async advance(groups: readonly (readonly Member[])[]): Promise<void> {
    const runs: Run[] = []
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
  private async ready(group: readonly Member[], kind: Kind, { program, rows }: Workspace): Promise<Run | null> {
    const [{ at }] = group
    let steps = this.batches.ahead(at, kind.capacity, this.spansEpochs)
    const nets: Run['nets'] = []
    for (const member of group) {
      try {
        // no more than those before it
        const planned = member.planSteps(kind.tables, program.ratesOf(nets.length), kind.capacity, steps)
        steps = planned.steps
        nets.push({ member, planned, passenger: passengerOf(member, planned, kind) })
      } catch (error) {
        await this.fail(member, error)
      }
    }
    if (nets.length === 0) return null
    if (!rows.isStaged(at, steps)) {
      const sources = this.isShared ? nets.slice(0, 1) : nets
      try {
        rows.stage(
          at,
          steps,
          sources.map(({ member }) => ({ rows: member.plan.rows, ranges: this.batches.ranges(this.ordersOf(member), at, steps) })),
        )
      } catch (error) {
        const refused = nets.flatMap(({ member }) => refusedTargets(member))
        if (refused.length === 0) throw error
        for (const { member, error } of refused) await this.fail(member, error)
        // the others plan their next steps again
        return null
      }
    }
    program.enter(nets.map(({ passenger }) => passenger))
    return { kind, program, nets, steps }
  }

  /** Each net takes what became of it: all steps, or those before a loss that is not finite. */
  private async finish(run: Run): Promise<void> {
    const { program, nets, steps } = run
    const [{ member }] = nets
    const losses = new LossSums(this.heap.floats, program.losses / 4, { at: member.at, steps, nets }, this.batches)
    const done = nets.map((_, net) => losses.finite(net))
    const isWhole = done.every((count) => count === steps)
    // callbacks may make the memory grow, which ends views of it
    if (this.keepsPredictions || !isWhole) losses.keep()
    program.leave(nets.map(({ passenger }, net) => (done[net] === steps ? passenger : null)))
    for (const net of nets.keys()) {
      if (done[net] < steps) continue
      const pending = this.accept(run, net, steps, losses)
      if (pending !== undefined) await pending
    }
    if (isWhole) return
    for (const net of nets.keys()) if (done[net] < steps) await this.retake(run, net, done[net], losses.numbers)
  }

  /** A net whose loss is not finite takes the good steps again by itself, on the rows that are still there. */
  private async retake(run: Run, net: number, done: number, losses: FloatArray): Promise<void> {
    const { program, kind } = run
    const { member, passenger } = run.nets[net]
    if (done > 0) {
      const alone = run.nets.map((_, i) => (i === net ? passenger : null))
      program.enter(alone)
      program.run(done)
      program.leave(alone)
    }
    const { at } = member
    await this.accept(run, net, done, new LossSums(losses, 0, { at, steps: done, nets: run.nets }, this.batches))
    // the step that failed had its forward pass
    for (const { generator, perStep } of kind.counters) member.generators[generator].counter += perStep
    if (!this.members.includes(member)) return
    member.setRate(0)
    await this.fail(member, stepFailed(member.plan, losses[NETS * done + net], this.batches.positionOf(at + done)))
  }

  /** Counts steps of a net; its training hears of them. A promise only where there is something to wait for. */
  private accept(run: Run, net: number, done: number, losses: LossSums): Promise<void> | undefined {
    const { member, planned } = run.nets[net]
    const { tables, counters } = run.kind
    const { at } = member
    member.advance(planned, tables, done)
    for (const { generator, perStep } of counters) member.generators[generator].counter += perStep * done
    if (done === 0) return undefined
    try {
      const block = new NetBlock(member, at, done, this.batches.sizeOf(at), net, losses, run.program.outputs(net, done))
      return member.accept(block)?.catch((error) => this.fail(member, error))
    } catch (error) {
      return this.fail(member, error)
    }
  }

  private async fail(member: Member, error: unknown): Promise<void> {
    this.members = this.members.filter((other) => other !== member)
    member.returnGradients()
    await this.departures.failed(member, error)
  }

  /** A net that is another now goes on alone. */
  private leave(member: Member): void {
    this.members = this.members.filter((other) => other !== member)
    member.returnGradients()
    this.departures.changed(member)
  }

  /** What the next step of a member needs. */
  private kindOf(member: Member): Kind {
    const size = this.batches.sizeOf(member.at)
    const key = `${size} ${member.layout}`
    let kind = this.kinds.get(key)
    if (kind === undefined) this.kinds.set(key, (kind = this.makeKind(member, size)))
    return kind
  }

  private makeKind(member: Member, size: number): Kind {
    const { plan, parameters, generators, optimizer, shapes } = member
    const { model, options, rows } = plan
    const recording = new Recording({ model, loss: options.loss, rows }, size)
    const blocks: Ptr[] = []
    const workspaces: Workspace[] = []
    const release = () => {
      for (const { program } of workspaces.splice(0)) program.release()
      for (const block of blocks.splice(0)) this.heap.free(block)
      recording.release()
    }
    try {
      recordUnnoticed(recording, member, size)
      if (recording.obstacle !== null) throw new CannotBatch(recording.obstacle)
      if (recording.trained.length !== parameters.filter((p) => p.requiresGrad).length)
        throw new CannotBatch('a parameter without a gradient')
      const allocate = (bytes: number) => {
        const block = this.heap.allocate(bytes, 'zeros')
        blocks.push(block)
        return block
      }
      const sharesInputs = this.isShared && onlyDenseTakes(recording.calls, recording.batch[0].to.address)
      const judged = this.keepsPredictions ? (NETS + 1) * (recording.prediction.size + recording.targets.size) : 0
      const bytes = recording.batch.reduce(
        (sum, { to }, i) => sum + StagedRows.bytesOf(to, i === 0 && sharesInputs),
        4 * NETS + NumberTables.bytesOf(shapes) / NETS + 4 * judged,
      )
      const capacity = Math.max(1, Math.min(MAX_STEPS, this.batches.total, Math.floor(MAX_BYTES / bytes)))
      const tables = new NumberTables(this.heap, shapes, capacity, NETS * this.threads, allocate)
      for (let thread = 0; thread < this.threads; thread++) {
        const known = this.isShared ? workspaces[0]?.rows : undefined
        const staged = known ?? new StagedRows(recording, this.isShared, sharesInputs, capacity, allocate)
        const { keepsPredictions } = this
        const program = new FleetProgram({ recording, parameters, optimizer, shapes, rows: staged, tables, capacity, keepsPredictions })
        workspaces.push({ program, rows: staged })
      }
      const draws = workspaces[0].program.draws.map(({ counter: { generator, offset, perStep }, args }) => ({
        ...{ generator: generators.indexOf(generator), offset, perStep },
        rate: args[args.length - 1],
      }))
      const counters = draws.filter(({ generator }, i) => draws.findIndex((draw) => draw.generator === generator) === i)
      return { recording, tables, capacity, workspaces, draws, counters, release }
    } catch (error) {
      release()
      throw error
    }
  }
}

/** Records a step of a net on its first rows, after which the net is as it was. */
function recordUnnoticed(recording: Recording, { generators, parameters, plan }: Member, size: number): void {
  const counters = generators.map(({ counter }) => counter)
  const states = parameters.map((p) => p.gradientState)
  // running statistics follow each step
  const buffers = plan.model.buffers().map((buffer) => ({ buffer, before: buffer.data().slice() }))
  // gradients that are awaited would be added to
  for (const p of parameters) p.gradientState = 'none'
  try {
    recording.record({ order: null, from: 0, to: size })
  } finally {
    generators.forEach((generator, i) => {
      generator.counter = counters[i]
    })
    parameters.forEach((p, i) => {
      p.gradientState = states[i]
    })
    for (const { buffer, before } of buffers) buffer.view().set(before)
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

function passengerOf({ parameters, optimizer, generators }: Member, { table, rates }: Planned, { draws }: Kind): Passenger {
  return {
    ...{ parameters, optimizer, rates, numbers: table.at },
    draws: draws.map(({ generator, offset, rate }) => {
      const { seedLow, seedHigh, stream, counter } = generators[generator]
      return { low: seedLow, high: seedHigh, stream, counter: counter + offset, rate }
    }),
  }
}

/**
 * The losses of a run, eight a step, and their sums over each epoch of it, each loss times its rows, in doubles and one after the other. The
 * eight sums of all nets side by side take as long as one, whose additions wait for each other.
 */
class LossSums {
  /** Of each epoch, for eight nets. */
  private readonly sums: Float64Array
  private readonly firstEpoch: number
  private readonly steps: number

  constructor(
    /** Those of step i begin at first + 8·i. */
    public numbers: FloatArray,
    public first: number,
    { at, steps, nets }: { at: number; steps: number; nets: Run['nets'] },
    private readonly batches: Batches,
  ) {
    this.steps = steps
    this.firstEpoch = batches.epochOf(at)
    const rows = batches.sizeOf(at)
    const epochs = steps === 0 ? 0 : batches.epochOf(at + steps - 1) - this.firstEpoch + 1
    this.sums = new Float64Array(NETS * epochs)
    // the run may begin in the middle of an epoch
    if (epochs > 0 && batches.positionOf(at).batch > 1) nets.forEach(({ member }, net) => (this.sums[net] = member.run.means.lossSum))
    for (let epoch = 0, step = 0; epoch < epochs; epoch++) {
      const end = Math.min(steps, batches.endOf(this.firstEpoch + epoch) - at)
      addEight(this.sums, NETS * epoch, numbers, first + NETS * step, first + NETS * end, rows)
      step = end
    }
  }

  /** Copies the losses. */
  keep(): void {
    this.numbers = this.numbers.slice(this.first, this.first + NETS * this.steps)
    this.first = 0
  }

  /** Of the epoch that a step belongs to, as far as the run goes. */
  of(net: number, step: number): number {
    return this.sums[NETS * (this.batches.epochOf(step) - this.firstEpoch) + net]
  }

  /** How many steps of a net have a finite loss, from the first on. */
  finite(net: number): number {
    const { sums, steps, numbers, first } = this
    let i = net
    // sums of finite floats are finite doubles
    while (i < sums.length && Number.isFinite(sums[i])) i += NETS
    if (i >= sums.length) return steps
    let step = 0
    while (step < steps && Number.isFinite(numbers[first + NETS * step + net])) step++
    return step
  }
}

/** Adds rows · numbers[i + net] to sums[at + net], for i from `from` on. */
function addEight(sums: Float64Array, at: number, numbers: FloatArray, from: number, end: number, rows: number): void {
  let [a, b, c, d] = [sums[at], sums[at + 1], sums[at + 2], sums[at + 3]]
  let [e, f, g, h] = [sums[at + 4], sums[at + 5], sums[at + 6], sums[at + 7]]
  for (let i = from; i < end; i += NETS) {
    a += numbers[i] * rows
    b += numbers[i + 1] * rows
    c += numbers[i + 2] * rows
    d += numbers[i + 3] * rows
    e += numbers[i + 4] * rows
    f += numbers[i + 5] * rows
    g += numbers[i + 6] * rows
    h += numbers[i + 7] * rows
  }
  sums[at] = a
  sums[at + 1] = b
  sums[at + 2] = c
  sums[at + 3] = d
  sums[at + 4] = e
  sums[at + 5] = f
  sums[at + 6] = g
  sums[at + 7] = h
}

/** Steps of one net of a run. */
class NetBlock implements StepBlock {
  readonly isProgram = true
  readonly first: number
  declare outputs?: NonNullable<StepBlock['outputs']>

  constructor(
    private readonly member: Member,
    private readonly at: number,
    readonly count: number,
    readonly size: number,
    private readonly net: number,
    private readonly losses: LossSums,
    outputs: StepBlock['outputs'] | null,
  ) {
    this.first = at + 1
    if (outputs) this.outputs = outputs
  }

  loss(i: number): number {
    return this.losses.numbers[this.losses.first + NETS * i + this.net]
  }

  learningRate(i: number): number {
    return this.member.rateOf(this.at + i)
  }

  sumLosses(i: number): number {
    return this.losses.of(this.net, this.at + i)
  }
}
