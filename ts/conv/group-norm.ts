/** Group normalization. */
import { noGrad } from '../autograd.js'
import { checkCount } from '../common/checks.js'
import { rangeError, ShapeError } from '../common/errors.js'
import { positive, readOptions, type Schema } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { ShapedLayer } from '../nn/layer.js'
import type { LastAxis } from '../nn/layer-shapes.js'
import { type BuildContext, MODULE, type ModuleOptions } from '../nn/module.js'
import { add, div, mul, sqrt, square, sub } from '../ops/elementwise.js'
import { mean } from '../ops/reduce.js'
import { reshape, slice } from '../ops/shape.js'
import type { Parameter } from '../parameter.js'
import { type Tensor, zeros } from '../tensor.js'

/** Options of {@link GroupNorm}. */
export interface GroupNormOptions extends ModuleOptions {
  /** Added to the variance, so that nothing is divided by zero. Default 1e-5, as in PyTorch. */
  epsilon?: number
}

export const GROUP_NORM = { ...MODULE, epsilon: { is: positive, default: 1e-5 } } satisfies Schema<GroupNormOptions>

type GroupNormShapes<N extends number> = LastAxis<`GroupNorm(${number}, ${N})`, N, N>

/**
 * Normalizes each group of neighboring channels of each image to mean 0 and variance 1, over pixels and channels, then scales and shifts each channel by
 * trained numbers: y = (x − mean) / √(variance + ε) · weight + bias, with x [rows, ..., channels], weight [channels] (ones at first) and bias
 * [channels] (zeros at first). Unlike `BatchNorm` it does not depend on the other rows of a batch, so it suits small batches; training mode and
 * evaluation mode give the same result (Wu & He 2018). One group is a layer normalization over the whole image, as many groups as channels an instance
 * normalization. A group whose squares exceed single precision, with values around 1e19, becomes NaN.
 *
 * @example new GroupNorm(4, 16).predict(zeros([2, 8, 8, 16])).shape // [2, 8, 8, 16]
 * @throws RangeError for numbers that are not whole, groups that do not divide the channels, or an epsilon that is not positive; forward() throws
 *   ShapeError naming the layer
 */
export class GroupNorm<const N extends number = number> extends ShapedLayer<GroupNormShapes<N>> {
  declare weight: Parameter
  declare bias: Parameter
  readonly epsilon: number

  constructor(
    /** Number of groups. */
    readonly groups: number,
    readonly channels: N,
    options: GroupNormOptions = {},
  ) {
    super(options)
    checkCount('GroupNorm: groups', groups)
    checkCount('GroupNorm: channels', channels)
    if (channels % groups !== 0) throw rangeError(`GroupNorm: groups wants a divisor of ${channels} channels, got ${groups}`)
    this.epsilon = readOptions('GroupNorm', options, GROUP_NORM).epsilon
  }

  protected override createParameters(context: BuildContext): void {
    this.weight = this.makeParameter(context, 'weight', [this.channels])
    this.weight.view().fill(1)
    this.bias = this.makeParameter(context, 'bias', [this.channels])
  }

  override describe(): string {
    return `GroupNorm(${this.groups}, ${this.channels})`
  }

  protected compute(input: Tensor): Tensor {
    const { weight, bias, groups, channels, epsilon } = this.build()
    const x = this.withFeatures(input, channels, weight.backend)
    if (x.rank < 2)
      throw new ShapeError(
        `${this.label(this.describe())}: wants inputs of shape [rows, ..., ${channels}], got shape ${formatShape(x.shape)}`,
      )
    const [rows, width] = [x.shape[0], channels / groups]
    const pixels = x.size === 0 ? 0 : x.size / (rows * channels)
    const flat = reshape(x, [rows, pixels, channels]) as Tensor
    const spread = (t: Tensor) =>
      reshape(add(reshape(t, [rows, groups, 1]), zeros([1, 1, width], { backend: x.backend })), [rows, 1, channels]) as Tensor
    // of each channel, then of each group, and back to its channels
    const ofGroups = (t: Tensor) => spread(mean(reshape(mean(t, 1), [rows, groups, width]), 2) as Tensor)
    // distances from the first value of each group: equal values have their mean without a rounding error, which would be normalized
    const first = () => spread(slice(reshape(slice(flat, 0, 1, 1), [rows, groups, width]), 0, 1, 2) as Tensor)
    const moved = x.size === 0 ? flat : (sub(flat, noGrad(first)) as Tensor)
    const centered = sub(moved, ofGroups(moved)) as Tensor
    const variance = ofGroups(square(centered) as Tensor)
    // a variance beyond single precision would make zeros: 0 · Infinity is NaN
    const scale = div(weight, sqrt(add(variance, add(mul(variance, 0), epsilon)))) as Tensor
    return reshape(add(mul(centered, scale), bias), x.shape) as Tensor
  }
}
