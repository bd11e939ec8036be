/** Pooling as layers. */
import { checkValue, readOptions, type Schema } from '../common/options.js'
import type { Shape } from '../common/shape.js'
import { Layer } from '../nn/layer.js'
import type { InputFor, OutputShape } from '../nn/layer-shapes.js'
import { MODULE, type ModuleOptions } from '../nn/module.js'
import type { Tensor } from '../tensor.js'
import { avgPoolBy, globalAvgPoolBy, maxPoolBy, POOL, type PoolOptions } from './pool.js'
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

/**
 * The mean of each channel over whole images or signals: [rows, …, channels] becomes [rows, channels] (Lin et al. 2013).
 *
 * @example new GlobalAvgPool().predict(zeros([5, 7, 7, 64])).shape // [5, 64]
 * @throws ShapeError naming the layer for inputs of another rank, in forward()
 */
export class GlobalAvgPool extends Layer {
  declare readonly shapes?: GlobalShapes<'GlobalAvgPool'>

  override describe(): string {
    return 'GlobalAvgPool'
  }

  forward<S extends Shape>(x: InputFor<GlobalShapes<'GlobalAvgPool'>, S>): Tensor<OutputShape<GlobalShapes<'GlobalAvgPool'>, S>>
  forward(x: Tensor): Tensor {
    return globalAvgPoolBy(x, this.label(this.describe()))
  }
}
