/** Pooling as layers. */
import { checkOptions, checkValue, readOptions, type Schema } from '../common/options.js'
import type { Shape } from '../common/shape.js'
import { Layer } from '../nn/layer.js'
import type { InputFor, OutputShape } from '../nn/layer-shapes.js'
import { MODULE, type ModuleOptions } from '../nn/module.js'
import type { Tensor } from '../tensor.js'
import { adaptiveAvgPoolBy, adaptiveMaxPoolBy, avgPoolBy, globalAvgPoolBy, maxPoolBy, POOL, type PoolOptions } from './pool.js'
import type { GlobalShapes, PoolShapes } from './shapes.js'
import { type Pair, pair } from './window.js'

/** Options of {@link MaxPool} and {@link AvgPool}. */
export interface PoolLayerOptions extends PoolOptions, ModuleOptions {}

export const POOL_LAYER = { ...MODULE, ...POOL } satisfies Schema<PoolLayerOptions>

/** What {@link MaxPool} and {@link AvgPool} have in common. */
export abstract class PoolLayer extends Layer {
  /** @internal */
  static override readonly isBase = true

  /** The options, with defaults. */
  readonly settings: PoolOptions
  readonly #who: string

  /** @internal `who` is the name of the class, which minifiers change */
  constructor(
    who: string,
    /** Size of a window: a number, or [height, width]. */
    readonly size: Pair,
    options: PoolLayerOptions,
  ) {
    super(options)
    this.#who = who
    checkValue(`${who}: size`, size, pair)
    const { stride = size, padding, dilation } = readOptions(who, options, POOL_LAYER)
    this.settings = Object.freeze({ stride, padding, dilation })
  }

  override describe(): string {
    return `${this.#who}(${[this.size].flat().join(' × ')})`
  }
}

/**
 * The largest value of each window and channel, see {@link maxPool}: of images [rows, height, width, channels] or signals [rows, length, channels].
 *
 * @example new MaxPool(2).predict(zeros([5, 26, 26, 8])).shape // [5, 13, 13, 8]
 * @throws RangeError for a size that is not a whole number; forward() throws ShapeError naming the layer
 */
export class MaxPool extends PoolLayer {
  declare readonly shapes?: PoolShapes<'MaxPool'>

  constructor(
    /** Size of a window: a number, or [height, width]. */
    size: Pair,
    options: PoolLayerOptions = {},
  ) {
    super('MaxPool', size, options)
  }

  forward<S extends Shape>(x: InputFor<PoolShapes<'MaxPool'>, S>): Tensor<OutputShape<PoolShapes<'MaxPool'>, S>>
  forward(x: Tensor): Tensor {
    return maxPoolBy(x, this.size, this.settings, this.label(this.describe()))
  }
}

/**
 * The mean of each window and channel, see {@link avgPool}: of images [rows, height, width, channels] or signals [rows, length, channels].
 *
 * @example new AvgPool(2).predict(zeros([5, 26, 26, 8])).shape // [5, 13, 13, 8]
 * @throws as {@link MaxPool}
 */
export class AvgPool extends PoolLayer {
  declare readonly shapes?: PoolShapes<'AvgPool'>

  constructor(
    /** Size of a window: a number, or [height, width]. */
    size: Pair,
    options: PoolLayerOptions = {},
  ) {
    super('AvgPool', size, options)
  }

  forward<S extends Shape>(x: InputFor<PoolShapes<'AvgPool'>, S>): Tensor<OutputShape<PoolShapes<'AvgPool'>, S>>
  forward(x: Tensor): Tensor {
    return avgPoolBy(x, this.size, this.settings, this.label(this.describe()))
  }
}

/** What {@link AdaptiveMaxPool} and {@link AdaptiveAvgPool} have in common. */
abstract class AdaptivePool extends Layer {
  /** @internal */
  static override readonly isBase = true
  readonly #who: string

  /** @internal `who` is the name of the class, which minifiers change */
  constructor(
    who: string,
    /** Size of the result: a number, or [height, width]. */
    readonly size: Pair,
    options: ModuleOptions,
  ) {
    super(options)
    this.#who = who
    checkOptions(who, options, MODULE)
    checkValue(`${who}: size`, size, pair)
  }

  override describe(): string {
    return `${this.#who}(${[this.size].flat().join(' × ')})`
  }
}

/**
 * The largest value of each part and channel of images or signals of any size, see {@link adaptiveMaxPool}: `nn.AdaptiveMaxPool2d` and `1d` of PyTorch.
 *
 * @example new AdaptiveMaxPool([2, 3]).predict(zeros([5, 7, 9, 8])).shape // [5, 2, 3, 8]
 * @throws TypeError for a size that is not a whole number ≥ 1; forward() throws ShapeError naming the layer
 */
export class AdaptiveMaxPool extends AdaptivePool {
  declare readonly shapes?: PoolShapes<'AdaptiveMaxPool'>

  constructor(
    /** Size of the result: a number, or [height, width]. */
    size: Pair,
    options: ModuleOptions = {},
  ) {
    super('AdaptiveMaxPool', size, options)
  }

  forward<S extends Shape>(x: InputFor<PoolShapes<'AdaptiveMaxPool'>, S>): Tensor<OutputShape<PoolShapes<'AdaptiveMaxPool'>, S>>
  forward(x: Tensor): Tensor {
    return adaptiveMaxPoolBy(x, this.size, this.label(this.describe()))
  }
}

/**
 * The mean of each part and channel of images or signals of any size, see {@link adaptiveAvgPool}: `nn.AdaptiveAvgPool2d` and `1d` of PyTorch. A net with
 * this in front of Flatten takes images of any size.
 *
 * @example new AdaptiveAvgPool(4).predict(zeros([5, 7, 9, 8])).shape // [5, 4, 4, 8]
 * @throws as {@link AdaptiveMaxPool}
 */
export class AdaptiveAvgPool extends AdaptivePool {
  declare readonly shapes?: PoolShapes<'AdaptiveAvgPool'>

  constructor(
    /** Size of the result: a number, or [height, width]. */
    size: Pair,
    options: ModuleOptions = {},
  ) {
    super('AdaptiveAvgPool', size, options)
  }

  forward<S extends Shape>(x: InputFor<PoolShapes<'AdaptiveAvgPool'>, S>): Tensor<OutputShape<PoolShapes<'AdaptiveAvgPool'>, S>>
  forward(x: Tensor): Tensor {
    return adaptiveAvgPoolBy(x, this.size, this.label(this.describe()))
  }
}

/**
 * The mean of each channel over whole images or signals: [rows, …, channels] becomes [rows, channels] (Lin et al. 2013).
 *
 * @example new GlobalAvgPool().predict(zeros([5, 7, 7, 64])).shape // [5, 64]
 * @throws ShapeError naming the layer for inputs of another rank, in forward()
 */
export class GlobalAvgPool extends Layer {
  declare readonly shapes?: GlobalShapes<'GlobalAvgPool'>

  constructor(options: ModuleOptions = {}) {
    super(options)
    checkOptions('GlobalAvgPool', options, MODULE)
  }

  override describe(): string {
    return 'GlobalAvgPool'
  }

  forward<S extends Shape>(x: InputFor<GlobalShapes<'GlobalAvgPool'>, S>): Tensor<OutputShape<GlobalShapes<'GlobalAvgPool'>, S>>
  forward(x: Tensor): Tensor {
    return globalAvgPoolBy(x, this.label(this.describe()))
  }
}
