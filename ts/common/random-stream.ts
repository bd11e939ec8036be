/** Random numbers for data, apart from the engine's: sfc32 (Doty-Humphrey, PractRand), seeded through splitmix32. */
import { rangeError } from '../common/errors.js'
import { show } from '../common/show.js'

export class RandomStream {
  private readonly state: Uint32Array
  private spare: number | null = null

  /** @param seed whole number from 0 to 2⁵³ − 1; the same seed gives the same numbers everywhere. @throws RangeError */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) throw rangeError(`seed: wants a whole number from 0 to 2⁵³ − 1, got ${show(seed)}`)
    this.state = Uint32Array.of(splitmix(seed), splitmix(Math.floor(seed / 2 ** 32) + 0x9e3779b9), splitmix(seed + 0x7f4a7c15), 1)
    for (let i = 0; i < 12; i++) this.word()
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.word() / 2 ** 32
  }

  /** Normal with mean 0 and standard deviation 1 (Box & Muller 1958). */
  normal(): number {
    if (this.spare !== null) {
      const value = this.spare
      this.spare = null
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()))
    const angle = 2 * Math.PI * this.uniform()
    this.spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  /** The numbers 0..n−1 in random order (Fisher-Yates). */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i)
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(this.uniform() * (i + 1))
      const swapped = order[i]
      order[i] = order[j]
      order[j] = swapped
    }
    return order
  }

  private word(): number {
    const s = this.state
    const result = (s[0] + s[1] + s[3]) >>> 0
    s[3] += 1
    s[0] = s[1] ^ (s[1] >>> 9)
    s[1] = s[2] + (s[2] << 3)
    s[2] = ((s[2] << 21) | (s[2] >>> 11)) + result
    return result
  }
}

function splitmix(seed: number): number {
  let z = (seed + 0x9e3779b9) >>> 0
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
  return (z ^ (z >>> 15)) >>> 0
}
