/** Layers around other layers, and attention to channels: the parts of residual nets. */
import type { Activation } from '../backend/kernels.js'
import { checkCount } from '../common/checks.js'
import { ShapeError, typeError } from '../common/errors.js'
import { anything, count, readOptions, type Schema } from '../common/options.js'
import { formatShape, type Shape, sameShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { initializer } from '../nn/initializer.js'
import { Layer, ShapedLayer } from '../nn/layer.js'
import type { LastAxis, LayerShapes } from '../nn/layer-shapes.js'
import { type BuildContext, MODULE, Module, type ModuleOptions, outputOf } from '../nn/module.js'
import type { Output } from '../nn/sequential.js'
import { activate, activationNumber } from '../ops/activation.js'
import { dense } from '../ops/dense.js'
import { add, mul } from '../ops/elementwise.js'
import { concat, reshape } from '../ops/shape.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'
import { globalAvgPoolBy } from './pool.js'

/** Layers in an array, frozen. @throws TypeError for anything else */
function layersOf<L extends readonly Module[]>(given: L, what: string): L {
  if (!Array.isArray(given)) throw typeError(`${what} wants layers in an array, [new Conv2d(…), …], got ${show(given)}`)
  given.forEach((layer, i) => {
    if (!(layer instanceof Module)) throw typeError(`${what}: layer ${i} wants a Module, got ${show(layer)}`)
  })
  return Object.freeze([...given]) as unknown as L
}

function through(layers: readonly Module[], x: Tensor): Tensor {
  return layers.reduce((value, layer) => outputOf(layer, value), x)
}

/** Options of {@link Residual}. */
export interface ResidualOptions extends ModuleOptions {
  /** Layers that the input takes on the way around, where the other layers change its shape. Default none: the input itself is added. */
  shortcut?: readonly Module[]
  /** The function applied to the sum. Default `linear`, the identity. */
  activation?: Activation
}

export const RESIDUAL = {
  ...MODULE,
  shortcut: { is: anything },
  activation: { is: anything, default: 'linear' },
} satisfies Schema<ResidualOptions>

/** Shapes of {@link Residual}: those of its layers. */
export interface ResidualShapes<L extends readonly unknown[]> extends LayerShapes {
  readonly Out: this['In'] extends infer S extends Shape ? Output<L, S> : Shape
  readonly Name: 'Residual'
}

/**
 * Layers with a way around them: y = f(layers(x) + x), or f(layers(x) + shortcut(x)). Deep nets learn with them, since the gradient reaches each layer by
 * the way around, too (He et al. 2016).
 *
 * @example
 * const block = new Residual([new Conv2d(8, 8, 3, { padding: 'same', activation: 'relu' }), new Conv2d(8, 8, 3, { padding: 'same' })])
 * block.predict(zeros([2, 14, 14, 8])).shape // [2, 14, 14, 8]
 * const smaller = new Residual([new Conv2d(8, 16, 3, { stride: 2, padding: 1 })], { shortcut: [new Conv2d(8, 16, 1, { stride: 2 })], activation: 'relu' })
 * smaller.predict(zeros([2, 14, 14, 8])).shape // [2, 7, 7, 16]
 * @throws TypeError for anything but modules, RangeError for an unknown activation; forward() throws ShapeError for two results of different shapes
 */
export class Residual<const L extends readonly Module[] = readonly Module[]> extends Layer {
  declare readonly shapes?: ResidualShapes<L>
  readonly layers: L
  /** Empty for none. */
  readonly shortcut: readonly Module[]
  readonly activation: Activation

  constructor(layers: L, options: ResidualOptions = {}) {
    super(options)
    const { shortcut = [], activation } = readOptions('Residual', options, RESIDUAL)
    this.layers = layersOf(layers, 'Residual')
    this.shortcut = layersOf(shortcut, 'Residual: shortcut')
    this.activation = activation
    activationNumber(activation, 'Residual')
  }

  override describe(): string {
    return this.activation === 'linear' ? 'Residual' : `Residual(${this.activation})`
  }

  forward(x: Tensor): Tensor {
    const { layers, shortcut, activation } = this.build()
    const [y, around] = [through(layers, x), through(shortcut, x)]
    if (!sameShape(y.shape, around.shape))
      throw new ShapeError(
        `${this.label(this.describe())}: wants results of one shape, got ${formatShape(y.shape)} of the layers and ${formatShape(around.shape)} of the ` +
          `${shortcut.length > 0 ? 'shortcut' : 'input; a shortcut, such as [new Conv2d(inputs, filters, 1, { stride })], gives it the other shape'}`,
      )
    return activate(add(y, around) as Tensor, activation) as Tensor
  }
}

/** Shapes of {@link Concat}: the sum of columns is not known to the compiler. */
export interface ConcatShapes extends LayerShapes {
  readonly Out: Shape
  readonly Name: 'Concat'
}

/**
 * Branches that all take the same input, with their results side by side along the last axis, the channels (Szegedy et al. 2015). A branch of no layers
 * is the input itself (Huang et al. 2017).
 *
 * @example
 * const layer = new Concat([[new Conv2d(8, 4, 1)], [new Conv2d(8, 4, 3, { padding: 'same' })], []])
 * layer.predict(zeros([2, 14, 14, 8])).shape // [2, 14, 14, 16]
 * @throws TypeError for anything but arrays of modules; forward() throws ShapeError for results that differ in more than their last axis
 */
export class Concat extends Layer {
  declare readonly shapes?: ConcatShapes
  readonly branches: readonly (readonly Module[])[]

  constructor(branches: readonly (readonly Module[])[], options: ModuleOptions = {}) {
    super(options)
    readOptions('Concat', options, MODULE)
    if (!Array.isArray(branches) || branches.length === 0)
      throw typeError(`Concat: wants arrays of layers in an array, [[new Conv2d(…)], [new MaxPool(…)]], got ${show(branches)}`)
    this.branches = Object.freeze(branches.map((branch, i) => layersOf(branch, `Concat: branch ${i}`)))
  }

  override describe(): string {
    return `Concat(${this.branches.length})`
  }

  forward(x: Tensor): Tensor {
    const results = this.build().branches.map((branch) => through(branch, x))
    const [first] = results
    for (const { shape } of results)
      if (first.rank === 0 || !sameShape(shape.slice(0, -1), first.shape.slice(0, -1)))
        throw new ShapeError(
          `${this.label(this.describe())}: wants branches whose results differ in their last axis alone, got ${results.map((y) => formatShape(y.shape)).join(', ')}; ` +
            "padding: 'same' keeps the size of an image",
        )
    return concat(results, -1) as Tensor
  }
}

/** Options of {@link SqueezeExcite}. */
export interface SqueezeExciteOptions extends ModuleOptions {
  /** Units of the layer in between. Default: a quarter of the channels, at least 1. */
  units?: number
}

export const SQUEEZE_EXCITE = { ...MODULE, units: { is: count } } satisfies Schema<SqueezeExciteOptions>

type SqueezeShapes<N extends number> = LastAxis<`SqueezeExcite(${N})`, N, N>

/**
 * Weighs each channel by what all of the image shows: y = x · sigmoid(relu(m·S + s)·E + e), where m [rows, channels] are the means of the channels, S
 * [channels, units], s [units], E [units, channels], e [channels] (Hu, Shen & Sun 2018). For images [rows, height, width, channels] and signals [rows,
 * length, channels].
 *
 * @example new SqueezeExcite(16).predict(zeros([2, 14, 14, 16])).shape // [2, 14, 14, 16]
 * @throws RangeError for numbers that are not whole; forward() throws ShapeError naming the layer
 */
export class SqueezeExcite<const N extends number = number> extends ShapedLayer<SqueezeShapes<N>> {
  /** S [channels, units] and s [units]. */
  declare squeezeWeight: Parameter
  declare squeezeBias: Parameter
  /** E [units, channels] and e [channels]. */
  declare exciteWeight: Parameter
  declare exciteBias: Parameter
  readonly units: number

  constructor(
    readonly channels: N,
    options: SqueezeExciteOptions = {},
  ) {
    super(options)
    checkCount('SqueezeExcite: channels', channels)
    this.units = readOptions('SqueezeExcite', options, SQUEEZE_EXCITE).units ?? Math.max(1, Math.round(channels / 4))
  }

  protected override createParameters(context: BuildContext): void {
    const { channels, units } = this
    const generator = context.nextGenerator()
    this.squeezeWeight = this.makeParameter(context, 'squeezeWeight', [channels, units])
    this.squeezeBias = this.makeParameter(context, 'squeezeBias', [units])
    this.exciteWeight = this.makeParameter(context, 'exciteWeight', [units, channels])
    this.exciteBias = this.makeParameter(context, 'exciteBias', [channels])
    initializer('heUniform', channels, units, 'SqueezeExcite')(this.squeezeWeight, generator)
    initializer('glorotUniform', units, channels, 'SqueezeExcite')(this.exciteWeight, generator)
  }

  override describe(): string {
    return `SqueezeExcite(${this.channels}, ${this.units})`
  }

  protected compute(input: Tensor): Tensor {
    const { squeezeWeight, squeezeBias, exciteWeight, exciteBias, channels } = this.build()
    const who = this.label(this.describe())
    const x = this.withFeatures(input, channels, squeezeWeight.backend)
    const squeezed = dense(globalAvgPoolBy(x, who), squeezeWeight, squeezeBias, 'relu', who)
    const weights = dense(squeezed, exciteWeight, exciteBias, 'sigmoid', who)
    return mul(x, reshape(weights, [x.shape[0], ...x.shape.slice(1, -1).map(() => 1), channels]) as Tensor) as Tensor
  }
}
