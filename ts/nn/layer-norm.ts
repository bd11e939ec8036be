/** Layer normalization. */

import { checkCount } from '../common/checks.js'
import { positive, readOptions, type Schema } from '../common/options.js'
import { add, mul } from '../ops/elementwise.js'
import { normalize } from '../ops/normalize.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'
import { ShapedLayer } from './layer.js'
import type { LastAxis } from './layer-shapes.js'
import { type BuildContext, MODULE, type ModuleOptions } from './module.js'

/** Options of {@link LayerNorm}. */
export interface LayerNormOptions extends ModuleOptions {
  /** Added to the variance, so that nothing is divided by zero. Default 1e-5, as in PyTorch. */
  epsilon?: number
}

export const LAYER_NORM = { ...MODULE, epsilon: { is: positive, default: 1e-5 } } satisfies Schema<LayerNormOptions>

type LayerNormShapes<N extends number> = LastAxis<`LayerNorm(${N})`, N, N>

/**
 * Normalizes each row to mean 0 and variance 1 over its last axis, then scales and shifts each column by trained numbers: y = (x − mean) / √(variance
 * + ε) · weight + bias, with x [..., width], weight [width] (ones at first) and bias [width] (zeros at first). The variance is the mean squared
 * distance from the mean (Ba et al. 2016). Training mode and evaluation mode give the same result.
 *
 * @example
 * const model = new Sequential([new Dense(4, 16), new LayerNorm(16), new Activation('relu'), new Dense(16, 3)])
 * new LayerNorm(2).predict([[1, 3]]) // [[-1, 1]]
 * @throws RangeError for a width that is not a whole number ≥ 1 or an epsilon that is not positive; forward() throws ShapeError naming the layer
 */
export class LayerNorm<const N extends number = number> extends ShapedLayer<LayerNormShapes<N>> {
  declare weight: Parameter
  declare bias: Parameter
  readonly epsilon: number

  constructor(
    readonly width: N,
    options: LayerNormOptions = {},
  ) {
    super(options)
    checkCount('LayerNorm: width', width)
    this.epsilon = readOptions('LayerNorm', options, LAYER_NORM).epsilon
  }

  protected override createParameters(context: BuildContext): void {
    this.weight = this.makeParameter(context, 'weight', [this.width])
    this.weight.view().fill(1)
    this.bias = this.makeParameter(context, 'bias', [this.width])
  }

  override describe(): string {
    return `LayerNorm(${this.width})`
  }

  protected compute(input: Tensor): Tensor {
    const { weight, bias, width, epsilon } = this.build()
    const x = this.withFeatures(input, width, weight.backend)
    return add(mul(normalize(x, epsilon), weight), bias)
  }
}
