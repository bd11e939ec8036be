/** Data sets as users give them. */
import { anything, type Schema } from '../common/options.js'
import type { Shape } from '../common/shape.js'
import type { TensorLike } from '../tensor.js'

/** Inputs, targets, and (optionally) weights of rows. */
export interface TrainingData {
  /** One row per sample: [n, …]. Nested arrays, a tensor, or a typed array of n numbers. */
  inputs: TensorLike
  /** Shape of the inputs, if they are one flat array: [n, …]. Default: the inputs' own. */
  shape?: Shape
  /** One entry or row per sample: class indices [n], probabilities, or numbers [n, …]. */
  targets: TensorLike
  /** One factor per sample on its loss. Default: all ones. */
  weights?: TensorLike | undefined
}

/** @internal the options of data */
export const DATA = {
  inputs: { is: anything },
  shape: { is: anything },
  targets: { is: anything },
  weights: { is: anything },
} satisfies Schema<TrainingData>
