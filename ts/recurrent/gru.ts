/** The gated recurrent unit. */

import type { Parameter } from '../parameter.js'
import { RecurrentLayer, type RecurrentShapes, settingsOf } from './layer.js'
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
> extends RecurrentLayer<GRUOptions, I, U, GRUShapes<I, U, O>> {
  static override get name() {
    return 'GRU'
  }

  /** W [inputs, 3 · units], of the gates r, u, n side by side. */
  declare weight: Parameter
  /** U [units, 3 · units]. */
  declare recurrentWeight: Parameter
  /** b [3 · units]; null with `bias: false`. */
  declare bias: Parameter | null
  /** Bias [units] of h·U for the candidate, zeros at first; null without bias or without `resetAfter`. */
  declare recurrentBias: Parameter | null
  declare reverseRecurrentBias?: Parameter | null

  constructor(
    /** Numbers of each step of x. */
    inputs: I,
    /** Numbers of the state and of each output. */
    units: U,
    options: O = {} as O,
  ) {
    const cell = options?.resetAfter === false ? 'gruBefore' : 'gruAfter'
    super(settingsOf<GRUOptions>('GRU', cell, [inputs, units], options, GRU_OPTIONS), options)
  }
}
