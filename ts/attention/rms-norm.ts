/** Root mean square normalization. */

import { checkCount } from '../common/checks.js'
import { positive, readOptions, type Schema } from '../common/options.js'
import { ShapedLayer } from '../nn/layer.js'
import type { LastAxis } from '../nn/layer-shapes.js'
import { type BuildContext, MODULE, type ModuleOptions } from '../nn/module.js'
import { add, div, mul, sqrt, square } from '../ops/elementwise.js'
import { mean } from '../ops/reduce.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'

/** Options of {@link RMSNorm}. */
export interface RMSNormOptions extends ModuleOptions {
  /** Added to the mean square, so that nothing is divided by zero. Default 1e-6. (PyTorch's default is the distance from 1 to the next float.) */
  epsilon?: number
}

export const RMS_NORM = { ...MODULE, epsilon: { is: positive, default: 1e-6 } } satisfies Schema<RMSNormOptions>

type RMSNormShapes<N extends number> = LastAxis<`RMSNorm(${N})`, N, N>

/**
 * Divides each row by the root of its mean square, over its last axis, then scales each column by a trained number: y = x / √(mean(x²) + ε) · weight,
 * with x [..., width] and weight [width], ones at first (Zhang & Sennrich 2019). Unlike `LayerNorm` it subtracts no mean and adds no bias.
 *
 * @example new RMSNorm(2).predict([[3, 4]]) // [[0.848528, 1.131371]]
 * @throws RangeError for a width that is not a whole number ≥ 1 or an epsilon that is not positive; forward() throws ShapeError naming the layer
 */
export class RMSNorm<const N extends number = number> extends ShapedLayer<RMSNormShapes<N>> {
  static override get name() {
    return 'RMSNorm'
  }

  declare weight: Parameter
  readonly epsilon: number

  constructor(
    readonly width: N,
    options: RMSNormOptions = {},
  ) {
    super(options)
    checkCount('RMSNorm: width', width)
    this.epsilon = readOptions('RMSNorm', options, RMS_NORM).epsilon
  }

  protected override createParameters(context: BuildContext): void {
    this.weight = this.makeParameter(context, 'weight', [this.width])
    this.weight.view().fill(1)
  }

  override describe(): string {
    return `RMSNorm(${this.width})`
  }

  protected compute(input: Tensor): Tensor {
    const { weight, width, epsilon } = this.build()
    const x = this.withFeatures(input, width, weight.backend)
    return mul(div(x, sqrt(add(mean(square(x), -1, true), epsilon))), weight) as Tensor
  }
}
