/** The recurrent cells as operations on tensors, and the checks that layers share with them. */

import { CELLS, type CellName } from '../backend/recurrent-kernels.js'
import { ShapeError, typeError } from '../common/errors.js'
import { anything, checkOptions, flag, object, type Schema } from '../common/options.js'
import { formatShape, type Shape, sameShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { maskOf, STEPS_TO_TAKE, type StepsToTake } from '../ops/steps.js'
import { asFloats, Tensor, type TensorLike } from '../tensor.js'
import type { Call, Weights } from './call.js'
import { scan } from './scan.js'

/** Options of {@link gru}, {@link lstm} and {@link simpleRNN}. */
export interface RecurrentCall extends StepsToTake {
  /** The first state [rows, units]; of an LSTM [rows, 2 · units], h and then c. Default: zeros. */
  initialState?: TensorLike
  /** Begins at the last step and goes back. Default false. */
  reverse?: boolean
}

/** Options of {@link gru}. */
export interface GruCall extends RecurrentCall {
  /** Multiplies by the reset gate after the product with U, as PyTorch and cuDNN do, instead of before (Cho et al. 2014). Default true. */
  resetAfter?: boolean
}

/** Weights of {@link lstm} and {@link simpleRNN}. */
export interface RecurrentWeights {
  /** W [inputs, gates · units]. */
  weight: Tensor
  /** U [units, gates · units]. */
  recurrentWeight: Tensor
  /** b [gates · units]. Default: none. */
  bias?: Tensor | null
}

/** Weights of {@link gru}. */
export interface GruWeights extends RecurrentWeights {
  /** Bias [units] of h·U for the candidate, inside of the reset; for `resetAfter` alone. Default: none. */
  recurrentBias?: Tensor | null
}

/** The outputs of all steps, and the state after them. */
export interface RecurrentResult {
  /** h of each step [rows, steps, units]; 0 for skipped steps. */
  output: Tensor
  /** The state after the last step that counts [rows, units]; of an LSTM [rows, 2 · units], h and then c. */
  state: Tensor
}

export const RECURRENT_CALL = {
  ...STEPS_TO_TAKE,
  initialState: { is: anything, aka: ['initial_state', 'hx', 'h0'] },
  reverse: { is: flag },
} satisfies Schema<RecurrentCall>
export const GRU_CALL = { ...RECURRENT_CALL, resetAfter: { is: flag } } satisfies Schema<GruCall>

/**
 * A gated recurrent unit over sequences x [rows, steps, inputs] (Cho et al. 2014). With r, u, n for the gates in this order, side by side in the
 * weights:
 *
 * r = σ(x·W_r + b_r + h·U_r), u = σ(x·W_u + b_u + h·U_u), n = tanh(x·W_n + b_n + r ⊙ (h·U_n + c)), h ← n + u ⊙ (h − n), with c for `recurrentBias`;
 * without `resetAfter` n = tanh(x·W_n + b_n + (r ⊙ h)·U_n).
 *
 * @example
 * const weights = { weight: zeros([3, 12]), recurrentWeight: zeros([4, 12]) }
 * const { output, state } = gru(zeros([2, 5, 3]), weights)
 * output.shape // [2, 5, 4]
 * state.shape // [2, 4]
 * @throws ShapeError, RangeError or TypeError naming the argument that does not fit
 */
export function gru(x: TensorLike, weights: GruWeights, options: GruCall = {}): RecurrentResult {
  const { resetAfter = true, ...call } = checkOptions('gru', options, GRU_CALL)
  const cell = resetAfter ? 'gruAfter' : 'gruBefore'
  if (!resetAfter && weights?.recurrentBias)
    throw typeError('gru: recurrentBias belongs to resetAfter; add it to the bias, or leave resetAfter: false out')
  return both(callOf('gru', cell, x, checkWeights('gru', cell, weights), call))
}

/**
 * Long short-term memory over sequences x [rows, steps, inputs] (Hochreiter & Schmidhuber 1997). With i, f, g, o for the gates in this order, side by
 * side in the weights: i, f, o = σ(x·W + b + h·U), g = tanh(x·W + b + h·U), c ← f ⊙ c + i ⊙ g, h ← o ⊙ tanh(c). The state is h and then c, side by side.
 *
 * @example
 * const { state } = lstm(zeros([2, 5, 3]), { weight: zeros([3, 16]), recurrentWeight: zeros([4, 16]) })
 * state.shape // [2, 8]
 * slice(state, 0, 4, 1).shape // [2, 4]
 * @throws ShapeError, RangeError or TypeError naming the argument that does not fit
 */
export function lstm(x: TensorLike, weights: RecurrentWeights, options: RecurrentCall = {}): RecurrentResult {
  return both(callOf('lstm', 'lstm', x, checkWeights('lstm', 'lstm', weights), checkOptions('lstm', options, RECURRENT_CALL)))
}

/**
 * The simple recurrent net over sequences x [rows, steps, inputs]: h ← tanh(x·W + b + h·U) (Elman 1990).
 *
 * @example
 * simpleRNN([[[1], [1]]], { weight: ones([1, 1]), recurrentWeight: ones([1, 1]) }).output.shape // [1, 2, 1]
 * @throws ShapeError, RangeError or TypeError naming the argument that does not fit
 */
export function simpleRNN(x: TensorLike, weights: RecurrentWeights, options: RecurrentCall = {}): RecurrentResult {
  const checked = checkWeights('simpleRNN', 'simple', weights)
  return both(callOf('simpleRNN', 'simple', x, checked, checkOptions('simpleRNN', options, RECURRENT_CALL)))
}

function both(call: Call): RecurrentResult {
  return scan(call, { outputs: true, state: true }) as RecurrentResult
}

/** @throws TypeError, ShapeError naming the array that does not fit */
function checkWeights(who: string, cell: CellName, weights: GruWeights): Weights {
  if (!object.fits(weights)) throw typeError(`${who}: weights wants { weight, recurrentWeight, bias }, got ${show(weights)}`)
  const { weight, recurrentWeight, bias = null, recurrentBias = null } = weights
  const { gates } = CELLS[cell]
  const check = (name: string, t: unknown, fits: (shape: Shape) => boolean, wanted: string) => {
    if (!(t instanceof Tensor)) throw typeError(`${who}: ${name} wants a Tensor, got ${show(t)}`)
    if (t.dtype !== 'float') throw typeError(`${who}: ${name} wants floats, got whole numbers (Int32Array)`)
    if (!fits(t.shape)) throw new ShapeError(`${who}: ${name} wants shape ${wanted}, got ${formatShape(t.shape)}`)
  }
  const isRecurrent = ([units, width]: Shape) => units >= 1 && width === gates * units
  check('recurrentWeight', recurrentWeight, (s) => s.length === 2 && isRecurrent(s), `[units, ${gates} · units]`)
  const [units, width] = recurrentWeight.shape
  check('weight', weight, (s) => s.length === 2 && s[1] === width, `[inputs, ${width}]`)
  if (bias !== null) check('bias', bias, (s) => sameShape(s, [width]), `[${width}]`)
  if (recurrentBias !== null) check('recurrentBias', recurrentBias, (s) => sameShape(s, [units]), `[${units}]`)
  return { weight, recurrentWeight, bias, recurrentBias }
}

/** @internal A checked call. The weights fit one another. @throws ShapeError, RangeError, TypeError naming the argument that does not fit */
export function callOf(name: string, cell: CellName, value: TensorLike, weights: Weights, options: RecurrentCall): Call {
  const x = inputsOf(name, value, weights)
  const { rows, steps, inputs } = sizesOf(x)
  const [units] = weights.recurrentWeight.shape
  const initial = stateOf(name, options.initialState, rows, CELLS[cell].state * units, x)
  const mask = maskOf(name, x, options)
  return { ...weights, cell, x, rows, steps, inputs, units, initial, mask, reverse: options.reverse ?? false, name }
}

/** @internal the inputs of a layer as floats. @throws ShapeError unless they are [rows, steps, inputs] with at least one step */
export function inputsOf(name: string, value: TensorLike, { weight }: Weights): Tensor {
  const { backend } = weight
  const [inputs] = weight.shape
  const x = asFloats(value, backend, name)
  if (x.rank !== 3 || x.shape[2] !== inputs) {
    const isLast = x.rank === 2 && x.shape[1] === inputs
    const remedy = isLast
      ? '; a recurrent layer before this one wants returnSequences: true, and one sequence is a batch of one, [sequence]'
      : x.rank === 2
        ? '; one sequence is a batch of one, [sequence], and steps of one number each are [[1], [2], [3]]'
        : ''
    throw new ShapeError(`${name}: wants inputs of shape [rows, steps, ${inputs}], got shape ${formatShape(x.shape)}${remedy}`)
  }
  if (x.shape[1] === 0)
    throw new ShapeError(`${name}: wants at least one step, got inputs of shape ${formatShape(x.shape)}; leave out empty sequences`)
  return x
}

function sizesOf({ shape: [rows, steps, inputs] }: Tensor): { rows: number; steps: number; inputs: number } {
  return { rows, steps, inputs }
}

/** @internal a first state of this width for each row; null for none. @throws ShapeError for another shape */
export function stateOf(name: string, value: TensorLike | undefined, rows: number, width: number, { backend }: Tensor): Tensor | null {
  if (value === undefined) return null
  const state = asFloats(value, backend, `${name}: initialState`)
  if (sameShape(state.shape, [rows, width])) return state
  const remedy = state.rank === 2 && state.shape[0] !== rows ? '; it is the state of another batch' : ''
  throw new ShapeError(`${name}: initialState wants shape [${rows}, ${width}], got ${formatShape(state.shape)}${remedy}`)
}
