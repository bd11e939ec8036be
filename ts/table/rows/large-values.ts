/**
 * Decides whether very large values of a table's numbers count in full. Usually they do not, because a few huge values would spoil the rest of the
 * training. But if the target keeps growing with a number, as the delay of an arrival with the delay of the departure, squeezing the number would
 * lose the answer.
 */
import { addGram, addProduct, cholesky, solveCholesky } from '../../backend/js/normal-equations.js'

/** Largest number of rows that are used, and of multiply-adds of a fit. */
const MAX_ROWS = 3000
const MAX_WORK = 3e8
/** Least number of rows per column: a fit to fewer rows says nothing. */
const ROWS_OF_COLUMN = 4
/** One row in this many is held out for the comparison. */
const JUDGED = 4
/**
 * Largest remaining fraction of the squared error for which squeezing is given up. On delays of flights 0.16 remains, on seven other tables 0.94 to
 * 1.75.
 */
const BETTER = 0.7
/** On columns with deviation 1: keeps nearly equal columns from getting huge opposite weights. */
const RIDGE = 1e-3

/** The number of a row in one of the columns. */
type NumberAt = (row: number, column: number) => number

/**
 * Fits a straight line to the unchanged numbers, and another to the squeezed ones, on three quarters of the rows, and compares their squared errors
 * on the others.
 * @param count number of columns
 * @returns true if the first is much better; false if there are too few rows to decide
 */
export function countInFull(count: number, plain: NumberAt, squeezed: NumberAt, targets: ArrayLike<number>): boolean {
  const affordable = Math.min(MAX_ROWS, Math.floor(MAX_WORK / count ** 2))
  const every = Math.max(1, Math.ceil(targets.length / affordable))
  const rows = Array.from({ length: Math.floor(targets.length / every) }, (_, i) => i * every)
  if (count === 0 || rows.length < ROWS_OF_COLUMN * count) return false
  return errorOfLine(count, plain, targets, rows) < BETTER * errorOfLine(count, squeezed, targets, rows)
}

/** Mean squared error of a straight line on every fourth of the rows, fitted to the others: ridge regression. */
function errorOfLine(count: number, at: NumberAt, targets: ArrayLike<number>, rows: readonly number[]): number {
  const [learnt, judged] = [rows.filter((_, i) => i % JUDGED > 0), rows.filter((_, i) => i % JUDGED === 0)]
  const m = learnt.length
  const mean = learnt.reduce((sum, row) => sum + targets[row], 0) / m
  const j = new Float64Array(count * m)
  const centers = new Float64Array(count)
  const spreads = new Float64Array(count)
  for (let c = 0; c < count; c++) {
    const column = j.subarray(c * m, c * m + m)
    for (let i = 0; i < m; i++) column[i] = at(learnt[i], c)
    centers[c] = column.reduce((sum, x) => sum + x, 0) / m
    spreads[c] = Math.sqrt(column.reduce((sum, x) => sum + (x - centers[c]) ** 2, 0) / m) || 1
    for (let i = 0; i < m; i++) column[i] = (column[i] - centers[c]) / spreads[c]
  }
  const gram = new Float64Array(count * count)
  const weights = new Float64Array(count)
  const factor = new Float64Array(count * count)
  addGram(j, count, m, m, gram)
  const centered = Float64Array.from(learnt, (row) => targets[row] - mean)
  addProduct(j, count, m, m, centered, weights)
  if (!cholesky(gram, count, RIDGE * m, null, factor)) return Number.POSITIVE_INFINITY
  solveCholesky(factor, count, weights, weights)
  let sum = 0
  for (const row of judged) {
    let value = mean
    for (let c = 0; c < count; c++) value += (weights[c] * (at(row, c) - centers[c])) / spreads[c]
    sum += (value - targets[row]) ** 2
  }
  return sum / judged.length
}
