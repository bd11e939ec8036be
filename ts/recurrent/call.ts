/** A call of a recurrent cell, and its result. */

import type { Backend } from '../backend/index.js'
import type { Ptr } from '../backend/kernels.js'
import type { CellName } from '../backend/recurrent-kernels.js'
import type { Tensor } from '../tensor.js'

/** The trained arrays of one direction. */
export interface Weights<T = Tensor> {
  /** W [inputs, gates · units], the gates side by side. */
  weight: T
  /** U [units, gates · units]. */
  recurrentWeight: T
  /** b [gates · units]; null without bias. */
  bias: T | null
  /** Bias [units] of the recurrent part of a GRU's candidate; null without bias, and for all other cells. */
  recurrentBias: T | null
}

/** A checked call of a cell. */
export interface Call extends Weights {
  cell: CellName
  /** [rows, steps, inputs] */
  x: Tensor
  rows: number
  steps: number
  inputs: number
  units: number
  /** First state [rows, state · units]; null for zeros. */
  initial: Tensor | null
  /** 1 for each step that counts, 0 for each that is skipped, [rows, steps]; null if all count. */
  mask: Tensor | null
  /** Begins at the last step and goes back. */
  reverse: boolean
  /** Name of the layer or operation in messages. */
  name: string
  /** Called with the address of the state after all steps. It may call kernels, and must not read numbers. */
  observe?(state: Ptr, backend: Backend): void
}

/** The result of a scan in memory: the outputs of all steps, then the state after all steps. Either may be left out. */
export interface Wanted {
  outputs: boolean
  state: boolean
}

/** What a scan returns. A part that is not wanted is null. */
export interface Scanned {
  /** h of each step [rows, steps, units]; 0 for skipped steps. */
  output: Tensor | null
  /** The state after all steps [rows, state · units]: h, and then c of an LSTM. */
  state: Tensor | null
}

/** The tensors of a call, in the order of an operation's inputs. */
export const INPUTS = ['x', 'weight', 'recurrentWeight', 'bias', 'recurrentBias', 'initial', 'mask'] as const
/** Gradients of a call's inputs by name; of those that need one. */
export type Gradients = Partial<Record<(typeof INPUTS)[number], Tensor>>
