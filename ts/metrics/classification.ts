/** Right and wrong: accuracy, the confusion matrix and what is read from it. Definitions and conventions are scikit-learn's. */

import { checkChoice } from '../common/checks.js'
import { rangeError } from '../common/errors.js'
import { asTensor, type TensorLike } from '../tensor.js'
import { type ClassOptions, decide, largest } from './classes.js'
import { valuesOf } from './values.js'

/**
 * The share of rows whose class is right: the largest of several logits, or for one logit whether it is above 0.
 * Predictions may be classes themselves, as whole numbers (an Int32Array, `argmax`). Targets are class indices, probabilities of the prediction's shape, or 0 and 1.
 *
 * @throws RangeError for one output whose targets are not from 0 to 1, and for what is no class of several, ShapeError for targets of other rows
 * @example accuracy(tensor([[0.1, 2], [3, 1]]), [1, 1]) // 0.5
 */
export function accuracy(prediction: TensorLike, target: TensorLike): number {
  const scores = asTensor(prediction)
  const rows = scores.shape[0]
  const cols = scores.size / rows
  const [p, t] = [scores.read(), valuesOf(target, 'accuracy', scores, rows)]
  const oneClassEach = t.length === rows
  let right = 0
  for (let r = 0; r < rows; r++) {
    if (cols === 1 && scores.dtype === 'int32') right += p[r] === t[r] ? 1 : 0
    else if (cols === 1) {
      if (!(t[r] >= 0 && t[r] <= 1))
        throw rangeError(
          `accuracy: targets of one output are from 0 to 1, got ${t[r]}; for numbers there is meanAbsoluteError, and classes as predictions are an Int32Array`,
        )
      right += p[r] > 0 === t[r] > 0.5 ? 1 : 0
    } else if (!oneClassEach) right += largest(p, r * cols, cols) === largest(t, r * cols, cols) ? 1 : 0
    else if (Number.isInteger(t[r]) && t[r] >= 0 && t[r] < cols) right += largest(p, r * cols, cols) === t[r] ? 1 : 0
    else throw rangeError(`accuracy: wants classes from 0 to ${cols - 1} as targets, got ${t[r]} at row ${r}`)
  }
  return right / rows
}

const AVERAGES = ['binary', 'macro', 'micro', 'weighted'] as const

/** How the scores of several classes become one number. */
export type Average = (typeof AVERAGES)[number]

/** Options of {@link precision}, {@link recall} and {@link f1Score}. */
export interface AverageOptions extends ClassOptions {
  /**
   * `binary`: the score of class 1, where there are two. `macro`: the mean over the classes that occur; `weighted`: the same, each
   * counting by its rows; `micro`: of all decisions together. Default: `binary` for two classes, `macro` for more.
   */
  average?: Average
}

/**
 * How many rows of each class (first index) were taken for which class (second index).
 *
 * @param prediction scores [n, classes] (the largest decides), one score a row, or classes as an Int32Array
 * @param target classes [n], or probabilities [n, classes]
 * @example confusionMatrix(Int32Array.of(0, 1, 1, 2), [0, 1, 2, 2]) // [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
 * @throws ShapeError unless both have the same rows, RangeError for targets that are no classes
 */
export function confusionMatrix(prediction: TensorLike, target: TensorLike, options: ClassOptions = {}): number[][] {
  return matrixOf('confusionMatrix', prediction, target, options)
}

/**
 * Of the rows that were taken for a class, the share that is of it; 0 where none was.
 *
 * @param prediction scores [n, classes] (the largest decides), one score a row, or classes as an Int32Array
 * @param target classes [n], or probabilities [n, classes]
 * @example
 * precision([-1, 2, 3, 1], [0, 1, 1, 0]) // 0.666667
 * precision(Int32Array.of(0, 1, 2), [0, 2, 2], { average: 'macro' }) // 0.666667
 * @throws ShapeError unless both have the same rows, RangeError for targets that are no classes, `binary` for more than two
 */
export function precision(prediction: TensorLike, target: TensorLike, options: AverageOptions = {}): number {
  return averageOf('precision', (hits, predicted) => hits / predicted, prediction, target, options)
}

/**
 * Of the rows of a class, the share that was found; 0 where there are none.
 *
 * @param prediction scores [n, classes] (the largest decides), one score a row, or classes as an Int32Array
 * @param target classes [n], or probabilities [n, classes]
 * @example recall([-1, 2, 3, 1], [0, 1, 1, 1]) // 1
 * @throws ShapeError unless both have the same rows, RangeError for targets that are no classes, `binary` for more than two
 */
export function recall(prediction: TensorLike, target: TensorLike, options: AverageOptions = {}): number {
  return averageOf('recall', (hits, _, actual) => hits / actual, prediction, target, options)
}

/**
 * The harmonic mean of {@link precision} and {@link recall}, 2·hits / (predicted + actual).
 *
 * @param prediction scores [n, classes] (the largest decides), one score a row, or classes as an Int32Array
 * @param target classes [n], or probabilities [n, classes]
 * @example
 * f1Score([-1, 2, 3, 1], [0, 1, 1, 0]) // 0.8
 * f1Score([0.2, 0.9], [1, 1], { threshold: 0.5 }) // 0.666667
 * @throws ShapeError unless both have the same rows, RangeError for targets that are no classes, `binary` for more than two
 */
export function f1Score(prediction: TensorLike, target: TensorLike, options: AverageOptions = {}): number {
  return averageOf('f1Score', (hits, predicted, actual) => (2 * hits) / (predicted + actual), prediction, target, options)
}

function matrixOf(who: string, prediction: TensorLike, target: TensorLike, options: ClassOptions, own: readonly string[] = []): number[][] {
  const { predicted, actual, classes } = decide(who, prediction, target, options, own)
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (let r = 0; r < actual.length; r++) {
    if (predicted[r] < 0) throw rangeError(`${who}: the scores of row ${r} are not numbers (NaN)`)
    matrix[actual[r]][predicted[r]]++
  }
  return matrix
}

/** From the rows that were hit, those that were predicted and those that there are. */
type Score = (hits: number, predicted: number, actual: number) => number

function averageOf(who: string, score: Score, prediction: TensorLike, target: TensorLike, options: AverageOptions): number {
  const matrix = matrixOf(who, prediction, target, options, ['average'])
  const { average = matrix.length === 2 ? 'binary' : 'macro' } = options
  checkChoice(`${who}: average`, average, AVERAGES)
  if (average === 'binary' && matrix.length > 2)
    throw rangeError(`${who}: average 'binary' is for two classes, and there are ${matrix.length}; 'macro', 'micro' or 'weighted'?`)
  const counts = matrix.map((row, c) => [row[c], sum(matrix.map((other) => other[c])), sum(row)] as const)
  const of = ([hits, predicted, actual]: (typeof counts)[number]) => score(hits, predicted, actual) || 0 // 0 of 0 counts as 0
  if (average === 'binary') return of(counts[1])
  if (average === 'micro') return of([0, 1, 2].map((i) => sum(counts.map((count) => count[i]))) as [number, number, number])
  const weights = counts.map(([, predicted, actual]) => (average === 'weighted' ? actual : Number(predicted + actual > 0)))
  return sum(counts.map((count, c) => weights[c] * of(count))) / sum(weights)
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
