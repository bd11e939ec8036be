/**
 * Batching rules turn the recorded step of one net into the step of eight. The rule of a kernel (the term comes from vmap) gives the equivalent call
 * for all eight nets, on arrays that have eight floats, one of each net, in the place of every float (crate/fleet).
 */
import { SHARED_INPUTS, WIDE } from '../../backend/fleet.js'
import type { Ptr } from '../../backend/kernels.js'
import type { Counter, KernelCall } from '../fast/program.js'

/** Nets side by side. */
export const NETS = 8

/** Words of a net in the table of a dropout: seed (low, high), stream, counter, and the rate as a double (crate/abi/fleet.rs). */
export const DROPOUT_WORDS = 6

/** An argument that grows from step to step: its index, and the increment in bytes. */
type Move = readonly [argument: number, bytes: number]

/** A call that draws random numbers. */
export interface Draw {
  counter: Counter
  args: readonly number[]
}

/** A kernel call for eight nets. */
interface BatchedCall {
  name: string
  args: readonly number[]
  moves: readonly Move[]
  /** For dropout the call that draws for one net: it tells which generators the table of the dropout contains. */
  draw?: Draw
}

/**
 * An array that a program of a fleet reads or writes. The arrays of a batch advance by `stepBytes` from step to step; for other arrays `stepBytes` is
 * 0.
 */
export interface FleetArray {
  address: Ptr
  stepBytes: number
}

/** The memory of a program of a fleet: maps addresses of the recorded net to its arrays. */
export interface BatchMemory {
  /** The inputs of the batch: one matrix that all nets share, or an interleaved one. */
  readonly inputs: FleetArray & { isShared: boolean }
  isInputs(ptr: Ptr): boolean
  /** The array of a tensor of the batch, a parameter, a gradient, or a result of this step; null for any other address. */
  find(ptr: Ptr): FleetArray | null
  /** The array of a result, which is allocated if it is not known yet. */
  result(ptr: Ptr, floats: number): FleetArray
  /** Scratch of dense layers. */
  readonly scratch: Ptr
  /** True if the engine computes with all eight nets at once. */
  readonly isWide: boolean
  /** Allocates memory for tables, which lasts as long as the program. */
  allocate(bytes: number): Ptr
}

/** A step cannot be batched; the message says why. */
export class CannotBatch extends Error {}

type BatchingRule = (args: readonly number[], memory: BatchMemory, call: KernelCall) => Omit<BatchedCall, 'name'> & { name?: string }

/** Collects the arguments of a batched call, with their moves. */
class Arguments {
  readonly args: number[] = []
  readonly moves: Move[] = []

  constructor(private readonly memory: BatchMemory) {}

  /** An array that is read. */
  read(ptr: Ptr): this {
    if (ptr === 0) return this.number(0)
    const found = this.memory.isInputs(ptr) ? this.ownInputs() : this.memory.find(ptr)
    if (found === null) throw new CannotBatch('a step reads an array that no kernel of it made')
    return this.add(found)
  }

  /** An array that is written. */
  write(ptr: Ptr, floats: number): this {
    return ptr === 0 ? this.number(0) : this.add(this.memory.result(ptr, floats))
  }

  /** The inputs of a dense layer, and how it is computed ({@link SHARED_INPUTS}, {@link WIDE}). */
  inputs(ptr: Ptr): this {
    const wide = this.memory.isWide ? WIDE : 0
    if (!this.memory.isInputs(ptr)) return this.read(ptr).number(wide)
    const { inputs } = this.memory
    return this.add(inputs).number(wide + (inputs.isShared ? SHARED_INPUTS : 0))
  }

  number(...values: number[]): this {
    this.args.push(...values)
    return this
  }

  private ownInputs(): FleetArray {
    const { inputs } = this.memory
    if (inputs.isShared) throw new CannotBatch('inputs are used by more than dense layers')
    return inputs
  }

  private add({ address, stepBytes }: FleetArray): this {
    if (stepBytes > 0) this.moves.push([this.args.length, stepBytes])
    this.args.push(address)
    return this
  }
}

/** The batching rule of a loss; a call without a gradient cannot be batched. */
const loss =
  (name: string): BatchingRule =>
  ([prediction, target, weights, gradient, out, rows, cols, scale, option], memory) => {
    if (gradient === 0) throw new CannotBatch('a loss without its gradient')
    if (name.startsWith('fleetCrossEntropy') && cols > MAX_CLASSES) throw new CannotBatch(`more than ${MAX_CLASSES} classes`)
    const a = new Arguments(memory).read(prediction).read(target).read(weights)
    const { args, moves } = a
      .write(gradient, rows * cols)
      .write(out, 1)
      .number(rows, cols, scale, option)
    return { name, args, moves }
  }

/** The widest row of a cross-entropy (crate/fleet/loss.rs). */
export const MAX_CLASSES = 256

/**
 * The batching rule of each kernel, by its name. A rule without a name keeps the kernel: an element-wise kernel runs over eight times as many
 * elements.
 */
const BATCHING_RULES: Readonly<Record<string, BatchingRule>> = {
  denseForward([x, w, b, z, y, m, k, n, kind], memory) {
    const { args, moves } = new Arguments(memory)
      .inputs(x)
      .read(w)
      .read(b)
      .write(z, m * n)
      .write(y, m * n)
      .number(m, k, n, kind, memory.scratch)
    return { name: 'fleetDenseForward', args, moves }
  },
  denseBackward([x, w, saved, dy, dz, dw, db, dx, m, k, n, kind, accumulate], memory) {
    if (accumulate !== 0) throw new CannotBatch('a layer that is used twice in a step')
    const { args, moves } = new Arguments(memory)
      .inputs(x)
      .read(w)
      .read(saved)
      .read(dy)
      .write(dz, m * n)
      .write(dw, k * n)
      .write(db, n)
      .write(dx, m * k)
      .number(m, k, n, kind, memory.scratch)
    return { name: 'fleetDenseBackward', args, moves }
  },
  activationForward([x, y, n, kind], memory) {
    const { args, moves } = new Arguments(memory)
      .read(x)
      .write(y, n)
      .number(NETS * n, kind)
    return { args, moves }
  },
  activationBackward([saved, dy, dx, n, kind], memory) {
    const { args, moves } = new Arguments(memory)
      .read(saved)
      .read(dy)
      .write(dx, n)
      .number(NETS * n, kind)
    return { args, moves }
  },
  dropout([x, y, n], memory, call) {
    if (call.counter === null) throw new CannotBatch('dropout whose generator is not of the model')
    const { args, moves } = new Arguments(memory)
      .read(x)
      .write(y, n)
      .number(n, memory.allocate(4 * NETS * DROPOUT_WORDS), call.counter.perStep)
    return { name: 'fleetDropout', args, moves, draw: { counter: call.counter, args: call.args } }
  },
  mul([a, b, y, rows, cols, aRow, aCol, bRow, bCol], memory) {
    if (aCol !== 1 || bCol !== 1) throw new CannotBatch('a product with one factor for each row')
    const { args, moves } = new Arguments(memory)
      .read(a)
      .read(b)
      .write(y, rows * cols)
      .number(rows, NETS * cols, NETS * aRow, 1, NETS * bRow, 1)
    return { args, moves }
  },
  copy([x, y, n], memory) {
    const { args, moves } = new Arguments(memory)
      .read(x)
      .write(y, n)
      .number(NETS * n)
    return { args, moves }
  },
  reduceSum([x, y, outer, length, inner], memory) {
    // a line of one net is added in another order than columns
    if (inner === 1) throw new CannotBatch('sums of rows')
    const { args, moves } = new Arguments(memory)
      .read(x)
      .write(y, outer * inner)
      .number(outer, length, NETS * inner)
    return { args, moves }
  },
  squaredError: loss('fleetSquaredError'),
  absoluteError: loss('fleetAbsoluteError'),
  huber: loss('fleetHuber'),
  binaryCrossEntropy: loss('fleetBinaryCrossEntropy'),
  crossEntropyIndices: loss('fleetCrossEntropyIndices'),
  crossEntropyProbabilities: loss('fleetCrossEntropyProbabilities'),
}

/** The batched calls of all calls of a step. @throws CannotBatch that names a kernel without a rule */
export function batchedCalls(calls: readonly KernelCall[], memory: BatchMemory): BatchedCall[] {
  return calls.map((call) => {
    const rule = BATCHING_RULES[call.name]
    if (rule === undefined) throw new CannotBatch(`the kernel '${call.name}' is not one for fleets`)
    return { name: call.name, ...rule(call.args, memory, call) }
  })
}

/**
 * Largest number of weights of a layer for nets side by side. With more, a net alone keeps the multiply-add units equally busy, by the tiles of large
 * products, and eight nets at once need more of the cache. bench/fleet/crossover.ts measures this limit, and changes it to do so.
 */
export const CROSSOVER = { mostWeights: 10_000 }

/** @throws CannotBatch for a step with a layer that is computed as fast alone */
export function checkWidth(calls: readonly KernelCall[]): void {
  const { mostWeights } = CROSSOVER
  for (const { name, args } of calls) {
    const [inputs, outputs] = [args[6], args[7]]
    if (name === 'denseForward' && inputs * outputs > mostWeights)
      throw new CannotBatch(`a layer of ${inputs} · ${outputs} weights: with more than ${mostWeights} a net is as fast alone`)
  }
}

/** True if the inputs of a batch go only into dense layers, which take one matrix for all nets. */
export function onlyDenseTakes(calls: readonly KernelCall[], inputs: Ptr): boolean {
  return calls.every(({ name, args }) =>
    name === 'denseForward' || name === 'denseBackward' ? args.lastIndexOf(inputs, 7) <= 0 : args.slice(0, 3).indexOf(inputs) < 0,
  )
}
