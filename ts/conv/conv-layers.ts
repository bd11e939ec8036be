/** Convolutional layers. */
import type { Shape } from '../common/shape.js'
import { Layer } from '../nn/layer.js'
import type { InputFor, OutputShape } from '../nn/layer-shapes.js'
import type { BuildContext } from '../nn/module.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'
import {
  CONV_TRANSPOSE_LAYER,
  type ConvLayerOptions,
  type ConvSettings,
  type ConvTransposeLayerOptions,
  convSettings,
  convText,
  drawWeights,
} from './conv-options.js'
import { convolve, convolveTransposed } from './convolve.js'
import type { ImageShapes, SignalShapes } from './shapes.js'
import type { Pair } from './window.js'

type Conv2dShapes<I extends number, O extends number> = ImageShapes<`Conv2d(${I}, ${O})`, I, O>
type ConvTranspose2dShapes<I extends number, O extends number> = ImageShapes<`ConvTranspose2d(${I}, ${O})`, I, O>
type Conv1dShapes<I extends number, O extends number> = SignalShapes<`Conv1d(${I}, ${O})`, I, O>

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
export class Conv2d<const I extends number = number, const O extends number = number> extends Layer {
  declare readonly shapes?: Conv2dShapes<I, O>
  /** W [kernel height, kernel width, inputs / groups, filters]. Made at the first use; its values are drawn by `weightInitializer`. */
  declare weight: Parameter
  /** b [filters], zeros at first; null with `bias: false`. */
  declare bias: Parameter | null
  readonly #settings: ConvSettings

  constructor(
    /** Channels of the images. */
    readonly inputs: I,
    /** Channels of the result. */
    readonly filters: O,
    /** Taps of the window: a number, or [height, width]. */
    kernel: Pair,
    options: ConvLayerOptions = {},
  ) {
    super(options)
    this.#settings = convSettings('Conv2d', 2, inputs, filters, kernel, options)
  }

  /** The options, with defaults, and the kernel as [height, width]. */
  get settings(): ConvSettings {
    return this.#settings
  }

  protected override createParameters(context: BuildContext): void {
    const { inputs, filters } = this
    const { kernel, groups, bias } = this.#settings
    const generator = context.nextGenerator()
    this.weight = this.makeParameter(context, 'weight', [...kernel, inputs / groups, filters])
    this.bias = bias ? this.makeParameter(context, 'bias', [filters]) : null
    drawWeights(this.#settings, [inputs, filters], this.weight, this.bias, generator, 'Conv2d')
  }

  override describe(): string {
    return convText('Conv2d', this.inputs, this.filters, this.#settings)
  }

  forward<S extends Shape>(x: InputFor<Conv2dShapes<I, O>, S>): Tensor<OutputShape<Conv2dShapes<I, O>, S>>
  forward(x: Tensor): Tensor {
    const { weight, bias } = this.build()
    const { stride, padding, dilation, groups, activation } = this.#settings
    return convolve(x, weight, { bias, stride, padding, dilation, groups, activation }, 2, this.label(this.describe()))
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
export class Conv1d<const I extends number = number, const O extends number = number> extends Layer {
  declare readonly shapes?: Conv1dShapes<I, O>
  /** W [kernel, inputs / groups, filters]. Made at the first use; its values are drawn by `weightInitializer`. */
  declare weight: Parameter
  /** b [filters], zeros at first; null with `bias: false`. */
  declare bias: Parameter | null
  readonly #settings: ConvSettings

  constructor(
    /** Channels of the signals. */
    readonly inputs: I,
    /** Channels of the result. */
    readonly filters: O,
    /** Taps of the window. */
    kernel: number,
    options: ConvLayerOptions = {},
  ) {
    super(options)
    this.#settings = convSettings('Conv1d', 1, inputs, filters, kernel, options)
  }

  /** The options, with defaults, and the kernel as [length]. */
  get settings(): ConvSettings {
    return this.#settings
  }

  protected override createParameters(context: BuildContext): void {
    const { inputs, filters } = this
    const { kernel, groups, bias } = this.#settings
    const generator = context.nextGenerator()
    this.weight = this.makeParameter(context, 'weight', [...kernel, inputs / groups, filters])
    this.bias = bias ? this.makeParameter(context, 'bias', [filters]) : null
    drawWeights(this.#settings, [inputs, filters], this.weight, this.bias, generator, 'Conv1d')
  }

  override describe(): string {
    return convText('Conv1d', this.inputs, this.filters, this.#settings)
  }

  forward<S extends Shape>(x: InputFor<Conv1dShapes<I, O>, S>): Tensor<OutputShape<Conv1dShapes<I, O>, S>>
  forward(x: Tensor): Tensor {
    const { weight, bias } = this.build()
    const { stride, padding, dilation, groups, activation } = this.#settings
    return convolve(x, weight, { bias, stride, padding, dilation, groups, activation }, 1, this.label(this.describe()))
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
export class ConvTranspose2d<const I extends number = number, const O extends number = number> extends Layer {
  declare readonly shapes?: ConvTranspose2dShapes<I, O>
  /** W [kernel height, kernel width, filters / groups, inputs]. Made at the first use; its values are drawn by `weightInitializer`. */
  declare weight: Parameter
  /** b [filters], zeros at first; null with `bias: false`. */
  declare bias: Parameter | null
  readonly #settings: ConvSettings & Pick<ConvTransposeLayerOptions, 'outputPadding'>

  constructor(
    /** Channels of the images. */
    readonly inputs: I,
    /** Channels of the result. */
    readonly filters: O,
    /** Taps of the window: a number, or [height, width]. */
    kernel: Pair,
    options: ConvTransposeLayerOptions = {},
  ) {
    super(options)
    this.#settings = convSettings('ConvTranspose2d', 2, inputs, filters, kernel, options, CONV_TRANSPOSE_LAYER)
  }

  /** The options, with defaults, and the kernel as [height, width]. */
  get settings(): ConvSettings & Pick<ConvTransposeLayerOptions, 'outputPadding'> {
    return this.#settings
  }

  protected override createParameters(context: BuildContext): void {
    const { inputs, filters } = this
    const { kernel, groups, bias } = this.#settings
    const generator = context.nextGenerator()
    this.weight = this.makeParameter(context, 'weight', [...kernel, filters / groups, inputs])
    this.bias = bias ? this.makeParameter(context, 'bias', [filters]) : null
    drawWeights(this.#settings, [inputs, filters], this.weight, this.bias, generator, 'ConvTranspose2d')
  }

  override describe(): string {
    return convText('ConvTranspose2d', this.inputs, this.filters, this.#settings)
  }

  forward<S extends Shape>(x: InputFor<ConvTranspose2dShapes<I, O>, S>): Tensor<OutputShape<ConvTranspose2dShapes<I, O>, S>>
  forward(x: Tensor): Tensor {
    const { weight, bias } = this.build()
    const { stride, padding, dilation, groups, activation, outputPadding } = this.#settings
    const options = { bias, stride, padding, dilation, groups, activation, outputPadding }
    return convolveTransposed(x, weight, options, 2, this.label(this.describe()))
  }
}
