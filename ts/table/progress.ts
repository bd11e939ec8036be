/** Progress of the training of a table, from the first byte that is read to the report. */
import { clock } from '../common/clock.js'
import { shortened } from '../common/show.js'
import { textBar, timeText } from '../common/terminal-line.js'
import { formatMetric } from '../report/format.js'
import type { Leak } from './rows/leaks.js'

/** Phase of `trainTable`: rows are read, columns become numbers, nets are trained, and the report is made. */
export type TablePhase = 'reading' | 'encoding' | 'training' | 'measuring'

/** Progress that the caller of `trainTable` gets during the work. */
export interface TableProgress {
  phase: TablePhase
  /** The target that is learned, if there are several. All figures are about it; reading is for all of them. */
  target?: string
  /**
   * The work in this phase, in words: `rows`, `a look at each column`, `columns as numbers`, `test rows as numbers`, `inputs of nets`, `a straight
   * line`, `nets`, `a learning curve`, `how good it is, and what it looks at`.
   */
  step: string
  /** Seconds since the start. */
  seconds: number
  /**
   * Seconds until everything is done, the report included: the rest of `time`, or an estimate from the speed so far. NaN before there is an estimate;
   * without `time` it comes when training has begun.
   */
  secondsLeft: number
  /** Fraction of the time that is over, from 0 to 1; 0 before there is an estimate. */
  share: number
  /** Bytes that were read of a file (packed bytes if it is packed), and the size of the file if known. 0 for rows in memory. */
  bytes: { read: number; total: number | undefined }
  /** Rows that were read so far, and the number of their columns. */
  rows: number
  columns: number
  /** Columns that give the target away, known before nets are trained. */
  leaks: readonly Leak[]
  /** Number of nets that were trained. */
  nets: number
  /** Loss of the best kind of net so far. */
  best: number | null
  /** Loss of training and of held-out rows, by epoch, of the net that is being trained. */
  curve: { loss: readonly number[]; validation: readonly number[] }
}

/** Milliseconds between two reports of a phase. */
const BETWEEN = 100
/** Lower limit of the reported remaining seconds, as a multiple of those so far: the work after reading takes at least as long. */
const MIN_LEFT: Readonly<Record<TablePhase, number>> = { reading: 1, encoding: 0.5, training: 0.02, measuring: 0.02 }

/** Collects the progress of the parts of the work, and reports it to the caller. */
export class ProgressWatch {
  private readonly known: Pick<TableProgress, 'phase' | 'step' | 'bytes' | 'rows' | 'columns' | 'nets' | 'best' | 'curve' | 'leaks'> = {
    ...{ phase: 'reading', step: 'rows', bytes: { read: 0, total: undefined }, rows: 0, columns: 0, nets: 0, best: null, leaks: [] },
    curve: { loss: [], validation: [] },
  }
  private last = Number.NEGATIVE_INFINITY
  /** Expected end in the time of the clock; NaN if nothing is known. */
  private end: number

  /**
   * @param began start of the work in the time of the clock
   * @param time limit in seconds; undefined without a limit
   */
  constructor(
    private readonly onProgress: ((progress: TableProgress) => void) | undefined,
    private readonly began: number,
    private readonly time: number | undefined,
  ) {
    this.end = time === undefined ? Number.NaN : began + 1000 * time
  }

  /**
   * Records changes. The first report of a phase and of a step is sent at once, others at most ten times a second.
   * @param secondsLeft an estimate, which is used if there is no limit
   */
  tell(changed: Partial<typeof this.known>, secondsLeft?: number): void {
    const { onProgress, began, known } = this
    if (onProgress === undefined) return
    const now = clock.now()
    const isNew = (['phase', 'step'] as const).some((name) => changed[name] !== undefined && changed[name] !== known[name])
    Object.assign(known, changed)
    if (secondsLeft !== undefined && this.time === undefined) this.end = now + 1000 * secondsLeft
    if (!isNew && now - this.last < BETWEEN) return
    this.last = now
    const seconds = (now - began) / 1000
    const left = Math.max((this.end - now) / 1000, MIN_LEFT[known.phase] * seconds)
    onProgress({ ...known, seconds, secondsLeft: left, share: Number.isNaN(left) ? 0 : seconds / (seconds + left) })
  }
}

/** `training ███░░░ nets · 12 trained · best loss 0.312 · 12 s left`: a line of a terminal. */
export function progressText({ phase, target, step, share, rows, nets, best, secondsLeft }: TableProgress): string {
  const facts = [
    ...(target === undefined ? [] : [shortened(target)]),
    ...(phase === 'reading' && rows > 0 ? [`${rows.toLocaleString('en-US')} rows`] : [step]),
    ...(nets > 0 ? [`${nets} trained`] : []),
    ...(best === null ? [] : [`best loss ${formatMetric(best)}`]),
    ...(Number.isNaN(secondsLeft) ? [] : [`${timeText(secondsLeft)} left`]),
  ]
  return `${phase} ${textBar(share)} ${facts.join(' · ')}`
}

/** The figures of a report that the last line says. */
interface Done {
  nets: { trained: number }
  seconds: number
  metrics: readonly { name: string; value: number }[]
}

/** `5 nets in 12 s · accuracy 0.967`: what takes the place of the line. */
export function doneText({ nets, seconds, metrics: [first] }: Done): string {
  return `${nets.trained} nets in ${timeText(seconds)}${first === undefined ? '' : ` · ${first.name} ${formatMetric(first.value)}`}`
}
