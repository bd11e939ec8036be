/** Statistics of a column, collected while its values pass by, from which its encoding is decided without holding all values. */
import { ownText } from '../../common/own-text.js'
import { quantileOf } from '../../common/quantile.js'
import { RandomStream } from '../../common/random-stream.js'
import type { Decimal } from '../formats/decimals.js'
import { DAY, daysOf, hasComma, isCell, isTooLarge, numberOf } from './values.js'
import { isSentence, WordCounts } from './words.js'
import { type WrittenAs, WrittenColumn } from './written.js'

/** Number of different values of a column that are kept; a column with more is not one of categories, unless an option says so. */
export const MAX_KEPT = 10_000
/** Largest number of categories of a column that an option declares to be one of categories. */
const MAX_CATEGORIES = 1_000_000
/** Numbers of each column from which quantiles are computed: all of them, or a random sample of this size. */
const MAX_NUMBERS = 1 << 20
/** The same limit for rows that come in parts, where memory is usually short: the median of such a sample is usually off by 0.15 % of the rows. */
export const MAX_OF_STREAM = 1 << 17

/** A value, and the row that it is in. */
export type Found = readonly [at: number, value: unknown]

/** @internal */
export class ColumnStats {
  readonly name: string
  /** Number of values that are not gaps. */
  count = 0
  gaps = 0
  firstGap = -1
  /** Texts that mean gaps, with the number of rows of each. */
  readonly gapTexts = new Map<string, number>()
  /** Number of values that are numbers. */
  numbers = 0
  sum = 0
  min = Infinity
  max = -Infinity
  /** True if all numbers are integers. */
  isWhole = true
  /** True if each number is the index of its row plus the same constant, as in a column of row numbers. */
  counts = true
  /** Number of values that are text but not a number. */
  strays = 0
  firstStray: Found | undefined
  /** The first number, or text that is neither number nor date. */
  firstUndated: Found | undefined
  /** True if all of {@link strays} are the same text. */
  hasOneStray = true
  hasOnlyCommas = true
  firstInfinite: Found | undefined
  /** The first text that is a number too large for a float. */
  firstTooLarge: Found | undefined
  /** The first value that is neither number, text, boolean nor date. */
  firstOdd: Found | undefined
  dates = 0
  firstDay = Infinity
  lastDay = -Infinity
  /** True if the dates have different times of day. */
  hasTimes = false
  /** Different values as text, with the number of rows of each; the first ones if there are too many. */
  readonly kinds = new Map<string, number>()
  /** True if {@link kinds} has all values. */
  hasAllKinds = true
  /** Number of values until there were too many different ones. */
  countOfKinds = 0
  /** Words of its sentences, or of all its texts if it is declared to be one of texts. */
  readonly words = new WordCounts()
  /** Detection of human formats in its values: of all values or, if formats are not to be read, of texts. */
  readonly written: WrittenColumn
  /** Statistics of the values that {@link written} reads, for each possible format; null if none are read. */
  private reads: [ColumnStats, ColumnStats] | null = null
  private mean = 0
  private squares = 0
  private firstOffset = Number.NaN
  private firstTime = Number.NaN
  private sample = new Float64Array(64)
  private sampled = 0
  private readonly random = new RandomStream(0)
  private readonly most: number

  constructor(
    name: string,
    isNamed: boolean,
    private readonly mostNumbers = MAX_NUMBERS,
    formatted: boolean | Decimal | WrittenAs = false,
    private readonly isText = false,
  ) {
    this.name = name
    this.most = isNamed ? MAX_CATEGORIES : MAX_KEPT
    const given = typeof formatted === 'object' ? formatted : undefined
    if (formatted !== false) this.reads = [new ColumnStats(name, isNamed, mostNumbers), new ColumnStats(name, isNamed, mostNumbers)]
    this.written = new WrittenColumn(
      this.reads === null ? undefined : (way, at, value) => this.reads?.[way].add(at, value),
      given,
      typeof formatted === 'string' ? formatted : undefined,
    )
  }

  addGap(at: number, value?: unknown): void {
    if (this.gaps++ === 0) this.firstGap = at
    if (typeof value === 'string') this.gapTexts.set(value, (this.gapTexts.get(value) ?? 0) + 1)
  }

  add(at: number, value: unknown): void {
    this.count++
    if (!(value instanceof Date || isCell(value))) {
      this.firstOdd ??= [at, value]
      return
    }
    if (this.isText || (typeof value === 'string' && isSentence(value))) this.words.add(String(value))
    const x = numberOf(value)
    if (!Number.isNaN(x)) this.addNumber(at, x)
    else if (value instanceof Date) this.addDate(at, value)
    else this.addStray(at, value)
    if (this.reads !== null || Number.isNaN(x)) this.written.add(at, value)
    if (this.hasAllKinds) this.addKind(value)
  }

  /** True if values in human formats are to be read. */
  get isFormatted(): boolean {
    return this.reads !== null
  }

  /** The column's numbers or dates, if all values have one human format. */
  readsWritten(): { stats: ColumnStats; way: WrittenAs; example: string } | null {
    const { way, count, example, isOpen } = this.written
    if (this.reads === null || way === null || count !== this.count) return null
    // plain numbers, unless a decimal comma would make them other numbers
    if (this.strays === 0 && !(isOpen && way.decimal === ',')) return null
    const stats = this.reads[way.decimal === ',' || way.first === 'month' ? 1 : 0]
    stats.gaps = this.gaps
    stats.firstGap = this.firstGap
    return { stats, way, example }
  }

  private addKind(value: unknown): void {
    const text = value instanceof Date ? `${value.getTime()}` : String(value)
    const known = this.kinds.get(text)
    if (known === undefined && this.kinds.size === this.most) {
      this.hasAllKinds = false
      return
    }
    this.kinds.set(known === undefined ? ownText(text) : text, (known ?? 0) + 1)
    this.countOfKinds++
  }

  private addNumber(at: number, x: number): void {
    if (this.numbers === 0) {
      this.firstOffset = x - at
      this.firstUndated ??= [at, x]
    } else if (this.counts && x - at !== this.firstOffset) this.counts = false
    if (this.isWhole && !Number.isInteger(x)) this.isWhole = false
    this.addToSpread(x)
  }

  private addDate(at: number, value: unknown): void {
    const day = daysOf(value)
    if (!Number.isFinite(day)) {
      this.firstOdd ??= [at, value]
      return
    }
    this.dates++
    this.firstDay = Math.min(this.firstDay, day)
    this.lastDay = Math.max(this.lastDay, day)
    // in milliseconds: parts of days differ by rounding from year to year
    const time = Math.round((day - Math.floor(day)) * DAY)
    if (this.dates === 1) this.firstTime = time
    else if (time !== this.firstTime) this.hasTimes = true
    if (this.numbers === 0) this.addToSpread(day, false)
  }

  /** Mean and deviation (Welford 1962), and numbers for quantiles (Vitter 1985, algorithm R). */
  private addToSpread(x: number, isNumber = true): void {
    if (isNumber) this.numbers++
    const n = isNumber ? this.numbers : this.dates
    this.sum += x
    if (x < this.min) this.min = x
    if (x > this.max) this.max = x
    const d = x - this.mean
    this.mean += d / n
    this.squares += d * (x - this.mean)
    if (this.sampled < this.mostNumbers) {
      if (this.sampled === this.sample.length) this.sample = enlarged(this.sample)
      this.sample[this.sampled++] = x
    } else {
      const place = Math.floor(this.random.uniform() * n)
      if (place < this.mostNumbers) this.sample[place] = x
    }
  }

  private addStray(at: number, value: unknown): void {
    if (typeof value === 'number') this.firstInfinite ??= [at, value]
    else if (isTooLarge(value)) this.firstTooLarge ??= [at, value]
    this.strays++
    this.firstStray ??= [at, value]
    if (this.hasOneStray && value !== this.firstStray[1]) this.hasOneStray = false
    if (this.hasOnlyCommas && !hasComma(value)) this.hasOnlyCommas = false
    if (this.dates === this.strays - 1 && Number.isFinite(daysOf(value))) this.addDate(at, value)
    else this.firstUndated ??= [at, value]
  }

  /** Mean of the numbers, or of the days of dates. */
  get average(): number {
    return this.sum / (this.numbers || this.dates)
  }

  /** Standard deviation of the population. */
  get deviation(): number {
    return Math.sqrt(Math.max(0, this.squares) / (this.numbers || this.dates))
  }

  /** @param shares from 0 to 1, all of them for one sort; between two values in proportion, as in NumPy */
  quantiles(...shares: number[]): number[] {
    const sorted = this.sample.slice(0, this.sampled).sort()
    return shares.map((share) => quantileOf(sorted, share))
  }
}

function enlarged(numbers: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const out = new Float64Array(2 * numbers.length)
  out.set(numbers)
  return out
}
