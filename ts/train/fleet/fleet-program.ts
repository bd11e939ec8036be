/**
 * The step of eight nets as a program. It is made of the recorded step of one of them, whose kernel calls are replaced by batched ones
 * ({@link batchedCalls}), and serves all nets of the same shape: what it computes with is a workspace. Before a run of many steps the parameters
 * and the optimizers' state of the nets are brought there, and afterwards taken back, so that in between each update of all eight nets is
 * one call too.
 */
import { fleetKernel, fleetKernels, fleetName, PANEL_FLOATS } from '../../backend/fleet.js'
import type { Backend } from '../../backend/index.js'
import type { Ptr } from '../../backend/kernels.js'
import type { Optimizer } from '../../optim/base/optimizer.js'
import type { Parameter } from '../../parameter.js'
import { Tensor } from '../../tensor.js'
import { Program, unshared } from '../fast/program.js'
import type { Outputs, Recording } from '../fast/recording.js'
import { batchedCalls, CannotBatch, checkWidth, type Draw, type FleetMemory, NETS } from './batching-rules.js'
import type { NumberTables, UpdateShape } from './numbers.js'
import type { StagedRows } from './staged-rows.js'

/** Bytes of a net in the table of a dropout: seed (low, high), stream, counter, and the rate as a double. */
const DROPOUT_BYTES = 24

/** An array that each net has for itself. */
interface Exchange {
  /** Where a net has its own. */
  of(net: Passenger): Ptr
  size: number
  /** Where that of all nets is. */
  at: Ptr
}

/** What each net has of its own in a run of the program. */
export interface Passenger {
  /** In the order of the recorded net. */
  parameters: readonly Parameter[]
  optimizer: Optimizer
  /** The numbers of its updates. */
  numbers: Ptr
  /** Learning rates of each update: one, or one for each step. */
  rates: { at: Ptr; growsBy: number }[]
  /** The generators that dropouts draw from, in the order of the calls. */
  draws: readonly { low: number; high: number; stream: number; counter: number; rate: number }[]
}

/** What a program is made of. */
export interface Parts {
  recording: Recording
  /** Parameters and optimizer of the recorded net. */
  parameters: readonly Parameter[]
  optimizer: Optimizer
  shapes: readonly UpdateShape[]
  rows: StagedRows
  tables: NumberTables
  /** Most steps of a run. */
  capacity: number
  /** Whether predictions and targets of all steps are kept. */
  keepsPredictions: boolean
}

export class FleetProgram implements FleetMemory {
  readonly inputs: { at: Ptr; isShared: boolean; bytes: number }
  readonly panels: Ptr
  readonly isWide: boolean
  /** Losses of step i, one for each net, are at `losses` + 32·i. */
  readonly losses: Ptr
  private readonly program: Program
  private readonly blocks: Ptr[] = []
  private readonly found = new Map<Ptr, { at: Ptr; bytes: number }>()
  /** What is brought in before a run. */
  private readonly state: Exchange[] = []
  /** Gradients, which are taken out with the state. */
  private readonly gradients: Exchange[] = []
  private readonly dropouts: { table: Ptr; draw: Draw }[] = []
  /** Of each update, the table of {@link FleetKernels.fleetHyper}. */
  private readonly numbers: Ptr[] = []
  private readonly rates: Ptr[]
  private readonly addresses: Ptr
  private readonly idle: Ptr
  private readonly kept: Kept | null
  private readonly backend: Backend

  /** @throws CannotBatch where the step is none for fleets, OutOfMemoryError */
  constructor(private readonly parts: Parts) {
    const { recording, parameters, optimizer, shapes, rows, capacity, keepsPredictions } = parts
    const backend = (this.backend = parameters[0].backend)
    const program = Program.of(backend.kernels)
    if (program === null) throw new CannotBatch('steps in JavaScript')
    this.program = program
    this.isWide = backend.widened
    if (shapes.length === 0) throw new CannotBatch('nothing is trained')
    checkWidth(recording.calls)
    try {
      for (const { from, at, bytes } of rows.parts) this.found.set(from.address, { at, bytes })
      const [{ at, isShared, bytes }] = rows.parts
      this.inputs = { at, isShared, bytes }
      this.losses = this.allocate(4 * NETS * capacity)
      this.panels = this.allocate(4 * PANEL_FLOATS)
      this.found.set(recording.lossAddress, { at: this.losses, bytes: 4 * NETS })
      for (const region of regionsOf(parameters)) {
        this.exchange(this.state, region.size, ({ parameters }) => parameters[region.first].address, region.members, false)
        if (parameters[region.first].requiresGrad)
          this.exchange(this.gradients, region.size, ({ parameters }) => parameters[region.first].gradientAddress, region.members, true)
      }
      const states = optimizer.groups.map((group, i) => {
        const size = group.stride * group.slotNames.length
        return size === 0 ? 0 : this.exchange(this.state, size, ({ optimizer }) => optimizer.groups[i].slotAt(0, 0), [], false)
      })
      this.idle = this.allocate(4 * Math.max(...[...this.state, ...this.gradients].map(({ size }) => size)))
      this.addresses = this.allocate(4 * NETS)
      this.rates = Array.from({ length: NETS }, () => this.allocate(8 * capacity * shapes.length))
      this.kept = keepsPredictions ? this.keep() : null
      this.write(states)
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** Gives the memory back. */
  release(): void {
    for (const block of this.blocks.splice(0)) this.backend.heap.free(block)
  }

  /** Room for the learning rates of a net in each step, update after update. */
  ratesOf(net: number): Ptr {
    return this.rates[net]
  }

  isInputs(ptr: Ptr): boolean {
    return ptr === this.parts.recording.batch[0].to.address
  }

  find(ptr: Ptr): { at: Ptr; bytes: number } | null {
    return this.found.get(ptr) ?? null
  }

  result(ptr: Ptr, floats: number): { at: Ptr; bytes: number } {
    let known = this.found.get(ptr)
    if (known === undefined) this.found.set(ptr, (known = { at: this.allocate(4 * NETS * floats), bytes: 0 }))
    return known
  }

  dropoutTable(): Ptr {
    return this.allocate(NETS * DROPOUT_BYTES)
  }

  /** Brings what the nets have into the workspace. A place without a net computes, and nobody looks at it. */
  enter(nets: readonly (Passenger | null)[]): void {
    const { heap } = this.backend
    const { ints } = heap
    const { fleetJoin } = this.kernels
    for (const exchange of this.state) {
      this.place(exchange, nets)
      fleetJoin(exchange.at, this.addresses, exchange.size)
    }
    for (const [i, { table }] of this.dropouts.entries()) {
      for (let net = 0; net < NETS; net++) {
        const draw = nets[net]?.draws[i]
        const at = (table + net * DROPOUT_BYTES) / 4
        ints[at] = draw?.low ?? 0
        ints[at + 1] = draw?.high ?? 0
        ints[at + 2] = draw?.stream ?? 0
        ints[at + 3] = draw?.counter ?? 0
        heap.doubles[at / 2 + 2] = draw?.rate ?? 0
      }
    }
    const someone = nets.find((net) => net !== null) as Passenger
    for (const [i, table] of this.numbers.entries()) {
      for (let net = 0; net < NETS; net++) {
        const { numbers, rates } = nets[net] ?? someone
        const at = table / 4 + net
        ints[at] = this.parts.tables.addressOf(numbers, i)
        ints[at + NETS] = rates[i].at
        ints[at + 2 * NETS] = rates[i].growsBy
      }
    }
  }

  /** Takes back what has become of these nets. */
  leave(nets: readonly (Passenger | null)[]): void {
    const { fleetSplit } = this.kernels
    for (const exchange of [...this.state, ...this.gradients]) {
      this.place(exchange, nets)
      fleetSplit(exchange.at, this.addresses, exchange.size)
    }
  }

  /** Runs the steps for which rows and numbers are there. */
  run(steps: number): void {
    this.program.run(this.backend.heap.ints, steps)
  }

  /** Runs several programs, each on a thread of its own where there are threads. All have the backend of the first. */
  static runAll(runs: readonly { program: FleetProgram; steps: number }[]): void {
    const { pool, heap, kernels } = runs[0].program.backend
    if (pool === undefined || runs.length === 1 || pool.sharesFor(Number.POSITIVE_INFINITY) === 1) {
      for (const { program, steps } of runs) program.run(steps)
      return
    }
    const { runProgram } = kernels as unknown as { runProgram: unknown }
    const calls = runs.map(({ program: { program }, steps }) => {
      const moved = program.enter(heap.ints, steps)
      const { address, words } = program
      return [address, words.length, address + 4 * words.length, moved, steps]
    })
    pool.run(pool.numberOf(runProgram), calls.length, (i) => calls[i])
  }

  /** What draws in the step of the recorded net, in the order of {@link Passenger.draws}. */
  get draws(): readonly Draw[] {
    return this.dropouts.map(({ draw }) => draw)
  }

  /** Predictions and targets of a net in so many steps; valid until those of another are asked for. */
  outputs(net: number, steps: number): ((i: number) => Outputs) | null {
    if (this.kept === null) return null
    const { fleetPick } = this.kernels
    const { predictions, targets, room } = this.kept
    for (const { from, to, size } of [predictions, targets]) fleetPick(from, net, to, size * steps)
    return (i) => room[i]
  }

  private keep(): Kept {
    const { recording, rows, capacity } = this.parts
    const { prediction, targets } = recording
    if (prediction.isOnHost || targets.isOnHost) throw new CannotBatch('metrics of what is not in the memory of WebAssembly')
    const roomFor = ({ size }: Tensor) => this.allocate(4 * size * capacity)
    const from = this.allocate(4 * NETS * prediction.size * capacity)
    const to = [prediction, targets].map(roomFor)
    const at = (t: Tensor, room: Ptr, i: number) => Tensor.permanent(t.backend, t.shape, room + 4 * t.size * i, t.dtype)
    return {
      predictions: { from, to: to[0], size: prediction.size },
      targets: { from: rows.parts[1].at, to: to[1], size: targets.size },
      room: Array.from({ length: capacity }, (_, i) => ({ prediction: at(prediction, to[0], i), targets: at(targets, to[1], i) })),
    }
  }

  private write(states: readonly Ptr[]): void {
    const { program, backend, kept } = this
    const { recording, optimizer, shapes } = this.parts
    const kernels = { ...backend.kernels, ...this.kernels } as unknown as Record<string, unknown>
    const kernelOf = (name: string) => {
      const kernel = kernels[name] ?? fleetKernel(backend, name)
      if (kernel === undefined) throw new CannotBatch(`there is no kernel '${name}' here`)
      return unshared(kernel)
    }
    for (const call of batchedCalls(recording.calls, this)) {
      if (call.draw !== undefined) this.dropouts.push({ table: call.args[3], draw: call.draw })
      program.addMoving(call.name, kernelOf(call.name), call.args, call.moves)
    }
    if (kept !== null) {
      const { from, size } = kept.predictions
      const prediction = this.find(recording.prediction.address)
      if (prediction === null) throw new CannotBatch('a prediction that no kernel made')
      program.addMoving('copy', kernels.copy, [prediction.at, from, NETS * size], [[1, 4 * NETS * size]])
    }
    for (const { group: g, span: s, kernel, count, scaledByRate } of shapes) {
      const update = fleetKernel(backend, fleetName(kernel))
      if (update === undefined) throw new CannotBatch(`${optimizer.name} looks at more than one element at a time`)
      const group = optimizer.groups[g]
      const { p, g: gradient, n, first } = group.spans[s]
      const table = this.allocate(4 * 3 * NETS)
      const hyper = this.allocate(4 * NETS * count)
      this.numbers.push(table)
      program.addMoving('fleetHyper', kernels.fleetHyper, [hyper, table, count, scaledByRate, 8 * count])
      const [own, from] = [p, gradient].map((ptr) => this.find(ptr))
      if (own === null || from === null) throw new CannotBatch('parameters that are not the model’s')
      const state = states[g] + NETS * (group.slotAt(first, 0) - group.slotAt(0, 0))
      program.addMoving('update', update, [own.at, from.at, state, group.stride, n, hyper])
    }
    program.place((bytes) => this.allocate(bytes), 0)
  }

  /** Room for an array of all nets: of parameters, or gradients, that lie end to end. */
  private exchange(list: Exchange[], size: number, of: Exchange['of'], members: readonly Parameter[], isGradient: boolean): Ptr {
    const at = this.allocate(4 * NETS * size)
    let before = 0
    for (const p of members) {
      this.found.set(isGradient ? p.gradientAddress : p.address, { at: at + 4 * NETS * before, bytes: 0 })
      before += p.size
    }
    list.push({ of, size, at })
    return at
  }

  /** Writes where each net has its own array. */
  private place({ of }: Exchange, nets: readonly (Passenger | null)[]): void {
    const { ints } = this.backend.heap
    for (let net = 0; net < NETS; net++) {
      const passenger = nets[net]
      ints[this.addresses / 4 + net] = passenger ? of(passenger) : this.idle
    }
  }

  private get kernels() {
    return fleetKernels(this.backend) as NonNullable<ReturnType<typeof fleetKernels>>
  }

  private allocate(bytes: number): Ptr {
    const block = this.backend.heap.allocate(bytes, 'zeros')
    this.blocks.push(block)
    return block
  }
}

/** Predictions and targets of many steps: of all nets, and room for those of one. */
interface Kept {
  predictions: { from: Ptr; to: Ptr; size: number }
  targets: { from: Ptr; to: Ptr; size: number }
  room: readonly Outputs[]
}

/** Parameters whose values lie end to end, and so do their gradients, if they have any. */
interface Region {
  /** The number of the first of them among the parameters of a net. */
  first: number
  members: Parameter[]
  size: number
}

/** The parameters of a net, in regions as large as can be. */
function regionsOf(parameters: readonly Parameter[]): Region[] {
  const regions: Region[] = []
  const byAddress = parameters.map((_, i) => i).sort((a, b) => parameters[a].address - parameters[b].address)
  for (const i of byAddress) {
    const p = parameters[i]
    const last = regions.at(-1)
    if (last !== undefined && follows(last, p)) {
      last.members.push(p)
      last.size += p.size
    } else regions.push({ first: i, members: [p], size: p.size })
  }
  return regions
}

function follows({ members: [first], size }: Region, p: Parameter): boolean {
  if (first.requiresGrad !== p.requiresGrad || p.address !== first.address + 4 * size) return false
  return !p.requiresGrad || p.gradientAddress === first.gradientAddress + 4 * size
}

/** Which parameters lie end to end, by their numbers: nets that are alike in this go together. */
export function layoutOf(parameters: readonly Parameter[]): number[][] {
  return regionsOf(parameters).map(({ first, members }) => [first, ...members.map((p) => parameters.indexOf(p))])
}
