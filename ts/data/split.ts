/** Training, validation and test rows: split at random, by class, by group, or by time. */
import { rangeError } from '../common/errors.js'
import { anything, flag, fraction, type Kind, type Read, readOptions, type Schema, seed } from '../common/options.js'
import { RandomStream } from '../common/random-stream.js'
import { shortened, show } from '../common/show.js'
import { type CutBy, cutParts } from '../rows/cut.js'
import { checkDataset, type Dataset, type Split, selectRows, type Targets, type ThreeWaySplit } from './dataset.js'
import type { ColumnOf } from './table/options.js'
import { daysOf, type Row, valueIn } from './table/values.js'

/** Options that splits of data sets and of rows share. */
interface Shares {
  /** Share of the samples that goes to `test`, above 0 and below 1. Default 0.2. */
  testFraction?: number
  /** Fraction of all samples that goes to `validation`, for early stopping and choices. Default: none, and there is no such set. */
  validationFraction?: number
  /** The same seed gives the same split. Default 0. */
  seed?: number
}

/** Options of {@link trainTestSplit} for a data set. */
export interface SplitOptions extends Shares {
  /** Splits every class in the same proportion, to within one row. Default: true for classes; numbers have none. */
  stratify?: boolean
  /** The group of each row, such as a patient: whole groups go to one side. */
  groups?: ArrayLike<string | number>
  /** The time of each row, a number, a Date or text such as 2024-12-31: the last rows go to `test`, the rows before them to `validation`. */
  splitBy?: ArrayLike<string | number | Date>
}

/** Options of {@link trainTestSplit} for rows of a table: names of columns instead of values. */
export interface RowSplitOptions<Name extends string = string> extends Shares {
  /** The column whose values have the same proportion on all sides, usually the target. Default: none. */
  stratify?: Name
  /** The column of groups: rows with the same value go to one side. */
  groups?: Name
  /** The column of times: the last rows go to `test`, the rows before them to `validation`. */
  splitBy?: Name
}

const SHARES = {
  testFraction: { is: fraction, default: 0.2, aka: ['testSize', 'test_size'] },
  validationFraction: { is: fraction, aka: ['valFraction', 'validationSize'] },
  seed: { is: seed, default: 0 },
} satisfies Schema<Shares>

export const SPLIT = {
  ...SHARES,
  stratify: { is: flag },
  groups: { is: anything, aka: ['group'] },
  splitBy: { is: anything, aka: ['time', 'order'] },
} satisfies Schema<SplitOptions>

const column: Kind = { wants: 'the name of a column', fits: (value) => typeof value === 'string' }

export const SPLIT_ROWS = {
  ...SHARES,
  stratify: { is: column },
  groups: { ...SPLIT.groups, is: column },
  splitBy: { ...SPLIT.splitBy, is: column },
} satisfies Schema<RowSplitOptions>

/**
 * Splits a data set, or the rows of a table, into two or three parts; every row goes to exactly one. The split is random unless `splitBy` is given;
 * rows of one group stay together. Learn everything (categories, means, scales) from `train` alone: split the rows first, then call
 * `fromTable(train)` and `table.dataset(test)`.
 *
 * @example
 * const { train, test } = trainTestSplit(iris(), { testFraction: 0.2, seed: 1 })
 * test.count // 30
 * const three = trainTestSplit(iris(), { validationFraction: 0.2, testFraction: 0.2 })
 * three.validation.count // 30
 * const rows = Array.from({ length: 10 }, (_, day) => ({ day, x: day % 3 }))
 * trainTestSplit(rows, { testFraction: 0.2, splitBy: 'day' }).test // [{ day: 8, x: 2 }, { day: 9, x: 0 }]
 * @throws RangeError for a fraction outside (0, 1), fractions that would leave a side empty, `stratify` for targets that are numbers, or a column
 *   that is not there; TypeError for what is neither a data set nor rows
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
  if (Array.isArray(data) && data.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row))) {
    const rows = data as readonly Row[]
    const options = readOptions(WHO, given as RowSplitOptions, SPLIT_ROWS)
    return sides(cutRows(rows.length, ofRows(rows, options)), (part) => Array.from(part, (row) => rows[row]))
  }
  const whole = data as Dataset<Targets>
  checkDataset(WHO, whole)
  const options = readOptions(WHO, given as SplitOptions, SPLIT)
  return sides(cutRows(whole.count, ofDataset(whole, options)), (part) => selectRows(whole, part))
}

const WHO = 'trainTestSplit'

/** Criteria of a split, for data sets and rows. */
interface Cut extends CutBy, Required<Pick<Shares, 'testFraction' | 'seed'>> {
  validationFraction: number | undefined
  times: Float64Array | null
}

type Parts = [train: Int32Array, validation: Int32Array | null, test: Int32Array]

function sides<T>([train, validation, test]: Parts, take: (rows: Int32Array) => T): object {
  return { train: take(train), ...(validation && { validation: take(validation) }), test: take(test) }
}

function ofDataset({ targets, classes, count }: Dataset<Targets>, options: Read<SplitOptions, typeof SPLIT>): Cut {
  const { splitBy, groups, stratify = classes > 0 && splitBy === undefined } = options
  if (stratify && classes === 0) throw rangeError(`${WHO}: stratify wants classes, but the targets are numbers`)
  for (const [name, values] of Object.entries({ groups, splitBy }))
    if (values !== undefined && (typeof values !== 'object' || values?.length !== count))
      throw rangeError(`${WHO}: ${name} wants a value for each of ${count} rows, got ${show(values)}`)
  return {
    ...sharesOf(options),
    classOf: stratify ? targets : null,
    groups: groups ?? null,
    times: splitBy === undefined ? null : timesOf(splitBy),
  }
}

function ofRows(rows: readonly Row[], options: Read<RowSplitOptions, typeof SPLIT_ROWS>): Cut {
  const column = (option: 'stratify' | 'groups' | 'splitBy') => {
    const name = options[option]
    if (name === undefined) return null
    if (rows.length > 0 && !rows.some((row) => Object.hasOwn(row, name)))
      throw rangeError(`${WHO}: no row has a column '${shortened(name)}'`)
    return rows.map((row) => valueIn(row, name))
  }
  const [classOf, groups, time] = [column('stratify'), column('groups'), column('splitBy')]
  return {
    ...sharesOf(options),
    classOf: classOf?.map(String) ?? null,
    groups: groups?.map(String) ?? null,
    times: time === null ? null : timesOf(time),
  }
}

function sharesOf({ testFraction, validationFraction, seed }: Read<Shares, typeof SHARES>) {
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

function cutRows(count: number, { testFraction, validationFraction, seed, ...by }: Cut): Parts {
  const order = by.times === null ? new RandomStream(seed).permutation(count) : Int32Array.from({ length: count }, (_, i) => i)
  const parts = cutParts(order, validationFraction === undefined ? [testFraction] : [validationFraction, testFraction], by)
  if (parts.some((part) => part.length === 0)) {
    const fractions = validationFraction === undefined ? '' : ` and validationFraction ${validationFraction}`
    throw rangeError(`${WHO}: testFraction ${testFraction}${fractions} of ${count} samples leaves one side empty`)
  }
  return [parts[0], validationFraction === undefined ? null : parts[1], parts[parts.length - 1]]
}
