/** The memory of L-BFGS: the last pairs of steps and gradient changes, and the product with the inverse Hessian they imply. */
import { addScaled, dot, scaled } from '../../common/vector.js'

/** A step s and the change y of the gradient over it. */
export interface Pair {
  s: Float64Array
  y: Float64Array
  /** ρ = 1 / yᵀs */
  rho: number
}

/** At most `size` pairs, the oldest forgotten first. */
export class History {
  pairs: Pair[] = []
  /** Scale of the first inverse Hessian, yᵀs / yᵀy of the last pair. */
  scale = 1

  constructor(readonly size: number) {}

  /** Learns a pair, if its curvature yᵀs is above `least`: anything else would not be positive definite. */
  learn(s: Float64Array, y: Float64Array, least = 1e-10): void {
    const ys = dot(y, s)
    if (!(ys > least)) return
    if (this.pairs.length >= this.size) this.pairs.shift()
    this.pairs.push({ s, y, rho: 1 / ys })
    this.scale = ys / dot(y, y)
  }

  /** d ← −H·g by the two loops (Nocedal 1980). */
  direction(g: Float64Array, d: Float64Array): void {
    const { pairs } = this
    const alpha = new Float64Array(pairs.length)
    scaled(g, -1, d)
    for (let i = pairs.length - 1; i >= 0; i--) {
      const { s, y, rho } = pairs[i]
      alpha[i] = dot(s, d) * rho
      addScaled(d, -alpha[i], y)
    }
    scaled(d, this.scale, d)
    for (let i = 0; i < pairs.length; i++) {
      const { s, y, rho } = pairs[i]
      addScaled(d, alpha[i] - dot(y, d) * rho, s)
    }
  }

  clear(): void {
    this.pairs = []
    this.scale = 1
  }
}
