/** Attention, pair after pair and query after query: the scores of one query are all that is held. */
import { type AttentionKernels, type AttentionSizes, sizesAt } from '../attention-kernels.js'
import type { Heap } from '../heap.js'
import type { Ptr } from '../kernels.js'
import { floatShift } from './shift.js'

/** The indices of a pair's first query, key, value and result, and of its row's mask (−1 for none). */
interface Pair {
  q: number
  k: number
  v: number
  y: number
  mask: number
  /** Its largest scores; the sums are `queries` later. */
  stats: number
}

export function attentionKernels(heap: Heap): AttentionKernels {
  const shift = floatShift(heap)

  function pairAt(pair: number, s: AttentionSizes, mask: Ptr, stats: Ptr): Pair {
    const [row, head] = [Math.floor(pair / s.heads), pair % s.heads]
    return {
      q: row * s.queries * s.queryStride + head * s.width,
      k: row * s.keys * s.keyStride + head * s.width,
      v: row * s.keys * s.valueStride + head * s.valueWidth,
      y: (row * s.queries * s.heads + head) * s.valueWidth,
      mask: mask === 0 ? -1 : (mask >>> shift) + row * s.keys,
      stats: (stats >>> shift) + 2 * pair * s.queries,
    }
  }

  /** Σ over i < n of f[a + i] · f[b + i] */
  function dot(a: number, b: number, n: number): number {
    const f = heap.floats
    let sum = 0
    for (let i = 0; i < n; i++) sum += f[a + i] * f[b + i]
    return sum
  }

  /** f[to + i] += factor · f[from + i] for i < n */
  function add(factor: number, from: number, to: number, n: number): void {
    const f = heap.floats
    for (let i = 0; i < n; i++) f[to + i] += factor * f[from + i]
  }

  /** The scores of query i for keys that it sees; −∞ for masked ones. */
  function scoresOf(i: number, q: number, k: number, at: Pair, s: AttentionSizes): Float64Array {
    const scores = new Float64Array(s.causal === 1 ? i + 1 + s.keys - s.queries : s.keys)
    for (let j = 0; j < scores.length; j++) {
      const seen = at.mask < 0 || heap.floats[at.mask + j] !== 0
      scores[j] = seen ? dot(q + i * s.queryStride, k + j * s.keyStride, s.width) : -Infinity
    }
    return scores
  }

  return {
    attentionForward(q, k, v, mask, y, stats, first, count, sizes, _scratch) {
      const f = heap.floats
      const s = sizesAt(heap, sizes)
      for (let pair = first; pair < first + count; pair++) {
        const at = pairAt(pair, s, mask, stats)
        for (let i = 0; i < s.queries; i++) {
          const scores = scoresOf(i, (q >>> shift) + at.q, (k >>> shift) + at.k, at, s)
          const to = (y >>> shift) + at.y + i * s.heads * s.valueWidth
          f.fill(0, to, to + s.valueWidth)
          const largest = scores.reduce((most, score) => Math.max(most, score), -Infinity)
          const weights = scores.map((score) => (largest === -Infinity ? 0 : Math.exp((score - largest) / Math.sqrt(s.width))))
          const sum = weights.reduce((total, weight) => total + weight, 0)
          for (let j = 0; j < weights.length; j++)
            if (sum !== 0) add(weights[j] / sum, (v >>> shift) + at.v + j * s.valueStride, to, s.valueWidth)
          f[at.stats + i] = largest
          f[at.stats + s.queries + i] = sum
        }
      }
    },
    attentionBackward(q, k, v, mask, y, stats, dy, dq, dk, dv, first, count, sizes, _scratch) {
      const f = heap.floats
      const s = sizesAt(heap, sizes)
      for (let pair = first; pair < first + count; pair++) {
        const at = pairAt(pair, s, mask, stats)
        const [qAt, kAt, vAt] = [(q >>> shift) + at.q, (k >>> shift) + at.k, (v >>> shift) + at.v]
        const [dqAt, dkAt, dvAt] = [(dq >>> shift) + at.q, (dk >>> shift) + at.k, (dv >>> shift) + at.v]
        for (let i = 0; i < s.queries; i++) f.fill(0, dqAt + i * s.queryStride, dqAt + i * s.queryStride + s.width)
        for (let j = 0; j < s.keys; j++) {
          f.fill(0, dkAt + j * s.keyStride, dkAt + j * s.keyStride + s.width)
          f.fill(0, dvAt + j * s.valueStride, dvAt + j * s.valueStride + s.valueWidth)
        }
        for (let i = 0; i < s.queries; i++) {
          const [largest, sum] = [f[at.stats + i], f[at.stats + s.queries + i]]
          if (sum === 0) continue
          const scores = scoresOf(i, qAt, kAt, at, s)
          const result = at.y + i * s.heads * s.valueWidth
          const [yAt, dyAt] = [(y >>> shift) + result, (dy >>> shift) + result]
          const along = dot(yAt, dyAt, s.valueWidth)
          for (let j = 0; j < scores.length; j++) {
            const p = Math.exp((scores[j] - largest) / Math.sqrt(s.width)) / sum
            const ds = (p * (dot(dyAt, vAt + j * s.valueStride, s.valueWidth) - along)) / Math.sqrt(s.width)
            add(p, dyAt, dvAt + j * s.valueStride, s.valueWidth)
            add(ds, kAt + j * s.keyStride, dqAt + i * s.queryStride, s.width)
            add(ds, qAt + i * s.queryStride, dkAt + j * s.keyStride, s.width)
          }
        }
      }
    },
    attentionRotate(x, angles, y, rows, steps, columns, heads, width, back) {
      const f = heap.floats
      const half = width / 2
      for (let row = 0; row < rows; row++) {
        const [from, to] = [(x >>> shift) + row * columns, (y >>> shift) + row * columns]
        const cosines = (angles >>> shift) + (row % steps) * width
        f.copyWithin(to, from, from + columns)
        for (let head = 0; head < heads; head++) {
          for (let i = 0; i < half; i++) {
            const [c, s] = [f[cosines + i], (back === 1 ? -1 : 1) * f[cosines + half + i]]
            const [first, second] = [from + head * width + i, from + head * width + half + i]
            f[to + head * width + i] = f[first] * c - f[second] * s
            f[to + head * width + half + i] = f[second] * c + f[first] * s
          }
        }
      }
    },
  }
}
