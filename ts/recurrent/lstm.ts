/** Long short-term memory. */

import type { Parameter } from '../parameter.js'
import { RecurrentLayer, type RecurrentShapes, settingsOf } from './layer.js'
import { type LastOfOneDirection, RECURRENT, type RecurrentOptions } from './options.js'

type LSTMShapes<I extends number, U extends number, O> = RecurrentShapes<`LSTM(${I}, ${U})`, I, U, O>

/**
 * Long short-term memory over sequences x [rows, steps, inputs]: {@link lstm} with trained weights (Hochreiter & Schmidhuber 1997). Returns h after the
 * last step, [rows, units], or h of each step, [rows, steps, units], with `returnSequences`. The bias of the forget gate is 1 at first.
 *
 * A GRU has three quarters of the weights and often learns in fewer steps; an LSTM counts and remembers over longer stretches.
 *
 * @example
 * const model = new Sequential([new LSTM(8, 32, { bidirectional: true }), new Dense(64, 3)])
 * model.predict(zeros([5, 20, 8])).shape // [5, 3]
 * @throws RangeError for sizes that are not whole numbers, or options that do not fit; forward() throws ShapeError naming the layer
 */
export class LSTM<
  const I extends number = number,
  const U extends number = number,
  const O extends RecurrentOptions = LastOfOneDirection,
> extends RecurrentLayer<RecurrentOptions, I, U, LSTMShapes<I, U, O>> {
  static override get name() {
    return 'LSTM'
  }

  /** W [inputs, 4 · units], of the gates i, f, g, o side by side. */
  declare weight: Parameter
  /** U [units, 4 · units]. */
  declare recurrentWeight: Parameter
  /** b [4 · units]; null with `bias: false`. */
  declare bias: Parameter | null

  constructor(
    /** Numbers of each step of x. */
    inputs: I,
    /** Numbers of the state and of each output. */
    units: U,
    options: O = {} as O,
  ) {
    super(settingsOf<RecurrentOptions>('LSTM', 'lstm', [inputs, units], options, RECURRENT), options)
  }
}
