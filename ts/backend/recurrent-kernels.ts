/**
 * The kernels of recurrent layers (crate/recurrent/): all steps of a batch of sequences in one call. Only programs with `gradus/recurrent` have them.
 *
 * Arrays are by sequence (row), then by step. For a cell with G gates, S parts of its state, K saved parts and E parts of `dq`, in units of U numbers
 * ({@link CELLS}): z and dz [rows, steps, G·U], u [U, G·U], b [U], saved [rows, steps, K·U], y and dy [rows, steps, U], last, initial, dlast and carry
 * [rows, S·U], dq [rows, steps, E·U], mask [rows, steps].
 *
 * `kind` is 2 times the index of the cell in {@link CELLS}, plus 1 to begin at the last step and go back.
 */

import { optional, type Ptr, type Ranges } from './memory-ranges.js'

/** Parts of a cell, in units: its gates, its state, what it saves at each step, and `dq`. */
export interface CellParts {
  gates: number
  state: number
  saved: number
  extra: number
}

/** The cells in the order of their kernel numbers; crate/recurrent/mod.rs has the same order and parts. */
export const CELLS = {
  /** h′ = tanh(z + h·U) */
  simple: { gates: 1, state: 1, saved: 1, extra: 0 },
  /** r, u = σ(z + h·U), n = tanh(z + r ⊙ q), q = h·U + b, h′ = n + u ⊙ (h − n); gates r, u, n */
  gruAfter: { gates: 3, state: 1, saved: 2, extra: 1 },
  /** the same with n = tanh(z + q·U), q = r ⊙ h */
  gruBefore: { gates: 3, state: 1, saved: 2, extra: 1 },
  /** i, f, o = σ(z + h·U), g = tanh(z + h·U), c′ = f ⊙ c + i ⊙ g, h′ = o ⊙ tanh(c′); gates i, f, g, o; state h, c */
  lstm: { gates: 4, state: 2, saved: 3, extra: 0 },
} as const satisfies Record<string, CellParts>
/** Name of a cell. */
export type CellName = keyof typeof CELLS

/** The number of a cell and direction for kernels. */
export function kindOf(cell: CellName, reverse: boolean): number {
  return 2 * Object.keys(CELLS).indexOf(cell) + (reverse ? 1 : 0)
}

/** The kernels of recurrent layers. */
export interface RecurrentKernels {
  /**
   * Runs all steps. On entry `z` has x·W + b of each step; the gates are written over it. `saved` gets the state before each step and what else
   * {@link recurrentBackward} needs, `y` the h of each step (0 where the mask is 0, and the state stays), `last` the state after all steps. `b` is q's
   * bias, for `gruAfter` alone. `b`, `initial` (zeros), `y` and `mask` are optional.
   */
  recurrentForward(
    z: Ptr,
    u: Ptr,
    b: Ptr,
    initial: Ptr,
    saved: Ptr,
    y: Ptr,
    last: Ptr,
    mask: Ptr,
    rows: number,
    steps: number,
    units: number,
    kind: number,
    scratch: Ptr,
  ): void
  /**
   * Gradients of x·W + b of each step in `dz`, of q (gruAfter) or of r ⊙ h (gruBefore) in `dq`, of the first state in `carry`. `dy` and `dlast` are
   * optional (zeros); `dq` is unused, and may be 0, for a cell without extra parts.
   */
  recurrentBackward(
    z: Ptr,
    u: Ptr,
    saved: Ptr,
    dy: Ptr,
    dlast: Ptr,
    mask: Ptr,
    dz: Ptr,
    dq: Ptr,
    carry: Ptr,
    rows: number,
    steps: number,
    units: number,
    kind: number,
    scratch: Ptr,
  ): void
  /** c[m,n] = a[k,m]ᵀ · b[k,n] (+ c), with rows of a, b and c that many elements apart: the gradient of U from states and gates */
  recurrentWeights(
    a: Ptr,
    b: Ptr,
    c: Ptr,
    aStride: number,
    bStride: number,
    cStride: number,
    m: number,
    n: number,
    k: number,
    accumulate: number,
    scratch: Ptr,
  ): void
}

/** The memory that each kernel reads and writes, for `kernelArguments`. */
export const recurrentArguments = (): Record<keyof RecurrentKernels, Ranges> => ({
  recurrentForward: (d, z, u, b, initial, saved, y, last, mask, rows, steps, units, kind, scratch) => {
    const [all, { gates, state, saved: kept }] = [rows * steps * units, partsOf(kind)]
    return [
      ...[d.output('z', z, all * gates), d.input('u', u, units * units * gates), optional(d.input('b', b, units))],
      ...[optional(d.input('initial', initial, rows * units * state)), d.output('saved', saved, all * kept)],
      ...[optional(d.output('y', y, all)), d.output('last', last, rows * units * state)],
      ...[optional(d.input('mask', mask, rows * steps)), d.scratch(scratch)],
    ]
  },
  recurrentBackward: (d, z, u, saved, dy, dlast, mask, dz, dq, carry, rows, steps, units, kind, scratch) => {
    const [all, { gates, state, saved: kept, extra }] = [rows * steps * units, partsOf(kind)]
    return [
      ...[d.input('z', z, all * gates), d.input('u', u, units * units * gates), d.input('saved', saved, all * kept)],
      ...[optional(d.input('dy', dy, all)), optional(d.input('dlast', dlast, rows * units * state))],
      ...[optional(d.input('mask', mask, rows * steps)), d.output('dz', dz, all * gates), d.output('dq', dq, all * extra)],
      ...[d.output('carry', carry, rows * units * state), d.scratch(scratch)],
    ]
  },
  recurrentWeights: (d, a, b, c, aStride, bStride, cStride, m, n, k, _accumulate, scratch) => {
    const floats = (rows: number, columns: number, stride: number) => (rows * columns === 0 ? 0 : (rows - 1) * stride + columns)
    return [
      ...[d.input('a', a, floats(k, m, aStride)), d.input('b', b, floats(k, n, bStride))],
      ...[d.output('c', c, floats(m, n, cStride)), d.scratch(scratch)],
    ]
  },
})

function partsOf(kind: number): CellParts {
  return Object.values(CELLS)[kind >> 1]
}
