/** Progress of training on a table: a live area at a terminal, lines at intervals elsewhere, nothing if it was not requested. */
import type { TablePhase, TableProgress } from '../../table/index.js'
import { barLine } from '../terminal/bar.js'
import { chartLines } from '../terminal/chart.js'
import { duration, percent, roughly, whole } from '../terminal/format.js'
import { LiveArea } from '../terminal/live-area.js'
import { columns, isLive, print, printNote } from '../terminal/terminal.js'

/** Seconds before the first line, and between two lines of one phase. Shorter work has no lines. */
const PATIENCE = 1.5
const BETWEEN = 10
/** Number of values whose encoding takes about a second. */
const MANY_VALUES = 5e5
/** A command that exceeds its time by more than this fraction says why. */
const TOLERANCE = 0.05

const PHASES: readonly TablePhase[] = ['reading', 'encoding', 'training', 'measuring']

/** Shows the progress of one training. */
export class TableReporter {
  private readonly live: LiveArea | null
  /** Time and phase of the last shown line. */
  private shown: { seconds: number; phase: TablePhase | undefined; step: string } = { seconds: 0, phase: undefined, step: '' }
  private hasBegun = false
  private hasTold = false
  private rows = 0
  /** Seconds after which the nets were begun. */
  private prepared: number | undefined

  /** @param title printed before anything else, once the rows were read and can be learned from; errors about a file come before it */
  constructor(
    private readonly title: string,
    private readonly silent: boolean,
  ) {
    this.live = silent || !isLive() ? null : new LiveArea()
  }

  progress(progress: TableProgress): void {
    const { phase, step, seconds, rows } = progress
    this.rows = rows
    if (this.prepared === undefined && phase === 'training') this.prepared = seconds
    if (this.silent) return
    this.tellLeaks(progress)
    const isFirst = this.shown.phase === undefined
    const isNew = phase !== this.shown.phase
    // many values are encoded at once, without progress in between
    const isLong = phase === 'encoding' && rows * progress.columns > MANY_VALUES
    const wait = isNew && (isLong || !isFirst) ? 0 : isFirst || step !== this.shown.step ? PATIENCE : BETWEEN
    const isDue = seconds - this.shown.seconds >= wait
    if (phase === 'training' || (this.live === null && isDue)) this.begin()
    if (this.live) this.live.draw(liveLines(progress), isNew)
    else if (isDue) print(`  ${progressLine(progress)}${isFirst ? comes(phase) : ''}`)
    else return
    this.shown = { seconds, phase, step }
  }

  /** Says before training which columns give the target away. */
  private tellLeaks({ leaks }: TableProgress): void {
    if (leaks.length === 0 || this.hasTold) return
    this.hasTold = true
    this.live?.clear()
    const [{ column, explained }] = leaks
    const others = leaks.length === 1 ? '' : ` (so ${leaks.length === 2 ? 'does' : 'do'} ${leaks.length - 1} more)`
    printNote(
      `column '${column}' alone explains ${percent(explained, 1)} of the target${others}: leave it out by --exclude if it is known only afterwards`,
    )
  }

  private begin(): void {
    if (this.hasBegun) return
    this.hasBegun = true
    this.live?.clear()
    print(this.title)
  }

  /** Removes the live area. */
  end(): void {
    this.live?.clear()
  }

  /** Explains why the work took longer than planned, if it did. */
  tellOverrun(time: number, took: number): void {
    if (took <= time * (1 + TOLERANCE) || took < time + 1) return
    printNote(
      `it took ${duration(took)}, not ${duration(time)}: until ${whole(this.rows)} rows were read and encoded ${duration(this.prepared ?? took)} had gone, and a model needs a short training and a report at least; give it more time, or fewer rows`,
    )
  }
}

/** `; then encoding, training, measuring`, if more phases follow. */
function comes(phase: TablePhase): string {
  const rest = PHASES.slice(PHASES.indexOf(phase) + 1)
  return rest.length === 0 ? '' : `; then ${rest.join(', ')}`
}

/** `reading: 12 of 18 MB, 310,000 rows × 6 columns, 2.1 s so far`. */
function progressLine(progress: TableProgress): string {
  return `${progress.phase}: ${facts(progress).join(', ')}`
}

/** Most important first. */
function facts({ phase, step, seconds, secondsLeft, bytes, rows, columns, nets, best }: TableProgress): string[] {
  const size = `${whole(rows)} rows × ${whole(columns)} columns`
  const left = Number.isNaN(secondsLeft) ? [] : [`about ${roughly(secondsLeft)} left`]
  const soFar = `${duration(seconds)} so far`
  if (phase === 'reading') {
    const { read, total } = bytes
    const part = total === undefined ? megabytes(read) : `${megabytes(read)} of ${megabytes(total)}`
    return [...(read > 0 ? [part] : []), ...(rows > 0 ? [size] : []), ...left, soFar]
  }
  if (phase === 'encoding') return [step, size, ...left, soFar]
  if (phase === 'training') {
    if (step !== 'nets') return [step, ...left, soFar]
    const trained = `${whole(nets)} ${nets === 1 ? 'net' : 'nets'} trained`
    return [...left, trained, ...(best === null ? [] : [`best loss ${best.toFixed(4)}`]), soFar]
  }
  return [step, ...left, soFar]
}

function megabytes(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1000)} kB`
  return `${bytes < 1e7 ? (bytes / 1e6).toFixed(1) : whole(bytes / 1e6)} MB`
}

function liveLines(progress: TableProgress): string[] {
  const width = Math.min(columns() - 1, 100)
  const { phase, bytes, share } = progress
  const done = phase === 'reading' && bytes.total ? bytes.read / bytes.total : share
  const bar = barLine(phase, done, facts(progress), width)
  const { loss, validation } = progress.curve
  if (phase !== 'training' || loss.length < 2) return [bar]
  const x = loss.map((_, i) => i + 1)
  const lines = [
    { name: 'training', x, y: loss },
    { name: 'rows not seen', x, y: validation },
  ]
  return [bar, '', ...chartLines(lines, { width, height: 8, logY: true, caption: 'loss by epoch' })]
}
