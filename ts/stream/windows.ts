/** Windows: the next rows of a stream in arrays, while the net learns those of the window before. */
import { rangeError } from '../common/errors.js'
import { Pacer } from '../common/pacer.js'
import { sameShape } from '../common/shape.js'
import { warnOnce } from '../common/warn.js'
import { arraysLike, type BadRow, between, copyRows, NONE, type NumberReader, type Numbers, type Segment } from './numbers.js'
import { Repeats } from './repeats.js'
import type { Source, StreamPlace } from './source.js'

/** Rows that are mixed and learnt together. */
export interface StreamWindow {
  numbers: Numbers
  /** Where the next one begins. */
  next: StreamPlace
  /** Rows within the window that were skipped. */
  bad: BadRow[]
  /** True if the source ended here: no row of this pass follows. */
  endsPass: boolean
  /** Number of a window's row in its pass. */
  rowOf(index: number): number
}

/** @internal Fills windows, one after the other; each is valid until the one after the next is filled. */
export class WindowFiller {
  private readonly buffers: (Numbers | null)[] = [null, null]
  private turn = 0
  private segments: Segment[] = []
  /** Rows of the first segment that are in windows already. */
  private taken = 0
  private bad: BadRow[] = []
  /** True if a row of this pass could be read, or if the pass began in its midst. */
  private hasRows = false

  /** @param sizeFor rows of a window, if its rows are like the first one */
  constructor(
    private readonly source: Source,
    private readonly reader: NumberReader,
    private readonly sizeFor: (first: Numbers) => number,
  ) {}

  /** Forgets rows that were read ahead, and goes on at another row. */
  async moveTo(place: StreamPlace): Promise<void> {
    this.segments = []
    this.taken = 0
    this.bad = []
    this.hasRows = place.row > 0
    this.repeats.clear()
    await this.source.moveTo(place)
  }

  /**
   * The next window.
   *
   * @param most rows, if it is to have fewer than usual
   * @param crosses true if the next pass follows in the same window when the source ends
   */
  async fill(most = Number.POSITIVE_INFINITY, crosses = false): Promise<StreamWindow> {
    const { source } = this
    const pacer = new Pacer()
    const start = this.place
    let next = start
    const pieces: { at: number; row: number }[] = []
    const bad: BadRow[] = []
    let buffer: Numbers | null = null
    let count = 0
    let endsPass = false
    let size = most
    while (count < size) {
      if (pacer.isDue) await pacer.pause()
      const [segment] = this.segments
      if (segment === undefined) {
        if (await this.readOn()) continue
        bad.push(...this.bad.splice(0))
        if (!this.hasRows) throw rangeError(this.emptyPass())
        endsPass = !(crosses && this.nextPass())
        next = this.place
        if (endsPass) break
        continue
      }
      const { numbers, row } = segment
      if (buffer !== null && !areAlike(numbers, buffer)) break
      if (count === 0) {
        size = Math.min(most, this.sizeFor(numbers))
        this.turn = 1 - this.turn
      }
      const rows = Math.min(size - count, numbers.count - this.taken)
      buffer = this.roomFor(numbers, count, count + rows, size)
      copyRows(numbers, this.taken, rows, buffer, count)
      const last = pieces.at(-1)
      if (last === undefined || last.row + count - last.at !== row + this.taken) pieces.push({ at: count, row: row + this.taken })
      this.taken += rows
      count += rows
      next = { pass: source.pass, row: row + this.taken }
      if (this.taken === numbers.count) {
        this.segments.shift()
        this.taken = 0
      }
    }
    // bad rows in front of the next window's first row belong to it: that is where a resumed training begins
    while (this.bad.length > 0 && this.bad[0].row < next.row) bad.push(this.bad.shift() as BadRow)
    const numbers = buffer === null ? NONE : between(buffer, 0, count)
    const rowOf = (index: number) => {
      const piece = pieces.filter(({ at }) => at <= index).at(-1) ?? { at: 0, row: start.row }
      return piece.row + index - piece.at
    }
    return { numbers, next, bad, endsPass, rowOf }
  }

  /** Rows that repeat earlier ones of their pass. */
  repeated = 0
  private readonly repeats = new Repeats()

  /** Goes to the next pass. @returns false if the source cannot be opened again */
  nextPass(): boolean {
    if (!this.source.nextPass()) return false
    this.hasRows = false
    this.repeats.clear()
    return true
  }

  /** The place of the next row. */
  private get place(): StreamPlace {
    const { pass, row } = this.source
    const [segment] = this.segments
    return { pass, row: segment === undefined ? (this.bad[0]?.row ?? row) : Math.min(segment.row + this.taken, this.bad[0]?.row ?? row) }
  }

  /** Reads another item. @returns false at the end of the pass */
  private async readOn(): Promise<boolean> {
    const part = await this.source.next()
    if (part === null) return false
    const { segments, bad } = this.reader.read(part)
    this.segments.push(...segments)
    this.bad.push(...bad)
    this.hasRows ||= segments.length > 0
    for (const segment of segments) this.compare(segment)
    return true
  }

  private compare(segment: Segment): void {
    const before = this.repeats.find(segment)
    if (before === undefined) return
    const { row, numbers } = segment
    const isFirst = this.repeated === 0
    this.repeated += numbers.count
    if (!isFirst) return
    warnOnce(
      `fitStream: rows ${row} to ${row + numbers.count - 1} are those from row ${before} on once more; a source that is opened again wants to go on` +
        ' where it was. They are learnt, and history.repeated counts them',
    )
  }

  /** The present buffer, larger if there is no room for `wanted` rows: a window may be as large as a source that is small. */
  private roomFor(like: Numbers, used: number, wanted: number, most: number): Numbers {
    const before = this.buffers[this.turn]
    const known = before !== null && areAlike(before, like) ? before : null
    if (known !== null && known.count >= wanted) return known
    const made = arraysLike(like.ragged ? like : (this.reader.first ?? like), Math.min(most, Math.max(wanted, 2 * used)))
    if (known !== null) copyRows(known, 0, used, made, 0)
    this.buffers[this.turn] = made
    return made
  }

  private emptyPass(): string {
    const { pass, row } = this.source
    if (row > 0) return `fitStream: none of the ${row} rows${pass > 0 ? ` of pass ${pass + 1}` : ''} can be read`
    return pass === 0
      ? 'fitStream: there are no rows'
      : `fitStream: there are no rows in pass ${pass + 1}; data wants to open the source anew at each call`
  }
}

/** True for rows that fit into one array. */
function areAlike(a: Numbers, b: Numbers): boolean {
  return sameShape(a.shape, b.shape) && sameShape(a.targetShape, b.targetShape)
}
