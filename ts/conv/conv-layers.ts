/** Convolutional layers. */
import { ShapedLayer } from '../nn/layer.js'
import type { LayerShapes } from '../nn/layer-shapes.js'
import type { BuildContext } from '../nn/module.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'
import {
  CONV_LAYER,
  CONV_TRANSPOSE_LAYER,
  type ConvLayerOptions,
  type ConvSettings,
  type ConvTransposeLayerOptions,
  convSettings,
  convText,
  drawWeights,
} from './conv-options.js'
import { type ConvOptions, convolve, convolveTransposed } from './convolve.js'
import type { ImageShapes, SignalShapes } from './shapes.js'
import type { Pair } from './window.js'

type Conv2dShapes<I extends number, O extends number> = ImageShapes<`Conv2d(${I}, ${O})`, I, O>
type ConvTranspose2dShapes<I extends number, O extends number> = ImageShapes<`ConvTranspose2d(${I}, ${O})`, I, O>
type Conv1dShapes<I extends number, O extends number> = SignalShapes<`Conv1d(${I}, ${O})`, I, O>

/** The options of {@link convolve}. */
function optionsOf({ stride, padding, dilation, groups, activation }: ConvSettings, bias: Parameter | null): ConvOptions {
  return { bias, stride, padding, dilation, groups, activation }
}

/** What {@link Conv2d}, {@link Conv1d}, {@link ConvTranspose2d} and {@link SeparableConv2d} have in common. */
export abstract class ConvLayer<
  const I extends number = number,
  const O extends number = number,
  Rule extends LayerShapes = LayerShapes,
> extends ShapedLayer<Rule> {
  /** @internal */
  static override readonly isBase = true

  declare weight: Parameter
  /** b [filters], zeros at first; null with `bias: false`. */
  declare bias: Parameter | null
  /** The options, with defaults, and the kernel as [height, width] or [length]. */
  readonly settings: ConvSettings
  readonly #who: string

  /** @internal `who` is the name of the class, which minifiers change */
  constructor(
    who: string,
    axes: 1 | 2,
    /** Channels of the images or signals. */
    readonly inputs: I,
    /** Channels of the result. */
    readonly filters: O,
    kernel: Pair,
    options: ConvLayerOptions,
    schema: Parameters<typeof convSettings>[6] = CONV_LAYER,
  ) {
    super(options)
    this.#who = who
    this.settings = Object.freeze(convSettings(who, axes, inputs, filters, kernel, options, schema))
  }

  /** @internal channels and filters as the last axes of the weights */
  protected lastAxes(): readonly [number, number] {
    return [this.inputs / this.settings.groups, this.filters]
  }

  protected override createParameters(context: BuildContext): void {
    const { inputs, filters, settings } = this
    const generator = context.nextGenerator()
    this.weight = this.makeParameter(context, 'weight', [...settings.kernel, ...this.lastAxes()])
    this.bias = settings.bias ? this.makeParameter(context, 'bias', [filters]) : null
    drawWeights(settings, [inputs, filters], this.weight, this.bias, generator, this.#who)
  }

  override describe(): string {
    return convText(this.#who, this.inputs, this.filters, this.settings)
  }

  protected compute(x: Tensor): Tensor {
    const { weight, bias, settings } = this.build()
    return convolve(x, weight, optionsOf(settings, bias), settings.kernel.length, this.label(this.describe()))
  }
}

/**
 * Convolution of images: y = f(b + x ∗ W), see {@link conv2d}, with x [rows, height, width, inputs], W [kernel height, kernel width, inputs / groups,
 * filters], b [filters] (LeCun et al. 1998).
 *
 * @example
 * const layer = new Conv2d(1, 8, 3, { activation: 'relu' })
 * layer.predict(zeros([2, 28, 28, 1])).shape // [2, 26, 26, 8]
 * new Conv2d(8, 8, 3, { groups: 8, padding: 'same' }).predict(zeros([2, 26, 26, 8])).shape // [2, 26, 26, 8]
 * @throws RangeError for sizes that are not whole numbers, groups that do not divide the channels, or an unknown activation; forward() throws
 *   ShapeError naming the layer
 */
export class Conv2d<const I extends number = number, const O extends number = number> extends ConvLayer<I, O, Conv2dShapes<I, O>> {
  /** W [kernel height, kernel width, inputs / groups, filters]. Made at the first use; its values are drawn by `weightInitializer`. */
  declare weight: Parameter

  constructor(
    /** Channels of the images. */
    inputs: I,
    /** Channels of the result. */
    filters: O,
    /** Taps of the window: a number, or [height, width]. */
    kernel: Pair,
    options: ConvLayerOptions = {},
  ) {
    super('Conv2d', 2, inputs, filters, kernel, options)
  }
}

/**
 * Convolution of signals, such as windows of sensors or sound: y = f(b + x ∗ W), see {@link conv1d}, with x [rows, length, inputs], W [kernel, inputs /
 * groups, filters], b [filters].
 *
 * @example
 * const layer = new Conv1d(3, 16, 5, { stride: 2, padding: 'same' })
 * layer.predict(zeros([4, 100, 3])).shape // [4, 50, 16]
 * @throws as {@link Conv2d}
 */
export class Conv1d<const I extends number = number, const O extends number = number> extends ConvLayer<I, O, Conv1dShapes<I, O>> {
  /** W [kernel, inputs / groups, filters]. Made at the first use; its values are drawn by `weightInitializer`. */
  declare weight: Parameter

  constructor(
    /** Channels of the signals. */
    inputs: I,
    /** Channels of the result. */
    filters: O,
    /** Taps of the window. */
    kernel: number,
    options: ConvLayerOptions = {},
  ) {
    super('Conv1d', 1, inputs, filters, kernel, options)
  }
}

/**
 * Transposed convolution of images, which makes them larger: y = f(b + the gradient of a convolution), see {@link convTranspose2d}, with x [rows, height,
 * width, inputs], W [kernel height, kernel width, filters / groups, inputs], b [filters] (Zeiler et al. 2010).
 *
 * @example
 * const layer = new ConvTranspose2d(8, 4, 2, { stride: 2 })
 * layer.predict(zeros([1, 7, 7, 8])).shape // [1, 14, 14, 4]
 * @throws as {@link Conv2d}
 */
export class ConvTranspose2d<const I extends number = number, const O extends number = number> extends ConvLayer<
  I,
  O,
  ConvTranspose2dShapes<I, O>
> {
  /** W [kernel height, kernel width, filters / groups, inputs]. Made at the first use; its values are drawn by `weightInitializer`. */
  declare weight: Parameter
  declare readonly settings: ConvSettings & Pick<ConvTransposeLayerOptions, 'outputPadding'>

  constructor(
    /** Channels of the images. */
    inputs: I,
    /** Channels of the result. */
    filters: O,
    /** Taps of the window: a number, or [height, width]. */
    kernel: Pair,
    options: ConvTransposeLayerOptions = {},
  ) {
    super('ConvTranspose2d', 2, inputs, filters, kernel, options, CONV_TRANSPOSE_LAYER)
  }

  /** @internal */
  protected override lastAxes(): readonly [number, number] {
    return [this.filters / this.settings.groups, this.inputs]
  }

  protected override compute(x: Tensor): Tensor {
    const { weight, bias, settings } = this.build()
    const options = { ...optionsOf(settings, bias), outputPadding: settings.outputPadding }
    return convolveTransposed(x, weight, options, 2, this.label(this.describe()))
  }
}
