/**
 * Random numbers: one counter-based generator (Philox-4x32-10, Salmon et al. 2011) for initial weights, shuffles and dropout.
 * A number depends on (seed, stream, counter, position) alone, so the same seed gives the same run on every backend.
 */

import { normalQuantile, philoxInto } from './backend/js/random.js'
import { checkCount } from './common/checks.js'
import { show } from './common/show.js'

/**
 * A sequence of random numbers.
 * @example
 * new Generator(1).next() === new Generator(1).next() // true: the same seed, the same numbers
 */
export class Generator {
  readonly seedLow: number
  readonly seedHigh: number
  /** @internal draws of all generators by something that is no kernel: what a recording of kernel calls does not see */
  static hostDraws = 0
  /** Grows by one with every draw; save it to go on exactly where a run stopped. */
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
    if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`seed: wants a whole number from 0 to 2⁵³ − 1, got ${show(seed)}`)
    if (!Number.isInteger(stream) || stream < 0 || stream >= 2 ** 32)
      throw new RangeError(`stream: wants a whole number from 0 to 2³² − 1, got ${show(stream)}`)
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
    Generator.hostDraws++
    const counter = this.counter++
    for (let i = 0; i < n; i++) {
      if ((i & 1) === 0) this.draw(i, counter)
      out[i] = uniform(i)
    }
    return out
  }

  /** n normal numbers of mean 0 and standard deviation 1, by the inverse of their distribution (Wichura 1988); one draw of the counter. */
  normals(n: number): Float64Array {
    return this.uniforms(n).map((u) => normalQuantile(Math.max(u, 2 ** -54)))
  }

  /** Fills {@link words} for the uniform numbers i and i ^ 1 of a draw. */
  private draw(i: number, counter: number): void {
    philoxInto(words, i >>> 1, counter, this.stream, 0, this.seedLow, this.seedHigh)
  }

  /** The numbers 0..n-1 in random order (Fisher-Yates). */
  permutation(n: number): Int32Array {
    checkCount('Generator: n', n, 0)
    const order = new Int32Array(n)
    for (let i = 0; i < n; i++) order[i] = i
    Generator.hostDraws++
    const counter = this.counter++
    for (let i = n - 1; i > 0; i--) {
      if (i === n - 1 || (i & 1) === 1) this.draw(i, counter)
      const j = Math.floor(uniform(i) * (i + 1))
      const swapped = order[i]
      order[i] = order[j]
      order[j] = swapped
    }
    return order
  }
}

/** Two numbers of 53 bits, each from two words. */
const words = new Uint32Array(4)

/** Uniform number i of a draw whose words are there. */
function uniform(i: number): number {
  return (i & 1) === 0 ? fraction(words[0], words[1]) : fraction(words[2], words[3])
}

function fraction(high: number, low: number): number {
  return ((high >>> 5) * 67108864 + (low >>> 6)) / 9007199254740992
}
