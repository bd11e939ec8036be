/** A random sample of rows that pass by, for tables that do not fit into memory. */
import { ownText } from '../../common/own-text.js'
import { RandomStream } from '../../common/random-stream.js'
import type { Row } from '../../data/index.js'

/** Values of a file that are held in memory by default: 1.5 to 2 GB, about what Node has. */
const MAX_VALUES = 10_000_000
/** A file of more bytes need not fit into memory at all: of it fewer values are held, with which a training stays below 300 MB, and at least some rows. */
const LARGE_FILE = 1e9
const MAX_VALUES_OF_LARGE = 400_000
const MIN_ROWS_OF_LARGE = 2000

/** Rows of a file, and their places in it if they are a sample. */
export interface Taken {
  /** Rows of the file, if more than were taken. */
  of?: number
  /** For each row, its number in the file, from 0. */
  places?: ArrayLike<number>
}

/** @internal The first rows, and a random sample of all from when there are too many (Vitter 1985, algorithm R); in their order. */
export class RowSample {
  private rows: Row[] = []
  private places: number[] = []
  private count = 0
  private readonly random: RandomStream

  /**
   * @param most rows; default: as many as have {@link MAX_VALUES} values
   * @param bytes of the file, if they are known
   */
  constructor(
    private most: number | undefined,
    seed: number,
    private readonly bytes = 0,
  ) {
    this.random = new RandomStream(seed)
  }

  get size(): number {
    return this.rows.length
  }

  add(row: Row): void {
    this.most ??= this.usual(Math.max(1, Object.keys(row).length))
    const at = this.count++
    if (at < this.most) {
      this.rows.push(row)
      return
    }
    if (at === this.most) this.places = Array.from(this.rows, (_, i) => i)
    const place = Math.floor(this.random.uniform() * this.count)
    if (place >= this.most) return
    this.rows[place] = owned(row)
    this.places[place] = at
  }

  private usual(columns: number): number {
    return this.bytes > LARGE_FILE
      ? Math.max(MIN_ROWS_OF_LARGE, Math.floor(MAX_VALUES_OF_LARGE / columns))
      : Math.max(1, Math.floor(MAX_VALUES / columns))
  }

  /** @param taken gets the places of the rows, if they are a sample */
  finish(taken: Taken): readonly Row[] {
    const { rows, places, count } = this
    if (count === rows.length) return rows
    const order = Array.from(places, (_, i) => i).sort((a, b) => places[a] - places[b])
    taken.of = count
    taken.places = order.map((i) => places[i])
    return order.map((i) => rows[i])
  }
}

/** The row without references to the text of its file. */
function owned(row: Row): Row {
  const copy: Record<string, unknown> = {}
  for (const name in row) {
    const value = row[name]
    copy[name] = typeof value === 'string' ? ownText(value) : value
  }
  return copy
}
