/** Separable convolution. */

import { initializer, initializerFor } from '../nn/initializer.js'
import type { BuildContext } from '../nn/module.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'
import { ConvLayer } from './conv-layers.js'
import { SEPARABLE_CONV, type SeparableConvOptions } from './conv-options.js'
import { convolve } from './convolve.js'
import type { ImageShapes } from './shapes.js'
import type { Pair } from './window.js'

type SeparableShapes<I extends number, O extends number> = ImageShapes<`SeparableConv2d(${I}, ${O})`, I, O>

/**
 * Convolution of images in two steps: one window for each channel, then a mixture of channels at each pixel. It takes taps + filters multiplications for
 * each channel and pixel instead of taps · filters (Chollet 2017). With x [rows, height, width, inputs]: y = f(b + (x ∗ D) ∗ W), D [kernel height, kernel
 * width, 1, inputs], W [1, 1, inputs, filters], b [filters].
 *
 * @example new SeparableConv2d(8, 16, 3, { padding: 'same', activation: 'relu' }).predict(zeros([2, 14, 14, 8])).shape // [2, 14, 14, 16]
 * @throws as {@link Conv2d}
 */
export class SeparableConv2d<const I extends number = number, const O extends number = number> extends ConvLayer<
  I,
  O,
  SeparableShapes<I, O>
> {
  /** D [kernel height, kernel width, 1, inputs]. Made at the first use; its values are drawn by `weightInitializer`, like those of W. */
  declare depthwiseWeight: Parameter
  /** W [1, 1, inputs, filters]. */
  declare weight: Parameter

  constructor(
    /** Channels of the images. */
    inputs: I,
    /** Channels of the result. */
    filters: O,
    /** Taps of the window: a number, or [height, width]. */
    kernel: Pair,
    options: SeparableConvOptions = {},
  ) {
    super('SeparableConv2d', 2, inputs, filters, kernel, options, SEPARABLE_CONV)
  }

  protected override createParameters(context: BuildContext): void {
    const { inputs, filters } = this
    const { kernel, bias, weightInitializer, biasInitializer, activation } = this.settings
    const generator = context.nextGenerator()
    const taps = kernel[0] * kernel[1]
    this.depthwiseWeight = this.makeParameter(context, 'depthwiseWeight', [...kernel, 1, inputs])
    this.weight = this.makeParameter(context, 'weight', [1, 1, inputs, filters])
    this.bias = bias ? this.makeParameter(context, 'bias', [filters]) : null
    initializer(weightInitializer ?? initializerFor('linear'), taps, taps, 'SeparableConv2d')(this.depthwiseWeight, generator)
    initializer(weightInitializer ?? initializerFor(activation), inputs, filters, 'SeparableConv2d')(this.weight, generator)
    if (this.bias) initializer(biasInitializer, inputs, filters, 'SeparableConv2d')(this.bias, generator)
  }

  protected override compute(input: Tensor): Tensor {
    const { depthwiseWeight, weight, bias, inputs } = this.build()
    const { stride, padding, dilation, activation } = this.settings
    const who = this.label(this.describe())
    const x = this.withFeatures(input, inputs, weight.backend)
    return convolve(
      convolve(x, depthwiseWeight, { stride, padding, dilation, groups: inputs }, 2, who),
      weight,
      { bias, activation },
      2,
      who,
    )
  }
}
