/** Recurrent layers, shared by threads: each takes some of the sequences, or, of the gradient of U, some of its columns. */
import { CELLS, type CellParts, type RecurrentKernels } from '../recurrent-kernels.js'
import type { Shareable, WasmExports } from '../wasm/types.js'
import { divided, FUNCTION, PRODUCT, scratchOf, shareOf } from './split.js'

const FLOAT = 4

/** Nanoseconds of all steps: the product with U, and the functions of the gates. */
function timeOf({ gates }: CellParts, rows: number, steps: number, units: number): number {
  return rows * steps * gates * units * (units / PRODUCT + FUNCTION)
}

function partsOf(kind: number): CellParts {
  return Object.values(CELLS)[kind >> 1]
}

/** Moves addresses by the same number of elements; 0 stays 0, for an absent array. */
const after = (elements: number, at: number) => (at === 0 ? 0 : at + FLOAT * elements)

/** The kernels of the part; those with much work are divided among threads. */
export function shareKernels(threaded: Shareable): WasmExports {
  const { exports, pool } = threaded
  const { recurrentForward, recurrentBackward, recurrentWeights } = exports as unknown as RecurrentKernels
  return {
    ...exports,
    recurrentForward: divided(pool, recurrentForward, {
      time: (...call) => timeOf(partsOf(call[11]), call[8], call[9], call[10]),
      most: (...call) => call[8],
      share([z, u, b, initial, saved, y, last, mask, rows, steps, units, kind, scratch], index, shares) {
        const parts = partsOf(kind)
        const [row, count] = shareOf(rows, index, shares)
        const [all, states] = [row * steps * units, row * units * parts.state]
        return [
          ...[after(all * parts.gates, z), u, b, after(states, initial), after(all * parts.saved, saved), after(all, y)],
          ...[after(states, last), after(row * steps, mask), count, steps, units, kind, scratchOf(threaded, index, scratch)],
        ]
      },
    }),
    recurrentBackward: divided(pool, recurrentBackward, {
      time: (...call) => timeOf(partsOf(call[12]), call[9], call[10], call[11]),
      most: (...call) => call[9],
      share([z, u, saved, dy, dlast, mask, dz, dq, carry, rows, steps, units, kind, scratch], index, shares) {
        const parts = partsOf(kind)
        const [row, count] = shareOf(rows, index, shares)
        const [all, states] = [row * steps * units, row * units * parts.state]
        return [
          ...[after(all * parts.gates, z), u, after(all * parts.saved, saved), after(all, dy), after(states, dlast)],
          ...[after(row * steps, mask), after(all * parts.gates, dz), after(all * parts.extra, dq), after(states, carry)],
          ...[count, steps, units, kind, scratchOf(threaded, index, scratch)],
        ]
      },
    }),
    recurrentWeights: divided(pool, recurrentWeights, {
      time: (...call) => (call[6] * call[7] * call[8]) / PRODUCT,
      most: (...call) => call[7],
      share([a, b, c, aStride, bStride, cStride, m, n, k, accumulate, scratch], index, shares) {
        const [column, count] = shareOf(n, index, shares)
        const [bFrom, cFrom] = [after(column, b), after(column, c)]
        return [a, bFrom, cFrom, aStride, bStride, cStride, m, count, k, accumulate, scratchOf(threaded, index, scratch)]
      },
    }),
  }
}
