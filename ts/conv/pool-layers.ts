/** Pooling as layers. */
import { checkOptions, checkValue, readOptions, type Schema } from '../common/options.js'
import { ShapedLayer } from '../nn/layer.js'
import { MODULE, type ModuleOptions } from '../nn/module.js'
import type { Tensor } from '../tensor.js'
import { adaptiveAvgPoolBy, adaptiveMaxPoolBy, avgPoolBy, globalAvgPoolBy, maxPoolBy, POOL, type PoolOptions } from './pool.js'
import type { GlobalShapes, PoolShapes } from './shapes.js'
import { type Pair, pair } from './window.js'

/** Options of {@link MaxPool} and {@link AvgPool}. */
export interface PoolLayerOptions extends PoolOptions, ModuleOptions {}

export const POOL_LAYER = { ...MODULE, ...POOL } satisfies Schema<PoolLayerOptions>

/** What the layers of this file with a size have in common. */
abstract class SizedPool<Name extends string> extends ShapedLayer<PoolShapes<Name>> {
  /** @internal */
  static override readonly isBase = true
  readonly #who: string

  /** @internal `who` is the name of the class, which minifiers change */
  constructor(
    who: Name,
    /** Size of a window, or of the result: a number, or [height, width]. */
    readonly size: Pair,
    options: ModuleOptions,
  ) {
    super(options)
    this.#who = who
    checkValue(`${who}: size`, size, pair)
  }

  override describe(): string {
    return `${this.#who}(${[this.size].flat().join(' × ')})`
  }
}

/** What {@link MaxPool} and {@link AvgPool} have in common. */
export abstract class PoolLayer<Name extends string = string> extends SizedPool<Name> {
  /** @internal */
  static override readonly isBase = true
  /** The options, with defaults. */
  readonly settings: PoolOptions
  readonly #pool: typeof maxPoolBy

  /** @internal */
  constructor(who: Name, pool: typeof maxPoolBy, size: Pair, options: PoolLayerOptions) {
    super(who, size, options)
    const { stride = size, padding, dilation } = readOptions(who, options, POOL_LAYER)
    this.settings = Object.freeze({ stride, padding, dilation })
    this.#pool = pool
  }

  protected compute(x: Tensor): Tensor {
    return this.#pool(x, this.size, this.settings, this.label(this.describe()))
  }
}

/**
 * The largest value of each window and channel, see {@link maxPool}: of images [rows, height, width, channels] or signals [rows, length, channels].
 *
 * @example new MaxPool(2).predict(zeros([5, 26, 26, 8])).shape // [5, 13, 13, 8]
 * @throws RangeError for a size that is not a whole number; forward() throws ShapeError naming the layer
 */
export class MaxPool extends PoolLayer<'MaxPool'> {
  /** @param size of a window: a number, or [height, width] */
  constructor(size: Pair, options: PoolLayerOptions = {}) {
    super('MaxPool', maxPoolBy, size, options)
  }
}

/**
 * The mean of each window and channel, see {@link avgPool}: of images [rows, height, width, channels] or signals [rows, length, channels].
 *
 * @example new AvgPool(2).predict(zeros([5, 26, 26, 8])).shape // [5, 13, 13, 8]
 * @throws as {@link MaxPool}
 */
export class AvgPool extends PoolLayer<'AvgPool'> {
  /** @param size of a window: a number, or [height, width] */
  constructor(size: Pair, options: PoolLayerOptions = {}) {
    super('AvgPool', avgPoolBy, size, options)
  }
}

/** What {@link AdaptiveMaxPool} and {@link AdaptiveAvgPool} have in common. */
abstract class AdaptivePool<Name extends string> extends SizedPool<Name> {
  /** @internal */
  static override readonly isBase = true
  readonly #pool: typeof adaptiveMaxPoolBy

  /** @internal */
  constructor(who: Name, pool: typeof adaptiveMaxPoolBy, size: Pair, options: ModuleOptions) {
    super(who, size, checkOptions(who, options, MODULE))
    this.#pool = pool
  }

  protected compute(x: Tensor): Tensor {
    return this.#pool(x, this.size, this.label(this.describe()))
  }
}

/**
 * The largest value of each part and channel of images or signals of any size, see {@link adaptiveMaxPool}: `nn.AdaptiveMaxPool2d` and `1d` of PyTorch.
 *
 * @example new AdaptiveMaxPool([2, 3]).predict(zeros([5, 7, 9, 8])).shape // [5, 2, 3, 8]
 * @throws TypeError for a size that is not a whole number ≥ 1; forward() throws ShapeError naming the layer
 */
export class AdaptiveMaxPool extends AdaptivePool<'AdaptiveMaxPool'> {
  /** @param size of the result: a number, or [height, width] */
  constructor(size: Pair, options: ModuleOptions = {}) {
    super('AdaptiveMaxPool', adaptiveMaxPoolBy, size, options)
  }
}

/**
 * The mean of each part and channel of images or signals of any size, see {@link adaptiveAvgPool}: `nn.AdaptiveAvgPool2d` and `1d` of PyTorch. A net with
 * this in front of Flatten takes images of any size.
 *
 * @example new AdaptiveAvgPool(4).predict(zeros([5, 7, 9, 8])).shape // [5, 4, 4, 8]
 * @throws as {@link AdaptiveMaxPool}
 */
export class AdaptiveAvgPool extends AdaptivePool<'AdaptiveAvgPool'> {
  /** @param size of the result: a number, or [height, width] */
  constructor(size: Pair, options: ModuleOptions = {}) {
    super('AdaptiveAvgPool', adaptiveAvgPoolBy, size, options)
  }
}

/**
 * The mean of each channel over whole images or signals: [rows, …, channels] becomes [rows, channels] (Lin et al. 2013).
 *
 * @example new GlobalAvgPool().predict(zeros([5, 7, 7, 64])).shape // [5, 64]
 * @throws ShapeError naming the layer for inputs of another rank, in forward()
 */
export class GlobalAvgPool extends ShapedLayer<GlobalShapes<'GlobalAvgPool'>> {
  constructor(options: ModuleOptions = {}) {
    super(options)
    checkOptions('GlobalAvgPool', options, MODULE)
  }

  override describe(): string {
    return 'GlobalAvgPool'
  }

  protected compute(x: Tensor): Tensor {
    return globalAvgPoolBy(x, this.label(this.describe()))
  }
}
