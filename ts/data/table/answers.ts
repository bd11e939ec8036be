/** Words that may be a class of the target or stand for a gap: `none`, `n/a`, `?`. The rows decide which, if no option does. */
import { show } from '../../common/show.js'
import { inWords, type LeftOut } from './left-out.js'
import type { ColumnStats } from './stats.js'
import { ANSWERS, type NumberedRows, type Row, USUAL_GAPS, valueIn } from './values.js'

/** Largest number of rows that wait for a decision. */
const MAX_WAITING = 10_000
/** A usual word for a gap is a class of the target if at least this many rows, and this share of all rows, have it. */
const FEWEST_OF_CLASS = 10
const MIN_OF_CLASS = 0.02

/** @internal the words of a target, and the rows with such a word, which wait until it is known if it is a class */
export class TargetAnswers {
  private waiting: (readonly [number, Row])[] | null = []
  private classes: readonly string[] = []
  /** The words that an order names as classes. */
  private readonly named: readonly string[]

  constructor(
    private readonly target: string,
    order: readonly string[] = [],
  ) {
    this.named = USUAL_GAPS.filter((word) => order.includes(word))
  }

  /** Values that mean a gap in the target. */
  get gaps(): string[] {
    return USUAL_GAPS.filter((word) => !this.classes.includes(word) && !this.named.includes(word))
  }

  get hasClasses(): boolean {
    return this.classes.length > 0 || this.named.length > 0
  }

  /** True if so many rows wait that the decision must be made now. */
  get isFull(): boolean {
    return this.waiting !== null && this.waiting.length >= MAX_WAITING
  }

  /** The rows whose target is known; the others wait. */
  known(rows: NumberedRows): NumberedRows {
    const { waiting, target, named } = this
    if (waiting === null) return rows
    const isOpen = ([, row]: readonly [number, Row]) => {
      const value = valueIn(row, target)
      return ANSWERS.has(value) && !named.includes(value as string)
    }
    const open = rows.filter(isOpen)
    if (open.length === 0) return rows
    waiting.push(...open)
    return rows.filter((row) => !isOpen(row))
  }

  /**
   * Decides which words are classes: frequent ones that are not also gaps in a column of numbers.
   * @param seen number of all rows
   * @param as encoding of the target by an option
   * @returns the rows that waited; none the second time
   */
  decide(seen: number, inputs: readonly ColumnStats[], target: ColumnStats, as: string | undefined): NumberedRows {
    const { waiting } = this
    if (waiting === null) return []
    this.waiting = null
    const { numbers, strays, dates } = target
    if (!(as === undefined ? dates === 0 && strays >= numbers : as === 'category')) return waiting
    const counts = new Map<string, number>()
    for (const [, row] of waiting) {
      const word = valueIn(row, this.target) as string
      counts.set(word, (counts.get(word) ?? 0) + 1)
    }
    const isGapOfFile = (word: string) =>
      inputs.some(({ gapTexts, numbers, dates, count }) => gapTexts.has(word) && 2 * (numbers + dates) > count)
    const isClass = ([word, rows]: [string, number]) => rows >= FEWEST_OF_CLASS && rows >= MIN_OF_CLASS * seen && !isGapOfFile(word)
    this.classes = [...counts].filter(isClass).map(([word]) => word)
    return waiting
  }

  /** Notes of the report on the target: how each word was read. @param notes those about its values */
  notes({ kinds }: ColumnStats, seen: number, leftOut: readonly LeftOut[], notes: readonly string[]): string[] {
    const of = (word: string, rows: number) => `${show(word)} in ${inWords(rows)} of ${inWords(seen)} rows is taken as`
    return [
      ...this.classes.map((word) => `${of(word, kinds.get(word) ?? 0)} a class; if it stands for a gap, say missingValues: ['${word}']`),
      ...leftOut
        .filter(({ column, value }) => column === this.target && value !== '')
        .map(({ value, rows }) => `${of(value, rows)} a gap, and these rows are left out; if it is a class, say missingValues: []`),
      ...notes.filter((note) => ![...this.classes, ...this.named].some((word) => note.startsWith(`${show(word)} is one of`))),
    ]
  }
}
