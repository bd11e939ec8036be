/** Nets of one shape that are trained side by side, eight at a time. */
import type { Heap } from '../../backend/heap.js'
import type { Ptr } from '../../backend/kernels.js'
import type { Optimizer } from '../../optim/base/optimizer.js'
import type { Parameter } from '../../parameter.js'
import type { Generator } from '../../random.js'
import type { Batches, RowRange } from '../batches.js'
import { copyRows } from '../data.js'
import { stepFailed } from '../diverged.js'
import type { StepBlock } from '../fast/index.js'
import { Recording } from '../fast/recording.js'
import { NO_HOOKS, type StepHooks, StepPlanner } from '../fast/step-planner.js'
import { EpochOrders } from '../orders.js'
import type { Pacer } from '../pacer.js'
import { type Plan, setLearningRate } from '../plan.js'
import type { TrainingRun } from '../run.js'
import { FleetProgram, type Passenger } from './fleet-program.js'
import { NETS, NoTwin } from './twins.js'

/** One net and where its training is. */
export class Member {
  /** Steps taken. */
  at = 0
  readonly parameters: readonly Parameter[]
  readonly optimizer: Optimizer
  readonly planner: StepPlanner
  readonly generators: readonly Generator[]
  /** Updates of a step; 0 where nothing is trained. */
  readonly updates: number

  constructor(
    /** Its place among the models. */
    readonly index: number,
    readonly run: TrainingRun,
  ) {
    const { model, options } = run.plan
    this.parameters = model.parameters()
    this.optimizer = options.optimizer as Optimizer
    this.planner = new StepPlanner(this.optimizer)
    this.generators = [...model.namedGenerators().values()]
    const states = this.parameters.map((p) => p.gradientState)
    this.claimGradients()
    this.updates = this.planner.refresh(true)
    this.parameters.forEach((p, i) => {
      p.gradientState = states[i]
    })
  }

  get plan(): Plan {
    return this.run.plan
  }

  get isOver(): boolean {
    return this.at >= this.run.batches.total || this.run.isStopped
  }

  /** What an update changes: values, and the state of the optimizer. */
  arrays(): { ptr: Ptr; floats: number }[] {
    const state = this.optimizer.groups.map((group) => ({ ptr: group.slotAt(0, 0), floats: group.stride * group.slotNames.length }))
    return [...this.parameters.map(({ address, size }) => ({ ptr: address, floats: size })), ...state]
  }

  claimGradients(): void {
    for (const p of this.parameters) if (p.requiresGrad) p.claimGradient()
  }
}

/** What becomes of a net whose training ended otherwise than by its last step. */
export type Failed = (member: Member, error: unknown) => Promise<void>

/** A program for steps of so many rows, with the room that its nets need beside it. */
interface Kind {
  program: FleetProgram
  recording: Recording
  /** The generator that each dropout of the step draws from, by its number in a net, and how many draws came before. */
  draws: readonly { generator: number; offset: number; rate: number; perStep: number }[]
  /** The steps whose rows are staged for all. */
  staged: { at: number; steps: number } | null
}

/** Trains all members. They have one shape, one loss, optimizers of one class with equally many updates, and equally many rows. */
export class Fleet {
  private readonly batches: Batches
  private readonly kinds = new Map<number, Kind>()
  /** Orders of the same seed are drawn once for all nets. */
  private readonly orders = new Map<string, EpochOrders>()
  private readonly isShared: boolean
  private readonly spansEpochs: boolean
  private readonly heap: Heap

  /** @throws NoTwin where the nets cannot go side by side, OutOfMemoryError */
  constructor(
    private members: Member[],
    private readonly failed: Failed,
  ) {
    const [{ plan, run, parameters }] = members
    this.batches = run.batches
    this.heap = parameters[0].backend.heap
    this.isShared = members.every(({ plan: { rows, options } }) => rows === plan.rows && orderOf(options) === orderOf(plan.options))
    this.spansEpochs = members.every(({ run }) => run.limits.spansEpochs)
    try {
      this.kindOf(this.batches.sizeOf(0))
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
        for (const member of over) await done(member)
        this.forgetOrders()
        for (const group of groupsOf(this.members)) {
          await this.advance(group)
          report()
          if (pacer.isDue) await pacer.pause()
        }
      }
    } finally {
      this.release()
    }
  }

  private release(): void {
    for (const { program, recording } of this.kinds.values()) {
      program.release()
      recording.release()
    }
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

  /** Takes the next steps of up to eight nets that are at the same step. */
  private async advance(group: readonly Member[]): Promise<void> {
    const [{ at }] = group
    const kind = this.kindOf(this.batches.sizeOf(at))
    const wanted = this.batches.ahead(at, kind.program.capacity, this.spansEpochs)
    const { planned, steps } = await this.plan(group, kind, wanted)
    const ready = [...planned.keys()]
    if (ready.length === 0) return
    this.stage(ready, kind, steps)
    this.save(ready, kind)
    kind.program.run(
      Array.from({ length: NETS }, (_, i) => (ready[i] === undefined ? null : this.passenger(ready[i], kind, i))),
      steps,
    )
    const floats = this.heap.floats
    const first = kind.program.losses / 4
    const losses = floats.slice(first, first + NETS * steps)
    for (const [net, member] of ready.entries()) {
      const loss = (i: number) => losses[NETS * i + net]
      let done = 0
      while (done < steps && Number.isFinite(loss(done))) done++
      await this.finish(member, kind, net, { planned: planned.get(member) as number, steps, done, loss })
    }
  }

  /** Plans the optimizers' next steps, for each net at most as many as for those before it. A net of which none can be planned is over. */
  private async plan(group: readonly Member[], kind: Kind, wanted: number): Promise<{ planned: Map<Member, number>; steps: number }> {
    const planned = new Map<Member, number>()
    let steps = wanted
    for (const member of group) {
      member.claimGradients()
      const hyper = kind.program.hyperOf(planned.size)
      try {
        if (member.planner.refresh(true) !== member.updates)
          throw new Error('fitMany: parameters may not be moved, frozen or given another optimizer while they are trained side by side')
        steps = member.planner.plan(hyper, steps, this.hooks(member))
        planned.set(member, steps)
      } catch (error) {
        await this.fail(member, error)
      }
    }
    return { planned, steps }
  }

  private hooks(member: Member): StepHooks {
    const { plan, at, run } = member
    const { schedule } = plan.options
    // a schedule is the only code that runs between the steps of a block, and may stop the training
    if (schedule === undefined) return NO_HOOKS
    return { before: (i) => setLearningRate(plan, schedule(at + i)), isOver: () => run.isStopped }
  }

  private stage(ready: readonly Member[], kind: Kind, steps: number): void {
    const [{ at }] = ready
    if (this.isShared && kind.staged?.at === at && kind.staged.steps >= steps) return
    const { ints, floats } = this.heap
    const lanes = this.isShared ? [ready[0]] : ready
    for (const [part, { from, at: to, isShared }] of kind.program.staged.entries()) {
      for (const [net, member] of lanes.entries()) {
        const { inputs, targets, weights } = member.plan.rows
        const source = [inputs, targets, weights ?? inputs][part]
        const ranges = this.batches.ranges(this.ordersOf(member), at, steps)
        if (isShared) {
          copyRanges(source, to, ranges)
          break
        }
        const values = source.read()
        spread(values, values instanceof Int32Array ? ints : floats, to / 4, net, this.isShared, source.size / source.shape[0], ranges)
      }
      const checks = kind.recording.batch[part].checks
      if (checks.length === 0) continue
      const each = isShared ? from.size : NETS * from.size
      const elements = (from.dtype === 'int32' ? ints : floats).subarray(to / 4, to / 4 + steps * each)
      for (const check of checks) check(elements)
    }
    kind.staged = this.isShared ? { at, steps } : null
  }

  private save(ready: readonly Member[], kind: Kind): void {
    const { floats } = this.heap
    ready.forEach((member, net) => {
      let to = kind.program.copyOf(net) / 4
      for (const { ptr, floats: count } of member.arrays()) {
        floats.copyWithin(to, ptr / 4, ptr / 4 + count)
        to += count
      }
    })
  }

  private restore(member: Member, kind: Kind, net: number): void {
    const { floats } = this.heap
    let from = kind.program.copyOf(net) / 4
    for (const { ptr, floats: count } of member.arrays()) {
      floats.copyWithin(ptr / 4, from, from + count)
      from += count
    }
  }

  private passenger(member: Member, kind: Kind, net: number): Passenger {
    return {
      parameters: member.parameters,
      updates: member.planner.updates,
      hyper: kind.program.hyperOf(net),
      draws: kind.draws.map(({ generator, offset, rate }) => {
        const { seedLow, seedHigh, stream, counter } = member.generators[generator]
        return { low: seedLow, high: seedHigh, stream, counter: counter + offset, rate }
      }),
    }
  }

  /** A net that took these steps: with all of them, or those before a loss that is not finite. */
  private async finish(
    member: Member,
    kind: Kind,
    net: number,
    { planned, steps, done, loss }: { planned: number; steps: number; done: number; loss: (i: number) => number },
  ): Promise<void> {
    const { plan, at, run } = member
    const hooks = this.hooks(member)
    member.planner.finish(kind.program.hyperOf(net), planned, done, hooks)
    const failed = done < steps
    if (failed) {
      this.restore(member, kind, net)
      // again from where it was, alone and on the rows that are still there, up to the last step whose loss is finite
      if (done > 0)
        kind.program.run(
          Array.from({ length: NETS }, (_, i) => (i === net ? this.passenger(member, kind, net) : null)),
          done,
        )
    }
    for (const [i, generator] of member.generators.entries()) {
      const perStep = kind.draws.find((draw) => draw.generator === i)?.perStep ?? 0
      generator.counter += perStep * (failed ? done + 1 : done)
    }
    const { optimizer, schedule } = plan.options
    const learningRate = schedule === undefined ? () => optimizer.learningRate : (i: number) => schedule(at + i)
    const block: StepBlock = { first: at + 1, count: done, size: this.batches.sizeOf(at), isProgram: true, loss, learningRate }
    try {
      member.at += done
      if (done > 0) {
        run.execution.fleet += done
        await run.accept(block)
      }
      if (!failed) return
      if (schedule !== undefined) setLearningRate(plan, schedule(at + done))
      throw stepFailed(plan, loss(done), this.batches.positionOf(at + done))
    } catch (error) {
      await this.fail(member, error)
    }
  }

  private async fail(member: Member, error: unknown): Promise<void> {
    this.members = this.members.filter((other) => other !== member)
    await this.failed(member, error)
  }

  /** The program for steps of so many rows. */
  private kindOf(size: number): Kind {
    let kind = this.kinds.get(size)
    if (kind === undefined) this.kinds.set(size, (kind = this.makeKind(size)))
    return kind
  }

  private makeKind(size: number): Kind {
    const [member] = this.members
    const { plan, parameters, generators } = member
    const { model, options, rows } = plan
    const recording = new Recording({ model, loss: options.loss, rows }, size)
    try {
      recordUnnoticed(recording, member, size)
      if (recording.obstacle !== null) throw new NoTwin(recording.obstacle)
      if (recording.trained.length !== parameters.filter((p) => p.requiresGrad).length) throw new NoTwin('a parameter without a gradient')
      const copyFloats = member.arrays().reduce((sum, { floats }) => sum + floats, 0)
      const program = new FleetProgram(recording, parameters, { isShared: this.isShared, updates: member.updates, copyFloats })
      const draws = program.draws.map(({ counter, args }) => ({
        ...counter,
        generator: generators.indexOf(counter.generator),
        rate: args[args.length - 1],
      }))
      return { program, recording, draws, staged: null }
    } catch (error) {
      recording.release()
      throw error
    }
  }
}

/** Records a step of a net on its first rows, after which the net is as it was. */
function recordUnnoticed(recording: Recording, { generators, parameters }: Member, size: number): void {
  const counters = generators.map(({ counter }) => counter)
  const states = parameters.map((p) => p.gradientState)
  recording.record({ order: null, from: 0, to: size })
  generators.forEach((generator, i) => {
    generator.counter = counters[i]
  })
  parameters.forEach((p, i) => {
    p.gradientState = states[i]
  })
}

/** What {@link EpochOrders} of equally many rows depend on. */
function orderOf({ shuffle = true, seed = 0 }: Plan['options']): string {
  return shuffle ? `seed ${seed}` : 'as given'
}

/** Up to eight at a time, all at the same step. */
function groupsOf(members: readonly Member[]): Member[][] {
  const byStep = new Map<number, Member[]>()
  for (const member of members) {
    const list = byStep.get(member.at)
    if (list === undefined) byStep.set(member.at, [member])
    else list.push(member)
  }
  const groups: Member[][] = []
  for (const list of byStep.values()) for (let i = 0; i < list.length; i += NETS) groups.push(list.slice(i, i + NETS))
  return groups
}

/** Rows of all steps behind each other. */
function copyRanges(source: Parameters<typeof copyRows>[0], to: Ptr, ranges: readonly RowRange[]): void {
  const width = source.size / source.shape[0]
  let at = to
  for (const { order, from, to: end } of ranges) {
    copyRows(source, at, order, from, end)
    at += 4 * width * (end - from)
  }
}

/** The rows of one net into every eighth place, or into all places. */
function spread(
  values: ArrayLike<number>,
  out: { [index: number]: number },
  to: number,
  net: number,
  toAll: boolean,
  width: number,
  ranges: readonly RowRange[],
): void {
  let at = to + net
  for (const { order, from, to: end } of ranges) {
    for (let r = from; r < end; r++) {
      const start = (order === null ? r : order[r]) * width
      for (let c = 0; c < width; c++) {
        const value = values[start + c]
        if (toAll) for (let i = 0; i < NETS; i++) out[at + i] = value
        else out[at] = value
        at += NETS
      }
    }
  }
}
