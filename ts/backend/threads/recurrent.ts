/** Recurrent layers, shared by threads: each takes some of the sequences, or, of the gradient of U, some of its columns. */
import { CELLS, type CellParts, type RecurrentKernels } from '../recurrent-kernels.js'
import type { Shareable, WasmExports } from '../wasm/types.js'
import { FUNCTION, PRODUCT, scratchOf, shared, shareOf } from './split.js'

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
  const { recurrentForward: forward, recurrentBackward: backward, recurrentWeights: weights } = exports
  const numbers = [forward, backward, weights].map((kernel) => pool.numberOf(kernel))
  const timeOfProduct = (m: number, n: number, k: number) => (m * n * k) / PRODUCT

  const recurrentForward: RecurrentKernels['recurrentForward'] = (
    z,
    u,
    b,
    initial,
    saved,
    y,
    last,
    mask,
    rows,
    steps,
    units,
    kind,
    scratch,
  ) => {
    const parts = partsOf(kind)
    const time = timeOf(parts, rows, steps, units)
    const most = Math.min(rows, pool.sharesFor(time))
    if (most < 2) return forward(z, u, b, initial, saved, y, last, mask, rows, steps, units, kind, scratch)
    pool.runShared(numbers[0], time, most, (index, shares) => {
      const [row, count] = shareOf(rows, index, shares)
      const [all, states] = [row * steps * units, row * units * parts.state]
      return [
        ...[after(all * parts.gates, z), u, b, after(states, initial), after(all * parts.saved, saved), after(all, y)],
        ...[after(states, last), after(row * steps, mask), count, steps, units, kind, scratchOf(threaded, index, scratch)],
      ]
    })
  }
  const recurrentBackward: RecurrentKernels['recurrentBackward'] = (
    ...[z, u, saved, dy, dlast, mask, dz, dq, carry, rows, steps, units, kind, scratch]
  ) => {
    const parts = partsOf(kind)
    const time = timeOf(parts, rows, steps, units)
    const most = Math.min(rows, pool.sharesFor(time))
    if (most < 2) return backward(z, u, saved, dy, dlast, mask, dz, dq, carry, rows, steps, units, kind, scratch)
    pool.runShared(numbers[1], time, most, (index, shares) => {
      const [row, count] = shareOf(rows, index, shares)
      const [all, states] = [row * steps * units, row * units * parts.state]
      return [
        ...[
          after(all * parts.gates, z),
          u,
          after(all * parts.saved, saved),
          after(all, dy),
          after(states, dlast),
          after(row * steps, mask),
        ],
        ...[after(all * parts.gates, dz), after(all * parts.extra, dq), after(states, carry)],
        ...[count, steps, units, kind, scratchOf(threaded, index, scratch)],
      ]
    })
  }
  const recurrentWeights: RecurrentKernels['recurrentWeights'] = (
    ...[a, b, c, aStride, bStride, cStride, m, n, k, accumulate, scratch]
  ) => {
    const time = timeOfProduct(m, n, k)
    const most = Math.min(n, pool.sharesFor(time))
    if (most < 2) return weights(a, b, c, aStride, bStride, cStride, m, n, k, accumulate, scratch)
    pool.runShared(numbers[2], time, most, (index, shares) => {
      const [column, count] = shareOf(n, index, shares)
      const [bFrom, cFrom] = [after(column, b), after(column, c)]
      return [a, bFrom, cFrom, aStride, bStride, cStride, m, count, k, accumulate, scratchOf(threaded, index, scratch)]
    })
  }
  return {
    ...exports,
    recurrentForward: shared(recurrentForward, forward, (...args) => timeOf(partsOf(args[11]), args[8], args[9], args[10])),
    recurrentBackward: shared(recurrentBackward, backward, (...args) => timeOf(partsOf(args[12]), args[9], args[10], args[11])),
    recurrentWeights: shared(recurrentWeights, weights, (...args) => timeOfProduct(args[6], args[7], args[8])),
  }
}
