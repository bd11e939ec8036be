/** The dense (fully connected) layer. */

import type { Activation } from '../backend/kernels.js'
import { checkCount } from '../common/checks.js'
import { typeError } from '../common/errors.js'
import { anything, flag, type Read, readOptions, type Schema } from '../common/options.js'
import { activationNumber } from '../ops/activation.js'
import { dense } from '../ops/dense.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'
import { type Initializer, type InitializerName, initializer, initializerFor, initializing } from './initializer.js'
import { ShapedLayer } from './layer.js'
import type { LastAxis } from './layer-shapes.js'
import { type BuildContext, MODULE, type ModuleOptions } from './module.js'

/** Options of {@link Dense}. */
export interface DenseOptions extends ModuleOptions {
  /** The function applied to x·W + b. Default `linear`, the identity. */
  activation?: Activation
  /** Adds a bias. Default true. */
  bias?: boolean
  /** First weights. Default: `heUniform` for the relu family, `lecunUniform` for `linear`, else `glorotUniform`. */
  weightInitializer?: InitializerName | Initializer
  /** First values of the bias. Default `zeros`. */
  biasInitializer?: InitializerName | Initializer
}

export const DENSE = {
  ...MODULE,
  activation: { is: anything, default: 'linear' },
  bias: { is: flag, default: true },
  weightInitializer: { is: initializing },
  biasInitializer: { is: initializing, default: 'zeros' },
} satisfies Schema<DenseOptions>

type DenseShapes<I extends number, O extends number> = LastAxis<`Dense(${I}, ${O})`, I, O>

/**
 * y = f(x·W + b) with x [..., inputs], W [inputs, outputs], b [outputs].
 *
 * @example
 * const layer = new Dense(784, 128, { activation: 'relu' })
 * layer.predict(zeros([1, 784])).shape // [1, 128]
 * @throws RangeError for sizes that are not whole numbers or an unknown activation; forward() throws ShapeError naming the layer
 */
export class Dense<const I extends number = number, const O extends number = number> extends ShapedLayer<DenseShapes<I, O>> {
  /** W [inputs, outputs]. Made at the first use; its values are drawn by `weightInitializer`. */
  declare weight: Parameter
  /** b [outputs], zeros at first; null with `bias: false`. */
  declare bias: Parameter | null
  readonly activation: Activation
  readonly #options: Read<DenseOptions, typeof DENSE>

  constructor(
    /** Length of the last axis of x. */
    readonly inputs: I,
    /** Length of the last axis of y. */
    readonly outputs: O,
    options: DenseOptions = {},
  ) {
    super(options)
    // Keras has Dense(outputs, options)
    if (typeof outputs === 'object') throw typeError('Dense: wants inputs, outputs, options; got options in the place of outputs')
    checkCount('Dense: inputs', inputs)
    checkCount('Dense: outputs', outputs)
    this.#options = readOptions('Dense', options, DENSE)
    this.activation = this.#options.activation
    activationNumber(this.activation, 'Dense')
  }

  protected override createParameters(context: BuildContext): void {
    const { inputs, outputs } = this
    const { bias, biasInitializer, weightInitializer = initializerFor(this.activation) } = this.#options
    const generator = context.nextGenerator()
    this.weight = this.makeParameter(context, 'weight', [inputs, outputs])
    this.bias = bias ? this.makeParameter(context, 'bias', [outputs]) : null
    initializer(weightInitializer, inputs, outputs, 'Dense')(this.weight, generator)
    if (this.bias) initializer(biasInitializer, inputs, outputs, 'Dense')(this.bias, generator)
  }

  override describe(): string {
    return `Dense(${this.inputs}, ${this.outputs}${this.activation === 'linear' ? '' : `, ${this.activation}`})`
  }

  protected compute(x: Tensor): Tensor {
    const { weight, bias, activation } = this.build()
    return dense(x, weight, bias, activation, this.label(`Dense(${this.inputs}, ${this.outputs})`))
  }
}
