/**
 * Random numbers: one counter-based generator (Philox-4x32-10, Salmon et al. 2011) for initial weights, shuffles and dropout.
 * A number depends on (seed, stream, counter, position) alone, so the same seed gives the same run on every backend.
 */

import { normalQuantile, permute, uniform53 } from './backend/js/random.js'
import { checkCount } from './common/checks.js'
import { rangeError } from './common/errors.js'
import { show } from './common/show.js'

/** @internal draws of all generators outside of kernels, which a recording of kernel calls does not contain */
export const hostDraws = { count: 0 }

/**
 * A sequence of random numbers.
 * @example
 * new Generator(1).next() === new Generator(1).next() // true: the same seed, the same numbers
 */
export class Generator {
  readonly seedLow: number
  readonly seedHigh: number
  /** Grows by one with every draw; save it to continue exactly at this point. */
  counter = 0

  /**
   * @param seed whole number from 0 to 2⁵³ − 1
   * @param stream independent sequences of one seed, whole number from 0 to 2³² − 1
   * @throws RangeError for anything else
   */
  constructor(
    readonly seed: number,
    readonly stream = 0,
  ) {
    if (!Number.isSafeInteger(seed) || seed < 0) throw rangeError(`seed: wants a whole number from 0 to 2⁵³ − 1, got ${show(seed)}`)
    if (!Number.isInteger(stream) || stream < 0 || stream >= 2 ** 32)
      throw rangeError(`stream: wants a whole number from 0 to 2³² − 1, got ${show(stream)}`)
    this.seedLow = seed >>> 0
    this.seedHigh = Math.floor(seed / 2 ** 32) >>> 0
  }

  /** A uniform number in [0, 1) with 53 random bits. */
  next(): number {
    return this.uniforms(1)[0]
  }

  /** n uniform numbers in [0, 1) with 53 random bits each; one draw of the counter. */
  uniforms(n: number): Float64Array {
    checkCount('Generator: n', n, 0)
    const out = new Float64Array(n)
    hostDraws.count++
    for (let i = 0; i < n; i++) out[i] = uniform53(i, this, (i & 1) === 1)
    this.counter++
    return out
  }

  /** n normal numbers of mean 0 and standard deviation 1, by the inverse of their distribution (Wichura 1988); one draw of the counter. */
  normals(n: number): Float64Array {
    return this.uniforms(n).map((u) => normalQuantile(Math.max(u, 2 ** -54)))
  }

  /** The numbers 0..n-1 in random order (Fisher-Yates). */
  permutation(n: number): Int32Array {
    checkCount('Generator: n', n, 0)
    const order = new Int32Array(n)
    hostDraws.count++
    permute(order, this)
    this.counter++
    return order
  }
}
