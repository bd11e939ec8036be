/** Options of the recurrent layers. */

import { countFrom0, decay, finite, flag, type Schema } from '../common/options.js'
import { type Initializer, type InitializerName, initializing } from '../nn/initializer.js'
import { MODULE, type ModuleOptions } from '../nn/module.js'

/** Options of every recurrent layer. */
export interface RecurrentOptions extends ModuleOptions {
  /** Returns h of each step, [rows, steps, units], instead of the last one alone, [rows, units]. Default false. */
  returnSequences?: boolean
  /**
   * Runs a second set of weights from the last step to the first, and returns both results side by side: units of the one direction, then of the
   * other. Default false.
   */
  bidirectional?: boolean
  /** Adds a bias. Default true. */
  bias?: boolean
  /** Share of the inputs that is zeroed while training, the same at every step of a sequence (Gal & Ghahramani 2016). Default 0. */
  dropout?: number
  /** Share of the recurrent weights U that is zeroed while training, the same at every step of a batch (Merity et al. 2017). Default 0. */
  recurrentDropout?: number
  /** Skips each step whose inputs all equal this number: the state stays as it is, and the output is 0. Default: every step counts. */
  maskValue?: number
  /**
   * Number of rows of every batch, if its last state is the first state of the next batch (until `resetState()`); 0 if each batch begins with zeros.
   * Default 0.
   */
  statefulRows?: number
  /** First values of W [inputs, gates · units]. Default `glorotUniform`. */
  weightInitializer?: InitializerName | Initializer
  /** First values of U [units, gates · units]. Default `orthogonal`. */
  recurrentInitializer?: InitializerName | Initializer
  /** First values of b [gates · units]. Default: zeros, and ones for the forget gate of an LSTM (Jozefowicz et al. 2015). */
  biasInitializer?: InitializerName | Initializer
}

/** Options of {@link GRU}. */
export interface GRUOptions extends RecurrentOptions {
  /** Multiplies by the reset gate after the product with U, as PyTorch, cuDNN and Keras do, instead of before (Cho et al. 2014). Default true. */
  resetAfter?: boolean
}

/** @internal options whose defaults change the shape of the output */
export interface LastOfOneDirection {
  returnSequences?: false
  bidirectional?: false
}

export const RECURRENT = {
  ...MODULE,
  returnSequences: { is: flag, default: false, aka: ['return_sequences'] },
  bidirectional: { is: flag, default: false },
  bias: { is: flag, default: true, aka: ['use_bias'] },
  dropout: { is: decay, default: 0 },
  recurrentDropout: { is: decay, default: 0, aka: ['recurrent_dropout', 'weightDropout'] },
  maskValue: { is: finite, aka: ['mask_value', 'padding'] },
  statefulRows: { is: countFrom0, default: 0, aka: ['stateful'] },
  weightInitializer: { is: initializing, default: 'glorotUniform', aka: ['kernelInitializer'] },
  recurrentInitializer: { is: initializing, default: 'orthogonal' },
  biasInitializer: { is: initializing },
} satisfies Schema<RecurrentOptions>

export const GRU_OPTIONS = { ...RECURRENT, resetAfter: { is: flag, default: true, aka: ['reset_after'] } } satisfies Schema<GRUOptions>
