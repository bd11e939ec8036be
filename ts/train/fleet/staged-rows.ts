/** The rows of the next steps, where the kernels of a fleet read them. */
import { type FleetKernels, fleetKernels } from '../../backend/fleet.js'
import type { Backend } from '../../backend/index.js'
import type { Ptr } from '../../backend/kernels.js'
import type { Tensor } from '../../tensor.js'
import type { RowRange } from '../batches.js'
import { copyRows, type Rows } from '../data.js'
import { type BatchTensor, copiesDataSet, type Recording } from '../fast/recording.js'
import { type FleetArray, NETS } from './batching-rules.js'

/** Inputs, targets or weights of the batches of all steps. */
export interface StagedTensor extends FleetArray {
  /** The tensor of the recorded step. */
  from: Tensor
  /** Whether there is one matrix for all nets, not one of each. */
  isShared: boolean
}

/** The rows of up to eight nets for some steps. Where all nets see the same rows, one of these serves all. */
export class StagedRows {
  readonly tensors: readonly StagedTensor[]
  private readonly kernels: FleetKernels
  private readonly backend: Backend
  /** Room for the numbers of the rows of a net. */
  private readonly order: Ptr
  /** Memory for a copy of a data set, a table for each tensor of the batch; null where it is too large. */
  private readonly tables: readonly Ptr[] | null
  private staged: { first: number; steps: number } | null = null

  constructor(
    private readonly recording: Recording,
    /** Whether all nets see the same rows. */
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
      return { from: to, address: allocate(stepBytes * capacity), isShared, stepBytes }
    })
    this.order = allocate(4 * size * capacity)
    this.tables = copiesDataSet(batch, capacity) ? batch.map(({ rows }) => allocate(4 * rows.size)) : null
  }

  static bytesOf(to: Tensor, isShared: boolean): number {
    return 4 * to.size * (isShared ? 1 : NETS)
  }

  /** Whether the rows of these steps are there, for whichever nets. */
  isStaged(first: number, steps: number): boolean {
    return this.sharesRows && this.staged?.first === first && this.staged.steps >= steps
  }

  /** Copies the rows of the next steps in, of each net, or of one for all. @throws what the step would, of rows that it refuses */
  stage(first: number, steps: number, nets: readonly { rows: Rows; ranges: readonly RowRange[] }[]): void {
    this.staged = null
    let known: { rows: Rows; ranges: readonly RowRange[] } | null = null
    for (const [net, { rows, ranges }] of nets.entries()) {
      const source = [rows.inputs, rows.targets, ...(rows.weights === null ? [] : [rows.weights])]
      const orders = this.tables === null ? null : this.writeOrder(ranges, known?.ranges)
      for (const [i, tensor] of this.tensors.entries()) {
        if (tensor.isShared) {
          copyRanges(source[i], tensor.address, ranges)
        } else if (orders === null) {
          this.spread(source[i], tensor, net, ranges)
        } else {
          const table = (this.tables as readonly Ptr[])[i]
          if (known?.rows !== rows) copyRows(source[i], table, null, 0, rows.count)
          const target = this.sharesRows ? NETS : net
          for (const { from, to, rows: count } of orders) {
            const width = tensor.from.size / this.recording.size
            this.kernels.fleetRows(
              tensor.address + 4 * NETS * width * to,
              target,
              table + (from.order === 0 ? 4 * width * from.row : 0),
              from.order,
              count,
              width,
            )
          }
        }
      }
      known = { rows, ranges }
    }
    this.check(steps)
    this.staged = { first, steps }
  }

  /** Writes the numbers of the rows one after the other; says for each range where they are, and where its rows go. */
  private writeOrder(
    ranges: readonly RowRange[],
    known: readonly RowRange[] | undefined,
  ): { from: { order: Ptr; row: number }; to: number; rows: number }[] {
    const { ints } = this.backend.heap
    let done = 0
    const isKnown = known?.every(({ order }, i) => order !== null && order === ranges[i].order)
    return ranges.map(({ order, from, to }) => {
      if (order !== null && !isKnown) ints.set(order.subarray(from, to), this.order / 4 + done)
      const range = { from: { order: order === null ? 0 : this.order + 4 * done, row: from }, to: done, rows: to - from }
      done += to - from
      return range
    })
  }

  /** As the kernel does, of a data set that is too large to be copied. */
  private spread(source: Tensor, { address, from }: StagedTensor, net: number, ranges: readonly RowRange[]): void {
    const { ints, floats } = this.backend.heap
    const values = source.read()
    const out = values instanceof Int32Array ? ints : floats
    const width = from.size / this.recording.size
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

  private check(steps: number): void {
    const { ints, floats } = this.backend.heap
    this.tensors.forEach(({ from, address, stepBytes }, i) => {
      const { checks } = this.recording.batch[i] as BatchTensor
      if (checks.length === 0) return
      const elements = (from.dtype === 'int32' ? ints : floats).subarray(address / 4, (address + steps * stepBytes) / 4)
      for (const check of checks) check(elements)
    })
  }
}

/** Rows of all steps behind each other. */
function copyRanges(source: Tensor, to: Ptr, ranges: readonly RowRange[]): void {
  const width = source.size / source.shape[0]
  let address = to
  for (const { order, from, to: end } of ranges) {
    copyRows(source, address, order, from, end)
    address += 4 * width * (end - from)
  }
}
