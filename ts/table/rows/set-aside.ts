/** Held-out rows of a table, for the evaluation of a model trained on the others. */
import { rangeError } from '../../common/errors.js'
import { type Kind, text } from '../../common/options.js'
import { RandomStream } from '../../common/random-stream.js'
import { show, showNames } from '../../common/show.js'
import type { Row } from '../../data/index.js'
import { daysOf, missingTest, numberOf, valueIn } from '../../data/table/values.js'
import { readWritten, type WrittenAs, wayOf } from '../../data/table/written.js'
import { cutParts } from '../../rows/cut.js'
import type { ColumnPlan } from './column-plan.js'

/** The allowed values of `splitBy`. */
export const timeColumn: Kind = { wants: 'the name of a column of dates or numbers', fits: text.fits }

/** The allowed values of `groups`. */
export const groupColumn: Kind = { wants: 'the name of a column, such as that of patients', fits: text.fits }

/** Options for holding rows out. */
export interface AsideOptions {
  /** Share of the rows, above 0 and below 1. */
  fraction: number
  seed: number
  /** The column of times by which the latest rows are held out. Default: rows at random. */
  splitBy?: string | undefined
  /** The column whose values keep rows together. Default: none. */
  groups?: string | undefined
  /** The class of each row. Default: by the target, if it has classes. */
  classOf?: readonly string[] | undefined
}

/**
 * Training rows and held-out rows: at random, with every class in the same proportion on both sides, or the latest by a column. The same options
 * always hold the same rows out, so that a choice made with the other rows can be evaluated on them. Rows in time stay in that order; rows of the
 * same time are on one side.
 * @throws RangeError for a fraction that leaves one side empty
 */
export function setAside(
  who: string,
  plan: ColumnPlan,
  rows: readonly Row[],
  { fraction, seed, splitBy, groups, classOf }: AsideOptions,
): [Row[], Row[]] {
  const { isClasses, target } = plan
  const [order, by] =
    splitBy === undefined
      ? [
          new RandomStream(seed).permutation(rows.length),
          {
            classOf: classOf ?? (isClasses ? rows.map((row) => String(valueIn(row, target))) : null),
            groups: groups === undefined ? null : groupsOf(rows, groups),
          },
        ]
      : [Int32Array.from(rows, (_, row) => row), { times: timesOf(plan, rows, splitBy) }]
  const [learnt, aside] = cutParts(order, [fraction], by).map((part) => Array.from(part, (row) => rows[row]))
  if (learnt.length === 0 || aside.length === 0)
    throw rangeError(`${who}: a fraction of ${fraction} of ${rows.length} rows leaves one side empty; give another`)
  return [learnt, aside]
}

/** The group of each row, as text. */
export function groupsOf(rows: readonly object[], column: string): string[] {
  return rows.map((row) => String(valueIn(row as Row, column)))
}

/**
 * @internal the options for columns without those that are no inputs
 * @param others columns by the option that names them
 * @throws RangeError if there is no such column
 */
export function withoutColumns<O extends { exclude?: readonly string[] }>(
  who: string,
  all: readonly Row[],
  options: O,
  others: Readonly<Record<string, string | undefined>>,
): O {
  const exclude = [...(options.exclude ?? [])]
  for (const [option, column] of Object.entries(others)) {
    if (column === undefined || all.length === 0) continue
    if (!all.some((row) => Object.hasOwn(row, column)))
      throw rangeError(`${who}: ${option}: there is no column '${column}', only ${showNames(Object.keys(all[0]))}`)
    exclude.push(column)
  }
  return exclude.length === (options.exclude?.length ?? 0) ? options : { ...options, exclude }
}

/** Least number of groups: two to learn from and validate by, and one to test with. */
const FEWEST_GROUPS = 3

/**
 * @internal
 * @param all the rows as they were given, by whose numbers errors name them
 * @throws RangeError for a column with too few groups, and for a row without a group
 */
export function checkGroups(who: string, all: readonly Row[], rows: readonly Row[], column: string): void {
  const without = rows.find((row) => isGap(valueIn(row, column)))
  if (without !== undefined)
    throw rangeError(
      `${who}: groups: column '${column}' of row ${all.indexOf(without)} is empty; leave out rows without a group, or give each a group of its own`,
    )
  const { size } = new Set(groupsOf(rows, column))
  if (size < FEWEST_GROUPS)
    throw rangeError(
      `${who}: groups: column '${column}' has ${size} ${size === 1 ? 'group' : 'groups'}, and ${FEWEST_GROUPS} are the least to learn, validate and test by; leave groups out, or split by another column`,
    )
}

/** @internal @throws RangeError if only one group is left to learn from, so that nets cannot be validated by another */
export function checkLearnt(column: string, groupOf: readonly string[]): void {
  if (groupOf.every((group) => group === groupOf[0]))
    throw rangeError(
      `trainTable: groups: column '${column}' has one group alone among the rows to learn from, ${show(groupOf[0])}, and nets are validated by another; give more groups, a smaller testFraction or another seed`,
    )
}

/** The times of rows from a column, as {@link setAside} compares them. */
export function timesOf(plan: ColumnPlan, rows: readonly Row[], column: string): Float64Array {
  const written = plan.writtenIn(column)
  return Float64Array.from(rows, (row) => timeOf(valueIn(row, column), written))
}

const isGap = missingTest()

/** A number, or days of a date; NaN for anything else. */
function timeOf(value: unknown, written: WrittenAs | undefined): number {
  if (written !== undefined) return isGap(value) ? Number.NaN : readWritten(written, value)
  const days = daysOf(value)
  if (Number.isFinite(days)) return days
  return isGap(value) ? Number.NaN : numberOf(value)
}

/** The column of times, and the time of the earliest held-out row in words. */
export function earliestOf(aside: readonly Row[], column: string): { column: string; from: string } {
  const first = valueIn(aside[0], column)
  return { column, from: first instanceof Date ? first.toISOString().replace(/T00:00:00.000Z$/, '') : String(first) }
}

/**
 * @internal
 * @param all the rows as they were given, by whose numbers errors name them
 * @throws RangeError for a column that does not exist or never changes, and for a row with neither a date nor a number in it
 */
export function checkTimes(who: string, all: readonly Row[], plan: ColumnPlan, column: string): void {
  const { rows } = plan
  if (!rows.some((row) => Object.hasOwn(row, column)))
    throw rangeError(`${who}: splitBy: there is no column '${column}', only ${showNames(Object.keys(rows[0] ?? {}))}`)
  const times = timesOf(plan, rows, column)
  const wrong = rows[times.findIndex(Number.isNaN)]
  if (wrong !== undefined)
    throw rangeError(
      `${who}: splitBy: column '${column}' of row ${all.indexOf(wrong)} wants a date (2024-12-31) or a number, got ${show(valueIn(wrong, column))}; ${wayOf(rows.map((row) => valueIn(row, column))) ? 'formatted: true reads such columns' : 'leave out rows without one'}`,
    )
  if (times.every((time) => time === times[0]))
    throw rangeError(`${who}: splitBy: column '${column}' is ${show(valueIn(rows[0], column))} in all rows: none is later than the others`)
}
