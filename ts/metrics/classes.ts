/** Input of class metrics: the predicted and the true class of each row. */
import { rangeError, ShapeError } from '../common/errors.js'
import { checkOptions, finite, type Schema } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { asTensor, type Tensor, type TensorLike } from '../tensor.js'
import { METRIC, type MetricOptions } from './values.js'

/** Options of all metrics that decide on a class. */
export interface ClassOptions extends MetricOptions {
  /** For one output per row: above this, class 1 is predicted. Default 0, for logits; set 0.5 for probabilities. */
  threshold?: number
}

export const CLASS = { ...METRIC, threshold: { is: finite } } satisfies Schema<ClassOptions>

/** Classes by row. */
export interface Decisions {
  /** The predicted class of each row; −1 if its scores are NaN. */
  predicted: ArrayLike<number>
  actual: ArrayLike<number>
  /** Number of classes: the outputs of a row, 2 for one output, and for class indices one more than the largest. */
  classes: number
}

/**
 * @internal Predictions are scores (logits, probabilities) [n, classes], where the largest decides; or one score per row [n] or [n, 1]; or class
 * indices (an Int32Array or Uint8Array, such as from `argmax`, or an array of integers).
 * @throws ShapeError unless both have the same rows, RangeError for targets that are not classes
 */
export function decide(
  who: string,
  prediction: TensorLike,
  target: TensorLike,
  options: ClassOptions,
  takes: typeof CLASS = CLASS,
): Decisions {
  checkOptions(who, options, takes)
  const p = asScores(who, prediction)
  const { rows, columns, values } = p
  if (p.isLabels) {
    const actual = targetClasses(who, target, rows, Infinity)
    const all = [values, actual].map((labels) => largestLabel(who, labels))
    return { predicted: values, actual, classes: Math.max(2, ...all.map((most) => most + 1)) }
  }
  const classes = Math.max(2, columns)
  const actual = targetClasses(who, target, rows, classes)
  const { threshold = 0 } = options
  const predicted = new Int32Array(rows)
  const classOf = (score: number) => (Number.isNaN(score) ? -1 : Number(score > threshold))
  for (let r = 0; r < rows; r++) predicted[r] = columns === 1 ? classOf(values[r]) : largest(values, r * columns, columns)
  return { predicted, actual, classes }
}

/** Scores as rows and columns. */
export interface Scores {
  values: ArrayLike<number>
  rows: number
  columns: number
  /** True if predictions are integers, one per row. */
  isLabels: boolean
}

/** @internal @throws ShapeError for a single number or more than two axes */
export function asScores(who: string, prediction: TensorLike): Scores {
  const t = asTensor(prediction, undefined, `${who}: prediction`)
  if (t.rank !== 1 && t.rank !== 2)
    throw new ShapeError(`${who}: wants scores of shape [rows, classes] or one a row, got shape ${formatShape(t.shape)}`)
  const [rows, columns = 1] = t.shape
  if (rows === 0 || columns === 0) throw new ShapeError(`${who}: there are no predictions, shape ${formatShape(t.shape)}`)
  const isLabels = columns === 1 && (t.dtype === 'int32' || prediction instanceof Uint8Array || areLabels(prediction))
  return { values: t.read(), rows, columns, isLabels }
}

/** @internal true for an array of integers from 0, which scores hardly ever are */
export function areLabels(prediction: unknown): boolean {
  return Array.isArray(prediction) && prediction.every((value) => Number.isInteger(value) && value >= 0)
}

/**
 * @internal targets as classes, from integers, one per row, or from rows of probabilities, where the largest counts
 * @throws ShapeError, RangeError naming the first that is not a class below `classes`
 */
export function targetClasses(who: string, target: TensorLike, rows: number, classes: number): ArrayLike<number> {
  const t: Tensor = asTensor(target, undefined, `${who}: target`)
  const values = t.read()
  if (t.rank === 2 && t.shape[0] === rows && t.shape[1] === classes && classes > 1)
    return Int32Array.from({ length: rows }, (_, r) => largest(values, r * classes, classes))
  if (t.size !== rows || t.shape[0] !== rows)
    throw new ShapeError(
      `${who}: ${rows} predictions want a class each, or probabilities of all classes; got shape ${formatShape(t.shape)}`,
    )
  const wrong = values.findIndex((c) => !(Number.isInteger(c) && c >= 0 && c < classes))
  if (wrong < 0) return values
  const hint = classes === 2 && values[wrong] >= 2 ? '; classes as predictions are whole numbers (an Int32Array)' : ''
  const wanted = classes === Infinity ? 'classes from 0' : `classes from 0 to ${classes - 1}`
  throw rangeError(`${who}: wants ${wanted} as targets, got ${values[wrong]} at row ${wrong}${hint}`)
}

function largestLabel(who: string, labels: ArrayLike<number>): number {
  let most = 0
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] < 0) throw rangeError(`${who}: wants classes from 0, got ${labels[i]} at row ${i}`)
    if (labels[i] > most) most = labels[i]
  }
  return most
}

/** @internal the index of the largest of n values, the first of equal ones; −1 if one is NaN */
export function largest(values: ArrayLike<number>, from: number, n: number): number {
  let best = 0
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(values[from + i])) return -1
    if (values[from + i] > values[from + best]) best = i
  }
  return best
}
