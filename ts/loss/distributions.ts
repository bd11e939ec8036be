/** Losses of distributions and directions: Kullback-Leibler, Poisson, quantiles, focal, cosine. */
import { rangeError, ShapeError } from '../common/errors.js'
import { checkValue, fraction, nonNegative, readOptions, type Schema, share } from '../common/options.js'
import { formatShape, sameShape } from '../common/shape.js'
import { sigmoid, softplus } from '../ops/activation.js'
import { add, div, exp, log, maximum, minimum, mul, pow, sqrt, square, sub, where } from '../ops/elementwise.js'
import { gather, oneHot } from '../ops/gather.js'
import { matmul } from '../ops/matmul.js'
import { reshape } from '../ops/shape.js'
import { logSoftmax, softmax } from '../ops/softmax.js'
import { sum } from '../ops/sum.js'
import { eye, type Tensor, type TensorLike } from '../tensor.js'
import { checkProbabilities, classTargets, crossEntropyOf } from './classification.js'
import { named, reduced, withoutGradient } from './composed.js'
import { checkPrediction, type Loss, type LossOptions, sameShapeTarget } from './loss.js'

/** Smaller numbers are raised to this one before their logarithm is taken. */
const LEAST = 1e-37

/**
 * Kullback-Leibler divergence of the targets from the predicted distribution, given as logits [n, classes]: Σ t·(log t − log softmax(p)), mean over
 * rows (PyTorch's `kl_div` with `batchmean`). It has the same gradient as {@link crossEntropy}; its least value is 0.
 *
 * @param target probabilities [n, classes]
 * @example klDivergence(tensor([[0, 0]]), [[0.9, 0.1]]).item() // 0.368064
 * @throws ShapeError unless the shapes agree, RangeError for targets outside 0..1
 */
export const klDivergence = /* @__PURE__ */ named(
  'klDivergence',
  (prediction: Tensor, target: TensorLike, options: LossOptions = {}): Tensor<[]> => {
    const t = withoutGradient('klDivergence', sameShapeTarget('klDivergence', prediction, target))
    if (prediction.rank !== 2)
      throw new ShapeError(`klDivergence: wants logits of shape [rows, classes], got ${formatShape(prediction.shape)}`)
    checkProbabilities('klDivergence: target', t)
    // 0·log 0 is 0
    const negativeEntropy = reduced('klDivergence', sum(mul(t, log(maximum(t, LEAST))), -1), options)
    return add(negativeEntropy, crossEntropyOf('klDivergence', prediction, t, options))
  },
)

/**
 * Negative log-likelihood of counts with a Poisson distribution whose mean is exp(p), without the term that depends on the targets alone: exp(p) −
 * t·p, mean over all elements (PyTorch's `poisson_nll_loss`). The net's last layer is linear; `exp` gives the mean.
 *
 * @param target counts from 0, of the prediction's shape
 * @example poisson(tensor([0, 1]), [2, 3]).item() // 0.359141
 * @throws ShapeError unless the shapes agree, RangeError for targets below 0
 */
export const poisson = /* @__PURE__ */ named('poisson', (prediction: Tensor, target: TensorLike, options: LossOptions = {}): Tensor<[]> => {
  const t = withoutGradient('poisson', sameShapeTarget('poisson', prediction, target))
  t.check((values) => {
    for (let i = 0; i < values.length; i++)
      if (values[i] < 0) throw rangeError(`poisson: target wants counts from 0, got ${values[i]} at position ${i}`)
  })
  return reduced('poisson', sub(exp(prediction), mul(t, prediction)), options)
})

/**
 * A loss whose minimum is the quantile q of the targets rather than their mean (pinball loss): max(q·d, (q − 1)·d) for d = t − p, mean over
 * all elements. Two nets, or two outputs, for 0.05 and 0.95 give an interval.
 *
 * @param q above 0 and below 1
 * @example quantile(0.9)(tensor([10, 10]), tensor([12, 9])).item() // 0.95
 * @throws RangeError for a quantile outside (0, 1); the loss: ShapeError unless the shapes agree
 */
export function quantile(q: number): Loss {
  checkValue('quantile:', q, fraction)
  const loss = (prediction: Tensor, target: TensorLike, options: LossOptions = {}): Tensor<[]> => {
    const t = withoutGradient('quantile', sameShapeTarget('quantile', prediction, target))
    const d = sub(t, prediction)
    return reduced('quantile', maximum(mul(q, d), mul(q - 1, d)), options)
  }
  return named('quantile', loss as Loss)
}

/** Options of {@link focal}. */
export interface FocalOptions {
  /** Exponent γ: the larger, the less correct rows count. At least 0, which makes it cross-entropy. Default 2. */
  gamma?: number
  /** Factor of class 1 if there is one output, from 0 to 1; class 0 has 1 − alpha. Default: none. */
  alpha?: number
}

export const FOCAL = { gamma: { is: nonNegative, default: 2 }, alpha: { is: share } } satisfies Schema<FocalOptions>

/**
 * A cross-entropy in which correct rows count less, (1 − pₜ)^γ·(−log pₜ), for rare classes (Lin et al. 2017). For one output with targets 0 and 1 it
 * is the mean over all elements, as torchvision's `sigmoid_focal_loss`; for logits [n, classes] and labels it is the mean over rows.
 *
 * @example
 * focal({ gamma: 0 })(tensor([[2, 0, 0]]), tensor(Int32Array.of(0))).item() // 0.239545
 * focal()(tensor([0]), tensor([1])).item() // 0.173287
 * @throws RangeError for options out of range; the loss: ShapeError unless the shapes agree, RangeError for a label that is not a class
 */
export function focal(options: FocalOptions = {}): Loss {
  const { gamma, alpha } = readOptions('focal', options, FOCAL)
  const loss = (prediction: Tensor, target: TensorLike, given: LossOptions = {}): Tensor<[]> => {
    const { rank, shape } = checkPrediction('focal', prediction)
    return reduced(
      'focal',
      rank === 2 && shape[1] > 1 ? ofClasses(prediction, target, gamma) : ofOne(prediction, target, gamma, alpha),
      given,
    )
  }
  return named('focal', loss as Loss)
}

/** A sum of t·(1 − p)^γ·(−log p). Only classes with a target are looked at, so that others may be masked by a logit of −∞. */
function ofClasses(prediction: Tensor, target: TensorLike, gamma: number): Tensor {
  const given = withoutGradient('focal', classTargets('focal', prediction, target))
  const [rows, classes] = prediction.shape
  const [p, logs] = [softmax(prediction), logSoftmax(prediction)] as Tensor<[number, number]>[]
  // 1 − p as the sum of the other classes' probabilities, which keeps its digits if p is nearly 1
  if (sameShape(given.shape, prediction.shape)) {
    const others = matmul(p, sub(1, eye(classes, { backend: p.backend })))
    return sum(mul(given, focused(where(given, logOdds(logs, others), 0), gamma)), -1)
  }
  const others = sum(mul(p, sub(1, oneHot(given, classes))), -1)
  return focused(logOdds(reshape(gather(logs, 1, reshape(given, [rows, 1])), [rows]), others), gamma)
}

/** Lower limit of 1 − p: for an answer surer than that the loss is 0 in any precision. */
const FAINT = 1e-18

/** log p − log(1 − p) @param logs log p @param others 1 − p */
function logOdds(logs: Tensor, others: Tensor): Tensor {
  return sub(logs, log(add(others, FAINT)))
}

/** (1 − p)^γ·(−log p) from the log-odds u = log(p / (1 − p)): log p is −softplus(−u), and log(1 − p) is −softplus(u). */
function focused(u: Tensor, gamma: number): Tensor {
  const entropy = softplus(mul(-1, u))
  return gamma === 0 ? entropy : attenuated(entropy, exp(mul(-gamma, softplus(u))))
}

/** From this loss on a row is so wrong that its factor no longer changes, in any precision. */
const FAR = 100

/**
 * Returns entropy·factor. A row that is far off may have an infinite loss; its factor is then a constant, and the factor's slope of 0 times ∞ would
 * be NaN.
 */
function attenuated(entropy: Tensor, factor: Tensor): Tensor {
  return add(mul(factor, minimum(entropy, FAR)), mul(factor.detach(), maximum(sub(entropy, FAR), 0)))
}

function ofOne(prediction: Tensor, target: TensorLike, gamma: number, alpha: number | undefined): Tensor {
  const t = checkProbabilities('focal: target', withoutGradient('focal', sameShapeTarget('focal', prediction, target)))
  const [p, q] = [sigmoid(prediction), sigmoid(mul(-1, prediction))]
  // −log pₜ: softplus(−z) for class 1, softplus(z) for class 0
  const entropy = add(mul(t, softplus(mul(-1, prediction))), mul(sub(1, t), softplus(prediction)))
  const wrong = add(mul(t, q), mul(sub(1, t), p))
  // the power of 0 has no derivative if γ < 1
  const elements = gamma === 0 ? entropy : attenuated(entropy, pow(add(wrong, FAINT), gamma))
  return alpha === undefined ? elements : mul(elements, add(mul(alpha, t), mul(1 - alpha, sub(1, t))))
}

/** Lower limit of a row's length, as in PyTorch. */
const SHORTEST = 1e-8

/**
 * One minus the cosine of the angle between rows: 0 for the same direction, 2 for the opposite one; mean over rows. For embeddings whose length has
 * no meaning.
 *
 * @param target of the prediction's shape, [n, size]
 * @example cosineDistance(tensor([[1, 0], [0, 2]]), [[1, 0], [1, 0]]).item() // 0.5
 * @throws ShapeError unless both have one shape [n, size]
 */
export function cosineDistance(prediction: Tensor, target: TensorLike, options: LossOptions = {}): Tensor<[]> {
  const t = sameShapeTarget('cosineDistance', prediction, target)
  if (prediction.rank !== 2) throw new ShapeError(`cosineDistance: wants rows of shape [rows, size], got ${formatShape(prediction.shape)}`)
  const length = (x: Tensor) => sqrt(maximum(sum(square(x), -1), SHORTEST ** 2))
  const cosine = div(sum(mul(prediction, t), -1), mul(length(prediction), length(t)))
  return reduced('cosineDistance', sub(1, cosine), options)
}
