/**
 * Counter-based random numbers: Philox-4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
 * A word depends only on (seed, stream, counter, i), so nothing is stored, and any part can be computed on its own.
 * crate/random.rs does the same operations in the same order on integers and doubles: the bits are equal.
 */
import { normalQuantileBy } from '../../common/normal-quantile.js'
import type { Heap } from '../heap.js'
import type { Kernels } from '../kernels.js'
import { floatShift } from './shift.js'

/** The four random words (unsigned) of a counter of four words under a key of two, written to `out`. */
export function philoxInto(out: Uint32Array, c0: number, c1: number, c2: number, c3: number, k0: number, k1: number): void {
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(0xd251, 0x1f53, c0)
    const high1 = mulHigh(0xcd9e, 0x8d57, c2)
    const low0 = Math.imul(0xd2511f53, c0)
    const low1 = Math.imul(0xcd9e8d57, c2)
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    k0 = (k0 + 0x9e3779b9) | 0
    k1 = (k1 + 0xbb67ae85) | 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/** The upper 32 bits of (high · 2¹⁶ + low) · c, all unsigned, from four products of 16-bit halves. */
function mulHigh(high: number, low: number, c: number): number {
  const cHigh = c >>> 16
  const cLow = c & 0xffff
  const middle = (Math.imul(high, cLow) + (Math.imul(low, cLow) >>> 16)) | 0
  const lower = (Math.imul(low, cHigh) + (middle & 0xffff)) | 0
  return (Math.imul(high, cHigh) + (middle >>> 16) + (lower >>> 16)) | 0
}

/** Inputs of a draw: a key of two words, a stream under it, and the index of the draw in the stream. */
export interface DrawSource {
  readonly seedLow: number
  readonly seedHigh: number
  readonly stream: number
  readonly counter: number
}

const drawn = new Uint32Array(4)

/** Uniform number i of a draw, with 53 bits. The words of a counter make two numbers: set `isNext` if the previous call was for i ^ 1. */
export function uniform53(i: number, { seedLow, seedHigh, stream, counter }: DrawSource, isNext: boolean): number {
  if (!isNext) philoxInto(drawn, i >>> 1, counter, stream, 0, seedLow, seedHigh)
  return (i & 1) === 0 ? fraction(drawn[0], drawn[1]) : fraction(drawn[2], drawn[3])
}

function fraction(high: number, low: number): number {
  return ((high >>> 5) * 67108864 + (low >>> 6)) / 9007199254740992
}

/** The numbers 0..n-1 in random order (Fisher-Yates). */
export function permute(order: Int32Array, source: DrawSource): void {
  for (let i = 0; i < order.length; i++) order[i] = i
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(uniform53(i, source, i < order.length - 1 && (i & 1) === 0) * (i + 1))
    const swapped = order[i]
    order[i] = order[j]
    order[j] = swapped
  }
}

export function randomKernels(heap: Heap): Pick<Kernels, 'randomUniform' | 'permutation'> {
  const shift = floatShift(heap)
  const words = new Uint32Array(4)
  return {
    permutation(order, n, seedLow, seedHigh, stream, counter) {
      permute(heap.intView(order, n), { seedLow, seedHigh, stream, counter })
    },
    randomUniform(y, n, seedLow, seedHigh, stream, counter, low, high) {
      const f = heap.floats
      for (let i = 0, p = y >>> shift; i < n; i++, p++) {
        if ((i & 3) === 0) philoxInto(words, i >>> 2, counter, stream, 0, seedLow, seedHigh)
        f[p] = low + (high - low) * unit(words[i & 3])
      }
    },
  }
}

export function dropoutKernel(heap: Heap): Pick<Kernels, 'dropout'> {
  const shift = floatShift(heap)
  const words = new Uint32Array(4)
  return {
    dropout(x, y, n, seedLow, seedHigh, stream, counter, mask, isKnown, rate) {
      const f = heap.floats
      const bits = mask === 0 ? new Int32Array(1) : heap.intView(mask, Math.ceil(n / 16))
      const scale = heap.dtype === 'float32' ? Math.fround(1 / (1 - rate)) : 1 / (1 - rate)
      for (let i = 0, p = x >>> shift, q = y >>> shift; i < n; i++, p++, q++) {
        const place = mask === 0 ? 0 : i >>> 4
        if (isKnown === 0) {
          if ((i & 15) === 0) bits[place] = 0
          if ((i & 3) === 0) philoxInto(words, i >>> 2, counter, stream, 0, seedLow, seedHigh)
          if (unit(words[i & 3]) >= rate) bits[place] |= 1 << (i & 15)
        }
        f[q] = (bits[place] >> (i & 15)) & 1 ? f[p] * scale : 0
      }
    },
  }
}

export function normalKernel(heap: Heap): Pick<Kernels, 'randomNormal'> {
  const shift = floatShift(heap)
  const words = new Uint32Array(4)
  return {
    randomNormal(y, n, seedLow, seedHigh, stream, counter, mean, std) {
      const f = heap.floats
      for (let i = 0, p = y >>> shift; i < n; i++, p++) {
        if ((i & 3) === 0) philoxInto(words, i >>> 2, counter, stream, 0, seedLow, seedHigh)
        f[p] = mean + std * normalQuantile((words[i & 3] + 0.5) * 2 ** -32)
      }
    },
  }
}

/** A word as a number in [0, 1) with 24 bits */
function unit(word: number): number {
  return (word >>> 8) * 2 ** -24
}

/** Φ⁻¹(p) for 0 < p < 1, about 1e-16 relative. */
export function normalQuantile(p: number): number {
  return normalQuantileBy(ln, p)
}

/** ln(p) for 0 < p < 1 from + − × ÷ alone, because engines differ in the last bit of Math.log. */
function ln(p: number): number {
  let exponent = 0
  while (p < Math.SQRT1_2) {
    p *= 2
    exponent--
  }
  const s = (p - 1) / (p + 1)
  const z = s * s
  let sum = 0
  for (let k = 21; k >= 1; k -= 2) sum = sum * z + 1 / k
  return exponent * Math.LN2 + 2 * s * sum
}
