/** Attention as one operation: kernels that hold tiles of scores, forward and backward. */

import { apply } from '../autograd.js'
import { ATTENTION, type AttentionSizes } from '../backend/attention-kernels.js'
import type { Ptr } from '../backend/kernels.js'
import { withAttention } from '../backend/rooms/attention.js'
import { add, mul, sub } from '../ops/elementwise.js'
import { matmul } from '../ops/matmul.js'
import { sum } from '../ops/reduce.js'
import { concat, reshape, slice, transpose } from '../ops/shape.js'
import { Tensor } from '../tensor.js'
import { maskedSoftmax } from './masked-softmax.js'

/** Some columns of a tensor [rows, steps, columns]: the vectors of all heads, side by side. */
export interface Columns {
  tensor: Tensor
  /** The first column. */
  from: number
}

/** A checked call. Parts of one tensor stand in it in their order, and fill it; or they are the same columns, all of them. */
export interface AttentionCall {
  query: Columns
  key: Columns
  value: Columns
  heads: number
  /** Columns of a head's query, and of its key. */
  width: number
  /** Columns of a head's value. */
  valueWidth: number
  rows: number
  queries: number
  keys: number
  causal: boolean
  /** 1 for keys that are seen, 0 for others [rows, keys]; null if all are. */
  mask: Tensor | null
  /** Name of the layer or operation in messages. */
  name: string
}

/** softmax(q·kᵀ / √width)·v of each head: [rows, queries, heads · valueWidth]. */
export function attend(call: AttentionCall): Tensor {
  const { query, key, value, heads, width, valueWidth, rows, queries, keys, causal, mask, name } = call
  const strides = [query, key, value].map(({ tensor }) => tensor.shape[2])
  const numbers: AttentionSizes = {
    ...{ heads, queries, keys, width, valueWidth, causal: causal ? 1 : 0 },
    ...{ queryStride: strides[0], keyStride: strides[1], valueStride: strides[2] },
  }
  const { backend } = query.tensor
  const words = Int32Array.from(ATTENTION, (name) => numbers[name])
  const sizes = Tensor.onHost(backend, [ATTENTION.length], words)
  const sources = [...new Set([query.tensor, key.tensor, value.tensor])]
  const inputs = mask === null ? [...sources, sizes] : [...sources, sizes, mask]
  const inOrder = (gradients: readonly (Tensor | null)[]) => inputs.map((_, i) => gradients[i] ?? null)
  let stats: Ptr = 0
  return apply(
    inputs,
    [rows, queries, heads * valueWidth],
    (y, backend) => {
      const { heap, arena } = backend
      stats = arena.allocate(2 * rows * heads * queries * heap.elementSize)
      withAttention(backend).attentionForward(
        ...([addressOf(query), addressOf(key), addressOf(value), mask === null ? 0 : mask.address] as const),
        ...([y, stats, 0, rows * heads, sizes.address, heap.scratch] as const),
      )
    },
    (y) => ({
      operation: name,
      vjp: (g) => inOrder(gradientInOperations(call, sources, g)),
      fused: (g) => inOrder(fusedGradient(call, sources, sizes, stats, y, g)),
    }),
  )
}

const addressOf = ({ tensor, from }: Columns): Ptr => tensor.address + from * tensor.backend.heap.elementSize

/** Gradients of the tensors by the kernel. */
function fusedGradient(call: AttentionCall, sources: readonly Tensor[], sizes: Tensor, stats: Ptr, y: Tensor, g: Tensor): Tensor[] {
  const { backend } = g
  const { heap, arena } = backend
  const { query, key, value, mask, rows, heads } = call
  const gradients = sources.map((t) => Tensor.inArena(backend, t.shape, arena.allocate(t.size * heap.elementSize)))
  const place = ({ tensor, from }: Columns) => addressOf({ tensor: gradients[sources.indexOf(tensor)], from })
  withAttention(backend).attentionBackward(
    ...([addressOf(query), addressOf(key), addressOf(value), mask === null ? 0 : mask.address, y.address, stats, g.address] as const),
    ...([place(query), place(key), place(value), 0, rows * heads, sizes.address, heap.scratch] as const),
  )
  return gradients
}

/** The same gradients in operations, so that they can be differentiated again. These hold the scores of all heads. */
function gradientInOperations(call: AttentionCall, sources: readonly Tensor[], g: Tensor): Tensor[] {
  const { query, key, value, heads, width, valueWidth, rows, keys, causal, mask } = call
  const scale = 1 / Math.sqrt(width)
  /** [rows, steps, heads · width] to [rows, heads, steps, width] */
  const split = (x: Tensor, width: number): Tensor => transpose(reshape(x, [rows, x.shape[1], heads, width]), [0, 2, 1, 3]) as Tensor
  const join = (x: Tensor): Tensor => reshape(transpose(x, [0, 2, 1, 3]), [rows, x.shape[2], heads * x.shape[3]]) as Tensor
  const headsOf = ({ tensor, from }: Columns, width: number) => split(slice(tensor, from, from + heads * width, 2) as Tensor, width)
  const [q, k, v, dy] = [headsOf(query, width), headsOf(key, width), headsOf(value, valueWidth), split(g, valueWidth)]
  const scores = mul(matmul(q, k, { transposeB: true }), scale) as Tensor
  const seen = mask && (reshape(mask, [rows, 1, 1, keys]) as Tensor)
  const p = maskedSoftmax(scores, { causal, ...(seen && { mask: seen }) })
  const dp = matmul(dy, v, { transposeB: true }) as Tensor
  const ds = mul(mul(p, sub(dp, sum(mul(dp, p), -1, true))), scale) as Tensor
  const parts: [Columns, Tensor][] = [
    [query, join(matmul(ds, k) as Tensor)],
    [key, join(matmul(ds, q, { transposeA: true }) as Tensor)],
    [value, join(matmul(p, dy, { transposeA: true }) as Tensor)],
  ]
  return sources.map((source) => {
    const own = parts.filter(([{ tensor }]) => tensor === source)
    const [first, ...others] = own.map(([, gradient]) => gradient)
    if (others.length === 0) return first
    const isShared = own.every(([{ from }]) => from === 0)
    return isShared ? others.reduce((total, gradient) => add(total, gradient) as Tensor, first) : (concat([first, ...others], 2) as Tensor)
  })
}
