/** Losses for classes: cross-entropy on logits, for one yes-or-no question or for one class out of many. */
import type { Operations } from '../autograd.js'
import { withCrossEntropy } from '../backend/families.js'
import type { Backend } from '../backend/index.js'
import { rangeError, ShapeError } from '../common/errors.js'
import { checkOptions, decay, type Schema } from '../common/options.js'
import { formatShape, type Shape, sameShape } from '../common/shape.js'
import type { Classified, Compared } from '../common/shape-types.js'
import { asIndices } from '../ops/gather.js'
import { asFloats, asTensor, type Operand, type ShapeOf, type Tensor, type TensorLike } from '../tensor.js'
import {
  builtIn,
  COMMON,
  checkPrediction,
  computeLoss,
  elementLoss,
  type LossOptions,
  sameShapeTarget,
  type Target,
  type Traits,
} from './loss.js'

/** Options of the cross-entropies. */
export interface CrossEntropyOptions extends LossOptions {
  /** s in [0, 1): targets move towards the uniform distribution, (1 − s)·t + s / classes (Szegedy et al. 2016). Default 0. */
  labelSmoothing?: number
}

export const SMOOTHED = { ...COMMON, labelSmoothing: { is: decay } } satisfies Schema<CrossEntropyOptions>

/** @internal the smoothing, after a check. @throws RangeError */
export function checkSmoothing(name: string, options: CrossEntropyOptions): number {
  return checkOptions(name, options, SMOOTHED).labelSmoothing ?? 0
}

/**
 * Binary cross-entropy of logits: −t·log σ(p) − (1 − t)·log(1 − σ(p)), mean over all elements, stable for large |p|.
 * The network's last layer is linear; apply `sigmoid` only to read probabilities.
 * @param target probabilities from 0 to 1, of the prediction's shape
 * @example binaryCrossEntropy(tensor([0]), [1]).item() // 0.693147
 * @throws ShapeError unless the shapes agree
 */
export const binaryCrossEntropy = /* @__PURE__ */ builtIn(
  'binaryCrossEntropy',
  <P extends Shape, T extends Operand>(
    prediction: Tensor<P>,
    target: Target<Compared<P, ShapeOf<T>>, P, T>,
    options: CrossEntropyOptions = {},
  ): Tensor<[]> => {
    const option = checkSmoothing('binaryCrossEntropy', options)
    const t = checkProbabilities('binaryCrossEntropy: target', sameShapeTarget('binaryCrossEntropy', prediction, target))
    const derivative = ({ add, mul, sub, sigmoid }: Operations) => sub(sigmoid(prediction), add(mul(1 - option, t), option / 2))
    return elementLoss({
      name: 'binaryCrossEntropy',
      kernel: 'binaryCrossEntropy',
      prediction,
      target: t,
      option,
      options,
      derivative,
    })
  },
  { takes: (targets) => targets.dtype === 'float', checksTargets: true, takesLogits: true },
)

const indicesKernel = (backend: Backend) => withCrossEntropy(backend).crossEntropyIndices
/** @internal */
export const probabilitiesKernel = (backend: Backend) => withCrossEntropy(backend).crossEntropyProbabilities

const CLASSES: Traits = {
  takes: (targets) => targets.dtype === 'int32' || targets.size > targets.shape[0],
  checksTargets: true,
  labels: true,
  takesLogits: true,
}

/**
 * Softmax cross-entropy of logits [n, classes]: −Σ t·log softmax(p), mean over the n rows, stable for large |p|.
 * The network's last layer is linear; apply `softmax` only to read probabilities.
 *
 * @param target class indices [n] (whole numbers from 0), or probabilities [n, classes]
 * @example crossEntropy(tensor([[2, 0, 0]]), [0]).item() // 0.239545
 * @throws ShapeError unless the shapes agree, RangeError naming a label that is not a class
 */
export const crossEntropy = /* @__PURE__ */ builtIn(
  'crossEntropy',
  <P extends Shape, T extends Operand>(
    prediction: Tensor<P>,
    target: Target<Classified<P, ShapeOf<T>>, P, T>,
    options: CrossEntropyOptions = {},
  ): Tensor<[]> => {
    const option = checkSmoothing('crossEntropy', options)
    const given = classTargets('crossEntropy', prediction, target as TensorLike)
    const [rows, cols] = prediction.shape
    const hasLabels = !sameShape(given.shape, prediction.shape)
    const derivative = ({ add, mul, sub, sum, softmax, oneHot }: Operations) => {
      const wanted = add(mul(1 - option, hasLabels ? oneHot(given, cols) : given), option / cols)
      return sub(hasLabels ? softmax(prediction) : mul(softmax(prediction), sum(wanted, -1, true)), wanted)
    }
    // one literal without a spread: in V8 of Node 20 a spread takes as long as the step of a small net
    return computeLoss({
      name: 'crossEntropy',
      kernelOf: hasLabels ? indicesKernel : probabilitiesKernel,
      prediction,
      target: given,
      rows,
      cols,
      count: rows,
      option,
      options,
      derivative,
    })
  },
  CLASSES,
)

/** @internal cross-entropy for other losses, with targets t [n, classes] that may have any sum; a class with target 0 may have a logit of −∞ */
export function crossEntropyOf(name: string, prediction: Tensor, t: Tensor, options: LossOptions): Tensor<[]> {
  const [rows, cols] = prediction.shape
  const derivative = ({ mul, sub, sum, softmax }: Operations) => sub(mul(softmax(prediction), sum(t, -1, true)), t)
  const common = { name, kernelOf: probabilitiesKernel, prediction, rows, cols, count: rows, option: 0, options }
  return computeLoss({ ...common, target: t, derivative })
}

/** @internal checked targets: probabilities as floats, of the prediction's shape, or class indices, one per row. @throws ShapeError, RangeError */
export function classTargets(name: string, prediction: Tensor, target: TensorLike): Tensor {
  checkLogits(name, prediction)
  const [rows, cols] = prediction.shape
  const given = asTensor(target, prediction.backend, `${name}: target`)
  if (sameShape(given.shape, prediction.shape)) return asFloats(given)
  if (given.size !== rows || given.rank > 2)
    throw new ShapeError(
      `${name}: wants ${rows} class indices or probabilities of shape ${formatShape(prediction.shape)}, got shape ${formatShape(given.shape)}`,
    )
  return asIndices(given, cols, `${name}: label`, prediction.backend)
}

function checkLogits(name: string, prediction: Tensor): void {
  const { rank, shape } = checkPrediction(name, prediction)
  if (rank !== 2 || shape[1] === 1)
    throw new ShapeError(
      `${name}: wants logits of shape [rows, classes], got ${formatShape(shape)}; ` +
        (rank === 3
          ? 'for one class per sequence leave out returnSequences, for one per step take nextTokenLoss of gradus/attention'
          : 'binaryCrossEntropy is for one output'),
    )
}

/** @internal @throws RangeError naming the first element that is not from 0 to 1 */
export function checkProbabilities(what: string, t: Tensor): Tensor {
  t.check((numbers) => {
    for (let i = 0; i < numbers.length; i++) {
      const p = numbers[i]
      if (p < 0 || p > 1) throw rangeError(`${what}: wants numbers from 0 to 1, got ${p} at position ${i}`)
    }
  })
  return t
}
