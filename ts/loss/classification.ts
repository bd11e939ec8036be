/** Losses for classes: cross-entropy on logits, for one yes-or-no question or for one class out of many. */
import { ShapeError } from '../errors.js'
import { sigmoid } from '../ops/activation.js'
import { add, mul, sub } from '../ops/elementwise.js'
import { asIndices } from '../ops/gather.js'
import { sum } from '../ops/reduce.js'
import { softmax } from '../ops/softmax.js'
import { formatShape, type Shape, sameShape } from '../shape.js'
import type { Classified, Compared } from '../shape-types.js'
import { show } from '../show.js'
import { asFloats, asTensor, floatArray, type Operand, type ShapeOf, Tensor, type TensorLike } from '../tensor.js'
import { computeLoss, elementLoss, type LossCall, type LossOptions, sameShapeTarget, type Target } from './loss.js'

/** Options of {@link binaryCrossEntropy}. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** s in [0, 1): targets move towards the uniform distribution, (1 − s)·t + s / classes (Szegedy et al. 2016). Default 0. */
  labelSmoothing?: number
}

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions extends BinaryCrossEntropyOptions {
  /**
   * One factor per class, w: −Σ w·t·log softmax(p). With class indices the mean divides by the sum of the factors of the rows'
   * classes, as PyTorch's `weight` does; with probabilities by the number of rows. Default: all ones.
   */
  classWeights?: ArrayLike<number>
}

function checkSmoothing(name: string, { labelSmoothing = 0 }: BinaryCrossEntropyOptions): number {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    throw new RangeError(`${name}: labelSmoothing must be at least 0 and below 1, got ${labelSmoothing}`)
  return labelSmoothing
}

/**
 * Binary cross-entropy of logits: −t·log σ(p) − (1 − t)·log(1 − σ(p)), mean over all elements, stable for large |p|.
 * The network's last layer is linear; apply `sigmoid` only to read probabilities.
 * @param target probabilities from 0 to 1, of the prediction's shape
 * @example binaryCrossEntropy(tensor([0]), [1]).item() // 0.693147
 * @throws ShapeError unless the shapes agree
 */
export function binaryCrossEntropy<P extends Shape, T extends Operand>(
  prediction: Tensor<P>,
  target: Target<Compared<P, ShapeOf<T>>, P, T>,
  options: BinaryCrossEntropyOptions = {},
): Tensor<[]> {
  const option = checkSmoothing('binaryCrossEntropy', options)
  const t = checkProbabilities('binaryCrossEntropy: target', sameShapeTarget('binaryCrossEntropy', prediction, target))
  const derivative = () => sub(sigmoid(prediction), add(mul(1 - option, t), option / 2))
  return elementLoss({ name: 'binaryCrossEntropy', kernel: 'binaryCrossEntropy', prediction, target: t, option, options, derivative })
}

/**
 * Softmax cross-entropy of logits [n, classes]: −Σ t·log softmax(p), mean over the n rows, stable for large |p|.
 * The network's last layer is linear; apply `softmax` only to read probabilities.
 *
 * @param target class indices [n] (whole numbers from 0), or probabilities [n, classes]
 * @example
 * crossEntropy(tensor([[2, 0, 0]]), [0]).item() // 0.239545
 * crossEntropy(tensor([[2, 0], [2, 0]]), [0, 1], { classWeights: [1, 3] }).item() // 1.626928
 * @throws ShapeError unless the shapes agree, RangeError naming a label that is no class
 */
export function crossEntropy<P extends Shape, T extends Operand>(
  prediction: Tensor<P>,
  target: Target<Classified<P, ShapeOf<T>>, P, T>,
  options: CrossEntropyOptions = {},
): Tensor<[]> {
  const option = checkSmoothing('crossEntropy', options)
  if (prediction.rank !== 2)
    throw new ShapeError(`crossEntropy: wants logits of shape [rows, classes], got ${formatShape(prediction.shape)}`)
  const [rows, cols] = prediction.shape
  const raw = asTensor(target as TensorLike, prediction.backend, 'crossEntropy: target')
  const given = sameShape(raw.shape, prediction.shape) ? asFloats(raw) : raw
  const common = { name: 'crossEntropy', prediction, rows, cols, count: rows, option, options }
  const { classWeights } = options
  if (sameShape(given.shape, prediction.shape)) {
    if (classWeights !== undefined) return classWeighted(common, given, classWeights)
    const smooth = () => add(mul(1 - option, given), option / cols)
    const derivative = () => sub(mul(softmax(prediction), sum(smooth(), -1, true)), smooth())
    return computeLoss({ ...common, kernel: 'crossEntropyProbabilities', target: given, derivative })
  }
  if (given.size !== rows || given.rank > 2) {
    throw new ShapeError(
      `crossEntropy: wants ${rows} class indices or probabilities of shape ${formatShape(prediction.shape)}, got shape ${formatShape(given.shape)}`,
    )
  }
  const labels = asIndices(given, cols, 'crossEntropy: label', prediction.backend)
  if (classWeights !== undefined) return classWeighted(common, labels, classWeights)
  const derivative = () => sub(softmax(prediction), add(mul(1 - option, oneHot(labels, cols)), option / cols))
  return computeLoss({ ...common, kernel: 'crossEntropyIndices', target: labels, derivative })
}

/** Cross-entropy with a factor per class: that of targets which are multiplied by it. @param target labels [n], or probabilities [n, classes] */
function classWeighted(
  call: Pick<LossCall, 'name' | 'prediction' | 'rows' | 'cols' | 'count' | 'option' | 'options'>,
  target: Tensor,
  weights: ArrayLike<number>,
): Tensor {
  const { prediction, rows, cols, option: smoothing } = call
  const w = checkFactors('crossEntropy: classWeights', weights, cols)
  const wanted = floatArray(prediction.backend, rows * cols)
  const given = target.read()
  const isLabels = given.length === rows && target.dtype === 'int32'
  let count = isLabels ? 0 : rows
  for (let r = 0; r < rows; r++) {
    if (isLabels) count += w[given[r]]
    for (let c = 0; c < cols; c++) {
      const t = isLabels ? Number(given[r] === c) : given[r * cols + c]
      wanted[r * cols + c] = w[c] * ((1 - smoothing) * t + smoothing / cols)
    }
  }
  const t = Tensor.onHost(prediction.backend, [rows, cols], wanted, target.requiresGrad)
  const derivative = () => sub(mul(softmax(prediction), sum(t, -1, true)), t)
  // where no row counts, the loss is 0 and not 0 / 0
  return computeLoss({ ...call, kernel: 'crossEntropyProbabilities', target: t, count: count || 1, option: 0, derivative })
}

/** @internal factors, one for each class. @throws ShapeError, RangeError */
export function checkFactors(what: string, factors: ArrayLike<number>, classes: number): ArrayLike<number> {
  if (factors?.length !== classes)
    throw new ShapeError(`${what}: wants one factor for each of ${classes} classes, got ${factors?.length ?? show(factors)}`)
  for (let c = 0; c < classes; c++)
    if (!(factors[c] >= 0 && factors[c] < Infinity))
      throw new RangeError(`${what}: wants finite factors from 0, got ${factors[c]} for class ${c}`)
  return factors
}

/** @internal @throws RangeError naming the first element that is not from 0 to 1 */
export function checkProbabilities(what: string, t: Tensor): Tensor {
  const at = t.read().findIndex((p) => p < 0 || p > 1)
  if (at >= 0) throw new RangeError(`${what}: wants numbers from 0 to 1, got ${t.read()[at]} at position ${at}`)
  return t
}

/**
 * Class indices [n] as rows that are 1 at the class and 0 elsewhere, shape [n, classes].
 *
 * @example oneHot([2, 0], 3) // [[0, 0, 1], [1, 0, 0]]
 * @throws RangeError for a label that is no class
 */
export function oneHot(labels: TensorLike, classes: number): Tensor {
  const given = asTensor(labels, undefined, 'oneHot')
  const indices = asIndices(given, classes, 'oneHot', given.backend).read()
  const out = floatArray(given.backend, indices.length * classes)
  for (let i = 0; i < indices.length; i++) out[i * classes + indices[i]] = 1
  return Tensor.onHost(given.backend, [indices.length, classes], out)
}
