/**
 * Drift: how later rows differ from those that a model learned from. A model keeps a profile of each column, its share of gaps and the distribution of
 * its values. Later rows are compared with it: values never seen, numbers outside the range, more or fewer gaps, and another distribution. A
 * difference is reported only if it is both large and significant, at a level that is divided by the number of comparisons.
 */
import { countBelow } from '../../common/quantile.js'
import { shortened, show } from '../../common/show.js'
import type { TableState } from '../../data/index.js'
import { type TableColumn, useOf } from '../../data/table/column.js'
import { dayOf, numbered, placesOf, type Row } from '../../data/table/values.js'
import { formatMetric, formatShare } from '../../report/format.js'
import { checkTableModel, type Prediction, type TableModel } from '../model/model.js'
import { TargetsModel } from '../model/targets-model.js'
import { type ColumnProfile, countsOf, evenly, MAX_ROWS, PARTS, valuesOf } from '../rows/profile.js'

/** How a column of later rows differs from the training rows. Only what differs is present. */
export interface ColumnDrift {
  column: string
  /** Values that no training row has: their share of the column's values, their number, and up to five of them. */
  unseen?: { share: number; count: number; values: readonly string[] }
  /** Numbers outside the range of the training rows: their share of the values, and the range (of dates as days since 1970). */
  outside?: { share: number; count: number; range: readonly [low: number, high: number] }
  /** Share of gaps, beside that of the training rows. */
  gaps?: { share: number; before: number }
  /**
   * Another distribution of the values: the Kolmogorov-Smirnov distance of numbers, or the total variation distance of categories, from 0 to 1, and the
   * probability of such a distance by chance.
   */
  distribution?: { distance: number; p: number }
}

/** Result of {@link driftOf}. */
export interface TableDrift {
  /** Rows that were compared, and rows of the profile. */
  rows: number
  before: number
  /** The columns that differ, in the order of the table. */
  columns: ColumnDrift[]
  /** What differs in words, a sentence each. */
  notes: string[]
}

/** Least distance of distributions, and difference of shares of gaps, that is reported. */
const LARGE = 0.1
/** Least share of numbers outside the range that is reported, unless one of them is further away than the range is wide. */
const OUTSIDE = 0.01
/** Probability of a report by chance, over all comparisons of a table. */
const LEVEL = 0.001
const MAX_SHOWN = 5

/**
 * Compares later rows with those that a model learned from, column by column: for rows to predict, before their predictions are believed. A model of
 * several targets reports each column once, beside the rows of the first target that uses it.
 *
 * @example
 * const { model } = await trainTable('docs/guide/penguins.csv', { target: 'species' })
 * const drift = driftOf(model, [{ island: 'Atlantis', bill_length_mm: 90 }, { island: 'Dream', bill_length_mm: 40 }])
 * drift.notes[0] // "column 'island': 50 % of the values (1) were never seen ('Atlantis'), and count as none"
 */
export function driftOf(model: TableModel<Prediction> | TargetsModel<Prediction>, rows: readonly object[]): TableDrift {
  if (model instanceof TargetsModel) return ofTargets(Object.values(model.models), rows)
  checkTableModel('driftOf', model)
  numbered('driftOf', rows)
  const { table, profile } = model.saved()
  if (rows.length === 0) return { rows: 0, before: profile.rows, columns: [], notes: [] }
  const level = LEVEL / (2 * Math.max(1, profile.columns.length))
  const columns = table.columns.flatMap((column): ColumnDrift[] => {
    const before = profile.columns.find(({ name }) => name === column.name)
    const drift = before && columnDrift(column, before, table.missingValues, rows as readonly Row[], profile.rows, level)
    return drift && Object.keys(drift).length > 1 ? [drift] : []
  })
  return { rows: rows.length, before: profile.rows, columns, notes: columns.flatMap((drift) => inWords(drift, table)) }
}

/** The drifts of several models, each column once. */
function ofTargets(models: readonly TableModel<Prediction>[], rows: readonly object[]): TableDrift {
  const seen = new Set<string>()
  const drifts = models.map((model) => {
    const { columns, ...drift } = driftOf(model, rows)
    const others = columns.filter(({ column }) => !seen.has(column))
    for (const name of model.columns) seen.add(name)
    const { table } = model.saved()
    return { ...drift, columns: others, notes: others.flatMap((one) => inWords(one, table)) }
  })
  return {
    ...{ rows: rows.length, before: Math.min(...drifts.map(({ before }) => before)) },
    ...{ columns: drifts.flatMap(({ columns }) => columns), notes: drifts.flatMap(({ notes }) => notes) },
  }
}

function columnDrift(
  column: TableColumn,
  before: ColumnProfile,
  missing: readonly string[],
  rows: readonly Row[],
  profiled: number,
  level: number,
): ColumnDrift {
  const values = valuesOf(column, missing, rows)
  const found: ColumnDrift = { column: column.name }
  const known = profiled * (1 - before.gaps)
  const gaps = 1 - values.length / rows.length
  if (Math.abs(gaps - before.gaps) >= LARGE && differByChance(gaps, rows.length, before.gaps, profiled) < level)
    found.gaps = { share: gaps, before: before.gaps }
  if (values.length === 0) return found
  if (before.quantiles) {
    const { quantiles } = before
    const range = [quantiles[0], quantiles[PARTS]] as const
    const count = (values as number[]).filter((value) => value < range[0] || value > range[1]).length
    const isFar = (values as number[]).some((value) => Math.max(range[0] - value, value - range[1]) > range[1] - range[0])
    if (isFar || (count / values.length >= OUTSIDE && outsideByChance(count, values.length, known) < level))
      found.outside = { share: count / values.length, count, range }
    const distance = distanceOfNumbers(evenly(values as number[], MAX_ROWS), quantiles)
    const p = kolmogorov(distance, Math.min(values.length, MAX_ROWS), known)
    // what lies outside is reported above
    if (distance - (found.outside?.share ?? 0) >= LARGE && p < level) found.distribution = { distance, p }
    return found
  }
  const { categories } = column
  if (categories === null || useOf(column) === 'hash') return found
  const isKnown = placesOf(categories)
  const strange = (values as string[]).filter((value) => !isKnown.has(value))
  if (strange.length > 0)
    found.unseen = {
      ...{ share: strange.length / values.length, count: strange.length },
      values: [...new Set(strange)].slice(0, MAX_SHOWN),
    }
  if (before.shares) {
    const counts = countsOf(categories, values as string[])
    const { distance, p } = distanceOfCategories(counts, [...before.shares, 0], known)
    // what was never seen is reported above
    const others = distance - (found.unseen?.share ?? 0)
    if (others >= LARGE && p < level) found.distribution = { distance, p }
  }
  return found
}

/** The largest difference between the distribution functions, as far as the quantiles of the profile say it for sure. */
function distanceOfNumbers(values: readonly number[], quantiles: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  let distance = 0
  for (const quantile of quantiles) {
    const below = countBelow(sorted, quantile) / sorted.length
    const upTo = countBelow(sorted, quantile, true) / sorted.length
    // equal quantiles are one step of the distribution function, whose ends lie between two quantiles
    const [first, last] = [quantiles.indexOf(quantile), quantiles.lastIndexOf(quantile)]
    distance = Math.max(distance, below - first / PARTS, (first - 1) / PARTS - below, last / PARTS - upTo, upTo - (last + 1) / PARTS)
  }
  return distance
}

/** @internal Probability that at least `count` of n values lie outside the range of m others by chance: with two of m, its ends. */
export function outsideByChance(count: number, n: number, m: number): number {
  return m < 2 ? 1 : atLeast(count, n, 2, m - 1)
}

/** Probability of at least `count` of n in a beta-binomial distribution. */
function atLeast(count: number, n: number, alpha: number, beta: number): number {
  let [below, one] = [0, 1]
  for (let i = 0; i < n; i++) one *= (beta + i) / (alpha + beta + i)
  for (let k = 0; k < count; k++) {
    below += one
    one *= ((n - k) * (alpha + k)) / ((k + 1) * (beta + n - k - 1))
  }
  return Math.max(0, 1 - below)
}

/** @internal Probability of such a distance of two samples by chance (Smirnov's limit, with Stephens' correction, 1970). */
export function kolmogorov(distance: number, n: number, m: number): number {
  const root = Math.sqrt((n * m) / (n + m))
  const x = (root + 0.12 + 0.11 / root) * distance
  let sum = 0
  for (let k = 1; k <= 100; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k ** 2 * x ** 2)
  return x < 0.2 ? 1 : Math.min(1, Math.max(0, sum))
}

/** @internal Total variation distance of counts from shares, and the probability of it by a χ² test of two samples; rare categories are counted together. */
export function distanceOfCategories(counts: readonly number[], shares: readonly number[], m: number): { distance: number; p: number } {
  const n = counts.reduce((sum, count) => sum + count, 0)
  const distance = counts.reduce((sum, count, i) => sum + Math.abs(count / n - shares[i]), 0) / 2
  const pairs = counts.map((count, i) => [count, shares[i] * m] as const)
  const isRare = ([a, b]: readonly [number, number]) => ((a + b) * Math.min(n, m)) / (n + m) < 5
  const rare = pairs.filter(isRare).reduce<[number, number]>(([a, b], [c, d]) => [a + c, b + d], [0, 0])
  const groups = [...pairs.filter((pair) => !isRare(pair)), ...(rare[0] + rare[1] > 0 ? [rare] : [])]
  const statistic = groups.reduce((sum, [a, b]) => sum + (Math.sqrt(m / n) * a - Math.sqrt(n / m) * b) ** 2 / (a + b), 0)
  return { distance, p: chiSquare(statistic, groups.length - 1) }
}

/** Probability that χ² is larger (Wilson & Hilferty 1931), to a few percent. */
function chiSquare(statistic: number, degrees: number): number {
  if (degrees < 1) return 1
  const v = 2 / (9 * degrees)
  return normalTail(((statistic / degrees) ** (1 / 3) - 1 + v) / Math.sqrt(v))
}

/** Least number of rows for a normal approximation. */
const MANY = 100

/** Probability that a share of n rows differs this much from a share of m rows by chance: exact for few rows, else a z test with the pooled share. */
function differByChance(a: number, n: number, b: number, m: number): number {
  const [count, others] = [Math.round(a * n), Math.round(b * m)]
  if (n < MANY) return 2 * (a > b ? atLeast(count, n, others + 1, m - others + 1) : atLeast(n - count, n, m - others + 1, others + 1))
  const pooled = (a * n + b * m) / (n + m)
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
  return error > 0 ? 2 * normalTail(Math.abs(a - b) / error) : 1
}

/** Probability that a standard normal number is larger (Abramowitz & Stegun 7.1.26), to 1e-7. */
function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z)
  const x = z / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * x)
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  return (series * Math.exp(-(x ** 2))) / 2
}

/** What differs in a column, a sentence each. */
function inWords({ column, unseen, outside, gaps, distribution }: ColumnDrift, { columns }: TableState): string[] {
  const name = `column '${shortened(column)}'`
  const isDate = columns.some((one) => one.name === column && useOf(one) === 'date')
  const bound = (x: number) => (isDate ? dayOf(x) : String(Number(x.toPrecision(6))))
  const were = (share: number, count: number) => `${formatShare(share)} of the values (${count}) were`
  const range = outside && `${bound(outside.range[0])} to ${bound(outside.range[1])}`
  return [
    ...(unseen
      ? [`${name}: ${were(unseen.share, unseen.count)} never seen (${unseen.values.map(show).join(', ')}), and count as none`]
      : []),
    ...(outside ? [`${name}: ${were(outside.share, outside.count)} outside ${range}, the range learned from`] : []),
    ...(gaps ? [`${name}: ${formatShare(gaps.share)} of the rows have a gap, ${formatShare(gaps.before)} of those learned from`] : []),
    ...(distribution ? [`${name}: its values are distributed differently (distance ${formatMetric(distribution.distance)} of 1)`] : []),
  ]
}
