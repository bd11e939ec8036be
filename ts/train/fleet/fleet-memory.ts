/**
 * The memory of a program for eight nets: interleaved arrays, which take the place of the arrays of the recorded net, and the way between
 * these and the arrays that each net has for itself.
 */
import { type FleetKernels, fleetKernels, SCRATCH_FLOATS } from '../../backend/fleet.js'
import type { Backend } from '../../backend/index.js'
import type { Ptr } from '../../backend/kernels.js'
import type { Optimizer } from '../../optim/base/optimizer.js'
import type { Parameter } from '../../parameter.js'
import type { Recording } from '../fast/recording.js'
import { type BatchMemory, type FleetArray, NETS } from './batching-rules.js'
import { regionsOf } from './regions.js'
import type { StagedRows } from './staged-rows.js'

/** The net's own arrays that a program uses. */
export interface NetArrays {
  /** Its parameters, in the order of the recorded net's. */
  parameters: readonly Parameter[]
  optimizer: Optimizer
}

/** An array that each net has, and the interleaved array, which has eight floats, one of each net, in the place of every float. */
interface InterleavedArray {
  /** Address of a net's own array. */
  addressOf(net: NetArrays): Ptr
  /** Floats of one net. */
  size: number
  /** Address of the interleaved array. */
  address: Ptr
}

export class FleetMemory implements BatchMemory {
  readonly inputs: FleetArray & { isShared: boolean }
  readonly scratch: Ptr
  readonly isWide: boolean
  /** Losses of step i, one for each net, are at `losses` + 32·i. */
  readonly losses: Ptr
  /** Addresses of the interleaved state of each group of the optimizer; 0 if it has none. */
  readonly states: readonly Ptr[]
  private readonly blocks: Ptr[] = []
  /** The array that takes the place of an array of the recorded net, by the address of the latter. */
  private readonly arrays = new Map<Ptr, FleetArray>()
  /** Parameters and the optimizers' states, which are loaded before a round. */
  private readonly loaded: InterleavedArray[] = []
  /** Gradients, which are stored after a round together with parameters and states. */
  private readonly gradients: InterleavedArray[] = []
  /** Room for the addresses of one array of all nets. */
  private readonly addresses: Ptr
  /** Replaces the arrays of missing nets if there are fewer than eight. */
  private readonly noNet: Ptr
  private readonly kernels: FleetKernels
  private readonly backend: Backend

  /** @throws OutOfMemoryError */
  constructor(
    private readonly recording: Recording,
    /** The recorded net. */
    { parameters, optimizer }: NetArrays,
    rows: StagedRows,
    /** Largest number of steps of a round. */
    capacity: number,
  ) {
    this.backend = parameters[0].backend
    this.kernels = fleetKernels(this.backend) as FleetKernels
    this.isWide = this.backend.widened
    try {
      for (const staged of rows.tensors) this.arrays.set(staged.of.address, staged)
      this.inputs = rows.tensors[0]
      this.losses = this.allocate(4 * NETS * capacity)
      this.arrays.set(recording.lossAddress, { address: this.losses, stepBytes: 4 * NETS })
      this.scratch = this.allocate(4 * SCRATCH_FLOATS)
      for (const { first, members, size } of regionsOf(parameters)) {
        const values = this.interleave(this.loaded, size, ({ parameters }) => parameters[first].address)
        this.place(members, values, (p) => p.address)
        if (!parameters[first].requiresGrad) continue
        const gradients = this.interleave(this.gradients, size, ({ parameters }) => parameters[first].gradientAddress)
        this.place(members, gradients, (p) => p.gradientAddress)
      }
      this.states = optimizer.groups.map((group, i) => {
        const size = group.stride * group.slotNames.length
        return size === 0 ? 0 : this.interleave(this.loaded, size, ({ optimizer }) => optimizer.groups[i].slotAt(0, 0))
      })
      this.addresses = this.allocate(4 * NETS)
      this.noNet = this.allocate(4 * Math.max(...[...this.loaded, ...this.gradients].map(({ size }) => size)))
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** Gives the memory back. */
  release(): void {
    for (const block of this.blocks.splice(0)) this.backend.heap.free(block)
  }

  /** Memory until {@link release}. @throws OutOfMemoryError */
  allocate(bytes: number): Ptr {
    const block = this.backend.heap.allocate(bytes, 'zeros')
    this.blocks.push(block)
    return block
  }

  isInputs(ptr: Ptr): boolean {
    return ptr === this.recording.batch[0].to.address
  }

  find(ptr: Ptr): FleetArray | null {
    return this.arrays.get(ptr) ?? null
  }

  result(ptr: Ptr, floats: number): FleetArray {
    let known = this.arrays.get(ptr)
    if (known === undefined) this.arrays.set(ptr, (known = { address: this.allocate(4 * NETS * floats), stepBytes: 0 }))
    return known
  }

  /** Interleaves parameters and states of the nets. The places of null nets keep their content. */
  load(nets: readonly (NetArrays | null)[]): void {
    const { fleetInterleave } = this.kernels
    for (const array of this.loaded) {
      this.writeAddresses(array, nets)
      fleetInterleave(array.address, this.addresses, array.size)
    }
  }

  /** Copies parameters, states and gradients back to the nets' own arrays. Nothing is stored for null nets. */
  store(nets: readonly (NetArrays | null)[]): void {
    const { fleetDeinterleave } = this.kernels
    for (const array of [...this.loaded, ...this.gradients]) {
      this.writeAddresses(array, nets)
      fleetDeinterleave(array.address, this.addresses, array.size)
    }
  }

  private interleave(list: InterleavedArray[], size: number, addressOf: InterleavedArray['addressOf']): Ptr {
    const address = this.allocate(4 * NETS * size)
    list.push({ addressOf, size, address })
    return address
  }

  /** Notes the addresses of the parameters of a region, or of their gradients, in an interleaved array. */
  private place(members: readonly Parameter[], address: Ptr, addressOf: (p: Parameter) => Ptr): void {
    let before = 0
    for (const p of members) {
      this.arrays.set(addressOf(p), { address: address + 4 * NETS * before, stepBytes: 0 })
      before += p.size
    }
  }

  /** Writes the address of each net's own array. */
  private writeAddresses({ addressOf }: InterleavedArray, nets: readonly (NetArrays | null)[]): void {
    const { ints } = this.backend.heap
    for (let net = 0; net < NETS; net++) {
      const arrays = nets[net]
      ints[this.addresses / 4 + net] = arrays ? addressOf(arrays) : this.noNet
    }
  }
}
