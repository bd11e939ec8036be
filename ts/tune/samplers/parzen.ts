/** A density over points: a mixture of one kernel for each observation and a wide one, the prior, over the whole space. */
import { exp, log, normalCdf, normalQuantile } from '../math.js'
import type { Axis } from '../space.js'

/** Table of Φ at equal distances; linear interpolation is accurate to 1e-5. It gives the mass of a kernel within a range. */
const STEPS = 128
const REACH = 8
const CDF = Float64Array.from({ length: 2 * REACH * STEPS + 2 }, (_, i) => normalCdf(i / STEPS - REACH))

function cdf(x: number): number {
  if (x <= -REACH) return 0
  if (x >= REACH) return 1
  const place = (x + REACH) * STEPS
  const i = Math.floor(place)
  return CDF[i] + (place - i) * (CDF[i + 1] - CDF[i])
}

/** Exponents this far below the largest one add nothing to a sum of doubles. */
const NEGLIGIBLE = 36
const HALF_LOG_2PI = 0.9189385332046728
/** The prior of a number: a normal distribution around the middle of the range, as wide as the range. */
const PRIOR_LOW = normalCdf(-0.5)
const PRIOR_MASS = 1 - 2 * PRIOR_LOW

/** The kernels along one axis. The last is the prior. */
interface Kernels {
  /** For numbers: centers as shares of the range. For categories: their indices, NaN for the prior and if the parameter is absent. */
  readonly centres: Float64Array
  /** For numbers: 1 / width. If the parameter is absent it is 0, and so is the peak: the density is 1 for any number. */
  readonly narrowness: Float64Array
  /** For numbers: the logarithm of the density at the center. */
  readonly peaks: Float64Array
}

/** @internal A mixture of kernels, with equal weights by default. */
export class ParzenEstimator {
  private readonly count: number
  /** Cumulative sums of the kernels' weights, and the weights' logarithms; undefined if all weights are equal. */
  private readonly sums: Float64Array | undefined
  private readonly logWeights: Float64Array | undefined
  private readonly kernels: readonly Kernels[]
  /** For each kernel, the logarithm of its density at four points. */
  private readonly exponents: Float64Array

  /**
   * @param narrowest the width of the narrowest kernel, as a share of the range
   * @param weights of each point, above 0; the prior weighs 1. Default: 1 for all
   */
  constructor(
    private readonly axes: readonly Axis[],
    points: readonly Float64Array[],
    narrowest: number,
    weights?: readonly number[],
  ) {
    this.count = points.length + 1
    if (weights !== undefined) {
      const all = [...weights, 1]
      let sum = 0
      this.sums = Float64Array.from(all, (weight) => (sum += weight))
      this.logWeights = Float64Array.from(all, log)
    }
    this.kernels = axes.map((axis, i) => kernelsOf(axis, i, points, narrowest))
    this.exponents = new Float64Array(4 * this.count)
  }

  /** A point drawn from the mixture, within the space. Uses one uniform number of [0, 1) for the choice of the kernel and one for each axis. */
  sample(uniforms: ArrayLike<number>, from: number): Float64Array {
    const { axes, count } = this
    const kernel = this.kernelAt(uniforms[from])
    const point = new Float64Array(axes.length).fill(Number.NaN)
    for (let i = 0; i < axes.length; i++) {
      const axis = axes[i]
      if (!axis.isActive(point)) continue
      const u = uniforms[from + 1 + i]
      const { centres, narrowness } = this.kernels[i]
      const centre = centres[kernel]
      if (axis.choices > 0) point[i] = Number.isNaN(centre) ? Math.floor(u * axis.choices) : this.category(axis.choices, centre, u)
      else {
        let share = 0.5 + normalQuantile(PRIOR_LOW + u * PRIOR_MASS)
        if (kernel < count - 1 && narrowness[kernel] > 0) {
          const [low, high] = [cdf(-centre * narrowness[kernel]), cdf((1 - centre) * narrowness[kernel])]
          share = centre + normalQuantile(Math.min(1 - 2 ** -53, Math.max(2 ** -53, low + u * (high - low)))) / narrowness[kernel]
        }
        point[i] = axis.coordinate(axis.value(axis.at(Math.min(1 - 2 ** -53, Math.max(0, share)))))
      }
    }
    return point
  }

  /** The kernel at which the cumulative weight reaches the share u of all weights, 0 ≤ u < 1. */
  private kernelAt(u: number): number {
    const { count, sums } = this
    return sums === undefined ? Math.floor(u * count) : sums.findIndex((sum) => u * sums[count - 1] < sum)
  }

  /** Draws a category: most likely the kernel's own, else another. */
  private category(choices: number, centre: number, u: number): number {
    const own = (this.count + 1) / (this.count + choices)
    if (u < own) return centre
    const other = Math.min(choices - 2, Math.floor(((u - own) / (1 - own)) * (choices - 1)))
    return other < centre ? other : other + 1
  }

  /**
   * The logarithms of the density at points, per unit of the shares of ranges. Four points at a time: each kernel is read once for all of
   * them, which takes a third of the time.
   */
  logDensities(points: readonly Float64Array[]): Float64Array {
    const densities = new Float64Array(points.length)
    for (let from = 0; from < points.length; from += 4) {
      // the last point is repeated if there are fewer than four
      const [a, b, c, d] = [0, 1, 2, 3].map((j) => points[Math.min(points.length - 1, from + j)])
      this.exponents.fill(0)
      if (this.logWeights !== undefined) for (let k = 0; k < this.count; k++) this.exponents.fill(this.logWeights[k], 4 * k, 4 * k + 4)
      for (let i = 0; i < this.axes.length; i++) {
        if (this.axes[i].choices > 0) this.addCategories(i, a[i], b[i], c[i], d[i])
        else this.addNumbers(i, a[i], b[i], c[i], d[i])
      }
      for (let j = 0; j < Math.min(4, points.length - from); j++) densities[from + j] = this.logMean(j)
    }
    return densities
  }

  /** Adds the logarithms of all kernels of a number at four coordinates. A coordinate that is NaN, for an absent parameter, adds nothing. */
  private addNumbers(i: number, a: number, b: number, c: number, d: number): void {
    const { count, exponents } = this
    const axis = this.axes[i]
    const { centres, narrowness, peaks } = this.kernels[i]
    const [isA, isB, isC, isD] = [+(a === a), +(b === b), +(c === c), +(d === d)]
    const shareA = isA && axis.share(a)
    const shareB = isB && axis.share(b)
    const shareC = isC && axis.share(c)
    const shareD = isD && axis.share(d)
    for (let k = 0, at = 0; k < count; k++, at += 4) {
      const centre = centres[k]
      const narrow = narrowness[k]
      const peak = peaks[k]
      const fromA = (shareA - centre) * narrow
      const fromB = (shareB - centre) * narrow
      const fromC = (shareC - centre) * narrow
      const fromD = (shareD - centre) * narrow
      exponents[at] += isA * (peak - 0.5 * fromA * fromA)
      exponents[at + 1] += isB * (peak - 0.5 * fromB * fromB)
      exponents[at + 2] += isC * (peak - 0.5 * fromC * fromC)
      exponents[at + 3] += isD * (peak - 0.5 * fromD * fromD)
    }
  }

  /** The same for a category. */
  private addCategories(i: number, a: number, b: number, c: number, d: number): void {
    const { count, exponents } = this
    const { centres } = this.kernels[i]
    const { choices } = this.axes[i]
    const own = log((count + 1) / (count + choices))
    const other = -log(count + choices)
    const none = -log(choices)
    for (let k = 0, at = 0; k < count; k++, at += 4) {
      const centre = centres[k]
      const elsewhere = centre === centre ? other : none
      if (a === a) exponents[at] += a === centre ? own : elsewhere
      if (b === b) exponents[at + 1] += b === centre ? own : elsewhere
      if (c === c) exponents[at + 2] += c === centre ? own : elsewhere
      if (d === d) exponents[at + 3] += d === centre ? own : elsewhere
    }
  }

  /** The logarithm of the mean of the kernels, by their weights, at one of the four points. */
  private logMean(j: number): number {
    const { count, exponents, sums } = this
    let largest = Number.NEGATIVE_INFINITY
    for (let k = 0; k < count; k++) if (exponents[4 * k + j] > largest) largest = exponents[4 * k + j]
    let sum = 0
    for (let k = 0; k < count; k++) {
      const below = exponents[4 * k + j] - largest
      if (below > -NEGLIGIBLE) sum += exp(below)
    }
    return largest + log(sum / (sums?.[count - 1] ?? count))
  }
}

/** The width of a kernel is the distance to its farther neighbor, but at least the narrowest width; the prior's width is the whole range. */
function kernelsOf(axis: Axis, i: number, points: readonly Float64Array[], narrowest: number): Kernels {
  const n = points.length
  const centres = new Float64Array(n + 1)
  if (axis.choices > 0) {
    for (let k = 0; k < n; k++) centres[k] = points[k][i]
    centres[n] = Number.NaN
    return { centres, narrowness: NONE, peaks: NONE }
  }
  const narrowness = new Float64Array(n + 1)
  const peaks = new Float64Array(n + 1)
  const put = (k: number, centre: number, width: number) => {
    centres[k] = centre
    narrowness[k] = 1 / width
    peaks[k] = -HALF_LOG_2PI - log(width * (cdf((1 - centre) / width) - cdf(-centre / width)))
  }
  // keys have the number of the observation in their last binary digits: sorting them is faster than sorting the numbers by a function
  const keys = new Float64Array(n)
  let there = 0
  for (let k = 0; k < n; k++) {
    const share = axis.share(points[k][i])
    centres[k] = share === share ? share : 0.5
    if (share === share) keys[there++] = Math.floor(share * 2 ** 36) * MAX_POINTS + k
  }
  keys.subarray(0, there).sort()
  const order = new Uint16Array(there)
  for (let j = 0; j < there; j++) order[j] = keys[j] - Math.floor(keys[j] / MAX_POINTS) * MAX_POINTS
  for (let from = 0, to = 0; from < there; from = to) {
    const centre = centres[order[from]]
    while (to < there && centres[order[to]] === centre) to++
    // equal centers have the same width: the distance to the next larger center, since their distance to each other is 0
    const below = from > 0 && to - from === 1 ? centre - centres[order[from - 1]] : 0
    const above = to < there ? centres[order[to]] - centre : 0
    const width = there === 1 ? 1 : Math.min(1, Math.max(narrowest, below, above))
    for (let j = from; j < to; j++) put(order[j], centre, width)
  }
  put(n, 0.5, 1)
  return { centres, narrowness, peaks }
}

/** Largest number of observations: sort keys have 16 bits for their number. */
const MAX_POINTS = 2 ** 16

const NONE = new Float64Array()
