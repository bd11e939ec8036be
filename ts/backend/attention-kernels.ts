/**
 * The kernels of attention (crate/attention/). Only programs with `gradus/attention` have them.
 *
 * A pair is one head of one row of a batch, number row · heads + head. Vectors of heads stand side by side: q [rows, queries, heads · width], k [rows,
 * keys, heads · width], v [rows, keys, heads · valueWidth], y [rows, queries, heads · valueWidth], and mask [rows, keys]. From a query to the next it
 * is `queryStride` floats, and so for keys and values: they may lie in one array, such as the result of one product for all three. Each pair has
 * 2 · queries `stats`: the largest score of each query, and then the sums of their exponentials.
 *
 * The sizes are whole numbers in memory, at the address `sizes`, in the order of {@link ATTENTION}.
 */

import { type MemoryRange, optional, type Ptr, type RangeMaker, type Ranges } from './memory-ranges.js'

/** The sizes of a call in their order: Sizes in crate/attention/mod.rs reads them. `causal` is 1 or 0. */
export const ATTENTION = [
  ...(['heads', 'queries', 'keys', 'width', 'valueWidth', 'queryStride', 'keyStride', 'valueStride', 'causal'] as const),
] as const

/** The sizes of a call by name. */
export type AttentionSizes = Readonly<Record<(typeof ATTENTION)[number], number>>

/** The kernels of attention. */
export interface AttentionKernels {
  /**
   * y = softmax(q·kᵀ / √width)·v, for `count` pairs from number `first` on. A key whose mask is 0 is seen by no query, and with `causal` query i sees the
   * keys up to i + keys − queries. A query that sees none has the result 0. `mask` is optional.
   */
  attentionForward(q: Ptr, k: Ptr, v: Ptr, mask: Ptr, y: Ptr, stats: Ptr, first: number, count: number, sizes: Ptr, scratch: Ptr): void
  /** Gradients of q, k and v, whose vectors lie as those of q, k and v, from the gradient of y. */
  attentionBackward(
    q: Ptr,
    k: Ptr,
    v: Ptr,
    mask: Ptr,
    y: Ptr,
    stats: Ptr,
    dy: Ptr,
    dq: Ptr,
    dk: Ptr,
    dv: Ptr,
    first: number,
    count: number,
    sizes: Ptr,
    scratch: Ptr,
  ): void
  /**
   * y = x [rows, columns], in which columns c and c + width/2 of each of the first `heads` heads are turned by an angle: x_c·cos − x_{c+width/2}·sin and
   * x_{c+width/2}·cos + x_c·sin. `angles` [steps, width] has width/2 cosines and then width/2 sines for each position; row r has position r mod steps.
   * `back` 1 turns back.
   */
  attentionRotate(
    x: Ptr,
    angles: Ptr,
    y: Ptr,
    rows: number,
    steps: number,
    columns: number,
    heads: number,
    width: number,
    back: number,
  ): void
}

/** The memory that each kernel reads and writes, for `kernelArguments`. */
export const attentionArguments = (): Record<keyof AttentionKernels, Ranges> => ({
  attentionForward: (d, q, k, v, mask, y, stats, first, count, sizes, scratch) => {
    const { inputs, result, statistics } = partsOf(d, first + count, sizes)
    return [...inputs(q, k, v, mask, sizes), result('y', y, true), d.output('stats', stats, statistics), d.scratch(scratch)]
  },
  attentionBackward: (d, q, k, v, mask, y, stats, dy, dq, dk, dv, first, count, sizes, scratch) => {
    const { inputs, result, statistics, gradients } = partsOf(d, first + count, sizes)
    return [
      ...[...inputs(q, k, v, mask, sizes), result('y', y, false), d.input('stats', stats, statistics), result('dy', dy, false)],
      ...[...gradients(dq, dk, dv), d.scratch(scratch)],
    ]
  },
  attentionRotate: (d, x, angles, y, rows, steps, columns, _heads, width) => [
    ...[d.input('x', x, rows * columns), d.input('angles', angles, rows === 0 ? 0 : steps * width), d.output('y', y, rows * columns)],
  ],
})

/** The arrays of the pairs before number `pairs`. */
function partsOf(d: RangeMaker, pairs: number, at: Ptr) {
  const s = sizesAt(d.heap, at)
  const rows = Math.ceil(pairs / s.heads)
  const floats = (count: number, width: number, stride: number) =>
    rows * count * width === 0 ? 0 : (rows * count - 1) * stride + s.heads * width
  const sizes = [
    floats(s.queries, s.width, s.queryStride),
    ...[floats(s.keys, s.width, s.keyStride), floats(s.keys, s.valueWidth, s.valueStride)],
  ]
  return {
    inputs: (q: Ptr, k: Ptr, v: Ptr, mask: Ptr, at: Ptr): MemoryRange[] => [
      ...[d.integers('sizes', at, ATTENTION.length), d.input('q', q, sizes[0]), d.input('k', k, sizes[1]), d.input('v', v, sizes[2])],
      optional(d.input('mask', mask, rows * s.keys)),
    ],
    result: (name: string, at: Ptr, isOutput: boolean): MemoryRange => {
      const count = rows * s.queries * s.heads * s.valueWidth
      return isOutput ? d.output(name, at, count) : d.input(name, at, count)
    },
    statistics: 2 * pairs * s.queries,
    /** Gradients in one array are one range. */
    gradients: (...at: Ptr[]): MemoryRange[] => {
      const found: MemoryRange[] = []
      const names = ['dq', 'dk', 'dv']
      for (const i of [0, 1, 2].sort((a, b) => at[a] - at[b])) {
        const next = d.output(names[i], at[i], sizes[i])
        const last = found.at(-1)
        if (last === undefined || next.at >= last.at + last.elements * last.bytes) found.push(next)
        else last.elements = Math.max(last.elements, (next.at - last.at) / next.bytes + next.elements)
      }
      return found
    },
  }
}

/** The sizes at an address. */
export function sizesAt(heap: { intView(at: Ptr, length: number): Int32Array }, at: Ptr): AttentionSizes {
  const numbers = heap.intView(at, ATTENTION.length)
  return Object.fromEntries(ATTENTION.map((name, i) => [name, numbers[i]])) as AttentionSizes
}
