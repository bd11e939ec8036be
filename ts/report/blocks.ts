/** Parts of a report as plain data: JSON as they are, a page by page.ts, lines of a terminal by text.ts. */
import { typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import type { Bar, ChartOptions, Line } from '../plot/svg.js'

/** A metric with its 95 % interval, and the same metric of its references. */
export interface Score {
  name: string
  value: number
  low: number
  high: number
  better: 'more' | 'less'
  beside: Readonly<Record<string, number | undefined>>
}

/** Values of a quantity over time. */
export interface Course {
  name: string
  values: readonly number[]
  /** The latest value, as text. */
  text: string
  /** Draws it on a logarithmic scale. Default false. */
  log?: boolean
  /** Ends of the scale. Default: those of the values. */
  range?: readonly [number, number]
}

/** A part of a report, as plain data: what `reportBlocks` of gradus/xray returns, and `reportHtml` of gradus/table takes as `also`. */
export interface ReportBlock {
  /** Such as `facts`, `table` or `advice`. */
  readonly kind: string
  title: string
}

interface Titled {
  title: string
  /** A few words about the score. */
  note?: string
  /** A longer note, shown only on pages. */
  more?: string
  /** Shown there alone. */
  only?: 'page' | 'terminal'
}

/** A part of a report. */
export type Block = Titled &
  (
    | { kind: 'facts'; facts: readonly (readonly [name: string, text: string])[] }
    /** `on` names the rows on which the metrics are measured. */
    | { kind: 'scores'; on: string; scores: readonly Score[] }
    /** Columns whose cells are all numbers are aligned at the right. */
    | { kind: 'table'; head: readonly string[]; rows: readonly (readonly string[])[] }
    /** In a terminal a curve is a table of its points. */
    | { kind: 'curve'; lines: readonly Line[]; axes: ChartOptions }
    | { kind: 'bars'; bars: readonly Bar[] }
    /** A line of letters for each course, with its latest value as text. */
    | { kind: 'courses'; courses: readonly Course[] }
    /** Counts by true class (rows) and predicted class (columns). */
    | { kind: 'matrix'; counts: readonly (readonly number[])[]; names: readonly string[] }
    | { kind: 'advice'; lines: readonly string[] }
    /** Pictures that the caller made with the marks of ts/plot/svg.ts; a terminal leaves them out. */
    | { kind: 'drawing'; svgs: readonly string[]; wide?: boolean }
  )

/** The list of each kind of block. A block whose list is empty is not shown, so that a room need not leave it out itself. */
const LISTS: Readonly<Record<Block['kind'], string>> = {
  ...{ facts: 'facts', scores: 'scores', table: 'rows', curve: 'lines', bars: 'bars', courses: 'courses', matrix: 'counts' },
  ...{ advice: 'lines', drawing: 'svgs' },
}

/** Blocks for a reader: those that have something to show, advice with a note, and facts with a title. */
export function shownTo(reader: 'page' | 'terminal', blocks: readonly Block[]): Block[] {
  const isEmpty = (block: Block) => (block as unknown as Record<string, readonly unknown[]>)[LISTS[block.kind]].length === 0
  const speaks = ({ kind, title, note }: Block) => (kind === 'advice' && note) || (kind === 'facts' && title)
  return blocks.filter((block) => (block.only ?? reader) === reader && (!isEmpty(block) || speaks(block)))
}

/** @throws TypeError for anything that a room has no report on */
export function checkShown(isRight: boolean, wants: string, got: unknown): void {
  const own = ['report', 'model'].find((name) => Object.getPrototypeOf(Object(got)) === Object.prototype && name in Object(got))
  if (!isRight) throw typeError(`reportHtml and reportText want ${wants}, got ${show(got)}${own === undefined ? '' : `; give its ${own}`}`)
}

/** Blocks that another room made. @throws TypeError for anything else */
export function checkBlocks(what: string, given: readonly ReportBlock[]): readonly Block[] {
  if (!Array.isArray(given) || !given.every((block) => Object.hasOwn(LISTS, block?.kind)))
    throw typeError(`${what} wants blocks, as reportBlocks of gradus/xray returns them, got ${show(given)}`)
  return given as readonly ReportBlock[] as readonly Block[]
}

/**
 * A rule of advice: it returns sentences about the figures, each with a finding and a remedy, or no sentence. A folder that reports has a list of
 * rules, in the order in which people should read their sentences, and a test for each that no sentence contradicts the figures.
 */
export type Rule<Figures, Circumstances = undefined> = (figures: Figures, circumstances: Circumstances) => readonly string[]

/** The sentences of the rules. */
export function adviceBy<F, C>(rules: readonly Rule<F, C>[], figures: F, circumstances: C): string[] {
  return rules.flatMap((rule) => rule(figures, circumstances))
}
