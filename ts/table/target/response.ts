/**
 * The distribution of a numeric target around its prediction: the loss of the nets, the scale of their targets, and the way back from their outputs.
 *
 * | distribution | loss of output η for target t | target t | prediction |
 * | --- | --- | --- | --- |
 * | normal | (η − t)² | (y − mean)/deviation | mean + deviation·η |
 * | laplace | abs(η − t) | (y − mean)/deviation | mean + deviation·η: the median |
 * | poisson | exp(η) − t·η | y/mean | mean·exp(η) |
 * | gamma | η + t·exp(−η) | y/mean | mean·exp(η) |
 * | logNormal | (η − t)² | (log y − mean)/deviation | exp(mean + deviation·η), times a factor for the mean of y |
 *
 * Losses and links of the exponential family: McCullagh & Nelder, *Generalized Linear Models*, 1989, chapters 6 and 8. The factor: Duan 1983.
 */
import { rangeError } from '../../common/errors.js'
import type { Schema } from '../../common/options.js'
import { show } from '../../common/show.js'
import { add, exp, type Loss, mae, mul, neg, poisson, type Tensor } from '../../index.js'
import { scaled } from '../rows/features.js'
import { lossOfElements } from './composed-loss.js'

/** Distribution of a numeric target around its prediction. */
export type Distribution = 'normal' | 'laplace' | 'poisson' | 'gamma' | 'logNormal'

/** Options for numeric targets. */
export interface ResponseSettings {
  /**
   * Distribution of a numeric target around its prediction: `normal` (squared error), `laplace` (absolute error, predicts the median), `poisson` for
   * counts from 0, `gamma` for numbers above 0 whose spread grows with them, `logNormal` for numbers above 0 whose logarithm is learned, or `auto`:
   * the one with the least error on a held-out fold, among those that the targets allow. With `poisson`, `gamma` and `logNormal` no prediction is
   * negative. Default `normal`; with `metric: 'mae'` `laplace`.
   */
  distribution?: Distribution | 'auto'
  /**
   * Width of the intervals of a numeric target: `constant` for all rows, or `row`, as wide as the errors of similar rows, which takes a tenth to a
   * half more time. Where `row` is not better on rows that nets did not learn from, intervals stay constant, and the report says so. Default
   * `constant`.
   */
  intervals?: 'constant' | 'row'
}

export const RESPONSE = {
  distribution: { is: ['normal', 'laplace', 'poisson', 'gamma', 'logNormal', 'auto'] },
  intervals: { is: ['constant', 'row'], default: 'constant' },
} satisfies Schema<ResponseSettings>

/** The way from an output of a net to a number of the target: mean + deviation·output, with `link: 'log'` the exponential of that. */
export interface Scale {
  mean: number
  deviation: number
  /** Default: none. */
  link?: 'log'
}

/** @internal The number of the target that an output stands for. */
export function numberOf({ mean, deviation, link }: Scale, output: number): number {
  const number = mean + deviation * output
  return link === 'log' ? Math.exp(number) : number
}

/** @internal how nets learn a target */
export interface Response {
  distribution: Distribution
  scale: Scale
  targets: Float32Array
  /** Default: the squared error. */
  loss?: Loss
}

/** Negative log-likelihood of a gamma distribution with mean exp(η), without terms of the targets alone and the shape: η + t·exp(−η). */
const gammaLoss = /* @__PURE__ */ lossOfElements(
  'gamma',
  (prediction, target) => add(prediction, mul(target, exp(neg(prediction)))) as Tensor,
)

/** @internal @param numbers the target, less `center`. @throws RangeError for numbers that the distribution does not have */
export function responseOf(distribution: Distribution, numbers: Float32Array, center: number, target: string): Response {
  const wrong = impossible(distribution, numbers, center)
  if (wrong !== undefined)
    throw rangeError(
      `trainTable: distribution ${show(distribution)} wants ${distribution === 'poisson' ? 'counts from 0' : 'numbers above 0'} in column '${target}', got ${wrong}; leave distribution out, or leave out such rows`,
    )
  const { scale, targets } = scaled(numbers) as { scale: Scale; targets: Float32Array }
  if (distribution === 'normal') return { distribution, scale, targets }
  if (distribution === 'laplace') return { distribution, scale, targets, loss: mae as Loss }
  if (distribution === 'logNormal') {
    const ofLog = scaled(numbers.map((y) => Math.log(y + center))) as { scale: Scale; targets: Float32Array }
    return { distribution, scale: { ...ofLog.scale, link: 'log' }, targets: ofLog.targets }
  }
  const mean = scale.mean + center
  return {
    distribution,
    scale: { mean: Math.log(mean), deviation: 1, link: 'log' },
    targets: numbers.map((y) => (y + center) / mean),
    loss: distribution === 'poisson' ? (poisson as Loss) : gammaLoss,
  }
}

/** The first number that a distribution does not have. */
function impossible(distribution: Distribution, numbers: Float32Array, center: number): number | undefined {
  if (distribution === 'normal' || distribution === 'laplace') return undefined
  const wrong = numbers.find((y) => (distribution === 'poisson' ? y + center < 0 : y + center <= 0))
  return wrong === undefined ? undefined : wrong + center
}

/** @internal distributions that `auto` tries: normal, and those with a logarithm where the target allows them and is skewed */
export function eligible(numbers: Float32Array, center: number): Distribution[] {
  const counts = numbers.every((y) => Number.isInteger(y + center))
  const others = counts ? (['poisson', 'gamma', 'logNormal'] as const) : (['gamma', 'logNormal'] as const)
  return ['normal', ...others.filter((one) => impossible(one, numbers, center) === undefined && numbers.some((y) => y + center > 0))]
}

/** @internal the factor of predictions from a logarithm after which they have the mean of the numbers (Duan 1983); 1 where it is not finite */
export function smearing(numbers: ArrayLike<number>, predictions: ArrayLike<number>): number {
  let [sum, predicted] = [0, 0]
  for (let i = 0; i < numbers.length; i++) {
    sum += numbers[i]
    predicted += predictions[i]
  }
  const factor = sum / predicted
  return Number.isFinite(factor) && factor > 0 ? factor : 1
}
