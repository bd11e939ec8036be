/**
 * The step of eight nets as a program. It is made from the recorded step of one net, whose kernel calls are replaced by batched ones ({@link
 * batchedCalls}), and serves all nets that have the same keys (keys.ts). Before a round the parameters and optimizer states of eight nets are loaded
 * into its interleaved arrays; afterwards they are stored back into each net's own arrays. In between, each update of all eight nets is one call,
 * too.
 */
import { type FleetKernels, fleetKernel, fleetKernels, fleetName } from '../../backend/fleet.js'
import type { Backend } from '../../backend/index.js'
import type { Ptr } from '../../backend/kernels.js'
import { Tensor } from '../../tensor.js'
import { Program, unshared } from '../fast/program.js'
import type { Outputs, Recording } from '../fast/recording.js'
import { batchedCalls, CannotBatch, checkWidth, DROPOUT_WORDS, type Draw, NETS } from './batching-rules.js'
import { FleetMemory, type NetArrays } from './fleet-memory.js'
import type { HyperTables } from './hyper-tables.js'
import type { UpdateSpec } from './member-optimizer.js'
import type { StagedRows } from './staged-rows.js'

/** The buffers of one net that a round reads and writes. */
export interface NetBuffers extends NetArrays {
  /** The table with the hyper-parameters of its updates. */
  hyper: Ptr
  /** Learning rates of each update: one for all steps (`stepBytes` is 0), or one for each step. */
  rates: { address: Ptr; stepBytes: number }[]
  /** The generators that dropouts draw from, in the order of the calls. */
  draws: readonly { low: number; high: number; stream: number; counter: number; rate: number }[]
}

/** Inputs of a program; parameters and optimizer belong to the recorded net. */
export interface FleetProgramOptions extends NetArrays {
  recording: Recording
  updates: readonly UpdateSpec[]
  rows: StagedRows
  tables: HyperTables
  /** Largest number of steps of a round. */
  capacity: number
  /** True if predictions and targets of all steps are kept. */
  keepsPredictions: boolean
}

export class FleetProgram {
  private readonly program: Program
  private readonly memory: FleetMemory
  private readonly kernels: FleetKernels
  private readonly backend: Backend
  private readonly dropouts: { table: Ptr; draw: Draw }[] = []
  /** The table of each update for {@link FleetKernels.fleetHyper}, with the addresses of the nets' hyper-parameters and learning rates. */
  private readonly hyperTables: Ptr[] = []
  /** Room for learning rates, one for each net. */
  private readonly rates: Ptr[]
  private readonly kept: KeptOutputs | null

  /** @throws CannotBatch if the step has no version for fleets, OutOfMemoryError */
  constructor(private readonly options: FleetProgramOptions) {
    const { recording, parameters, updates, rows, capacity, keepsPredictions } = options
    const backend = (this.backend = parameters[0].backend)
    this.kernels = fleetKernels(backend) as FleetKernels
    const program = Program.of(backend.kernels)
    if (program === null) throw new CannotBatch('steps in JavaScript')
    this.program = program
    if (updates.length === 0) throw new CannotBatch('nothing is trained')
    checkWidth(recording.calls)
    this.memory = new FleetMemory(recording, options, rows, capacity)
    try {
      this.rates = Array.from({ length: NETS }, () => this.memory.allocate(8 * capacity * updates.length))
      this.kept = keepsPredictions ? this.allocateOutputs() : null
      this.writeStep()
      for (const update of updates) this.writeUpdate(update)
      program.place((bytes) => this.memory.allocate(bytes), 0)
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** Gives the memory back. */
  release(): void {
    this.memory.release()
  }

  /** Losses of step i, one for each net, are at this address + 32·i. */
  get losses(): Ptr {
    return this.memory.losses
  }

  /** Address for the learning rates of a net: all steps of the first update, then all steps of the next. */
  ratesOf(net: number): Ptr {
    return this.rates[net]
  }

  /** Loads the arrays of the nets. For a null net, the program computes with leftover data, and its results are ignored. */
  loadNets(nets: readonly (NetBuffers | null)[]): void {
    this.memory.load(nets)
    this.writeDropoutTables(nets)
    this.writeHyperTables(nets)
  }

  /** Stores the results of these nets into their own arrays. */
  storeNets(nets: readonly (NetBuffers | null)[]): void {
    this.memory.store(nets)
  }

  /** Runs this many steps, whose rows must be staged; the nets must be loaded. */
  run(steps: number): void {
    this.program.run(this.backend.heap.ints, steps)
  }

  /** Runs the programs of several rounds, each on its own thread if there are threads. All have the backend of the first. */
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

  /** Predictions and targets of a net in these steps; valid until the outputs of another net are requested. */
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
    const allSteps = ({ size }: Tensor) => this.memory.allocate(4 * size * capacity)
    const from = this.memory.allocate(4 * NETS * prediction.size * capacity)
    const to = [prediction, targets].map(allSteps)
    const view = (t: Tensor, first: Ptr, i: number) => Tensor.permanent(t.backend, t.shape, first + 4 * t.size * i, t.dtype)
    return {
      predictions: { from, to: to[0], size: prediction.size },
      targets: { from: rows.tensors[1].address, to: to[1], size: targets.size },
      views: Array.from({ length: capacity }, (_, i) => ({ prediction: view(prediction, to[0], i), targets: view(targets, to[1], i) })),
    }
  }

  /** Forward pass, loss and backward pass of eight nets; then copies their predictions, if these are kept. */
  private writeStep(): void {
    const { program, backend, kept, memory } = this
    const { recording } = this.options
    const kernels = { ...backend.kernels, ...this.kernels } as unknown as Record<string, unknown>
    const kernelOf = (name: string) => {
      const kernel = kernels[name] ?? fleetKernel(backend, name)
      if (kernel === undefined) throw new CannotBatch(`there is no kernel '${name}' here`)
      return unshared(kernel)
    }
    for (const call of batchedCalls(recording.calls, memory)) {
      if (call.draw !== undefined) this.dropouts.push({ table: call.args[3], draw: call.draw })
      program.addMoving(call.name, kernelOf(call.name), call.args, call.moves)
    }
    if (kept === null) return
    const { from, size } = kept.predictions
    const prediction = memory.find(recording.prediction.address)
    if (prediction === null) throw new CannotBatch('a prediction that no kernel made')
    program.addMoving('copy', kernels.copy, [prediction.address, from, NETS * size], [[1, 4 * NETS * size]])
  }

  /** Writes an update of eight nets: a call that puts their hyper-parameters side by side, then the kernel of the optimizer. */
  private writeUpdate({ group: g, span: s, kernel, count, scaledByRate }: UpdateSpec): void {
    const { program, backend, memory } = this
    const { optimizer } = this.options
    const update = fleetKernel(backend, fleetName(kernel))
    if (update === undefined) throw new CannotBatch(`${optimizer.name} looks at more than one element at a time`)
    const group = optimizer.groups[g]
    const { p, g: gradient, n, first } = group.spans[s]
    const table = memory.allocate(4 * 3 * NETS)
    const hyper = memory.allocate(4 * NETS * count)
    this.hyperTables.push(table)
    program.addMoving('fleetHyper', this.kernels.fleetHyper, [hyper, table, count, scaledByRate, 8 * count])
    const [own, from] = [p, gradient].map((ptr) => memory.find(ptr))
    if (own === null || from === null) throw new CannotBatch('parameters that are not the model’s')
    const state = memory.states[g] + NETS * (group.slotAt(first, 0) - group.slotAt(0, 0))
    program.addMoving('update', update, [own.address, from.address, state, group.stride, n, hyper])
  }

  /** Writes seeds, counters and rates of each net for each dropout. */
  private writeDropoutTables(nets: readonly (NetBuffers | null)[]): void {
    const { ints, doubles } = this.backend.heap
    for (const [i, { table }] of this.dropouts.entries()) {
      for (let net = 0; net < NETS; net++) {
        const draw = nets[net]?.draws[i]
        const word = table / 4 + net * DROPOUT_WORDS
        ints[word] = draw?.low ?? 0
        ints[word + 1] = draw?.high ?? 0
        ints[word + 2] = draw?.stream ?? 0
        ints[word + 3] = draw?.counter ?? 0
        doubles[word / 2 + 2] = draw?.rate ?? 0
      }
    }
  }

  /** Writes the addresses of each net's hyper-parameters and learning rates, for each update; null nets get another net's. */
  private writeHyperTables(nets: readonly (NetBuffers | null)[]): void {
    const { ints } = this.backend.heap
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
}

/** Predictions and targets of many steps: for all nets, and copies for one net, with a view for each step. */
interface KeptOutputs {
  predictions: { from: Ptr; to: Ptr; size: number }
  targets: { from: Ptr; to: Ptr; size: number }
  views: readonly Outputs[]
}
