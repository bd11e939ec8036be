/** The simple recurrent net. */

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
import { type LastOfOneDirection, RECURRENT, type RecurrentOptions } from './options.js'

type SimpleRNNShapes<I extends number, U extends number, O> = RecurrentShapes<`SimpleRNN(${I}, ${U})`, I, U, O>

/**
 * The simple recurrent net over sequences x [rows, steps, inputs]: {@link simpleRNN} with trained weights (Elman 1990). Returns h after the last step,
 * [rows, units], or h of each step, [rows, steps, units], with `returnSequences`.
 *
 * It forgets after about ten steps: {@link GRU} and {@link LSTM} have gates against that.
 *
 * @example
 * const model = new Sequential([new SimpleRNN(8, 32), new Dense(32, 3)])
 * model.predict(zeros([5, 20, 8])).shape // [5, 3]
 * @throws RangeError for sizes that are not whole numbers, or options that do not fit; forward() throws ShapeError naming the layer
 */
export class SimpleRNN<
  const I extends number = number,
  const U extends number = number,
  const O extends RecurrentOptions = LastOfOneDirection,
> extends Layer {
  static override get name() {
    return 'SimpleRNN'
  }

  declare readonly shapes?: SimpleRNNShapes<I, U, O>
  /** W [inputs, units]. */
  declare weight: Parameter
  /** U [units, units]. */
  declare recurrentWeight: Parameter
  /** b [units]; null with `bias: false`. */
  declare bias: Parameter | null
  /** The weights of the other direction, with `bidirectional`. */
  declare reverseWeight?: Parameter
  declare reverseRecurrentWeight?: Parameter
  declare reverseBias?: Parameter | null
  /** The state after the last batch, with `statefulRows`. */
  declare lastState?: BufferTensor
  /** @internal draws what is dropped */
  declare generator?: Generator
  /** Sizes and options, with their defaults. */
  readonly settings: Readonly<RecurrentSettings & RecurrentOptions>

  constructor(
    /** Numbers of each step of x. */
    readonly inputs: I,
    /** Numbers of the state and of each output. */
    readonly units: U,
    options: O = {} as O,
  ) {
    super(options)
    this.settings = Object.freeze(settingsOf<RecurrentOptions>('SimpleRNN', 'simple', [inputs, units], options, RECURRENT))
  }

  protected override createParameters(context: BuildContext): void {
    const makeParameter: Parameters<typeof makeMembers>[2] = (...args) => this.makeParameter(context, ...args)
    Object.assign(
      this,
      makeMembers(this.settings, context, makeParameter, (...args) => this.makeBuffer(context, ...args)),
    )
  }

  override describe(): string {
    return describeLayer('SimpleRNN', this.settings)
  }

  forward<S extends Shape>(x: InputFor<SimpleRNNShapes<I, U, O>, S>): Tensor<OutputShape<SimpleRNNShapes<I, U, O>, S>>
  forward(x: Tensor): Tensor {
    return outputOf(this.running(), x)
  }

  /**
   * The outputs of all steps and the state after them, for sequences of different lengths and for a state of your own. Recorded for backpropagation
   * unless under noGrad().
   *
   * @example
   * const layer = new SimpleRNN(3, 4)
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
    return {
      settings: layer.settings,
      members: layer,
      name: this.label(`SimpleRNN(${this.inputs}, ${this.units})`),
      training: layer.training,
    }
  }
}
