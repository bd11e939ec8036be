/** Cross-entropy with weights for classes of different frequency or cost. */
import type { Operations } from '../autograd.js'
import { rangeError, ShapeError, typeError } from '../common/errors.js'
import { sameShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { floatArray, Tensor, type TensorLike } from '../tensor.js'
import { type CrossEntropyOptions, checkSmoothing, classTargets, type crossEntropy, probabilitiesKernel } from './classification.js'
import { computeLoss } from './loss.js'

/** The loss that {@link weightedCrossEntropy} returns: it is called like {@link crossEntropy}. */
export type WeightedCrossEntropy = typeof crossEntropy

/**
 * A cross-entropy in which each class has a factor w, −Σ w·t·log softmax(p), as PyTorch's `CrossEntropyLoss(weight)`: with class indices the mean
 * divides by the sum of the factors of the rows' classes, with probabilities by the number of rows. In `fit`, `classWeights` of `gradus/data` is
 * faster: weighted rows run from a recording. This loss does not, because it reads labels.
 *
 * @param classWeights a factor from 0 for each class
 * @example
 * const loss = weightedCrossEntropy([1, 3])
 * loss(tensor([[2, 0], [2, 0]]), [0, 1]).item() // 1.626928
 * @throws RangeError for factors below 0 or not finite; the loss: ShapeError unless shapes agree, RangeError naming a label that is not a class
 */
export function weightedCrossEntropy(classWeights: ArrayLike<number>): WeightedCrossEntropy {
  const w = checkFactors(classWeights)
  const name = 'weightedCrossEntropy'
  const loss = (prediction: Tensor, target: TensorLike, options: CrossEntropyOptions = {}): Tensor<[]> => {
    const smoothing = checkSmoothing(name, options)
    const given = classTargets(name, prediction, target)
    const [rows, cols] = prediction.shape
    if (w.length !== cols) throw new ShapeError(`${name}: has factors for ${w.length} classes, the prediction has ${cols}`)
    const isLabels = !sameShape(given.shape, prediction.shape)
    const t = weightedTargets(given, w, smoothing, rows, isLabels)
    const total = isLabels ? Array.from(given.read(), (label) => w[label]).reduce((a, b) => a + b, 0) : rows
    const derivative = ({ mul, sub, sum, softmax }: Operations) => sub(mul(softmax(prediction), sum(t, -1, true)), t)
    // if all rows have weight 0, the loss is 0 and not 0 / 0
    const common = { name, kernelOf: probabilitiesKernel, prediction, rows, cols, count: total || 1, option: 0, options }
    return computeLoss({ ...common, target: t, derivative })
  }
  return loss as WeightedCrossEntropy
}

/** w·((1 − s)·t + s / classes), of labels or probabilities t. */
function weightedTargets(given: Tensor, w: Float64Array, smoothing: number, rows: number, isLabels: boolean): Tensor {
  const cols = w.length
  const out = floatArray(given.backend, rows * cols)
  const values = given.read()
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      const t = isLabels ? Number(values[r] === c) : values[r * cols + c]
      out[r * cols + c] = w[c] * ((1 - smoothing) * t + smoothing / cols)
    }
  }
  return Tensor.onHost(given.backend, [rows, cols], out, given.requiresGrad)
}

function checkFactors(factors: ArrayLike<number>): Float64Array {
  if (!(Number.isInteger(factors?.length) && typeof factors !== 'string'))
    throw typeError(`weightedCrossEntropy: wants a factor for each class in an array, got ${show(factors)}`)
  const wrong = Array.from(factors).findIndex((w) => !(w >= 0 && w < Infinity))
  if (wrong >= 0) throw rangeError(`weightedCrossEntropy: wants finite factors from 0, got ${factors[wrong]} for class ${wrong}`)
  return Float64Array.from(factors)
}
