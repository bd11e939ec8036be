/**
 * The step of eight nets as a program. It is made of the recorded step of one of them, whose kernel calls are replaced by their twins
 * ({@link twinsOf}), and serves all nets of the same shape: what it computes with is a workspace, into which each step brings the
 * parameters of the nets and out of which it takes their gradients. Each net's optimizer then updates the arrays of that net by the
 * kernel and the numbers that it would use alone.
 */
import { fleetKernels } from '../../backend/fleet.js'
import type { Backend } from '../../backend/index.js'
import type { Ptr } from '../../backend/kernels.js'
import type { Parameter } from '../../parameter.js'
import type { Tensor } from '../../tensor.js'
import { Program, type UpdateCall } from '../fast/program.js'
import type { Recording } from '../fast/recording.js'
import { ROW } from '../fast/step-planner.js'
import { MOST_BYTES, MOST_STEPS } from '../fast/step-program.js'
import { checkWidth, type Draw, type FleetMemory, NETS, NoTwin, onlyDenseTakes, twinsOf } from './twins.js'

/** Bytes of a net in the table of a dropout: seed (low, high), stream, counter, and the rate as a double. */
const DROPOUT_BYTES = 24

/** An array that each net has for itself: parameters that lie end to end, or their gradients. */
interface Exchange {
  /** The number of the first of them among the parameters of a net. */
  parameter: number
  isGradient: boolean
  size: number
  /** Where that of all nets is. */
  at: Ptr
  /** Addresses of the nets' own arrays. */
  table: Ptr
}

/** What each net has of its own in a run of the program. */
export interface Passenger {
  /** In the order of the recorded net. */
  parameters: readonly Parameter[]
  /** Its updates, with their hyper-parameters from `hyper` on, those of the next step behind them. */
  updates: readonly UpdateCall[]
  hyper: Ptr
  /** The generators that dropouts draw from, in the order of the calls. */
  draws: readonly { low: number; high: number; stream: number; counter: number; rate: number }[]
}

/** Bytes of a row of hyper-parameters. */
const HYPER_BYTES = 4 * ROW

/** What the nets of a fleet have in common besides their step. */
interface Common {
  /** Whether all see the same rows. */
  isShared: boolean
  /** Updates of a step. */
  updates: number
  /** Floats of what the updates of a net change. */
  copyFloats: number
}

export class FleetProgram implements FleetMemory {
  readonly inputs: { at: Ptr; isShared: boolean; bytes: number }
  /** Losses of step i, one for each net, are at `losses` + 32·i. */
  readonly losses: Ptr
  /** Most steps of a run. */
  readonly capacity: number
  /** Where rows of the batches go, by the tensors of the recorded batch. */
  readonly staged: readonly { from: Tensor; at: Ptr; isShared: boolean }[]
  private readonly program: Program
  private readonly blocks: Ptr[] = []
  private readonly found = new Map<Ptr, { at: Ptr; bytes: number }>()
  private readonly exchanges: Exchange[] = []
  private readonly dropouts: { table: Ptr; draw: Draw }[] = []
  private readonly idle: Ptr
  private readonly hyper: Ptr
  private readonly hyperBytes: number
  private readonly copies: Ptr
  private readonly copyBytes: number
  private readonly backend: Backend

  /** @throws NoTwin where the step is none for fleets, OutOfMemoryError */
  constructor(
    private readonly recording: Recording,
    parameters: readonly Parameter[],
    { isShared, updates, copyFloats }: Common,
  ) {
    const backend = (this.backend = parameters[0].backend)
    const program = Program.of(backend.kernels)
    if (program === null) throw new NoTwin('steps in JavaScript')
    this.program = program
    checkWidth(recording.calls)
    const [inputs] = recording.batch
    const sharesInputs = isShared && onlyDenseTakes(recording.calls, inputs.to.address)
    const bytesOf = (to: Tensor, shared: boolean) => 4 * to.size * (shared ? 1 : NETS)
    const step = recording.batch.reduce(
      (sum, { to }, i) => sum + bytesOf(to, i === 0 && sharesInputs),
      4 * NETS + NETS * updates * HYPER_BYTES,
    )
    this.capacity = Math.max(1, Math.min(MOST_STEPS, Math.floor(MOST_BYTES / step)))
    this.hyperBytes = HYPER_BYTES * updates * this.capacity
    this.copyBytes = 4 * copyFloats
    try {
      this.staged = recording.batch.map(({ to }, i) => {
        const shared = i === 0 && sharesInputs
        const at = this.allocate(bytesOf(to, shared) * this.capacity)
        this.found.set(to.address, { at, bytes: bytesOf(to, shared) })
        return { from: to, at, isShared: shared }
      })
      this.inputs = { at: this.staged[0].at, isShared: sharesInputs, bytes: bytesOf(inputs.to, sharesInputs) }
      this.losses = this.allocate(4 * NETS * this.capacity)
      this.found.set(recording.lossAddress, { at: this.losses, bytes: 4 * NETS })
      for (const region of regionsOf(parameters)) {
        this.exchange(parameters, region, false)
        if (parameters[region.first].requiresGrad) this.exchange(parameters, region, true)
      }
      this.idle = this.allocate(4 * Math.max(...this.exchanges.map(({ size }) => size)))
      this.hyper = this.allocate(NETS * this.hyperBytes)
      this.copies = this.allocate(NETS * this.copyBytes)
      this.write(updates)
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** Gives the memory back. */
  release(): void {
    for (const block of this.blocks.splice(0)) this.backend.heap.free(block)
  }

  /** Where the hyper-parameters of a net go: a row for each update of each step. */
  hyperOf(net: number): Ptr {
    return this.hyper + net * this.hyperBytes
  }

  /** Room for a copy of what the updates of a net change. */
  copyOf(net: number): Ptr {
    return this.copies + net * this.copyBytes
  }

  isInputs(ptr: Ptr): boolean {
    return ptr === this.recording.batch[0].to.address
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

  /** Runs the steps for which rows and hyper-parameters are there. A place without a net computes, and nobody looks at it. */
  run(nets: readonly (Passenger | null)[], steps: number): void {
    const { heap } = this.backend
    const { ints } = heap
    for (const { parameter, isGradient, table } of this.exchanges) {
      for (let net = 0; net < NETS; net++) {
        const p = nets[net]?.parameters[parameter]
        ints[table / 4 + net] = p === undefined ? this.idle : isGradient ? p.gradientAddress : p.address
      }
    }
    for (const [i, { table }] of this.dropouts.entries()) {
      for (let net = 0; net < NETS; net++) {
        const { low, high, stream, counter, rate } = nets[net]?.draws[i] ?? { low: 0, high: 0, stream: 0, counter: 0, rate: 0 }
        const at = table + net * DROPOUT_BYTES
        ints.set([low, high, stream, counter], at / 4)
        heap.doubles[at / 8 + 2] = rate
      }
    }
    const updates = nets.map((net) =>
      net?.updates.map((update, i) => ({ ...update, hyper: net.hyper + i * HYPER_BYTES, increment: net.updates.length * HYPER_BYTES })),
    )
    this.program.placeUpdates(updates.flatMap((of) => of ?? []))
    this.program.run(ints, steps)
  }

  /** What draws in the step of the recorded net, in the order of {@link Passenger.draws}. */
  get draws(): readonly Draw[] {
    return this.dropouts.map(({ draw }) => draw)
  }

  private write(updates: number): void {
    const { program, recording } = this
    const kernels = { ...this.backend.kernels, ...fleetKernels(this.backend) } as unknown as Record<string, unknown>
    const values = this.exchanges.filter(({ isGradient }) => !isGradient)
    const gradients = this.exchanges.filter(({ isGradient }) => isGradient)
    for (const { at, table, size } of values) program.addMoving('fleetJoin', kernels.fleetJoin, [at, table, size])
    for (const call of twinsOf(recording.calls, this)) {
      if (call.draw !== undefined) this.dropouts.push({ table: call.args[3], draw: call.draw })
      program.addMoving(call.name, kernels[call.name], call.args, call.moves)
    }
    for (const { at, table, size } of gradients) program.addMoving('fleetSplit', kernels.fleetSplit, [at, table, size])
    program.place((bytes) => this.allocate(bytes), NETS * updates)
  }

  private exchange(parameters: readonly Parameter[], { first, end, size }: Region, isGradient: boolean): void {
    const at = this.allocate(4 * NETS * size)
    let before = 0
    for (const p of parameters.slice(first, end)) {
      this.found.set(isGradient ? p.gradientAddress : p.address, { at: at + 4 * NETS * before, bytes: 0 })
      before += p.size
    }
    this.exchanges.push({ parameter: first, isGradient, size, at, table: this.allocate(4 * NETS) })
  }

  private allocate(bytes: number): Ptr {
    const block = this.backend.heap.allocate(bytes, 'zeros')
    this.blocks.push(block)
    return block
  }
}

/** Parameters whose values lie end to end, and so do their gradients, if they have any. */
interface Region {
  first: number
  end: number
  size: number
}

/** The parameters of a net, in regions as large as can be. Nets with the same regions go together. */
export function regionsOf(parameters: readonly Parameter[]): Region[] {
  const regions: Region[] = []
  let last: Region | undefined
  parameters.forEach((p, i) => {
    const first = last && parameters[last.first]
    const follows =
      last !== undefined &&
      first !== undefined &&
      first.requiresGrad === p.requiresGrad &&
      p.address === first.address + 4 * last.size &&
      (!p.requiresGrad || p.gradientAddress === first.gradientAddress + 4 * last.size)
    if (last !== undefined && follows) {
      last.end = i + 1
      last.size += p.size
    } else regions.push((last = { first: i, end: i + 1, size: p.size }))
  })
  return regions
}
