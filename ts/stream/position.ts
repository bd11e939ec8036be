/** How far a training on a stream has come, as a {@link Checkpoint} saves it. */
import { plainError, typeError } from '../common/errors.js'
import { savedCount } from '../common/saved.js'
import { show } from '../common/show.js'
import type { StreamPlace } from './source.js'
import type { StreamWindow } from './windows.js'

const COUNTS = ['pass', 'row', 'window', 'batches', 'steps', 'rows', 'epochRows', 'epochBatches', 'windowRows', 'skipped'] as const

/** State of a {@link StreamPosition}. */
export type PositionState = Record<(typeof COUNTS)[number], number> & {
  lossSum: number
  windowLossSum: number
  size: number
  perEpoch: number
}

/** @internal A callback without hooks: a Checkpoint saves and restores its state with the training. */
export class StreamPosition {
  readonly name = 'fitStream'
  /** Rows of a window. */
  size = 0
  /** Where the present window begins. */
  place: StreamPlace = { pass: 0, row: 0 }
  /** Windows before the present one. */
  window = 0
  /** Batches of the present window that were learnt. */
  batches = 0
  /** Steps before the present window. */
  steps = 0
  /** Rows that were learnt before the present window. */
  rows = 0
  /** Rows and batches of the epoch before the present window, and the sum of the losses of those rows. */
  epochRows = 0
  epochBatches = 0
  lossSum = 0
  /** Rows of the present window that were learnt, and the sum of their losses. */
  windowRows = 0
  windowLossSum = 0
  /** Rows that were skipped before the present window. */
  skipped = 0

  /** @param perEpoch rows of an epoch; 0 if it is a pass */
  constructor(private readonly perEpoch: number) {}

  get epochLoss(): number {
    return (this.lossSum + this.windowLossSum) / (this.epochRows + this.windowRows)
  }

  /** Goes to the next window. */
  endWindow({ next, bad }: StreamWindow): void {
    this.leaveWindow()
    this.skipped += bad.length
    this.place = next
    this.window++
  }

  /** Counts what was learnt of the present window as finished. */
  leaveWindow(): void {
    this.steps += this.batches
    this.rows += this.windowRows
    this.epochBatches += this.batches
    this.epochRows += this.windowRows
    this.lossSum += this.windowLossSum
    this.batches = this.windowRows = this.windowLossSum = 0
  }

  endEpoch(): void {
    this.epochRows = this.epochBatches = this.lossSum = 0
  }

  state(): PositionState {
    const { place, window, batches, steps, rows, epochRows, epochBatches, windowRows, skipped } = this
    const { lossSum, windowLossSum, size, perEpoch } = this
    const counts = { ...place, window, batches, steps, rows, epochRows, epochBatches, windowRows, skipped }
    return { ...counts, lossSum, windowLossSum, size, perEpoch }
  }

  loadState(state: PositionState): void {
    for (const name of COUNTS) savedCount(state?.[name], `resume: ${name}`)
    const { pass, row, lossSum, windowLossSum, size, perEpoch, ...counts } = state
    for (const sum of [lossSum, windowLossSum])
      if (typeof sum !== 'number') throw typeError(`resume: the sum of losses wants a number, got ${show(sum)}`)
    if (size !== this.size) throw plainError(`resume: window was ${show(size)} rows in the training in the file, this one has ${this.size}`)
    if (perEpoch !== this.perEpoch)
      throw plainError(
        `resume: epochRows was ${perEpoch || 'not given'} in the training in the file, this one has ${this.perEpoch || 'none'}`,
      )
    Object.assign(this, counts, { lossSum, windowLossSum, place: { pass, row } })
  }
}
