/** Attention, shared by threads: each takes some pairs of row and head. */
import { type AttentionKernels, sizesAt } from '../attention-kernels.js'
import type { Ptr } from '../memory-ranges.js'
import type { Shareable, WasmExports } from '../wasm/types.js'
import { divided, FUNCTION, PRODUCT, scratchOf, shareOf } from './split.js'

/** The kernels of the part; those with much work are divided among threads. */
export function shareKernels(threaded: Shareable): WasmExports {
  const { exports, pool } = threaded
  const { attentionForward, attentionBackward } = exports as unknown as AttentionKernels
  const memory = exports.memory as WebAssembly.Memory
  const heap = { intView: (from: Ptr, length: number) => new Int32Array(memory.buffer, from, length) }

  /** Nanoseconds of some pairs, with this number of products for each of both widths. */
  const timeOf = (pairs: number, sizes: Ptr, products: number) => {
    const s = sizesAt(heap, sizes)
    return pairs * s.queries * s.keys * ((products * (s.width + s.valueWidth)) / PRODUCT + FUNCTION)
  }

  return {
    ...exports,
    attentionForward: divided(pool, attentionForward, {
      time: (...call) => timeOf(call[7], call[8], 1),
      most: (...call) => call[7],
      share([q, k, v, mask, y, stats, first, count, sizes, scratch], index, shares) {
        const [from, own] = shareOf(count, index, shares)
        return [q, k, v, mask, y, stats, first + from, own, sizes, scratchOf(threaded, index, scratch)]
      },
    }),
    attentionBackward: divided(pool, attentionBackward, {
      time: (...call) => timeOf(call[11], call[12], 3),
      most: (...call) => call[11],
      share([q, k, v, mask, y, stats, dy, dq, dk, dv, first, count, sizes, scratch], index, shares) {
        const [from, own] = shareOf(count, index, shares)
        return [q, k, v, mask, y, stats, dy, dq, dk, dv, first + from, own, sizes, scratchOf(threaded, index, scratch)]
      },
    }),
  }
}
