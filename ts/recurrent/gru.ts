/** The gated recurrent unit. */

import { noGrad } from '../autograd.js'
import type { Shape } from '../common/shape.js'
import type { BufferTensor } from '../nn/buffer.js'
import { Layer } from '../nn/layer.js'
import type { InputFor, OutputShape } from '../nn/layer-shapes.js'
import type { BuildContext } from '../nn/module.js'
import type { Parameter } from '../parameter.js'
import type { Generator } from '../random.js'
import type { Tensor, TensorLike } from '../tensor.js'
import {
  describeLayer,
  makeMembers,
  outputOf,
  type RecurrentSettings,
  type RecurrentShapes,
  type Running,
  type RunOptions,
  resultOf,
  settingsOf,
} from './layer.js'
import type { RecurrentResult } from './operations.js'
import { GRU_OPTIONS, type GRUOptions, type LastOfOneDirection } from './options.js'

type GRUShapes<I extends number, U extends number, O> = RecurrentShapes<`GRU(${I}, ${U})`, I, U, O>

/**
 * A gated recurrent unit over sequences x [rows, steps, inputs]: {@link gru} with trained weights (Cho et al. 2014). Returns the state after the last
 * step, [rows, units], or h of each step, [rows, steps, units], with `returnSequences`.
 *
 * Use it for sequences in which the order matters and what counts may lie some tens of steps back. For series of one number a dense net on windows is
 * often as good and faster (`gradus/series`).
 *
 * @example
 * const model = new Sequential([new GRU(8, 32, { returnSequences: true }), new GRU(32, 32), new Dense(32, 3)])
 * model.predict(zeros([5, 20, 8])).shape // [5, 3]
 * @throws RangeError for sizes that are not whole numbers, or options that do not fit; forward() throws ShapeError naming the layer
 */
export class GRU<
  const I extends number = number,
  const U extends number = number,
  const O extends GRUOptions = LastOfOneDirection,
> extends Layer {
  static override get name() {
    return 'GRU'
  }

  declare readonly shapes?: GRUShapes<I, U, O>
  /** W [inputs, 3 · units], of the gates r, u, n side by side. */
  declare weight: Parameter
  /** U [units, 3 · units]. */
  declare recurrentWeight: Parameter
  /** b [3 · units]; null with `bias: false`. */
  declare bias: Parameter | null
  /** Bias [units] of h·U for the candidate, zeros at first; null without bias or without `resetAfter`. */
  declare recurrentBias: Parameter | null
  /** The weights of the other direction, with `bidirectional`. */
  declare reverseWeight?: Parameter
  declare reverseRecurrentWeight?: Parameter
  declare reverseBias?: Parameter | null
  declare reverseRecurrentBias?: Parameter | null
  /** The state after the last batch, with `statefulRows`. */
  declare lastState?: BufferTensor
  /** @internal draws what is dropped */
  declare generator?: Generator
  /** Sizes and options, with their defaults. */
  readonly settings: Readonly<RecurrentSettings & GRUOptions>

  constructor(
    /** Numbers of each step of x. */
    readonly inputs: I,
    /** Numbers of the state and of each output. */
    readonly units: U,
    options: O = {} as O,
  ) {
    super(options)
    this.settings = Object.freeze(
      settingsOf<GRUOptions>('GRU', options.resetAfter === false ? 'gruBefore' : 'gruAfter', [inputs, units], options, GRU_OPTIONS),
    )
  }

  protected override createParameters(context: BuildContext): void {
    const makeParameter: Parameters<typeof makeMembers>[2] = (...args) => this.makeParameter(context, ...args)
    Object.assign(
      this,
      makeMembers(this.settings, context, makeParameter, (...args) => this.makeBuffer(context, ...args)),
    )
  }

  override describe(): string {
    return describeLayer('GRU', this.settings)
  }

  forward<S extends Shape>(x: InputFor<GRUShapes<I, U, O>, S>): Tensor<OutputShape<GRUShapes<I, U, O>, S>>
  forward(x: Tensor): Tensor {
    return outputOf(this.running(), x)
  }

  /**
   * The outputs of all steps and the state after them, for sequences of different lengths and for a state of your own. Recorded for backpropagation
   * unless under noGrad().
   *
   * @example
   * const layer = new GRU(3, 4)
   * const first = layer.run(zeros([2, 5, 3]), { lengths: [5, 2] })
   * first.output.shape // [2, 5, 4]
   * const next = layer.run(zeros([2, 5, 3]), { initialState: first.state })
   * @throws ShapeError, RangeError or TypeError naming the layer, for inputs, lengths, a mask or a state that do not fit
   */
  run(x: TensorLike, options: RunOptions = {}): RecurrentResult {
    return resultOf(this.running(), x, options)
  }

  /** Begins again with zeros, with `statefulRows`. */
  resetState(): void {
    this.build()
    noGrad(() => this.lastState?.view().fill(0))
  }

  private running(): Running {
    const layer = this.build()
    return { settings: layer.settings, members: layer, name: this.label(`GRU(${this.inputs}, ${this.units})`), training: layer.training }
  }
}
