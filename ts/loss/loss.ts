/** Code that all losses share: one kernel writes value and gradient in one pass. */

import { apply, needsGradient, type Operations } from '../autograd.js'
import { withElementLosses } from '../backend/families.js'
import type { Backend } from '../backend/index.js'
import type { Loss as LossKernel, Ptr } from '../backend/kernels.js'
import { plainError, ShapeError, typeError } from '../common/errors.js'
import { anything, type Schema } from '../common/options.js'
import { formatShape, type Shape, sameShape } from '../common/shape.js'
import type { Text, Unless } from '../common/shape-types.js'
import { show } from '../common/show.js'
import { reshape } from '../ops/shape.js'
import { asFloats, type ShapeOf, Tensor, type TensorLike } from '../tensor.js'

/**
 * A loss as `fit` takes it: a single number from predictions and targets, averaged over the batch. Targets [n] arrive as [n, 1] if the prediction is
 * [n, 1].
 */
export type Loss = (prediction: Tensor, target: Tensor, options?: LossOptions) => Tensor

/** Properties of a built-in loss that training uses. @internal */
export interface Traits {
  /** True if these targets reach the kernel unchanged. `fit` converts other targets once; the loss would convert them at each call. */
  takes(targets: Tensor): boolean
  /** True if the loss refuses some numbers as targets. Kernels do not check them, so `fit` checks a data set before the first step. */
  checksTargets?: true
  /** True if targets [n] stay labels even if the prediction is [n, 1]. */
  labels?: boolean
  /** True if predictions are logits, so that a sigmoid in the last layer would be a mistake. */
  takesLogits?: true
}

const known = new WeakMap<object, Traits>()

/** @internal gives a loss its traits, which a bundle then has only together with the loss, and a fixed name, since minifiers rename functions */
export function builtIn<F extends (...args: never[]) => Tensor>(name: string, loss: F, traits: Traits): F {
  known.set(loss, traits)
  return Object.defineProperty(loss, 'name', { value: name })
}

/** @internal the traits of a built-in loss; undefined for a user-defined loss, which may do anything */
export function traitsOf(loss: Loss): Traits | undefined {
  return known.get(loss)
}

/** @internal traits of losses that compare numbers */
export const NUMBERS: Traits = { takes: (targets) => targets.dtype === 'float' }

/** Targets for a prediction of this shape; a sentence if their shapes cannot be compared. */
export type Target<Common, P extends Shape, T> = Unless<Common, T, `prediction has shape ${Text<P>}, target ${Text<ShapeOf<T>>}`>

/** Options that every loss takes. */
export interface LossOptions {
  /** One factor per row (sample); the mean stays over the number of rows. Default: all ones. */
  weights?: TensorLike
  /** `mean` over all elements (rows for cross-entropy), or `sum`. Default `mean`. */
  reduction?: 'mean' | 'sum'
}

/** @internal options that every loss takes */
export const COMMON = { weights: { is: anything }, reduction: { is: ['mean', 'sum'] } } satisfies Schema<LossOptions>

export interface LossCall {
  name: string
  kernelOf: (backend: Backend) => LossKernel
  prediction: Tensor
  target: Tensor
  rows: number
  cols: number
  /** The divisor of `mean`. */
  count: number
  option: number
  /** Options that have been checked. */
  options: LossOptions
  /** ∂ℓ/∂prediction in differentiable operations, before weights and scale. */
  derivative: (operations: Operations) => Tensor
}

/** @internal runs a loss kernel; see {@link LossKernel} */
export function computeLoss(call: LossCall): Tensor {
  const { name, prediction, target, rows, cols, count, option, options } = call
  if (prediction.size === 0) throw new ShapeError(`${name}: the prediction is empty, shape ${formatShape(prediction.shape)}`)
  if (target.requiresGrad) throw plainError(`${name}: the target requires a gradient, which losses do not compute; detach() it`)
  const weights = rowWeights(call)
  const scale = options.reduction === 'sum' ? 1 : 1 / count
  let gradient: Ptr = 0
  const wantsGradient = needsGradient([prediction])
  return apply(
    weights === null ? [prediction, target] : [prediction, target, weights],
    [],
    (out, backend) => {
      const { heap, arena } = backend
      if (wantsGradient) gradient = arena.allocate(prediction.size * heap.elementSize)
      const kernel = call.kernelOf(backend)
      kernel(prediction.address, target.address, weights?.address ?? 0, gradient, out, rows, cols, scale, option)
    },
    () => ({
      operation: name,
      vjp: (g, operations) => [operations.mul(g, operations.mul(scale, weighted(call.derivative(operations), weights, operations)))],
      fused: (g) => {
        const d = Tensor.inArena(prediction.backend, prediction.shape, gradient)
        return [g.constant === 1 ? d : times(d, g)]
      },
    }),
  )
}

/** d·g for a single number g. */
function times(d: Tensor, g: Tensor): Tensor {
  return apply([d, g], d.shape, (y, { kernels }) => kernels.mul(d.address, g.address, y, 1, d.size, 0, 1, 0, 0))
}

function weighted(derivative: Tensor, weights: Tensor | null, { mul, reshape }: Operations): Tensor {
  if (weights === null) return derivative
  return mul(derivative, reshape(weights, [weights.size, ...derivative.shape.slice(1).map(() => 1)]))
}

function rowWeights({ name, prediction, rows, options }: LossCall): Tensor | null {
  if (options.weights === undefined) return null
  const weights = asFloats(options.weights, prediction.backend, `${name}: weights`)
  if (weights.size !== rows)
    throw new ShapeError(`${name}: wants one weight for each of ${rows} rows, got shape ${formatShape(weights.shape)}`)
  if (weights.requiresGrad) throw plainError(`${name}: the weights require a gradient, which losses do not compute; detach() them`)
  return weights
}

interface ElementLossCall extends Pick<LossCall, 'name' | 'prediction' | 'target' | 'option' | 'options' | 'derivative'> {
  kernel: 'squaredError' | 'absoluteError' | 'huber' | 'binaryCrossEntropy'
}

/** @internal a loss that is a mean of independent losses of elements */
export function elementLoss(call: ElementLossCall): Tensor {
  const { name, kernel, prediction, target, option, options, derivative } = call
  const { rows, cols } = rowsAndCols(prediction)
  // one literal without a spread: in V8 of Node 20 a spread takes as long as the step of a small net
  return computeLoss({
    name,
    kernelOf: (backend) => withElementLosses(backend)[kernel],
    prediction,
    target,
    rows,
    cols,
    count: prediction.size,
    option,
    options,
    derivative,
  })
}

/** @internal targets of the prediction's own shape; [n] is also accepted for [n, 1] */
export function sameShapeTarget(name: string, prediction: Tensor, target: unknown): Tensor {
  const t = asColumn(asFloats(target as TensorLike, checkPrediction(name, prediction).backend, `${name}: target`), prediction)
  if (!sameShape(t.shape, prediction.shape)) {
    const areClasses = t.rank === 1 && prediction.rank === 2 && t.size === prediction.shape[0]
    const hint = areClasses ? '; a class for each row is what crossEntropy takes' : ''
    throw new ShapeError(`${name}: prediction has shape ${formatShape(prediction.shape)}, target ${formatShape(t.shape)}${hint}`)
  }
  return t
}

/** @internal @throws TypeError for anything but a tensor, such as predictions as arrays */
export function checkPrediction(name: string, prediction: Tensor): Tensor {
  if (prediction instanceof Tensor) return prediction
  throw typeError(`${name}: wants a Tensor, got ${show(prediction)}`)
}

/** @internal targets [n] as [n, 1] if the prediction is [n, 1], so that arithmetic between them does not broadcast to [n, n] */
export function asColumn(target: Tensor, { shape }: Tensor): Tensor {
  return shape[shape.length - 1] === 1 && sameShape(target.shape, shape.slice(0, -1)) ? reshape(target, shape) : target
}

/** Rows and columns of a prediction; a single row for a vector. */
function rowsAndCols(prediction: Tensor): { rows: number; cols: number } {
  const rows = prediction.rank === 0 ? 1 : prediction.shape[0]
  return { rows, cols: rows === 0 ? 0 : prediction.size / rows }
}
