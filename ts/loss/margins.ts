/** Losses with margins: hinge, and losses of distances between embeddings (contrastive, triplet). */
import { rangeError, ShapeError } from '../common/errors.js'
import { checkOptions, positive, type Schema } from '../common/options.js'
import { formatShape, sameShape } from '../common/shape.js'
import { add, maximum, mul, sign, sqrt, square, sub } from '../ops/elementwise.js'
import { asIndices, gather, oneHot } from '../ops/gather.js'
import { reshape } from '../ops/shape.js'
import { sum } from '../ops/sum.js'
import { asTensor, type Tensor, type TensorLike } from '../tensor.js'
import { named, reduced, withoutGradient } from './composed.js'
import { COMMON, checkPrediction, type LossOptions, sameShapeTarget } from './loss.js'

/** Options of the losses with a margin. */
export interface MarginOptions extends LossOptions {
  /** The distance from which on the loss is 0. Default 1. */
  margin?: number
}

export const MARGIN = { ...COMMON, margin: { is: positive } } satisfies Schema<MarginOptions>

function marginOf(name: string, options: MarginOptions): number {
  return checkOptions(name, options, MARGIN).margin ?? 1
}

/**
 * Hinge loss, as in support vector machines. For one score per row: max(0, margin − y·p), with targets −1 and 1 (0 counts as −1), mean over all
 * elements. For scores [n, classes] and labels: Σ max(0, margin − p_y + p_c) / classes over all other classes c, mean over rows, as PyTorch's
 * `multi_margin_loss`.
 *
 * @param target −1 or 1 of the prediction's shape, or class indices [n]
 * @example
 * hinge(tensor([0.5, -2]), [1, 1]).item() // 1.75
 * hinge(tensor([[2, 1.5, 0]]), [0]).item() // 0.166667
 * @throws ShapeError unless the shapes agree, RangeError for a target that is neither −1, 0 nor 1, or no class
 */
export const hinge = /* @__PURE__ */ named('hinge', (prediction: Tensor, target: TensorLike, options: MarginOptions = {}): Tensor<[]> => {
  const margin = marginOf('hinge', options)
  const given = asTensor(target, checkPrediction('hinge', prediction).backend, 'hinge: target')
  const [rows, classes] = prediction.shape
  if (prediction.rank === 2 && classes > 1 && given.size === rows) {
    const labels = asIndices(given, classes, 'hinge: label', prediction.backend)
    // picked by index and not by a product with 0, since another class may be masked by a score of −∞
    const own = gather(prediction, 1, reshape(labels, [rows, 1]))
    const others = mul(maximum(add(sub(prediction, own), margin), 0), sub(1, oneHot(labels, classes)))
    return reduced('hinge', mul(sum(others, -1), 1 / classes), options, MARGIN)
  }
  const t = signs(withoutGradient('hinge', sameShapeTarget('hinge', prediction, target)))
  return reduced('hinge', maximum(sub(margin, mul(t, prediction)), 0), options, MARGIN)
})

/** −1 and 1; 0 is −1. */
function signs(target: Tensor): Tensor {
  target.check((values) => {
    const wrong = Array.from(values).findIndex((t) => t !== 1 && t !== -1 && t !== 0)
    if (wrong >= 0) throw rangeError(`hinge: target wants -1 or 1 (or 0 and 1), got ${values[wrong]} at position ${wrong}`)
  })
  return sign(sub(target, 0.5))
}

/** Added to differences before they are squared, as in PyTorch, so that the distance has a gradient at 0. */
const APART = 1e-6

/** The Euclidean distance of rows, [n]. */
function distances(a: Tensor, b: Tensor): Tensor {
  return sqrt(sum(square(add(sub(a, b), APART)), -1))
}

function checkPairs(name: string, ...tensors: Tensor[]): void {
  for (const t of tensors) {
    checkPrediction(name, t)
    if (t.rank !== 2 || !sameShape(t.shape, tensors[0].shape))
      throw new ShapeError(
        `${name}: wants embeddings of one shape [rows, size], got ${tensors.map(({ shape }) => formatShape(shape)).join(', ')}`,
      )
  }
}

/**
 * The loss of pairs of embeddings with Euclidean distance d: ½·d² for similar pairs, ½·max(0, margin − d)² for the others; mean over rows (Hadsell,
 * Chopra & LeCun 2006).
 *
 * @param alike 1 for a similar pair, else 0, [n]
 * @example contrastive(tensor([[0, 0], [0, 0]]), tensor([[3, 4], [0.6, 0]]), [1, 0]).item() // 6.29
 * @throws ShapeError unless both have one shape [n, size], RangeError for a margin that is not above 0
 */
export function contrastive(a: Tensor, b: Tensor, alike: TensorLike, options: MarginOptions = {}): Tensor<[]> {
  const margin = marginOf('contrastive', options)
  checkPairs('contrastive', a, b)
  const d = distances(a, b)
  const y = reshape(withoutGradient('contrastive', sameShapeTarget('contrastive', d, alike)), d.shape)
  const elements = add(mul(y, square(d)), mul(sub(1, y), square(maximum(sub(margin, d), 0))))
  return reduced('contrastive', mul(0.5, elements), options, MARGIN)
}

/**
 * The loss of triplets of embeddings: max(0, d(anchor, positive) − d(anchor, negative) + margin), mean over rows (Schroff et al. 2015; PyTorch's
 * `triplet_margin_loss`).
 *
 * @param anchor embeddings [n, size]; `positive` has similar examples, `negative` has different ones
 * @example triplet(tensor([[0, 0]]), tensor([[0, 1]]), tensor([[1.5, 0]])).item() // 0.5
 * @throws ShapeError unless all have one shape [n, size], RangeError for a margin that is not above 0
 */
export function triplet(anchor: Tensor, positive: Tensor, negative: Tensor, options: MarginOptions = {}): Tensor<[]> {
  const margin = marginOf('triplet', options)
  checkPairs('triplet', anchor, positive, negative)
  const elements = maximum(add(sub(distances(anchor, positive), distances(anchor, negative)), margin), 0)
  return reduced('triplet', elements, options, MARGIN)
}
