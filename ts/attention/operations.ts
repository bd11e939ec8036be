/** Attention over tensors of any leading axes, and turns of queries and keys by their positions. */

import { apply } from '../autograd.js'
import type { Backend } from '../backend/index.js'
import { withAttention } from '../backend/rooms/attention.js'
import { checkCount } from '../common/checks.js'
import { rangeError, ShapeError } from '../common/errors.js'
import { anything, checkOptions, flag, type Schema } from '../common/options.js'
import { formatShape, sameShape, sizeOf } from '../common/shape.js'
import { broadcastTo } from '../ops/elementwise.js'
import { expandDims, reshape } from '../ops/shape.js'
import { asFloats, floatArray, Tensor, type TensorLike } from '../tensor.js'
import { attend } from './attend.js'
import { checkMask } from './masked-softmax.js'

/** Options of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /**
   * Query i sees the keys up to i + keys − queries, so that the last query sees all: with a cache of earlier keys, a query stands beside its own key.
   * There are no more queries than keys. Default false. (PyTorch's `is_causal` counts from the first key, which is the same if there are as many
   * queries as keys.)
   */
  causal?: boolean
  /** 1 for keys that are seen and 0 for others, [..., keys]; it broadcasts along the axes before. Default: all are seen. */
  mask?: TensorLike
}

export const ATTENTION_OPTIONS = { causal: { is: flag, aka: ['is_causal'] }, mask: { is: anything } } satisfies Schema<AttentionOptions>

/**
 * Scaled dot-product attention: softmax(q·kᵀ / √width)·v, with q [..., queries, width], k [..., keys, width] and v [..., keys, valueWidth]
 * (Vaswani et al. 2017). Returns [..., queries, valueWidth]. The scores are computed in tiles, and again for the gradient: no array of queries × keys is
 * held (Dao et al. 2022). Second derivatives do hold it.
 *
 * A query that sees no key gives 0.
 *
 * @example
 * const [q, k, v] = [ones([2, 3, 4]), ones([2, 5, 4]), ones([2, 5, 6])]
 * scaledDotProductAttention(q, k, v).shape // [2, 3, 6]
 * scaledDotProductAttention([[0]], [[1], [2]], [[10], [20]]) // [[15]]
 * @throws ShapeError naming the tensor that does not fit; RangeError for a mask of anything but 0 and 1
 */
export function scaledDotProductAttention(query: TensorLike, key: TensorLike, value: TensorLike, options: AttentionOptions = {}): Tensor {
  const who = 'scaledDotProductAttention'
  const { causal = false, mask } = checkOptions(who, options, ATTENTION_OPTIONS)
  const backend = [query, key, value].find((t) => t instanceof Tensor)?.backend
  const q = asFloats(query, backend, `${who}: query`)
  const k = asFloats(key, q.backend, `${who}: key`)
  const v = asFloats(value, q.backend, `${who}: value`)
  if (q.rank < 2) throw new ShapeError(`${who}: query wants shape [..., queries, width], got ${formatShape(q.shape)}`)
  const [leading, [queries, width]] = [q.shape.slice(0, -2), q.shape.slice(-2)]
  const [keys, valueWidth] = [k.shape.at(-2) ?? 0, v.shape.at(-1) ?? 0]
  const check = (name: string, t: Tensor, wanted: readonly number[]) => {
    if (!sameShape(t.shape, wanted)) throw new ShapeError(`${who}: ${name} wants shape ${formatShape(wanted)}, got ${formatShape(t.shape)}`)
  }
  check('key', k, [...leading, keys, width])
  check('value', v, [...leading, keys, valueWidth])
  checkSizes(who, { width, queries, keys, causal })
  const rows = sizeOf(leading)
  const flat = (t: Tensor) => ({ tensor: reshape(t, [rows, ...t.shape.slice(-2)]) as Tensor, from: 0 })
  let seen: Tensor | null = null
  if (mask !== undefined) {
    const given = checkMask(who, asFloats(mask, q.backend, `${who}: mask`))
    const wide = expandMask(who, given, [...leading, keys])
    seen = reshape(wide, [rows, keys]) as Tensor
  }
  const call = { query: flat(q), key: flat(k), value: flat(v), heads: 1, width, valueWidth, rows, queries, keys, causal, mask: seen }
  return reshape(attend({ ...call, name: who }), [...leading, queries, valueWidth]) as Tensor
}

/** @internal @throws ShapeError for vectors of no numbers, or a causal call with more queries than keys */
export function checkSizes(who: string, sizes: { width: number; queries: number; keys: number; causal: boolean }): void {
  const { width, queries, keys, causal } = sizes
  if (width === 0) throw new ShapeError(`${who}: wants vectors of at least one number, got width 0`)
  if (causal && queries > keys)
    throw new ShapeError(`${who}: causal wants no more queries than keys, got ${queries} queries and ${keys} keys; leave causal out`)
}

/** The mask for all leading axes: axes of length 1 are put in before its last, as many as are missing. */
function expandMask(who: string, mask: Tensor, shape: readonly number[]): Tensor {
  let wide = mask
  while (wide.rank > 0 && wide.rank < shape.length) wide = expandDims(wide, -2)
  if (wide.rank !== shape.length || wide.shape.some((d, i) => d !== shape[i] && d !== 1))
    throw new ShapeError(
      `${who}: mask wants shape ${formatShape(shape)}, a number for each key, or one that broadcasts to it, got ${formatShape(mask.shape)}`,
    )
  return broadcastTo(wide, shape) as Tensor
}

/**
 * Rotary positions (Su et al. 2021): turns columns c and c + width/2 of each vector at position t by the angle t / base^(2c / width), so that products of
 * queries and keys depend on the distance of their positions. The halves are those of Llama in Hugging Face's `transformers`; GPT-J turns neighbors
 * instead.
 *
 * @param value [..., steps, heads · width]
 * @param width columns of a head, an even number
 * @example
 * rotaryEmbedding([[1, 0], [1, 0]], 2) // [[1, 0], [0.540302, 0.841471]]
 * @throws ShapeError, RangeError for columns that are no heads of this width
 */
export function rotaryEmbedding(value: TensorLike, width: number, options: RotaryOptions = {}): Tensor {
  const who = 'rotaryEmbedding'
  const { first = 0, base = 10_000 } = checkOptions(who, options, ROTARY)
  const x = asFloats(value, undefined, who)
  checkCount(`${who}: width`, width)
  if (width % 2 === 1) throw rangeError(`${who}: width wants an even number, got ${width}`)
  if (x.rank < 2 || x.shape[x.rank - 1] % width !== 0)
    throw new ShapeError(`${who}: wants inputs of shape [..., steps, heads · ${width}], got shape ${formatShape(x.shape)}`)
  return rotate(x, { heads: x.shape[x.rank - 1] / width, width, first, base })
}

/** Options of {@link rotaryEmbedding}. */
export interface RotaryOptions {
  /** Position of the first step. Default 0. */
  first?: number
  /** The largest angle of a step is 1, the smallest about 1 / base. Default 10000. */
  base?: number
}

export const ROTARY = {
  first: { is: { min: 0, whole: true } },
  base: { is: { min: 0, openMin: true } },
} satisfies Schema<RotaryOptions>

/** @internal The first heads of x [..., steps, columns] turned; the other columns are copied. */
export function rotate(x: Tensor, turn: { heads: number; width: number; first: number; base: number }): Tensor {
  return applyTurn(x, anglesOf(x, turn), turn, 0)
}

function applyTurn(x: Tensor, angles: Tensor, turn: { heads: number; width: number }, back: 0 | 1): Tensor {
  const { heads, width } = turn
  const [steps, columns] = x.shape.slice(-2)
  return apply(
    [x, angles],
    x.shape,
    (y, backend) =>
      withAttention(backend).attentionRotate(
        ...([x.address, angles.address, y, columns === 0 ? 0 : x.size / columns, steps, columns, heads, width, back] as const),
      ),
    () => ({ operation: 'rotaryEmbedding', vjp: (g) => [applyTurn(g, angles, turn, back === 0 ? 1 : 0), null] }),
  )
}

/** Cosines and sines of each position [steps, width], in doubles until they are stored. */
function anglesOf(x: Tensor, { width, first, base }: { width: number; first: number; base: number }): Tensor {
  const steps = x.shape[x.rank - 2]
  const half = width / 2
  return tableOf(x.backend, steps, width, (step, c) => {
    const angle = (first + step) / base ** ((2 * (c % half)) / width)
    return c < half ? Math.cos(angle) : Math.sin(angle)
  })
}

/** @internal a matrix by its elements */
export function tableOf(backend: Backend, rows: number, columns: number, at: (row: number, column: number) => number): Tensor {
  const values = floatArray(backend, rows * columns)
  for (let i = 0; i < values.length; i++) values[i] = at(Math.floor(i / columns), i % columns)
  return Tensor.onHost(backend, [rows, columns], values)
}
