/** The answer of an ensemble whose members share weights. */

import { ShapeError } from '../common/errors.js'
import { readOptions, type Schema } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { softplus } from '../ops/activation.js'
import { neg, sub } from '../ops/elementwise.js'
import { logSumExp, mean } from '../ops/reduce.js'
import { logSoftmax } from '../ops/softmax.js'
import type { Tensor } from '../tensor.js'
import { Layer } from './layer.js'
import { MODULE, type ModuleOptions } from './module.js'

/** The quantity that an ensemble averages. */
export type EnsembleAverage = 'outputs' | 'softmax' | 'sigmoid'

/** @internal */
export const ENSEMBLE_AVERAGES = ['outputs', 'softmax', 'sigmoid'] as const

/** Options of {@link EnsembleMean}. */
export interface EnsembleMeanOptions extends ModuleOptions {
  /**
   * The quantity that is averaged: `outputs`, for numbers; `softmax`, the probabilities of classes, for logits [..., classes]; or `sigmoid`, the
   * probability of yes, for its logit. Default `outputs`.
   */
  average?: EnsembleAverage
}

export const ENSEMBLE_MEAN = { ...MODULE, average: { is: ENSEMBLE_AVERAGES, default: 'outputs' } } satisfies Schema<EnsembleMeanOptions>

/**
 * The last layer of an ensemble of {@link EnsembleDense} layers. In evaluation mode it turns the outputs of the members, [members, rows, columns],
 * into one answer, [rows, columns]: the mean of the outputs, or logits whose softmax or sigmoid is the members' mean probability. In training mode it
 * passes them on unchanged, so that {@link ensembleLoss} trains each member by its own loss: members that are trained by the loss of their mean become
 * alike (TabM: Gorishniy, Kotelnikov & Babenko 2025).
 *
 * @example
 * const layer = new EnsembleMean()
 * layer.predict([[[1], [2]], [[3], [6]]]) // [[2], [4]]
 * @throws RangeError for another average; forward() throws ShapeError unless the input has three axes
 */
export class EnsembleMean extends Layer {
  static override get name() {
    return 'EnsembleMean'
  }

  readonly average: EnsembleAverage

  constructor(options: EnsembleMeanOptions = {}) {
    super(options)
    this.average = readOptions('EnsembleMean', options, ENSEMBLE_MEAN).average
  }

  override describe(): string {
    return `EnsembleMean('${this.average}')`
  }

  forward(x: Tensor): Tensor {
    const { training, average } = this.build()
    if (x.rank !== 3)
      throw new ShapeError(
        `${this.label(this.describe())}: wants inputs of shape [members, rows, columns], got shape ${formatShape(x.shape)}`,
      )
    if (training) return x
    if (average === 'outputs') return mean(x, 0) as Tensor
    return meanLogits(average, (logs) => sub(logSumExp(logs(x), 0), Math.log(x.shape[0])) as Tensor)
  }
}

/**
 * @internal logits of mean probabilities: log Σ wᵢpᵢ for classes, log Σ wᵢpᵢ − log Σ wᵢ(1 − pᵢ) for yes or no
 * @param logMean the logarithm of the weighted mean of the members' probabilities, whose logarithms the given function returns for logits
 */
export function meanLogits(average: 'softmax' | 'sigmoid', logMean: (logs: (logits: Tensor) => Tensor) => Tensor): Tensor {
  if (average === 'softmax') return logMean(logSoftmax as (logits: Tensor) => Tensor)
  // the logarithm of sigmoid(z) is −softplus(−z), and of 1 − sigmoid(z) it is −softplus(z)
  const logOfOne = logMean((z) => neg(softplus(neg(z))) as Tensor)
  const logOfZero = logMean((z) => neg(softplus(z)) as Tensor)
  return sub(logOfOne, logOfZero) as Tensor
}
