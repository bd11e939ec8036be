/**
 * The step of eight nets as a program. It is made of the recorded step of one of them, whose kernel calls are replaced by batched ones
 * ({@link batchedCalls}), and serves all nets that have the same keys (keys.ts). Before a round the parameters and the optimizers' states of eight
 * nets are loaded into its interleaved arrays, and afterwards stored where each net has its own, so that in between each update of all eight
 * nets is one call too.
 */
import { fleetKernel, fleetKernels, fleetName, SCRATCH_FLOATS } from '../../backend/fleet.js'
import type { Backend } from '../../backend/index.js'
import type { Ptr } from '../../backend/kernels.js'
import type { Optimizer } from '../../optim/base/optimizer.js'
import type { Parameter } from '../../parameter.js'
import { Tensor } from '../../tensor.js'
import { Program, unshared } from '../fast/program.js'
import type { Outputs, Recording } from '../fast/recording.js'
import { batchedCalls, CannotBatch, checkWidth, type Draw, type FleetArray, type FleetMemory, NETS } from './batching-rules.js'
import type { HyperTables, UpdateSpec } from './hyper-tables.js'
import { regionsOf } from './regions.js'
import type { StagedRows } from './staged-rows.js'

/** Words of a net in the table of a dropout: seed (low, high), stream, counter, and the rate as a double. */
export const DROPOUT_WORDS = 6

/** An array that each net has for itself, and the interleaved one, which has eight floats, one of each net, in the place of every float of it. */
interface InterleavedArray {
  /** Where a net has its own. */
  addressOf(net: NetBuffers): Ptr
  /** Floats of one net. */
  size: number
  /** Where the interleaved one is. */
  address: Ptr
}

/** The buffers of one net: what a round reads and writes of it. */
export interface NetBuffers {
  /** Its parameters, in the order of those of the recorded net. */
  parameters: readonly Parameter[]
  optimizer: Optimizer
  /** The table with the hyper-parameters of its updates. */
  hyper: Ptr
  /** Where the learning rates of each update are: one for all steps (`stepBytes` is 0), or one for each step. */
  rates: { address: Ptr; stepBytes: number }[]
  /** The generators that dropouts draw from, in the order of the calls. */
  draws: readonly { low: number; high: number; stream: number; counter: number; rate: number }[]
}

/** What a program is made of. */
export interface FleetProgramOptions {
  recording: Recording
  /** Parameters and optimizer of the recorded net. */
  parameters: readonly Parameter[]
  optimizer: Optimizer
  updates: readonly UpdateSpec[]
  rows: StagedRows
  tables: HyperTables
  /** Most steps of a round. */
  capacity: number
  /** Whether predictions and targets of all steps are kept. */
  keepsPredictions: boolean
}

export class FleetProgram implements FleetMemory {
  readonly inputs: FleetArray & { isShared: boolean }
  readonly scratch: Ptr
  readonly isWide: boolean
  /** Losses of step i, one for each net, are at `losses` + 32·i. */
  readonly losses: Ptr
  private readonly program: Program
  private readonly blocks: Ptr[] = []
  /** The array of the fleet that takes the place of an array of the recorded net, by the address of the latter. */
  private readonly arrays = new Map<Ptr, FleetArray>()
  /** Parameters and the optimizers' states, which are loaded before a round. */
  private readonly state: InterleavedArray[] = []
  /** Gradients, which are stored with the state after a round. */
  private readonly gradients: InterleavedArray[] = []
  private readonly dropouts: { table: Ptr; draw: Draw }[] = []
  /** The table of each update for {@link FleetKernels.fleetHyper}, which says where the nets have their hyper-parameters and learning rates. */
  private readonly hyperTables: Ptr[] = []
  /** Room for learning rates, one for each net. */
  private readonly rates: Ptr[]
  /** Room for the addresses of one array of all nets. */
  private readonly addresses: Ptr
  /** Takes the place of the arrays of a net where there are fewer than eight. */
  private readonly noNet: Ptr
  private readonly kept: KeptOutputs | null
  private readonly backend: Backend

  /** @throws CannotBatch where the step is none for fleets, OutOfMemoryError */
  constructor(private readonly options: FleetProgramOptions) {
    const { recording, parameters, optimizer, updates, rows, capacity, keepsPredictions } = options
    const backend = (this.backend = parameters[0].backend)
    const program = Program.of(backend.kernels)
    if (program === null) throw new CannotBatch('steps in JavaScript')
    this.program = program
    this.isWide = backend.widened
    if (updates.length === 0) throw new CannotBatch('nothing is trained')
    checkWidth(recording.calls)
    try {
      for (const staged of rows.tensors) this.arrays.set(staged.of.address, staged)
      this.inputs = rows.tensors[0]
      this.losses = this.allocate(4 * NETS * capacity)
      this.scratch = this.allocate(4 * SCRATCH_FLOATS)
      this.arrays.set(recording.lossAddress, { address: this.losses, stepBytes: 4 * NETS })
      for (const region of regionsOf(parameters)) {
        this.interleave(this.state, region.size, ({ parameters }) => parameters[region.first].address, region.members, false)
        if (parameters[region.first].requiresGrad)
          this.interleave(this.gradients, region.size, ({ parameters }) => parameters[region.first].gradientAddress, region.members, true)
      }
      const states = optimizer.groups.map((group, i) => {
        const size = group.stride * group.slotNames.length
        return size === 0 ? 0 : this.interleave(this.state, size, ({ optimizer }) => optimizer.groups[i].slotAt(0, 0), [], false)
      })
      this.noNet = this.allocate(4 * Math.max(...[...this.state, ...this.gradients].map(({ size }) => size)))
      this.addresses = this.allocate(4 * NETS)
      this.rates = Array.from({ length: NETS }, () => this.allocate(8 * capacity * updates.length))
      this.kept = keepsPredictions ? this.allocateOutputs() : null
      this.writeProgram(states)
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** Gives the memory back. */
  release(): void {
    for (const block of this.blocks.splice(0)) this.backend.heap.free(block)
  }

  /** Where the learning rates of a net go: those of all steps of the first update, then those of the next. */
  ratesOf(net: number): Ptr {
    return this.rates[net]
  }

  isInputs(ptr: Ptr): boolean {
    return ptr === this.options.recording.batch[0].to.address
  }

  find(ptr: Ptr): FleetArray | null {
    return this.arrays.get(ptr) ?? null
  }

  result(ptr: Ptr, floats: number): FleetArray {
    let known = this.arrays.get(ptr)
    if (known === undefined) this.arrays.set(ptr, (known = { address: this.allocate(4 * NETS * floats), stepBytes: 0 }))
    return known
  }

  dropoutTable(): Ptr {
    return this.allocate(4 * NETS * DROPOUT_WORDS)
  }

  /** Loads what the nets have. Where there is null, the program computes with whatever is there, and nobody looks at it. */
  loadNets(nets: readonly (NetBuffers | null)[]): void {
    const { heap } = this.backend
    const { ints } = heap
    const { fleetInterleave } = this.kernels
    for (const array of this.state) {
      this.writeAddresses(array, nets)
      fleetInterleave(array.address, this.addresses, array.size)
    }
    for (const [i, { table }] of this.dropouts.entries()) {
      for (let net = 0; net < NETS; net++) {
        const draw = nets[net]?.draws[i]
        const word = table / 4 + net * DROPOUT_WORDS
        ints[word] = draw?.low ?? 0
        ints[word + 1] = draw?.high ?? 0
        ints[word + 2] = draw?.stream ?? 0
        ints[word + 3] = draw?.counter ?? 0
        heap.doubles[word / 2 + 2] = draw?.rate ?? 0
      }
    }
    const someone = nets.find((net) => net !== null) as NetBuffers
    for (const [i, table] of this.hyperTables.entries()) {
      for (let net = 0; net < NETS; net++) {
        const { hyper, rates } = nets[net] ?? someone
        const word = table / 4 + net
        ints[word] = this.options.tables.addressOf(hyper, i)
        ints[word + NETS] = rates[i].address
        ints[word + 2 * NETS] = rates[i].stepBytes
      }
    }
  }

  /** Stores what has become of these nets where each has its own arrays. */
  storeNets(nets: readonly (NetBuffers | null)[]): void {
    const { fleetDeinterleave } = this.kernels
    for (const array of [...this.state, ...this.gradients]) {
      this.writeAddresses(array, nets)
      fleetDeinterleave(array.address, this.addresses, array.size)
    }
  }

  /** Runs so many steps, for which rows are staged and nets are loaded. */
  run(steps: number): void {
    this.program.run(this.backend.heap.ints, steps)
  }

  /** Runs the programs of several rounds, each on a thread of its own where there are threads. All have the backend of the first. */
  static runAll(rounds: readonly { program: FleetProgram; steps: number }[]): void {
    const { pool, heap, kernels } = rounds[0].program.backend
    if (pool === undefined || rounds.length === 1 || pool.sharesFor(Number.POSITIVE_INFINITY) === 1) {
      for (const { program, steps } of rounds) program.run(steps)
      return
    }
    const { runProgram } = kernels as unknown as { runProgram: unknown }
    const calls = rounds.map(({ program: { program }, steps }) => {
      const moved = program.begin(heap.ints, steps)
      const { address, words } = program
      return [address, words.length, address + 4 * words.length, moved, steps]
    })
    pool.run(pool.numberOf(runProgram), calls.length, (i) => calls[i])
  }

  /** The calls of the recorded step that draw random numbers, in the order of {@link NetBuffers.draws}. */
  get draws(): readonly Draw[] {
    return this.dropouts.map(({ draw }) => draw)
  }

  /** Predictions and targets of a net in so many steps; valid until those of another are asked for. */
  outputs(net: number, steps: number): ((i: number) => Outputs) | null {
    if (this.kept === null) return null
    const { fleetPick } = this.kernels
    const { predictions, targets, views } = this.kept
    for (const { from, to, size } of [predictions, targets]) fleetPick(from, net, to, size * steps)
    return (i) => views[i]
  }

  private allocateOutputs(): KeptOutputs {
    const { recording, rows, capacity } = this.options
    const { prediction, targets } = recording
    if (prediction.isOnHost || targets.isOnHost) throw new CannotBatch('metrics of what is not in the memory of WebAssembly')
    const allSteps = ({ size }: Tensor) => this.allocate(4 * size * capacity)
    const from = this.allocate(4 * NETS * prediction.size * capacity)
    const to = [prediction, targets].map(allSteps)
    const view = (t: Tensor, first: Ptr, i: number) => Tensor.permanent(t.backend, t.shape, first + 4 * t.size * i, t.dtype)
    return {
      predictions: { from, to: to[0], size: prediction.size },
      targets: { from: rows.tensors[1].address, to: to[1], size: targets.size },
      views: Array.from({ length: capacity }, (_, i) => ({ prediction: view(prediction, to[0], i), targets: view(targets, to[1], i) })),
    }
  }

  private writeProgram(states: readonly Ptr[]): void {
    const { program, backend, kept } = this
    const { recording, optimizer, updates } = this.options
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
      program.addMoving('copy', kernels.copy, [prediction.address, from, NETS * size], [[1, 4 * NETS * size]])
    }
    for (const { group: g, span: s, kernel, count, scaledByRate } of updates) {
      const update = fleetKernel(backend, fleetName(kernel))
      if (update === undefined) throw new CannotBatch(`${optimizer.name} looks at more than one element at a time`)
      const group = optimizer.groups[g]
      const { p, g: gradient, n, first } = group.spans[s]
      const table = this.allocate(4 * 3 * NETS)
      const hyper = this.allocate(4 * NETS * count)
      this.hyperTables.push(table)
      program.addMoving('fleetHyper', kernels.fleetHyper, [hyper, table, count, scaledByRate, 8 * count])
      const [own, from] = [p, gradient].map((ptr) => this.find(ptr))
      if (own === null || from === null) throw new CannotBatch('parameters that are not the model’s')
      const state = states[g] + NETS * (group.slotAt(first, 0) - group.slotAt(0, 0))
      program.addMoving('update', update, [own.address, from.address, state, group.stride, n, hyper])
    }
    program.place((bytes) => this.allocate(bytes), 0)
  }

  /** Makes the interleaved array of an array that each net has; where parameters, or their gradients, lie in it end to end, kernels find each. */
  private interleave(
    list: InterleavedArray[],
    size: number,
    addressOf: InterleavedArray['addressOf'],
    members: readonly Parameter[],
    isGradient: boolean,
  ): Ptr {
    const address = this.allocate(4 * NETS * size)
    let before = 0
    for (const p of members) {
      this.arrays.set(isGradient ? p.gradientAddress : p.address, { address: address + 4 * NETS * before, stepBytes: 0 })
      before += p.size
    }
    list.push({ addressOf, size, address })
    return address
  }

  /** Writes where each net has its own array. */
  private writeAddresses({ addressOf }: InterleavedArray, nets: readonly (NetBuffers | null)[]): void {
    const { ints } = this.backend.heap
    for (let net = 0; net < NETS; net++) {
      const buffers = nets[net]
      ints[this.addresses / 4 + net] = buffers ? addressOf(buffers) : this.noNet
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

/** Predictions and targets of many steps: of all nets, and copies of those of one, with a view for each step. */
interface KeptOutputs {
  predictions: { from: Ptr; to: Ptr; size: number }
  targets: { from: Ptr; to: Ptr; size: number }
  views: readonly Outputs[]
}
