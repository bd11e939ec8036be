/** Rows to learn from, rows to choose by and rows to judge by: cut at random, by class, by group, or by time. */
import { rangeError, typeError } from '../common/errors.js'
import { checkNames } from '../common/names.js'
import { withNewNames } from '../common/renamed.js'
import { shortened, show } from '../common/show.js'
import { ALIASES, checkDataset, type Dataset, type Split, selectRows, type Targets, type ThreeWaySplit } from './dataset.js'
import { RandomStream } from './random.js'
import type { ColumnOf } from './table/table.js'
import { daysOf, type Row, valueIn } from './table/values.js'

/** What cuts of data sets and of rows have in common. */
interface Shares {
  /** Share of the samples that goes to `test`, above 0 and below 1. Default 0.2. */
  testFraction?: number
  /** Share of all samples that goes to `validation`, to stop early and to choose by. Default: none, and there is no such set. */
  validationFraction?: number
  /** The same seed gives the same split. Default 0. */
  seed?: number
}

/** Options of {@link trainTestSplit} for a data set. */
export interface SplitOptions extends Shares {
  /** Cut every class in the same proportion, to one row. Default: true for classes; numbers have none. */
  stratify?: boolean
  /** For each row the group that it belongs to, such as a patient: whole groups go to one side. */
  groups?: ArrayLike<string | number>
  /** For each row its time, a number, a Date or text such as 2024-12-31: the last rows go to `test`, those before them to `validation`. */
  splitBy?: ArrayLike<string | number | Date>
}

/** Options of {@link trainTestSplit} for rows of a table: names of columns in the place of values. */
export interface RowSplitOptions<Name extends string = string> extends Shares {
  /** The column whose values are in the same proportion on all sides, usually the target. Default: none. */
  stratify?: Name
  /** The column of groups: rows with the same value go to one side. */
  groups?: Name
  /** The column of times: the last rows go to `test`, those before them to `validation`. */
  splitBy?: Name
}

/**
 * Cuts a data set, or the rows of a table, in two or three; every row goes to exactly one side. At random, unless `splitBy` is given; rows of
 * one group stay together. What is learnt from data (categories, means, scales) is to be learnt from `train` alone: cut the rows
 * first, then `fromTable(train)` and `table.dataset(test)`.
 *
 * @example
 * const { train, test } = trainTestSplit(iris(), { testFraction: 0.2, seed: 1 })
 * test.count // 30
 * const three = trainTestSplit(iris(), { validationFraction: 0.2, testFraction: 0.2 })
 * three.validation.count // 30
 * const rows = Array.from({ length: 10 }, (_, day) => ({ day, x: day % 3 }))
 * trainTestSplit(rows, { testFraction: 0.2, splitBy: 'day' }).test // [{ day: 8, x: 2 }, { day: 9, x: 0 }]
 * @throws RangeError for a fraction outside (0, 1), fractions that would leave a side empty, `stratify` for targets that are numbers, or a
 *   column that is not there; TypeError for what is neither a data set nor rows
 */
export function trainTestSplit<D extends Dataset<Targets>>(
  data: D,
  options: SplitOptions & { validationFraction: number },
): ThreeWaySplit<D>
export function trainTestSplit<D extends Dataset<Targets>>(data: D, options?: SplitOptions): Split<D>
export function trainTestSplit<T extends object>(
  rows: readonly T[],
  options: RowSplitOptions<ColumnOf<T>> & { validationFraction: number },
): ThreeWaySplit<T[]>
export function trainTestSplit<T extends object>(rows: readonly T[], options?: RowSplitOptions<ColumnOf<T>>): { train: T[]; test: T[] }
export function trainTestSplit(data: Dataset<Targets> | readonly object[], given: SplitOptions | RowSplitOptions = {}): object {
  const options = withNewNames(WHO, given, { time: 'splitBy' })
  checkNames(WHO, options, ['testFraction', 'validationFraction', 'seed', 'stratify', 'groups', 'splitBy'], SPLIT_ALIASES)
  if (Array.isArray(data) && data.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row))) {
    const rows = data as readonly Row[]
    return sides(cutRows(rows.length, ofRows(rows, options as RowSplitOptions)), (part) => Array.from(part, (row) => rows[row]))
  }
  const whole = data as Dataset<Targets>
  checkDataset(WHO, whole)
  return sides(cutRows(whole.count, ofDataset(whole, options as SplitOptions)), (part) => selectRows(whole, part))
}

const WHO = 'trainTestSplit'
const SPLIT_ALIASES = {
  ...ALIASES,
  valFraction: 'validationFraction',
  validationSize: 'validationFraction',
  group: 'groups',
  order: 'splitBy',
}

/** What a cut goes by, whatever is cut. */
interface Cut extends Required<Pick<Shares, 'testFraction' | 'seed'>> {
  validationFraction: number | undefined
  /** Rows of the same value are in the same proportion on all sides. */
  classOf: ArrayLike<unknown> | null
  groups: ArrayLike<unknown> | null
  /** As numbers. */
  time: Float64Array | null
}

type Parts = [train: Int32Array, validation: Int32Array | null, test: Int32Array]

function sides<T>([train, validation, test]: Parts, take: (rows: Int32Array) => T): object {
  return { train: take(train), ...(validation && { validation: take(validation) }), test: take(test) }
}

function ofDataset({ targets, classes, count }: Dataset<Targets>, options: SplitOptions): Cut {
  const { splitBy, groups, stratify = classes > 0 && splitBy === undefined } = options
  if (typeof stratify !== 'boolean') throw typeError(`${WHO}: stratify wants true or false, got ${show(stratify)}`)
  if (stratify && classes === 0) throw rangeError(`${WHO}: stratify wants classes, but the targets are numbers`)
  for (const [name, values] of Object.entries({ groups, splitBy }))
    if (values !== undefined && (typeof values !== 'object' || values?.length !== count))
      throw rangeError(`${WHO}: ${name} wants a value for each of ${count} rows, got ${show(values)}`)
  return {
    ...sharesOf(options),
    classOf: stratify ? targets : null,
    groups: groups ?? null,
    time: splitBy === undefined ? null : timesOf(splitBy),
  }
}

function ofRows(rows: readonly Row[], options: RowSplitOptions): Cut {
  const column = (option: 'stratify' | 'groups' | 'splitBy') => {
    const name = options[option]
    if (name === undefined) return null
    if (typeof name !== 'string') throw typeError(`${WHO}: ${option} wants the name of a column, got ${show(name)}`)
    if (rows.length > 0 && !rows.some((row) => Object.hasOwn(row, name)))
      throw rangeError(`${WHO}: no row has a column '${shortened(name)}'`)
    return rows.map((row) => valueIn(row, name))
  }
  const [classOf, groups, time] = [column('stratify'), column('groups'), column('splitBy')]
  return {
    ...sharesOf(options),
    classOf: classOf?.map(String) ?? null,
    groups: groups?.map(String) ?? null,
    time: time === null ? null : timesOf(time),
  }
}

function sharesOf({ testFraction = 0.2, validationFraction, seed = 0 }: Shares) {
  for (const [name, fraction] of Object.entries({ testFraction, validationFraction: validationFraction ?? 0.5 }))
    if (!(fraction > 0 && fraction < 1)) throw rangeError(`${WHO}: ${name} wants a number above 0 and below 1, got ${show(fraction)}`)
  if (testFraction + (validationFraction ?? 0) >= 1)
    throw rangeError(`${WHO}: testFraction ${testFraction} and validationFraction ${validationFraction} leave nothing to train on`)
  return { testFraction, validationFraction, seed }
}

function timesOf(values: ArrayLike<unknown>): Float64Array {
  return Float64Array.from(values, (value, row) => {
    const days = daysOf(value)
    const time = Number.isFinite(days) ? days : typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
    if (Number.isFinite(time)) return time
    throw rangeError(`${WHO}: splitBy of row ${row} wants a number or a date (2024-12-31), got ${show(value)}`)
  })
}

const [TRAIN, VALIDATION, TEST] = [0, 1, 2]

function cutRows(count: number, cut: Cut): Parts {
  const { testFraction, validationFraction, seed, time, groups } = cut
  const order = time === null ? new RandomStream(seed).permutation(count) : Int32Array.from({ length: count }, (_, i) => i)
  const sideOf = new Uint8Array(count)
  if (time !== null) cutByTime(order, time, sideOf, cut)
  else if (groups !== null) dealGroups(order, groups, sideOf, cut)
  else {
    // the test set first, so that it is the same with and without a validation set
    const left = take(order, sideOf, TEST, testFraction, cut.classOf)
    if (validationFraction !== undefined) take(left, sideOf, VALIDATION, validationFraction / (1 - testFraction), cut.classOf)
  }
  const rowsOf = (side: number) => order.filter((row) => sideOf[row] === side)
  const parts: Parts = [rowsOf(TRAIN), validationFraction === undefined ? null : rowsOf(VALIDATION), rowsOf(TEST)]
  if (parts.some((part) => part?.length === 0)) {
    const fractions = validationFraction === undefined ? '' : ` and validationFraction ${validationFraction}`
    throw rangeError(`${WHO}: testFraction ${testFraction}${fractions} of ${count} samples leaves one side empty`)
  }
  return parts
}

/** Puts a fraction of the rows, and of each class, on a side. @returns the others */
function take(order: Int32Array, sideOf: Uint8Array, side: number, fraction: number, classOf: ArrayLike<unknown> | null): Int32Array {
  const parts = classOf === null ? [order] : rowsByClass(order, classOf)
  const counts = shared(parts, fraction)
  for (const [i, rows] of parts.entries()) for (const row of rows.subarray(0, counts[i])) sideOf[row] = side
  return order.filter((row) => sideOf[row] !== side)
}

/** The rows of each class, in the order in which classes and rows occur. */
function rowsByClass(rows: Int32Array, classOf: ArrayLike<unknown>): Int32Array[] {
  const parts = new Map<unknown, number[]>()
  for (const row of rows) {
    const part = parts.get(classOf[row])
    if (part === undefined) parts.set(classOf[row], [row])
    else part.push(row)
  }
  return [...parts.values()].map((part) => Int32Array.from(part))
}

/**
 * How many rows of each group go to the test set: a fraction of all rows, shared out by the largest remainder, so that the whole keeps
 * the fraction however small the groups are. Of equal remainders the groups that come first have the row more.
 */
function shared(groups: readonly Int32Array[], fraction: number): number[] {
  const exact = groups.map(({ length }) => length * fraction)
  const counts = exact.map(Math.floor)
  const total = Math.round(groups.reduce((sum, { length }) => sum + length, 0) * fraction)
  const left = total - counts.reduce((sum, count) => sum + count, 0)
  const order = groups.map((_, i) => i).sort((a, b) => exact[b] - counts[b] - (exact[a] - counts[a]))
  for (const i of order.slice(0, left)) counts[i]++
  return counts
}

/** The last rows are the test set, those before them the validation set; rows of one time are on one side, the later one. */
function cutByTime(order: Int32Array, time: Float64Array, sideOf: Uint8Array, { testFraction, validationFraction = 0 }: Cut): void {
  order.sort((a, b) => time[a] - time[b])
  const cutAt = (fraction: number) => {
    let at = order.length - Math.round(order.length * fraction)
    while (at > 0 && at < order.length && time[order[at]] === time[order[at - 1]]) at--
    return at
  }
  const [first, last] = [cutAt(testFraction + validationFraction), cutAt(testFraction)]
  for (const [i, row] of order.entries()) sideOf[row] = i >= last ? TEST : i >= first ? VALIDATION : TRAIN
}

/**
 * Group by group, the largest first and those of one size at random, to the side that lacks most of its rows, class by class as a share of
 * the class: so sides come as near to their fractions as groups allow.
 */
function dealGroups(order: Int32Array, groups: ArrayLike<unknown>, sideOf: Uint8Array, cut: Cut): void {
  const { testFraction, validationFraction = 0, classOf } = cut
  const classAt = (row: number) => classOf?.[row]
  const totals = new Map<unknown, number>()
  for (const row of order) totals.set(classAt(row), (totals.get(classAt(row)) ?? 0) + 1)
  const fractions = [1 - testFraction - validationFraction, validationFraction, testFraction]
  const lacking = fractions.map((fraction) => new Map([...totals].map(([c, total]) => [c, total * fraction])))
  const open = validationFraction > 0 ? [TRAIN, VALIDATION, TEST] : [TRAIN, TEST]
  for (const rows of rowsByClass(order, groups).sort((a, b) => b.length - a.length)) {
    const need = (side: number) =>
      rows.reduce((sum, row) => sum + (lacking[side].get(classAt(row)) as number) / (totals.get(classAt(row)) as number), 0)
    const side = open.reduce((best, other) => (need(other) > need(best) ? other : best))
    for (const row of rows) {
      sideOf[row] = side
      lacking[side].set(classAt(row), (lacking[side].get(classAt(row)) as number) - 1)
    }
  }
}
