/** Weights of rows from a column: how many cases a row stands for. */
import { rangeError } from '../../common/errors.js'
import { type Kind, text } from '../../common/options.js'
import { show } from '../../common/show.js'
import type { Row } from '../../data/index.js'
import { isNumber, numberOf, valueIn } from '../../data/table/values.js'
import type { ClassTerms } from '../target/decision.js'

/** The allowed values of `weights`. */
export const weightColumn: Kind = { wants: 'the name of a column of numbers', fits: text.fits }

/** Weights that are smaller, as a fraction of the largest, are 0: rows of nothing else would have no weight in 32 bits. */
const LEAST = 1e-12

/**
 * The rows to learn from: those whose weight is above 0, and more than rounding beside the largest.
 * @param all the rows as they were given, by whose numbers errors name them
 * @throws RangeError for a weight that is no number or below 0, and if all are 0
 */
export function weightyRows(all: readonly Row[], rows: readonly Row[], column: string): Row[] {
  const weights = rows.map((row) => weightOf(all, row, column))
  const most = weights.reduce((largest, weight) => Math.max(largest, weight), 0)
  const found = rows.filter((_, i) => weights[i] > LEAST * most)
  if (found.length === 0) throw rangeError(`trainTable: weights: column '${column}' is 0 in all rows to learn from; leave weights out`)
  return found
}

/** Weights of rows, whose mean is 1. */
export function rowWeights(all: readonly Row[], rows: readonly Row[], column: string): Float64Array {
  const weights = Float64Array.from(rows, (row) => weightOf(all, row, column))
  const most = weights.reduce((largest, weight) => Math.max(largest, weight), 0)
  // sums of huge weights stay finite
  const mean = weights.reduce((sum, weight) => sum + weight / most, 0) / weights.length
  return weights.map((weight) => weight / most / mean)
}

function weightOf(all: readonly Row[], row: Row, column: string): number {
  const value = valueIn(row, column)
  const weight = isNumber(value) && String(value).trim() !== '' ? numberOf(value) : Number.NaN
  if (!(weight >= 0))
    throw rangeError(`trainTable: weights: column '${column}' of row ${all.indexOf(row)} wants a number from 0, got ${show(value)}`)
  return weight
}

/** The terms with weights of rows besides those of classes. */
export function withRowWeights(terms: ClassTerms, weights: Float64Array | undefined): ClassTerms {
  if (weights === undefined) return terms
  const { weights: ofClasses } = terms
  return { ...terms, weights: ofClasses ? weights.map((weight, row) => weight * ofClasses[row]) : weights }
}
