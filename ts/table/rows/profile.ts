/** Profiles of columns: what a model keeps of the training rows, so that later rows can be compared with them (drift.ts). */
import type { TableState } from '../../data/index.js'
import { type TableColumn, useOf } from '../../data/table/column.js'
import { daysOf, isCell, isNumber, type MissingTest, missingTest, numberOf, placesOf, type Row, valueIn } from '../../data/table/values.js'
import { readWritten } from '../../data/table/written.js'

/** Profile of a column in the training rows. */
export interface ColumnProfile {
  name: string
  /** Share of rows with a gap. */
  gaps: number
  /** For numbers and dates: quantiles at evenly spaced shares from 0 to 1. */
  quantiles?: readonly number[]
  /** For categories: the share of each among the values, in the order of the column's categories. */
  shares?: readonly number[]
}

/** Profiles of the columns that a model uses, from this many rows. */
export interface TableProfile {
  rows: number
  columns: readonly ColumnProfile[]
}

/** Largest number of rows of a profile, and of rows whose distribution is compared. */
export const MAX_ROWS = 10_000
/** Equal parts between the quantiles of a profile. */
export const PARTS = 40
/** Digits of what a profile keeps; the ends of a range have all. */
const DIGITS = 6
/** Columns of more categories have no shares. */
const MAX_CATEGORIES = 100
/** @internal profiles of the columns of these rows, a sample of them if they are many */
export function profileOf({ columns, missingValues }: TableState, rows: readonly Row[]): TableProfile {
  const some = evenly(rows, MAX_ROWS)
  return {
    rows: some.length,
    columns: columns.map((column): ColumnProfile => {
      const values = valuesOf(column, missingValues, some)
      const gaps = 1 - values.length / some.length
      const { name, categories } = column
      if (isNumeric(column)) {
        const sorted = Float64Array.from(values as number[]).sort()
        if (sorted.length === 0) return { name, gaps }
        const at = (i: number) => sorted[Math.round((i / PARTS) * (sorted.length - 1))]
        return {
          name,
          gaps,
          quantiles: Array.from({ length: PARTS + 1 }, (_, i) => (i % PARTS === 0 ? at(i) : Number(at(i).toPrecision(DIGITS)))),
        }
      }
      if (categories === null || categories.length > MAX_CATEGORIES || values.length === 0) return { name, gaps }
      const counts = countsOf(categories, values as string[]).slice(0, -1)
      return { name, gaps, shares: counts.map((count) => Number((count / values.length).toPrecision(DIGITS))) }
    }),
  }
}

/** The values of a column that are no gap: numbers, days of dates, or texts. */
export function valuesOf(column: TableColumn, missing: readonly string[], rows: readonly Row[]): (number | string)[] {
  const isGap: MissingTest = missingTest(column.missingValues ?? missing)
  const out: (number | string)[] = []
  for (const row of rows) {
    const value = valueIn(row, column.name)
    if (isGap(value)) continue
    if (!isNumeric(column)) {
      if (isCell(value)) out.push(String(value))
      continue
    }
    const number = numberIn(column, value)
    // a text among numbers is a gap
    if (Number.isFinite(number)) out.push(number)
  }
  return out
}

export const isNumeric = (column: TableColumn) => ['number', 'date'].includes(useOf(column))

function numberIn(column: TableColumn, value: unknown): number {
  if (column.written !== undefined) return readWritten(column.written, value)
  if (useOf(column) === 'date') return daysOf(value)
  return isNumber(value) ? numberOf(value) : Number.NaN
}

/** Number of values of each category, and of all others. */
export function countsOf(categories: readonly string[], values: readonly string[]): number[] {
  const places = placesOf(categories)
  const counts = new Array<number>(categories.length + 1).fill(0)
  for (const value of values) counts[places.get(value) ?? categories.length]++
  return counts
}

/** Some values, evenly spread. */
export function evenly<T>(values: readonly T[], most: number): readonly T[] {
  if (values.length <= most) return values
  return Array.from({ length: most }, (_, i) => values[Math.floor((i * values.length) / most)])
}
