/** The dense (fully connected) layer. */

import type { Activation } from '../backend/kernels.js'
import { checkCount } from '../common/checks.js'
import { checkNames } from '../common/names.js'
import type { Shape } from '../common/shape.js'
import type { Text, Through, Unless } from '../common/shape-types.js'
import { activationNumber } from '../ops/activation.js'
import { dense } from '../ops/dense.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'
import { type Initializer, type InitializerName, initializer } from './initializer.js'
import { type BuildContext, Module, type ModuleOptions } from './module.js'

/** Options of {@link Dense}. */
export interface DenseOptions extends ModuleOptions {
  /** Default `linear`. */
  activation?: Activation
  /** Whether to add a bias. Default true. */
  bias?: boolean
  /** Default: `heUniform` for the relu family, `lecunUniform` for none, else `glorotUniform`. */
  weightInitializer?: InitializerName | Initializer
  /** Default `zeros`. */
  biasInitializer?: InitializerName | Initializer
}

const RELU_FAMILY: readonly Activation[] = ['relu', 'leakyRelu', 'gelu', 'silu', 'elu', 'softplus']

/** What the compiler says to an input that the layer cannot take. */
export type WrongColumns<I extends number, O extends number, S extends Shape> = `Dense(${I}, ${O}) wants ${I} columns, got ${Text<S>}`

/**
 * y = f(x·W + b) with x [..., inputs], W [inputs, outputs], b [outputs].
 *
 * @example
 * const layer = new Dense(784, 128, { activation: 'relu' })
 * layer.predict(zeros([1, 784])).shape // [1, 128]
 * @throws RangeError for sizes that are no whole numbers or an unknown activation; forward() throws ShapeError naming the layer
 */
export class Dense<const I extends number = number, const O extends number = number> extends Module {
  /** @internal nothing but kernels depends on the data (train/replay.ts); subclasses are asked for themselves */
  static readonly isReplayable = true

  weight!: Parameter
  bias!: Parameter | null
  readonly activation: Activation

  constructor(
    readonly inputs: I,
    readonly outputs: O,
    private readonly options: DenseOptions = {},
  ) {
    super(options)
    // In this order whatever a compiler makes of the fields above: it is that of parameters().
    this.weight = undefined as unknown as Parameter
    this.bias = null
    checkCount('Dense: inputs', inputs)
    checkCount('Dense: outputs', outputs)
    checkNames('Dense', options, ['activation', 'bias', 'weightInitializer', 'biasInitializer', 'seed', 'backend'])
    this.activation = options.activation ?? 'linear'
    activationNumber(this.activation, 'Dense')
  }

  protected override createParameters(context: BuildContext): void {
    const { inputs, outputs, options } = this
    const generator = context.nextGenerator()
    this.weight = this.makeParameter(context, 'weight', [inputs, outputs])
    initializer(options.weightInitializer ?? this.defaultInitializer(), inputs, outputs, 'Dense')(this.weight, generator)
    if (options.bias === false) return
    this.bias = this.makeParameter(context, 'bias', [outputs])
    initializer(options.biasInitializer ?? 'zeros', inputs, outputs, 'Dense')(this.bias, generator)
  }

  private defaultInitializer(): InitializerName {
    if (RELU_FAMILY.includes(this.activation)) return 'heUniform'
    return this.activation === 'linear' ? 'lecunUniform' : 'glorotUniform'
  }

  forward<S extends Shape>(x: Unless<Through<S, I, O>, Tensor<S>, WrongColumns<I, O, S>>): Tensor<Through<S, I, O>>
  forward(x: Tensor): Tensor {
    if (this.weight === undefined) this.build()
    return dense(x, this.weight, this.bias, this.activation, this.label(`Dense(${this.inputs}, ${this.outputs})`))
  }
}
