/** Attention, shared by threads: each takes some pairs of row and head. */
import { type AttentionKernels, sizesAt } from '../attention-kernels.js'
import type { Ptr } from '../memory-ranges.js'
import type { Shareable, WasmExports } from '../wasm/types.js'
import { FUNCTION, PRODUCT, scratchOf, shared, shareOf } from './split.js'

/** The kernels of the part; those with much work are divided among threads. */
export function shareKernels(threaded: Shareable): WasmExports {
  const { exports, pool } = threaded
  const { attentionForward: forward, attentionBackward: backward } = exports as unknown as AttentionKernels
  const [forwardNumber, backwardNumber] = [pool.numberOf(exports.attentionForward), pool.numberOf(exports.attentionBackward)]
  const memory = exports.memory as WebAssembly.Memory
  const heap = { intView: (from: Ptr, length: number) => new Int32Array(memory.buffer, from, length) }

  /** Nanoseconds of some pairs, with this number of products for each of both widths. */
  const timeOf = (pairs: number, sizes: Ptr, products: number) => {
    const s = sizesAt(heap, sizes)
    return pairs * s.queries * s.keys * ((products * (s.width + s.valueWidth)) / PRODUCT + FUNCTION)
  }

  const attentionForward: AttentionKernels['attentionForward'] = (...call) => {
    const [q, k, v, mask, y, stats, first, count, sizes, scratch] = call
    const time = timeOf(count, sizes, 1)
    const most = Math.min(count, pool.sharesFor(time))
    if (most < 2) return forward(...call)
    pool.runShared(forwardNumber, time, most, (index, shares) => {
      const [from, own] = shareOf(count, index, shares)
      return [q, k, v, mask, y, stats, first + from, own, sizes, scratchOf(threaded, index, scratch)]
    })
  }
  const attentionBackward: AttentionKernels['attentionBackward'] = (...call) => {
    const [q, k, v, mask, y, stats, dy, dq, dk, dv, first, count, sizes, scratch] = call
    const time = timeOf(count, sizes, 3)
    const most = Math.min(count, pool.sharesFor(time))
    if (most < 2) return backward(...call)
    pool.runShared(backwardNumber, time, most, (index, shares) => {
      const [from, own] = shareOf(count, index, shares)
      return [q, k, v, mask, y, stats, dy, dq, dk, dv, first + from, own, sizes, scratchOf(threaded, index, scratch)]
    })
  }
  return {
    ...exports,
    attentionForward: shared(attentionForward, forward, (...call) => timeOf(call[7], call[8], 1)),
    attentionBackward: shared(attentionBackward, backward, (...call) => timeOf(call[11], call[12], 3)),
  }
}
