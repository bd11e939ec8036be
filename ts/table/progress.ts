/** How far the training of a table is, from the first byte that is read to the report. */
import { clock } from '../common/clock.js'

/** What `trainTable` is at: rows are read, columns become numbers, nets are trained, and the report is made. */
export type TablePhase = 'reading' | 'encoding' | 'training' | 'measuring'

/** What the caller of `trainTable` hears while it is at work. */
export interface TableProgress {
  phase: TablePhase
  /** Seconds since the start. */
  seconds: number
  /**
   * Seconds until all is done, the report included: what is left of `time`, or an estimate by the speed so far. NaN before there is one, which without
   * `time` is when training has begun.
   */
  secondsLeft: number
  /** Share of the seconds that is over, from 0 to 1; 0 before there is an estimate. */
  share: number
  /** Bytes that were read of a file, packed ones where it is packed, and the size of the file where it is known. 0 of rows in memory. */
  bytes: { read: number; total: number | undefined }
  /** Rows that are there so far, and their columns. */
  rows: number
  columns: number
  /** Nets that are trained. */
  nets: number
  /** Loss of the best kind of net so far. */
  best: number | null
  /** Loss of training and of held-out rows, by epoch, of the net that is being trained. */
  curve: { loss: readonly number[]; validation: readonly number[] }
}

/** Milliseconds between two reports of a phase. */
const BETWEEN = 100
/** Seconds that are said to be left at least, as a multiple of those so far: what comes after reading takes as long as that, or longer. */
const LEAST_LEFT: Readonly<Record<TablePhase, number>> = { reading: 1, encoding: 0.5, training: 0.02, measuring: 0.02 }

/** Hears how far the parts of the work are, and tells the caller. */
export class ProgressWatch {
  private readonly known: Pick<TableProgress, 'phase' | 'bytes' | 'rows' | 'columns' | 'nets' | 'best' | 'curve'> = {
    ...{ phase: 'reading', bytes: { read: 0, total: undefined }, rows: 0, columns: 0, nets: 0, best: null },
    curve: { loss: [], validation: [] },
  }
  private last = Number.NEGATIVE_INFINITY
  /** When all will be over, as the clock counts; NaN where nothing is known. */
  private end: number

  /**
   * @param began when the work began, as the clock counts
   * @param time seconds that it has; undefined where there is no limit
   */
  constructor(
    private readonly onProgress: ((progress: TableProgress) => void) | undefined,
    private readonly began: number,
    private readonly time: number | undefined,
  ) {
    this.end = time === undefined ? Number.NaN : began + 1000 * time
  }

  /**
   * Takes in what has changed. The first report of a phase is told at once, others ten times a second at most.
   * @param secondsLeft an estimate, which counts where there is no limit
   */
  tell(changed: Partial<typeof this.known>, secondsLeft?: number): void {
    const { onProgress, began, known } = this
    if (onProgress === undefined) return
    const now = clock.now()
    const isNew = changed.phase !== undefined && changed.phase !== known.phase
    Object.assign(known, changed)
    if (secondsLeft !== undefined && this.time === undefined) this.end = now + 1000 * secondsLeft
    if (!isNew && now - this.last < BETWEEN) return
    this.last = now
    const seconds = (now - began) / 1000
    const left = Math.max((this.end - now) / 1000, LEAST_LEFT[known.phase] * seconds)
    onProgress({ ...known, seconds, secondsLeft: left, share: Number.isNaN(left) ? 0 : seconds / (seconds + left) })
  }
}
