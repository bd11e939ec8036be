/** What is noted of a column while its values go by, so that one may decide what becomes of it without having them all at hand. */
import { quantileOf } from '../../common/quantile.js'
import { RandomStream } from '../../common/random-stream.js'
import type { Decimal } from '../formats/decimals.js'
import { daysOf, hasComma, isCell, isTooLarge, numberOf } from './values.js'
import { type WrittenAs, WrittenColumn } from './written.js'

/** So many different values of a column are kept; a column with more is none of categories, unless it was said to be one. */
export const MAX_KEPT = 10_000
/** So many categories a column may have where it was said that it has some. */
const MAX_CATEGORIES = 1_000_000
/** Numbers that quantiles are found from, of each column: all of them, or a random sample where there are more. */
const MAX_NUMBERS = 1 << 20
/** The same of rows that come in parts, which are read so because memory is short: the middle of so many is off by 0.15 % of the rows, mostly. */
export const MAX_OF_STREAM = 1 << 17

/** A value, and the row that it is in. */
export type Found = readonly [at: number, value: unknown]

/** @internal */
export class ColumnStats {
  readonly name: string
  /** Values that are there. */
  count = 0
  gaps = 0
  firstGap = -1
  /** Texts that stand for gaps, with how many rows have each. */
  readonly gapTexts = new Map<string, number>()
  /** Values that are numbers. */
  numbers = 0
  sum = 0
  min = Infinity
  max = -Infinity
  /** Whether all numbers are whole. */
  isWhole = true
  /** Whether all numbers are that of their row and the same number more. */
  counts = true
  /** Values that are text and no number. */
  strays = 0
  firstStray: Found | undefined
  hasOnlyCommas = true
  firstInfinite: Found | undefined
  /** Of text, what is a number that is too large. */
  firstTooLarge: Found | undefined
  /** Neither number, text, boolean nor date. */
  firstOdd: Found | undefined
  dates = 0
  firstDay = Infinity
  lastDay = -Infinity
  /** Different values as text, with how many rows have each; the first ones where there are too many. */
  readonly kinds = new Map<string, number>()
  /** Whether {@link kinds} has all. */
  hasAllKinds = true
  /** Values until there were too many different ones. */
  countOfKinds = 0
  /** Whether its values are written for people. Of all values, or, where nothing is to be read so, of texts. */
  readonly written: WrittenColumn
  /** What is noted of the values that {@link written} reads, in each way that there is; null where none are read. */
  private reads: [ColumnStats, ColumnStats] | null = null
  private mean = 0
  private squares = 0
  private firstOffset = Number.NaN
  private sample = new Float64Array(64)
  private sampled = 0
  private readonly random = new RandomStream(0)
  private readonly most: number

  constructor(
    name: string,
    isNamed: boolean,
    private readonly mostNumbers = MAX_NUMBERS,
    formatted: boolean | Decimal | WrittenAs = false,
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
    const x = numberOf(value)
    if (!Number.isNaN(x)) this.addNumber(at, x)
    else if (value instanceof Date) this.addDate(at, value)
    else this.addStray(at, value)
    if (this.reads !== null || Number.isNaN(x)) this.written.add(at, value)
    if (this.hasAllKinds) this.addKind(value)
  }

  /** Whether values that are written for people are to be read. */
  get isFormatted(): boolean {
    return this.reads !== null
  }

  /** Its numbers or dates, if all values are written in one way for people. */
  readsWritten(): { stats: ColumnStats; way: WrittenAs; example: string } | null {
    const { way, count, example, isOpen } = this.written
    if (this.reads === null || way === null || count !== this.count) return null
    // plain numbers, unless a comma before decimals makes other ones of them
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
    if (this.numbers === 0) this.firstOffset = x - at
    else if (this.counts && x - at !== this.firstOffset) this.counts = false
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
    if (this.hasOnlyCommas && !hasComma(value)) this.hasOnlyCommas = false
    if (this.dates === this.strays - 1 && Number.isFinite(daysOf(value))) this.addDate(at, value)
  }

  /** Of the numbers, or of the days of dates. */
  get average(): number {
    return this.sum / (this.numbers || this.dates)
  }

  /** Of the population. */
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

/** A copy. Engines keep a part of a text as a reference to all of it, and that is a piece of a file. */
function ownText(text: string): string {
  return text.length < 13 ? text : ` ${text}`.slice(1)
}
