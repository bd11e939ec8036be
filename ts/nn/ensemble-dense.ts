/** A dense layer of an ensemble whose members share weights. */

import type { Activation } from '../backend/kernels.js'
import { checkCount } from '../common/checks.js'
import { ShapeError } from '../common/errors.js'
import { anything, flag, type Read, readOptions, type Schema } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { activate, activationNumber } from '../ops/activation.js'
import { dense } from '../ops/dense.js'
import { add, mul } from '../ops/elementwise.js'
import { matmul } from '../ops/matmul.js'
import { reshape } from '../ops/shape.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'
import { type Initializer, type InitializerName, initializer, initializerFor, initializing, signs } from './initializer.js'
import { ShapedLayer } from './layer.js'
import type { EnsembleAxis } from './layer-shapes.js'
import { type BuildContext, MODULE, type ModuleOptions } from './module.js'

/** Options of {@link EnsembleDense}. */
export interface EnsembleDenseOptions extends ModuleOptions {
  /** The function applied to each output. Default `linear`, the identity. */
  activation?: Activation
  /** Adds a bias, one for each member. Default true. */
  bias?: boolean
  /** True if the members share W and have factors of inputs and outputs of their own; false if each has a W of its own. Default true. */
  shared?: boolean
  /** First weights. Default: as in Dense. */
  weightInitializer?: InitializerName | Initializer
  /** First values of the bias. Default `zeros`. */
  biasInitializer?: InitializerName | Initializer
  /** First factors of the inputs. Default: random signs, ±1, so that members differ; `ones` where an earlier layer makes them differ. */
  inputScaleInitializer?: InitializerName | Initializer
  /** First factors of the outputs. Default `ones`. */
  outputScaleInitializer?: InitializerName | Initializer
}

export const ENSEMBLE_DENSE = {
  ...MODULE,
  activation: { is: anything, default: 'linear' },
  bias: { is: flag, default: true },
  shared: { is: flag, default: true },
  weightInitializer: { is: initializing },
  biasInitializer: { is: initializing, default: 'zeros' },
  inputScaleInitializer: { is: initializing },
  outputScaleInitializer: { is: initializing, default: 'ones' },
} satisfies Schema<EnsembleDenseOptions>

type EnsembleDenseShapes<I extends number, O extends number> = EnsembleAxis<`EnsembleDense(${I}, ${O})`, I, O>

/**
 * A dense layer of k members. Member i computes yᵢ = f(sᵢ ⊙ ((rᵢ ⊙ xᵢ)·W) + bᵢ): W [inputs, outputs] is shared, and the products of all members are
 * one product. r [members, 1, inputs], s and b [members, 1, outputs] are each member's own, so a member more costs a few numbers (BatchEnsemble: Wen,
 * Tran & Ba 2020). With `shared: false` each member has its own W: yᵢ = f(xᵢ·Wᵢ + bᵢ), W [members, inputs, outputs], as the last layer of TabM.
 *
 * x is [members, rows, inputs], or [rows, inputs] for all members alike; y is [members, rows, outputs]. {@link EnsembleMean} turns the outputs of the
 * last layer into one answer, and {@link ensembleLoss} trains each member by its own loss (TabM: Gorishniy, Kotelnikov & Babenko 2025, arXiv
 * 2410.24210). TabM-mini has a {@link Scale} with members in front, ordinary Dense layers, and an EnsembleDense with `shared: false` at the end.
 *
 * When not: members that share weights need more epochs than a single net of the same width, and k times its time for each.
 *
 * @example
 * const model = new Sequential([
 *   new EnsembleDense(4, 16, 8, { activation: 'relu' }),
 *   new EnsembleDense(16, 16, 8, { activation: 'relu', inputScaleInitializer: 'ones' }),
 *   new EnsembleDense(16, 3, 8, { shared: false }),
 *   new EnsembleMean({ average: 'softmax' }),
 * ])
 * model.predict([[5.1, 3.5, 1.4, 0.2]]).shape // [1, 3]
 * @throws RangeError for sizes that are not whole numbers or an unknown activation; forward() throws ShapeError naming the layer
 */
export class EnsembleDense<const I extends number = number, const O extends number = number> extends ShapedLayer<
  EnsembleDenseShapes<I, O>
> {
  static override get name() {
    return 'EnsembleDense'
  }

  /** W [inputs, outputs], or [members, inputs, outputs] with `shared: false`. */
  declare weight: Parameter
  /** b [members, 1, outputs]; null with `bias: false`. */
  declare bias: Parameter | null
  /** r [members, 1, inputs]; null with `shared: false`. */
  declare inputScale: Parameter | null
  /** s [members, 1, outputs]; null with `shared: false`. */
  declare outputScale: Parameter | null
  readonly activation: Activation
  readonly shared: boolean
  readonly #options: Read<EnsembleDenseOptions, typeof ENSEMBLE_DENSE>

  constructor(
    /** Length of the last axis of x. */
    readonly inputs: I,
    /** Length of the last axis of y. */
    readonly outputs: O,
    /** Number of members. */
    readonly members: number,
    options: EnsembleDenseOptions = {},
  ) {
    super(options)
    checkCount('EnsembleDense: inputs', inputs)
    checkCount('EnsembleDense: outputs', outputs)
    checkCount('EnsembleDense: members', members)
    this.#options = readOptions('EnsembleDense', options, ENSEMBLE_DENSE)
    this.activation = this.#options.activation
    this.shared = this.#options.shared
    activationNumber(this.activation, 'EnsembleDense')
  }

  protected override createParameters(context: BuildContext): void {
    const { inputs, outputs, members, shared, activation } = this
    const {
      bias,
      biasInitializer,
      inputScaleInitializer = signs(),
      outputScaleInitializer,
      weightInitializer = initializerFor(activation),
    } = this.#options
    const generator = context.nextGenerator()
    const make = (name: string, shape: number[], how: InitializerName | Initializer) => {
      const parameter = this.makeParameter(context, name, shape)
      initializer(how, inputs, outputs, 'EnsembleDense')(parameter, generator)
      return parameter
    }
    this.weight = make('weight', shared ? [inputs, outputs] : [members, inputs, outputs], weightInitializer)
    this.bias = bias ? make('bias', [members, 1, outputs], biasInitializer) : null
    this.inputScale = shared ? make('inputScale', [members, 1, inputs], inputScaleInitializer) : null
    this.outputScale = shared ? make('outputScale', [members, 1, outputs], outputScaleInitializer) : null
  }

  override describe(): string {
    const { inputs, outputs, members, activation, shared } = this
    const more = [...(activation === 'linear' ? [] : [activation]), ...(shared ? [] : ['own weights'])]
    return `EnsembleDense(${[inputs, outputs, `${members} members`, ...more].join(', ')})`
  }

  protected compute(input: Tensor): Tensor {
    const { weight, bias, inputScale, outputScale, activation, members, inputs } = this.build()
    const name = this.label(this.describe())
    const x = withMembers(this.withFeatures(input, inputs, weight.backend), members, name)
    const product =
      inputScale && outputScale
        ? (mul(dense(mul(x, inputScale) as Tensor, weight, null, 'linear', name), outputScale) as Tensor)
        : (matmul(x, weight) as Tensor)
    const y = bias === null ? product : (add(product, bias) as Tensor)
    return activate(y, activation) as Tensor
  }
}

/** @internal rows with an axis of members: [rows, columns] as [1, rows, columns]. @throws ShapeError for other shapes, or another number of members */
export function withMembers(x: Tensor, members: number, name: string): Tensor {
  if (x.rank === 2) return reshape(x, [1, ...x.shape]) as Tensor
  if (x.rank !== 3 || x.shape[0] !== members)
    throw new ShapeError(
      `${name}: wants inputs of shape [rows, ${x.shape.at(-1)}] or [${members}, rows, ${x.shape.at(-1)}], got shape ${formatShape(x.shape)}`,
    )
  return x
}
