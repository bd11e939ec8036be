/** Staged rows: the rows of a round's steps, copied in advance to the memory that the kernels of a fleet read. */
import { type FleetKernels, fleetKernels } from '../../backend/fleet.js'
import type { Backend } from '../../backend/index.js'
import type { Ptr } from '../../backend/kernels.js'
import type { Tensor } from '../../tensor.js'
import type { RowRange } from '../batches.js'
import { copyRows, type Rows } from '../data.js'
import { type BatchTensor, copiesDataSet, type Recording } from '../fast/recording.js'
import { type FleetArray, NETS } from './batching-rules.js'

/** The inputs, targets or weights of all batches of a round. */
export interface StagedTensor extends FleetArray {
  /** The tensor of the recorded step that this one takes the place of. */
  of: Tensor
  /** True for one matrix for all nets, instead of one per net. */
  isShared: boolean
}

/** Rows that a kernel picks out of a data set. */
interface PickedRange {
  /** Address of their indices; 0 for consecutive rows from `first` on. */
  indices: Ptr
  first: number
  count: number
  /** Number of rows of the round that precede these. */
  before: number
}

/** The rows of up to eight nets for some steps. If all nets see the same rows, one object serves all. */
export class StagedRows {
  readonly tensors: readonly StagedTensor[]
  private readonly kernels: FleetKernels
  private readonly backend: Backend
  /** Room for the indices of the rows that a net sees. */
  private readonly indices: Ptr
  /** Memory for a copy of each tensor of a data set, from which a kernel picks rows; null if the data set is too large. */
  private readonly dataSet: readonly Ptr[] | null
  /** The steps whose rows are staged; null if none are. */
  private staged: { first: number; steps: number } | null = null

  constructor(
    private readonly recording: Recording,
    /** True if all nets see the same rows. */
    private readonly sharesRows: boolean,
    sharesInputs: boolean,
    capacity: number,
    allocate: (bytes: number) => Ptr,
  ) {
    const { batch, size } = recording
    this.backend = batch[0].to.backend
    this.kernels = fleetKernels(this.backend) as FleetKernels
    this.tensors = batch.map(({ to }, i) => {
      const isShared = i === 0 && sharesInputs
      const stepBytes = StagedRows.bytesOf(to, isShared)
      return { of: to, address: allocate(stepBytes * capacity), isShared, stepBytes }
    })
    this.indices = allocate(4 * size * capacity)
    this.dataSet = copiesDataSet(batch, capacity) ? batch.map(({ rows }) => allocate(4 * rows.size)) : null
  }

  /** Bytes of a tensor in one step. */
  static bytesOf(to: Tensor, isShared: boolean): number {
    return 4 * to.size * (isShared ? 1 : NETS)
  }

  /** True if the rows of these steps are staged, for any nets. */
  isStaged(first: number, steps: number): boolean {
    return this.sharesRows && this.staged?.first === first && this.staged.steps >= steps
  }

  /** Copies the rows of the next steps in, for each net, or once for all. @throws for rows that the step refuses, the error of the step */
  stage(first: number, steps: number, nets: readonly { rows: Rows; ranges: readonly RowRange[] }[]): void {
    this.staged = null
    let known: { rows: Rows; ranges: readonly RowRange[] } | null = null
    for (const [net, { rows, ranges }] of nets.entries()) {
      const source = [rows.inputs, rows.targets, ...(rows.weights === null ? [] : [rows.weights])]
      const picked = this.dataSet === null ? null : this.writeIndices(ranges, known?.ranges)
      for (const [i, tensor] of this.tensors.entries()) {
        if (tensor.isShared) copyRanges(source[i], tensor.address, ranges)
        else if (this.dataSet === null || picked === null) this.spread(source[i], tensor, net, ranges)
        else {
          const copy = this.dataSet[i]
          if (known?.rows !== rows) copyRows(source[i], copy, null, 0, rows.count)
          this.pick(copy, tensor, net, picked)
        }
      }
      known = { rows, ranges }
    }
    this.check(steps)
    this.staged = { first, steps }
  }

  /** Writes the indices of the rows of all ranges one after the other, unless they are already in `known`. */
  private writeIndices(ranges: readonly RowRange[], known: readonly RowRange[] | undefined): PickedRange[] {
    const { ints } = this.backend.heap
    let before = 0
    const isKnown = known?.every(({ order }, i) => order !== null && order === ranges[i].order)
    return ranges.map(({ order, from, to }) => {
      if (order !== null && !isKnown) ints.set(order.subarray(from, to), this.indices / 4 + before)
      const range = { indices: order === null ? 0 : this.indices + 4 * before, first: from, count: to - from, before }
      before += to - from
      return range
    })
  }

  /** Picks the rows of a net from a copy of its data set; if all nets see the same rows, the rows of all nets. */
  private pick(copy: Ptr, { address, of }: StagedTensor, net: number, picked: readonly PickedRange[]): void {
    const width = of.size / this.recording.size
    for (const { indices, first, count, before } of picked) {
      const from = copy + (indices === 0 ? 4 * width * first : 0)
      this.kernels.fleetRows(address + 4 * NETS * width * before, this.sharesRows ? NETS : net, from, indices, count, width)
    }
  }

  /** Picks rows in JavaScript, as the kernel does, for a data set that is too large to be copied. */
  private spread(source: Tensor, { address, of }: StagedTensor, net: number, ranges: readonly RowRange[]): void {
    const { ints, floats } = this.backend.heap
    const values = source.read()
    const out = values instanceof Int32Array ? ints : floats
    const width = of.size / this.recording.size
    const copies = this.sharesRows ? NETS : 1
    let next = address / 4 + net
    for (const { order, from: first, to } of ranges) {
      for (let r = first; r < to; r++) {
        const start = (order === null ? r : order[r]) * width
        for (let c = 0; c < width; c++) {
          for (let i = 0; i < copies; i++) out[next + i] = values[start + c]
          next += NETS
        }
      }
    }
  }

  /** Repeats the checks that the recorded step made of its batch. @throws errors of the checks */
  private check(steps: number): void {
    const { ints, floats } = this.backend.heap
    this.tensors.forEach(({ of, address, stepBytes }, i) => {
      const { checks } = this.recording.batch[i] as BatchTensor
      if (checks.length === 0) return
      const elements = (of.dtype === 'int32' ? ints : floats).subarray(address / 4, (address + steps * stepBytes) / 4)
      for (const check of checks) check(elements)
    })
  }
}

/** Copies the rows of all ranges, one range after the other. */
function copyRanges(source: Tensor, to: Ptr, ranges: readonly RowRange[]): void {
  const width = source.size / source.shape[0]
  let address = to
  for (const { order, from, to: end } of ranges) {
    copyRows(source, address, order, from, end)
    address += 4 * width * (end - from)
  }
}
