/**
 * Columns that give the target away: each is used alone, as a table of its values on one half of the rows, to predict the other half. It costs one pass
 * over the columns, and is said before nets are trained.
 */
import { countBelow } from '../../common/quantile.js'
import { shortened } from '../../common/show.js'
import type { Table } from '../../data/index.js'
import { formatShare } from '../../report/format.js'
import { type Spans, spansOf } from './features.js'
import { evenly } from './profile.js'

/** A column that alone predicts nearly all of the target. */
export interface Leak {
  column: string
  /** Share of the target's variance, or of the log loss of a guess, that it explains on rows that were not used: nearly 1. */
  explained: number
}

/** Share from which on a column is named. The best single columns of 26 real tables explain up to 0.88; a logarithm of the target 0.998 (2026-11-30). */
const NEARLY_ALL = 0.98
const FEWEST_ROWS = 60
/** Rows that are looked at, evenly spread. */
const MAX_ROWS = 5000
/** Parts of a column of numbers with equal numbers of rows, each at least this large. */
const MAX_PARTS = 256
const ROWS_OF_PART = 8

/** The columns that give the target away, the first one most. @param least share that is reported */
export function leaksIn({ inputs, features, targets, classes, count, report }: Table, least = NEARLY_ALL): Leak[] {
  if (count < FEWEST_ROWS) return []
  const rows = evenly(Array.from(targets.keys()), MAX_ROWS)
  const found = spansOf(report.columns).map((span) => {
    const codes = codesOf(inputs, features, span, rows)
    const own = rows.map((row) => targets[row])
    return { column: span.column, explained: classes > 0 ? explainedClasses(codes, own, classes) : explainedNumbers(codes, own) }
  })
  return found.filter(({ explained }) => explained >= least).sort((a, b) => b.explained - a.explained)
}

/** `column 'total' alone explains 99 % of 'price'` */
export function leakInWords({ column, explained }: Leak, target: string): string {
  const share = explained > 0.995 && explained < 1 ? 'more than 99 %' : formatShare(explained)
  return `column '${shortened(column)}' alone explains ${share} of '${shortened(target)}'`
}

/** The place of each row in a column: its quantile, or its category. */
function codesOf(inputs: Float32Array, features: number, { from, size }: Spans[number], rows: readonly number[]): number[] {
  // of the features of a category, or of a hash, one is not 0
  if (size > 1)
    return rows.map((row) => {
      const first = row * features + from
      let at = first
      while (at < first + size && inputs[at] === 0) at++
      return at - first
    })
  const values = rows.map((row) => inputs[row * features + from])
  const parts = Math.min(MAX_PARTS, Math.floor(rows.length / ROWS_OF_PART))
  const sorted = Float64Array.from(values).sort()
  const edges = [...new Set(Array.from({ length: parts }, (_, i) => sorted[Math.floor((i * sorted.length) / parts)]))]
  return values.map((value) => countBelow(edges, value, true))
}

/** R² on every other row of the means of the other rows. */
function explainedNumbers(codes: readonly number[], y: readonly number[]): number {
  const [sums, counts] = [new Map<number, number>(), new Map<number, number>()]
  let [sum, learnt] = [0, 0]
  for (let i = 0; i < y.length; i += 2) {
    sums.set(codes[i], (sums.get(codes[i]) ?? 0) + y[i])
    counts.set(codes[i], (counts.get(codes[i]) ?? 0) + 1)
    sum += y[i]
    learnt++
  }
  const mean = sum / learnt
  let [left, all] = [0, 0]
  for (let i = 1; i < y.length; i += 2) {
    const count = counts.get(codes[i]) ?? 0
    left += (y[i] - (count > 0 ? (sums.get(codes[i]) as number) / count : mean)) ** 2
    all += (y[i] - mean) ** 2
  }
  return all > 0 ? 1 - left / all : 0
}

/** The share of the log loss of a guess on every other row that the shares of classes among the other rows explain. */
function explainedClasses(codes: readonly number[], y: readonly number[], classes: number): number {
  const counts = new Map<number, Float64Array>()
  const all = new Float64Array(classes)
  for (let i = 0; i < y.length; i += 2) {
    const own = counts.get(codes[i]) ?? new Float64Array(classes)
    own[y[i]]++
    all[y[i]]++
    counts.set(codes[i], own)
  }
  const learnt = all.reduce((sum, count) => sum + count, 0)
  let [left, guess] = [0, 0]
  for (let i = 1; i < y.length; i += 2) {
    const share = (all[y[i]] + 1 / classes) / (learnt + 1)
    const own = counts.get(codes[i])
    const total = own?.reduce((sum, count) => sum + count, 0) ?? 0
    // a little of the guess, so that few rows say nothing for sure
    left -= Math.log(((own?.[y[i]] ?? 0) + LITTLE * share) / (total + LITTLE))
    guess -= Math.log(share)
  }
  return guess > 0 ? 1 - left / guess : 0
}

/** Weight of the guess beside the rows with the same value. */
const LITTLE = 0.02
