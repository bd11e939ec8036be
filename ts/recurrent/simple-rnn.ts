/** The simple recurrent net. */

import type { Parameter } from '../parameter.js'
import { RecurrentLayer, type RecurrentShapes, settingsOf } from './layer.js'
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
> extends RecurrentLayer<RecurrentOptions, I, U, SimpleRNNShapes<I, U, O>> {
  static override get name() {
    return 'SimpleRNN'
  }

  /** W [inputs, units]. */
  declare weight: Parameter
  /** U [units, units]. */
  declare recurrentWeight: Parameter
  /** b [units]; null with `bias: false`. */
  declare bias: Parameter | null

  constructor(
    /** Numbers of each step of x. */
    inputs: I,
    /** Numbers of the state and of each output. */
    units: U,
    options: O = {} as O,
  ) {
    super(settingsOf<RecurrentOptions>('SimpleRNN', 'simple', [inputs, units], options, RECURRENT), options)
  }
}
