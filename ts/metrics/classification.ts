/** Metrics of predicted classes: accuracy, the confusion matrix and the metrics that follow from it. Definitions and conventions are scikit-learn's. */

import { rangeError } from '../common/errors.js'
import { checkOptions, type Schema } from '../common/options.js'
import { asTensor, type TensorLike } from '../tensor.js'
import { areLabels, CLASS, type ClassOptions, type Decisions, decide, largest } from './classes.js'
import { METRIC, type MetricOptions, valuesOf, weightOf } from './values.js'

/**
 * The share of rows with the correct class. The predicted class is the largest of several logits; with one logit it is class 1 if the logit is
 * above 0. Predictions may also be class indices: an Int32Array (`argmax`), or an array of integers from 0. Targets are class indices, probabilities
 * of the prediction's shape, or 0 and 1.
 *
 * @throws RangeError for one output whose targets are not from 0 to 1, and for a target that is not one of several classes, ShapeError for a
 * different number of rows
 * @example
 * accuracy(tensor([[0.1, 2], [3, 1]]), [1, 1]) // 0.5
 * accuracy([0, 1, 2, 1], [0, 1, 2, 2]) // 0.75
 * accuracy([0, 1], [0, 0], { weights: [3, 1] }) // 0.75
 */
export function accuracy(prediction: TensorLike, target: TensorLike, options: MetricOptions = {}): number {
  const { weights } = checkOptions('accuracy', options, METRIC)
  const scores = asTensor(prediction, undefined, 'accuracy: prediction')
  const rows = scores.shape[0]
  const cols = scores.size / rows
  const [p, t] = [scores.read(), valuesOf(target, 'accuracy', scores, rows)]
  const oneClassEach = t.length === rows
  const isLabels = cols === 1 && (scores.dtype === 'int32' || areLabels(prediction))
  if (weights === undefined && cols > 1 && oneClassEach) return rightRows(p, t, rows, cols) / rows
  const weight = weightOf('accuracy', weights, rows)
  let [right, total] = [0, 0]
  for (let r = 0; r < rows; r++) {
    let isRight: boolean
    if (isLabels) isRight = p[r] === t[r]
    else if (cols === 1) {
      if (!(t[r] >= 0 && t[r] <= 1))
        throw rangeError(
          `accuracy: targets of one output are from 0 to 1, got ${t[r]}; for numbers there is meanAbsoluteError, and classes as predictions are an Int32Array`,
        )
      isRight = p[r] > 0 === t[r] > 0.5
    } else if (!oneClassEach) isRight = largest(p, r * cols, cols) === largest(t, r * cols, cols)
    else isRight = isLargest(p, r * cols, cols, classAt(t, r, cols))
    total += weight(r)
    if (isRight) right += weight(r)
  }
  return right / total
}

/** The number of rows whose class has the largest score, which training needs after each step. */
function rightRows(scores: ArrayLike<number>, targets: ArrayLike<number>, rows: number, cols: number): number {
  let right = 0
  for (let r = 0; r < rows; r++) if (isLargest(scores, r * cols, cols, classAt(targets, r, cols))) right++
  return right
}

/** Returns `largest(…) === label`, three times as fast. NaN scores count as wrong. */
function isLargest(scores: ArrayLike<number>, from: number, cols: number, label: number): boolean {
  const own = scores[from + label]
  for (let c = 0; c < cols; c++) {
    const other = scores[from + c]
    if (!(other < own || (other === own && c >= label))) return false
  }
  return true
}

/** @throws RangeError for a target that is not a class */
function classAt(targets: ArrayLike<number>, row: number, cols: number): number {
  const label = targets[row]
  if (Number.isInteger(label) && label >= 0 && label < cols) return label
  throw rangeError(`accuracy: wants classes from 0 to ${cols - 1} as targets, got ${label} at row ${row}`)
}

const AVERAGES = ['binary', 'macro', 'micro', 'weighted'] as const

/** The way in which scores of several classes become one number. */
export type Average = (typeof AVERAGES)[number]

/** Options of {@link precision}, {@link recall} and {@link f1Score}. */
export interface AverageOptions extends ClassOptions {
  /**
   * `binary`: the score of class 1 of two classes. `macro`: the mean over the classes that occur, also in rows of weight 0; `weighted`: the same
   * mean, weighted by the classes' rows; `micro`: the score of all decisions together. Default: `binary` for two classes, `macro` for more.
   */
  average?: Average
}

export const AVERAGE = { ...CLASS, average: { is: AVERAGES } } satisfies Schema<AverageOptions>

/**
 * The number of rows by true class (first index) and predicted class (second index).
 *
 * @param prediction scores [n, classes] (the largest decides), one score a row, or classes as whole numbers
 * @param target classes [n], or probabilities [n, classes]
 * @example confusionMatrix(Int32Array.of(0, 1, 1, 2), [0, 1, 2, 2]) // [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
 * @throws ShapeError unless both have the same rows, RangeError for targets that are not classes
 */
export function confusionMatrix(prediction: TensorLike, target: TensorLike, options: ClassOptions = {}): number[][] {
  return matrixOf('confusionMatrix', prediction, target, options)
}

/**
 * The share of correct rows among those predicted as a class; 0 if no row was.
 *
 * @param prediction scores [n, classes] (the largest decides), one score a row, or classes as whole numbers
 * @param target classes [n], or probabilities [n, classes]
 * @example
 * precision([-1, 2, 3, 1], [0, 1, 1, 0]) // 0.666667
 * precision(Int32Array.of(0, 1, 2), [0, 2, 2], { average: 'macro' }) // 0.666667
 * @throws ShapeError unless both have the same rows, RangeError for targets that are not classes, `binary` for more than two
 */
export function precision(prediction: TensorLike, target: TensorLike, options: AverageOptions = {}): number {
  return averageOf('precision', (hits, predicted) => hits / predicted, prediction, target, options)
}

/**
 * The share of the rows of a class that were predicted as that class; 0 if the class has no rows.
 *
 * @param prediction scores [n, classes] (the largest decides), one score a row, or classes as whole numbers
 * @param target classes [n], or probabilities [n, classes]
 * @example recall([-1, 2, 3, 1], [0, 1, 1, 1]) // 1
 * @throws ShapeError unless both have the same rows, RangeError for targets that are not classes, `binary` for more than two
 */
export function recall(prediction: TensorLike, target: TensorLike, options: AverageOptions = {}): number {
  return averageOf('recall', (hits, _, actual) => hits / actual, prediction, target, options)
}

/**
 * The harmonic mean of {@link precision} and {@link recall}, 2·hits / (predicted + actual).
 *
 * @param prediction scores [n, classes] (the largest decides), one score a row, or classes as whole numbers
 * @param target classes [n], or probabilities [n, classes]
 * @example
 * f1Score([-1, 2, 3, 1], [0, 1, 1, 0]) // 0.8
 * f1Score([0.2, 0.9], [1, 1], { threshold: 0.5 }) // 0.666667
 * @throws ShapeError unless both have the same rows, RangeError for targets that are not classes, `binary` for more than two
 */
export function f1Score(prediction: TensorLike, target: TensorLike, options: AverageOptions = {}): number {
  return averageOf('f1Score', (hits, predicted, actual) => (2 * hits) / (predicted + actual), prediction, target, options)
}

/**
 * The mean over the classes that occur of the share of each that was found: the accuracy that would result if all classes had equal numbers of rows.
 *
 * @param prediction scores [n, classes] (the largest decides), one score a row, or classes as whole numbers
 * @param target classes [n], or probabilities [n, classes]
 * @example balancedAccuracy([0, 0, 0, 0], [0, 0, 0, 1]) // 0.5
 * @throws ShapeError unless both have the same rows, RangeError for targets that are not classes
 */
export function balancedAccuracy(prediction: TensorLike, target: TensorLike, options: ClassOptions = {}): number {
  const found = matrixOf('balancedAccuracy', prediction, target, options).flatMap((row, c) => (sum(row) > 0 ? [row[c] / sum(row)] : []))
  return sum(found) / found.length
}

function matrixOf(who: string, prediction: TensorLike, target: TensorLike, options: ClassOptions): number[][] {
  return matrixBy(who, decide(who, prediction, target, options), options)
}

function matrixBy(who: string, { predicted, actual, classes }: Decisions, options: ClassOptions): number[][] {
  const weight = weightOf(who, options.weights, actual.length)
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (let r = 0; r < actual.length; r++) {
    if (predicted[r] < 0) throw rangeError(`${who}: the scores of row ${r} are not numbers (NaN)`)
    matrix[actual[r]][predicted[r]] += weight(r)
  }
  return matrix
}

/** A score of a class from its numbers of hits, of predicted rows and of actual rows. */
type Score = (hits: number, predicted: number, actual: number) => number

function averageOf(who: string, score: Score, prediction: TensorLike, target: TensorLike, options: AverageOptions): number {
  const decisions = decide(who, prediction, target, options, AVERAGE)
  const matrix = matrixBy(who, decisions, options)
  const { average = matrix.length === 2 ? 'binary' : 'macro' } = options
  if (average === 'binary' && matrix.length > 2)
    throw rangeError(`${who}: average 'binary' is for two classes, and there are ${matrix.length}; 'macro', 'micro' or 'weighted'?`)
  const counts = matrix.map((row, c) => [row[c], sum(matrix.map((other) => other[c])), sum(row)] as const)
  const of = ([hits, predicted, actual]: (typeof counts)[number]) => score(hits, predicted, actual) || 0 // 0 of 0 counts as 0
  if (average === 'binary') return of(counts[1])
  if (average === 'micro') return of([0, 1, 2].map((i) => sum(counts.map((count) => count[i]))) as [number, number, number])
  const occurring = new Set([decisions.predicted, decisions.actual].flatMap((classes) => Array.from(classes)))
  const weights = counts.map(([, , actual], c) => (average === 'weighted' ? actual : Number(occurring.has(c))))
  return sum(counts.map((count, c) => weights[c] * of(count))) / sum(weights)
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
